# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a machine's files to figures: what the readers read of it two times is what the catalogue makes of it."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices.cpu_frequency import CpuFrequency
from ansible_collections.retail.profiles.plugins.module_utils.devices.kinds import KINDS, Devices
from ansible_collections.retail.profiles.plugins.module_utils.devices.memory_bandwidth import MemoryBandwidth
from ansible_collections.retail.profiles.plugins.module_utils.devices.perf_event import Event
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Reader, Roots
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan, observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span, cut

from ...module_utils.devices.trees import planted, put
from ..synthetic import T0, make_plan

SECONDS = 10.0
OF_PROCESSORS = ("cpufreq", "thermal", "throttle", "rapl", "uncore")


class Pmu:
    """Each event counts 2²⁴ lines a reading: 1 GiB."""

    def __init__(self) -> None:
        self._ends: list[int] = []
        self._readings = 0

    def open_event(self, event: Event, cpu: int) -> int:
        told, end = os.pipe()
        self._ends.append(end)
        return told

    def tick(self) -> None:
        self._readings += 1
        for end in self._ends:
            os.write(end, struct.pack("=QQQ", self._readings << 24, 1, 1))

    def close(self) -> None:
        for end in self._ends:
            os.close(end)


def figures(folder: Path, machine: str, later: dict[str, object]) -> dict[tuple[str, str], float]:
    """Means by metric and device of a machine whose files are *later* so after ten seconds."""
    pmu = Pmu()

    made: dict[str, Callable[[Roots], Reader]] = {
        **{kind: make for kind, make in KINDS if kind in OF_PROCESSORS},
        "uncore": lambda roots: MemoryBandwidth(roots, pmu.open_event),
        "cpufreq": lambda roots: CpuFrequency(roots, clock=lambda: 0.0),
    }
    devices = Devices(planted(folder, machine), list(made.items()))
    assert set(devices.absent) <= {"throttle"}
    samples: list[dict[str, Any]] = []
    for second in (0.0, SECONDS):
        pmu.tick()
        samples.append({"host": "server", "t": T0 + second, "type": "host", "devices": devices.read(second)})
        for path, content in later.items():
            put(folder, path, content)
    devices.close()
    pmu.close()
    told = observations.observe(measured_plan.of_plan(make_plan(hosts=1, clients=0)), samples, {})
    found = {}
    for series in told.devices["server"]:
        summary = cut(series, [Span(T0 - 1, T0 + SECONDS)])
        assert summary is not None and summary.mean is not None
        found[series.name, str(series.instance)] = summary.mean
    return found


def test_a_server_with_two_packages(tmp_path: Path) -> None:
    power, cpu = "/sys/devices/virtual/powercap/intel-rapl", "/sys/devices/system/cpu"
    later = {
        f"{power}/intel-rapl:0/energy_uj": 216124857401 + 2_500_000_000,
        f"{power}/intel-rapl:1/energy_uj": 198765432101 + 1_800_000_000,
        f"{power}/intel-rapl:0/intel-rapl:0:0/energy_uj": 38423101234 + 300_000_000,
        f"{cpu}/cpu0/thermal_throttle/package_throttle_total_time_ms": 120 + 2500,
        f"{cpu}/cpu0/thermal_throttle/package_throttle_count": 7 + 40,
        f"{cpu}/cpu1/thermal_throttle/core_throttle_total_time_ms": 10 + 4000,
        f"{cpu}/cpufreq/policy2/scaling_cur_freq": 1100000,
        "/sys/devices/platform/coretemp.0/hwmon/hwmon2/temp1_input": 99000,
    }
    found = figures(tmp_path, "xeon_2_sockets", later)
    expected = {
        ("package_power_watts", "package-0"): 250.0,
        ("package_power_watts", "package-1"): 180.0,
        ("dram_power_watts", "package-0"): 30.0,
        ("dram_power_watts", "package-1"): 0.0,
        ("package_throttled_percent", "package-0"): 25.0,
        ("package_throttled_percent", "package-1"): 0.0,
        ("cores_throttled_percent", "package-0"): 20.0,
        ("throttlings_per_second", "package-0"): 4.0,
        ("cpu_frequency_hertz", "package-1"): (3.1e9 + 2.6e9) / 2,
        ("cpu_frequency_min_hertz", "package-1"): (3.1e9 + 1.1e9) / 2,
        ("cpu_frequency_max_hertz", "package-0"): 3.2e9,
        ("cpu_temperature_celsius", "package-0"): (61.0 + 99.0) / 2,
        ("memory_read_bytes_per_second", "package-1"): 2 * 2**30 / SECONDS,
        ("memory_write_bytes_per_second", "package-1"): 2 * 2**30 / SECONDS,
        ("memory_bandwidth_bytes_per_second", "package-0"): 4 * 2**30 / SECONDS,
    }
    assert {key: found[key] for key in expected} == pytest.approx(expected)
    assert {device for _name, device in found} == {"package-0", "package-1"}
    assert "platform_power_watts" not in {name for name, _device in found}


def test_a_counter_that_wraps_has_the_power_that_it_had(tmp_path: Path) -> None:
    package = "/sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj"
    found = figures(tmp_path, "epyc_1_socket", {package: 51234567890 + 20_000_000_000 - 65532610987})
    assert found["package_power_watts", "package-0"] == pytest.approx(2000.0)


def test_a_laptop(tmp_path: Path) -> None:
    power = "/sys/devices/virtual/powercap"
    later = {
        f"{power}/intel-rapl/intel-rapl:0/energy_uj": 34598713401 + 280_000_000,
        f"{power}/intel-rapl/intel-rapl:1/energy_uj": 91234567890 + 450_000_000,
        f"{power}/intel-rapl-mmio/intel-rapl-mmio:0/energy_uj": 34598711111 + 280_000_000,
    }
    found = figures(tmp_path, "core_ultra_laptop", later)
    powers = {key: value for key, value in found.items() if key[0].endswith("_watts")}
    assert powers == pytest.approx({("package_power_watts", "package-0"): 28.0, ("platform_power_watts", "psys"): 45.0})
    assert found["cpu_frequency_hertz", "package-0 cpu_atom"] == pytest.approx(3.5e9)
