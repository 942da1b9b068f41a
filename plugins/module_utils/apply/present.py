# SPDX-License-Identifier: GPL-3.0-or-later
"""Bring one host to its share: observe it, decide what to do, and do it. Check mode ends before the last step."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Callable, Optional

from ansible_collections.retail.profiles.plugins.module_utils.apply.operations import (
    Operation,
    ReplicaResult,
    Report,
    report,
)
from ansible_collections.retail.profiles.plugins.module_utils.apply.reconcile import (
    IMAGES_AT_ONCE,
    Images,
    Inspect,
    Picture,
    Seen,
    decide,
    first_of_each_image,
    image_id,
    joined,
    made_from,
    missing_image,
    network_request,
    observe,
    owns,
    pulls,
    side_by_side,
    usable,
    volumes_of,
)
from ansible_collections.retail.profiles.plugins.module_utils.apply.removal import (
    release_network,
    remove_container,
    remove_path,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import (
    COLLECTION,
    COLLECTION_LABEL,
    DEPLOYMENT_LABEL,
    is_secret_file,
)
from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import (
    Difference,
    dropped,
    endpoint,
    later_networks,
    update_request,
)
from ansible_collections.retail.profiles.plugins.module_utils.deployment import files
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import MustEnd
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, ReplicaTask
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import (
    Made,
    Record,
    StateDir,
    planned,
    shared_by,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, listed
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import container_address
from ansible_collections.retail.profiles.plugins.module_utils.readiness.waiter import Waiter

#: waiting costs a thread but no work, so all replicas of a host may wait at once
_MAX_THREADS = 256


def foresee(order: Order, engine: Engine) -> tuple[Picture, list[Operation]]:
    """All that is to be done, as far as can be told before images are pulled. Check mode is this list."""
    picture = observe(order, engine)
    return picture, [*pulls(order.share.replicas, picture.images), *decide(picture)]


def carry_out(picture: Picture, engine: Engine) -> Report:
    """Do it: first what replicas need; then, but for the state ``prepared``, every replica, running and ready."""
    work = Performer(picture, engine)
    work.begin()
    images, pulled = pull(pulls(picture.order.share.replicas, picture.images), picture.images, engine)
    work.picture = replace(picture, images=images)
    operations = decide(work.picture)
    work.prepare(operations)
    if picture.order.state == "prepared":
        unreached = reached(picture.order, engine)
        return report([*pulled, *operations], unreached, _image_problems(work.picture), work.warnings)
    results = work.replicas(operations)
    swept = work.sweep()
    return report([*pulled, *operations, *swept], results, warnings=work.warnings)


def told(picture: Picture, operations: Sequence[Operation]) -> Report:
    """The report of what is not done."""
    todo = {one.name: one for one in operations if one.kind == "container" and one.verb != "remove"}
    results = tuple(expected(todo[seen.task.name], seen, picture.images) for seen in picture.replicas)
    problems = _image_problems(picture) if picture.order.state == "prepared" else ()
    return report(operations, results, problems)


def reached(order: Order, engine: Engine) -> tuple[ReplicaResult, ...]:
    """The replicas that do not reach what they depend on."""
    waiter = Waiter(engine)

    def look(task: ReplicaTask) -> ReplicaResult:
        reach(waiter, task)
        return ReplicaResult(task.name, "unchanged")

    return tuple(result for result in each(order.share.replicas, look) if result.error)


def ready(order: Order, engine: Engine) -> Report:
    """Only wait until the replicas of the share are ready."""
    usable(order)
    waiter = Waiter(engine)

    def wait(task: ReplicaTask) -> ReplicaResult:
        inspect = engine.inspect(task.name)
        if inspect is None:
            raise ProfileError("there is no such container on this host")
        return until_ready(waiter, task, ReplicaResult(task.name, "unchanged", str(inspect["Id"])), inspect)[0]

    return report((), each(order.share.replicas, wait))


def _image_problems(picture: Picture) -> tuple[Mapping[str, Optional[str]], ...]:
    errors = picture.images.errors
    return tuple(
        {"container": task.container, "field": "image", "message": errors[task.image]}
        for task in first_of_each_image(picture.order.share.replicas)
        if task.image in errors
    )


def converged(order: Order, engine: Engine) -> bool:
    """Whether applying the share, taken for the whole of the host, would change nothing and wait for nothing.

    Where that takes more than a look (shared replicas, secrets, images that are always pulled), the answer is no.
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
        picture, operations = foresee(replace(order, expected=names), engine)
        return all(one.verb == "keep" for one in operations) and all(_ready(seen, engine) for seen in picture.replicas)
    except ProfileError:
        return False  # the call that applies it tells what is wrong


