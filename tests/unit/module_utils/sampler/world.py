# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host for the sampler, all in one thread: a clock, an engine, containers with their control groups.

While the sampler waits, the engine answers; where nothing is ready, the clock goes on, and what is due happens.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import selectors
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional
from urllib.parse import parse_qs, urlsplit

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices.kinds import Devices
from ansible_collections.retail.profiles.plugins.module_utils.sampler import loop, replica
from ansible_collections.retail.profiles.plugins.module_utils.sampler.cgroup import Hierarchies
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config, Scrape, Watched
from ansible_collections.retail.profiles.plugins.module_utils.sampler.host import HostCounters
from ansible_collections.retail.profiles.plugins.module_utils.sampler.kernel_text import CgroupMount
from ansible_collections.retail.profiles.plugins.module_utils.sampler.store import Before, Store

Record = dict[str, Any]
EPOCH = 1_795_424_000.0  # 2026-11-23T08:53:20Z
GRANULE = 1e-6

#: what a host with cgroup v2 (systemd) shows of a container, below /sys/fs/cgroup; {id} stands for the container's
V2 = {
    "system.slice/docker-{id}.scope/cpu.stat": (
        "usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\nnr_periods 40\nnr_throttled 7\nthrottled_usec 9\n"
    ),
    "system.slice/docker-{id}.scope/memory.current": "52428800\n",
    "system.slice/docker-{id}.scope/memory.stat": "anon 30000000\nfile 20000000\nkernel 90\ninactive_file 12000000\n",
    "system.slice/docker-{id}.scope/memory.events": "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n",
    "system.slice/docker-{id}.scope/io.stat": "254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0\n",
}
#: what one with cgroup v1 shows (cgroupfs, a hierarchy a controller)
V1 = {
    "cpu/docker/{id}/cpu.stat": "nr_periods 40\nnr_throttled 7\nthrottled_time 9000\n",
    "cpuacct/docker/{id}/cpuacct.usage": "1234567000\n",
    "memory/docker/{id}/memory.usage_in_bytes": "52428800\n",
    "memory/docker/{id}/memory.stat": (
        "cache 1\nrss 1\ninactive_file 1\ntotal_cache 20000000\ntotal_rss 30000000\ntotal_inactive_file 12000000\n"
    ),
    "memory/docker/{id}/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n",
    "blkio/docker/{id}/blkio.throttle.io_service_bytes_recursive": (
        "254:0 Read 4096\n254:0 Write 8192\n254:0 Sync 12288\n254:0 Total 12288\nTotal 12288\n"
    ),
}
TREES = {1: V1, 2: V2}
GROUPS = {
    1: "5:blkio:/docker/{id}\n4:memory:/docker/{id}\n2:cpuacct:/docker/{id}\n1:cpu:/docker/{id}\n0::/\n",
    2: "0::/system.slice/docker-{id}.scope\n",
}
NET = (
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier\n"
    "    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0\n"
    "  eth0:    7000      10    0    0    0     0          0         0     3000       9    0    0    0     0       0\n"
)
#: the fields of a record of a container with any of these trees
COUNTED = {
    "cpu_ns": 1234567000,
    "periods": 40,
    "throttled": 7,
    "mem_usage": 52428800,
    "mem_inactive_file": 12000000,
    "mem_anon": 30000000,
    "mem_file": 20000000,
    "oom": 1,
    "net": {"rx": 7000, "tx": 3000},
    "blk": {"read": 4096, "write": 8192},
}


