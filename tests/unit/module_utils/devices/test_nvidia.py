# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA's GPUs: NVML as it is called, by a library that stands in for it, and what is made of its answers."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices import nvml
from ansible_collections.retail.profiles.plugins.module_utils.devices.nvidia import NvidiaGpus

from .machines import FIRST, SECOND, Machine

PDEV = "0000:65:00.0"
SOURCE = Path(__file__).parent / "stand_in_nvml.c"
RTX = {
    "busy_percent": 87,
    "memory_busy_percent": 40,
    "memory_used_bytes": 5000000000,
    "memory_total_bytes": 25757220864,
    "power_watts": 215.5,
    "temperature_celsius": 66,
    "frequency_mhz": 1695,
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The library that stands in, by the compiler that Python's own extensions need."""
    library = tmp_path_factory.mktemp("nvml") / nvml.LIBRARY
    subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", library, SOURCE], check=True, timeout=60)
    return ctypes.CDLL(str(library))


class Driver:
    """A library in Python, whose answers a test sets: by function, a status or what it fills in."""

    def __init__(self, **answers: Any) -> None:
        self.answers: dict[str, Any] = {"nvmlInit_v2": 0, "nvmlShutdown": 0, "nvmlDeviceGetCount_v2": 1, **answers}
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name == "nvmlErrorString":
            return Words()
        if name not in self.answers:
            raise AttributeError(f"undefined symbol: {name}")
        return lambda *arguments: self._call(name, arguments)

    def _call(self, name: str, arguments: tuple[Any, ...]) -> int:
        self.calls.append(name)
        answer = self.answers[name]
        if callable(answer):
            status: int = answer(*arguments)
            return status
        if name in ("nvmlInit_v2", "nvmlShutdown") or (isinstance(answer, Refused)):
            return int(answer)
        arguments[-1]._obj.value = answer
        return 0


class Refused(int):
    """A status."""


class Words:
    restype: Any = None

    def __call__(self, status: int) -> bytes:
        return {3: b"Not Supported", 9: b"Driver Not Loaded", 15: b"GPU is lost"}[status]


def test_a_library_as_it_is_called(compiled: ctypes.CDLL, tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.process(1000, FIRST)
    machine.process(1001, FIRST)
    machine.process(1069, SECOND)
    gpus = NvidiaGpus(machine.roots, compiled)
    assert gpus.read() == {PDEV: RTX}
    assert gpus.of_containers() == {
        FIRST: {PDEV: {"memory_used_bytes": 3 << 20}},
        SECOND: {PDEV: {"memory_used_bytes": 70 << 20}},
    }
    assert gpus.read() == {PDEV: RTX}
    assert gpus.of_containers() == {
        FIRST: {PDEV: {"memory_used_bytes": 3 << 20, "busy_percent": 40.0}},
        SECOND: {PDEV: {"memory_used_bytes": 70 << 20, "busy_percent": 0.0}},
    }
    assert gpus.absent == {}
    assert compiled.standInUsers() == 1
    gpus.close()
    assert compiled.standInUsers() == 0


@pytest.mark.parametrize(
    ("structure", "size"),
    [
        (nvml.PciInfo, 68),
        (nvml.Utilization, 8),
        (nvml.Memory, 24),
        (nvml.ProcessInfo, 24),
        (nvml.ProcessUtilizationSample, 32),
    ],
)
def test_structures_are_as_long_as_those_of_the_header(structure: type[ctypes.Structure], size: int) -> None:
    assert ctypes.sizeof(structure) == size


def test_a_driver_that_is_not_loaded(tmp_path: Path) -> None:
    gpus = NvidiaGpus(Machine(tmp_path).roots, Driver(nvmlInit_v2=Refused(9)))
    assert gpus.read() == {}
    assert gpus.absent == {"gpu": "NVML: nvmlInit_v2: Driver Not Loaded"}
    gpus.close()


def test_a_library_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nvml, "LIBRARY", "libno-such-thing.so.1")
    gpus = NvidiaGpus(Machine(tmp_path).roots)
    assert gpus.read() == {}
    assert gpus.absent["gpu"].startswith("NVML: libno-such-thing.so.1: cannot open shared object file")
    gpus.close()


def handle(_index: Any, device: Any) -> int:
    device._obj.value = 1
    return 0


def pci(_device: Any, info: Any) -> int:
    info._obj.domain, info._obj.bus = 0x10000, 0x0A
    return 0


OLD: Mapping[str, Callable[..., int]] = {
    "nvmlDeviceGetHandleByIndex_v2": handle,
    "nvmlDeviceGetPciInfo_v3": pci,
}


def test_what_a_gpu_or_an_old_driver_does_not_have_is_asked_for_once(tmp_path: Path) -> None:
    driver = Driver(
        **OLD,
        nvmlDeviceGetTemperature=50,
        nvmlDeviceGetClockInfo=Refused(15),
        nvmlDeviceGetPowerUsage=Refused(3),
    )
    gpus = NvidiaGpus(Machine(tmp_path).roots, driver)
    for _tick in range(3):
        assert gpus.read() == {"10000:0a:00.0": {"temperature_celsius": 50}}
    assert gpus.absent == {
        "gpu_busy": "NVML, of 10000:0a:00.0: undefined symbol: nvmlDeviceGetUtilizationRates",
        "gpu_memory": "NVML, of 10000:0a:00.0: undefined symbol: nvmlDeviceGetMemoryInfo",
        "gpu_power": "NVML, of 10000:0a:00.0: nvmlDeviceGetPowerUsage: Not Supported",
        "gpu_frequency": "NVML, of 10000:0a:00.0: nvmlDeviceGetClockInfo: GPU is lost",
        "gpu_processes": "NVML, of 10000:0a:00.0: undefined symbol: nvmlDeviceGetComputeRunningProcesses_v3",
        "gpu_processes_busy": "NVML, of 10000:0a:00.0: undefined symbol: nvmlDeviceGetProcessUtilization",
    }
    assert driver.calls.count("nvmlDeviceGetPowerUsage") == 1
    assert driver.calls.count("nvmlDeviceGetClockInfo") == 3  # it may be found again
    gpus.close()
    assert driver.calls[-1] == "nvmlShutdown"