def _takes_more(task: ReplicaTask) -> bool:
    return task.pull == "always" or bool(secret_env.names(task.values.get("labels")))


def _ready(seen: Seen, engine: Engine) -> bool:
    inspect = seen.inspect
    return inspect is None or all(Waiter(engine).once(probe, inspect) is None for probe in seen.task.ready)


# -- perform


class Performer:
    """Does operations that were decided from *picture*."""

    def __init__(self, picture: Picture, engine: Engine) -> None:
        self.picture = picture
        self.order = picture.order
        self.engine = engine
        self.waiter = Waiter(engine)
        self.state = StateDir(self.order.state_dir)
        self.record = planned(picture.record, self.order)
        self.slots = threading.BoundedSemaphore(self.order.concurrency)
        self.made: dict[str, Made] = {}
        self.warnings: list[str] = []
        self._saved = picture.record

    def begin(self) -> None:
        """Write the record, before anything is made. Raises MissingFiles where a file did not come along."""
        missing = [item for item in self.picture.stale if item.dest not in self.order.archives]
        if missing:
            raise files.MissingFiles(missing)
        self._save(self.record)
        for dest, seal in self.picture.unsealed.items():
            files.seal(dest, seal)

    def _save(self, record: Record) -> None:
        """Make *record* the record of the deployment, written only where it says something new."""
        self.record = record
        if record != self._saved:
            self.state.save(record)
            self._saved = record

    # -- what replicas need

    def prepare(self, operations: Iterable[Operation]) -> None:
        """Make networks, files and volumes; orphans go. Raises ProfileError: what follows needs all of it."""
        found = list(operations)
        for one in found:
            if one.kind == "network":
                self._network(one)
        files.install(self.picture.stale, self.order.archives, self.state, self.order.name)
        for one in found:
            if one.kind == "volume":
                self._volume(one.name)
        self._remove([one.name for one in found if (one.verb, one.kind) == ("remove", "container")])

    def _network(self, one: Operation) -> None:
        network = next(item for item in self.order.share.networks if item["name"] == one.name)
        if one.verb == "recreate":
            release_network(self.engine, one.name, lambda item: owns(self.picture, item))
            self.engine.remove_network(self.picture.networks[one.name]["Id"])
        self.engine.create_network(network_request(network))

    def _volume(self, name: str) -> None:
        options = volumes_of(self.order)[name]
        labels = {COLLECTION_LABEL: COLLECTION, DEPLOYMENT_LABEL: self.order.name}
        self.engine.create_volume({"Name": name, **options, "Labels": {**options.get("Labels", {}), **labels}})

    def _remove(self, names: Sequence[str]) -> None:
        def remove(name: str) -> None:
            item = self.picture.containers[name]
            remove_container(self.engine, item.id, item.state)

        side_by_side(remove, names, self.order.concurrency)
        kept = {name: made for name, made in self.record.replicas.items() if name not in names}
        self._save(replace(self.record, replicas=kept))

    # -- replicas

    def replicas(self, operations: Iterable[Operation]) -> tuple[ReplicaResult, ...]:
        """Every replica, running and ready; none is left out because another fails."""
        todo = {one.name: one for one in operations if one.kind == "container" and one.verb != "remove"}
        seen = {item.task.name: item for item in self.picture.replicas}
        work = each(self.order.share.replicas, lambda task: self._bring_up(todo[task.name], seen[task.name]))
        results = self._still_there(work)
        self._save(replace(self.record, replicas={**self.record.replicas, **self.made}))
        self.warnings += [
            f"{name}: this engine does not take over {option}; it has {current!r}"
            for name, made in sorted(self.made.items())
            for option, current in made.dropped.items()
        ]
        return results

    def _bring_up(self, one: Operation, seen: Seen) -> ReplicaResult:
        result = expected(one, seen, self.picture.images)
        if result.error is not None:
            return result
        if one.verb == "keep":
            return self._until_ready(seen.task, result, seen.inspect)
        reach(self.waiter, seen.task)
        try:
            with self.slots:
                one, identity = self._do(one, seen)
        except MustEnd:
            raise
        except ProfileError as error:
            return replace(result, status="failed", error=f"{seen.task.name}: {error}")
        if one.verb not in ("start", "unpause"):
            key = self.state.secret_key(self.order.name, make=True) if seen.task.secrets else b""
            hashed = made_from(self.picture.images, seen, key)
            self.made[one.name] = replace(self.record.replicas[one.name], id=identity, request=hashed, dropped={})
        return self._until_ready(seen.task, replace(result, status=one.status, id=identity))

    def _do(self, one: Operation, seen: Seen) -> tuple[Operation, str]:
        """Do it; what was done after all, and the container's id."""
        identity = str(seen.inspect["Id"]) if seen.inspect is not None else ""
        if one.verb == "update":
            try:
                self.engine.update(identity, update_request(seen.values))
            except EngineError as error:
                if error.status in (0, 400):
                    raise  # no answer; or limits that no container could have
                one = replace(one, verb="recreate")
                self.warnings.append(f"{one.name}: made anew, as the engine does not update it: {error.message}")
        if one.verb == "recreate":
            remove_container(self.engine, identity)
        if one.verb in ("update", "start", "unpause"):
            self._run(identity, (seen.inspect or {}).get("State") or {})
        else:
            identity = self._create(seen)
            self.engine.start(identity)
        return one, identity

    def _run(self, identity: str, state: Mapping[str, Any]) -> None:
        if state.get("Paused"):
            self.engine.unpause(identity)
        elif not (state.get("Running") or state.get("Restarting")):
            self.engine.start(identity)

    def _create(self, seen: Seen) -> str:
        for option, name in joined(seen.values):
            if self.engine.inspect(name) is None:
                raise ProfileError(f"there is no container {name} on this host", field=option)
        try:
            identity = self.engine.create(seen.task.name, with_secrets(seen.request, seen.task.secrets))
        except EngineError as error:
            if error.status == 409:
                raise ProfileError(f"a container of that name has just appeared: {error.message}") from None
            raise
        self.engine.put(identity, {path: text for path, text in seen.task.secrets.items() if is_secret_file(path)})
        for network in later_networks(seen.values, self.engine.api_version):
            self.engine.connect(identity, network["name"], endpoint(network))
        return identity

    def _until_ready(
        self, task: ReplicaTask, result: ReplicaResult, inspect: Optional[Inspect] = None
    ) -> ReplicaResult:
        result, inspect = until_ready(self.waiter, task, result, inspect)
        if inspect is not None and task.name in self.made:
            self.made[task.name] = replace(self.made[task.name], dropped=dropped(task.values, inspect))
        return result

    def _still_there(self, results: tuple[ReplicaResult, ...]) -> tuple[ReplicaResult, ...]:
        """*results*, but for containers that nothing was asked of, and that have ended badly by now."""
        unasked = {item.name for item in results if item.changed and item.ready is None and item.error is None}
        if not unasked:
            return results
        running = {item.name for item in listed(self.engine.containers()).values() if item.state == "running"}
        why = {name: self.waiter.ended(name) for name in unasked - running}
        return tuple(
            replace(item, status="not_ready", error=f"{item.name}: {why[item.name]}") if why.get(item.name) else item
            for item in results
        )

    def sweep(self) -> list[Operation]:
        """Remove files of the deployment that neither this share nor any container on the host uses."""
        home = self.state.files(self.order.name)
        kept = [item.dest for item in self.order.share.files]
        if not files.unused(home, kept, ()):
            return []
        mounted = [mount["Source"] for item in self.engine.containers() for mount in item.get("Mounts") or ()]
        swept = []
        for name in files.unused(home, kept, (source for source in mounted if source.startswith(home + "/"))):
            remains = remove_path(os.path.join(home, name))
            if remains:
                self.warnings.append(f"a file that is not used any more cannot be removed: {remains}")
            elif not name.startswith(".") and not name.endswith(files.SEAL):
                unused = Difference(f"file {name}", "not used any more", None)
                swept.append(Operation("remove", "file", name, (unused,)))
        left = [dest for dest in self.record.files if os.path.lexists(dest)]
        self._save(replace(self.record, files=tuple(left)))
        return swept


