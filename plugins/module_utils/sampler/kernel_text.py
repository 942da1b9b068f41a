# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsers of what the kernel prints in /proc and in cgroup v1 and v2 about containers and the host.

Hand-written because hosts have no psutil, and psutil knows no control groups. All are pure: bytes in, numbers out. A
value that the text does not hold is ``None`` (missing), never zero.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple, Optional

SECTOR_BYTES = 512  # /proc/diskstats counts in these, whatever the device's own block size

Bytes2 = tuple[int, int]
"""Two counters in bytes: received and sent, or read and written."""


class CpuCounters(NamedTuple):
    """CPU time used (nanoseconds); CFS bandwidth periods passed, and how many of them were throttled."""

    cpu_ns: Optional[int]
    periods: Optional[int]
    throttled: Optional[int]


class MemoryCounters(NamedTuple):
    """Memory of a control group in bytes, and the count of processes killed for lack of it."""

    usage: Optional[int]
    inactive_file: Optional[int]
    anon: Optional[int]
    file: Optional[int]
    oom: Optional[int]


@dataclass(frozen=True)
class CgroupMount:
    """A mounted control group hierarchy.

    *controllers* is empty for version 2; *root* is the group of the hierarchy that is visible at *point*.
    """

    version: int
    controllers: frozenset[str]
    root: str
    point: str


def keyed(data: bytes, key: bytes) -> Optional[int]:
    """The number after *key* in ``key value`` lines; None where there is no such line or no number."""
    head = key + b" "
    if data.startswith(head):
        start = len(head)
    else:
        at = data.find(b"\n" + head)
        if at < 0:
            return None
        start = at + 1 + len(head)
    end = data.find(b"\n", start)
    return number(data[start:] if end < 0 else data[start:end])


def number(data: bytes) -> Optional[int]:
    """A file (or field) that is one decimal number; None when it is anything else."""
    text = data.strip()
    return int(text) if text.isdigit() else None


def cpu_v1(usage: bytes, stat: bytes) -> CpuCounters:
    """From ``cpuacct.usage`` and ``cpu.stat`` of version 1."""
    return CpuCounters(number(usage), keyed(stat, b"nr_periods"), keyed(stat, b"nr_throttled"))


def cpu_v2(stat: bytes) -> CpuCounters:
    """From ``cpu.stat`` of version 2 (microseconds there, nanoseconds here)."""
    usec = keyed(stat, b"usage_usec")
    return CpuCounters(None if usec is None else usec * 1000, keyed(stat, b"nr_periods"), keyed(stat, b"nr_throttled"))


def memory_v1(usage: bytes, stat: bytes, oom: bytes) -> MemoryCounters:
    """From ``memory.usage_in_bytes``, ``memory.stat`` (hierarchical values) and ``memory.oom_control``."""
    return MemoryCounters(
        number(usage),
        keyed(stat, b"total_inactive_file"),
        keyed(stat, b"total_rss"),
        keyed(stat, b"total_cache"),
        keyed(oom, b"oom_kill"),
    )


def memory_v2(current: bytes, stat: bytes, events: bytes) -> MemoryCounters:
    """From ``memory.current``, ``memory.stat`` and ``memory.events``."""
    return MemoryCounters(
        number(current),
        keyed(stat, b"inactive_file"),
        keyed(stat, b"anon"),
        keyed(stat, b"file"),
        keyed(events, b"oom_kill"),
    )


def block_v1(data: bytes, stacked: frozenset[str] = frozenset()) -> Optional[Bytes2]:
    """Bytes read and written, from ``io_service_bytes_recursive``; None when it names no device.

    *stacked*: "major:minor" of devices that lie on others (LVM, RAID); they are left out as the kernel counts the
    same bytes again for the devices below, unless nothing else is named.
    """
    found: dict[str, list[int]] = {}
    for line in data.decode("ascii", "replace").splitlines():
        words = line.split()
        if len(words) == 3 and words[1] in ("Read", "Write") and words[2].isdigit():
            pair = found.setdefault(words[0], [0, 0])
            pair[words[1] == "Write"] += int(words[2])
    return _over_devices({device: (pair[0], pair[1]) for device, pair in found.items()}, stacked)


def block_v2(data: bytes, stacked: frozenset[str] = frozenset()) -> Optional[Bytes2]:
    """Bytes read and written, from ``io.stat``; None when it names no device. *stacked* as in `block_v1`."""
    found: dict[str, Bytes2] = {}
    for line in data.decode("ascii", "replace").splitlines():
        device, _space, rest = line.partition(" ")
        values = dict(word.partition("=")[::2] for word in rest.split())
        read, written = values.get("rbytes", ""), values.get("wbytes", "")
        if read.isdigit() and written.isdigit():
            found[device] = (int(read), int(written))
    return _over_devices(found, stacked)


