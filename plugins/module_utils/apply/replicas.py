# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""Bring one host to its share: prepare it, then every replica, made, made again or started, and ready.

:func:`decide` is pure and says what to do with one replica; :class:`Applier` does it, for all replicas of the share,
with bounded concurrency. One replica that fails does not keep the others from being finished.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.apply.preparation import Ground, first_of_each_image
from ansible_collections.retail.profiles.plugins.module_utils.apply.removal import remove_container
from ansible_collections.retail.profiles.plugins.module_utils.apply.report import Outcome, Report
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import digest
from ansible_collections.retail.profiles.plugins.module_utils.container.create_request import (
    create_request,
    endpoint,
    later_networks,
)
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import Difference, differences, dropped
from ansible_collections.retail.profiles.plugins.module_utils.container.secret_env import differing
from ansible_collections.retail.profiles.plugins.module_utils.container.secret_env import digest as secrets_digest
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import MustEnd
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, ReplicaTask
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import Made, owns_container
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, listed
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import Probe, container_address
from ansible_collections.retail.profiles.plugins.module_utils.readiness.waiter import Waiter

CREATE, RECREATE, START, UNPAUSE, KEEP, FOREIGN = "create", "recreate", "start", "unpause", "keep", "foreign"
_STATUS = {CREATE: "created", RECREATE: "recreated", START: "started", UNPAUSE: "started", KEEP: "unchanged"}
#: waiting costs a thread but no work, so all replicas of a host may wait at once
_MAX_THREADS = 256


def decide(found: Sequence[Difference], inspect: Optional[Mapping[str, Any]], ours: bool) -> str:
    """What to do with one replica: *found* differs, *inspect* is the container of its name (None: there is none)."""
    if inspect is None:
        return CREATE
    if not ours:
        return FOREIGN
    state = inspect.get("State") or {}
    if found or state.get("Dead") or state.get("Status") in ("removing", "dead"):
        return RECREATE
    if state.get("Paused"):
        return UNPAUSE
    # a container that its restart policy is just bringing back counts as running: starting it would be refused
    return KEEP if state.get("Running") or state.get("Restarting") else START


def request_hash(request: Mapping[str, Any], image_id: Optional[str], secrets: str = "") -> str:
    """What a container was made from: its create request without secrets, its image, and the digest of its secrets."""
    made_from = [request, image_id, secrets] if secrets else [request, image_id]
    return digest(made_from)


def with_secrets(request: Mapping[str, Any], secrets: Mapping[str, str]) -> Mapping[str, Any]:
    """The create request with secrets in its environment."""
    if not secrets:
        return request
    return {**request, "Env": [*request.get("Env", ()), *(f"{name}={value}" for name, value in secrets.items())]}


def mounts_any(values: Mapping[str, Any], paths: Iterable[str]) -> list[str]:
    """Those of *paths* (shipped files) that a task mounts."""
    sources = {item.partition(":")[0] for item in values.get("volumes") or ()}
    sources |= {mount.get("Source") for mount in values.get("mounts") or ()}
    return sorted(sources & set(paths))


