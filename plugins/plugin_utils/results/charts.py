# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The time series of a run as charts: which panels there are, and their traces, thinned for a page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series, allowed_gap

MOST_POINTS = 2000
"""A trace has at most about this many points: more than a screen has pixels."""

Points = list[tuple[float, float | None]]


@dataclass(frozen=True)
class Panel:
    """One chart of one metric: ``factor`` turns its unit into the one shown."""

    metric: str
    title: str
    unit: str
    factor: float = 1.0
    quantile: float | None = None


CONTAINER_PANELS = (
    Panel("fps", "Frames per second", "fps"),
    Panel("latency_seconds", "Latency, median", "ms", 1e3, 0.50),
    Panel("latency_seconds", "Latency, 99th percentile", "ms", 1e3, 0.99),
    Panel("errors", "Errors", "errors/s"),
    Panel("requests_per_second", "Requests served", "requests/s"),
    Panel("inference_seconds", "Inference time in the server, mean", "ms", 1e3),
    Panel("wait_seconds", "Waiting for an inference request, mean", "ms", 1e3),
    Panel("request_seconds", "Request time in the server, mean", "ms", 1e3),
    Panel("cpu_cores", "CPU", "cores"),
    Panel("cpu_throttled_ratio", "CPU periods throttled", "%", 100.0),
    Panel("memory_working_set_bytes", "Memory, working set", "MiB", 1.0 / 1024**2),
    Panel("network_rx_bytes_per_second", "Network received", "MB/s", 1e-6),
    Panel("network_tx_bytes_per_second", "Network sent", "MB/s", 1e-6),
    Panel("block_read_bytes_per_second", "Block device reads", "MB/s", 1e-6),
    Panel("block_write_bytes_per_second", "Block device writes", "MB/s", 1e-6),
)
HOST_PANELS = (
    Panel("cpu_cores", "CPU busy", "cores"),
    Panel("cpu_steal_cores", "CPU stolen by the hypervisor", "cores"),
    Panel("memory_used_bytes", "Memory used", "MiB", 1.0 / 1024**2),
    Panel("network_rx_bytes_per_second", "Network received", "MB/s", 1e-6),
    Panel("network_tx_bytes_per_second", "Network sent", "MB/s", 1e-6),
    Panel("block_read_bytes_per_second", "Disk reads", "MB/s", 1e-6),
    Panel("block_write_bytes_per_second", "Disk writes", "MB/s", 1e-6),
    Panel("psi_cpu_percent", "Pressure: waiting for CPU", "% of time"),
    Panel("psi_memory_percent", "Pressure: waiting for memory", "% of time"),
    Panel("psi_io_percent", "Pressure: waiting for I/O", "% of time"),
)


def points_of(series: Series, panel: Panel) -> Points:
    """Time in unix seconds and value as shown; a ``None`` breaks the line where data is missing."""
    told: list[tuple[float, float]]
    if series.kind == "sketch":
        quantile = panel.quantile if panel.quantile is not None else 0.5
        told = [
            (t, value * panel.factor) for t, one in series.sketches if (value := one.quantile(quantile)) is not None
        ]
    else:
        told = [(point.end, point.value * panel.factor) for point in series.points]
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
    names: Iterable[str], panels: Iterable[Panel], series_of: Callable[[str], Mapping[str, Series]]
) -> list[dict[str, Any]]:
    listed = list(names)
    charts = []
    for panel in panels:
        traces = []
        unit = panel.unit
        for name in listed:
            series = series_of(name).get(panel.metric)
            if series is None or (panel.quantile is not None and series.kind != "sketch"):
                continue
            if panel.metric == "errors":
                unit = series.unit
            points = points_of(series, panel)
            if points:
                traces.append(_trace(name, points))
        if traces:
            charts.append({"title": panel.title, "unit": unit, "metric": panel.metric, "traces": traces})
    return charts


def _own_panels(run: Run) -> list[Panel]:
    """Panels of the metrics that only this profile has, in the order of their names."""
    known = {panel.metric for panel in CONTAINER_PANELS}
    own: dict[str, Series] = {}
    for replica in run.plan.replicas:
        for name, series in run.seen.replicas[replica.name].items():
            if name not in known:
                own.setdefault(name, series)
    return [
        Panel(name, name, own[name].unit, quantile=0.5 if own[name].kind == "sketch" else None) for name in sorted(own)
    ]


def sections(run: Run) -> list[dict[str, Any]]:
    """The charts of containers and of hosts; charts that would be empty are left out."""
    replicas = [replica.name for replica in run.plan.replicas]
    container_panels = [*CONTAINER_PANELS, *_own_panels(run)]
    return [
        {"title": "Containers", "charts": _charts(replicas, container_panels, lambda name: run.seen.replicas[name])},
        {"title": "Hosts", "charts": _charts(run.plan.hosts, HOST_PANELS, lambda name: run.seen.hosts[name])},
    ]
