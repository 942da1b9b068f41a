# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time series of a run as all formats of them export them: values at ascending times, in whole milliseconds.

A sketch is exported as its percentiles, a series each; a counter as it was read; everything else as its points. What
tells of a whole run is one value, at the time when it was read: the mean, of ready-made percentiles the largest.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import PERCENTILES
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series, cut
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run


@dataclass(frozen=True)
class Subject:
    """What a series is of: a replica, or where there is none, a host; or a device of either."""

    host: str
    container: str | None = None
    replica: str | None = None
    device: str | None = None


@dataclass(frozen=True)
class Exported:
    """One series. ``percentile``: of a sketch, which one it is (a key of `PERCENTILES`).

    ``times`` (unix milliseconds) and ``values`` are as long as one another.
    """

    subject: Subject
    metric: str
    unit: str
    is_counter: bool
    percentile: str | None
    times: array[int]
    values: array[float]


def of_run(run: Run) -> list[Exported]:
    """All series of a run."""
    return of_observations(run.plan, run.seen)


def of_observations(plan: MeasuredPlan, seen: Observations) -> list[Exported]:
    """All series that were seen: replicas in the plan's order, then hosts; devices after what they belong to."""
    found: list[Exported] = []
    for replica in plan.replicas:
        subject = Subject(replica.host, replica.container, replica.name)
        for _name, series in sorted(seen.replicas[replica.name].items()):
            found.extend(_of_series(subject, series))
        found.extend(_of_devices(subject, seen.devices[replica.name]))
    for host in plan.hosts:
        for _name, series in sorted(seen.hosts[host].items()):
            found.extend(_of_series(Subject(host), series))
        found.extend(_of_devices(Subject(host), seen.devices[host]))
    return found


def _of_devices(subject: Subject, devices: Iterable[Series]) -> Iterator[Exported]:
    for series in devices:
        yield from _of_series(replace(subject, device=series.instance), series)


def _of_series(subject: Subject, series: Series) -> Iterator[Exported]:
    def exported(told: Iterable[tuple[float, float]], percentile: str | None = None) -> Exported:
        times, values = _ascending(told)
        # What was read of a counter is counted in its unit, its rate in that unit a second.
        unit = series.unit.removesuffix("/s") if series.kind == "counter" else series.unit
        return Exported(subject, series.name, unit, series.kind == "counter", percentile, times, values)

    if series.whole:
        yield from (exported([told], percentile) for told, percentile in _of_whole(series))
    elif series.kind == "sketch":
        for name, quantile in PERCENTILES.items():
            told = ((t, value) for t, sketch in series.sketches if (value := sketch.quantile(quantile)) is not None)
            yield exported(told, name)
    elif series.kind == "counter":
        yield exported((reading.t, reading.value) for reading in sorted(series.raw, key=lambda reading: reading.t))
    else:
        yield exported((point.end, point.value) for point in series.points)


def _of_whole(series: Series) -> Iterator[tuple[tuple[float, float], str | None]]:
    """Time and value of what tells of a whole run, and which percentile of a sketch it is."""
    figures = cut(series, ())
    read = max([*(t for t, _dummy in series.sketches), *(point.end for point in series.points)], default=0.0)
    if figures is None:
        return
    if series.kind == "sketch":
        told = ((name, getattr(figures, name)) for name in PERCENTILES)
        yield from (((read, value), name) for name, value in told if value is not None)
        return
    value = figures.max if figures.ready_made else figures.mean
    if value is not None:
        yield (read, value), None


def _ascending(told: Iterable[tuple[float, float]]) -> tuple[array[int], array[float]]:
    """Times and values, without what does not come later than the one before it, to the millisecond."""
    times, values, last = array("q"), array("d"), -1
    for t, value in told:
        stamp = round(t * 1000.0)
        if stamp > last:
            times.append(stamp)
            values.append(value)
            last = stamp
    return times, values
