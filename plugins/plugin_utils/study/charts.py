# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts of a study: latency over throughput, the Pareto front, the heat map, and intervals in the rows of tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_chart
from ansible_collections.retail.profiles.plugins.plugin_utils.results.chart_drawing import COLOURS
from ansible_collections.retail.profiles.plugins.plugin_utils.results.density_chart import Axis, Link, Mark, StepChart
from ansible_collections.retail.profiles.plugins.plugin_utils.results.report_tables import figure
from ansible_collections.retail.profiles.plugins.plugin_utils.study import design, texts
from ansible_collections.retail.profiles.plugins.plugin_utils.study.answers import Answers
from ansible_collections.retail.profiles.plugins.plugin_utils.study.estimates import Interval
from ansible_collections.retail.profiles.plugins.plugin_utils.study.load_curve import LoadCurve, Point

WIDTH = 1000
"""Of a strip, and of the heat map."""
_MARGIN = 0.08
_FAR = 0.5
"""Where the lowest value is below this part of the highest, an axis begins at zero."""
_ROW, _HEAD, _SIDE = 34, 40, 200
"""Of the heat map: the height of a row, of the names of the columns, and the width of those of the rows."""
_DARK = 0.55
"""From this part of the range on, what is written on a cell is white."""
_CURVE_WORDS = {
    "passed": "all objectives hold",
    "failed": "not all objectives hold",
    "open": "measured",
    "hold": "knee",
}
_FRONT_WORDS = {"passed": "no other is better in both", "open": "another is better in both"}


@dataclass(frozen=True)
class Strip:
    """An interval in a row, its middle and a reference, from 0 to WIDTH. ``text``: for who does not see it."""

    text: str
    low: int
    middle: int
    high: int
    zero: int | None = None


@dataclass(frozen=True)
class Cell:
    """A cell of the heat map. ``shade``: from 0 to 1; None where nothing is known."""

    x: int
    y: int
    width: int
    text: str
    title: str
    shade: str | None
    is_dark: bool = False


@dataclass(frozen=True)
class HeatChart:
    """A heat map in units: names of the rows and columns with their places, and the cells."""

    title: str
    text: str
    height: int
    columns: tuple[tuple[int, str], ...]
    rows: tuple[tuple[int, str], ...]
    cells: tuple[Cell, ...]
    width: int = WIDTH
    row: int = _ROW
    head: int = _HEAD


def _axis(values: Sequence[float]) -> Axis:
    low, high = min(values), max(values)
    if 0.0 <= low < _FAR * high:
        return Axis(0.0, (1.0 + _MARGIN) * high)
    margin = _MARGIN * (high - low) or abs(high) * _MARGIN or 1.0
    return Axis(low - margin, high + margin)


def curve_chart(found: Answers) -> StepChart | None:
    """Latency over throughput, a line for each combination of the other factors."""
    curves = found.curves
    if not curves:
        return None
    points = [point for curve in curves for point in curve.points]
    x = _axis([point.throughput.mean for point in points])
    y = _axis([point.latency.mean for point in points])
    links: list[Link] = []
    marks: list[Mark] = []
    for number, curve in enumerate(curves):
        style = f"series c{number % COLOURS}"
        for one, other in pairwise(curve.points):
            links.append(_link(one.throughput.mean, one.latency.mean, other, x, y, style))
        for point in curve.points:
            links += _spread(point, x, y)
            marks.append(_mark(found, curve, point, x, y))
    several = len(curves) > 1
    first = curves[0]
    said = (f"{texts.curve_title(one)}: {texts.curve_text(found, one)}" for one in curves)
    return StepChart(
        title=f"{first.latency.key} over {first.throughput.key}",
        unit=found.units[first.latency],
        metric=first.latency.key,
        text=f"{first.latency.key} over {first.throughput.key}, by {found.progress.questions.load}. {'. '.join(said)}",
        marks=tuple(sorted(marks, key=lambda mark: mark.state == "failed")),
        links=tuple(links),
        lines=tuple((f"series c{n % COLOURS}", texts.curve_title(one)) for n, one in enumerate(curves) if several),
        band=None,
        x_ticks=density_chart.x_ticks(x),
        y_ticks=density_chart.y_ticks(y),
        x_title=texts.named(found, first.throughput),
        words=_CURVE_WORDS,
    )


def _link(x1: float, y1: float, to: Point, x: Axis, y: Axis, style: str) -> Link:
    return Link(x.x(x1), y.y(y1), x.x(to.throughput.mean), y.y(to.latency.mean), style)


