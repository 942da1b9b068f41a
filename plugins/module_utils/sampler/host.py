# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters of the host itself from /proc: CPU, memory, network, disks, pressure (PSI); kept open, read with ``pread``.

Hand-written because hosts have no psutil, which also opens each file anew.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any, Optional, TypeVar

from ansible_collections.retail.profiles.plugins.module_utils.common.kernel_files import reason
from ansible_collections.retail.profiles.plugins.module_utils.sampler import kernel_text

T = TypeVar("T")
READ_BYTES = 1 << 20  # /proc/stat and /proc/diskstats are long on large machines
_FILES = {
    "cpu": "/proc/stat",
    "mem": "/proc/meminfo",
    "net": "/proc/net/dev",
    "disk": "/proc/diskstats",
    "psi_cpu": "/proc/pressure/cpu",
    "psi_memory": "/proc/pressure/memory",
    "psi_io": "/proc/pressure/io",
}
_NOT_DISKS = ("loop", "ram", "zram", "sr", "fd")
_ENGINES_END = "veth"  # the host's end of a container's network; the container's own record has its traffic


def whole_disks(names: list[str], has_below: Callable[[str], bool]) -> frozenset[str]:
    """Of the names in /sys/block those to count: no loop or memory devices, and none that lies on others."""
    return frozenset(name for name in names if not name.startswith(_NOT_DISKS) and not has_below(name))


class HostCounters:
    """Open descriptors of the host's files. *absent* is {metric: reason} of what cannot be had."""

    def __init__(
        self, files: Optional[dict[str, str]] = None, sys_block: str = "/sys/block", folder: str = "/"
    ) -> None:
        self.absent: dict[str, str] = {}
        self._folder = folder
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._files: dict[str, int] = {}
        for key, path in (_FILES if files is None else files).items():
            try:
                self._files[key] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
                os.pread(self._files[key], 1, 0)  # with PSI switched off the file opens, and cannot be read
            except OSError as error:
                if key in self._files:
                    os.close(self._files.pop(key))
                self.absent[key] = reason(error, path)
        self._disks: frozenset[str] = frozenset()
        try:
            self._disks = whole_disks(os.listdir(sys_block), lambda name: _lies_on_others(sys_block, name))
        except OSError as error:
            self.absent["disk"] = reason(error, sys_block)
        if not self._disks:
            self.absent.setdefault("disk", "the host has no disk of its own")

    def _parse(self, key: str, parse: Callable[[bytes], Optional[T]]) -> Optional[T]:
        descriptor = self._files.get(key)
        if descriptor is None or key in self.absent:
            return None
        try:
            return parse(os.pread(descriptor, READ_BYTES, 0))
        except OSError as error:
            self.absent[key] = reason(error, key)
            return None

    def read(self) -> dict[str, Any]:
        """The fields of a host record; a part that cannot be had is None."""
        psi = {name: self._parse(f"psi_{name}", kernel_text.pressure) for name in ("cpu", "memory", "io")}
        net = self._parse("net", kernel_text.net_dev)
        return {
            "cpu": self._parse("cpu", lambda data: kernel_text.proc_stat(data, self._ticks)),
            "mem": self._parse("mem", kernel_text.meminfo),
            "net": net and {name: list(pair) for name, pair in net.items() if not name.startswith(_ENGINES_END)},
            "disk": self._parse(
                "disk",
                lambda data: {name: list(pair) for name, pair in kernel_text.diskstats(data, self._disks).items()},
            ),
            "psi": None
            if all(value is None for value in psi.values())
            else {name: None if value is None else [value] for name, value in psi.items()},
            "space": self._space(),
        }

    def _space(self) -> Optional[list[int]]:
        """Bytes that a user may still write, and all bytes, of the file system of the samples."""
        try:
            disk = os.statvfs(self._folder)
        except OSError as error:
            self.absent["space"] = reason(error, self._folder)
            return None
        return [disk.f_bavail * disk.f_frsize, disk.f_blocks * disk.f_frsize]

    def close(self) -> None:
        """Let go of the descriptors."""
        while self._files:
            os.close(self._files.popitem()[1])


def _lies_on_others(sys_block: str, name: str) -> bool:
    with contextlib.suppress(OSError):
        return bool(os.listdir(os.path.join(sys_block, name, "slaves")))
    return False
