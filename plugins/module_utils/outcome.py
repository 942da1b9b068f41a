# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What a call of profile_apply answers: the states run, and their reports as the module's result."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils import facts
from ansible_collections.retail.profiles.plugins.module_utils.apply import Applier, Outcome, Report
from ansible_collections.retail.profiles.plugins.module_utils.drift import Difference
from ansible_collections.retail.profiles.plugins.module_utils.engine import Engine
from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.preflight import preflight
from ansible_collections.retail.profiles.plugins.module_utils.remove import absent
from ansible_collections.retail.profiles.plugins.module_utils.tasks import Order


def run(order: Order, connect: Callable[[], Engine]) -> dict[str, Any]:
    """Do what *order* says; the module's result, with ``failed``. *connect* is called once."""
    if order.state == "absent":
        removed, errors = absent(order, connect())
        problems = tuple({"container": None, "field": None, "message": error} for error in errors)
        return result(Report(changed=bool(removed), removed=tuple(removed), problems=problems))
    if order.state == "checked":
        return _checked(order, connect)
    applier = Applier(order, connect())
    return result({"prepared": applier.prepared, "present": applier.present, "ready": applier.ready}[order.state]())


def _checked(order: Order, connect: Callable[[], Engine]) -> dict[str, Any]:
    """Preflight, and with it the snapshot, taken last: images that were pulled are in it."""
    engine, reason = None, None
    try:
        engine = connect()
    except ProfileError as error:
        reason = str(error)
    found, pulled = preflight(order, engine, reason)
    answer = result(Report(changed=bool(pulled), problems=tuple(found), pulled=tuple(pulled)))
    return {**answer, "snapshot": facts.snapshot(order.state_dir, engine, reason)} if order.snapshot else answer


def result(report: Report) -> dict[str, Any]:
    """A report as the module answers it."""
    return {
        "changed": report.changed,
        "failed": report.failed,
        "msg": summary(report),
        "replicas": {outcome.name: outcome.as_dict() for outcome in report.replicas},
        "removed": list(report.removed),
        "pulled": list(report.pulled),
        "problems": list(report.problems),
        "prepared": [item.as_dict() for item in report.diff],
        "diff": diffs(report),
        "warnings": list(report.warnings),
    }


def summary(report: Report) -> str:
    """One line: the errors, or how many of what."""
    errors = [
        f"{item['container']}: {item['message']}" if item.get("container") else str(item["message"])
        for item in report.problems
    ]
    errors += [outcome.error for outcome in report.replicas if outcome.error]
    if errors:
        return errors[0] if len(errors) == 1 else f"{len(errors)} problems: " + "; ".join(errors)
    counts = Counter(outcome.status for outcome in report.replicas)
    parts = [f"{count} {status}" for status, count in sorted(counts.items())]
    if report.removed:
        parts.append(f"{len(report.removed)} removed")
    return ", ".join(parts) or ("prepared" if report.changed else "nothing to do")


def diffs(report: Report) -> list[dict[str, Any]]:
    """Ansible's form of the differences, for ``--diff``."""
    found = [_diff("networks, files, volumes", report.diff)] if report.diff else []
    found += [_diff(outcome.name, _of(outcome)) for outcome in report.replicas if outcome.changed]
    found += [_diff(name, [Difference("exists", True, False)]) for name in report.removed]
    return found


def _of(outcome: Outcome) -> list[Difference]:
    if outcome.diff:
        return list(outcome.diff)
    if outcome.status == "started":
        return [Difference("running", False, True)]
    return [Difference("exists", False, True)]


def _diff(header: str, differences: Iterable[Difference]) -> dict[str, Any]:
    items = list(differences)
    return {
        "before_header": header,
        "after_header": header,
        "before": _lines((item.field, item.current) for item in items),
        "after": _lines((item.field, item.desired) for item in items),
    }


def _lines(pairs: Iterable[tuple[str, Any]]) -> str:
    return "".join(f"{field}: {json.dumps(value, sort_keys=True, default=str)}\n" for field, value in pairs)
