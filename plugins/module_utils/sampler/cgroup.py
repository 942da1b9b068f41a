# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters of one container: its cgroup's files (v1 or v2) and its network, kept open and read with ``pread``.

Hand-written because the engine's own statistics take a request a container and come once a second: nothing here asks
it. Files that cannot be opened are told once, by metric, with the reason.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.kernel_files import read_file, reason
from ansible_collections.retail.profiles.plugins.module_utils.sampler import kernel_text

READ_BYTES = 65536  # more than any of these files is long
SEARCH_DEPTH = 8
SEARCH_DIRECTORIES = 20000
GONE = (errno.ENODEV, errno.ENOENT, errno.ESRCH)
NO_BLOCK_IO = "the kernel counts no block I/O by control group on this host"

_V1_FILES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("cpu", "cpuacct", ("cpuacct.usage",)),
    ("throttle", "cpu", ("cpu.stat",)),
    ("memory", "memory", ("memory.usage_in_bytes",)),
    ("memory_stat", "memory", ("memory.stat",)),
    ("oom", "memory", ("memory.oom_control",)),
    # The first has counts under any I/O scheduler, if at all; the others only under BFQ and, on old kernels, CFQ.
    (
        "block",
        "blkio",
        (
            "blkio.throttle.io_service_bytes_recursive",
            "blkio.bfq.io_service_bytes_recursive",
            "blkio.io_service_bytes_recursive",
        ),
    ),
)
_V2_FILES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("cpu", "", ("cpu.stat",)),
    ("memory", "", ("memory.current",)),
    ("memory_stat", "", ("memory.stat",)),
    ("oom", "", ("memory.events",)),
    ("block", "", ("io.stat",)),
)
_METRIC = {"throttle": "cpu_throttled", "memory_stat": "memory_stat", "oom": "oom", "block": "block_io"}


class GoneError(Exception):
    """The container's control group or process is no more."""


class Hierarchies:
    """Where control groups are mounted on this host, and how a process' path is found below the mounts.

    *stacked* are the block devices that lie on others; *proc* is where the processes are.
    """

    def __init__(
        self, mounts: list[kernel_text.CgroupMount], stacked: frozenset[str] = frozenset(), proc: str = "/proc"
    ) -> None:
        self.mounts = mounts
        self.stacked = stacked
        self.proc = proc

    @classmethod
    def of_this_host(cls) -> Hierarchies:
        """Read ``/proc/self/mountinfo`` and ``/sys/block``."""
        return cls(kernel_text.cgroup_mounts(read_file("/proc/self/mountinfo")), stacked_devices())

    def mount_of(self, controller: str, paths: dict[str, str]) -> Optional[kernel_text.CgroupMount]:
        """The mount that holds *controller*: version 1 where the process is listed under it, else version 2."""
        for mount in self.mounts:
            if mount.version == 1 and controller in mount.controllers and controller in paths:
                return mount
        for mount in self.mounts:
            if mount.version == 2 and "" in paths:
                return mount
        return None

    def uses_v1(self, paths: dict[str, str]) -> bool:
        """True when CPU or memory of the process are counted by version 1 (a hybrid host counts as version 1)."""
        return any(
            (mount := self.mount_of(controller, paths)) is not None and mount.version == 1
            for controller in ("cpuacct", "memory")
        )

    def directory(self, controller: str, paths: dict[str, str], container_id: str) -> str:
        """The container's directory for *controller* (version 1) or as a whole (version 2, any controller).

        Raises OSError (ENOENT) with the reason when there is none. The path in /proc may be absolute from a namespace
        that is not ours (a host that is itself a container); so it is tried as it is, without the mount's own
        root, and finally the container's id is searched below the mount.
        """
        mount = self.mount_of(controller, paths)
        if mount is None:
            wanted = f"with {controller}" if controller else "of version 2"
            raise FileNotFoundError(errno.ENOENT, f"no control group hierarchy {wanted} is mounted")
        for path in candidates(paths[controller if mount.version == 1 else ""], mount, container_id):
            if os.path.isdir(path):
                return path
        found = search(mount.point, container_id)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, f"no control group of the container below {mount.point}")
        return found


def candidates(path: str, mount: kernel_text.CgroupMount, container_id: str) -> Iterator[str]:
    """Directories where *path* of /proc/<pid>/cgroup may be found below *mount*.

    Only paths that name the container: the group of a process that is in no group of its own would be the whole host's.
    What lies below the container's group (made by an init inside it) is cut off.
    """
    words = [word for word in path.split("/") if word and word != ".."]
    for index, word in enumerate(words):
        if container_id in word:
            words = words[: index + 1]
            break
    else:
        return
    yield os.path.join(mount.point, *words)
    root = [word for word in mount.root.split("/") if word and word != ".."]
    if root and words[: len(root)] == root and len(words) > len(root):
        yield os.path.join(mount.point, *words[len(root) :])


def search(point: str, container_id: str) -> Optional[str]:
    """The nearest directory below *point* whose name holds the container's id; bounded in depth and number."""
    level, seen = [point], 0
    for _depth in range(SEARCH_DEPTH):
        below: list[str] = []
        for directory in level:
            seen += 1
            if seen > SEARCH_DIRECTORIES:
                return None
            with contextlib.suppress(OSError), os.scandir(directory) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if container_id in entry.name:
                            return entry.path
                        below.append(entry.path)
        level = below
    return None


