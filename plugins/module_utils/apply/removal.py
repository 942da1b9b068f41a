# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""Take a deployment off a host: the sampler, containers, networks, volumes, files, and last its record."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.apply.networks import release
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


class Remover:
    """Takes one deployment off this host."""

    def __init__(self, order: Order, engine: Engine, deployment: str) -> None:
        self.order = order
        self.engine = engine
        self.deployment = deployment
        self.state = StateDir(order.state_dir)
        self.record: Optional[Record] = self.state.load(deployment)
        self.errors: list[str] = []

    def remove(self, containers: Mapping[str, Listed], networks: list[dict[str, Any]]) -> list[str]:
        """Remove all of the deployment; what was (in check mode: would be) removed. Errors go to ``errors``."""
        ours = [item for item in containers.values() if self._owns(item)]
        removed = [f"sampler {run_id}" for run_id in self.run_ids() if self._stop_sampler(run_id)]
        removed += [item.name for item in ours]
        states = {item.id: item.state for item in ours}
        self._in_parallel(lambda engine, identity: remove_container(engine, identity, states[identity]), list(states))
        removed += self._remove_networks(networks)
        removed += self._remove_volumes()
        removed += self._remove_files([item.image for item in ours])
        return removed

    def _in_parallel(self, work: Any, items: list[str]) -> None:
        def guarded(item: str) -> None:
            try:
                work(self.engine, item)
            except MustEnd:
                raise
            except ProfileError as error:
                self.errors.append(f"{self.deployment}: cannot remove {item}: {error}")

        if items and not self.order.check:
            with ThreadPoolExecutor(max_workers=self.order.concurrency) as pool:
                list(pool.map(guarded, items))

    def _remove_networks(self, networks: list[dict[str, Any]]) -> list[str]:
        recorded = self.record.networks if self.record is not None else None
        names = [
            item["Name"] for item in networks if owns_thing(recorded, self.deployment, item["Name"], item.get("Labels"))
        ]
        self._in_parallel(self._remove_network, names)
        return [f"network {name}" for name in names]

    def _remove_network(self, engine: Engine, name: str) -> None:
        try:
            engine.remove_network(name)
        except EngineError:
            release(engine, name, self._owns)
            engine.remove_network(name)

    def _owns(self, item: Listed) -> bool:
        return owns_container(self.record, self.deployment, item.name, item.id, item.labels)

    def _remove_volumes(self) -> list[str]:
        recorded = self.record.volumes if self.record is not None else None
        if recorded is not None and not recorded:
            return []
        found = self.engine.volume_names(f"{DEPLOYMENT_LABEL}={self.deployment}")
        labels = {COLLECTION_LABEL: COLLECTION, DEPLOYMENT_LABEL: self.deployment}
        names = [name for name in found if owns_thing(recorded, self.deployment, name, labels)]
        self._in_parallel(lambda engine, name: engine.remove_volume(name), names)
        return [f"volume {name}" for name in names]

    # -- samplers

    def run_ids(self) -> list[str]:
        """Runs of this deployment on this host: the record's, the one named, and those named after it."""
        pattern = re.compile(re.escape(self.deployment) + r"-[0-9]{8}T?[0-9]*Z?-[0-9a-f]{8}")
        known = {*(self.record.runs if self.record is not None else ()), self.order.run_id}
        return [run_id for run_id in self.state.run_ids() if run_id in known or pattern.fullmatch(run_id)]

    def _stop_sampler(self, run_id: str) -> bool:
        """Stop the sampler of a run and remove what it wrote."""
        if self.order.check:
            return True
        folder = self.state.run(run_id)
        try:
            stop(os.path.join(folder, "sampler.pid"), SAMPLER_GRACE)
            shutil.rmtree(folder)
        except (OSError, ProfileError) as error:
            self.errors.append(f"{self.deployment}: cannot remove {folder}: {error}")
            return False
        return True

    # -- files

    def _remove_files(self, images: list[str]) -> list[str]:
        folder = self.state.deployment(self.deployment)
        if not os.path.isdir(folder):
            return []
        if self.order.check:
            return [f"files {folder}"]
        if self.errors:
            return []  # the record must stay: it knows what is still to be removed
        remains = remove_tree(self.state.files(self.deployment))
        if remains:
            remains = self._remove_as_root(self.state.files(self.deployment), images) or remains
        if os.path.isdir(self.state.files(self.deployment)):
            self.errors.append(f"{self.deployment}: cannot remove {self.state.files(self.deployment)}: {remains}")
            return []
        self.state.forget(self.deployment)
        remove_tree(folder)
        return [f"files {folder}"]

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


