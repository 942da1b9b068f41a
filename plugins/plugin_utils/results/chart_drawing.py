# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts as SVG: paths in whole numbers, which any width of screen or paper stretches, and their text alternative.

All charts of a report have one axis of time, `UNITS_A_SECOND` units a second; each has its own of values, `HEIGHT`
units from its highest to its lowest. A point takes about 7 bytes, and the page's script reads its value back.

Hand-written because no maintained package of a chart library for pip is small: Plotly's takes 4.8 MB of a page.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span
from ansible_collections.retail.profiles.plugins.plugin_utils.results.charts import (
    Band,
    Group,
    Points,
    TimeChart,
    Trace,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results.report_tables import figure

UNITS_A_SECOND = 10
HEIGHT = 10_000
COLOURS = 8
DASHES = 4
FEWEST = 3
"""So many points make a line."""
MOST_NAMED = 8
"""A text alternative names so many traces."""

Step = tuple[int, int]


@dataclass(frozen=True)
class Scale:
    """From time and value to units of a chart."""

    time: Span
    low: float
    high: float

    def x(self, t: float) -> int:
        return round((t - self.time.start) * UNITS_A_SECOND)

    def y(self, value: float) -> int:
        return round((self.high - value) / (self.high - self.low) * HEIGHT)


@dataclass(frozen=True)
class Line:
    """A path and the classes of its style."""

    name: str
    path: str
    style: str


@dataclass(frozen=True)
class DrawnGroup:
    """A group of a chart; ``area`` and ``median`` are empty where it is no band."""

    name: str
    area: str
    median: str
    style: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class DrawnChart:
    """A chart as the page shows it. ``text``: what a reader is told who does not see it."""

    title: str
    unit: str
    metric: str
    low: float
    high: float
    text: str
    stays_zero: bool
    groups: tuple[DrawnGroup, ...]


def _steps(points: Sequence[Step]) -> str:
    """Relative steps after the first point; a minus separates as well as a space does."""
    found = []
    for before, after in zip(points, points[1:], strict=False):
        found += [after[0] - before[0], after[1] - before[1]]
    return "".join(f"{'' if number < 0 or not index else ' '}{number}" for index, number in enumerate(found))


def _runs(points: Points, scale: Scale) -> list[list[Step]]:
    """The unbroken parts of a line, in units."""
    runs: list[list[Step]] = [[]]
    for t, value in points:
        if value is None:
            runs.append([])
        else:
            runs[-1].append((scale.x(t), scale.y(value)))
    return [run for run in runs if run]


def line(points: Points, scale: Scale) -> str:
    """The path of a line. A point alone is a dot, a step of no length with round ends; a few points are dots."""
    runs = _runs(points, scale)
    if is_few(points):
        runs = [[step] for run in runs for step in run]
    return "".join(f"M{run[0][0]} {run[0][1]}l{_steps(run) or '0 0'}" for run in runs)


def is_few(points: Points) -> bool:
    """Whether there are too few points for a line."""
    return sum(value is not None for _t, value in points) < FEWEST


def area(band: Band, scale: Scale) -> str:
    """The path between the lowest and the highest values: forth along the lowest, back along the highest."""
    found = []
    for low, high in zip(_runs(band.low, scale), _runs(band.high, scale), strict=True):
        found.append(f"M{low[0][0]} {low[0][1]}l{_steps([*low, *reversed(high)])}z")
    return "".join(found)


def _known(points: Points, spans: Sequence[Span]) -> list[float]:
    """The values in the measure windows; all, where there is none in them."""
    told = [(t, value) for t, value in points if value is not None]
    return [value for t, value in told if any(span.holds(t) for span in spans)] or [value for _t, value in told]


def _trace_text(trace: Trace, spans: Sequence[Span]) -> str:
    values = _known(trace.points, spans)
    mean = statistics.fmean(values)
    return f"{trace.name}: mean {figure(mean)}, {figure(min(values))} to {figure(max(values))}"


def _group_text(group: Group, spans: Sequence[Span]) -> list[str]:
    if group.band is None:
        return [_trace_text(trace, spans) for trace in group.traces]
    lowest, highest = min(_known(group.band.low, spans)), max(_known(group.band.high, spans))
    middle = statistics.fmean(_known(group.band.median, spans))
    many = len(group.traces)
    return [f"{group.name}, {many} of them: {figure(lowest)} to {figure(highest)}, the middle one {figure(middle)}"]


def text(chart: TimeChart, spans: Sequence[Span]) -> str:
    """The figures of a chart in words."""
    told = [part for group in chart.groups for part in _group_text(group, spans)]
    rest = f"; and {len(told) - MOST_NAMED} more" if len(told) > MOST_NAMED else ""
    return f"{chart.title} in {chart.unit} over time. {'; '.join(told[:MOST_NAMED])}{rest}"


def _scale(chart: TimeChart, time: Span) -> Scale:
    values = [value for trace in chart.traces for _t, value in trace.points if value is not None]
    low, high = min(0.0, *values), max(0.0, *values)
    return Scale(time, low, high + (high - low) * 0.05 if high > low else low + 1.0)


def _line(trace: Trace, scale: Scale, numbers: Mapping[str, int]) -> Line:
    return Line(trace.name, line(trace.points, scale), _style(numbers[trace.name], trace.points))


def _style(number: int, points: Points) -> str:
    few = " few" if is_few(points) else ""
    return f"c{number % COLOURS} d{number // COLOURS % DASHES}{few}"


def _group(group: Group, scale: Scale, numbers: Mapping[str, int]) -> DrawnGroup:
    lines = tuple(_line(trace, scale, numbers) for trace in group.traces)
    if group.band is None:
        return DrawnGroup(group.name, "", "", "", lines)
    median = group.band.median
    return DrawnGroup(
        group.name, area(group.band, scale), line(median, scale), _style(numbers[group.name], median), lines
    )


def drawn(chart: TimeChart, time: Span, spans: Sequence[Span], numbers: Mapping[str, int]) -> DrawnChart:
    """A chart in units. ``numbers``: of all names of its section, so that each has one colour in all charts."""
    scale = _scale(chart, time)
    return DrawnChart(
        title=chart.title,
        unit=chart.unit,
        metric=chart.metric,
        low=scale.low,
        high=scale.high,
        text=text(chart, spans),
        stays_zero=chart.stays_zero,
        groups=tuple(_group(group, scale, numbers) for group in chart.groups),
    )


def numbered(charts: Iterable[TimeChart]) -> dict[str, int]:
    """The names in charts in the order in which they come, those of bands before those of traces."""
    listed = list(charts)
    bands = [group.name for chart in listed for group in chart.groups if group.band is not None]
    traces = [trace.name for chart in listed for trace in chart.traces]
    return {name: number for number, name in enumerate(dict.fromkeys([*bands, *traces]))}
