# SPDX-License-Identifier: GPL-3.0-or-later
"""How long processors were too hot for their speed: the kernel's counters of Intel's thermal throttling."""

from __future__ import annotations

import contextlib

from ansible_collections.retail.profiles.plugins.module_utils.devices import cpus
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import (
    Counters,
    Instances,
    Reader,
    Roots,
    number_in,
)


class CpuThrottling(Reader):
    """Reads of each package ``package_ms`` and ``core_ms`` (the mean over its cores), and ``count`` of both together.

    The times are there from Linux 5.5 on. The CPUs of a package, or of a core, share its counters: one is read.
    """

    seconds = 5.0

    def __init__(self, roots: Roots) -> None:
        super().__init__(roots)
        self._files: dict[str, dict[str, list[int]]] = {}
        folder = f"{roots.sys}/{cpus.FOLDER}"
        seen: set[str] = set()
        for cpu in cpus.present(roots):
            package, core = cpus.package_of(roots, cpu), cpus.core_of(roots, cpu)
            for level, whole in (("package", package), ("core", f"core {core}")):
                if whole not in seen:
                    self._open_counters(f"{folder}/cpu{cpu}/thermal_throttle/{level}_throttle", package, level)
                seen.add(whole)
        told = {counter for counters in self._files.values() for counter in counters}
        if not told:
            self.absent["throttle"] = f"the kernel counts no thermal throttling in {folder}/cpu*/thermal_throttle"
        elif "package_ms" not in told:
            self.absent["throttle_time"] = "the kernel counts how often, not how long: it is older than Linux 5.5"

    def _open_counters(self, path: str, package: str, level: str) -> None:
        for counter, ending in (("count", "_count"), (f"{level}_ms", "_total_time_ms")):
            with contextlib.suppress(OSError):
                descriptor = self.open(f"{path}{ending}")
                self._files.setdefault(package, {}).setdefault(counter, []).append(descriptor)

    def read(self) -> Instances:
        found: Instances = {}
        for package, files in self._files.items():
            counters: Counters = {}
            for counter, descriptors in files.items():
                with contextlib.suppress(OSError):  # a CPU went offline: its sum would fall
                    total = sum(number_in(descriptor) for descriptor in descriptors)
                    counters[counter] = total / len(descriptors) if counter == "core_ms" else total
            found[package] = counters
        return found
