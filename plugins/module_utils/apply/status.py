# SPDX-License-Identifier: GPL-3.0-or-later
"""How the replicas of this host are, against what its records say that they should be. Reads only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common import file_tree
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import DEPLOYMENT_LABEL
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import Difference, differences
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import parse_task
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import (
    Made,
    Record,
    StateDir,
    owns_container,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, Listed, listed
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import parse_probe
from ansible_collections.retail.profiles.plugins.module_utils.readiness.waiter import Waiter

RUNNING, ENDED, MISSING = "running", "exited (0)", "missing"
_AT_ONCE = 16


@dataclass(frozen=True)
class Status:
    """One replica. *ready* is None where it has no probe; *reason* says why it is not ready."""

    deployment: str
    replica: str
    image: Optional[str]
    desired: str
    actual: str
    ready: Optional[bool] = None
    reason: Optional[str] = None
    restarts: int = 0
    drift: tuple[Difference, ...] = field(default_factory=tuple)

    @property
    def as_desired(self) -> bool:
        return self.actual == self.desired and self.ready is not False and not self.drift

    def as_dict(self) -> dict[str, Any]:
        drift = [item.as_dict() for item in self.drift]
        return {**vars(self), "drift": drift, "as_desired": self.as_desired}


@dataclass(frozen=True)
class HostStatus:
    """What is looked at once for all replicas."""

    engine: Engine
    containers: Mapping[str, Listed]
    network_ids: Mapping[str, str]
    waiter: Waiter

    def of(self, name: str, made: Made) -> Optional[dict[str, Any]]:
        """The container of a replica: by its name, or the one that was made for it, whatever it is called by now."""
        item = self.containers.get(name)
        if item is None and made.id is not None:
            item = next((other for other in self.containers.values() if other.id == made.id), None)
        return self.engine.inspect(item.id) if item is not None else None


def statuses(state: StateDir, engine: Engine, deployment: Optional[str]) -> list[Status]:
    """All replicas that records of this host name, and all that bear our labels; of one *deployment*, or of all."""
    containers = listed(engine.containers())
    host = HostStatus(engine, containers, {item["Name"]: item["Id"] for item in engine.networks()}, Waiter(engine))
    records = {name: state.load(name) for name in state.deployments() if deployment in (None, name)}
    work = [(record, name, made) for record in records.values() if record for name, made in record.replicas.items()]
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        found = list(pool.map(lambda item: replica_status(host, *item), work))
    return sorted([*found, *unrecorded(containers, records, deployment)], key=lambda item: item.replica)


def replica_status(host: HostStatus, record: Record, name: str, made: Made) -> Status:
    """One replica of a record."""
    desired = ENDED if any(probe.get("kind") == "exited" for probe in made.ready) else RUNNING
    inspect = host.of(name, made)
    image = made.desired.get("image")
    if inspect is None:
        return Status(record.deployment, name, image, desired, MISSING, *((False, "missing") if made.ready else ()))
    if not owns_container(record, record.deployment, name, inspect["Id"], inspect["Config"].get("Labels")):
        foreign = Difference("container", "not ours", name)
        return Status(record.deployment, name, image, desired, state_of(inspect), drift=(foreign,))
    ready, reason = readiness(host.waiter, made, inspect)
    return Status(
        record.deployment,
        name,
        image or inspect["Config"].get("Image"),
        desired,
        state_of(inspect),
        ready,
        reason,
        int(inspect.get("RestartCount") or 0),
        tuple(drift(host, record, name, made, inspect)),
    )


def state_of(inspect: Mapping[str, Any]) -> str:
    """The state of a container in a word, with its exit code if it has ended."""
    state = inspect.get("State") or {}
    status = str(state.get("Status"))
    return f"{status} ({state.get('ExitCode')})" if status in ("exited", "dead") else status


def readiness(waiter: Waiter, made: Made, inspect: Mapping[str, Any]) -> tuple[Optional[bool], Optional[str]]:
    """Whether each probe is satisfied now, asked once, and why not."""
    for given in made.ready:
        try:
            reason = waiter.once(parse_probe(given, inspect["Name"].lstrip("/")), inspect)
        except ProfileError as error:
            reason = str(error).splitlines()[0].rstrip(":")
        if reason is not None:
            return False, reason
    return (True, None) if made.ready else (None, None)


def drift(host: HostStatus, record: Record, name: str, made: Made, inspect: Mapping[str, Any]) -> list[Difference]:
    """What differs. All else than this is fixed when a container is created, so another one has another id."""
    if not made.desired:
        return [Difference("record", "made by an earlier version", "deploy again to know what is desired")]
    values = parse_task(made.desired, name)
    image = host.engine.image(str(values["image"]))
    found = differences(values, inspect, image or {}, host.network_ids, name=name, live_only=True)
    if image is None:
        found.append(Difference("image", None, values["image"]))
    if made.id is not None and made.id != inspect["Id"]:
        found.append(Difference("id", inspect["Id"][:12], made.id[:12]))
    found = [item for item in found if made.dropped.get(item.field, item) != item.current]
    mounted = {str(mount.get("Source")) for mount in inspect.get("Mounts") or ()}
    return found + changed_files(sorted(mounted & set(record.files)))


def changed_files(paths: Iterable[str]) -> list[Difference]:
    """Those of the shipped files and folders (``…/SHA256[-x]/NAME``) whose content is another by now."""
    found = []
    for path in paths:
        expected = path.split("/")[-2].partition("-")[0]
        try:
            current = file_tree.digest_of(path, file_tree.DIRECTORY if os.path.isdir(path) else file_tree.FILE)
        except OSError as error:
            current = str(error.strerror)
        except ProfileError as error:
            current = error.message
        if current != expected:
            found.append(Difference(f"file {path.rpartition('/')[2]}", current, expected))
    return found


def unrecorded(
    containers: Mapping[str, Listed], records: Mapping[str, Optional[Record]], deployment: Optional[str]
) -> Sequence[Status]:
    """Containers that are ours by labels and name, of deployments whose record is lost."""
    found = []
    for item in containers.values():
        name = item.labels.get(DEPLOYMENT_LABEL)
        if name is None or deployment not in (None, name) or records.get(name) is not None:
            continue
        if owns_container(None, name, item.name, item.id, item.labels):
            lost = Difference(
                "record", None, "its record is lost: stop_profile.yml removes it, deploying makes it anew"
            )
            found.append(Status(name, item.name, item.image, RUNNING, item.state, drift=(lost,)))
    return found
