# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Temperatures of packages, from the sensor that a machine has."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices.cpu_temperature import CpuTemperature

from .trees import plant, planted, put, roots

#: four nodes in two packages, as an EPYC of the first generation has them (Linux 4.18)
NAPLES = "".join(
    f"""/sys/class/hwmon/hwmon{number} -> ../../devices/pci0000:00/0000:00:{18 + number}.3/hwmon/hwmon{number}
/sys/devices/pci0000:00/0000:00:{18 + number}.3/hwmon/hwmon{number}/device -> ../../../0000:00:{18 + number}.3
/sys/devices/pci0000:00/0000:00:{18 + number}.3/hwmon/hwmon{number}/name: k10temp
/sys/devices/pci0000:00/0000:00:{18 + number}.3/hwmon/hwmon{number}/temp1_input: {50000 + number}
/sys/devices/system/cpu/cpu{number}/topology/physical_package_id: {number // 2}
"""
    for number in range(4)
)


@pytest.mark.parametrize(
    ("machine", "celsius"),
    [
        ("xeon_2_sockets", {"package-0": 61.0, "package-1": 55.0}),
        ("core_ultra_laptop", {"package-0": 97.0}),
        ("epyc_1_socket", {"package-0": 61.25}),
        ("arm_board", {"package-0": 48.312}),
    ],
)
def test_of_each_machine(machine: str, celsius: dict[str, float], tmp_path: Path) -> None:
    reader = CpuTemperature(planted(tmp_path, machine))
    assert reader.read() == {device: {"celsius": value} for device, value in celsius.items()}
    assert reader.absent == {}


def test_without_a_driver_for_its_sensors_the_thermal_zones_tell(tmp_path: Path) -> None:
    machine = planted(tmp_path, "xeon_2_sockets")
    for number in (2, 3):
        put(tmp_path, f"/sys/class/hwmon/hwmon{number}/name", "other")
    assert CpuTemperature(machine).read() == {"package-0": {"celsius": 60.0}, "package-1": {"celsius": 54.0}}


def test_a_true_temperature_is_preferred(tmp_path: Path) -> None:
    machine = planted(tmp_path, "epyc_1_socket")
    plant(tmp_path, "/sys/class/hwmon/hwmon0/temp2_label: Tdie\n/sys/class/hwmon/hwmon0/temp2_input: 41250\n")
    assert CpuTemperature(machine).read() == {"package-0": {"celsius": 41.25}}


def test_several_sensors_of_a_package_have_their_addresses(tmp_path: Path) -> None:
    plant(tmp_path, NAPLES)
    assert CpuTemperature(roots(tmp_path)).read() == {
        f"0000:00:{18 + number}.3": {"celsius": 50 + number / 1000} for number in range(4)
    }


def test_a_sensor_that_does_not_answer_is_left_out(tmp_path: Path) -> None:
    reader = CpuTemperature(planted(tmp_path, "xeon_2_sockets"))
    put(tmp_path, "/sys/devices/platform/coretemp.1/hwmon/hwmon3/temp1_input", "")
    assert set(reader.read()) == {"package-0"}


def test_a_virtual_machine_has_none(tmp_path: Path) -> None:
    reader = CpuTemperature(roots(tmp_path))
    assert reader.read() == {}
    sensors, zones = (f"{tmp_path}/sys/class/{name}" for name in ("hwmon", "thermal"))
    assert reader.absent == {"thermal": f"neither {sensors} nor {zones} has the temperature of a processor"}
