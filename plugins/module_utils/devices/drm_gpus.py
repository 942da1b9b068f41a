# SPDX-License-Identifier: GPL-3.0-or-later
"""GPUs of Intel (i915, xe) and AMD (amdgpu): their files in /sys/class/drm, and what their clients use of them."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.devices.drm_clients import DrmClients
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import (
    Counters,
    Instances,
    Reader,
    Roots,
    names_in,
    number_in,
    text_of,
)

_NODE = re.compile(r"(?:card|renderD)\d+")
_ADDRESS = re.compile(r"[0-9a-f]{4,}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_ENERGY = "energy_uj"  # not told: its growth makes the power
INCOMPLETE = "not all processes may be looked through for clients of the GPU: only root, with all capabilities, may"
NO_CLIENT = "no client of a GPU told what it uses: there is none, or its driver does not (i915 does from Linux 5.19 on)"


@dataclass(frozen=True)
class Attribute:
    """A file, or several whose values are one by *total*: patterns below the GPU's folder, the first that is there.

    ``{hwmon}`` stands for the driver's own folder of sensors.
    """

    counter: str
    patterns: tuple[str, ...]
    scale: float = 1.0
    total: Callable[[Sequence[float]], float] = max


# Documentation/ABI/testing/sysfs-driver-intel-{i915,xe}-hwmon, sysfs-class-drm, Documentation/gpu/amdgpu/thermal.rst
ATTRIBUTES: dict[str, tuple[Attribute, ...]] = {
    "i915": (
        Attribute("frequency_mhz", ("gt/gt*/rps_act_freq_mhz", "gt_act_freq_mhz")),
        Attribute("memory_total_bytes", ("lmem_total_bytes", "device/lmem_total_bytes")),
        Attribute("temperature_celsius", ("{hwmon}/temp1_input",), 1e-3),
        Attribute(_ENERGY, ("{hwmon}/energy1_input",)),
    ),
    "xe": (
        Attribute("frequency_mhz", ("device/tile*/gt*/freq0/act_freq",)),
        Attribute("memory_total_bytes", ("device/tile*/physical_vram_size_bytes",), total=sum),
        Attribute("temperature_celsius", ("{hwmon}/temp2_input",), 1e-3),
        Attribute(_ENERGY, ("{hwmon}/energy1_input", "{hwmon}/energy2_input")),  # of the card; of the package
    ),
    "amdgpu": (
        Attribute("busy_percent", ("device/gpu_busy_percent",)),
        Attribute("memory_busy_percent", ("device/mem_busy_percent",)),
        Attribute("frequency_mhz", ("{hwmon}/freq1_input",), 1e-6),
        Attribute("memory_used_bytes", ("device/mem_info_vram_used",)),
        Attribute("memory_system_bytes", ("device/mem_info_gtt_used",)),
        Attribute("memory_total_bytes", ("device/mem_info_vram_total",)),
        Attribute("temperature_celsius", ("{hwmon}/temp1_input",), 1e-3),
        Attribute("power_watts", ("{hwmon}/power1_average", "{hwmon}/power1_input"), 1e-6),
    ),
}


@dataclass
class Gpu:
    """A GPU with the descriptors of its files, its nodes in /dev/dri, and the energy that it had used, and when."""

    driver: str
    folder: str
    nodes: list[str]
    files: list[tuple[Attribute, list[int]]] = field(default_factory=list)
    runtime: Optional[int] = None
    energy: Optional[tuple[float, float]] = None


class DrmGpus(Reader):
    """Reads all GPUs of these drivers, each under its PCI address."""

    def __init__(self, roots: Roots, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(roots)
        self._clock = clock
        self.gpus = find(roots)
        for gpu in self.gpus.values():
            self._open_all(gpu)
        nodes = {node: pdev for pdev, gpu in self.gpus.items() for node in gpu.nodes}
        self._clients = DrmClients(nodes, roots.proc)

    def _open_all(self, gpu: Gpu) -> None:
        hwmon = _hwmon(gpu)
        for attribute in ATTRIBUTES[gpu.driver]:
            patterns = [pattern.format(hwmon=hwmon) for pattern in attribute.patterns]
            opened = next(filter(None, (self._open(gpu, pattern) for pattern in patterns)), None)
            if opened:
                gpu.files.append((attribute, opened))
            else:
                word = f"gpu_{attribute.counter.rpartition('_')[0]}"
                self.absent.setdefault(word, f"{gpu.driver} has no readable {' or '.join(patterns)} in {gpu.folder}")
        gpu.runtime = next(iter(self._open(gpu, "device/power/runtime_status")), None)

    def _open(self, gpu: Gpu, pattern: str) -> list[int]:
        paths = sorted(glob.glob(f"{glob.escape(gpu.folder)}/{pattern}"))
        return [self.open(path) for path in paths if os.access(path, os.R_OK)]

    def read(self) -> Instances:
        """A GPU that sleeps (runtime power management) has its clients' counters alone: to read its files wakes it."""
        now = self._clock()
        asleep = {pdev for pdev, gpu in self.gpus.items() if _sleeps(gpu)}
        self._clients.read(now, asleep)
        if self._clients.incomplete:
            self.absent["gpu_clients"] = INCOMPLETE
        elif not any(usage.busy_ns for usage in self._clients.host.values()):
            self.absent["gpu_clients"] = NO_CLIENT
        found = {}
        for pdev, gpu in self.gpus.items():
            used = {} if self._clients.incomplete else self._clients.host[pdev].counters()
            counters = {**used, **({} if pdev in asleep else _read_files(gpu, now))}
            if counters:
                found[pdev] = counters
        return found

    def of_containers(self) -> dict[str, Instances]:
        """What each container has used up to the last reading, by its id."""
        return self._clients.of_containers()

    def close(self) -> None:
        """Let go of the descriptors."""
        self._clients.close()
        super().close()


