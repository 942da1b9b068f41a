# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""All that would keep a share from running on this host, found before anything is written, and told at once."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.apply import host_checks, networks
from ansible_collections.retail.profiles.plugins.module_utils.apply.host_checks import Problem, problem
from ansible_collections.retail.profiles.plugins.module_utils.apply.preparation import (
    first_of_each_image,
    missing_image,
)
from ansible_collections.retail.profiles.plugins.module_utils.apply.shared_replicas import conflict, own_order
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Needed, Order, ReplicaTask
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import (
    Record,
    StateDir,
    owns_container,
    owns_thing,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, Listed, Published, listed
from ansible_collections.retail.profiles.plugins.module_utils.host import system
from ansible_collections.retail.profiles.plugins.module_utils.host.sockets import listening

_WILDCARDS = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class Findings:
    """What preflight found on this host, and the images that it pulled (none in check mode)."""

    problems: list[Problem]
    pulled: list[str]
    warnings: list[str]


def preflight(order: Order, engine: Optional[Engine], reason: Optional[str]) -> Findings:
    """Every problem of this host. *reason*: why there is no *engine*."""
    state = StateDir(order.state_dir)
    wrong = state.check()
    problems = [problem(wrong, field="profile_state_dir")] if wrong else []
    found, warnings = _host_problems(order)
    problems += found
    if engine is None:
        return Findings([problem(reason or "there is no engine", field="engine"), *problems], [], warnings)
    problems += host_checks.old_engine(engine.api_version, engine.version())
    if order.share.all_replicas():
        root = str(engine.info().get("DockerRootDir") or "/var/lib/docker")
        problems += host_checks.no_room([("engine", root, host_checks.ROOM_FOR_ENGINE)])
    found, pulled = _engine_problems(order, engine, state.load(order.deployment) if order.deployment else None)
    problems += found
    for share in order.share.shared:
        own = own_order(order, share)
        found, more = _engine_problems(own, engine, state.load(own.name))
        pulled += more
        if not found and not wrong and (in_use := conflict(order, engine, share)):
            found = [problem(in_use, share.replicas[0].container, "shared")]
        problems += found
    return Findings(problems, pulled, warnings)


def _host_problems(order: Order) -> tuple[list[Problem], list[str]]:
    """What can be told without the engine, and warnings."""
    replicas = order.share.all_replicas()
    unreached, warnings = host_checks.out_of_reach(replicas)
    return [
        *host_checks.clock(time.time(), order.called_at),
        *host_checks.no_room([("profile_state_dir", order.state_dir, host_checks.ROOM_FOR_STATE)]),
        *host_checks.too_much_memory(replicas, system.memory_bytes()),
        *(found for item in order.share.paths if item.kind == "path" for found in missing_paths(item)),
        *unreached,
    ], warnings


def _engine_problems(order: Order, engine: Engine, record: Optional[Record]) -> tuple[list[Problem], list[str]]:
    """What only the engine can tell."""
    problems = missing_things(engine, order.share.paths)
    containers = listed(engine.containers())
    if order.deployment:
        mine = {
            item.name
            for item in containers.values()
            if owns_container(record, order.deployment, item.name, item.id, item.labels)
        }
        problems += foreign_names(order.share.replicas, containers, mine)
        problems += foreign_networks(order, engine, record)
        held = [(item.published, item.name) for item in containers.values() if item.published and item.name not in mine]
        ours = [port for item in containers.values() if item.name in mine for port in item.published]
        problems += taken_ports(order.share.replicas, listening(), held, ours)
    pulled: list[str] = []
    for task in first_of_each_image(order.share.replicas):
        error = _image_problem(task, engine, order.check, pulled)
        if error:
            problems.append(problem(error, task.container, "image"))
    return problems, pulled


def _image_problem(task: ReplicaTask, engine: Engine, check: bool, pulled: list[str]) -> Optional[str]:
    try:
        image = engine.image(task.image)
        if image is not None and task.pull != "always":
            return _unusable(task, image)
        if task.pull == "never":
            return missing_image(task.image, "its pull policy is never")
        if check:
            return None
        engine.pull(task.image)
        after = engine.image(task.image)
        if after is not None and (image is None or image["Id"] != after["Id"]):
            pulled.append(task.image)
    except EngineError as error:
        return missing_image(task.image, error.message)
    return _unusable(task, after or {})


def _unusable(task: ReplicaTask, image: Mapping[str, Any]) -> Optional[str]:
    """Why an image that is here cannot be run here."""
    why = "" if task.values.get("platform") else host_checks.of_another_machine(image, os.uname().machine)
    return f"{task.image} {why}" if why else None


def missing_things(engine: Engine, needed: Iterable[Needed]) -> list[Problem]:
    """Volumes, networks and containers that a profile takes as it finds them, and that are not there."""
    look = {"volume": engine.volume, "network": engine.network, "container": engine.inspect}
    return [
        problem(
            f"there is no {item.kind} {item.path} on this host: make it, or let the profile make one of its own",
            item.container,
            item.field,
        )
        for item in needed
        if item.kind in look and look[item.kind](item.path) is None
    ]


def missing_paths(item: Needed) -> list[Problem]:
    """A path of the host that is not there, or a model without a version."""
    if not os.path.exists(item.path):
        what = f"model {item.model}: " if item.model else ""
        return [
            problem(
                f"{what}{item.path} does not exist on this host: put it there (prepare_hosts.yml places models), "
                "or set models_dir",
                item.container,
                item.field,
            )
        ]
    if item.model is None:
        return []
    try:
        versions = [name for name in os.listdir(item.path) if name.isdigit() and int(name) > 0]
    except OSError as error:
        return [problem(f"model {item.model}: {item.path}: {error.strerror}", item.container, item.field)]
    if not versions:
        return [
            problem(
                f"model {item.model}: {item.path} has no version folder (such as {item.path}/1)",
                item.container,
                item.field,
            )
        ]
    return []


def foreign_names(
    replicas: Iterable[ReplicaTask], containers: Mapping[str, Listed], mine: Iterable[str]
) -> list[Problem]:
    """Replicas whose name a container has that is not ours."""
    own = set(mine)
    return [
        problem(
            f"a container {task.name} of the image {containers[task.name].image} is on this host and is not ours: "
            "remove or rename it, or choose another profile_deployment",
            task.container,
            "name",
        )
        for task in replicas
        if task.name in containers and task.name not in own
    ]


def foreign_networks(order: Order, engine: Engine, record: Optional[Record]) -> list[Problem]:
    """Networks of the share that are on the host and are not ours, or carry an option that is not known."""
    problems: list[Problem] = []
    existing: Sequence[Mapping[str, Any]] = engine.networks() if order.share.networks else ()
    for network in order.share.networks:
        field = f"network {network['name']}"
        try:
            networks.check_options(network)
        except ProfileError as error:
            problems.append(problem(error.message, field=field))
        actual = networks.find(existing, str(network["name"]))
        recorded = record.networks if record is not None else None
        if actual is not None and not owns_thing(
            recorded, str(order.deployment), str(network["name"]), actual.get("Labels")
        ):
            problems.append(problem(networks.FOREIGN, field=field))
    return problems


def taken_ports(
    replicas: Iterable[ReplicaTask],
    sockets: Iterable[Published],
    held: Iterable[tuple[Sequence[Published], str]],
    ours: Iterable[Published],
) -> list[Problem]:
    """Ports to be published that something else listens on: *held* by other containers, or by a process.

    *sockets* also has what Docker's proxy holds for *ours*, which is no problem.
    """
    by_container = [(port, name) for ports, name in held for port in ports]
    own = list(ours)
    listeners = [port for port in sockets if not any(_overlap(port, mine) for mine in own)]
    problems, seen = [], set()
    for task in replicas:
        for wanted in published(task.values):
            holder = next((f"the container {name}" for port, name in by_container if _overlap(port, wanted)), None)
            if holder is None and any(_overlap(port, wanted) for port in listeners):
                holder = "a process of this host"
            if holder is not None and (task.container, wanted) not in seen:
                seen.add((task.container, wanted))
                problems.append(
                    problem(
                        f"{task.name} publishes {wanted.address}:{wanted.port}/{wanted.protocol}, "
                        f"which {holder} holds: stop it, or choose another port",
                        task.container,
                        "ports",
                    )
                )
    return problems


def published(values: Mapping[str, Any]) -> list[Published]:
    """The host ports that a task publishes, but for those that the engine may choose."""
    return [
        Published(item["HostIp"], int(item["HostPort"]), port.partition("/")[2])
        for port, bindings in (values.get("published_ports") or {}).items()
        for item in bindings
        if item["HostPort"].isdigit()
    ]


def _overlap(one: Published, other: Published) -> bool:
    if (one.port, one.protocol) != (other.port, other.protocol):
        return False
    return one.address == other.address or one.address in _WILDCARDS or other.address in _WILDCARDS
