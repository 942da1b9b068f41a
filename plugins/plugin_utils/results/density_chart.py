# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Charts of a search for stream density: over the number of streams, each objective against its limit, and throughput.

Places are percentages of the plot, so that marks and words keep their size on any width of screen or paper.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.results.report_tables import figure

NEAR = 0.5
"""An axis reaches to what is within this part of the limit; what lies beyond is at its edge, with an arrow."""
LEAST_NEAR = 0.1
"""It reaches at least so far on either side."""
LOG_FROM = 5.0
"""An axis is logarithmic where the largest value is so many times the limit: latencies of a search are."""
LOG_MOST = 1000.0
"""It reaches at most to so many times the limit, and so many parts of it."""
MOST_SAID = 12
"""So many steps are in a chart's text alternative."""
TICKS = 5
WORDS = {"passed": "holds", "failed": "does not hold", "open": "on its way", "hold": "held for long"}
"""What the marks of a step mean."""
Step = Mapping[str, Any]


@dataclass(frozen=True)
class Mark:
    """A step's place. ``state``: passed, failed or open; ``beyond``: above or below the axis, empty within it.

    ``label`` stands beside it.
    """

    x: str
    y: str
    state: str
    text: str
    small: bool = False
    hold: bool = False
    beyond: str = ""
    label: str = ""


@dataclass(frozen=True)
class Link:
    """A line from one place to another."""

    x1: str
    y1: str
    x2: str
    y2: str
    style: str


@dataclass(frozen=True)
class Tick:
    at: str
    text: str


@dataclass(frozen=True)
class StepChart:
    """A chart over the number of streams, or what ``x_title`` says. ``band``: where the answer lies, its left edge and
    width.

    ``lines`` say what the lines with a style mean, ``words`` what the marks do. ``text``: what a reader is told who
    does not see it.
    """

    title: str
    unit: str
    metric: str
    text: str
    marks: tuple[Mark, ...]
    links: tuple[Link, ...]
    lines: tuple[tuple[str, str], ...]
    band: tuple[str, str] | None
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    x_title: str = "streams"
    words: Mapping[str, str] = field(default_factory=lambda: WORDS)

    @property
    def has_worst(self) -> bool:
        return any(mark.small for mark in self.marks)

    @property
    def has_hold(self) -> bool:
        return any(mark.hold for mark in self.marks)

    @property
    def states(self) -> tuple[str, ...]:
        told = {mark.state for mark in self.marks}
        return tuple(state for state in ("passed", "failed", "open") if state in told)


@dataclass(frozen=True)
class Axis:
    """From a value to its place, 0 to 100 % from ``low`` to ``high``."""

    low: float
    high: float

    def share(self, value: float) -> float:
        return (value - self.low) / (self.high - self.low)

    def x(self, value: float) -> str:
        return f"{100.0 * self.share(value):.2f}%"

    def y(self, value: float) -> str:
        return f"{100.0 - 100.0 * self.share(value):.2f}%"

    def edge(self, value: float) -> float:
        """The value, or the end of the axis that it lies beyond."""
        return min(self.high, max(self.low, value))

    def beyond(self, value: float) -> str:
        return "above" if value > self.high else "below" if value < self.low else ""


@dataclass(frozen=True)
class LogAxis(Axis):
    """The same for values above zero, by their logarithm."""

    def share(self, value: float) -> float:
        return math.log(value / self.low) / math.log(self.high / self.low)


def log_ticks(axis: LogAxis, most: int = TICKS) -> list[float]:
    """Round numbers on an axis: 1, 2 and 5 of each power of ten where there is room, or 1 and 3, else powers of ten."""
    powers = range(math.floor(math.log10(axis.low)), math.ceil(math.log10(axis.high)) + 1)
    apart = math.ceil(len(powers) / most)
    choices = [[many * 10.0**power for power in powers for many in parts] for parts in ((1.0, 2.0, 5.0), (1.0, 3.0))]
    choices.append([10.0**power for power in powers[::apart]])
    found = [[value for value in values if axis.low <= value <= axis.high] for values in choices]
    return next((values for values in found if len(values) <= most), found[-1])