def find(roots: Roots) -> dict[str, Gpu]:
    """The GPUs with one of these drivers, by PCI address."""
    found: dict[str, Gpu] = {}
    drm = f"{roots.sys}/class/drm"
    for name in names_in(drm):
        device = os.path.realpath(f"{drm}/{name}/device")
        driver = os.path.basename(os.path.realpath(f"{device}/driver"))
        if _NODE.fullmatch(name) and driver in ATTRIBUTES and _ADDRESS.fullmatch(os.path.basename(device)):
            # Sorted: a card's folder comes before that of its render node, and has more.
            found.setdefault(os.path.basename(device), Gpu(driver, f"{drm}/{name}", [])).nodes.append(name)
    return found


def _hwmon(gpu: Gpu) -> str:
    """Folder of the sensors of the GPU as a whole, below its own; i915 has further ones for parts of it."""
    for name in names_in(f"{gpu.folder}/device/hwmon"):
        try:
            if text_of(f"{gpu.folder}/device/hwmon/{name}/name") == gpu.driver:
                return f"device/hwmon/{name}"
        except OSError:
            continue
    return "device/hwmon/none"


def _sleeps(gpu: Gpu) -> bool:
    with contextlib.suppress(OSError):
        return gpu.runtime is not None and os.pread(gpu.runtime, 32, 0).startswith(b"suspend")
    return False


def _read_files(gpu: Gpu, now: float) -> Counters:
    found: Counters = {}
    for attribute, descriptors in gpu.files:
        try:
            found[attribute.counter] = attribute.total([number_in(file) for file in descriptors]) * attribute.scale
        except (OSError, ValueError):
            continue  # some sensors have no value while a part of the GPU is switched off
    energy = found.pop(_ENERGY, None)
    if energy is not None:
        before, gpu.energy = gpu.energy, (now, energy)
        if before is not None and energy >= before[1] and now > before[0]:
            found["power_watts"] = (energy - before[1]) * 1e-6 / (now - before[0])
    return found
