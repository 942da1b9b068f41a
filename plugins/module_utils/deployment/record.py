# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host remembers of its deployments, and with it: what is ours.

What bears our labels *and* stands in the deployment's record is ours (an image passes labels on, so a label alone
proves nothing). Where the record is lost, the name pattern decides.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.disk import (
    listing,
    make_directories,
    write_atomically,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import (
    COLLECTION,
    COLLECTION_LABEL,
    DEPLOYMENT_LABEL,
    REPLICA_LABEL,
    is_shared,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.processes import wait_for_lock
from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.container.option_values import split_volume
from ansible_collections.retail.profiles.plugins.module_utils.container.options import ALIASES, LIVE
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import PATIENCE
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order

SCHEMA = "retail.profiles/record/1"
MEMBERS_SCHEMA = "retail.profiles/members/1"
_KEPT = {"image", "networks", "network_mode", *LIVE}

_LISTS = ("networks", "volumes", "files", "runs")


@dataclass(frozen=True)
class Made:
    """A replica in the record.

    *request* is the hash of the create request that container *id* is as made from, *dropped* what the engine did not
    take over from it (see :func:`drift.dropped`), *desired* what of its task may change while it lives, *ready* its
    probes.
    """

    id: Optional[str] = None
    spec: str = ""
    request: str = ""
    dropped: Mapping[str, Any] = field(default_factory=dict)
    desired: Mapping[str, Any] = field(default_factory=dict)
    ready: list[Any] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self)}


@dataclass(frozen=True)
class Record:
    """``record.json`` of one deployment on this host."""

    deployment: str
    run_id: Optional[str] = None
    plan_id: Optional[str] = None
    replicas: Mapping[str, Made] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        made = {name: made.as_dict() for name, made in sorted(self.replicas.items())}
        lists = {name: sorted(getattr(self, name)) for name in _LISTS}
        return {"schema": SCHEMA, **vars(self), "replicas": made, **lists}


def record_from(data: Mapping[str, Any]) -> Record:
    """The record in parsed JSON. Raises KeyError, TypeError or AttributeError where it is not one."""
    made = {name: Made(**made) for name, made in data["replicas"].items()}
    lists = {name: tuple(data.get(name) or ()) for name in _LISTS}
    return Record(data["deployment"], data.get("run_id"), data.get("plan_id"), made, **lists)


def planned(record: Optional[Record], order: Order) -> Record:
    """The record with all that *order* is about to make, before anything of it is made."""
    old = record or Record(order.name)
    replicas = {**old.replicas}
    for task in order.share.replicas:
        made = old.replicas.get(task.name, Made())
        desired = {name: value for name, value in task.task.items() if ALIASES.get(name, name) in _KEPT}
        replicas[task.name] = replace(made, spec=task.spec, desired=desired, ready=task.probes)
    volumes = {name for task in order.share.replicas for name in named_volumes(task.values)}
    return replace(
        old,
        run_id=order.run_id or old.run_id,
        plan_id=order.plan_id or old.plan_id,
        replicas=replicas,
        networks=_union(old.networks, (str(item["name"]) for item in order.share.networks)),
        volumes=_union(old.volumes, volumes),
        files=_union(old.files, (item.dest for item in order.share.files)),
        runs=_union(old.runs, [order.run_id] if order.run_id else []),
    )


def _union(old: Iterable[str], new: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*old, *new}))


