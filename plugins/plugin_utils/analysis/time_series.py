# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time series: what was read when, rates derived from counters, and cutting both by windows.

Times are unix seconds on the controller's clock. A window is half open, (start, end]: what is told at *end* tells
of the time before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import Summary, ready_made, summarise

LEAST_GAP = 5.0
"""Seconds without a sample that are always let pass: a loaded machine is late at times."""
GAP_FACTOR = 3.0
"""What is told seldom may be silent for this many of its usual intervals."""


@dataclass(frozen=True)
class Span:
    """An interval (start, end] of wall-clock time, in unix seconds."""

    start: float
    end: float

    @property
    def length(self) -> float:
        return max(0.0, self.end - self.start)

    def holds(self, t: float) -> bool:
        return self.start < t <= self.end


@dataclass(frozen=True)
class Reading:
    """One value that was read at ``t``; readings of different ``life`` (container start) never make a rate."""

    t: float
    value: float
    life: str = ""


@dataclass(frozen=True)
class Point:
    """A value that speaks for (start, end]; an instantaneous one has ``start == end``.

    ``weight`` is what the value counts for in a mean: seconds for rates, the denominator for ratios, 1 else.
    """

    start: float
    end: float
    value: float
    weight: float = 1.0

    def share(self, span: Span) -> float:
        """How much of the point lies in the span, 0 to 1."""
        if self.end <= self.start:
            return 1.0 if span.holds(self.end) else 0.0
        inside = min(self.end, span.end) - max(self.start, span.start)
        return max(0.0, inside) / (self.end - self.start)


@dataclass(frozen=True)
class Series:
    """One metric of one container or host over time.

    ``kind``: ``gauge`` (values as read), ``flow`` (a gauge that tells of the time since the line before it, such as
    frames per second), ``rate`` (per-second rates of a counter), ``counter`` (the same of one that is exported as it
    was read: ``raw`` holds its readings), ``ratio`` (quotients of two counters), ``average`` (means told by a server:
    nothing but the mean of them all can be said), ``sketch``, ``quantile`` (percentiles that came ready-made: there is
    no mean of them). ``instance``: of a metric of devices, the device. ``whole``: it tells of the whole run, such as a
    file read at its end, so no window cuts it.
    """

    name: str
    unit: str
    kind: str
    points: tuple[Point, ...] = ()
    sketches: tuple[tuple[float, Sketch], ...] = ()
    raw: tuple[Reading, ...] = ()
    instance: str | None = None
    whole: bool = False

    @property
    def times(self) -> tuple[float, ...]:
        """When it was told; what tells of a whole run has no times."""
        if self.whole:
            return ()
        return tuple(t for t, _dummy in self.sketches) if self.kind == "sketch" else tuple(p.end for p in self.points)


def _pairs(readings: Iterable[Reading]) -> Iterable[tuple[Reading, Reading]]:
    ordered = sorted(readings, key=lambda reading: reading.t)
    for before, after in zip(ordered, ordered[1:], strict=False):
        if after.t > before.t and after.life == before.life:
            yield before, after


def rates(readings: Iterable[Reading], scale: float = 1.0) -> tuple[Point, ...]:
    """Per-second rates of a counter, times ``scale``.

    A counter that falls, or another life of its container, is a restart: no rate is made over it, so none is negative.
    """
    points = []
    for before, after in _pairs(readings):
        delta = after.value - before.value
        if delta >= 0.0:
            seconds = after.t - before.t
            points.append(Point(before.t, after.t, delta * scale / seconds, weight=seconds))
    return tuple(points)


def ratios(above: Iterable[Reading], below: Iterable[Reading], scale: float = 1.0) -> tuple[Point, ...]:
    """Δabove/Δbelow of two counters read at the same times, times ``scale``; none where nothing was counted below."""
    denominators = {reading.t: reading for reading in below}
    points = []
    for before, after in _pairs(above):
        first, second = denominators.get(before.t), denominators.get(after.t)
        if first is None or second is None:
            continue
        counted, delta = second.value - first.value, after.value - before.value
        if counted > 0.0 and delta >= 0.0:
            points.append(Point(before.t, after.t, delta * scale / counted, weight=counted))
    return tuple(points)


def flow(readings: Iterable[Reading]) -> tuple[Point, ...]:
    """A gauge that tells of the time since the line before it: frames per second as clients log them.

    The first line of a life has no line before it; it speaks for as long as the lines are usually apart. No line speaks
    for longer than the gap that is let pass: what was not told for longer is not known.
    """
    ordered = sorted(readings, key=lambda reading: reading.t)
    times = [reading.t for reading in ordered]
    usual, longest = usual_interval(times), allowed_gap(times)
    points = []
    for index, reading in enumerate(ordered):
        before = ordered[index - 1] if index else None
        joined = before is not None and before.life == reading.life and before.t < reading.t
        start = max(before.t, reading.t - longest) if before is not None and joined else reading.t - usual
        points.append(Point(start, reading.t, reading.value, weight=reading.t - start))
    return tuple(points)


