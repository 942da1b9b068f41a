# SPDX-License-Identifier: GPL-3.0-or-later
"""Intel NPUs (intel_vpu): busy time, frequency and memory in /sys/class/accel, each under its PCI address.

To wake an NPU is not needed for any of these files: the driver answers 0 for the frequency while it sleeps.
"""

from __future__ import annotations

import contextlib
import os

from ansible_collections.retail.profiles.plugins.module_utils.devices.apart import Apart, Together
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import (
    Counters,
    Instances,
    Reader,
    Roots,
    names_in,
    number_in,
)

DRIVER = "intel_vpu"
#: counter, file below the device's folder, how many of the counter's units one of the file's is
_FILES = (
    ("busy_ns", "npu_busy_time_us", 1000),
    ("frequency_mhz", "npu_current_frequency_mhz", 1),
    ("frequency_max_mhz", "npu_max_frequency_mhz", 1),
    ("memory_used_bytes", "npu_memory_utilization", 1),
)


class VpuDevices(Reader):
    """Reads all NPUs. The driver's files came one by one: which of them there are depends on the kernel."""

    def __init__(self, roots: Roots) -> None:
        super().__init__(roots)
        self._files = {os.path.basename(device): self._open_all(device) for device in find(roots)}

    def _open_all(self, device: str) -> list[tuple[str, int, int]]:
        found = []
        for counter, name, scale in _FILES:
            try:
                found.append((counter, self.open(f"{device}/{name}"), scale))
            except OSError as error:
                self.absent[f"npu_{counter.rpartition('_')[0]}"] = f"{device}/{name}: {error.strerror}"
        return found

    def of_containers(self) -> dict[str, Instances]:
        """The driver does not tell whose jobs an NPU does."""
        return {}

    def read(self) -> Instances:
        """The counters of all NPUs, now."""
        found: Instances = {}
        for device, files in self._files.items():
            counters: Counters = {}
            for counter, file, scale in files:
                with contextlib.suppress(OSError, ValueError):  # while the driver recovers the NPU
                    counters[counter] = number_in(file) * scale
            if counters:
                found[device] = counters
        return found


def find(roots: Roots) -> list[str]:
    """Folders of the devices that have the driver."""
    folder = f"{roots.sys}/class/accel"
    devices = [os.path.realpath(f"{folder}/{name}/device") for name in names_in(folder)]
    return [device for device in devices if os.path.basename(os.path.realpath(f"{device}/driver")) == DRIVER]


def npus(roots: Roots) -> Reader:
    """A reader of all NPUs, with a thread of its own where there is one."""
    drivers = [Apart(roots, "npu", DRIVER, VpuDevices)] if find(roots) else []
    return Together(roots, drivers, "npu", f"no NPU of {DRIVER} in {roots.sys}/class/accel")
