# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the samples of a step say: when it was steady, and the margins of its windows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import aggregates, window_validity
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import (
    MeasuredPlan,
    MeasuredReplica,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.objectives import FLOWS, Objective
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import (
    PERCENTILES,
    Summary,
    samples_needed,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series, Span, cut
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import BLOCK
from ansible_collections.retail.profiles.plugins.plugin_utils.density import sequential_test
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Window
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import Told

WINDOW = 10.0
"""Seconds of a window."""
MOST_TOGETHER = 6
"""Windows that are taken as one at most."""
Value = tuple[float, MeasuredReplica | None]
"""A figure and whose it is; None: of all replicas together."""


@dataclass(frozen=True)
class Streams:
    """What a stream is: a replica of one of ``containers``, or one of ``inside`` in each of its replicas."""

    containers: tuple[str, ...]
    inside: int = 1


@dataclass(frozen=True)
class Watched:
    """A step so far. ``steady``: from when on it counts, unix seconds; None while it warms up.

    ``figures``: of its windows taken together, one an objective. ``horizon``: up to when all hosts' samples have come.
    ``unknown``: why a window has no figure of an objective; nothing more can be said then.
    """

    horizon: float
    steady: float | None = None
    windows: tuple[Window, ...] = ()
    figures: tuple[Told, ...] = ()
    unknown: str = ""
    length: float = WINDOW

    @property
    def end(self) -> float | None:
        """When its last window ended, unix seconds."""
        return None if self.steady is None else self.steady + len(self.windows) * self.length


def watch(
    plan: MeasuredPlan,
    seen: Observations,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    since: float,
    warmup_max: float,
    known: sequential_test.Noise,
    steady: float | None = None,
) -> Watched:
    """What is known of a step that began at ``since`` (unix seconds), up to where all hosts' samples have come.

    ``steady``: from when on it is known to be; None where that is to be found out.
    """
    horizon = window_validity.horizon(plan, seen) - 1.0  # log lines come up to a second late
    if steady is None:
        steady = _steady(plan, seen, since, horizon, warmup_max, known)
    if steady is None or steady + WINDOW > horizon:
        return Watched(horizon, steady)
    length = WINDOW * _windows_needed(plan, seen, objectives, Span(steady, steady + WINDOW))
    windows: list[Window] = []
    while steady + (len(windows) + 1) * length <= horizon:
        start = steady + len(windows) * length
        found = _window(plan, seen, objectives, streams, Span(start, start + length))
        if isinstance(found, str):
            return Watched(horizon, steady, tuple(windows), unknown=found, length=length)
        windows.append(found)
    if not windows:
        return Watched(horizon, steady, length=length)
    figures = _told(plan, seen, objectives, streams, Span(steady, steady + len(windows) * length))
    return Watched(horizon, steady, tuple(windows), tuple(figures), length=length)


def _windows_needed(plan: MeasuredPlan, seen: Observations, objectives: Sequence[Objective], first: Span) -> int:
    """How many windows must be taken as one, so that it carries the percentiles of what few streams tell."""
    most = 1
    for objective in objectives:
        needed = samples_needed(PERCENTILES[objective.statistic]) if objective.statistic in PERCENTILES else 0
        replicas = [replica.name for replica in plan.measured if replica.container == objective.container]
        told = [one for name in replicas if (one := seen.replicas.get(name, {}).get(objective.metric)) is not None]
        summary = aggregates.together(told, [first]) if needed and told and told[0].kind == "sketch" else None
        if summary is not None and summary.n:
            # A little more, as no two windows hold equally many.
            most = max(most, math.ceil(1.1 * needed / summary.n))
    return min(most, MOST_TOGETHER)


def _told(
    plan: MeasuredPlan, seen: Observations, objectives: Sequence[Objective], streams: Streams, span: Span
) -> Iterator[Told]:
    """The figure of each objective in a span."""
    for objective in objectives:
        found = _of_objective(objective, plan, seen, streams, span)
        if not isinstance(found, str):
            worst, replica = min(found, key=lambda one: one[0] if objective.at_least else -one[0])
            mean = sum(value for value, _replica in found) / len(found)
            whose = (replica.name, replica.host) if replica is not None else ()
            yield Told(str(objective), objective.metric, objective.limit, mean, worst, *whose)


def _steady(
    plan: MeasuredPlan,
    seen: Observations,
    since: float,
    horizon: float,
    warmup_max: float,
    known: sequential_test.Noise,
) -> float | None:
    """From when on a step is steady; at the latest when its warm-up may last no longer."""
    judged = window_validity.throughput(plan, seen)
    blocks: list[float] = []
    begin = first = since
    while begin + BLOCK <= min(horizon, since + warmup_max):
        block = window_validity.block(judged, Span(begin, begin + BLOCK))
        begin += BLOCK
        if block.alive:
            blocks.append(block.throughput)
        else:  # it begins to warm up when every stream lives
            blocks, first = [], begin
    index = sequential_test.steady_from(blocks, known)
    if index is not None:
        return first + index * BLOCK
    return since + warmup_max if horizon >= since + warmup_max else None


def _window(
    plan: MeasuredPlan, seen: Observations, objectives: Sequence[Objective], streams: Streams, span: Span
) -> Window | str:
    """The margins of one window, or why there is none."""
    margins: list[float] = []
    worst: list[float] = []
    throughput: list[float] = []
    for objective in objectives:
        found = _of_objective(objective, plan, seen, streams, span)
        if isinstance(found, str):
            return found
        values = [value for value, _replica in found]
        told = [margin for value in values if (margin := objective.margin(value)) is not None]
        if len(told) < len(values):  # the limit is zero: held, or not at all
            told = [1.0 if objective.holds(value) else -1.0 for value in values]
        margins.append(sum(told) / len(told))
        worst.append(min(told))
        if objective.at_least and not objective.over_all and objective.limit > 0.0 and _is_flow(objective, seen):
            throughput.append(sum(values) * _inside(objective, streams) / objective.limit)
    return Window(min(margins), min(worst), min(throughput) if throughput else None)


def _inside(objective: Objective, streams: Streams) -> int:
    """How many streams each replica of an objective's container has."""
    return streams.inside if objective.container in streams.containers else 1


def _of_objective(
    objective: Objective, plan: MeasuredPlan, seen: Observations, streams: Streams, span: Span
) -> list[Value] | str:
    replicas = [replica for replica in plan.measured if replica.container == objective.container]
    return _figures(objective, replicas, seen, span, _inside(objective, streams))


def _is_flow(objective: Objective, seen: Observations) -> bool:
    kinds = {one[objective.metric].kind for one in seen.replicas.values() if objective.metric in one}
    return objective.statistic == "mean" and kinds <= set(FLOWS)


def _figures(
    objective: Objective, replicas: Sequence[MeasuredReplica], seen: Observations, span: Span, inside: int
) -> list[Value] | str:
    """The objective's figure of each replica in a window, of one stream where it counts several; or why not.

    Of what only many values can carry, such as a percentile of latencies, it is that of all replicas together.
    """
    told: list[Series] = []
    for replica in replicas:
        series = seen.replicas.get(replica.name, {}).get(objective.metric)
        if series is None or cut(series, [span]) is None:
            why = seen.absent.get(replica.name, {}).get(objective.metric, "no value in the window")
            return f"replica {replica.name} on {replica.host}: no {objective.metric}: {why}"
        told.append(series)
    if not told:
        return f"the plan has no replica of {objective.container}"
    summaries: list[tuple[Summary | None, MeasuredReplica | None]]
    if objective.over_all or told[0].kind == "sketch":
        summaries = [(aggregates.together(told, [span]), None)]
    else:
        summaries = [(cut(series, [span]), replica) for series, replica in zip(told, replicas, strict=True)]
    divided = inside if told[0].kind in FLOWS and not objective.over_all else 1
    found: list[Value] = []
    for summary, one in summaries:
        value = getattr(summary, objective.statistic) if summary is not None else None
        if value is None:
            return _not_carried(objective, summary, span)
        found.append((float(value) / divided, one))
    return found


def _not_carried(objective: Objective, summary: Summary | None, span: Span) -> str:
    count = summary.n if summary is not None else 0
    return f"the {objective.statistic} of {objective.metric} is not carried by {count} values in {span.length:.0f} s"
