# SPDX-License-Identifier: GPL-3.0-or-later
"""All GPUs of a host, whatever their driver: those of the kernel's DRM, and NVIDIA's by NVML."""

from __future__ import annotations

import os

from ansible_collections.retail.profiles.plugins.module_utils.devices import drm_gpus
from ansible_collections.retail.profiles.plugins.module_utils.devices.apart import Apart, Together
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Reader, Roots


def gpus(roots: Roots) -> Reader:
    """A reader of all GPUs, with a thread for each driver that there is."""
    cards, nvidia = f"{roots.sys}/class/drm", f"{roots.proc}/driver/nvidia"
    drivers = []
    if drm_gpus.find(roots):
        drivers.append(Apart(roots, "gpu", "the GPU's driver", drm_gpus.DrmGpus))
    if os.path.isdir(nvidia):
        # Not at the top: ctypes costs time and memory, and not every Python has it.
        from ansible_collections.retail.profiles.plugins.module_utils.devices.nvidia import NvidiaGpus

        drivers.append(Apart(roots, "gpu", "NVML", NvidiaGpus))
    return Together(roots, drivers, "gpu", f"no GPU of i915, xe or amdgpu in {cards}, and no {nvidia}")
