# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guards hosts during a search: one that runs out of memory, disk or a device's memory is not loaded any further."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import (
    DISK_AVAILABLE,
    DISK_SIZE,
    MEMORY_AVAILABLE,
    MEMORY_PRESSURE,
    MEMORY_USED,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series

GPU_MEMORY, GPU_MEMORY_TOTAL = "gpu_memory_used_bytes", "gpu_memory_total_bytes"
PRESSURE_SECONDS = 10.0
"""Of memory pressure the mean over so many seconds counts."""


@dataclass(frozen=True)
class Limits:
    """What a host must keep, and bear. Percent: of its memory and of each GPU's, of the samples' disk, of time stalled
    for want of memory."""

    memory_min: float = 5.0
    disk_min: float = 2.0
    pressure_max: float = 20.0


@dataclass(frozen=True)
class Left:
    """What is left of something on a host, and the least that must be, in percent of all there is of it."""

    host: str
    what: str
    percent: float
    least: float


@dataclass(frozen=True)
class Room:
    """The most streams that a host has room for, by what each of them takes."""

    streams: int
    why: str


def left(seen: Observations, hosts: Sequence[str], limits: Limits) -> list[Left]:
    """What was left last of each thing of each host."""
    return [one for host in hosts for one in _of_host(host, seen, limits)]


def _of_host(host: str, seen: Observations, limits: Limits) -> Iterator[Left]:
    known = seen.hosts.get(host, {})
    available, used = _last(known.get(MEMORY_AVAILABLE.name)), _last(known.get(MEMORY_USED.name))
    if available is not None and used is not None and available + used > 0.0:
        yield Left(host, "memory", 100.0 * available / (available + used), limits.memory_min)
    free, size = _last(known.get(DISK_AVAILABLE.name)), _last(known.get(DISK_SIZE.name))
    if free is not None and size:
        yield Left(host, "disk", 100.0 * free / size, limits.disk_min)
    of_devices = seen.devices.get(host, ())
    totals = {one.instance: _last(one) for one in of_devices if one.name == GPU_MEMORY_TOTAL}
    for one in of_devices:
        taken, total = _last(one), totals.get(one.instance)
        if one.name == GPU_MEMORY and taken is not None and total:
            yield Left(host, f"memory of GPU {one.instance}", 100.0 * (1.0 - taken / total), limits.memory_min)


def _last(series: Series | None) -> float | None:
    return series.points[-1].value if series is not None and series.points else None


def danger(found: Sequence[Left], seen: Observations, hosts: Sequence[str], limits: Limits) -> str | None:
    """Which host is about to run out of what, by what is `left` of it; None while none is."""
    for one in found:
        if one.percent < one.least:
            return f"host {one.host} has {one.percent:.1f} % of its {one.what} left, and must keep {one.least:g} %"
    for host in hosts:
        stalled = _pressure(seen.hosts.get(host, {}))
        if stalled is not None and stalled > limits.pressure_max:
            return (
                f"host {host} stalls {stalled:.0f} % of the time for want of memory, and may {limits.pressure_max:g} %"
            )
    return None


def _pressure(known: Mapping[str, Series]) -> float | None:
    series = known.get(MEMORY_PRESSURE.name)
    if series is None or not series.points:
        return None
    last = [point.value for point in series.points if point.end > series.points[-1].end - PRESSURE_SECONDS]
    return sum(last) / len(last)


def room(before: Sequence[tuple[int, Sequence[Left]]]) -> Room | None:
    """The most streams that all hosts have room for, as what was left goes down with their number; None: no bound.

    ``before``: what was left with so many streams. It is taken to fall by as much with each of them.
    """
    if len({streams for streams, _left in before}) < 2:
        return None
    fewest, most = min(before, key=lambda one: one[0]), max(before, key=lambda one: one[0])
    had = {(one.host, one.what): one.percent for one in fewest[1]}
    found: Room | None = None
    for one in most[1]:
        earlier = had.get((one.host, one.what))
        if earlier is None or one.percent >= earlier:
            continue
        each = (earlier - one.percent) / (most[0] - fewest[0])
        streams = most[0] + max(0, math.floor((one.percent - one.least) / each))
        if found is None or streams < found.streams:
            why = (
                f"host {one.host} would have less than {one.least:g} % of its {one.what} left with more:"
                f" each takes {each:.2g} %, and {one.percent:.1f} % were left with {most[0]}"
            )
            found = Room(streams, why)
    return found
