# SPDX-License-Identifier: GPL-3.0-or-later
"""Who uses the GPUs of this host, and for how long: the DRM clients of its processes, found in ``/proc/<pid>/fd``.

To look through the descriptors of a process is dear, and to read a client that was found is cheap. So processes are
looked through when they are new and then ever less often, within a budget of descriptors a second; the fdinfo of a
client is kept open and read each time.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.kernel_files import read_file
from ansible_collections.retail.profiles.plugins.module_utils.devices.containers import containers_of
from ansible_collections.retail.profiles.plugins.module_utils.devices.drm_fdinfo import CLASSES, Client, parse
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Counters, Instances

FDINFO_BYTES = 8192  # more than any driver tells
PROCESSES_PER_SECOND = 500  # in lists of all processes of the host, which are at least a second apart
AGAIN_SECONDS = (1.0, 20.0)  # until a process is looked through again: as long as it is known, within these bounds
FIRST_DESCRIPTORS = 50000  # that may be looked at when it begins
DESCRIPTORS_PER_SECOND = 400
DESCRIPTORS_AT_ONCE = 5000
PROCESS_COSTS = 5  # descriptors
NEW = float("-inf")  # when what is new is due: before all that is only due again
_NODES = "/dev/dri/"


class Usage:
    """What the host or a container has used of one GPU: busy nanoseconds by engine class; resident bytes."""

    def __init__(self) -> None:
        self.busy_ns: dict[str, float] = {}
        self.local: Optional[int] = None
        self.system: Optional[int] = None

    def let_go(self) -> None:
        """Begin to add up anew who holds memory: none does."""
        self.local = None if self.local is None else 0
        self.system = None if self.system is None else 0

    def hold(self, client: Client) -> None:
        """Add what a client holds of the memory now."""
        if client.local is not None:
            self.local = (self.local or 0) + client.local
        if client.system is not None:
            self.system = (self.system or 0) + client.system

    def counters(self) -> Counters:
        """As a sample's record has them."""
        told: Counters = {f"{name}_busy_ns": round(self.busy_ns[name]) for name in CLASSES if name in self.busy_ns}
        if self.local is not None:
            told["memory_used_bytes"] = self.local
        if self.system is not None:
            told["memory_system_bytes"] = self.system
        return told


class _Followed:
    """A client, the containers that it is in, and the descriptors of processes through which it can be read.

    *at* is when it was read; None where its GPU slept since then.
    """

    def __init__(self, containers: frozenset[str], client: Client, now: float) -> None:
        self.containers = containers
        self.client = client
        self.at: Optional[float] = now
        self.paths: list[str] = []
        self._open: Optional[int] = None

    def read(self) -> Optional[Client]:
        """The client as it is now; None when no process holds it any more."""
        while self.paths:
            try:
                if self._open is None:
                    self._open = os.open(self.paths[0], os.O_RDONLY | os.O_CLOEXEC)
                seen = parse(os.pread(self._open, FDINFO_BYTES, 0))
            except OSError:
                seen = None  # the descriptor, or its process, is no more
            if seen is not None and (seen.pdev, seen.id) == (self.client.pdev, self.client.id):
                return seen
            self.close()
            del self.paths[0]
        return None

    def close(self) -> None:
        if self._open is not None:
            os.close(self._open)
            self._open = None


