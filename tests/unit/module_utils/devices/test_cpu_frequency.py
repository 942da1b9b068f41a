# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frequencies of CPUs: by package and type of core, in turns where the kernel takes its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices import cpu_frequency
from ansible_collections.retail.profiles.plugins.module_utils.devices.cpu_frequency import BUDGET_SECONDS, CpuFrequency

from .trees import planted, put, roots

GHZ = 1_000_000_000


class Clock:
    """Each look at it takes so many seconds."""

    def __init__(self, takes: float) -> None:
        self.takes = takes
        self.now = 0.0

    def __call__(self) -> float:
        self.now += self.takes
        return self.now


def test_each_package_has_its_own(tmp_path: Path) -> None:
    assert CpuFrequency(planted(tmp_path, "xeon_2_sockets"), Clock(0.0)).read() == {
        "package-0": {"mean_hz": 2.45 * GHZ, "min_hz": 0.8 * GHZ, "max_hz": 3.2 * GHZ},
        "package-1": {"mean_hz": 3.1 * GHZ, "min_hz": 3.1 * GHZ, "max_hz": 3.1 * GHZ},
    }


def test_types_of_cores_are_told_apart(tmp_path: Path) -> None:
    assert CpuFrequency(planted(tmp_path, "core_ultra_laptop"), Clock(0.0)).read() == {
        "package-0 cpu_core": {"mean_hz": 3.2 * GHZ, "min_hz": 0.4 * GHZ, "max_hz": 4.8 * GHZ},
        "package-0 cpu_atom": {"mean_hz": 3.5 * GHZ, "min_hz": 3.4 * GHZ, "max_hz": 3.6 * GHZ},
    }


def test_a_policy_counts_for_all_of_its_cpus(tmp_path: Path) -> None:
    found = CpuFrequency(planted(tmp_path, "arm_board"), Clock(0.0)).read()
    assert found == {"package-0": {"mean_hz": 1.95 * GHZ, "min_hz": 1.8 * GHZ, "max_hz": 2.4 * GHZ}}


def test_where_the_kernel_sleeps_cpus_are_read_in_turns(tmp_path: Path) -> None:
    reader = CpuFrequency(planted(tmp_path, "epyc_1_socket"), Clock(2 * BUDGET_SECONDS))
    told = [reader.read()["package-0"]["mean_hz"] for _turn in range(5)]
    assert told == [3.7 * GHZ, 2.4 * GHZ, 3.7 * GHZ, 2.4 * GHZ, 3.7 * GHZ]


def test_the_time_bounds_the_number_of_cpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []
    real = cpu_frequency.number_in
    monkeypatch.setattr(cpu_frequency, "number_in", lambda file: (read.append(file), real(file))[1])
    reader = CpuFrequency(planted(tmp_path, "xeon_2_sockets"), Clock(BUDGET_SECONDS / 2.5))
    for _turn in range(8):
        reader.read()
    assert len(read) == 8 * 3
    assert {read.count(file) for file in read} == {3}


def test_a_cpu_that_is_offline_is_left_out(tmp_path: Path) -> None:
    reader = CpuFrequency(planted(tmp_path, "epyc_1_socket"), Clock(0.0))
    put(tmp_path, "/sys/devices/system/cpu/cpufreq/policy1/scaling_cur_freq", "<unsupported>")
    assert reader.read()["package-0"]["min_hz"] == 2.4 * GHZ
    put(tmp_path, "/sys/devices/system/cpu/cpufreq/policy3/scaling_cur_freq", "<unsupported>")
    assert reader.read()["package-0"]["min_hz"] == 3.7 * GHZ
    for cpu in (0, 2):
        put(tmp_path, f"/sys/devices/system/cpu/cpufreq/policy{cpu}/scaling_cur_freq", "<unsupported>")
    assert reader.read() == {}


def test_a_virtual_machine_has_none(tmp_path: Path) -> None:
    reader = CpuFrequency(roots(tmp_path))
    folder = f"{tmp_path}/sys/devices/system/cpu/cpufreq"
    assert reader.read() == {}
    assert reader.absent == {"cpufreq": f"the kernel has no policy in {folder}: it does not set the frequency"}
