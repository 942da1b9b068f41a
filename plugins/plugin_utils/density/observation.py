# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What the samples of a step say: when it was steady, and the margins of its windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import aggregates, window_validity
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import (
    MeasuredPlan,
    MeasuredReplica,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.objectives import Objective
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import Summary
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series, Span, cut
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import BLOCK
from ansible_collections.retail.profiles.plugins.plugin_utils.density import sequential_test
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Window

WINDOW = 10.0
"""Seconds of a window."""
_FLOWS = ("flow", "rate", "counter")
"""Kinds that tell how much a stream does: of several streams in one container the sum."""


@dataclass(frozen=True)
class Streams:
    """What a stream is: a replica of one of ``containers``, or one of ``inside`` in each of its replicas."""

    containers: tuple[str, ...]
    inside: int = 1


@dataclass(frozen=True)
class Watched:
    """A step so far. ``steady``: from when on it counts, unix seconds; None while it warms up.

    ``unknown``: why a window has no figure of an objective; nothing more can be said then.
    """

    steady: float | None
    windows: tuple[Window, ...] = ()
    unknown: str = ""


def watch(
    plan: MeasuredPlan,
    seen: Observations,
    objectives: Sequence[Objective],
    streams: Streams,
    *,
    since: float,
    warmup_max: float,
    known: sequential_test.Noise,
) -> Watched:
    """What is known of a step that began at ``since`` (unix seconds), up to where all hosts' samples have come."""
    horizon = window_validity.horizon(plan, seen) - 1.0  # log lines come up to a second late
    steady = _steady(plan, seen, since, horizon, warmup_max, known)
    if steady is None:
        return Watched(None)
    windows: list[Window] = []
    while steady + (len(windows) + 1) * WINDOW <= horizon:
        start = steady + len(windows) * WINDOW
        found = _window(plan, seen, objectives, streams, Span(start, start + WINDOW))
        if isinstance(found, str):
            return Watched(steady, tuple(windows), found)
        windows.append(found)
    return Watched(steady, tuple(windows))


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
        replicas = [replica for replica in plan.measured if replica.container == objective.container]
        inside = streams.inside if objective.container in streams.containers else 1
        found = _figures(objective, replicas, seen, span, inside)
        if isinstance(found, str):
            return found
        told = [margin for value in found if (margin := objective.margin(value)) is not None]
        if len(told) < len(found):  # the limit is zero: held, or not at all
            told = [1.0 if objective.holds(value) else -1.0 for value in found]
        margins.append(sum(told) / len(told))
        worst.append(min(told))
        if objective.at_least and not objective.over_all and objective.limit > 0.0 and _is_flow(objective, seen):
            throughput.append(sum(found) * inside / objective.limit)
    return Window(min(margins), min(worst), min(throughput) if throughput else None)


def _is_flow(objective: Objective, seen: Observations) -> bool:
    kinds = {one[objective.metric].kind for one in seen.replicas.values() if objective.metric in one}
    return objective.statistic == "mean" and kinds <= set(_FLOWS)


def _figures(
    objective: Objective, replicas: Sequence[MeasuredReplica], seen: Observations, span: Span, inside: int
) -> list[float] | str:
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
    together = objective.over_all or told[0].kind == "sketch"
    summaries = [aggregates.together(told, [span])] if together else [cut(series, [span]) for series in told]
    values = [_value(objective, summary) for summary in summaries]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        count = summaries[0].n if summaries[0] is not None else 0
        return f"the {objective.statistic} of {objective.metric} is not carried by {count} values in {WINDOW:.0f} s"
    divided = inside if told[0].kind in _FLOWS and not objective.over_all else 1
    return [value / divided for value in known]


def _value(objective: Objective, summary: Summary | None) -> float | None:
    value = getattr(summary, objective.statistic) if summary is not None else None
    return None if value is None else float(value)
