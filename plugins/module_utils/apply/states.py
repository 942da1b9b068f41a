# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call of profile_apply answers: the states run, and their reports as the module's result.

What a state needs is imported when it runs: nothing is compiled ahead on a host, so each import costs every call.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.apply.operations import ReplicaResult, Report
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import Difference
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import Held, Leases, by_hand, working
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import StateDir
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine

#: the field of a problem that is somebody else's lease
LEASE = "lease"


def run(order: Order, connect: Callable[[], Engine]) -> dict[str, Any]:
    """Do what *order* says; the module's result, with ``failed``. *connect* is called once."""
    if order.state == "absent":
        from ansible_collections.retail.profiles.plugins.module_utils.apply.removal import absent, would_be_absent

        removed, errors = (would_be_absent if order.check else absent)(order, connect())
        return result(Report(changed=bool(removed), removed=tuple(removed), problems=problems(errors)))
    if order.state == "checked":
        return checked(order, connect)
    if order.state == "released":
        if order.claim is not None and not order.check:
            Leases(order.state_dir).give_back(order.name, order.claim)
        return result(Report())
    from ansible_collections.retail.profiles.plugins.module_utils.apply.shared_replicas import applied, foreseen
    from ansible_collections.retail.profiles.plugins.module_utils.deployment.files import MissingFiles

    if order.check and order.state != "ready":
        return result(foreseen(order, connect()))
    if order.check or StateDir(order.state_dir).check() or (order.state == "ready" and order.claim is None):
        return result(applied(order, connect()))
    claim, release = (order.claim, order.release) if order.claim is not None else (by_hand(), True)
    with working(Leases(order.state_dir), order.name, claim, release) as work, work.watched():
        try:
            return result(applied(order, connect().guarded(work.checkpoint)))
        except MissingFiles:
            work.release = order.claim is None  # the same call comes again, with the files
            raise


def checked(order: Order, connect: Callable[[], Engine]) -> dict[str, Any]:
    """Look for problems; under the lease of the deployment where it is asked for, which is kept then.

    With the order's ``release`` it is given back where nothing is to be done on this host.
    """
    if order.claim is None or order.check or StateDir(order.state_dir).check():
        return looked(order, connect, lambda: None)
    try:
        with working(Leases(order.state_dir), order.name, order.claim) as work, work.watched():
            answer = looked(order, connect, work.checkpoint)
    except Held as held:
        return result(Report(problems=problems([str(held)], field=LEASE)))
    claim = work.claim
    if order.release and answer["converged"]:
        Leases(order.state_dir).give_back(order.name, claim)
        return answer
    lease = {"deployment": order.name, "holder": claim.holder, "owner": claim.owner, "epoch": claim.epoch}
    return {**answer, "lease": lease}


def looked(order: Order, connect: Callable[[], Engine], checkpoint: Callable[[], None]) -> dict[str, Any]:
    """Preflight, and with it the snapshot, taken last: images that were pulled are in it."""
    from ansible_collections.retail.profiles.plugins.module_utils.apply.preflight import preflight
    from ansible_collections.retail.profiles.plugins.module_utils.apply.present import converged
    from ansible_collections.retail.profiles.plugins.module_utils.deployment.files import stale
    from ansible_collections.retail.profiles.plugins.module_utils.host import snapshot

    engine, reason = None, None
    try:
        engine = connect().guarded(checkpoint)
    except ProfileError as error:
        reason = str(error)
    found = preflight(order, engine, reason, perform=not order.check)
    answer = result(found)
    answer["converged"] = order.release and engine is not None and not found.problems and converged(order, engine)
    answer["clock"] = time.time()
    answer["missing"] = [item.dest for item in stale(order.share.all_files())]
    return {**answer, "snapshot": snapshot.snapshot(order.state_dir, engine, reason)} if order.snapshot else answer


def problems(errors: Iterable[str], field: Optional[str] = None) -> tuple[dict[str, Optional[str]], ...]:
    """Errors of the host as a whole."""
    return tuple({"container": None, "field": field, "message": error} for error in errors)


def result(report: Report) -> dict[str, Any]:
    """A report as the module answers it."""
    return {
        "changed": report.changed,
        "failed": report.failed,
        "msg": summary(report),
        "replicas": {item.name: item.as_dict() for item in report.replicas},
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
    errors += [item.error for item in report.replicas if item.error]
    if errors:
        return errors[0] if len(errors) == 1 else f"{len(errors)} problems: " + "; ".join(errors)
    counts = Counter(item.status for item in report.replicas)
    parts = [f"{count} {status}" for status, count in sorted(counts.items())]
    if report.removed:
        parts.append(f"{len(report.removed)} removed")
    return ", ".join(parts) or ("prepared" if report.changed else "nothing to do")


def diffs(report: Report) -> list[dict[str, Any]]:
    """Ansible's form of the differences, for ``--diff``."""
    found = [_diff("networks, files, volumes", report.diff)] if report.diff else []
    found += [_diff(item.name, _of(item)) for item in report.replicas if item.changed]
    found += [_diff(name, [Difference("exists", True, False)]) for name in report.removed]
    return found


def _of(replica: ReplicaResult) -> list[Difference]:
    if replica.diff:
        return list(replica.diff)
    if replica.status == "started":
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
