# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Thermal throttling, counted once for a package and once for a core."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.retail.profiles.plugins.module_utils.devices.cpu_throttling import CpuThrottling

from .trees import planted, roots


def test_counters_that_cpus_share_count_once(tmp_path: Path) -> None:
    assert CpuThrottling(planted(tmp_path, "xeon_2_sockets")).read() == {
        "package-0": {"count": 7 + 3 + 1, "package_ms": 120, "core_ms": (30 + 10) / 2},
        "package-1": {"count": 2, "package_ms": 40, "core_ms": 0},
    }
    assert CpuThrottling(roots(tmp_path)).absent == {}


def test_cores_of_all_types_are_cores(tmp_path: Path) -> None:
    found = CpuThrottling(planted(tmp_path, "core_ultra_laptop")).read()
    assert found == {"package-0": {"count": 55 + 40 + 20, "package_ms": 2500, "core_ms": (900 + 300 + 0 + 0) / 4}}


def test_an_old_kernel_counts_how_often_alone(tmp_path: Path) -> None:
    machine = planted(tmp_path, "core_ultra_laptop")
    for path in tmp_path.rglob("*_time_ms"):
        path.unlink()
    reader = CpuThrottling(machine)
    assert reader.read() == {"package-0": {"count": 55 + 40 + 20}}
    assert set(reader.absent) == {"throttle_time"}


def test_amd_counts_none(tmp_path: Path) -> None:
    machine = planted(tmp_path, "epyc_1_socket")
    reader = CpuThrottling(machine)
    assert reader.read() == {}
    assert reader.absent == {
        "throttle": f"the kernel counts no thermal throttling in {machine.sys}/devices/system/cpu/cpu*/thermal_throttle"
    }