def absent(order: Order, engine: Engine) -> tuple[list[str], list[str]]:
    """Remove one deployment, or all. What was removed, and what could not be.

    A shared replica goes with the last deployment that uses it.
    """
    state = StateDir(order.state_dir)
    if order.deployment:
        names = [order.deployment]
    else:
        there = deployments_on(state, listed(engine.containers()), engine.networks())
        names = sorted({*there, *all_members(state)})
    removed: list[str] = []
    errors: list[str] = []
    held: set[str] = set()
    for name in names:
        if is_shared(name):
            continue  # those who use it leave first
        try:
            with _alone_on(order, engine, name):
                remover = Remover(order, engine, name)
                removed += remover.remove(listed(engine.containers()), engine.networks())
                left, failed = leave(order, engine, name)
                removed += left
                errors += [*remover.errors, *failed]
        except Held as error:
            errors.append(f"{error}; or take it all the same: -e profile_force=true")
            held.update(Remover(order, engine, name).run_ids())
    if shared := {name for name in names if is_shared(name)}:
        still = shared & set(deployments_on(state, listed(engine.containers()), engine.networks()))
        unused, in_use = _let_go(order, engine, still)
        removed += unused
        errors += in_use
    if order.all_deployments and not order.deployment:
        removed += _remaining_runs(order, state, held, errors)
    return removed, errors


@contextmanager
def _alone_on(order: Order, engine: Engine, deployment: str) -> Iterator[None]:
    """Hold the lease of a deployment that is to be removed, and give it back then. Raises Held or Lost."""
    if order.check or not os.path.isdir(order.state_dir):
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


def _remaining_runs(order: Order, state: StateDir, held: set[str], errors: list[str]) -> list[str]:
    """Samplers that belong to no deployment that is known here."""
    removed = []
    for run_id in sorted(set(state.run_ids()) - held):
        removed.append(f"sampler {run_id}")
        if not order.check:
            try:
                stop(os.path.join(state.run(run_id), "sampler.pid"), SAMPLER_GRACE)
                shutil.rmtree(state.run(run_id))
            except OSError as error:
                errors.append(f"cannot remove {state.run(run_id)}: {error}")
    return removed


# -- what is shared with other deployments


def leave(order: Order, engine: Engine, deployment: str, kept: Iterable[str] = ()) -> tuple[list[str], list[str]]:
    """End what *deployment* uses of shared replicas but of those *kept*: what was removed, and what could not be."""
    return _let_go(order, engine, set(shared_by(StateDir(order.state_dir), deployment)) - set(kept), deployment)


def _let_go(
    order: Order, engine: Engine, replicas: Iterable[str], deployment: Optional[str] = None
) -> tuple[list[str], list[str]]:
    """Take *deployment* from the users of shared replicas, and remove those that nobody uses then."""
    state = StateDir(order.state_dir)
    removed: list[str] = []
    errors: list[str] = []
    for replica in sorted(replicas):
        left = f"{deployment} as a user of {replica}" if deployment else replica
        if order.check:
            removed.append(left)
            continue
        with alone_with(state, replica):
            users = members(state, replica)
            if deployment is not None:
                users.pop(deployment, None)
            if not users:
                # Its folder, and with it the members, goes last: who is killed before can do it again.
                remover = Remover(replace(order, run_id=None), engine, replica)
                removed += remover.remove(listed(engine.containers()), engine.networks())
                errors += remover.errors
            elif deployment is not None:
                save_members(state, replica, users)
                removed.append(left)
            else:
                names = ", ".join(sorted(users))
                errors.append(f"{replica} is in use by {names}: stop these, and it goes with the last")
    return removed, errors