class Clock:
    """Stands in for the module ``time``: it goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.set_by = 0.0  # seconds by which somebody has set the wall clock

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return EPOCH + self.now + self.set_by

    def process_time(self) -> float:
        return self.now / 1000


def stamp(t_ns: int) -> str:
    """A time as the engine writes it."""
    seconds, nanoseconds = divmod(t_ns, 1_000_000_000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{nanoseconds:09d}Z"


@dataclass
class Container:
    """A container of the engine; ``pid`` is 0 while it does not run."""

    name: str
    id: str
    pid: int = 0
    status: str = "created"
    started_at: str = "0001-01-01T00:00:00Z"
    exit_code: int = 0
    tty: bool = False
    network_mode: str = "bridge"
    address: str = "127.0.0.1"
    env: dict[str, str] = field(default_factory=dict)
    log: list[tuple[int, int, str]] = field(default_factory=list)  # time, stream, text
    archives: dict[str, bytes] = field(default_factory=dict)  # by the path that is asked for

    def inspected(self) -> bytes:
        secrets = {"retail.profiles.secrets": " ".join(self.env)} if self.env else {}
        described = {
            "Id": self.id,
            "State": {
                "Pid": self.pid,
                "Status": self.status,
                "StartedAt": self.started_at,
                "ExitCode": self.exit_code,
            },
            "Config": {
                "Tty": self.tty,
                "Env": [f"{name}={value}" for name, value in self.env.items()],
                "Labels": secrets,
            },
            "HostConfig": {"NetworkMode": self.network_mode},
            "NetworkSettings": {"Networks": {"bridge": {"IPAddress": self.address}}},
        }
        return json.dumps(described).encode()

    def framed(self, line: tuple[int, int, str]) -> bytes:
        t_ns, stream, text = line
        data = f"{stamp(t_ns)} {text}\n".encode()
        return data if self.tty else bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


def answer(status: int, body: bytes) -> bytes:
    return f"HTTP/1.0 {status} whatever\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


class Served:
    """A listening socket whose connections are answered by ``respond`` when `serve` is called. Nothing blocks."""

    def __init__(self, address: Any, respond: Callable[[socket.socket, str], Optional[bytes]]) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self._listener = socket.socket(family, socket.SOCK_STREAM)
        self._listener.bind(address)
        self._listener.listen(64)
        self._listener.setblocking(False)
        self.address = self._listener.getsockname()
        self._respond = respond
        self._asking: dict[socket.socket, bytes] = {}
        self.held: list[socket.socket] = []

    def serve(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, _peer = self._listener.accept()
                connection.setblocking(False)
                self._asking[connection] = b""
        for connection in list(self._asking):
            with contextlib.suppress(BlockingIOError):
                data = connection.recv(65536)
                self._asking[connection] += data
                if not data or b"\r\n\r\n" in self._asking[connection]:
                    self._take(connection, self._asking.pop(connection))

    def _take(self, connection: socket.socket, request: bytes) -> None:
        response = self._respond(connection, request.decode().split(" ")[1]) if request else b""
        if response is None:
            self.held.append(connection)  # its answer comes later, or never
            return
        with contextlib.suppress(OSError):
            connection.sendall(response)
        connection.close()

    def close(self) -> None:
        for connection in (*self._asking, *self.held, self._listener):
            connection.close()
        self._asking.clear()
        self.held.clear()


class Engine:
    """The engine's answers to what the sampler asks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.path = str(world.folder / "docker.sock")
        self.asked: list[str] = []
        self.refusals: dict[str, tuple[int, bytes]] = {}  # by the end of the path
        self.silent = False
        self.containers: dict[str, Container] = {}
        self._followers: dict[str, dict[socket.socket, bytes]] = {}  # and what they have yet to get
        self._served: Optional[Served] = None

    def up(self) -> None:
        self._served = Served(self.path, self._respond)

    def down(self) -> None:
        """It goes away, and all connections with it."""
        if self._served is not None:
            self._served.close()
            self._served = None
            os.unlink(self.path)
        self._followers.clear()

    def serve(self) -> None:
        if self._served is not None:
            self._served.serve()
        for followers in self._followers.values():
            for connection, data in followers.items():
                with contextlib.suppress(OSError):  # full for now, or closed by who followed
                    followers[connection] = data[connection.send(data) :] if data else b""

    def _respond(self, connection: socket.socket, target: str) -> Optional[bytes]:
        self.asked.append(target)
        url = urlsplit(target)
        _empty, _containers, name, what = url.path.split("/")
        for end, (status, body) in self.refusals.items():
            if url.path.endswith(end):
                return answer(status, body)
        if self.silent:
            return None
        found = next((item for item in self.containers.values() if name in (item.name, item.id)), None)
        if found is None:
            return answer(404, json.dumps({"message": f"No such container: {name}"}).encode())
        if what == "json":
            return answer(200, found.inspected())
        if what == "archive":
            data = found.archives.get(parse_qs(url.query)["path"][0])
            return answer(404, b'{"message": "Could not find the file"}') if data is None else answer(200, data)
        return self._follow(connection, found, parse_qs(url.query))

    def _follow(self, connection: socket.socket, container: Container, query: dict[str, list[str]]) -> Optional[bytes]:
        since = [int(part) for part in query.get("since", ["0.0"])[0].split(".")]
        begin = since[0] * 1_000_000_000 + since[1]
        lines = [line for line in container.log if line[0] >= begin][-int(query.get("tail", ["10000"])[0]) :]
        data = b"HTTP/1.0 200 OK\r\n\r\n" + b"".join(map(container.framed, lines))
        if not container.pid:
            return data
        self._followers.setdefault(container.id, {})[connection] = data
        return None

    def say(self, container: Container, text: str, stream: int = 1) -> None:
        """The container logs a line."""
        container.log.append((round(self._world.clock.time() * 1e9), stream, text))
        followers = self._followers.get(container.id, {})
        for connection in followers:
            followers[connection] += container.framed(container.log[-1])

    def end_logs(self, container: Container) -> None:
        for connection, data in self._followers.pop(container.id, {}).items():
            with contextlib.suppress(BrokenPipeError):  # closed by who followed
                connection.sendall(data)
            connection.close()


