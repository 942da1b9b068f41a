# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a deployment off a host: the sampler, containers, networks, volumes, files, and last its record."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Callable, Optional

from ansible_collections.retail.profiles.plugins.module_utils.apply.operations import Kind, Operation
from ansible_collections.retail.profiles.plugins.module_utils.apply.reconcile import side_by_side
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import (
    COLLECTION,
    COLLECTION_LABEL,
    DEPLOYMENT_LABEL,
    NAME,
    is_shared,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.processes import stop
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import (
    DiskFull,
    Held,
    Leases,
    MustEnd,
    by_hand,
    working,
)
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import (
    Record,
    StateDir,
    all_members,
    alone_with,
    labelled,
    members,
    owns_container,
    owns_thing,
    save_members,
    shared_by,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, Listed, listed

#: seconds that a sampler gets to write what it still has
SAMPLER_GRACE = 5.0
#: images that are tried for one that can run rm
_IMAGES_TO_TRY = 8


def remove_container(engine: Engine, identity: str, state: str = "running") -> None:
    """Stop a container as it wishes to be stopped, and remove it with its anonymous volumes.

    *state* is what the engine's list says; a container that does not run after all is no error.
    """
    if state == "paused":
        engine.unpause(identity)  # a paused process does not hear the signal
    if state in ("running", "paused", "restarting"):
        engine.stop(identity)
    engine.remove(identity)


def release_network(engine: Engine, name: str, ours: Callable[[Listed], bool]) -> None:
    """Disconnect what keeps network *name* from being removed: containers of ours, and ends of containers long gone.

    Raises ProfileError that names the containers on it that are not ours.
    """
    ends = (engine.network(name) or {}).get("Containers") or {}
    if not ends:
        return
    containers = {item.id: item for item in listed(engine.containers()).values()}
    foreign = sorted(
        containers[identity].name for identity in ends if identity in containers and not ours(containers[identity])
    )
    if foreign:
        raise ProfileError(
            f"containers that are not ours are connected to it: {', '.join(foreign)}: "
            "disconnect them, and run this again",
            field=f"network {name}",
        )
    for end in ends.values():
        engine.disconnect(end["Name"], name)  # by name: the engine no longer knows the id of a container that is gone


@dataclass
class Remover:
    """What this host has of one deployment, and its removal."""

    order: Order
    engine: Engine
    deployment: str
    record: Optional[Record]
    containers: Mapping[str, Listed]
    networks: Sequence[Mapping[str, Any]]
    volumes: Sequence[str]
    runs: Sequence[str]
    #: what cannot be removed
    errors: list[str] = field(default_factory=list)

    @property
    def state(self) -> StateDir:
        return StateDir(self.order.state_dir)

    def owns(self, item: Listed) -> bool:
        return owns_container(self.record, self.deployment, item.name, item.id, item.labels)

    def decide(self) -> list[Operation]:
        """All that takes it off, in the order in which it is done."""
        record, name = self.record, self.deployment
        labels = {COLLECTION_LABEL: COLLECTION, DEPLOYMENT_LABEL: name}
        networks, volumes = (record.networks, record.volumes) if record is not None else (None, None)
        found: dict[Kind, list[str]] = {
            "sampler": list(self.runs),
            "container": [item.name for item in self.containers.values() if self.owns(item)],
            "network": [
                item["Name"] for item in self.networks if owns_thing(networks, name, item["Name"], item.get("Labels"))
            ],
            "volume": [volume for volume in self.volumes if owns_thing(volumes, name, volume, labels)],
            "files": [place] if os.path.isdir(place := self.state.deployment(name)) else [],
        }
        return [Operation("remove", kind, item, reason=f"is of {name}") for kind in found for item in found[kind]]

    def perform(self) -> list[str]:
        """Do it, one kind after the other; what was removed."""
        removed: list[str] = []
        for kind, some in groupby(self.decide(), lambda one: one.kind):
            if kind == "files" and self.errors:
                break  # the record must stay: it knows what is still to be removed
            for one, error in side_by_side(self._remove, list(some), self.order.concurrency):
                if error:
                    self.errors.append(f"{self.deployment}: cannot remove {error}")
                if not error or kind not in ("sampler", "files"):
                    removed.append(said(one))
        return removed

    def _remove(self, one: Operation) -> tuple[Operation, Optional[str]]:
        """Do one; what kept it from being done."""
        place = one.name
        try:
            if one.kind == "sampler":
                place = self.state.run(one.name)
                end_run(place)
            elif one.kind == "container":
                item = self.containers[one.name]
                place = item.id
                remove_container(self.engine, item.id, item.state)
            elif one.kind == "network":
                self._remove_network(one.name)
            elif one.kind == "volume":
                self.engine.remove_volume(one.name)
            else:
                place = self.state.files(self.deployment)
                self._remove_files(place)
        except MustEnd:
            raise
        except (OSError, ProfileError) as error:
            return one, f"{place}: {error}"
        return one, None

    def _remove_network(self, name: str) -> None:
        try:
            self.engine.remove_network(name)
        except EngineError:
            release_network(self.engine, name, self.owns)
            self.engine.remove_network(name)

    # -- files

    def _remove_files(self, files: str) -> None:
        remains = remove_tree(files)
        if remains:
            images = [item.image for item in self.containers.values() if self.owns(item)]
            remains = self._remove_as_root(files, images) or remains
        if os.path.isdir(files):
            raise ProfileError(str(remains))
        self.state.forget(self.deployment)
        remove_tree(self.state.deployment(self.deployment))

    def _remove_as_root(self, folder: str, images: list[str]) -> Optional[str]:
        """Remove what a container left as root, by a container: this user may only use the engine."""
        error: Optional[str] = None
        others = [tag for image in self.engine.images() for tag in image.get("RepoTags") or ()]
        for image in list(dict.fromkeys([*images, *others]))[:_IMAGES_TO_TRY]:
            request = {
                "Image": image,
                "Entrypoint": ["rm"],
                "Cmd": ["-rf", "--", f"/in/{os.path.basename(folder)}"],
                "User": "0:0",
                "Labels": {COLLECTION_LABEL: COLLECTION},
                "HostConfig": {"Binds": [f"{os.path.dirname(folder)}:/in:rw"], "NetworkMode": "none"},
            }
            name = f"{self.deployment}-remove-files-{os.getpid()}"
            try:
                identity = self.engine.create(name, request)
            except EngineError as failure:
                error = str(failure)
                continue
            try:
                self.engine.start(identity)
                self.engine.wait(identity)
            except EngineError as failure:
                error = str(failure)
            finally:
                self.engine.remove(identity)
            if not os.path.isdir(folder):
                return None
        return error


def remove_tree(path: str) -> Optional[str]:
    """Remove a folder; what is in the way, in words, or None."""
    return remove_path(path) if os.path.isdir(path) else None


def remove_path(path: str) -> Optional[str]:
    """Remove a file or a folder; what is in the way, in words, or None."""
    try:
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    return None


def deployments_on(state: StateDir, containers: Mapping[str, Listed], networks: list[dict[str, Any]]) -> list[str]:
    """Every deployment of which something is on this host, also where its record is lost."""
    found = {*state.deployments(), *Leases(state.root).names()}
    for labels in [*(item.labels for item in containers.values()), *(item.get("Labels") for item in networks)]:
        name = (labels or {}).get(DEPLOYMENT_LABEL)
        if name and labelled(labels, name) and NAME.match(name):  # a label may be anybody's: no "../"
            found.add(name)
    return sorted(found)


def observe(order: Order, engine: Engine, deployment: str) -> Remover:
    """Look at what there is of *deployment*."""
    record = StateDir(order.state_dir).load(deployment)
    return Remover(
        order,
        engine,
        deployment,
        record,
        listed(engine.containers()),
        engine.networks(),
        [] if record and not record.volumes else engine.volume_names(f"{DEPLOYMENT_LABEL}={deployment}"),
        run_ids(order, record, deployment),
    )


def run_ids(order: Order, record: Optional[Record], deployment: str) -> list[str]:
    """Runs of a deployment on this host: the record's, the order's, and those named after it."""
    pattern = re.compile(re.escape(deployment) + r"-[0-9]{8}T?[0-9]*Z?-[0-9a-f]{8}")
    known = {*(record.runs if record is not None else ()), order.run_id}
    return [run_id for run_id in StateDir(order.state_dir).run_ids() if run_id in known or pattern.fullmatch(run_id)]


def said(one: Operation) -> str:
    """What is removed, as the module answers it."""
    return one.name if one.kind == "container" else f"{one.kind} {one.name}"


def end_run(folder: str) -> None:
    """Stop the sampler of a run and remove what it wrote. Raises OSError."""
    stop(os.path.join(folder, "sampler.pid"), SAMPLER_GRACE)
    shutil.rmtree(folder)


def absent(order: Order, engine: Engine) -> tuple[list[str], list[str]]:
    """Remove one deployment, or all. What was removed, and what could not be.

    A shared replica goes with the last deployment that uses it.
    """
    state = StateDir(order.state_dir)
    own, shared = _named(order, engine)
    removed: list[str] = []
    errors: list[str] = []
    held: set[str] = set()
    for name in own:  # those who use a shared one leave first
        try:
            with _alone_on(order, engine, name):
                remover = observe(order, engine, name)
                removed += remover.perform()
                left, failed = leave(order, engine, name)
                removed += left
                errors += [*remover.errors, *failed]
        except Held as error:
            errors.append(f"{error}; or take it all the same: -e profile_force=true")
            held.update(run_ids(order, state.load(name), name))
    if shared:
        unused, in_use = _let_go(order, engine, shared & _there(order, engine))
        removed += unused
        errors += in_use
    for run_id in _other_runs(order, held):
        removed.append(f"sampler {run_id}")
        try:
            end_run(state.run(run_id))
        except OSError as error:
            errors.append(f"cannot remove {state.run(run_id)}: {error}")
    return removed, errors


def would_be_absent(order: Order, engine: Engine) -> tuple[list[str], list[str]]:
    """What :func:`absent` would remove, and nothing that it could not."""
    own, shared = _named(order, engine)
    removed: list[str] = []
    known: set[str] = set()
    for name in own:
        remover = observe(order, engine, name)
        known.update(remover.runs)
        removed += [*map(said, remover.decide()), *would_leave(order, name)]
    if shared:
        removed += sorted(shared & _there(order, engine))
    return removed + [f"sampler {run_id}" for run_id in _other_runs(order, known)], []


def _there(order: Order, engine: Engine) -> set[str]:
    return set(deployments_on(StateDir(order.state_dir), listed(engine.containers()), engine.networks()))


def _named(order: Order, engine: Engine) -> tuple[list[str], set[str]]:
    """The deployments to be removed, and the shared replicas."""
    state = StateDir(order.state_dir)
    names = {order.deployment} if order.deployment else {*_there(order, engine), *all_members(state)}
    return sorted(name for name in names if not is_shared(name)), {name for name in names if is_shared(name)}


def _other_runs(order: Order, known: set[str]) -> list[str]:
    """Runs that belong to no deployment that is *known* here; where all is to go, they go, too."""
    everything = order.all_deployments and not order.deployment
    return sorted(set(StateDir(order.state_dir).run_ids()) - known) if everything else []


@contextmanager
def _alone_on(order: Order, engine: Engine, deployment: str) -> Iterator[None]:
    """Hold the lease of a deployment that is to be removed, and give it back then. Raises Held or Lost."""
    if not os.path.isdir(order.state_dir):
        yield
        return
    leases, claim = Leases(order.state_dir), order.claim or by_hand()
    if claim.epoch is None:
        leases.outlast(deployment, claim, order.lock_wait)
    with ExitStack() as stack:
        try:
            work = stack.enter_context(working(leases, deployment, claim, release=True))
            stack.enter_context(work.watched())
            engine.guarded(work.checkpoint)
        except DiskFull:
            pass  # what makes room must not need any
        yield


# -- what is shared with other deployments


def leave(order: Order, engine: Engine, deployment: str, kept: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """End the use of shared replicas but of those *kept*: what was removed, and what could not be."""
    return _let_go(order, engine, _left(order, deployment, kept), deployment)


def would_leave(order: Order, deployment: str, kept: Iterable[str] = ()) -> list[str]:
    """What :func:`leave` would end."""
    return [_as_user(deployment, replica) for replica in _left(order, deployment, kept)]


def _left(order: Order, deployment: str, kept: Iterable[str]) -> list[str]:
    return sorted(set(shared_by(StateDir(order.state_dir), deployment)) - set(kept))


def _as_user(deployment: str, replica: str) -> str:
    return f"{deployment} as a user of {replica}"


def _let_go(
    order: Order, engine: Engine, replicas: Iterable[str], deployment: Optional[str] = None
) -> tuple[list[str], list[str]]:
    """Take *deployment* from their users, and remove those that nobody uses then."""
    state = StateDir(order.state_dir)
    removed: list[str] = []
    errors: list[str] = []
    for replica in sorted(replicas):
        with alone_with(state, replica):
            users = members(state, replica)
            if deployment is not None:
                users.pop(deployment, None)
            if not users:
                # Its folder, and with it the members, goes last: who is killed before can do it again.
                remover = observe(replace(order, run_id=None), engine, replica)
                removed += remover.perform()
                errors += remover.errors
            elif deployment is not None:
                save_members(state, replica, users)
                removed.append(_as_user(deployment, replica))
            else:
                names = ", ".join(sorted(users))
                errors.append(f"{replica} is in use by {names}: stop these, and it goes with the last")
    return removed, errors
