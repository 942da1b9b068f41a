# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NPUs by the files of intel_vpu."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.retail.profiles.plugins.module_utils.devices.npu import npus

from .machines import Machine

NPU = "0000:00:0b.0"


def test_an_npu(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "npu-lunar-lake")
    reader = npus(machine.roots)
    assert reader.read() == {
        NPU: {
            "busy_ns": 1_234_567_000,
            "frequency_mhz": 1400,
            "frequency_max_mhz": 1950,
            "memory_used_bytes": 256 << 20,
        }
    }
    machine.put("/sys/class/accel/accel0/device/npu_busy_time_us", 2_000_000)
    machine.put("/sys/class/accel/accel0/device/npu_memory_utilization", "")  # a value that cannot be read
    told = reader.read()[NPU]
    assert told["busy_ns"] == 2_000_000_000
    assert "memory_used_bytes" not in told
    assert reader.absent == {}
    reader.close()


def test_an_npu_whose_driver_tells_less(tmp_path: Path) -> None:
    reader = npus(Machine(tmp_path, "npu-meteor-lake").roots)
    assert reader.read() == {NPU: {"busy_ns": 1_234_567_000}}
    assert set(reader.absent) == {"npu_frequency", "npu_frequency_max", "npu_memory_used"}
    assert reader.absent["npu_memory_used"].endswith("/npu_memory_utilization: No such file or directory")
    reader.close()


def test_a_host_without(tmp_path: Path) -> None:
    reader = npus(Machine(tmp_path).roots)
    assert reader.read() == {}
    assert list(reader.absent) == ["npu"]
    reader.close()


def test_an_accelerator_of_another_driver(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "npu-lunar-lake")
    link = machine.folder / "sys/devices/pci0000:00/0000:00:0b.0/driver"
    link.unlink()
    link.symlink_to("../../../bus/pci/drivers/qaic")
    reader = npus(machine.roots)
    assert reader.read() == {}
    assert "no NPU" in reader.absent["npu"]
    reader.close()