def pull(operations: Sequence[Operation], images: Images, engine: Engine) -> tuple[Images, list[Operation]]:
    """Pull images: those that there are then, and what it changed."""
    found, errors = {**images.found}, {**images.errors}

    def one_image(one: Operation) -> Operation:
        before = images.found.get(one.name)
        try:
            engine.pull(one.name)
            after = engine.image(one.name)
            if after is None:
                raise EngineError("it was pulled, and is gone again")
        except EngineError as error:
            errors[one.name] = missing_image(one.name, error.message)
            return replace(one, differences=())
        found[one.name] = after
        news = Difference(f"image {one.name}", before and before["Id"], after["Id"])
        return replace(one, differences=() if news.current == news.desired else (news,))

    done = side_by_side(one_image, operations, IMAGES_AT_ONCE)
    return Images(found, errors), done


def each(tasks: Sequence[ReplicaTask], work: Callable[[ReplicaTask], ReplicaResult]) -> tuple[ReplicaResult, ...]:
    """*work* for every replica at once; a failure becomes the result of its replica."""

    def guarded(task: ReplicaTask) -> ReplicaResult:
        try:
            return work(task)
        except MustEnd:
            raise
        except ProfileError as error:
            return ReplicaResult(task.name, "failed", error=f"{task.name}: {error}")

    return tuple(side_by_side(guarded, tasks, _MAX_THREADS))


