# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All GPUs of a host, whatever their driver."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices import nvml
from ansible_collections.retail.profiles.plugins.module_utils.devices.gpu import gpus
from ansible_collections.retail.profiles.plugins.module_utils.devices.kinds import Devices

from .machines import FIRST, Machine, i915

IGPU = "0000:00:02.0"


def test_a_host_without_a_gpu_has_no_thread(tmp_path: Path) -> None:
    threads = threading.active_count()
    reader = gpus(Machine(tmp_path).roots)
    assert threading.active_count() == threads
    assert reader.read() == {}
    assert reader.of_container(FIRST) == {}
    assert reader.absent["gpu"].startswith("no GPU of i915, xe or amdgpu in ")
    reader.close()


def test_a_host_with_a_gpu_and_a_container_on_it(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "i915-alder-lake")
    machine.process(10, FIRST)
    machine.client(10, 5, i915(1, render=0))
    reader = gpus(machine.roots)
    assert reader.read()[IGPU]["frequency_mhz"] == 1450
    assert reader.of_container(FIRST)[IGPU]["render_busy_ns"] == 0
    assert "gpu" not in reader.absent
    reader.close()


def test_a_driver_of_nvidia_whose_library_is_not_there_costs_no_other_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nvml, "LIBRARY", "libno-such-thing.so.1")
    machine = Machine(tmp_path, "i915-alder-lake")
    (machine.folder / "proc/driver/nvidia").mkdir(parents=True)
    reader = gpus(machine.roots)
    assert reader.read() == {IGPU: {"frequency_mhz": 1450}}
    assert reader.absent["gpu"].startswith("NVML: libno-such-thing.so.1: ")
    reader.close()


def test_a_sample_has_gpus_and_npus_and_a_container_what_it_uses(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "i915-alder-lake", "npu-lunar-lake")
    machine.process(10, FIRST)
    machine.client(10, 5, i915(1, render=0))
    devices = Devices(machine.roots)
    devices.read(1000.0)
    machine.client(10, 5, i915(1, render=500))
    found = devices.read(1001.0)
    assert found["gpu"][IGPU]["render_busy_ns"] == 500
    assert found["npu"]["0000:00:0b.0"]["busy_ns"] == 1_234_567_000
    assert set(devices.of_container(FIRST)) == {"gpu"}
    assert devices.of_container(FIRST)["gpu"][IGPU]["render_busy_ns"] == 500
    devices.close()
