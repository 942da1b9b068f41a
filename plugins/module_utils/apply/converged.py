# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""Whether a host already is as it should be, so that it need not be called again. Reads only."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.retail.profiles.plugins.module_utils.apply.replicas import Applier
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, ReplicaTask
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import StateDir, planned, shared_by
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine
from ansible_collections.retail.profiles.plugins.module_utils.readiness.waiter import Waiter


def converged(order: Order, engine: Engine) -> bool:
    """Whether applying all of the order's share would change nothing and wait for nothing.

    The share is taken for the whole of the host. Where it takes more than a look, the answer is no: with shared
    replicas, with secrets (their values are not known here), and with images that are always pulled.
    """
    share, state = order.share, StateDir(order.state_dir)
    names = frozenset(task.name for task in share.replicas)
    if share.shared or not names or any(map(_takes_more, share.replicas)):
        return False
    try:
        record = state.load(order.name)
        if record is None or set(record.replicas) != names or planned(record, order) != record:
            return False
        if set(record.files) != {item.dest for item in share.files} or shared_by(state, order.name):
            return False
        report = Applier(replace(order, check=True, expected=names), engine).present()
        return not (report.failed or report.changed) and all(_ready(task, engine) for task in share.replicas)
    except ProfileError:
        return False  # the call that applies it tells what is wrong


def _takes_more(task: ReplicaTask) -> bool:
    return task.pull == "always" or bool(secret_env.names(task.values.get("labels")))


def _ready(task: ReplicaTask, engine: Engine) -> bool:
    """Whether each probe of a replica is satisfied now; each is asked once."""
    inspect = engine.inspect(task.name) if task.ready else None
    return inspect is None or all(Waiter(engine).once(probe, inspect) is None for probe in task.ready)