class DrmClients:
    """The clients of the host's GPUs. *nodes*: the GPUs' PCI addresses by the names of their nodes in /dev/dri.

    `host` and `containers` (by id) add up what was used since the beginning, also by clients that have ended.
    *incomplete*: there are processes that could not be looked through.
    """

    def __init__(self, nodes: Mapping[str, str], proc: str) -> None:
        self.host = {pdev: Usage() for pdev in nodes.values()}
        self.containers: dict[str, dict[str, Usage]] = {}
        self.incomplete = False
        self._proc = proc
        self._nodes = nodes
        self._clients: dict[tuple[str, str], _Followed] = {}
        self._known: dict[int, float] = {}  # processes, and since when
        self._kernel: set[int] = set()  # its threads have no descriptors
        self._due: list[tuple[float, int]] = []
        self._list_at = float("-inf")
        self._allowed = float(FIRST_DESCRIPTORS)
        self._before: Optional[float] = None
        self._ns_per_cycle: dict[str, float] = {}

    def read(self, now: float, asleep: Collection[str] = ()) -> None:
        """Bring everything up to *now* (monotonic seconds).

        GPUs that are *asleep* are not asked: nothing is done on them, and some drivers would wake them to answer.
        """
        self._read_clients(now, asleep)
        if now >= self._list_at:
            self._list(now)
        self._look(now, asleep)
        self._add_up_memory()
        self._before = now

    def of_containers(self) -> dict[str, Instances]:
        """What each container has used, by its id."""
        return {
            name: {pdev: usage.counters() for pdev, usage in devices.items()}
            for name, devices in self.containers.items()
        }

    def close(self) -> None:
        """Let go of the descriptors."""
        while self._clients:
            self._clients.popitem()[1].close()

    # Which processes to look through, and when

    def _list(self, now: float) -> None:
        pids = {int(name) for name in os.listdir(self._proc) if name.isdigit()}
        self._list_at = now + max(0.99, len(pids) / PROCESSES_PER_SECOND)
        self._kernel &= pids
        self.incomplete = self.incomplete or 1 not in pids  # mounted with hidepid
        for pid in pids.difference(self._known, self._kernel):
            self._known[pid] = now
            heapq.heappush(self._due, (NEW, pid))

    def _look(self, now: float, asleep: Collection[str]) -> None:
        if self._before is not None:
            earned = (now - self._before) * DESCRIPTORS_PER_SECOND
            self._allowed = max(self._allowed, min(DESCRIPTORS_AT_ONCE, self._allowed + earned))
        stop = max(0.0, self._allowed - DESCRIPTORS_AT_ONCE)
        least, most = AGAIN_SECONDS
        while self._due and self._due[0][0] <= now and self._allowed > stop:
            due, pid = heapq.heappop(self._due)
            descriptors = self._look_through(pid, now, asleep, new=due == NEW)
            self._allowed -= PROCESS_COSTS + (descriptors or 0)
            if descriptors is None:
                del self._known[pid]
            else:
                heapq.heappush(self._due, (now + min(most, max(least, now - self._known[pid])), pid))

    def _look_through(self, pid: int, now: float, asleep: Collection[str], new: bool) -> Optional[int]:
        """Find the clients among a process' descriptors: how many it has; None when it is not to be looked at again."""
        try:
            handle = os.open(f"{self._proc}/{pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                names = os.listdir(handle)
                for name in names:
                    node = _target(name, handle)
                    if node.startswith(_NODES) and self._nodes.get(node[len(_NODES) :]) not in asleep:
                        self._found(pid, name, now, new)
            finally:
                os.close(handle)
        except PermissionError:
            self.incomplete = True
            return 0
        except OSError:
            return None  # it has ended
        if not names and not os.path.exists(f"{self._proc}/{pid}/exe"):
            self._kernel.add(pid)
            return None
        return len(names)

    # What clients tell

    def _found(self, pid: int, descriptor: str, now: float, new: bool) -> None:
        path = f"{self._proc}/{pid}/fdinfo/{descriptor}"
        try:
            seen = parse(read_file(path))
        except FileNotFoundError:
            return  # closed since
        if seen is None or seen.pdev not in self.host:
            return
        followed = self._clients.get((seen.pdev, seen.id))
        if followed is None:
            followed = self._clients[seen.pdev, seen.id] = _Followed(containers_of(pid, self._proc), seen, now)
            self._count(followed, seen, self._done_before(seen, now) if new else {})
        if path not in followed.paths:
            followed.paths.append(path)

    def _done_before(self, seen: Client, now: float) -> Mapping[str, float]:
        """What a client of a new process did since the last reading; nothing where it must be older than that."""
        scale = 1.0 if seen.clock is None else self._ns_per_cycle.get(seen.pdev)
        if self._before is None or scale is None:
            return {}
        done = {name: value * scale for name, value in seen.busy.items()}
        return done if max(done.values(), default=0.0) <= (now - self._before) * 1e9 else {}

    def _read_clients(self, now: float, asleep: Collection[str]) -> None:
        for key, followed in list(self._clients.items()):
            if key[0] in asleep:
                followed.at = None
                continue
            seen = followed.read()
            if seen is None:
                del self._clients[key]
                continue
            self._count(followed, seen, self._done(followed, seen, now))
            # A driver may tell less than it told before, and catches up later.
            larger = {name: max(value, followed.client.busy.get(name, 0.0)) for name, value in seen.busy.items()}
            followed.client, followed.at = replace(seen, busy=larger), now

    def _done(self, followed: _Followed, seen: Client, now: float) -> Mapping[str, float]:
        """By engine class the nanoseconds that a client kept it busy since it was read before."""
        before = followed.client
        scale: Optional[float] = 1.0
        if seen.clock is not None:
            cycles = seen.clock - (before.clock or 0)
            if followed.at is not None and cycles > 0:
                self._ns_per_cycle[seen.pdev] = (now - followed.at) * 1e9 / cycles
            scale = self._ns_per_cycle.get(seen.pdev)
        if scale is None:
            return {}
        return {name: max(0.0, value - before.busy.get(name, 0.0)) * scale for name, value in seen.busy.items()}

    def _count(self, followed: _Followed, seen: Client, done: Mapping[str, float]) -> None:
        usages = [self.host[seen.pdev]]
        for name in followed.containers:
            devices = self.containers.setdefault(name, {})
            usages.append(devices.setdefault(seen.pdev, Usage()))
        for usage in usages:
            for name in seen.busy:
                usage.busy_ns[name] = usage.busy_ns.get(name, 0.0) + done.get(name, 0.0)

    def _add_up_memory(self) -> None:
        for devices in (self.host, *self.containers.values()):
            for usage in devices.values():
                usage.let_go()
        for followed in self._clients.values():
            pdev = followed.client.pdev
            self.host[pdev].hold(followed.client)
            for name in followed.containers:
                self.containers[name][pdev].hold(followed.client)


def _target(name: str, directory: int) -> str:
    try:
        return os.readlink(name, dir_fd=directory)
    except FileNotFoundError:
        return ""  # closed since
