# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a machine's files to figures of its GPU and NPU, and of a container that uses the GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices.apart import Apart
from ansible_collections.retail.profiles.plugins.module_utils.devices.drm_gpus import DrmGpus
from ansible_collections.retail.profiles.plugins.module_utils.devices.kinds import Devices
from ansible_collections.retail.profiles.plugins.module_utils.devices.npu import npus
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan, observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span, cut

from ...module_utils.devices.machines import FIRST, Machine, xe
from ..synthetic import T0, make_plan

GPU, NPU = "0000:03:00.0", "0000:00:0b.0"
SERVER = "ovms-ovms-server-1"
SECONDS = 10.0
CLOCK = 19_200_000


def figures(told: observations.Observations, name: str) -> dict[tuple[str, str], float]:
    found = {}
    for series in told.devices[name]:
        summary = cut(series, [Span(T0 - 1, T0 + SECONDS)])
        assert summary is not None and summary.mean is not None
        found[series.name, str(series.instance)] = summary.mean
    return found


def test_a_gpu_that_a_container_and_the_host_use_and_an_npu(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "xe-battlemage", "npu-lunar-lake")
    now = 0.0
    devices = Devices(
        machine.roots,
        [("gpu", lambda roots: Apart(roots, "gpu", "xe", lambda r: DrmGpus(r, lambda: now), 30)), ("npu", npus)],
    )
    machine.process(10, FIRST)
    machine.process(11)
    samples: list[dict[str, Any]] = []
    for second in (0.0, SECONDS):
        now = second
        clock = round(second * CLOCK)
        machine.client(10, 5, xe(1, rcs=round(0.3 * clock), ccs=2 * clock, clock=clock))
        machine.client(11, 5, xe(2, rcs=round(0.25 * clock), clock=clock))
        machine.put("/sys/class/drm/card0/device/hwmon/hwmon5/energy1_input", 10_000_000 + round(second * 90e6))
        machine.put("/sys/class/accel/accel0/device/npu_busy_time_us", 1_000_000 + round(second * 0.35e6))
        t = {"host": "server", "t": T0 + second}
        samples.append({**t, "type": "host", "devices": devices.read(second)})
        of_container = devices.of_container(FIRST)
        samples.append({**t, "type": "container", "replica": SERVER, "id": FIRST, "devices": of_container})
    devices.close()
    told = observations.observe(measured_plan.of_plan(make_plan(hosts=1, clients=0)), samples, {})
    assert figures(told, "server") == pytest.approx(
        {
            ("gpu_render_busy_percent", GPU): 55.0,
            ("gpu_compute_busy_percent", GPU): 50.0,
            ("gpu_video_busy_percent", GPU): 0.0,
            ("gpu_video_enhance_busy_percent", GPU): 0.0,
            ("gpu_copy_busy_percent", GPU): 0.0,
            ("gpu_memory_used_bytes", GPU): 2 * (23992 << 10),
            ("gpu_memory_system_bytes", GPU): 2 * (192 << 10),
            ("gpu_memory_total_bytes", GPU): 12884901888,
            ("gpu_frequency_hertz", GPU): 2.85e9,
            ("gpu_power_watts", GPU): 90.0,
            ("gpu_temperature_celsius", GPU): 52.0,
            ("npu_busy_percent", NPU): 35.0,
            ("npu_frequency_hertz", NPU): 1.4e9,
            ("npu_frequency_max_hertz", NPU): 1.95e9,
            ("npu_memory_used_bytes", NPU): 256 << 20,
        }
    )
    assert figures(told, SERVER) == pytest.approx(
        {
            ("gpu_render_busy_percent", GPU): 30.0,
            ("gpu_compute_busy_percent", GPU): 50.0,
            ("gpu_video_busy_percent", GPU): 0.0,
            ("gpu_video_enhance_busy_percent", GPU): 0.0,
            ("gpu_copy_busy_percent", GPU): 0.0,
            ("gpu_memory_used_bytes", GPU): 23992 << 10,
            ("gpu_memory_system_bytes", GPU): 192 << 10,
        }
    )
