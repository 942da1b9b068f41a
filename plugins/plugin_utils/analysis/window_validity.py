# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validity of a window: missing data makes it invalid, and says what is missing and where."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.clock_offset import Offset
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import CPU, FPS, OFFERED
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import (
    MeasuredPlan,
    MeasuredReplica,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations, State
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import (
    Series,
    Span,
    added,
    allowed_gap,
    cut,
    longest_gap,
    summary_of,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import Block, Window
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed

LOST_AFTER = 10.0
"""Seconds that a container must have been gone before it counts as lost, so that a restart policy can act."""


def _missing(what: str, times: Sequence[float], span: Span, unit: str) -> str | None:
    """What is missing of something told at ``times``, or ``None``."""
    inside = [t for t in times if span.holds(t)]
    if not inside:
        return f"{what}: no {unit} in the window"
    gap = longest_gap(times, span)
    return f"{what}: no {unit} for {gap:.1f} s" if gap > allowed_gap(times) else None


def _done(replica: MeasuredReplica, states: Sequence[State]) -> bool:
    """Whether a replica has ended as it was meant to."""
    ended = bool(states) and states[-1].event == "gone"
    return replica.one_shot or (ended and replica.tells_at_end and states[-1].exit_code == 0)


def observed(replica: MeasuredReplica, seen: Observations, span: Span) -> bool:
    """Whether there is any sample of a replica in an interval."""
    return any(span.holds(t) for t in seen.replica_times.get(replica.name, ()))


def _of_replica(replica: MeasuredReplica, seen: Observations, span: Span) -> list[str]:
    problems = []
    where = f"replica {replica.name} on {replica.host}"
    before = [state for state in seen.states.get(replica.name, ()) if state.t <= span.end]
    done = _done(replica, before)
    if before and before[-1].event == "gone" and not done:
        code = "" if before[-1].exit_code is None else f" with exit code {before[-1].exit_code}"
        problems.append(f"{where}: ended{code} before the window was over")
    if not done:
        problems.append(_missing(where, seen.replica_times.get(replica.name, ()), span, "sample") or "")
    # Of what was not seen at all nothing can have been told.
    seen_here = done or observed(replica, seen, span)
    over = replica.one_shot or not seen_here
    required = [rule for rule in replica.rules if rule.required and not (over and rule.live)]
    log = seen.absent.get(replica.name, {}).get("log")
    because = f": {log}" if log else ""
    if any(rule.live for rule in required):
        silent = _missing(where, seen.told_times.get(replica.name, ()), span, "value of its metrics")
        problems.append(f"{silent}{because}" if silent else "")
    runs_on = replica.tells_at_end and not replica.one_shot and not done and bool(before)
    lacking: dict[str, list[str]] = {}
    for rule in required:
        if summary_of(seen.replicas[replica.name], rule.metric, [span]) is None:
            why, more = f"{rule.source}: {rule.expression}", because
            if not rule.live:
                why = seen.absent.get(replica.name, {}).get(rule.metric, f"{rule.file} was not read")
                more = ": it had not ended by then, give the measurement more time or the load less" if runs_on else ""
            refused = seen.refused[replica.name].get(rule.metric)
            words = refused.words([span]) if refused is not None else None
            more = f": {words}" if words else more
            lacking.setdefault(f"in the window ({why}){more}", []).append(rule.metric)
    for why, metrics in lacking.items():
        problems.append(f"{where}: no value of its metric{'s' * (len(metrics) > 1)} {listed(metrics)} {why}")
    return [problem for problem in problems if problem]


def problems(window: Window, plan: MeasuredPlan, seen: Observations, offsets: Mapping[str, Offset]) -> list[str]:
    """Why a measure window cannot stand; empty when it can."""
    found = []
    for host in plan.hosts:
        missing = _missing(f"host {host}", seen.host_times.get(host, ()), window.span, "sample")
        if missing:
            found.append(missing)
        offset = offsets.get(host)
        if offset is not None and not offset.consistent:
            found.append(f"host {host}: its clock was set by {offset.spread:.1f} s or more during the run")
    for replica in plan.measured:
        found.extend(_of_replica(replica, seen, window.span))
    return found


@dataclass(frozen=True)
class Throughput:
    """By what a warm-up is judged: series of a metric, one a stream (``None``: nothing told), and of what is asked."""

    metric: str
    streams: tuple[Series | None, ...]
    offered: tuple[Series | None, ...]


def throughput(plan: MeasuredPlan, seen: Observations) -> Throughput:
    """Frames per second where any measured replica has them, else CPU in cores."""
    streams = [replica for replica in plan.measured if replica.is_live_stream]
    metric = FPS if streams else CPU
    subjects = streams or [replica for replica in plan.measured if not replica.one_shot]

    def told(name: str, replicas: Sequence[MeasuredReplica]) -> tuple[Series | None, ...]:
        return tuple(seen.replicas[replica.name].get(name) for replica in replicas)

    return Throughput(metric.name, told(metric.name, subjects), told(OFFERED.name, streams))


def _offered(offered: Sequence[Series | None], span: Span) -> float | None:
    """What all streams together ask for in an interval; ``None`` where one of them does not tell."""
    means = [summary.mean for one in offered if one is not None and (summary := cut(one, [span])) is not None]
    known = [mean for mean in means if mean is not None]
    return sum(known) if known and len(known) == len(offered) else None


def block(judged: Throughput, span: Span) -> Block:
    """Mean throughput of all streams together in an interval, and whether each of them told anything in it."""
    streams = judged.streams
    present = [stream for stream in streams if stream is not None]
    total = added(present, "throughput", "", span, step=span.length)
    alive = bool(streams) and len(present) == len(streams)
    alive = alive and all(any(span.holds(t) for t in stream.times) for stream in present)
    return Block(total.points[0].value, alive, _offered(judged.offered, span))


def horizon(plan: MeasuredPlan, seen: Observations) -> float:
    """Up to when samples of every host have come, unix seconds; -inf while a host has sent none."""
    return min((max(seen.host_times.get(host, ()), default=-math.inf) for host in plan.hosts), default=-math.inf)


def lost(plan: MeasuredPlan, seen: Observations) -> str | None:
    """The first measured replica that has ended for good, in words; ``None`` while all live."""
    for replica in plan.measured:
        states = seen.states.get(replica.name, ())
        if not states or states[-1].event != "gone" or _done(replica, states):
            continue
        last = max(seen.host_times.get(replica.host, ()), default=states[-1].t)
        if last - states[-1].t >= LOST_AFTER:
            code = states[-1].exit_code
            how = "" if code is None else f" with exit code {code}"
            return f"replica {replica.name} on {replica.host} has ended{how}"
    return None
