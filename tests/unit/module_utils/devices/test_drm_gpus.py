# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPUs by the files of i915, xe and amdgpu, on machines whose layouts are in ``trees/``."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices.drm_gpus import INCOMPLETE, NO_CLIENT, DrmGpus

from .machines import FIRST, Machine, amdgpu, i915, xe

IGPU, ARC, BATTLEMAGE, RADEON = "0000:00:02.0", "0000:03:00.0", "0000:03:00.0", "0000:0b:00.0"


class Clock:
    """Seconds that go on when they are told to."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_an_integrated_gpu_of_i915(tmp_path: Path, clock: Clock) -> None:
    machine = Machine(tmp_path, "i915-alder-lake")
    machine.process(10, FIRST)
    machine.client(10, 5, i915(1, render=1000))
    gpus = DrmGpus(machine.roots, clock)
    assert gpus.read()[IGPU]["frequency_mhz"] == 1450
    machine.client(10, 5, i915(1, render=4000))
    machine.put("/sys/class/drm/card0/gt/gt0/rps_act_freq_mhz", 0)
    clock.now += 1
    used = {
        "render_busy_ns": 3000,
        "video_busy_ns": 0,
        "video_enhance_busy_ns": 0,
        "copy_busy_ns": 0,
        "memory_system_bytes": 6044 << 10,
    }
    assert gpus.read() == {IGPU: {**used, "frequency_mhz": 0}}
    assert gpus.of_containers() == {FIRST: {IGPU: used}}
    assert set(gpus.absent) == {"gpu_memory_total", "gpu_temperature", "gpu_energy"}
    assert gpus.absent["gpu_energy"].startswith("i915 has no readable device/hwmon/none/energy1_input in ")
    gpus.close()


def test_an_older_i915_tells_the_frequency_in_its_older_place(tmp_path: Path, clock: Clock) -> None:
    machine = Machine(tmp_path, "i915-alder-lake")
    (machine.folder / "sys/class/drm/card0/gt/gt0/rps_act_freq_mhz").unlink()
    machine.put("/sys/class/drm/card0/gt_act_freq_mhz", 650)
    gpus = DrmGpus(machine.roots, clock)
    assert gpus.read() == {IGPU: {"frequency_mhz": 650}}
    gpus.close()


def test_a_card_beside_an_integrated_gpu(tmp_path: Path, clock: Clock) -> None:
    machine = Machine(tmp_path, "i915-alder-lake", "i915-arc")
    machine.process(10, FIRST)
    local = "drm-resident-local0:\t512 MiB\n"
    machine.client(10, 5, i915(1, render=0))
    machine.client(10, 6, i915(1, render=0, pdev=ARC, more=local), node="renderD129")
    gpus = DrmGpus(machine.roots, clock)
    first = gpus.read()
    assert set(first) == {IGPU, ARC}
    assert "power_watts" not in first[ARC]  # made of two readings
    machine.client(10, 6, i915(1, render=70, pdev=ARC, more=local))
    machine.put("/sys/class/drm/card1/device/hwmon/hwmon4/energy1_input", 5_000_000_000 + 93_000_000)
    clock.now += 2
    told = gpus.read()
    assert (told[IGPU]["render_busy_ns"], told[ARC]["render_busy_ns"]) == (0, 70)
    assert (told[ARC]["power_watts"], told[ARC]["frequency_mhz"]) == (46.5, 2400)
    assert told[ARC]["memory_used_bytes"] == 512 << 20
    gpus.close()


def test_a_card_of_xe(tmp_path: Path, clock: Clock) -> None:
    machine = Machine(tmp_path, "xe-battlemage")
    machine.process(10, FIRST)
    machine.client(10, 5, xe(1, rcs=0, clock=0))
    gpus = DrmGpus(machine.roots, clock)
    gpus.read()
    machine.client(10, 5, xe(1, rcs=300, clock=1000))
    machine.put("/sys/class/drm/card0/device/hwmon/hwmon5/energy1_input", 10_000_000 + 125_000_000)
    clock.now += 1
    assert gpus.read() == {
        BATTLEMAGE: {
            "render_busy_ns": 300_000_000,
            "compute_busy_ns": 0,
            "video_busy_ns": 0,
            "video_enhance_busy_ns": 0,
            "copy_busy_ns": 0,
            "memory_used_bytes": 23992 << 10,
            "memory_system_bytes": 192 << 10,
            "memory_total_bytes": 12884901888,
            "frequency_mhz": 2850,
            "temperature_celsius": 52,
            "power_watts": 125,
        }
    }
    gpus.close()


def test_a_card_of_xe_that_tells_the_energy_of_its_package_alone(tmp_path: Path, clock: Clock) -> None:
    machine = Machine(tmp_path, "xe-battlemage")
    sensors = "/sys/class/drm/card0/device/hwmon/hwmon5"
    (machine.folder / f"{sensors.lstrip('/')}/energy1_input").unlink()
    gpus = DrmGpus(machine.roots, clock)
    gpus.read()
    machine.put(f"{sensors}/energy2_input", 8_000_000 + 40_000_000)
    clock.now += 1
    assert gpus.read()[BATTLEMAGE]["power_watts"] == 40
    machine.put(f"{sensors}/energy2_input", 5)
    clock.now += 1
    assert "power_watts" not in gpus.read()[BATTLEMAGE]  # the counter began anew
    gpus.close()


def test_a_card_of_amdgpu(tmp_path: Path, clock: Clock) -> None:
    machine = Machine(tmp_path, "amdgpu-navi")
    machine.process(10, FIRST)
    machine.client(10, 5, amdgpu(1, gfx=100))
    gpus = DrmGpus(machine.roots, clock)
    gpus.read()
    machine.client(10, 5, amdgpu(1, gfx=500))
    clock.now += 1
    assert gpus.read() == {
        RADEON: {
            "render_busy_ns": 400,
            "busy_percent": 37,
            "memory_busy_percent": 12,
            "frequency_mhz": pytest.approx(2105),
            "memory_used_bytes": 1310720000,  # of all, and not of the clients that were seen
            "memory_system_bytes": 52428800,
            "memory_total_bytes": 17163091968,
            "temperature_celsius": 61,
            "power_watts": pytest.approx(143),
        }
    }
    assert gpus.of_containers()[FIRST][RADEON]["memory_used_bytes"] == 1 << 20
    assert gpus.absent == {}
    gpus.close()


def test_a_gpu_that_sleeps_is_let_sleep(tmp_path: Path, clock: Clock) -> None:
    machine = Machine(tmp_path, "xe-battlemage")
    machine.process(10, FIRST)
    machine.client(10, 5, xe(1, rcs=0, clock=0))
    gpus = DrmGpus(machine.roots, clock)
    gpus.read()
    machine.put("/sys/class/drm/card0/device/power/runtime_status", "suspended")
    machine.client(10, 5, xe(1, rcs=300, clock=1000))
    clock.now += 1
    told = gpus.read()[BATTLEMAGE]
    assert told["render_busy_ns"] == 0
    assert not {"frequency_mhz", "temperature_celsius", "power_watts"} & set(told)
    gpus.close()


def test_a_gpu_without_clients_has_no_busy_time_and_says_why(tmp_path: Path, clock: Clock) -> None:
    gpus = DrmGpus(Machine(tmp_path, "i915-alder-lake").roots, clock)
    assert gpus.read() == {IGPU: {"frequency_mhz": 1450}}
    assert gpus.absent["gpu_clients"] == NO_CLIENT
    gpus.close()


def test_without_root_the_host_has_no_busy_time_and_a_container_may_have(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(tmp_path, "i915-alder-lake")
    machine.process(10, FIRST)
    machine.client(10, 5, i915(1, render=0))
    gpus = DrmGpus(machine.roots, clock)
    gpus._clients.incomplete = True
    assert gpus.read() == {IGPU: {"frequency_mhz": 1450}}
    assert gpus.absent["gpu_clients"] == INCOMPLETE
    assert gpus.of_containers()[FIRST][IGPU]["render_busy_ns"] == 0
    gpus.close()


def test_a_sensor_without_a_value_is_left_out(tmp_path: Path, clock: Clock) -> None:
    machine = Machine(tmp_path, "amdgpu-navi")
    gpus = DrmGpus(machine.roots, clock)
    machine.put("/sys/class/drm/card0/device/gpu_busy_percent", "")
    told = gpus.read()[RADEON]
    assert "busy_percent" not in told
    assert told["memory_busy_percent"] == 12
    gpus.close()
