# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's virtual machines: what QEMU is told, and that no process but theirs is ended."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SLEEP = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]


@pytest.fixture(scope="module")
def lab_machines(checkout: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("lab_machines", checkout / "roles/lab/files/lab_machines.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Where the annotations of its dataclasses are looked up.
    sys.modules["lab_machines"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def machine(lab_machines: ModuleType, tmp_path: Path) -> Any:
    addresses = {"h1": "10.213.7.11", "h2": "10.213.7.12"}
    lab = lab_machines.Lab("mine", str(tmp_path), "/images/1", bridge="rp-1", gateway="10.213.7.1", addresses=addresses)
    made = lab_machines.Machine(lab, "h1")
    made.folder.mkdir()
    return made


def started(*more: str) -> subprocess.Popen[str]:
    process = subprocess.Popen([*SLEEP, *more], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "up\n"
    return process


def test_the_process_of_a_machine_is_ended(lab_machines: ModuleType, machine: Any) -> None:
    with started("-pidfile", str(machine.pid_file)) as process:
        machine.pid_file.write_text(f"{process.pid}\n", encoding="ascii")
        lab_machines.end_process(machine)
        assert process.wait(timeout=0) == -9


def test_another_process_that_has_its_number_by_now_is_left_alone(lab_machines: ModuleType, machine: Any) -> None:
    with started("-pidfile", str(machine.folder.parent / "h2" / "pid")) as process:
        machine.pid_file.write_text(f"{process.pid}\n", encoding="ascii")
        assert lab_machines.wake(machine) is None
        lab_machines.end_process(machine)
        assert process.poll() is None
        process.kill()


@pytest.mark.parametrize("text", [None, "", "4194303"])
def test_a_machine_without_a_process(lab_machines: ModuleType, machine: Any, text: str | None) -> None:
    if text is not None:
        machine.pid_file.write_text(text, encoding="ascii")
    assert lab_machines.wake(machine) is None
    lab_machines.end_process(machine)


def test_what_qemu_is_told(lab_machines: ModuleType, machine: Any) -> None:
    emulated = " ".join(lab_machines.command_line(machine, kvm=False))
    assert "accel=tcg -cpu max" in emulated
    assert "clocksource=acpi_pm" in emulated
    assert "accel=kvm -cpu host" in " ".join(lab_machines.command_line(machine, kvm=True))
    # An address without a gateway: there is no way out of the lab.
    assert " ip=10.213.7.11:::255.255.255.0:h1:eth0:off" in emulated
    assert f"ifname={machine.tap}," in emulated
    assert "mac=52:54:0a:d5:07:0b" in emulated
    other = lab_machines.Machine(machine.lab, "h2")
    assert (other.tap, other.mac) != (machine.tap, machine.mac)
    assert len(machine.tap) == len(other.tap) == 15


def test_a_comma_in_a_path_is_no_end_of_an_option(lab_machines: ModuleType, machine: Any) -> None:
    lab = lab_machines.Lab("mine", "/a,b", addresses=machine.lab.addresses)
    told = lab_machines.command_line(lab_machines.Machine(lab, "h1"), kvm=False)
    assert "file=/a,,b/h1/disk.qcow2,if=virtio,format=qcow2" in told