def expected(one: Operation, seen: Seen, images: Images) -> ReplicaResult:
    """What is to become of a replica."""
    if one.verb == "refuse":
        return ReplicaResult(one.name, one.status, error=f"{one.name}: {one.reason}")
    identity = str(seen.inspect["Id"]) if seen.inspect is not None and one.verb != "recreate" else None
    return ReplicaResult(one.name, one.status, identity, image_id(images, seen.task), diff=one.differences)


def with_secrets(request: Mapping[str, Any], secrets: Mapping[str, str]) -> Mapping[str, Any]:
    """The create request with secrets in its environment."""
    own = [f"{name}={value}" for name, value in secrets.items() if not is_secret_file(name)]
    return {**request, "Env": [*request.get("Env", ()), *own]} if own else request


# -- waits


def reach(waiter: Waiter, task: ReplicaTask) -> None:
    """Wait until what a replica depends on is reached from this host."""
    for probe in task.reach:
        try:
            waiter.wait(probe)
        except MustEnd:
            raise
        except ProfileError as error:
            raise ProfileError(f"not started, as this host does not reach what it depends on: {error}") from None


def until_ready(
    waiter: Waiter, task: ReplicaTask, result: ReplicaResult, inspect: Optional[Inspect]
) -> tuple[ReplicaResult, Optional[Inspect]]:
    """*result* once a replica is ready, and its container. *inspect*: where nothing was done to it, that."""
    started, error = time.monotonic(), None
    try:
        for probe in task.ready:
            waiter.wait(probe, task.name)
    except MustEnd:
        raise
    except ProfileError as failure:
        error = f"{task.name}: {failure}"
    after = round(time.monotonic() - started, 3)
    if task.ready or inspect is None:
        inspect = waiter.engine.inspect(result.id or task.name)
    if inspect is not None:
        state = inspect.get("State") or {}
        result = replace(
            result,
            id=inspect["Id"],
            image_id=inspect.get("Image"),
            started_at=state.get("StartedAt"),
            exit_code=None if state.get("Running") else state.get("ExitCode"),
            address=container_address(inspect),
        )
    if error is not None:
        return replace(result, status="not_ready", ready=False, error=error), inspect
    return (replace(result, ready=True, ready_after=after) if task.ready else result), inspect