def named_volumes(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The named volumes of a task, each with what else the engine's request for it holds."""
    result: dict[str, dict[str, Any]] = {}
    for item in values.get("volumes") or ():
        source, _target, _mode = split_volume(item)
        if source and not source.startswith("/"):
            driver = values.get("volume_driver")
            result[source] = {"Driver": driver} if driver else {}
    for mount in values.get("mounts") or ():
        if mount["Type"] == "volume" and mount.get("Source"):
            config = mount.get("VolumeOptions", {}).get("DriverConfig", {})
            options = {"Driver": config.get("Name"), "DriverOpts": config.get("Options")}
            options["Labels"] = mount.get("VolumeOptions", {}).get("Labels")
            result[mount["Source"]] = {key: value for key, value in options.items() if value}
    return result


# -- ownership


def labelled(labels: Optional[Mapping[str, str]], deployment: str) -> bool:
    """Bears the labels of *deployment*."""
    labels = labels or {}
    return labels.get(COLLECTION_LABEL) == COLLECTION and labels.get(DEPLOYMENT_LABEL) == deployment


def owns_container(
    record: Optional[Record], deployment: str, name: str, identity: str, labels: Optional[Mapping[str, str]]
) -> bool:
    """Whether a container is ours."""
    if not labelled(labels, deployment):
        return False
    if record is None:
        pattern = re.escape(deployment) + ("" if is_shared(deployment) else r"-.+-\d+")
        return re.fullmatch(pattern, name) is not None and (labels or {}).get(REPLICA_LABEL, name) == name
    return name in record.replicas or any(made.id == identity for made in record.replicas.values())


def owns_thing(recorded: Optional[Iterable[str]], deployment: str, name: str, labels: Any) -> bool:
    """Whether a network or a volume is ours; *recorded* is None where the record is lost."""
    if not labelled(labels, deployment):
        return False
    return name.startswith(deployment + "-") if recorded is None else name in set(recorded)


# -- the directory


class StateDir:
    """Paths under the state directory, and atomic reads and writes of records."""

    def __init__(self, root: str) -> None:
        self.root = root

    def check(self) -> Optional[str]:
        """What is wrong with the directory, in words; None where it can be used."""
        if not os.path.isdir(self.root):
            return f"the state directory {self.root} does not exist: run prepare_hosts.yml, or set profile_state_dir"
        if not os.access(self.root, os.W_OK | os.X_OK):
            return (
                f"the state directory {self.root} is not writable for this user: "
                "run prepare_hosts.yml, and add the user to its group docker"
            )
        return None

    def deployments(self) -> list[str]:
        """Deployments that have a directory here."""
        return listing(os.path.join(self.root, "deployments"))

    def run_ids(self) -> list[str]:
        return listing(os.path.join(self.root, "runs"))

    def deployment(self, name: str) -> str:
        return os.path.join(self.root, "deployments", name)

    def files(self, name: str) -> str:
        return os.path.join(self.deployment(name), "files")

    def run(self, run_id: str) -> str:
        return os.path.join(self.root, "runs", run_id)

    def _record(self, name: str) -> str:
        return os.path.join(self.deployment(name), "record.json")

    def load(self, name: str) -> Optional[Record]:
        """The record of a deployment; None where it is lost or cannot be read as one."""
        try:
            with open(self._record(name), encoding="utf-8") as stream:
                return record_from(json.load(stream))
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None
        except OSError as error:
            raise ProfileError(f"cannot read {self._record(name)}: {error.strerror}") from None

    def save(self, record: Record) -> None:
        """Write a record. A reader, and a host that loses power, sees the old one or the new one."""
        make_directories(self.root, self.deployment(record.deployment))
        text = json.dumps(record.as_dict(), indent=1, sort_keys=True) + "\n"
        write_atomically(self._record(record.deployment), text.encode("utf-8"), 0o660)

    def _secret_key(self, name: str) -> str:
        return os.path.join(self.deployment(name), "secrets.key")

    def secret_key(self, name: str, make: bool) -> bytes:
        """The key of a deployment for digests of secrets; empty where there is none."""
        if not make and not os.path.exists(self._secret_key(name)):
            return b""
        make_directories(self.root, self.deployment(name))
        try:
            return secret_env.key(self._secret_key(name))
        except OSError as error:
            raise ProfileError(f"cannot use the key {self._secret_key(name)}: {error.strerror}") from None

    def forget(self, name: str) -> None:
        """Remove the record of a deployment, and the directories that are empty then."""
        for path in (self._record(name),):
            if os.path.exists(path):
                os.unlink(path)
        for path in (self.files(name), self.deployment(name)):
            if os.path.isdir(path) and not os.listdir(path):
                os.rmdir(path)


# -- shared replicas: each is a deployment of its own, named as the replica; who uses it stands beside its record


def members(state: StateDir, replica: str) -> dict[str, str]:
    """Deployment to the time since which it uses *replica*; nobody where that cannot be read."""
    path = _members_file(state, replica)
    try:
        with open(path, encoding="utf-8") as stream:
            return {str(name): str(since) for name, since in json.load(stream)["members"].items()}
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    except OSError as error:
        raise ProfileError(f"cannot read {path}: {error.strerror}") from None


def shared_by(state: StateDir, deployment: Optional[str] = None) -> list[str]:
    """The shared replicas of this host; those alone that *deployment* uses, if one is given."""
    replicas = [name for name in state.deployments() if is_shared(name)]
    return [name for name in replicas if deployment is None or deployment in members(state, name)]


def all_members(state: StateDir) -> set[str]:
    """Every deployment that uses a shared replica of this host."""
    return {name for replica in shared_by(state) for name in members(state, replica)}


def _members_file(state: StateDir, replica: str) -> str:
    return os.path.join(state.deployment(replica), "members.json")


def save_members(state: StateDir, replica: str, users: Mapping[str, str]) -> None:
    text = json.dumps({"schema": MEMBERS_SCHEMA, "replica": replica, "members": users}, indent=1, sort_keys=True)
    write_atomically(_members_file(state, replica), text.encode("utf-8"), 0o660)


@contextmanager
def alone_with(state: StateDir, replica: str) -> Iterator[None]:
    """Be alone with a shared replica: of two playbooks one makes it, and the other finds it."""
    folder = state.deployment(replica)
    while True:
        make_directories(state.root, folder)
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except FileNotFoundError:
            continue  # the last one has just left
        try:
            wait_for_lock(handle, folder, PATIENCE)
            if _is(handle, folder):
                yield
                return
        finally:
            fcntl.flock(handle, fcntl.LOCK_UN)  # a child that was forked meanwhile has the handle too
            os.close(handle)


def _is(handle: int, folder: str) -> bool:
    """Whether the open folder is still the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(folder))
    except FileNotFoundError:
        return False
