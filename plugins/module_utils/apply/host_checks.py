# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""What a host itself lacks for a share: its engine, processor, memory, disks, clock, and the way to its servers."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.disk import free_bytes
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import ReplicaTask
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import Probe

Problem = dict[str, Optional[str]]

#: Docker Engine 20.10
OLDEST_API = (1, 41)
#: bytes that must be free: for the record, files and samples; for containers and their logs
ROOM_FOR_STATE, ROOM_FOR_ENGINE = 100 << 20, 500 << 20
#: seconds; below it lies what a slow connection adds
CLOCK_TOLERANCE = 30.0
#: seconds to wait for any answer of another host
DIAL_TIMEOUT = 2.0
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "armv6l": "arm", "i686": "386"}
_EMULATORS = {"amd64": "x86_64", "arm64": "aarch64", "386": "i386"}


def problem(message: str, container: Optional[str] = None, field: Optional[str] = None) -> Problem:
    """A problem as the module answers it."""
    return {"container": container, "field": field, "message": message}


def clock(here: float, controller: Optional[float]) -> list[Problem]:
    """The host's time against that of the controller when it called; both in seconds since the epoch."""
    offset = 0.0 if controller is None else here - controller
    if abs(offset) <= CLOCK_TOLERANCE:
        return []
    way = "ahead of" if offset > 0 else "behind"
    return [problem(f"its clock is {abs(offset):.0f} s {way} the controller's: synchronise both", field="clock")]


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
    """Servers on other hosts to which there is no way from here, and warnings of those that stay silent.

    Nothing needs to listen there yet: a refused connection is an answer. Silence may be a firewall that lets through
    what listens, so it is no problem yet.
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
