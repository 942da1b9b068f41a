# SPDX-License-Identifier: GPL-3.0-or-later
"""The NVIDIA Management Library, libnvidia-ml.so.1, as the driver brings it: only what is read of GPUs.

Called by ctypes, for hosts have no package for it. Names and structures are those of ``nvml.h``.
"""

from __future__ import annotations

import ctypes
from typing import Any

LIBRARY = "libnvidia-ml.so.1"
NOT_SUPPORTED, NOT_FOUND, INSUFFICIENT_SIZE = 3, 6, 7
NOT_AVAILABLE = (1 << 64) - 1  # a process' memory that the driver does not know
_TEMPERATURE_GPU = 0
_CLOCK_GRAPHICS = 0
_FEW = 64  # processes, or samples of them


class PciInfo(ctypes.Structure):
    _fields_ = (
        ("busIdLegacy", ctypes.c_char * 16),
        ("domain", ctypes.c_uint),
        ("bus", ctypes.c_uint),
        ("device", ctypes.c_uint),
        ("pciDeviceId", ctypes.c_uint),
        ("pciSubSystemId", ctypes.c_uint),
        ("busId", ctypes.c_char * 32),
    )


class Utilization(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class ProcessInfo(ctypes.Structure):
    _fields_ = (
        ("pid", ctypes.c_uint),
        ("usedGpuMemory", ctypes.c_ulonglong),
        ("gpuInstanceId", ctypes.c_uint),
        ("computeInstanceId", ctypes.c_uint),
    )


class ProcessUtilizationSample(ctypes.Structure):
    _fields_ = (
        ("pid", ctypes.c_uint),
        ("timeStamp", ctypes.c_ulonglong),
        ("smUtil", ctypes.c_uint),
        ("memUtil", ctypes.c_uint),
        ("encUtil", ctypes.c_uint),
        ("decUtil", ctypes.c_uint),
    )


class NvmlError(Exception):
    """A call that did not succeed; *status* is what it returned."""

    def __init__(self, name: str, status: int, words: str) -> None:
        super().__init__(f"{name}: {words}")
        self.status = status


class Nvml:
    """The library, initialised. Raises OSError where it cannot be loaded, NvmlError for calls that do not succeed."""

    def __init__(self, library: Any = None) -> None:
        self._library = ctypes.CDLL(LIBRARY) if library is None else library
        self._library.nvmlErrorString.restype = ctypes.c_char_p
        self._call("nvmlInit_v2")

    def _call(self, name: str, *arguments: Any) -> None:
        status = getattr(self._library, name)(*arguments)
        if status:
            raise NvmlError(name, status, (self._library.nvmlErrorString(status) or b"").decode("utf-8", "replace"))

    def _number(self, name: str, *arguments: Any) -> int:
        value = ctypes.c_uint()
        self._call(name, *arguments, ctypes.byref(value))
        return value.value

    def _array(self, name: str, device: Any, kind: type[Any], *more: Any) -> list[Any]:
        """What a call gives that fills an array, and says how long it must be."""
        count = ctypes.c_uint(_FEW)
        while True:
            array = (kind * count.value)()
            # Samples of processes stand before their number, processes after it.
            try:
                if more:
                    self._call(name, device, array, ctypes.byref(count), *more)
                else:
                    self._call(name, device, ctypes.byref(count), array)
            except NvmlError as error:
                if error.status == NOT_FOUND:
                    return []
                if error.status != INSUFFICIENT_SIZE or count.value <= len(array):
                    raise
                count.value += _FEW  # more may come meanwhile
                continue
            return list(array[: count.value])

    def devices(self) -> dict[str, Any]:
        """Handles of all GPUs by PCI address."""
        found = {}
        for index in range(self._number("nvmlDeviceGetCount_v2")):
            handle, pci = ctypes.c_void_p(), PciInfo()
            self._call("nvmlDeviceGetHandleByIndex_v2", ctypes.c_uint(index), ctypes.byref(handle))
            self._call("nvmlDeviceGetPciInfo_v3", handle, ctypes.byref(pci))
            found[f"{pci.domain:04x}:{pci.bus:02x}:{pci.device:02x}.0"] = handle
        return found

    def utilization(self, device: Any) -> dict[str, float]:
        """Percent of the last sample period (1/6 s to 1 s) in which a kernel ran, and in which memory was accessed."""
        rates = Utilization()
        self._call("nvmlDeviceGetUtilizationRates", device, ctypes.byref(rates))
        return {"busy_percent": rates.gpu, "memory_busy_percent": rates.memory}

    def memory(self, device: Any) -> dict[str, float]:
        memory = Memory()
        self._call("nvmlDeviceGetMemoryInfo", device, ctypes.byref(memory))
        return {"memory_used_bytes": memory.used, "memory_total_bytes": memory.total}

    def power(self, device: Any) -> dict[str, float]:
        return {"power_watts": self._number("nvmlDeviceGetPowerUsage", device) / 1e3}

    def temperature(self, device: Any) -> dict[str, float]:
        celsius = self._number("nvmlDeviceGetTemperature", device, ctypes.c_int(_TEMPERATURE_GPU))
        return {"temperature_celsius": celsius}

    def frequency(self, device: Any) -> dict[str, float]:
        return {"frequency_mhz": self._number("nvmlDeviceGetClockInfo", device, ctypes.c_int(_CLOCK_GRAPHICS))}

    def process_memory(self, device: Any) -> dict[int, int]:
        """Bytes by process; one that computes and draws is listed twice, with the same memory."""
        found: dict[int, int] = {}
        for name in ("nvmlDeviceGetComputeRunningProcesses_v3", "nvmlDeviceGetGraphicsRunningProcesses_v3"):
            for process in self._array(name, device, ProcessInfo):
                used = 0 if process.usedGpuMemory == NOT_AVAILABLE else process.usedGpuMemory
                found[process.pid] = max(used, found.get(process.pid, 0))
        return found

    def process_utilization(self, device: Any, since: int) -> tuple[dict[int, float], int]:
        """By process the percent of time in which it ran on the multiprocessors, as a mean of the samples since then.

        *since* and the answer's second part, the last sample's time, are in the driver's microseconds.
        """
        told: dict[int, list[int]] = {}
        last = since
        name = "nvmlDeviceGetProcessUtilization"
        for sample in self._array(name, device, ProcessUtilizationSample, ctypes.c_ulonglong(since)):
            if sample.timeStamp > since and sample.smUtil <= 100:  # the array may hold what is none
                told.setdefault(sample.pid, []).append(sample.smUtil)
                last = max(last, sample.timeStamp)
        return {pid: sum(values) / len(values) for pid, values in told.items()}, last

    def close(self) -> None:
        self._library.nvmlShutdown()
