# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU of processes that are not the plan's: what a host was busy with, less its containers, and less the sampler.

Hosts that are containers of one machine see all of its processors: there the containers and samplers of all of them
are taken away.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import time_series
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import CPU
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_conditions import HostConditions
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import CPU_OTHERS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Point, Series

Points = Sequence[Point]


def sharing(host: str, conditions: Mapping[str, HostConditions]) -> tuple[str, ...]:
    """The hosts on whose machine a host is, itself included."""
    machine = conditions[host].machine
    return tuple(
        other for other, known in conditions.items() if other == host or (machine and known.machine == machine)
    )


def unknown(plan: MeasuredPlan, hosts: Sequence[str], replicas: Mapping[str, Mapping[str, Series]]) -> str | None:
    """Why the CPU of the plan's containers on these hosts is not known; ``None`` where it is."""
    for replica in plan.replicas:
        # One that was over before the first sample took nothing that counts here.
        if replica.host in hosts and CPU.name not in replicas[replica.name] and not replica.one_shot:
            why = "is not known" if replica.measured else "is not known, as it is not measured"
            return f"the CPU time of replica {replica.name} on {replica.host} {why}"
    return None


def _mean(points: Points, ends: Sequence[float], start: float, end: float) -> float | None:
    """The mean rate in an interval; 0 before the first and after the last point, ``None`` in a gap between them."""
    if not points or end <= points[0].start or start >= points[-1].end:
        return 0.0
    covered = amount = 0.0
    for point in points[bisect_right(ends, start) :]:
        if point.start >= end:
            break
        seconds = min(point.end, end) - max(point.start, start)
        covered += seconds
        amount += point.value * seconds
    inside = min(end, points[-1].end) - max(start, points[0].start)
    return amount / (end - start) * inside / covered if covered > inside / 2.0 else None


def series_of(
    host: str,
    plan: MeasuredPlan,
    conditions: Mapping[str, HostConditions],
    replicas: Mapping[str, Mapping[str, Series]],
) -> Series | str:
    """The metric of a host over time, or why it is not known."""
    together = sharing(host, conditions)
    why = unknown(plan, together, replicas)
    if why is not None:
        return why
    containers = [
        replicas[one.name][CPU.name].points
        for one in plan.replicas
        if one.host in together
        if CPU.name in replicas[one.name]
    ]
    samplers = [time_series.rates(conditions[other].sampler) for other in together]
    taken = [(points, [point.end for point in points]) for points in (*containers, *samplers)]
    found = []
    for busy in time_series.rates(conditions[host].busy):
        ours = [_mean(points, ends, busy.start, busy.end) for points, ends in taken]
        known = [value for value in ours if value is not None]
        if len(known) == len(ours):
            found.append(Point(busy.start, busy.end, max(0.0, busy.value - sum(known)), weight=busy.weight))
    return Series(CPU_OTHERS.name, CPU_OTHERS.unit, CPU_OTHERS.kind, points=tuple(found))