def gauges(readings: Iterable[Reading]) -> tuple[Point, ...]:
    """Values as they were read, in order of time."""
    return tuple(Point(r.t, r.t, r.value) for r in sorted(readings, key=lambda reading: reading.t))


def usual_interval(times: Sequence[float], default: float = 1.0) -> float:
    """The median distance of ascending times in seconds; ``default`` where there are fewer than two."""
    distances = sorted(after - before for before, after in zip(times, times[1:], strict=False) if after > before)
    return distances[len(distances) // 2] if distances else default


def allowed_gap(times: Sequence[float]) -> float:
    """How long something that is told at ascending ``times`` may be silent before data counts as missing (seconds)."""
    return max(LEAST_GAP, GAP_FACTOR * usual_interval(times))


def longest_gap(times: Sequence[float], span: Span) -> float:
    """The longest time in the span for which nothing was told, in seconds; its length where there is nothing at all."""
    marks = [span.start, *sorted(t for t in times if span.holds(t)), span.end]
    return max(after - before for before, after in zip(marks, marks[1:], strict=False))


def _weighed(points: Sequence[Point], spans: Sequence[Span]) -> list[tuple[Point, float]]:
    result = []
    for point in points:
        share = sum(point.share(span) for span in spans)
        if share > 0.0:
            result.append((point, share * point.weight))
    return result


def _middle_in(spans: Sequence[Span]) -> Callable[[Point], bool]:
    return lambda point: any(span.holds((point.start + point.end) / 2.0) for span in spans)


def cut(series: Series, spans: Sequence[Span]) -> Summary | None:
    """What the series says of the spans taken together, or ``None`` where it says nothing.

    Means: of a rate, what was counted divided by the seconds seen; of a flow, what came divided by the length of the
    spans (frames finished in the window / window); of a ratio, Σabove/Σbelow; of a gauge, of its values.
    Percentiles, min and max are over the single values whose middle lies in a span; of ready-made percentiles there are
    but min and max.
    """
    if series.kind == "sketch":
        told = [sketch for t, sketch in series.sketches if series.whole or any(span.holds(t) for span in spans)]
        if not told:
            return None
        return ddsketch.merge(told).summary(series.unit)
    if series.whole or series.kind == "quantile":
        single = [p.value for p in series.points if series.whole or any(span.holds(p.end) for span in spans)]
        if not single:
            return None
        return ready_made(single, series.unit) if series.kind == "quantile" else summarise(single, series.unit)
    weighed = _weighed(series.points, spans)
    if not weighed:
        return None
    inside = _middle_in(spans)
    values = [point.value for point, _dummy in weighed if inside(point)] or [point.value for point, _dummy in weighed]
    weight = math.fsum(part for _dummy, part in weighed)
    amount = math.fsum(point.value * part for point, part in weighed)
    if series.kind == "average":
        return Summary(unit=series.unit, n=round(weight), mean=amount / weight)
    if series.kind == "flow":
        return summarise(values, series.unit, mean=amount / math.fsum(span.length for span in spans))
    if series.kind in ("counter", "rate"):
        return summarise(values, series.unit, mean=amount / weight, total=amount)
    summary = summarise(values, series.unit, mean=amount / weight)
    return replace(summary, n=len(values))


def summary_of(series: Mapping[str, Series], name: str, spans: Sequence[Span]) -> Summary | None:
    """What the series of that name says of the spans; ``None`` also where there is none."""
    return cut(series[name], spans) if name in series else None


def added(parts: Sequence[Series], name: str, unit: str, span: Span, step: float = 1.0) -> Series:
    """The sum of several series on a grid of ``step`` seconds from the span's start: in each cell, of their means."""
    cells = max(1, math.floor(span.length / step + 1e-9))
    sums = [0.0] * cells
    for series in parts:
        for point in series.points:
            first = max(0, math.floor((point.start - span.start) / step))
            last = min(cells - 1, math.floor((point.end - span.start) / step))
            for cell in range(first, last + 1):
                low = span.start + cell * step
                overlap = min(point.end, low + step) - max(point.start, low)
                if overlap > 0.0:
                    sums[cell] += point.value * overlap / step
    points = tuple(
        Point(span.start + cell * step, span.start + (cell + 1) * step, value, weight=step)
        for cell, value in enumerate(sums)
    )
    return Series(name=name, unit=unit, kind="flow", points=points)
