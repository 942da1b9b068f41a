# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a run, ok, degraded, missed or failed, with its reasons: a pure function of what is known of it.

``failed``: a replica never came up or was lost, a window is invalid or there is none, clean-up was incomplete.
``missed``: it stands, and does not reach its objectives, or it is not known whether it does. ``degraded``: it stands,
with a flaw that is named. ``ok``: nothing of that. ``aborted`` is not judged: it is what a record says until a verdict
is reached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    contention,
    host_faults,
    log_losses,
    metric_catalogue,
    objectives,
    offered_load,
    run_events,
    stream_gaps,
    window_validity,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import ERRORS, FPS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import (
    MeasuredPlan,
    MeasuredReplica,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.objectives import Allowance
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.run_events import Event
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span, summary_of
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import Window

_BY_WEIGHT = ("failed", "missed", "degraded", "ok")
NOT_REACHED = ("missed", "failed")
"""Verdicts with which a playbook ends with an exit status that is not 0."""


@dataclass(frozen=True)
class Verdict:
    """``verdict`` is ok, degraded, missed, failed or aborted; ``reasons`` is empty only for ok."""

    verdict: str
    reasons: tuple[str, ...] = ()

    @property
    def not_reached(self) -> bool:
        """Whether a playbook ends with an exit status that is not 0."""
        return self.verdict in NOT_REACHED


@dataclass(frozen=True)
class Judged:
    """A window with what makes it invalid; a warm-up is never invalid, for nothing is taken from it."""

    window: Window
    problems: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        return not self.problems


def judge_windows(
    windows: Sequence[Window], plan: MeasuredPlan, seen: Observations, events: Sequence[Event]
) -> tuple[Judged, ...]:
    """Each window with its problems."""
    offsets = run_events.offsets(events)
    return tuple(
        Judged(
            window, tuple(window_validity.problems(window, plan, seen, offsets)) if window.phase == "measure" else ()
        )
        for window in windows
    )


def _span(windows: Sequence[Judged]) -> Span | None:
    measured = [judged.window.span for judged in windows if judged.window.phase == "measure"]
    return Span(measured[0].start, measured[-1].end) if measured else None


def _restarts(plan: MeasuredPlan, seen: Observations, until: float) -> tuple[list[str], list[str]]:
    """Restarts of measured replicas: those that no policy explains, and those that one does."""
    outside, within = [], []
    for replica in plan.measured:
        times = [
            state.t for state in seen.states.get(replica.name, ()) if state.event == "restarted" and state.t <= until
        ]
        if not times:
            continue
        what = f"replica {replica.name} on {replica.host}: restarted {len(times)} time{'s' if len(times) > 1 else ''}"
        if replica.restarts_by_policy:
            within.append(f"{what}, as its restart policy '{replica.restart_policy}' allows")
        else:
            outside.append(f"{what}, although it has no restart policy")
    return outside, within


def _absent(replica: MeasuredReplica, seen: Observations, span: Span) -> list[str]:
    """Metrics that are not required, and that a measured replica should have had."""
    rules = [rule.metric for rule in replica.rules if not (rule.required or (replica.one_shot and rule.live))]
    optional = [metric for metric in rules if not metric_catalogue.of_rule(metric).optional]
    had = seen.replicas[replica.name]
    built_in = metric_catalogue.built_in(replica.ovms)
    essential = [metric.name for metric in built_in if metric.essential and metric.instead not in had]
    if replica.one_shot:
        essential = []
    found = []
    for metric in [*essential, *optional]:
        if summary_of(had, metric, [span]) is None:
            reason = seen.absent.get(replica.name, {}).get(metric)
            found.append(f"replica {replica.name} on {replica.host}: no {metric}" + (f": {reason}" if reason else ""))
    return found


def _stalled(plan: MeasuredPlan, seen: Observations, spans: Sequence[Span]) -> list[str]:
    """Streams that finished no frame in a window."""
    found = []
    for replica in plan.measured:
        for span in spans:
            summary = summary_of(seen.replicas[replica.name], FPS.name, [span])
            if summary is not None and not summary.mean:
                found.append(f"replica {replica.name} on {replica.host}: finished no frame in the window")
                break
    return found


def _errors(plan: MeasuredPlan, seen: Observations, spans: Sequence[Span]) -> list[str]:
    counts = {replica.name: offered_load.counted(replica, seen, ERRORS.name, spans) or 0.0 for replica in plan.measured}
    total, seconds = sum(counts.values()), sum(span.length for span in spans)
    if total <= 0.0 or seconds <= 0.0:
        return []
    worst = max(counts, key=lambda name: counts[name])
    return [
        f"{total:.0f} errors in {seconds:.0f} s of measurement ({total / seconds:.3g}/s), "
        f"most of them of replica {worst} ({counts[worst]:.0f})"
    ]


def _flaws(plan: MeasuredPlan, seen: Observations, events: Sequence[Event], windows: Mapping[str, Judged]) -> list[str]:
    """What a run that has reached windows, by what they are called, lacks although it may stand."""
    called = {name: judged.window.span for name, judged in windows.items()}
    spans = list(called.values())
    whole = Span(spans[0].start, spans[-1].end)
    limit = run_events.contention_max(events)
    found = [
        *contention.problems(plan, seen, contention.LIMIT if limit is None else limit, called),
        *host_faults.problems(plan, seen, events, whole),
        *stream_gaps.problems(plan, seen, {name: called[name] for name, judged in windows.items() if judged.valid}),
    ]
    for replica in plan.measured:
        where = f"replica {replica.name} on {replica.host}"
        if replica.one_shot or window_validity.observed(replica, seen, whole):
            found.extend(_absent(replica, seen, whole))
        killed = seen.out_of_memory.get(replica.name, 0)
        if killed:
            found.append(f"{where}: ran out of memory {killed} time{'s' if killed > 1 else ''}")
        if replica.rules:
            found.extend(log_losses.problems(where, seen.log_losses[replica.name], spans))
    # In an invalid window a client did less because it was lost, or was not seen.
    valid = [judged.window.span for judged in windows.values() if judged.valid]
    overload = offered_load.overload(plan, seen, valid) if valid else None
    return [*found, *_errors(plan, seen, spans), *([overload] if overload is not None else [])]


def judge(
    plan: MeasuredPlan,
    seen: Observations,
    events: Sequence[Event],
    windows: Sequence[Judged],
    allowance: Allowance | None = None,
) -> Verdict:
    """The verdict and all of its reasons, failures first.

    ``allowance``: that of a search; where that has reached no window, its ending says what that means.
    """
    span = _span(windows)
    failures = host_faults.out_of_reach(plan, events, span, for_good=True)
    failures += run_events.apply_problems(events) + run_events.measure_problems(events)
    spans = [judged.window.span for judged in windows if judged.window.phase == "measure"]
    outside, within = _restarts(plan, seen, span.end if span is not None else float("inf"))
    failures += outside
    if span is not None:
        failures += host_faults.dead_samplers(plan, seen, events, span)
    if span is None and allowance is None:
        gone = window_validity.lost(plan, seen)
        failures.append(gone if gone is not None else "nothing was measured: no window was reached")
    several = len(spans) > 1
    for judged in windows:
        label = (
            f"window {spans.index(judged.window.span) + 1}: " if several and judged.window.phase == "measure" else ""
        )
        failures.extend(f"{label}{problem}" for problem in judged.problems)
    if spans:
        failures += _stalled(plan, seen, spans)
    if not plan.measured:
        failures.append("nothing was measured: the plan measures no replica")
    failures += run_events.cleanup_problems(events, plan) + run_events.other_problems(events)
    if failures:  # else it cost nothing
        failures = host_faults.out_of_reach(plan, events, span, for_good=False) + failures
    measured = [judged for judged in windows if judged.window.phase == "measure"]
    named = {f"window {number}" if several else "the window": judged for number, judged in enumerate(measured, start=1)}
    flaws = [*within, *(_flaws(plan, seen, events, named) if named else [])]
    valid = [judged.window.span for judged in measured if judged.valid] or spans
    decides = allowance is None or (allowance.decides and bool(valid))
    outcomes = objectives.outcomes(plan, seen, valid, allowance) if decides else ()
    missed = [str(found) for found in outcomes if found.state != "met"]
    reasons = tuple(dict.fromkeys([*failures, *missed, *flaws]))
    if failures:
        return Verdict("failed", reasons)
    if missed:
        return Verdict("missed", reasons)
    return Verdict("degraded" if flaws else "ok", reasons)


def together(*verdicts: Verdict) -> Verdict:
    """The worst of verdicts, with the reasons of all of them, its own first."""
    ordered = sorted(verdicts, key=lambda one: _BY_WEIGHT.index(one.verdict))
    reasons = dict.fromkeys(reason for one in ordered for reason in one.reasons)
    return Verdict(ordered[0].verdict, tuple(reasons))


def as_dict(verdict: Verdict) -> Mapping[str, object]:
    return {"verdict": verdict.verdict, "reasons": list(verdict.reasons)}