def _over_devices(found: dict[str, Bytes2], stacked: frozenset[str]) -> Optional[Bytes2]:
    chosen = [pair for device, pair in found.items() if device not in stacked] or list(found.values())
    if not chosen:
        return None
    return sum(pair[0] for pair in chosen), sum(pair[1] for pair in chosen)


def net_dev(data: bytes) -> dict[str, Bytes2]:
    """Bytes received and sent of each interface, from ``net/dev``."""
    result: dict[str, Bytes2] = {}
    for line in data.splitlines():
        name, colon, rest = line.partition(b":")
        if colon:
            words = rest.split()
            if len(words) >= 9 and words[0].isdigit() and words[8].isdigit():
                result[name.strip().decode("ascii", "replace")] = (int(words[0]), int(words[8]))
    return result


def net_total(data: bytes) -> Optional[Bytes2]:
    """Bytes received and sent over all interfaces but the loopback; None when there is no other."""
    pairs = [pair for name, pair in net_dev(data).items() if name != "lo"]
    if not pairs:
        return None
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def proc_stat(data: bytes, ticks_per_second: int) -> Optional[dict[str, float]]:
    """Seconds over all CPUs since the start: busy (not idle, waiting, or stolen), of it irq, total, and steal."""
    words = data.split(b"\n", 1)[0].split()
    if len(words) < 9 or words[0] != b"cpu" or not all(word.isdigit() for word in words[1:9]):
        return None
    user, nice, system, idle, iowait, irq, softirq, steal = (int(word) / ticks_per_second for word in words[1:9])
    busy = user + nice + system + irq + softirq  # guest time is part of user time
    seconds = {"busy": busy, "total": busy + idle + iowait + steal, "steal": steal, "irq": irq + softirq}
    return {name: round(value, 3) for name, value in seconds.items()}


def meminfo(data: bytes) -> Optional[dict[str, int]]:
    """Bytes of memory in total, and available without swapping."""
    values: dict[str, int] = {}
    for name, key in (("total", b"MemTotal"), ("available", b"MemAvailable")):
        match = re.search(rb"^" + key + rb":\s+(\d+) kB", data, re.MULTILINE)
        if match is None:
            return None
        values[name] = int(match.group(1)) * 1024
    return values


def diskstats(data: bytes, whole: frozenset[str]) -> dict[str, Bytes2]:
    """Bytes read and written of each device named in *whole*, from ``/proc/diskstats``."""
    result: dict[str, Bytes2] = {}
    for line in data.decode("ascii", "replace").splitlines():
        words = line.split()
        if len(words) >= 10 and words[2] in whole and words[5].isdigit() and words[9].isdigit():
            result[words[2]] = (int(words[5]) * SECTOR_BYTES, int(words[9]) * SECTOR_BYTES)
    return result


def pressure(data: bytes) -> Optional[float]:
    """Share of the last 10 s (percent) in which some task waited, from ``/proc/pressure/*``."""
    match = re.search(rb"^some avg10=(\d+(?:\.\d+)?)", data, re.MULTILINE)
    return float(match.group(1)) if match else None


def process_cgroups(data: bytes) -> dict[str, str]:
    """Path of each controller, from ``/proc/<pid>/cgroup``; version 2 stands under the key ""."""
    paths: dict[str, str] = {}
    for line in data.decode("utf-8", "surrogateescape").splitlines():
        words = line.split(":", 2)
        if len(words) == 3 and words[2].startswith("/"):
            for controller in words[1].split(","):
                paths[controller] = words[2]
    return paths


def cgroup_mounts(mountinfo: bytes) -> list[CgroupMount]:
    """The control group hierarchies in ``/proc/self/mountinfo``, in its order (see proc(5) for the format)."""
    mounts = []
    for line in mountinfo.decode("utf-8", "surrogateescape").splitlines():
        before, dash, after = line.partition(" - ")
        words, tail = before.split(" "), after.split(" ")
        if not dash or len(words) < 5 or not tail or tail[0] not in ("cgroup", "cgroup2"):
            continue
        version = 2 if tail[0] == "cgroup2" else 1
        options = tail[2].split(",") if len(tail) > 2 and version == 1 else []
        mounts.append(CgroupMount(version, frozenset(options), _unescape(words[3]), _unescape(words[4])))
    return mounts


def _unescape(path: str) -> str:
    """Undo the octal escapes for blanks and backslashes in mountinfo."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), path)