def _spread(point: Point, x: Axis, y: Axis) -> Iterator[Link]:
    """The intervals of a point, as far as they are on the chart."""
    at_x, at_y = x.x(point.throughput.mean), y.y(point.latency.mean)
    if point.throughput.interval:
        low, high = (x.x(x.edge(end)) for end in point.throughput.interval)
        yield Link(low, at_y, high, at_y, "spread")
    if point.latency.interval:
        low, high = (y.y(y.edge(end)) for end in point.latency.interval)
        yield Link(at_x, low, at_x, high, "spread")


def _mark(found: Answers, curve: LoadCurve, point: Point, x: Axis, y: Axis) -> Mark:
    state = "open" if point.held is None else "passed" if point.held else "failed"
    told = f"{figure(point.latency.mean, 4)} {found.units[curve.latency]} at {figure(point.throughput.mean, 4)}"
    load = figure(point.load, 6)
    return Mark(
        x.x(point.throughput.mean),
        y.y(point.latency.mean),
        state,
        f"{found.progress.questions.load}={load}: {told} {found.units[curve.throughput]}",
        hold=point == curve.knee,
        label=load,
    )


def pareto_chart(found: Answers) -> StepChart | None:
    """The combinations by two figures; a line goes along the front."""
    if found.pareto is None:
        return None
    first, second = found.pareto.figures
    places = {
        row.number: (row.estimates[first].mean, row.estimates[second].mean)
        for row in found.rows
        if first in row.estimates and second in row.estimates
    }
    if not places:
        return None
    x, y = _axis([one for one, _other in places.values()]), _axis([other for _one, other in places.values()])
    front = sorted(places[number] for number in found.pareto.front)
    marks = [
        Mark(
            x.x(one),
            y.y(other),
            "passed" if number in found.pareto.front else "open",
            f"no. {number + 1}, {found.rows[number].title}: {figure(one, 4)} and {figure(other, 4)}",
            label=str(number + 1),
        )
        for number, (one, other) in places.items()
    ]
    links = [Link(x.x(a[0]), y.y(a[1]), x.x(b[0]), y.y(b[1]), "curve") for a, b in pairwise(front)]
    return StepChart(
        title=f"{second.key} and {first.key}",
        unit=found.units[second],
        metric=second.key,
        text=texts.pareto_text(found),
        marks=tuple(marks),
        links=tuple(links),
        lines=(),
        band=None,
        x_ticks=density_chart.x_ticks(x),
        y_ticks=density_chart.y_ticks(y),
        x_title=texts.named(found, first),
        words=_FRONT_WORDS,
    )


def heat_chart(found: Answers) -> HeatChart | None:
    one, response = found.heat_map, found.response
    if one is None or response is None:
        return None
    factors = found.progress.design.factors
    columns, rows = (tuple(map(design.level_text, factors[name])) for name in (one.columns, one.rows))
    width = (WIDTH - _SIDE) // len(columns)
    low, high = min(one.cells.values()), max(one.cells.values())
    cells = []
    for at, row in enumerate(rows):
        for along, column in enumerate(columns):
            value = one.cells.get((at, along))
            share = None if value is None else (value - low) / (high - low) if high > low else 0.0
            cells.append(
                Cell(
                    _SIDE + along * width,
                    _HEAD + at * _ROW,
                    width,
                    figure(value, 4),
                    f"{one.rows}={row}, {one.columns}={column}: {figure(value, 4)} {found.units[response]}",
                    None if share is None else f"{0.1 + 0.9 * share:.3f}",
                    share is not None and share > _DARK,
                )
            )
    return HeatChart(
        title=f"{texts.named(found, response)}: {one.rows} down, {one.columns} across",
        text="; ".join(cell.title for cell in cells),
        height=_HEAD + _ROW * len(rows),
        columns=tuple((_SIDE + along * width + width // 2, name) for along, name in enumerate(columns)),
        rows=tuple((_HEAD + at * _ROW + _ROW // 2, name) for at, name in enumerate(rows)),
        cells=tuple(cells),
    )


def strips(shown: Sequence[tuple[float, Interval | None] | None], zero: float | None = None) -> list[Strip | None]:
    """Each value with its interval, on one scale, which goes through ``zero``."""
    told = [one for one in shown if one is not None]
    if not told:
        return [None] * len(shown)
    every = [
        *(end for value, interval in told for end in (value, *(interval or ()))),
        *([] if zero is None else [zero]),
    ]
    axis = Axis(min(every), max(every) if max(every) > min(every) else min(every) + 1.0)

    def at(value: float) -> int:
        return round(WIDTH * axis.share(value))

    def strip(one: tuple[float, Interval | None] | None) -> Strip | None:
        if one is None:
            return None
        value, interval = one
        low, high = interval or (value, value)
        text = f"{figure(value, 4)}, {figure(low, 4)} to {figure(high, 4)}"
        return Strip(text, at(low), at(value), at(high), None if zero is None else at(zero))

    return [strip(one) for one in shown]