def stacked_devices() -> frozenset[str]:
    """Of the block devices that lie on others, "major:minor"; empty where /sys cannot tell."""
    found = set()
    with contextlib.suppress(OSError):
        for name in os.listdir("/sys/block"):
            with contextlib.suppress(OSError):
                if os.listdir(f"/sys/block/{name}/slaves"):
                    found.add(read_file(f"/sys/block/{name}/dev").decode().strip())
    return frozenset(found)


class Counters:
    """Open descriptors of one container's files; `read` gives the fields of one record.

    *absent* is {metric: reason} of what could not be opened; it is settled when the object exists.
    """

    def __init__(self, hierarchies: Hierarchies, container_id: str, pid: int, own_network: bool) -> None:
        self._stacked = hierarchies.stacked
        self._files: dict[str, int] = {}
        self.absent: dict[str, str] = {}
        self.block_seen = False
        try:
            paths = kernel_text.process_cgroups(read_file(f"{hierarchies.proc}/{pid}/cgroup"))
        except OSError as error:
            if error.errno in GONE:
                raise GoneError from error
            paths = {}
            self.absent["cgroup"] = reason(error, f"{hierarchies.proc}/{pid}/cgroup")
        self.v1 = hierarchies.uses_v1(paths)
        if paths:
            self._open_all(hierarchies, paths, container_id)
        if own_network:
            self._open("net", "network", (f"{hierarchies.proc}/{pid}/net/dev",))

    def _open_all(self, hierarchies: Hierarchies, paths: dict[str, str], container_id: str) -> None:
        directories: dict[str, str] = {}
        for key, controller, names in _V1_FILES if self.v1 else _V2_FILES:
            metric = _METRIC.get(key, key)
            try:
                if controller not in directories:
                    directories[controller] = hierarchies.directory(controller, paths, container_id)
            except OSError as error:
                self.absent[metric] = error.strerror or str(error)
                continue
            self._open(key, metric, tuple(os.path.join(directories[controller], name) for name in names))

    def _open(self, key: str, metric: str, paths: tuple[str, ...]) -> None:
        why = ""
        for path in paths:
            try:
                self._files[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                return
            except OSError as error:
                why = why or reason(error, path)
        self.absent[metric] = why

    @property
    def readable(self) -> bool:
        """True when the container's end can be told from its files."""
        return any(key in self._files for key in ("cpu", "memory"))

    @property
    def has_network(self) -> bool:
        """True when the interfaces of its network can be read."""
        return "net" in self._files

    def _text(self, key: str) -> bytes:
        descriptor = self._files.get(key)
        if descriptor is None:
            return b""
        try:
            return os.pread(descriptor, READ_BYTES, 0)
        except OSError as error:
            if error.errno in GONE:
                raise GoneError from error
            # Was readable when it was opened, and is not now: give it up, with the reason, rather than fail each time.
            metric = _METRIC.get(key, "network" if key == "net" else key)
            self.absent[metric] = reason(error, key)
            os.close(self._files.pop(key))
            return b""

    def read(self, counts_block_io: bool) -> dict[str, Any]:
        """The fields of a container record; a value that cannot be had is None.

        *counts_block_io*: the kernel is known to count block I/O; then a group that names no device did none.
        Raises GoneError when the group is no more.
        """
        if self.v1:
            cpu = kernel_text.cpu_v1(self._text("cpu"), self._text("throttle"))
            memory = kernel_text.memory_v1(self._text("memory"), self._text("memory_stat"), self._text("oom"))
            block = kernel_text.block_v1(self._text("block"), self._stacked)
        else:
            cpu = kernel_text.cpu_v2(self._text("cpu"))
            memory = kernel_text.memory_v2(self._text("memory"), self._text("memory_stat"), self._text("oom"))
            block = kernel_text.block_v2(self._text("block"), self._stacked)
        if block is not None:
            self.block_seen = True
        elif counts_block_io and "block" in self._files:
            block = (0, 0)
        net = kernel_text.net_total(self._text("net")) if "net" in self._files else None
        return {
            "cpu_ns": cpu.cpu_ns,
            "periods": cpu.periods,
            "throttled": cpu.throttled,
            "mem_usage": memory.usage,
            "mem_inactive_file": memory.inactive_file,
            "mem_anon": memory.anon,
            "mem_file": memory.file,
            "oom": memory.oom,
            "net": None if net is None else {"rx": net[0], "tx": net[1]},
            "blk": None if block is None else {"read": block[0], "write": block[1]},
        }

    def close(self) -> None:
        """Let go of the descriptors."""
        while self._files:
            os.close(self._files.popitem()[1])


def block_io_is_counted(hierarchies: Hierarchies) -> bool:
    """True when the top of a hierarchy on this host names a block device: then empty files mean no I/O."""
    for mount in hierarchies.mounts:
        if mount.version == 2:
            names, parse = _V2_FILES[-1][2], kernel_text.block_v2
        elif "blkio" in mount.controllers:
            names, parse = _V1_FILES[-1][2], kernel_text.block_v1
        else:
            continue
        for name in names:
            with contextlib.suppress(OSError):
                if parse(read_file(os.path.join(mount.point, name))) is not None:
                    return True
    return False
