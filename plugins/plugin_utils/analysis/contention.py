# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Contention: processors of a host that others took while it was measured, processes or the hypervisor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import cpu_others
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import (
    CPU_OTHERS,
    CPU_PRESSURE,
    CPU_STEAL,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span, summary_of

LIMIT = 10.0
"""Percent of a host's processors that others may take, unless the run says otherwise."""
_TAKERS = {CPU_OTHERS.name: "other processes", CPU_STEAL.name: "the hypervisor"}


@dataclass(frozen=True)
class _Taken:
    """``cores`` of ``processors`` that were taken in one window, which is called ``where``."""

    cores: float
    processors: float
    where: str
    span: Span

    @property
    def percent(self) -> float:
        return 100.0 * self.cores / self.processors


def _mean(seen: Observations, host: str, metric: str, span: Span) -> float | None:
    summary = summary_of(seen.hosts[host], metric, [span])
    return summary.mean if summary is not None else None


def _worst(seen: Observations, host: str, metric: str, windows: Mapping[str, Span]) -> _Taken | None:
    """The window in which most was taken."""
    processors = seen.conditions[host].processors
    found = [
        _Taken(cores, processors, where, span)
        for where, span in windows.items()
        if processors and (cores := _mean(seen, host, metric, span)) is not None
    ]
    return max(found, key=lambda taken: taken.cores, default=None)


def _sentence(seen: Observations, hosts: tuple[str, ...], metric: str, taken: _Taken, limit: float) -> str:
    where = " and ".join([", ".join(hosts[:-1]), hosts[-1]]) + " (one machine)" if len(hosts) > 1 else hosts[0]
    pressure = _mean(seen, hosts[0], CPU_PRESSURE.name, taken.span)
    more = f"; processes waited for a processor in {pressure:.0f} % of the time" if pressure is not None else ""
    return (
        f"contention on {where}: {_TAKERS[metric]} took {taken.cores:.1f} of {taken.processors:.0f} cores"
        f" ({taken.percent:.0f} %) in {taken.where}, limit {limit:g} %{more}"
    )


def problems(plan: MeasuredPlan, seen: Observations, limit: float, windows: Mapping[str, Span]) -> list[str]:
    """Where more than ``limit`` percent of the processors were taken in a window, by what windows are called.

    Hosts of one machine are told once, and those that run nothing of the plan not at all.
    """
    used = {replica.host for replica in plan.replicas}
    found: list[str] = []
    told: set[str] = set()
    for host in plan.hosts:
        if host not in used or host in told:
            continue
        together = cpu_others.sharing(host, seen.conditions)
        told.update(together)
        for metric in _TAKERS:
            taken = _worst(seen, host, metric, windows)
            if taken is not None and taken.percent > limit:
                found.append(_sentence(seen, together, metric, taken, limit))
    return found
