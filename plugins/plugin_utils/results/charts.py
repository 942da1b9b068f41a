# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts of the report: the time series of a run as traces, equal replicas of a container as a band of them.

How they are drawn is `chart_drawing`'s.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch, metric_catalogue
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    CONTAINER_METRICS,
    TOLD_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import (
    CONTAINER_DEVICE_METRICS,
    DEVICE_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import HOST_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Chart, Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ovms_metrics import OVMS_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import samples_needed
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import (
    Series,
    allowed_gap,
    usual_interval,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run

MOST_POINTS = 2000
"""A trace has at most about this many points: more than a screen has pixels."""
LEAST_POINTS = 60
"""A trace keeps so many, however many traces there are."""
PAGE_POINTS = 400_000
"""About the most points of all traces together: 3 MB of a page."""
LARGEST = 1e300
"""A value beyond this has no place on an axis."""
BAND_CELLS = 300
"""A band has at most so many intervals."""
NOT_DEVICES = ("cpu_", "memory_", "psi_")

Told = list[tuple[float, float]]
Points = list[tuple[float, float | None]]
SectionKey = Literal["streams", "hosts", "server", "containers", "devices"]
FOLDED: Mapping[SectionKey, int] = {"streams": 3, "hosts": 9, "server": 3, "containers": 3, "devices": 9}
"""So many traces of one group are a band. Replicas of a container are equal; of hosts, a few are not folded."""
Panel = tuple[str, Chart]
"""The name of a metric, and a chart of it."""


@dataclass(frozen=True)
class Trace:
    """A line: time in unix seconds and value as shown; a ``None`` breaks it where data is missing."""

    name: str
    points: Points


@dataclass(frozen=True)
class Band:
    """Equal traces over time: in each interval their lowest value, the median of their means, their highest value."""

    low: Points
    median: Points
    high: Points


@dataclass(frozen=True)
class Group:
    """The traces of one container, or of the hosts; with a band where they are many."""

    name: str
    traces: tuple[Trace, ...]
    band: Band | None


@dataclass(frozen=True)
class TimeChart:
    """One metric over time, of everything that has it."""

    title: str
    unit: str
    metric: str
    groups: tuple[Group, ...]

    @property
    def traces(self) -> tuple[Trace, ...]:
        return tuple(trace for group in self.groups for trace in group.traces)

    @property
    def stays_zero(self) -> bool:
        return not any(value for trace in self.traces for _t, value in trace.points)


@dataclass(frozen=True)
class Section:
    """Charts that stand together; one that would be empty is left out."""

    key: SectionKey
    charts: tuple[TimeChart, ...]


@dataclass(frozen=True)
class _Told:
    """All that was told of one metric: by group, each trace's name and values."""

    metric: str
    chart: Chart
    unit: str
    groups: Mapping[str, Mapping[str, Told]]


def panels(metrics: Iterable[Metric]) -> list[Panel]:
    """The charts of metrics of the catalogue, in its order."""
    return [(metric.name, chart) for metric in metrics for chart in metric.charts]


def is_of_device(metric: Metric) -> bool:
    """What of a host is neither its processors nor its memory is of a device."""
    return not metric.name.startswith(NOT_DEVICES)


def values_of(series: Series, chart: Chart, edges: Sequence[float] = ()) -> Told:
    """Time in unix seconds and value as shown, in order of time; ``edges``: where windows begin and end."""
    if series.kind == "sketch":
        told = pooled(series.sketches, chart.quantile if chart.quantile is not None else 0.5, edges)
    else:
        told = sorted((point.end, point.value) for point in series.points)
    return [(t, value * chart.factor) for t, value in told if abs(value * chart.factor) <= LARGEST]


def pooled(sketches: Sequence[tuple[float, Sketch]], quantile: float, edges: Sequence[float] = ()) -> Told:
    """A quantile over time, each of as many sketches in a row as can carry it; a rest that cannot is left out.

    None is of sketches from before and after an edge of a window, or a gap.
    """
    needed = samples_needed(quantile)
    ordered = sorted(sketches, key=lambda entry: entry[0])
    allowed = allowed_gap([t for t, _sketch in ordered])
    found: Told = []
    pool: list[Sketch] = []
    before = ordered[0][0] if ordered else 0.0
    for t, sketch in ordered:
        if t - before > allowed or any(before <= edge < t for edge in edges):
            pool = []
        before = t
        pool.append(sketch)
        if sum(one.count for one in pool) >= needed:
            value = ddsketch.merge(pool).quantile(quantile)
            found += [] if value is None else [(t, value)]
            pool = []
    return found


def thinned(points: Sequence[tuple[float, float]], most: int = MOST_POINTS) -> Told:
    """At most about ``most`` points: the lowest and the highest of each bucket, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    size = -(-len(points) * 2 // most)
    kept: Told = []
    for begin in range(0, len(points), size):
        bucket = points[begin : begin + size]
        low = min(bucket, key=lambda entry: entry[1])
        high = max(bucket, key=lambda entry: entry[1])
        kept.extend(sorted({low, high}))
    return kept


def broken(points: Sequence[tuple[float, float]]) -> Points:
    """The points with a break wherever nothing was told for longer than usual."""
    allowed = allowed_gap([t for t, _value in points])
    found: Points = []
    for index, (t, value) in enumerate(points):
        if index and t - points[index - 1][0] > allowed:
            found.append(((t + points[index - 1][0]) / 2.0, None))
        found.append((t, value))
    return found


def band(traces: Sequence[Told]) -> Band:
    """Traces folded into one. An interval is wide enough to hold a value of each of them."""
    begin = min(told[0][0] for told in traces)
    end = max(told[-1][0] for told in traces)
    usual = statistics.median(usual_interval([t for t, _value in told]) for told in traces)
    step = max(2.0 * usual, (end - begin) / BAND_CELLS)
    cells: dict[int, dict[int, list[float]]] = {}
    for number, told in enumerate(traces):
        for t, value in told:
            cells.setdefault(int((t - begin) / step), {}).setdefault(number, []).append(value)

    def over_time(of: Callable[[Iterable[list[float]]], float]) -> Points:
        return broken([(begin + (cell + 0.5) * step, of(cells[cell].values())) for cell in sorted(cells)])

    return Band(
        low=over_time(lambda told: min(map(min, told))),
        median=over_time(lambda told: statistics.median(map(statistics.fmean, told))),
        high=over_time(lambda told: max(map(max, told))),
    )


def _told(
    wanted: Iterable[Panel], groups: Mapping[str, Mapping[str, Iterable[Series]]], edges: Sequence[float] = ()
) -> list[_Told]:
    found = []
    for metric, chart in wanted:
        units: dict[str, None] = {}
        told: dict[str, dict[str, Told]] = {}
        for group, members in groups.items():
            for name, series in members.items():
                for one in series:
                    if one.name != metric or one.whole or (chart.quantile is not None and one.kind != "sketch"):
                        continue
                    values = values_of(one, chart, edges)
                    if values:
                        told.setdefault(group, {})[name] = values
                        units[one.unit] = None
        if told:
            found.append(_Told(metric, chart, chart.unit or ", ".join(units), told))
    return found


def _chart(told: _Told, most: int, folded: int) -> TimeChart:
    groups = tuple(
        Group(
            name=name,
            traces=tuple(Trace(trace, broken(thinned(values, most))) for trace, values in members.items()),
            band=band(list(members.values())) if len(members) >= folded else None,
        )
        for name, members in told.groups.items()
    )
    return TimeChart(told.chart.title, told.unit, told.metric, groups)


def _own_panels(run: Run) -> list[Panel]:
    """Panels of the metrics that only this profile has, in the order of their names."""
    own: dict[str, Series] = {}
    for replica in run.plan.replicas:
        for name, series in run.seen.replicas[replica.name].items():
            if name not in metric_catalogue.OF_CONTAINERS and not series.whole:
                own.setdefault(name, series)
    return [
        (name, Chart(name, own[name].unit, quantile=0.5 if own[name].kind == "sketch" else None))
        for name in sorted(own)
    ]


def _of_devices(run: Run, names: Iterable[str]) -> dict[str, Iterable[Series]]:
    """Series by the name of a host or replica and its device."""
    found: dict[str, list[Series]] = {}
    for name in names:
        for series in run.seen.devices[name]:
            found.setdefault(f"{name} {series.instance}", []).append(series)
    return dict(found)


def sections(run: Run) -> list[Section]:
    """The charts of a run. The more traces there are, the fewer points each of them has."""
    containers: dict[str, dict[str, Iterable[Series]]] = {}
    for replica in run.plan.replicas:
        containers.setdefault(replica.container, {})[replica.name] = run.seen.replicas[replica.name].values()
    hosts = {"hosts": {host: run.seen.hosts[host].values() for host in run.plan.hosts}}
    of_hosts = {"devices": _of_devices(run, run.plan.hosts)}
    of_replicas = {"devices": _of_devices(run, [replica.name for replica in run.plan.replicas])}
    spans = [judged.window.span for judged in run.windows]
    edges = [edge for span in spans for edge in (span.start, span.end)]
    told: dict[SectionKey, list[_Told]] = {
        "streams": _told([*panels(TOLD_METRICS), *_own_panels(run)], containers, edges),
        "hosts": _told(panels(metric for metric in HOST_METRICS if not is_of_device(metric)), hosts),
        "server": _told(panels(OVMS_METRICS), containers),
        "containers": _told(panels(CONTAINER_METRICS), containers),
        "devices": [
            *_told(panels(metric for metric in HOST_METRICS if is_of_device(metric)), hosts),
            *_told(panels(DEVICE_METRICS), of_hosts),
            *_told(panels(CONTAINER_DEVICE_METRICS), of_replicas),
        ],
    }
    traces = sum(len(members) for charts in told.values() for one in charts for members in one.groups.values())
    most = max(LEAST_POINTS, min(MOST_POINTS, PAGE_POINTS // max(1, traces)))
    return [Section(key, tuple(_chart(one, most, FOLDED[key]) for one in charts)) for key, charts in told.items()]
