# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Charts of the report: the time series of a run as traces, downsampled for a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import metric_catalogue
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import (
    CONTAINER_DEVICE_METRICS,
    DEVICE_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import HOST_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Chart, Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series, allowed_gap
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run

MOST_POINTS = 2000
"""A trace has at most about this many points: more than a screen has pixels."""

Points = list[tuple[float, float | None]]


Panel = tuple[str, Chart]
"""The name of a metric, and a chart of it."""


def panels(metrics: Iterable[Metric]) -> list[Panel]:
    """The charts of metrics of the catalogue, in its order."""
    return [(metric.name, chart) for metric in metrics for chart in metric.charts]


def points_of(series: Series, chart: Chart) -> Points:
    """Time in unix seconds and value as shown; a ``None`` breaks the line where data is missing."""
    told: list[tuple[float, float]]
    if series.kind == "sketch":
        quantile = chart.quantile if chart.quantile is not None else 0.5
        told = [
            (t, value * chart.factor) for t, one in series.sketches if (value := one.quantile(quantile)) is not None
        ]
    else:
        told = [(point.end, point.value * chart.factor) for point in series.points]
    told.sort(key=lambda entry: entry[0])
    return broken(thinned(told))


def thinned(points: Sequence[tuple[float, float]], most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """At most about ``most`` points: the lowest and the highest of each bucket, so that no peak is lost."""
    if len(points) <= most:
        return list(points)
    size = -(-len(points) * 2 // most)
    kept: list[tuple[float, float]] = []
    for begin in range(0, len(points), size):
        bucket = points[begin : begin + size]
        low = min(bucket, key=lambda entry: entry[1])
        high = max(bucket, key=lambda entry: entry[1])
        kept.extend(sorted({low, high}))
    return kept


def broken(points: Sequence[tuple[float, float]]) -> Points:
    """The points with a break wherever nothing was told for longer than usual."""
    allowed = allowed_gap([t for t, _dummy in points])
    found: Points = []
    for index, (t, value) in enumerate(points):
        if index and t - points[index - 1][0] > allowed:
            found.append(((t + points[index - 1][0]) / 2.0, None))
        found.append((t, value))
    return found


def _trace(name: str, points: Points) -> dict[str, Any]:
    return {
        "name": name,
        "x": [round(t * 1000.0) for t, _dummy in points],
        "y": [None if value is None else float(f"{value:.6g}") for _dummy, value in points],
    }


def _charts(
    names: Iterable[str], wanted: Iterable[Panel], series_of: Callable[[str], Mapping[str, Series]]
) -> list[dict[str, Any]]:
    listed = list(names)
    charts = []
    for metric, chart in wanted:
        traces = []
        unit = chart.unit
        for name in listed:
            series = series_of(name).get(metric)
            if series is None or series.whole or (chart.quantile is not None and series.kind != "sketch"):
                continue
            unit = chart.unit or series.unit
            points = points_of(series, chart)
            if points:
                traces.append(_trace(name, points))
        if traces:
            charts.append({"title": chart.title, "unit": unit, "metric": metric, "traces": traces})
    return charts


def _device_charts(run: Run, names: Iterable[str], metrics: Iterable[Metric]) -> list[dict[str, Any]]:
    """Charts of the devices of these hosts or replicas, a line a device."""
    found: dict[str, dict[str, Series]] = {}
    for name in names:
        for series in run.seen.devices[name]:
            found.setdefault(f"{name} {series.instance}", {})[series.name] = series
    return _charts(found, panels(metrics), found.__getitem__)


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


def sections(run: Run) -> list[dict[str, Any]]:
    """The charts of containers, of hosts and of devices; charts that would be empty are left out."""
    replicas = [replica.name for replica in run.plan.replicas]
    devices = _device_charts(run, run.plan.hosts, DEVICE_METRICS)
    container_panels = [*panels(metric_catalogue.OF_CONTAINERS.values()), *_own_panels(run)]
    return [
        {"title": "Containers", "charts": _charts(replicas, container_panels, lambda name: run.seen.replicas[name])},
        {"title": "Hosts", "charts": _charts(run.plan.hosts, panels(HOST_METRICS), lambda name: run.seen.hosts[name])},
        {"title": "Devices", "charts": [*devices, *_device_charts(run, replicas, CONTAINER_DEVICE_METRICS)]},
    ]
