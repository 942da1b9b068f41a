# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Energy by RAPL, from the layouts of several machines."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest.mock import Mock

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices.rapl import Rapl
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Instances

from .trees import planted, put, roots

PACKAGE = "/sys/devices/virtual/powercap/intel-rapl/intel-rapl:0/energy_uj"


def read(folder: Path, name: str) -> Instances:
    reader = Rapl(planted(folder, name))
    found = reader.read()
    assert reader.absent == {}
    reader.close()
    return found


def test_two_packages_with_memory(tmp_path: Path) -> None:
    assert read(tmp_path, "xeon_2_sockets") == {
        "package-0": {"package_uj": 216124857401, "dram_uj": 38423101234},
        "package-1": {"package_uj": 198765432101, "dram_uj": 41002345678},
    }


def test_the_platform_is_a_device_of_its_own_and_mmio_counts_nothing_twice(tmp_path: Path) -> None:
    assert read(tmp_path, "core_ultra_laptop") == {
        "package-0": {"package_uj": 34598713401},
        "psys": {"psys_uj": 91234567890},
    }


def test_amd_has_the_package_alone(tmp_path: Path) -> None:
    assert read(tmp_path, "epyc_1_socket") == {"package-0": {"package_uj": 51234567890}}


def test_dies_of_a_package_count_together(tmp_path: Path) -> None:
    assert read(tmp_path, "xeon_2_dies") == {"package-0": {"package_uj": 300, "dram_uj": 30}}


def test_a_counter_that_begins_again_goes_on(tmp_path: Path) -> None:
    reader = Rapl(planted(tmp_path, "epyc_1_socket"))
    told = []
    for now in (65532610000, 987, 5, 65532000000):
        put(tmp_path, PACKAGE, now)
        told.append(reader.read()["package-0"]["package_uj"])
    whole = 65532610987
    assert told == [65532610000, whole + 987, 2 * whole + 5, 2 * whole + 65532000000]


def test_who_is_not_root_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = planted(tmp_path, "epyc_1_socket")

    def refused(self: Rapl, path: str) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Rapl, "open", refused)
    reader = Rapl(machine)
    assert reader.read() == {}
    assert reader.absent == {"rapl": f"only root may read {machine.sys}/class/powercap/intel-rapl:0/energy_uj"}


def test_what_the_hardware_does_not_tell_now_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Rapl(planted(tmp_path, "xeon_2_dies"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", Mock(side_effect=OSError(errno.ENODATA, "No data available")))
        assert reader.read() == {}
    assert reader.absent == {"rapl": "cannot read the energy of package-0: No data available"}
    assert reader.read() == {"package-0": {"package_uj": 300, "dram_uj": 30}}


def test_a_virtual_machine_has_none(tmp_path: Path) -> None:
    reader = Rapl(roots(tmp_path))
    assert reader.read() == {}
    assert reader.absent == {"rapl": f"the kernel has no intel-rapl in {tmp_path}/sys/class/powercap"}