class Applier:
    """One call of profile_apply on one host and deployment."""

    def __init__(self, order: Order, engine: Engine, waiter: Optional[Waiter] = None) -> None:
        self.order = order
        self.engine = engine
        self.waiter = waiter or Waiter(engine)
        self.ground = Ground(order, engine)
        self.slots = threading.BoundedSemaphore(order.concurrency)
        self.made: dict[str, Made] = {}

    # -- the states

    def prepare(self) -> Report:
        """Record, networks, files, images, volumes; orphans go. No container of the share is made."""
        self.ground.prepare()
        return self._prepared()

    def _prepared(self) -> Report:
        errors = self.ground.image_errors
        problems = tuple(
            {"container": task.container, "field": "image", "message": errors[task.image]}
            for task in first_of_each_image(self.order.share.replicas)
            if task.image in errors
        )
        return Report(
            changed=self.ground.changed,
            removed=tuple(self.ground.removed),
            problems=problems,
            diff=tuple(self.ground.found),
            pulled=tuple(self.ground.pulled),
            warnings=tuple(self.ground.warnings),
        )

    def prepared(self) -> Report:
        """All of :meth:`prepare`; and what the replicas depend on is reached, so that another may start them."""
        report = self.prepare()
        return report if self.order.check else replace(report, replicas=self.reached().replicas)

    def reached(self) -> Report:
        """Only see that what the replicas depend on is reached: those of which it is not."""
        return Report(replicas=tuple(outcome for outcome in self._each(self._reach_only) if outcome.error))

    def present(self) -> Report:
        """All of :meth:`prepare`, then every replica of the share, running and ready."""
        self.prepare()
        outcomes = self._each(self._bring_up)
        if not self.order.check:
            outcomes = self._still_there(outcomes)
        if self.made:
            self.ground.save(replace(self.ground.record, replicas={**self.ground.record.replicas, **self.made}))
        self.ground.sweep_files()
        prepared = self._prepared()
        return replace(
            prepared,
            problems=(),  # an image that is missing is told with each of its replicas
            replicas=outcomes,
            changed=prepared.changed or any(outcome.changed for outcome in outcomes),
            warnings=prepared.warnings
            + tuple(
                f"{name}: this engine does not take over {option}; it has {current!r}"
                for name, made in sorted(self.made.items())
                for option, current in made.dropped.items()
            ),
        )

    def ready(self) -> Report:
        """Only wait until the replicas of the share are ready."""
        return Report(replicas=self._each(self._wait_only))

    def _each(self, work: Callable[[ReplicaTask], Outcome]) -> tuple[Outcome, ...]:
        """*work* for every replica of the share, each in its thread; none is left out because another fails."""
        tasks = self.order.share.replicas
        if not tasks:
            return ()
        with ThreadPoolExecutor(max_workers=min(len(tasks), _MAX_THREADS)) as pool:
            return tuple(pool.map(lambda task: self._guarded(work, task), tasks))

    def _guarded(self, work: Callable[[ReplicaTask], Outcome], task: ReplicaTask) -> Outcome:
        try:
            return work(task)
        except MustEnd:
            raise
        except ProfileError as error:
            return Outcome(task.name, "failed", error=f"{task.name}: {error}")

    def _still_there(self, outcomes: tuple[Outcome, ...]) -> tuple[Outcome, ...]:
        """*outcomes*, but for containers that were started, are waited for by no probe, and have ended badly by now."""
        unasked = {item.name for item in outcomes if item.changed and item.ready is None and item.error is None}
        if not unasked:
            return outcomes
        running = {item.name for item in listed(self.engine.containers()).values() if item.state == "running"}
        why = {name: self.waiter.ended(name) for name in unasked - running}
        return tuple(
            replace(item, status="not_ready", error=f"{item.name}: {why[item.name]}") if why.get(item.name) else item
            for item in outcomes
        )

    # -- one replica

    def _bring_up(self, task: ReplicaTask) -> Outcome:
        if task.image in self.ground.image_errors:
            raise ProfileError(self.ground.image_errors[task.image])
        image = self.ground.images.get(task.image)
        image_id = str(image["Id"]) if image is not None else None
        values = self._resolved(task.values)
        request = create_request(values, self.engine.api_version)
        made_from = request_hash(request, image_id, self._digest(task.secrets))
        with self.slots:
            inspect, found = self._look(task, values, image, made_from)
        action = decide(found, inspect, inspect is not None and self._ours(inspect))
        if action == FOREIGN:
            raise ProfileError(
                "a container of that name is on the host and is not ours: remove or rename it, or rename the deployment"
            )
        identity = inspect["Id"] if inspect is not None and action != RECREATE else None
        outcome = Outcome(task.name, _STATUS[action], identity, image_id, diff=tuple(found))
        if self.order.check:
            return outcome
        if action == KEEP:
            return self._await(task, outcome, inspect)
        for probe in task.reach:
            self._reach(probe)
        try:
            with self.slots:
                identity = self._perform(action, task, values, request, inspect)
        except MustEnd:
            raise
        except ProfileError as error:
            return replace(outcome, status="failed", error=f"{task.name}: {error}")
        if action != START:
            planned = self.ground.record.replicas[task.name]
            self.made[task.name] = replace(planned, id=identity, request=made_from, dropped={})
        return self._await(task, replace(outcome, id=identity))

    def _look(
        self, task: ReplicaTask, values: Mapping[str, Any], image: Optional[Mapping[str, Any]], made_from: str
    ) -> tuple[Optional[dict[str, Any]], list[Difference]]:
        """The container of a replica as it is, and what differs."""
        made = (self.ground.old.replicas if self.ground.old else {}).get(task.name, Made())
        item = self.ground.containers.get(task.name)
        if item is None and made.id is not None:
            # renamed by hand: still ours by its id
            item = next((other for other in self.ground.containers.values() if other.id == made.id), None)
        inspect = self.engine.inspect(item.id) if item is not None else None
        if inspect is None:
            return None, []
        if image is None:
            return inspect, [Difference("image_id", inspect.get("Image"), f"{task.image}, to be pulled")]
        known = bool(made.request) and made.id == inspect["Id"] and made.request == made_from
        found = differences(values, inspect, image, self.ground.network_ids, name=task.name, live_only=known)
        found += [Difference(f"secret_env.{item[0]}", *item[1:]) for item in differing(task.secrets, inspect)]
        if known:
            found = [item for item in found if made.dropped.get(item.field, item) != item.current]
        for path in mounts_any(values, self.ground.rewritten):
            found.append(Difference(f"file {path}", "changed", "as shipped"))
        return inspect, found

    def _digest(self, secrets: Mapping[str, str]) -> str:
        """What the record may hold of secrets."""
        return secrets_digest(secrets, self.ground.secret_key) if secrets else ""

    def _resolved(self, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Modes that name a container, by its id, as the engine keeps them."""
        changes = {}
        for option in ("network_mode", "ipc_mode", "pid_mode"):
            kind, colon, name = str(values.get(option) or "").partition(":")
            if kind == "container" and colon:
                other = self.engine.inspect(name)
                if other is not None:
                    changes[option] = f"container:{other['Id']}"
                elif not self.order.check:
                    raise ProfileError(f"there is no container {name} on this host", field=option)
        return {**values, **changes} if changes else values

    def _ours(self, inspect: Mapping[str, Any]) -> bool:
        labels = (inspect.get("Config") or {}).get("Labels")
        name = inspect["Name"].lstrip("/")
        return owns_container(self.ground.old, self.ground.deployment, name, inspect["Id"], labels)

    def _reach_only(self, task: ReplicaTask) -> Outcome:
        for probe in task.reach:
            self._reach(probe)
        return Outcome(task.name, "unchanged")

    def _reach(self, probe: Probe) -> None:
        try:
            self.waiter.wait(probe)
        except MustEnd:
            raise
        except ProfileError as error:
            raise ProfileError(f"not started, as this host does not reach what it depends on: {error}") from None

    def _perform(
        self,
        action: str,
        task: ReplicaTask,
        values: Mapping[str, Any],
        request: Mapping[str, Any],
        inspect: Optional[Mapping[str, Any]],
    ) -> str:
        """Do what was decided; the container's id."""
        identity = str(inspect["Id"]) if inspect is not None else ""
        if action == UNPAUSE:
            self.engine.unpause(identity)
            return identity
        if action == RECREATE:
            remove_container(self.engine, identity)
        if action != START:
            identity = self._create(task, values, request)
        self.engine.start(identity)
        return identity

    def _create(self, task: ReplicaTask, values: Mapping[str, Any], request: Mapping[str, Any]) -> str:
        try:
            identity = self.engine.create(task.name, with_secrets(request, task.secrets))
        except EngineError as error:
            if error.status == 409:
                raise ProfileError(f"a container of that name has just appeared: {error.message}") from None
            raise
        for network in later_networks(values, self.engine.api_version):
            self.engine.connect(identity, network["name"], endpoint(network))
        return identity

    # -- readiness

    def _await(self, task: ReplicaTask, outcome: Outcome, inspect: Optional[Mapping[str, Any]] = None) -> Outcome:
        """Wait until the replica is ready. *inspect* is given where nothing was done to the container."""
        started, error = time.monotonic(), None
        try:
            for probe in task.ready:
                self.waiter.wait(probe, task.name)
        except MustEnd:
            raise
        except ProfileError as failure:
            error = f"{task.name}: {failure}"
        after = round(time.monotonic() - started, 3)
        if task.ready or inspect is None:
            inspect = self.engine.inspect(outcome.id or task.name)
        outcome = _described(outcome, inspect)
        if inspect is not None and task.name in self.made:
            self.made[task.name] = replace(self.made[task.name], dropped=dropped(task.values, inspect))
        if error is not None:
            return replace(outcome, status="not_ready", ready=False, error=error)
        return replace(outcome, ready=True, ready_after=after) if task.ready else outcome

    def _wait_only(self, task: ReplicaTask) -> Outcome:
        inspect = self.engine.inspect(task.name)
        if inspect is None:
            raise ProfileError("there is no such container on this host")
        return self._await(task, Outcome(task.name, "unchanged", str(inspect["Id"])), inspect)


def _described(outcome: Outcome, inspect: Optional[Mapping[str, Any]]) -> Outcome:
    """*outcome* with what the container itself says."""
    if inspect is None:
        return outcome
    state = inspect.get("State") or {}
    return replace(
        outcome,
        id=inspect["Id"],
        image_id=inspect.get("Image"),
        started_at=state.get("StartedAt"),
        exit_code=None if state.get("Running") else state.get("ExitCode"),
        address=container_address(inspect),
    )
