# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes that memory controllers have read and written, counted by the uncore PMUs of the processor."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.module_utils.devices import cpus, perf_event
from ansible_collections.retail.profiles.plugins.module_utils.devices.perf_event import Event
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import (
    Instances,
    Reader,
    Roots,
    names_in,
    text_of,
)

FOLDER = "bus/event_source/devices"
LINE_BYTES = 64
_UNITS = {"MiB": 1 << 20, "KiB": 1 << 10, "Bytes": 1}


@dataclass(frozen=True)
class Family:
    """PMUs of memory controllers, and their events: by name, or where the kernel has no names, as perf writes them."""

    pmus: str
    reads: str
    writes: str
    unnamed: Mapping[str, str]

    def direction(self, event: str) -> str:
        """Of an event: the counter that it adds to; empty for one that is of no use."""
        if re.fullmatch(self.reads, event):
            return "read_bytes"
        return "write_bytes" if re.fullmatch(self.writes, event) else ""


# The first that is there counts; the others would count the same bytes again.
FAMILIES = (
    # Xeon; Granite Rapids has two sub-channels
    Family(r"uncore_imc_\d+", r"cas_count_read(_sch\d)?", r"cas_count_write(_sch\d)?", {}),
    # Core from Tiger Lake on; Snow Ridge
    Family(r"uncore_imc_free_running(_\d+)?", r"(data_)?read", r"(data_)?write", {}),
    # Core before that
    Family(r"uncore_imc", r"data_reads", r"data_writes", {}),
    # EPYC from Zen 4 on, from Linux 6.10 on: umc_cas_cmd.rd and .wr
    Family(r"amd_umc_\d+", r"rd", r"wr", {"rd": "event=0x0a,rdwrmask=0x1", "wr": "event=0x0a,rdwrmask=0x2"}),
)


@dataclass(frozen=True)
class Counted:
    """An event of a PMU: what it adds to which counter of which package, and the descriptor that tells how often."""

    package: str
    counter: str
    bytes: float
    descriptor: int


class MemoryBandwidth(Reader):
    """Reads ``read_bytes`` and ``write_bytes`` of each package. A reading interrupts a CPU of each for every event."""

    seconds = 2.0

    def __init__(self, roots: Roots, open_event: Callable[[Event, int], int] = perf_event.open_event) -> None:
        super().__init__(roots)
        self._open_event = open_event
        self._events: list[Counted] = []
        folder = f"{roots.sys}/{FOLDER}"
        try:
            for family in FAMILIES:
                for name in names_in(folder):
                    if re.fullmatch(family.pmus, name):
                        self._open_pmu(family, f"{folder}/{name}")
                if self._events:
                    return
            self.absent["uncore"] = f"the kernel offers no event of a memory controller in {folder}"
        except (perf_event.RefusedError, OSError, LookupError, ValueError) as error:
            self._events.clear()  # a part of the controllers is not the whole
            self.close()
            self.absent["uncore"] = str(error)

    def _open_pmu(self, family: Family, path: str) -> None:
        events = family.unnamed or dict(named(path))
        for name, text in events.items():
            counter = family.direction(name)
            if not counter:
                continue
            event, size = event_of(path, text), LINE_BYTES if family.unnamed else size_of(path, name)
            for cpu in cpus.numbers(text_of(f"{path}/cpumask")):
                descriptor = self._open_event(event, cpu)
                self._descriptors.append(descriptor)
                self._events.append(Counted(cpus.package_of(self.roots, cpu), counter, size, descriptor))

    def read(self) -> Instances:
        """Of all controllers of a package together; nothing while others count with the hardware."""
        found: Instances = {}
        try:
            for event in self._events:
                counters = found.setdefault(event.package, {"read_bytes": 0, "write_bytes": 0})
                counters[event.counter] += round(perf_event.count(event.descriptor) * event.bytes)
        except OSError as error:
            self.absent["uncore"] = str(error)
            return {}
        return found


def named(path: str) -> Iterator[tuple[str, str]]:
    """The events of a PMU: name, and text such as ``event=0x04,umask=0x03``."""
    for name in names_in(f"{path}/events"):
        if "." not in name:
            yield name, text_of(f"{path}/events/{name}")


def size_of(path: str, name: str) -> float:
    """Bytes that an event stands for. Raises OSError, ValueError."""
    unit = text_of(f"{path}/events/{name}.unit")
    if unit not in _UNITS:
        raise ValueError(f"{unit!r} is no unit of bytes")
    return float(text_of(f"{path}/events/{name}.scale")) * _UNITS[unit]


def event_of(path: str, text: str) -> Event:
    """The event of a PMU that a text names; the PMU's formats say where its bits go, as in ``config:0-7,32``.

    Raises OSError, LookupError, ValueError.
    """
    configs = {"config": 0, "config1": 0, "config2": 0}
    for term in text.split(","):
        name, _equals, value = term.partition("=")
        register, _colon, places = text_of(f"{path}/format/{name}").partition(":")
        for number, place in enumerate(cpus.numbers(places)):
            configs[register] |= (int(value or "1", 0) >> number & 1) << place
    return Event(int(text_of(f"{path}/type")), **configs)