def ticks(axis: Axis, most: int = TICKS, whole: bool = False) -> list[float]:
    """Round numbers on an axis: 1, 2 or 5 of a power of ten apart."""
    rough = (axis.high - axis.low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((many * power for many in (1.0, 2.0, 5.0) if many * power >= rough), 10.0 * power)
    step = max(step, 1.0) if whole else step
    first, last = math.ceil(axis.low / step - 1e-9), math.floor(axis.high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def charts(one: Mapping[str, Any]) -> list[StepChart]:
    """The charts of one search of ``run.json``: one for each objective, and one of throughput where there is any."""
    steps = one["steps"]
    if not steps:
        return []
    streams = Axis(0.0, 1.08 * max(step["streams"] for step in steps))
    words = dict.fromkeys(figures["objective"] for step in steps for figures in step["figures"])
    found = [_objective(one, said, streams) for said in words]
    throughput = [step for step in steps if step["throughput"] is not None]
    return [*found, *([_throughput(one, throughput, streams)] if throughput else [])]


def _objective(one: Mapping[str, Any], said: str, streams: Axis) -> StepChart:
    """The mean over streams and the worst stream against the limit."""
    told = [(step, figures) for step in one["steps"] for figures in step["figures"] if figures["objective"] == said]
    first = told[0][1]
    limit, unit = float(first["limit"]), first["unit"]
    axis = _around(limit, [float(figures[key]) for _step, figures in told for key in ("mean", "worst")])
    marks: list[Mark] = []
    means = [(step["streams"], float(figures["mean"])) for step, figures in told]
    links = [*_curve(means, streams, axis), Link("0%", axis.y(limit), "100%", axis.y(limit), "limit")]
    for step, figures in told:
        x, mean, worst = streams.x(step["streams"]), float(figures["mean"]), float(figures["worst"])
        apart = bool(figures["replica"])
        if apart:
            links.append(Link(x, axis.y(mean), x, axis.y(worst), "spread"))
            text = f"{_tried(step)}: worst {figure(worst, 4)} {unit}, {figures['replica']} on {figures['host']}"
            place = axis.y(axis.edge(worst))
            marks.append(Mark(x, place, state(step), text, small=True, beyond=axis.beyond(worst)))
        text = f"{_tried(step)}: {'mean ' if apart else ''}{figure(mean, 4)} {unit}"
        place = axis.y(axis.edge(mean))
        marks.append(Mark(x, place, state(step), text, hold=step["hold"], beyond=axis.beyond(mean)))
    return StepChart(
        title=f"{said[:1].upper()}{said[1:]}",
        unit=f"{unit}, logarithmic" if isinstance(axis, LogAxis) else unit,
        metric=first["metric"],
        text=_text(said, one, list(_said(told, unit))),
        marks=_ordered(marks),
        links=tuple(links),
        lines=(("limit", f"limit, {figure(limit, 4)} {unit}"),),
        band=_band(one, streams),
        x_ticks=x_ticks(streams, whole=True),
        y_ticks=y_ticks(axis),
    )


def _around(limit: float, values: Sequence[float]) -> Axis:
    """An axis about a limit, as far as values are near it; to all of them where they differ by far."""
    least, most = min(limit, *values), max(limit, *values)
    if least > 0.0 and most >= LOG_FROM * limit:
        return LogAxis(max(least, limit / LOG_MOST) / 1.2, min(most, limit * LOG_MOST) * 1.2)
    reach = abs(limit) * LEAST_NEAR
    near = [value for value in values if abs(value - limit) <= NEAR * abs(limit)] if limit else list(values)
    low, high = min([limit - reach, *near]), max([limit + reach, *near])
    margin = 0.08 * (high - low) or 1.0
    return Axis(low - margin, high + margin)


def _throughput(one: Mapping[str, Any], steps: Sequence[Step], streams: Axis) -> StepChart:
    """What all streams do together, in streams' worth, against what they ask for."""
    axis = Axis(0.0, 1.08 * max(max(step["throughput"], step["streams"]) for step in steps) or 1.0)
    marks = [
        Mark(
            streams.x(step["streams"]),
            axis.y(axis.edge(step["throughput"])),
            state(step),
            f"{_tried(step)}: throughput of {figure(step['throughput'], 3)} streams",
            hold=step["hold"],
        )
        for step in steps
    ]
    end = min(streams.high, axis.high)
    links = [*_curve([(step["streams"], step["throughput"]) for step in steps], streams, axis)]
    links += [Link("0%", axis.y(0.0), streams.x(end), axis.y(end), "asked")]
    lines = [("asked", "what so many streams ask for")]
    if one["saturated"] and one["carried"] is not None:
        level = axis.y(float(one["carried"]))
        links.append(Link("0%", level, "100%", level, "carried"))
        lines.append(("carried", f"throughput at its limit, which carries {one['carried']}"))
    told = [f"{_tried(step)} throughput of {figure(step['throughput'], 3)}" for step in steps]
    return StepChart(
        title="Throughput of all streams",
        unit="streams' worth",
        metric="throughput",
        text=_text("throughput of all streams, in what the objective asks of one stream", one, told),
        marks=_ordered(marks),
        links=tuple(links),
        lines=tuple(lines),
        band=_band(one, streams),
        x_ticks=x_ticks(streams, whole=True),
        y_ticks=y_ticks(axis),
    )


def _curve(told: Sequence[tuple[int, float]], streams: Axis, axis: Axis) -> Iterator[Link]:
    """Lines from each number of streams to the next; of one that was tried again, from the mean of all times."""
    tried = sorted({number for number, _value in told})
    means = [statistics.fmean(value for number, value in told if number == one) for one in tried]
    for (one, low), (other, high) in pairwise(zip(tried, means, strict=True)):
        yield Link(streams.x(one), axis.y(low), streams.x(other), axis.y(high), "curve")


def _ordered(marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Those in front last: a cross is seen over a disc, and not the other way round."""
    return tuple(sorted(marks, key=lambda mark: (mark.state == "failed", mark.small)))


def state(step: Step) -> str:
    return "open" if step["passed"] is None else "passed" if step["passed"] else "failed"


def _tried(step: Step) -> str:
    """A step in words."""
    said = {"open": "are on their way", "passed": "hold", "failed": "do not hold"}[state(step)]
    kind = ", held for long," if step["hold"] else ""
    return f"{step['streams']}{kind} {said}"


def _said(told: Sequence[tuple[Step, Mapping[str, Any]]], unit: str) -> Iterator[str]:
    for step, figures in told:
        worst = f", worst {figure(figures['worst'], 4)}" if figures["replica"] else ""
        yield f"{_tried(step)}: {figure(figures['mean'], 4)} {unit}{worst}"


def _text(said: str, one: Mapping[str, Any], told: Sequence[str]) -> str:
    rest = f"; and {len(told) - MOST_SAID} more steps" if len(told) > MOST_SAID else ""
    fail = f", {one['first_fail']} do not" if one["first_fail"] else ""
    return f"{said}, over the number of streams. {one['streams']} hold{fail}. {'; '.join(told[:MOST_SAID])}{rest}"


def _band(one: Mapping[str, Any], streams: Axis) -> tuple[str, str] | None:
    """Where the answer lies: from the last pass to the first failure."""
    if not one["streams"]:
        return None
    left = streams.share(one["streams"])
    right = streams.share(one["first_fail"]) if one["first_fail"] else 1.0
    return f"{100.0 * left:.2f}%", f"{100.0 * (right - left):.2f}%"


def _ticks(axis: Axis, at: Callable[[float], str], whole: bool = False) -> tuple[Tick, ...]:
    values = log_ticks(axis) if isinstance(axis, LogAxis) else ticks(axis, whole=whole)
    return tuple(Tick(at(value), f"{value:.6g}") for value in values)


def x_ticks(axis: Axis, whole: bool = False) -> tuple[Tick, ...]:
    return _ticks(axis, axis.x, whole)


def y_ticks(axis: Axis) -> tuple[Tick, ...]:
    return _ticks(axis, axis.y)
