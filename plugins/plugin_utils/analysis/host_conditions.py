# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Under which conditions a host was measured: its processors, the sampler's own load, its machine, its clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import difference, number, value_at
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Reading

LEAST_JUMP = 0.5
"""Seconds by which a clock has to be set to be named: between two looks at two clocks a loaded machine loses less."""
TAKEN = ("host", "observer", "absent")
_NO_ENGINE = "cannot connect to /"  # a path: the socket of the engine, not an endpoint in a container
# Interrupts serve all processes: what they take is nobody's.
_BUSY = difference(value_at("cpu", "busy"), value_at("cpu", "irq"))
_TOTAL = value_at("cpu", "total")


@dataclass(frozen=True)
class ClockJump:
    """At ``t`` (unix seconds) the wall clock was found set by so many ``seconds``, against the monotonic clock."""

    t: float
    seconds: float


@dataclass
class HostConditions:
    """What samples of a host say of it, in their order; ``t`` of readings is unix seconds, values are CPU seconds.

    ``busy`` is without interrupts; ``machine`` is the boot id that hosts share which are containers of one machine;
    ``engine_gone`` is what the sampler said when it could not connect to the engine.
    """

    busy: list[Reading] = field(default_factory=list)
    total: list[Reading] = field(default_factory=list)
    sampler: list[Reading] = field(default_factory=list)
    machine: str | None = None
    clock_jumps: list[ClockJump] = field(default_factory=list)
    engine_gone: str | None = None
    _clocks: tuple[float, float] | None = None

    @property
    def processors(self) -> float | None:
        """How many processors the host sees, from the time that they have had."""
        if len(self.total) < 2 or self.total[-1].t <= self.total[0].t:
            return None
        return float(round((self.total[-1].value - self.total[0].value) / (self.total[-1].t - self.total[0].t)))

    def take(self, t: float, sample: Mapping[str, Any]) -> None:
        """Take a sample of a type of `TAKEN`; ``t`` is its time on the controller's clock."""
        if sample.get("type") == "observer":
            self._read(self.sampler, t, number(sample.get("cpu_seconds")))
            self.machine = str(sample["machine"]) if sample.get("machine") else self.machine
            return
        if sample.get("type") == "absent":
            if _NO_ENGINE in str(sample.get("reason")):
                self.engine_gone = str(sample["reason"])
            return
        self._read(self.busy, t, _BUSY(sample))
        self._read(self.total, t, _TOTAL(sample))
        monotonic = number(sample.get("mono"))
        if monotonic is not None:
            self._compare_clocks(t, monotonic)

    @staticmethod
    def _read(readings: list[Reading], t: float, value: float | None) -> None:
        if value is not None:
            readings.append(Reading(t, value))

    def _compare_clocks(self, t: float, monotonic: float) -> None:
        """Both clocks go on alike; a monotonic one that went back is another boot's."""
        if self._clocks is not None and monotonic > self._clocks[1]:
            jump = (t - self._clocks[0]) - (monotonic - self._clocks[1])
            if abs(jump) > LEAST_JUMP:
                self.clock_jumps.append(ClockJump(t, jump))
        self._clocks = (t, monotonic)
