# SPDX-License-Identifier: GPL-3.0-or-later
"""All that would keep a share from running on this host, found before anything is written, and told at once."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.apply.operations import Operation, Report
from ansible_collections.retail.profiles.plugins.module_utils.apply.present import pull
from ansible_collections.retail.profiles.plugins.module_utils.apply.reconcile import (
    FOREIGN_NETWORK,
    check_network,
    first_of_each_image,
    look_at_images,
    pulls,
)
from ansible_collections.retail.profiles.plugins.module_utils.apply.shared_replicas import conflict, own_order
from ansible_collections.retail.profiles.plugins.module_utils.common.disk import free_bytes
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import (
    Needed,
    Order,
    ReplicaTask,
)
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import (
    Record,
    StateDir,
    owns_container,
    owns_thing,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, Listed, Published, listed
from ansible_collections.retail.profiles.plugins.module_utils.host import system
from ansible_collections.retail.profiles.plugins.module_utils.host.sockets import listening
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import Probe

Problem = dict[str, Optional[str]]

#: Docker Engine 20.10
OLDEST_API = (1, 41)
#: bytes that must be free: for the record, files and samples; for containers and their logs
ROOM_FOR_STATE, ROOM_FOR_ENGINE = 100 << 20, 500 << 20
#: seconds to wait for any answer of another host
DIAL_TIMEOUT = 2.0
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm", "i686": "386"}
_EMULATORS = {"amd64": "x86_64", "arm64": "aarch64", "386": "i386"}
_WILDCARDS = ("0.0.0.0", "::", "")


def preflight(order: Order, engine: Optional[Engine], reason: Optional[str], perform: bool) -> Report:
    """Every problem of this host. *reason*: why there is no *engine*. *perform*: pull what is missing."""
    state = StateDir(order.state_dir)
    wrong = state.check()
    problems = [problem(wrong, field="profile_state_dir")] if wrong else []
    found, warnings = _host_problems(order)
    problems += found
    if engine is None:
        problems.insert(0, problem(reason or "there is no engine", field="engine"))
        return Report(problems=tuple(problems), warnings=tuple(warnings))
    problems += old_engine(engine.api_version, engine.version())
    if order.share.all_replicas():
        root = str(engine.info().get("DockerRootDir") or "/var/lib/docker")
        problems += no_room([("engine", root, ROOM_FOR_ENGINE)])
    found, pulled = _engine_problems(order, engine, state.load(order.deployment) if order.deployment else None, perform)
    problems += found
    for share in order.share.shared:
        own = own_order(order, share)
        found, more = _engine_problems(own, engine, state.load(own.name), perform)
        pulled += more
        if not found and not wrong and (in_use := conflict(order, engine, share)):
            found = [problem(in_use, share.replicas[0].container, "shared")]
        problems += found
    return Report(bool(pulled), problems=tuple(problems), pulled=tuple(pulled), warnings=tuple(warnings))


def _host_problems(order: Order) -> tuple[list[Problem], list[str]]:
    """What can be told without the engine, and warnings."""
    replicas = order.share.all_replicas()
    unreached, warnings = out_of_reach(replicas)
    return [
        *no_room([("profile_state_dir", order.state_dir, ROOM_FOR_STATE)]),
        *too_much_memory(replicas, system.memory_bytes()),
        *(found for item in order.share.paths if item.kind == "path" for found in missing_paths(item)),
        *unreached,
    ], warnings


def _engine_problems(
    order: Order, engine: Engine, record: Optional[Record], perform: bool
) -> tuple[list[Problem], list[str]]:
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
    images = look_at_images(order.share.replicas, engine)
    done: list[Operation] = []
    if perform:
        images, done = pull(pulls(order.share.replicas, images), images, engine)
    for task in first_of_each_image(order.share.replicas):
        error = images.errors.get(task.image) or _unusable(task, images.found.get(task.image, {}))
        if error:
            problems.append(problem(error, task.container, "image"))
    return problems, [one.name for one in done if one.differences]


def _unusable(task: ReplicaTask, image: Mapping[str, Any]) -> Optional[str]:
    """Why an image that is here cannot be run here."""
    why = "" if task.values.get("platform") else of_another_machine(image, os.uname().machine)
    return f"{task.image} {why}" if why else None


def missing_things(engine: Engine, needed: Iterable[Needed]) -> list[Problem]:
    """What of the engine's a profile takes as it finds it, and that is not there."""
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
        versions = [n for n in os.listdir(item.path) if n == "graph.pbtxt" or (n.isdigit() and int(n) > 0)]
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
            check_network(network)
        except ProfileError as error:
            problems.append(problem(error.message, field=field))
        actual = next((item for item in existing if item["Name"] == network["name"]), None)
        recorded = record.networks if record is not None else None
        if actual is not None and not owns_thing(
            recorded, str(order.deployment), str(network["name"]), actual.get("Labels")
        ):
            problems.append(problem(FOREIGN_NETWORK, field=field))
    return problems


