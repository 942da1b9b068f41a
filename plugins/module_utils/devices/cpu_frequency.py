# SPDX-License-Identifier: GPL-3.0-or-later
"""The frequencies that CPUs run at, by cpufreq: mean, lowest and highest of each package, or of its types of cores."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.module_utils.devices import cpus
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import (
    Instances,
    Reader,
    Roots,
    names_in,
    number_in,
    text_of,
    why,
)

# Of wall-clock time. Linux 4.13 to 5.18 sleep 10 ms for a CPU that was not asked for a second.
BUDGET_SECONDS = 0.0005
_KHZ = 1000


@dataclass(frozen=True)
class Policy:
    """CPUs that have one frequency."""

    device: str
    cpus: int
    descriptor: int


class CpuFrequency(Reader):
    """Reads as many CPUs in turn as the budget allows, at least one: all of some hundred, unless the kernel sleeps.

    What is told is of the CPUs of that turn. A window has them all, each at its own times.
    """

    seconds = 1.0

    def __init__(self, roots: Roots, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(roots)
        self._clock = clock
        self._next = 0
        folder = f"{roots.sys}/{cpus.FOLDER}/cpufreq"
        types = cpus.core_types(roots)
        self._policies: list[Policy] = []
        for name in sorted(names_in(folder), key=len):
            if re.fullmatch(r"policy\d+", name):
                self._open_policy(f"{folder}/{name}", types)
        if not self._policies:
            self.absent.setdefault("cpufreq", f"the kernel has no policy in {folder}: it does not set the frequency")

    def _open_policy(self, path: str, types: dict[int, str]) -> None:
        try:
            members = cpus.numbers(text_of(f"{path}/affected_cpus"))
            if members:  # else all of them are offline
                package, kind = cpus.package_of(self.roots, members[0]), types.get(members[0])
                device = f"{package} {kind}" if kind else package
                self._policies.append(Policy(device, len(members), self.open(f"{path}/scaling_cur_freq")))
        except OSError as error:
            self.absent["cpufreq"] = why(error, path)

    def read(self) -> Instances:
        """``mean_hz``, ``min_hz`` and ``max_hz``; a CPU that is offline is left out."""
        found: dict[str, list[tuple[int, int]]] = {}
        end = self._clock() + BUDGET_SECONDS
        for _turn in self._policies:
            policy = self._policies[self._next]
            self._next = (self._next + 1) % len(self._policies)
            with contextlib.suppress(OSError, ValueError):
                found.setdefault(policy.device, []).append((number_in(policy.descriptor) * _KHZ, policy.cpus))
            if self._clock() > end:
                break
        return {
            device: {
                "mean_hz": round(sum(hertz * share for hertz, share in told) / sum(share for _hertz, share in told)),
                "min_hz": min(told)[0],
                "max_hz": max(told)[0],
            }
            for device, told in found.items()
            if told
        }
