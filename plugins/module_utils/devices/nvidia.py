# SPDX-License-Identifier: GPL-3.0-or-later
"""NVIDIA's GPUs by NVML, each under its PCI address, and what the processes of containers use of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Optional, TypeVar

from ansible_collections.retail.profiles.plugins.module_utils.devices.containers import containers_of
from ansible_collections.retail.profiles.plugins.module_utils.devices.nvml import NOT_SUPPORTED, Nvml, NvmlError
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Counters, Instances, Reader, Roots

T = TypeVar("T")


class NvidiaGpus(Reader):
    """Reads all GPUs that NVML knows. What a GPU does not support is asked of it once.

    *library*: stands in for the loaded library.
    """

    def __init__(self, roots: Roots, library: Any = None) -> None:
        super().__init__(roots)
        self._nvml: Optional[Nvml] = None
        self._devices: dict[str, Any] = {}
        self._unsupported: set[tuple[str, str]] = set()
        self._since: dict[str, int] = {}
        self._containers: dict[str, Instances] = {}
        self._known: dict[int, frozenset[str]] = {}
        try:
            self._nvml = Nvml(library)
            self._devices = self._nvml.devices()
        except (OSError, NvmlError) as error:
            self.absent["gpu"] = f"NVML: {error}"

    def read(self) -> Instances:
        """The counters of all GPUs, now."""
        nvml = self._nvml
        if nvml is None:
            return {}
        found: Instances = {}
        used: dict[int, dict[str, Counters]] = {}
        for pdev, device in self._devices.items():
            counters: Counters = {}
            for word, ask in (
                ("gpu_busy", nvml.utilization),
                ("gpu_memory", nvml.memory),
                ("gpu_power", nvml.power),
                ("gpu_temperature", nvml.temperature),
                ("gpu_frequency", nvml.frequency),
            ):
                counters.update(self._ask(pdev, word, partial(ask, device)) or {})
            if counters:
                found[pdev] = counters
            self._ask_of_processes(nvml, pdev, device, used)
        self._containers = self._by_container(used)
        return found

    def _ask(self, pdev: str, word: str, ask: Callable[[], T]) -> Optional[T]:
        """What *ask* gives; None, with the reason, where NVML refuses."""
        if (pdev, word) in self._unsupported:
            return None
        try:
            return ask()
        except (NvmlError, AttributeError) as error:  # a library of an older driver lacks functions
            self.absent[word] = f"NVML, of {pdev}: {error}"
            if isinstance(error, AttributeError) or error.status == NOT_SUPPORTED:
                self._unsupported.add((pdev, word))
            return None

    def _ask_of_processes(self, nvml: Nvml, pdev: str, device: Any, used: dict[int, dict[str, Counters]]) -> None:
        memory = self._ask(pdev, "gpu_processes", partial(nvml.process_memory, device)) or {}
        for pid, held in memory.items():
            used.setdefault(pid, {})[pdev] = {"memory_used_bytes": held}
        since = self._since.get(pdev, 0)
        told = self._ask(pdev, "gpu_processes_busy", partial(nvml.process_utilization, device, since))
        if told is None:
            return
        busy, last = told
        if pdev in self._since:  # the first time it tells of all that the driver remembers
            for pid in {*memory, *busy}:
                used.setdefault(pid, {}).setdefault(pdev, {})["busy_percent"] = busy.get(pid, 0.0)
        self._since[pdev] = last

    def _by_container(self, used: dict[int, dict[str, Counters]]) -> dict[str, Instances]:
        self._known = {pid: self._known[pid] for pid in used if pid in self._known}
        found: dict[str, Instances] = {}
        for pid, devices in used.items():
            if pid not in self._known:
                try:
                    self._known[pid] = containers_of(pid, self.roots.proc)
                except OSError:
                    continue  # it has ended
            for name in self._known[pid]:
                for pdev, counters in devices.items():
                    total = found.setdefault(name, {}).setdefault(pdev, {})
                    for counter, value in counters.items():
                        total[counter] = total.get(counter, 0) + value
        return found

    def of_containers(self) -> dict[str, Instances]:
        """What each container used up to the last reading, by its id."""
        return self._containers

    def close(self) -> None:
        """Let go of the library."""
        if self._nvml is not None:
            self._nvml.close()
            self._nvml = None
        super().close()