def taken_ports(
    replicas: Iterable[ReplicaTask],
    sockets: Iterable[Published],
    held: Iterable[tuple[Sequence[Published], str]],
    ours: Iterable[Published],
) -> list[Problem]:
    """Ports to be published that are *held* by other containers, or by a process (but for Docker's proxy of *ours*)."""
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


def problem(message: str, container: Optional[str] = None, field: Optional[str] = None) -> Problem:
    """A problem as the module answers it."""
    return {"container": container, "field": field, "message": message}


# -- the host itself: its engine, processor, memory, disks, and the way to its servers


def old_engine(api: tuple[int, ...], version: Mapping[str, Any]) -> list[Problem]:
    """An engine that is older than what we are tested with."""
    if api >= OLDEST_API:
        return []
    is_now = f"Docker Engine {version.get('Version')} (API {'.'.join(map(str, api))})"
    return [problem(f"{is_now} is too old: 20.10 (API 1.41) or later is needed", field="engine")]


def no_room(places: Iterable[tuple[str, str, int]]) -> list[Problem]:
    """Too little space at (field, path, bytes that must be free); a path that cannot be looked at is passed over."""
    found = []
    for field, path, needed in places:
        free = free_bytes(path)
        if free is not None and free < needed:
            text = f"only {free >> 20} MiB are free at {path}, {needed >> 20} MiB are needed: make room there"
            found.append(problem(text, field=field))
    return found


def too_much_memory(replicas: Iterable[ReplicaTask], total: int) -> list[Problem]:
    """Memory (bytes) that replicas ask for and that a host of *total* bytes does not have."""
    found, reserved = [], 0
    for task in replicas:
        limit, reservation = task.values.get("memory") or 0, task.values.get("memory_reservation") or 0
        reserved += reservation
        if limit > total or reservation > total:
            asked = f"{task.name} asks for {max(limit, reservation) >> 20} MiB of memory"
            found.append(problem(f"{asked}, this host has {total >> 20} MiB", task.container, "memory"))
    if reserved > total and not found:
        text = f"the replicas here reserve {reserved >> 20} MiB of memory together, this host has {total >> 20} MiB"
        found.append(problem(text, field="memory_reservation"))
    return found


def of_another_machine(image: Mapping[str, Any], machine: str, emulators: str = "/proc/sys/fs/binfmt_misc") -> str:
    """Why an inspected image does not run on a host of this *machine* (as uname says); empty where it does."""
    built, own = str(image.get("Architecture") or ""), _MACHINES.get(machine, machine)
    if not built or built == own or (own, built) in (("amd64", "386"), ("arm64", "arm")):
        return ""
    if os.path.exists(os.path.join(emulators, f"qemu-{_EMULATORS.get(built, built)}")):
        return ""
    return f"is built for {built}, this host is {own}: use an image for {own}"


def out_of_reach(replicas: Iterable[ReplicaTask]) -> tuple[list[Problem], list[str]]:
    """Servers to which there is no way from here, and warnings of those that stay silent.

    Nothing needs to listen there yet: a refused connection is an answer. Silence may be a firewall that lets through
    what listens.
    """
    asked: dict[tuple[str, int], tuple[ReplicaTask, Probe]] = {}
    for task in replicas:
        for probe in task.reach:
            if probe.address:
                asked.setdefault((probe.address, probe.port), (task, probe))
    if not asked:
        return [], []
    with ThreadPoolExecutor(max_workers=min(32, len(asked))) as pool:
        answers = zip(asked.items(), pool.map(lambda place: _dial(*place), asked))
        return _told(answers)


def _told(answers: Iterator[tuple[Any, Optional[OSError]]]) -> tuple[list[Problem], list[str]]:
    problems, warnings = [], []
    for ((address, port), (task, _probe)), error in answers:
        if isinstance(error, TimeoutError):
            warnings.append(f"{task.container} depends on {address}:{port}, which is silent: is a firewall between?")
        elif error is not None and not isinstance(error, ConnectionError):
            text = f"{task.name} depends on {address}:{port}, which this host does not reach: {error.strerror or error}"
            problems.append(problem(text, task.container, "depends_on"))
    return problems, warnings


def _dial(address: str, port: int) -> Optional[OSError]:
    try:
        socket.create_connection((address, port), timeout=DIAL_TIMEOUT).close()
    except OSError as error:  # socket.timeout is not TimeoutError before Python 3.10
        return TimeoutError() if isinstance(error, socket.timeout) else error
    return None
