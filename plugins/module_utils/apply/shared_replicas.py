# SPDX-License-Identifier: GPL-3.0-or-later
"""What a deployment shares with others on this host: joined where it runs already, else started."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Callable, Optional

from ansible_collections.retail.profiles.plugins.module_utils.apply.operations import Operation, ReplicaResult, Report
from ansible_collections.retail.profiles.plugins.module_utils.apply.present import (
    carry_out,
    foresee,
    reached,
    ready,
    told,
)
from ansible_collections.retail.profiles.plugins.module_utils.apply.reconcile import observe, side_by_side
from ansible_collections.retail.profiles.plugins.module_utils.apply.removal import leave, would_leave
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
    """Do what the state says, side by side for the own and the shared replicas."""
    if order.state == "ready":
        return _side_by_side(order, partial(ready, order, engine), partial(_ready, order, engine))
    if order.share.shared:
        # All that must be sent is told at once, before anything is done.
        lacking = [item for item in stale(order.share.all_files()) if item.dest not in order.archives]
        if lacking:
            raise MissingFiles(lacking)
    report = _side_by_side(order, lambda: carry_out(observe(order, engine), engine), partial(join, order, engine))
    return report if order.expected is None else _without(report, *leave(order, engine, order.name, order.expected))


def foreseen(order: Order, engine: Engine) -> Report:
    """What :func:`applied` would do."""
    report = _side_by_side(order, lambda: told(*foresee(order, engine)), partial(_would_join, order, engine))
    if order.expected is None:
        return report
    return _without(report, would_leave(order, order.name, order.expected), [])


def _side_by_side(order: Order, own: Callable[[], Report], shared: Callable[[Share], Report]) -> Report:
    def guarded(share: Share) -> Report:
        try:
            return shared(share)
        except MustEnd:
            raise
        except ProfileError as error:
            name = share.replicas[0].name
            return Report(replicas=(ReplicaResult(name, "failed", error=f"{name}: {error}"),))

    works: list[Optional[Share]] = [None, *order.share.shared]
    return _merged(side_by_side(lambda share: own() if share is None else guarded(share), works, len(works)))


def _without(report: Report, left: Sequence[str], errors: Sequence[str]) -> Report:
    """*report*, and what a deployment does not use any more."""
    problems = tuple({"container": None, "field": None, "message": error} for error in errors)
    return replace(
        report,
        changed=report.changed or bool(left),
        removed=(*report.removed, *left),
        problems=(*report.problems, *problems),
    )


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
    """Make the order's deployment a member of a shared replica, see that it runs, and wait for it.

    Raises InUse where others use it, and it would have to be changed.
    """
    state = StateDir(order.state_dir)
    own = own_order(order, share)
    unreached = reached(own, engine)
    if unreached:
        return Report(replicas=unreached)
    with alone_with(state, own.name):
        users = members(state, own.name)
        others = _others(users, order)
        own = _patient(own, pulls=not others)
        picture, operations = foresee(own, engine)
        _check(own, operations, others)
        # First of all: whoever stands here is asked to leave, also after a crash.
        if order.name not in users:
            save_members(state, own.name, {**users, order.name: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
        joined = _as_joined(carry_out(picture, engine), order, users)
    if joined.failed or order.state == "prepared":
        return joined
    results = _ready(order, engine, share).replicas
    return replace(joined, replicas=tuple(_seen(before, after) for before, after in zip(joined.replicas, results)))


def _would_join(order: Order, engine: Engine, share: Share) -> Report:
    own = own_order(order, share)
    users = members(StateDir(order.state_dir), own.name)
    picture, operations = foresee(own, engine)
    _check(own, operations, _others(users, order))
    return _as_joined(told(picture, operations), order, users)


def _ready(order: Order, engine: Engine, share: Share) -> Report:
    """Wait until the shared replica is ready."""
    return ready(own_order(order, share), engine)


def conflict(order: Order, engine: Engine, share: Share) -> Optional[str]:
    """Why the shared replica in *share* cannot be joined; None where it can be, or must be made."""
    try:
        _would_join(order, engine, share)
    except InUse as error:
        return error.message
    return None


def own_order(order: Order, share: Share) -> Order:
    """The order for the shared replica of *share*, as the deployment that it is."""
    name = share.replicas[0].name
    return replace(order, state="present", deployment=name, run_id=None, plan_id=None, share=share, expected=None)


def _patient(own: Order, pulls: bool) -> Order:
    """*own* without waits, as others are locked out; and unless *pulls*, with the image that it has."""
    replicas = tuple(
        replace(task, ready=(), reach=(), pull=task.pull if pulls else "missing") for task in own.share.replicas
    )
    return replace(own, share=replace(own.share, replicas=replicas))


def _others(users: Mapping[str, str], order: Order) -> list[str]:
    return sorted(set(users) - {order.name})


def _check(own: Order, operations: Iterable[Operation], others: Sequence[str]) -> None:
    """Raises InUse where others use the replica, and *operations* would change it."""
    changes = [item for one in operations for item in one.alters]
    if others and changes:
        found = "; ".join(
            f"{item.field}: runs with {_short(item.current)}, wanted {_short(item.desired)}" for item in changes
        )
        raise InUse(
            f"{own.name} is in use by {', '.join(others)} and runs with another specification: {found}: "
            f"give it the same one, stop {' and '.join(others)} first, or set shared: false"
        )


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


def _seen(before: ReplicaResult, after: ReplicaResult) -> ReplicaResult:
    """What became of a replica that was started, and then waited for."""
    status = after.status if after.error else before.status
    return replace(after, status=status, diff=before.diff, image_id=after.image_id or before.image_id)
