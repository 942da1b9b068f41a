# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""What a deployment shares with others on this host: joined where it runs already, else started."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.apply.removal import leave
from ansible_collections.retail.profiles.plugins.module_utils.apply.replicas import Applier
from ansible_collections.retail.profiles.plugins.module_utils.apply.report import Outcome, Report
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import Difference
from ansible_collections.retail.profiles.plugins.module_utils.deployment.files import MissingFiles, stale
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import MustEnd
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, Share
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import (
    StateDir,
    alone_with,
    members,
    save_members,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine


class InUse(ProfileError):
    """Others use a shared replica, and it is not what is wanted."""


def applied(order: Order, engine: Engine) -> Report:
    """What the states ``prepared``, ``present`` and ``ready`` do, side by side for the own and the shared replicas."""
    applier = Applier(order, engine)
    own = {"prepared": applier.prepared, "present": applier.present, "ready": applier.ready}[order.state]
    if order.share.shared and order.state != "ready" and not order.check:
        # All that must be sent is told at once, before anything is done.
        lacking = [item for item in stale(order.share.all_files()) if item.dest not in order.archives]
        if lacking:
            raise MissingFiles(lacking)
    works = [own, *(partial(_shared, order, engine, share) for share in order.share.shared)]
    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        report = _merged(list(pool.map(lambda work: work(), works)))
    if order.state == "ready" or order.expected is None:
        return report
    left, errors = leave(order, engine, order.name, kept=order.expected)
    problems = tuple({"container": None, "field": None, "message": error} for error in errors)
    return replace(
        report,
        changed=report.changed or bool(left),
        removed=(*report.removed, *left),
        problems=(*report.problems, *problems),
    )


def _shared(order: Order, engine: Engine, share: Share) -> Report:
    try:
        if order.state == "ready":
            return ready(order, engine, share)
        joined = join(order, engine, share)
        return joined if order.check or order.state == "prepared" else ready(order, engine, share, joined)
    except MustEnd:
        raise
    except ProfileError as error:
        name = share.replicas[0].name
        return Report(replicas=(Outcome(name, "failed", error=f"{name}: {error}"),))


def _merged(reports: list[Report]) -> Report:
    def every(name: str) -> tuple[Any, ...]:
        return tuple(item for report in reports for item in getattr(report, name))

    return Report(
        changed=any(report.changed for report in reports),
        replicas=every("replicas"),
        removed=every("removed"),
        problems=every("problems"),
        diff=every("diff"),
        pulled=every("pulled"),
        warnings=every("warnings"),
    )


def join(order: Order, engine: Engine, share: Share) -> Report:
    """Make the order's deployment a member of the shared replica in *share*, and see that it runs.

    It is not waited for; :func:`ready` does. Where others use it, nothing of it is changed. In check mode nothing is
    changed at all. Raises InUse where that would be necessary.
    """
    state = StateDir(order.state_dir)
    own = own_order(order, share)
    if order.check:
        users = members(state, own.name)
        return _as_joined(_unchanging(own, engine, _others(users, order)), order, users)
    reached = Applier(own, engine).reached()
    if reached.failed:
        return reached
    with alone_with(state, own.name):
        users = members(state, own.name)
        own = _patient(own, pulls=not _others(users, order))
        _unchanging(replace(own, check=True), engine, _others(users, order))
        # First of all: whoever stands here is asked to leave, also after a crash.
        if order.name not in users:
            save_members(state, own.name, {**users, order.name: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
        return _as_joined(Applier(own, engine).present(), order, users)


def ready(order: Order, engine: Engine, share: Share, joined: Optional[Report] = None) -> Report:
    """Wait until the shared replica is ready; what *joined* tells of it is kept."""
    if joined is not None and joined.failed:
        return joined
    report = Applier(own_order(order, share), engine).ready()
    if joined is None:
        return report
    outcomes = tuple(_seen(before, after) for before, after in zip(joined.replicas, report.replicas))
    return replace(joined, replicas=outcomes)


def conflict(order: Order, engine: Engine, share: Share) -> Optional[str]:
    """Why the shared replica in *share* cannot be joined; None where it can be, or must be made."""
    own = replace(own_order(order, share), check=True)
    try:
        _unchanging(own, engine, _others(members(StateDir(order.state_dir), own.name), order))
    except InUse as error:
        return error.message
    return None


def own_order(order: Order, share: Share) -> Order:
    """The order for the shared replica of *share*, as the deployment that it is."""
    return replace(order, deployment=share.replicas[0].name, run_id=None, plan_id=None, share=share, expected=None)


def _patient(own: Order, pulls: bool) -> Order:
    """*own* without waits, which are not for when others are locked out; and unless *pulls*, with the image it has."""
    replicas = tuple(
        replace(task, ready=(), reach=(), pull=task.pull if pulls else "missing") for task in own.share.replicas
    )
    return replace(own, share=replace(own.share, replicas=replicas))


def _others(users: Mapping[str, str], order: Order) -> list[str]:
    return sorted(set(users) - {order.name})


def _unchanging(own: Order, engine: Engine, others: Sequence[str]) -> Report:
    """What would be done, in check mode. Raises InUse where others use the replica, and it would be changed."""
    report = Applier(own, engine).present()
    changes = [item for item in report.diff if item.current is not None]
    changes += [item for outcome in report.replicas if outcome.status == "recreated" for item in outcome.diff]
    if others and changes:
        found = "; ".join(
            f"{item.field}: runs with {_short(item.current)}, wanted {_short(item.desired)}" for item in changes
        )
        raise InUse(
            f"{own.name} is in use by {', '.join(others)} and runs with another specification: {found}: "
            f"give it the same one, stop {' and '.join(others)} first, or set shared: false"
        )
    return report


def _short(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= 200 else text[:197] + "..."


def _as_joined(report: Report, order: Order, users: Mapping[str, str]) -> Report:
    """The report with ``joined`` where all that changed is that there is one member more."""
    if order.name in users:
        return report
    member = Difference("members", sorted(users), sorted({*users, order.name}))
    outcomes = tuple(
        replace(outcome, status="joined", diff=(member,)) if outcome.status == "unchanged" else outcome
        for outcome in report.replicas
    )
    return replace(report, replicas=outcomes, changed=True)


def _seen(before: Outcome, after: Outcome) -> Outcome:
    """What became of a replica that was started, and then waited for."""
    status = after.status if after.error else before.status
    return replace(after, status=status, diff=before.diff, image_id=after.image_id or before.image_id)
