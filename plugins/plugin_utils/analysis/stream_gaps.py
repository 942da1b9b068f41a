# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gaps: seconds in which a stream's frames were due and did not come, or a host did not run.

What is due is the stream's own median rate in the window. A gap is a run of lines that tell of hardly any frame, or of
no line at all, with what the line at either end lacks. It is shorter than what makes a window invalid.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby, pairwise

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import FPS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series, Span, usual_interval

LEAST_SECONDS = 2.0
"""A shorter gap shows in the latency, and is not named."""
LEAST_FRAMES = 8.0
"""With fewer frames due, chance alone leaves such gaps."""
HARDLY_ANY = 0.2
"""Of what is due."""
LATE_LINE = 1.5
LATE_HOST = 2.0
"""Seconds by which a line or a sample may be later than usual: a loaded machine is."""
MOST_NAMED = 3


@dataclass(frozen=True)
class Gap:
    """``missing`` seconds from ``start`` on (unix seconds) without the ``frames`` that were due, about."""

    start: float
    missing: float
    frames: float


@dataclass(frozen=True)
class _Piece:
    """What one line tells: of a time, the share of the due frames that came; a ``silent`` one is told by no line."""

    start: float
    end: float
    missing: float
    silent: bool
    came: float

    @property
    def empty(self) -> bool:
        return self.silent or self.came < HARDLY_ANY


def _pieces(series: Series, span: Span, due: float) -> Iterator[_Piece]:
    """The times between lines, as far as they lie in the span."""
    times = series.times
    usual = usual_interval(times)
    points = sorted(series.points, key=lambda point: point.end)
    for before, after in pairwise(points):
        length = after.end - before.end
        # A counter tells of all frames since it was read last; a gauge of the time since the line before, at best.
        untold = after.start - before.end if series.kind == "counter" else length - usual
        silent = untold > LATE_LINE
        came = after.value / due
        lacking = length * max(0.0, 1.0 - came)
        missing = max(untold, lacking) if silent else lacking
        inside = min(after.end, span.end) - max(before.end, span.start)
        if length > 0.0 and inside > 0.0:
            yield _Piece(before.end, after.end, missing * inside / length, silent, came)
    rest = span.end - points[-1].end - usual
    if rest > LATE_LINE:
        yield _Piece(points[-1].end, span.end, rest, True, 0.0)


def gaps(series: Series, span: Span) -> list[Gap]:
    """The gaps of a stream in a window, in order of time."""
    told = [point.value for point in series.points if span.holds(point.end) and not series.whole]
    due = statistics.median(told) if told else 0.0
    if due <= 0.0:
        return []
    pieces = list(_pieces(series, span, due))
    found = []
    for empty, group in groupby(range(len(pieces)), key=lambda index: pieces[index].empty):
        if not empty:
            continue
        run = list(group)
        around = pieces[max(0, run[0] - 1) : run[-1] + 2]
        missing = sum(piece.missing for piece in around)
        silent = any(pieces[index].silent for index in run)
        if missing >= LEAST_SECONDS and (silent or missing * due >= LEAST_FRAMES):
            found.append(Gap(max(span.start, pieces[run[0]].start), missing, missing * due))
    return found


def _of_hosts(plan: MeasuredPlan, seen: Observations, span: Span, where: str) -> Iterator[str]:
    for host in plan.hosts:
        times = seen.host_times.get(host, ())
        usual = usual_interval(times)
        for before, after in pairwise(times):
            start, end = max(before, span.start), min(after, span.end)
            if end - start > usual + LATE_HOST:
                second = start - span.start
                yield f"host {host}: no sample for {end - start:.1f} s from second {second:.0f} of {where}"


def problems(plan: MeasuredPlan, seen: Observations, windows: Mapping[str, Span]) -> list[str]:
    """The gaps of all hosts and streams in windows, by what a window is called; the streams' longest ones are named."""
    found: list[str] = []
    named: list[tuple[float, str]] = []
    streams: set[str] = set()
    for where, span in windows.items():
        found.extend(_of_hosts(plan, seen, span, where))
        for replica in plan.measured:
            series = seen.replicas[replica.name].get(FPS.name)
            for gap in gaps(series, span) if series is not None and not replica.one_shot else ():
                streams.add(replica.name)
                text = (
                    f"replica {replica.name} on {replica.host}: a gap of {gap.missing:.1f} s from second"
                    f" {gap.start - span.start:.0f} of {where}: about {gap.frames:.0f} frames were due and did not come"
                )
                named.append((gap.missing, text))
    named.sort(key=lambda entry: -entry[0])
    found.extend(text for _dummy, text in named[:MOST_NAMED])
    if len(named) > MOST_NAMED:
        found.append(f"{len(named) - MOST_NAMED} more gaps; {len(streams)} streams have any")
    return found