class World:
    """The host. *version* is that of its control groups."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, version: int = 2) -> None:
        self.folder = folder
        self.version = version
        self.clock = Clock()
        self.engine = Engine(self)
        self.endpoints: list[Served] = []
        self._pid = 700
        self._due: list[tuple[float, Callable[[], None]]] = []
        self.cgroup, self.proc = folder / "cgroup", folder / "proc"
        for path in (self.cgroup, self.proc):
            path.mkdir()
        for module in (loop, replica):
            monkeypatch.setattr(module, "time", self.clock)
        monkeypatch.setattr(loop.selectors, "DefaultSelector", self._selector())
        monkeypatch.setattr(os, "pread", _pread)

    # Time

    def at(self, seconds: float, action: Callable[[], None]) -> None:
        """Let something happen so many seconds after the start."""
        self._due.append((1000.0 + seconds, action))
        self._due.sort(key=lambda due: due[0])

    def elapse(self, seconds: float) -> None:
        """Let time pass up to the next thing that is due."""
        until = self.clock.now + seconds
        if self._due and self._due[0][0] <= until:
            when, action = self._due.pop(0)
            self.clock.now = max(self.clock.now, when)
            action()
        else:
            self.clock.now = until

    def serve(self) -> None:
        for served in (self.engine, *self.endpoints):
            served.serve()

    def _selector(self) -> type[selectors.BaseSelector]:
        world = self

        class Stepping(selectors.EpollSelector):
            """Never waits: the clock goes on instead."""

            def select(self, timeout: Optional[float] = None) -> list[Any]:
                world.serve()
                ready = super().select(0)
                if not ready and timeout:
                    world.elapse(max(timeout, GRANULE))
                return ready

        return Stepping

    # Containers

    def create(self, name: str, **more: Any) -> Container:
        made = Container(name, f"{len(self.engine.containers) + 1:064x}", **more)
        self.engine.containers[made.id] = made
        return made

    def start(self, container: Container, tree: Optional[dict[str, str]] = None, net: str = NET) -> None:
        self._pid += 1
        container.pid, container.status = self._pid, "running"
        container.started_at = stamp(round(self.clock.time() * 1e9))
        for path, text in (TREES[self.version] if tree is None else tree).items():
            self.write(self.cgroup / path.format(id=container.id), text)
        process = self.proc / str(self._pid)
        self.write(process / "cgroup", GROUPS[self.version].format(id=container.id))
        self.write(process / "stat", f"{self._pid} (sh) S " + " ".join(str(self._pid + n) for n in range(4, 30)))
        self.write(process / "net/dev", net)

    def run(self, name: str, **more: Any) -> Container:
        """A container that runs from now on."""
        made = self.create(name, **more)
        self.start(made)
        return made

    def exit(self, container: Container, code: int = 0) -> None:
        """Its process ends: its group goes, and its log ends."""
        shutil.rmtree(self.proc / str(container.pid))
        for path in list(self.cgroup.rglob(f"*{container.id}*")):
            shutil.rmtree(path)
        container.pid, container.status, container.exit_code = 0, "exited", code
        self.engine.end_logs(container)

    @staticmethod
    def write(path: Path, text: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def endpoint(self, respond: Callable[[str], Optional[bytes]]) -> int:
        """A server on the loopback; its port."""
        self.endpoints.append(Served(("127.0.0.1", 0), lambda _connection, path: respond(path)))
        return int(self.endpoints[-1].address[1])

    # The sampler

    def hierarchies(self) -> Hierarchies:
        point = str(self.cgroup)
        if self.version == 2:
            return Hierarchies([CgroupMount(2, frozenset(), "/", point)], proc=str(self.proc))
        controllers = ("cpu", "cpuacct", "memory", "blkio")
        mounts = [CgroupMount(1, frozenset({name}), "/", f"{point}/{name}") for name in controllers]
        return Hierarchies(mounts, proc=str(self.proc))

    def config(self, *watched: str | Watched, interval: float = 1.0, deadline: float = 5.0) -> Config:
        replicas = tuple(Watched(item) if isinstance(item, str) else item for item in watched)
        return Config(interval, deadline, self.engine.path, replicas)

    def sampler(
        self, config: Config, load: Optional[Callable[[], Config]] = None, **more: Any
    ) -> tuple[loop.Sampler, socket.socket]:
        """A sampler, and the socket that wakes it."""
        wake, alarm = socket.socketpair()
        wake.setblocking(False)
        self._wakes = (wake, alarm)
        self.store = more.get("store") or Store(str(self.folder / "samples"))
        before: dict[str, Before] = more.get("before") or {}
        host = more.get("host") or HostCounters(self.host_files(), str(self.folder / "no_block"))
        devices = more.get("devices") or Devices(kinds=())
        made = loop.Sampler(
            config, self.store, wake, load or (lambda: config), before, self.hierarchies(), host, devices
        )
        return made, alarm

    def host_files(self) -> dict[str, str]:
        found = {"cpu": "cpu  100 10 50 1000 40 5 5 30 20 0\n", "mem": "MemTotal: 2 kB\nMemAvailable: 1 kB\n"}
        for name, text in found.items():
            self.write(self.folder / "host" / name, text)
        return {name: str(self.folder / "host" / name) for name in (*found, "psi_cpu", "psi_io")}

    def sampled(self, *watched: str | Watched, seconds: float = 5.0, **more: Any) -> list[Record]:
        """What a sampler records in so many seconds."""
        sampler, _alarm = self.sampler(self.config(*watched, deadline=seconds), **more)
        assert sampler.run() == "deadline"
        return self.records()

    def records(self) -> list[Record]:
        return [json.loads(line) for line in (self.folder / "samples").read_bytes().splitlines()]

    def seconds(self, record: Record) -> float:
        """When a record was taken, since the start."""
        return round(float(record["t"]) - EPOCH - 1000.0, 3)

    def close(self) -> None:
        self.engine.down()
        for endpoint in self.endpoints:
            endpoint.close()
        for end in getattr(self, "_wakes", ()):
            end.close()


_real_pread = os.pread


def _pread(descriptor: int, length: int, offset: int) -> bytes:
    """As the kernel does for a control group: the files of one that is gone cannot be read, though they are open."""
    if os.readlink(f"/proc/self/fd/{descriptor}").endswith(" (deleted)"):
        raise OSError(errno.ENODEV, "No such device")
    return _real_pread(descriptor, length, offset)


def of(records: list[Record], kind: str, **fields: Any) -> list[Record]:
    """Those records of a type that have these fields."""
    return [r for r in records if r["type"] == kind and all(r.get(name) == value for name, value in fields.items())]


def scraped(name: str, port: int, *prefixes: str) -> Watched:
    return Watched(name, Scrape(port, "/metrics", prefixes or ("ovms_",)))


def made(folder: Path, monkeypatch: pytest.MonkeyPatch, version: int = 2) -> Iterator[World]:
    found = World(folder, monkeypatch, version)
    found.engine.up()
    yield found
    found.close()
