# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes by memory controllers: which events are opened on which CPUs, and what their counts come to."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices import perf_event
from ansible_collections.retail.profiles.plugins.module_utils.devices.memory_bandwidth import MemoryBandwidth, event_of
from ansible_collections.retail.profiles.plugins.module_utils.devices.perf_event import Event, RefusedError

from .trees import plant, planted, put, roots

MIB = 1 << 20


class Counters:
    """The kernel's side of events: what was opened, and what a descriptor tells at its next reading."""

    def __init__(self) -> None:
        self.opened: list[tuple[Event, int]] = []
        self._ends: list[int] = []

    def open_event(self, event: Event, cpu: int) -> int:
        self.opened.append((event, cpu))
        told, end = os.pipe()
        self._ends.append(end)
        return told

    def tell(self, *counts: int, running: int = 1000) -> None:
        """A count for each event, of which the hardware counted so many of 1000 nanoseconds."""
        for end, value in zip(self._ends, counts, strict=True):
            os.write(end, struct.pack("=QQQ", value, 1000, running))

    def close(self) -> None:
        for end in self._ends:
            os.close(end)


@pytest.fixture
def counters() -> Iterator[Counters]:
    found = Counters()
    yield found
    found.close()


def test_a_xeon_counts_each_channel_on_a_cpu_of_each_package(tmp_path: Path, counters: Counters) -> None:
    reader = MemoryBandwidth(planted(tmp_path, "xeon_2_sockets"), counters.open_event)
    read, write = 0x0F04, 0x3004
    assert counters.opened == [
        (Event(type, config), cpu) for type in (14, 15) for config in (read, write) for cpu in (0, 2)
    ]
    counters.tell(1 << 14, 2 << 14, 4 << 14, 8 << 14, 16 << 14, 32 << 14, 64 << 14, 128 << 14)
    assert reader.read() == {
        "package-0": {"read_bytes": 17 * MIB, "write_bytes": 68 * MIB},
        "package-1": {"read_bytes": 34 * MIB, "write_bytes": 136 * MIB},
    }
    assert reader.absent == {}
    reader.close()


def test_a_laptop_has_counters_that_always_run(tmp_path: Path, counters: Counters) -> None:
    reader = MemoryBandwidth(planted(tmp_path, "core_ultra_laptop"), counters.open_event)
    assert counters.opened == [(Event(type, config), 0) for type in (26, 27) for config in (0x20FF, 0x30FF)]
    counters.tell(*[1 << 14] * 4)
    assert reader.read() == {"package-0": {"read_bytes": 2 * MIB, "write_bytes": 2 * MIB}}
    reader.close()


def test_an_epyc_has_events_without_names(tmp_path: Path, counters: Counters) -> None:
    reader = MemoryBandwidth(planted(tmp_path, "epyc_1_socket"), counters.open_event)
    assert counters.opened == [(Event(type, config), 0) for type in (18, 19) for config in (0x10A, 0x20A)]
    counters.tell(1, 2, 3, 4)
    assert reader.read() == {"package-0": {"read_bytes": 4 * 64, "write_bytes": 6 * 64}}
    reader.close()


def test_what_was_counted_for_a_part_of_the_time_is_estimated(tmp_path: Path, counters: Counters) -> None:
    reader = MemoryBandwidth(planted(tmp_path, "epyc_1_socket"), counters.open_event)
    counters.tell(1, 0, 0, 0, running=250)
    assert reader.read()["package-0"]["read_bytes"] == 4 * 64
    counters.tell(1, 0, 0, 0, running=0)
    assert reader.read() == {}
    assert reader.absent == {"uncore": "[Errno 16] others use all counters of the hardware"}
    reader.close()


def test_bits_go_where_the_format_says(tmp_path: Path) -> None:
    plant(tmp_path, "/pmu/type: 7\n/pmu/format/event: config:0-7,32-35\n/pmu/format/edge: config1:18\n")
    assert event_of(str(tmp_path / "pmu"), "event=0xa12,edge") == Event(7, 0xA_0000_0012, 1 << 18)


def test_a_part_of_the_controllers_is_not_the_whole(tmp_path: Path, counters: Counters) -> None:
    def second_fails(event: Event, cpu: int) -> int:
        if counters.opened:
            raise RefusedError(perf_event.refusal(13))
        return counters.open_event(event, cpu)

    reader = MemoryBandwidth(planted(tmp_path, "xeon_2_sockets"), second_fails)
    assert reader.read() == {}
    assert reader.absent == {
        "uncore": "only root may count what all processes do (/proc/sys/kernel/perf_event_paranoid)"
    }


def test_an_event_without_a_size_is_none(tmp_path: Path, counters: Counters) -> None:
    machine = planted(tmp_path, "core_ultra_laptop")
    put(tmp_path, "/sys/devices/uncore_imc_free_running_0/events/data_read.unit", "parsec")
    reader = MemoryBandwidth(machine, counters.open_event)
    assert reader.read() == {}
    assert reader.absent == {"uncore": "'parsec' is no unit of bytes"}


def test_a_virtual_machine_has_none(tmp_path: Path, counters: Counters) -> None:
    reader = MemoryBandwidth(roots(tmp_path), counters.open_event)
    assert reader.read() == {}
    assert reader.absent == {
        "uncore": f"the kernel offers no event of a memory controller in {tmp_path}/sys/bus/event_source/devices"
    }


def test_the_kernel_takes_our_event_or_refuses_it() -> None:
    """PERF_COUNT_SW_CPU_CLOCK, which every machine has, counts nanoseconds."""
    try:
        descriptor = perf_event.open_event(Event(1, 0), min(os.sched_getaffinity(0)))
    except RefusedError as error:
        assert "perf_event" in str(error)
        return
    before = perf_event.count(descriptor)
    while (after := perf_event.count(descriptor)) == before:
        pass
    os.close(descriptor)
    assert 0 < after - before < 10e9


def test_an_event_that_is_none_is_refused_with_the_kernels_word() -> None:
    with pytest.raises(RefusedError, match="perf_event"):
        perf_event.open_event(Event(0xFFFF, 0), 0)
