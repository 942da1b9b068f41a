# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A search for stream density in the record of its run: ``search`` of ``run.json``, and what it says of the verdict."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import metric_catalogue, objectives, verdict
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.objectives import Allowance
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.verdict import Verdict
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import iso
from ansible_collections.retail.profiles.plugins.plugin_utils.density import search
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import (
    Searches,
    SearchState,
    StepState,
    Told,
)

UNFINISHED = "the search has not come to its end"
_FAILED = ("no data", "failed")
_LIMITS = {ending: limit for limit, ending in search.ENDINGS.items() if limit}


def as_dict(searches: Searches, plan: MeasuredPlan) -> dict[str, Any]:
    """The searches of a run as ``run.json`` holds them."""
    units = _units(plan)
    return {
        "containers": list(searches.containers),
        "env": searches.env,
        "settings": asdict(searches.settings),
        "searches": [_search(one, units) for one in searches.searches],
    }


def _units(plan: MeasuredPlan) -> dict[str, str]:
    """The unit of each objective's figures, by the objective's words."""
    told = {rule.metric: rule.unit for replica in plan.measured for rule in replica.rules}
    found = {}
    for objective in objectives.of_plan(plan):
        unit = told.get(objective.metric) or metric_catalogue.of_rule(objective.metric).unit
        found[str(objective)] = unit.removesuffix("/s") if objective.statistic == "total" else unit
    return found


def _search(state: SearchState, units: Mapping[str, str]) -> dict[str, Any]:
    seen = search.bracket(state.plain)
    return {
        "host": state.host or None,
        "ending": state.ending,
        "reason": UNFINISHED if state.ending is None else state.reason,
        "cause": _cause(state),
        "streams": seen.passed,
        "first_fail": seen.failed,
        "confirmed": seen.confirmed,
        "hold_seconds": _hold_seconds(state, seen.passed) if seen.confirmed else None,
        "carried": seen.carried,
        "saturated": seen.saturated,
        "seconds": sum(step.seconds for step in state.plain),
        "steps": [_step(one, units) for one in state.steps],
    }


def _hold_seconds(state: SearchState, streams: int) -> float | None:
    """For how long the answer was held at last."""
    held = [one for one in state.steps if one.step.hold and one.step.streams == streams and _passed(one)]
    return _between(held[-1].steady, held[-1].end) if held else None


def _passed(one: StepState) -> bool:
    return one.step.outcome is not None and one.step.outcome.passed


def _between(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else end - start


def _step(one: StepState, units: Mapping[str, str]) -> dict[str, Any]:
    step, outcome = one.step, one.step.outcome
    return {
        "streams": step.streams,
        "hold": step.hold,
        "why": one.why,
        "passed": outcome.passed if outcome is not None else None,
        "marginal": outcome.marginal if outcome is not None else None,
        "limit": outcome.limit or None if outcome is not None else None,
        "reason": outcome.reason if outcome is not None else None,
        "asked": iso(one.asked),
        "began": _iso(one.began),
        "steady": _iso(one.steady),
        "end": _iso(one.end),
        "seconds": step.seconds,
        "warmup_seconds": _between(one.began, one.steady),
        "windows": len(step.windows),
        "margin": statistics.fmean(step.margins) if step.windows else None,
        "worst_margin": step.worst if step.windows else None,
        "throughput": step.throughput,
        "figures": [_figure(told, units) for told in one.told],
    }


def _iso(t: float | None) -> str | None:
    return None if t is None else iso(t)


def _figure(told: Told, units: Mapping[str, str]) -> dict[str, Any]:
    return {
        "objective": told.objective,
        "metric": told.metric,
        "unit": units.get(told.objective, ""),
        "limit": told.limit,
        "mean": told.mean,
        "worst": told.worst,
        "replica": told.replica or None,
        "host": told.host or None,
    }


def _cause(state: SearchState) -> str | None:
    """Why the fewest streams that failed did, where that was not what is looked at."""
    failed, limit = state.interval[1], _LIMITS.get(state.ending) if state.ending is not None else None
    for one in reversed(state.steps):
        outcome = one.step.outcome
        if limit and outcome is not None and one.step.streams == failed and outcome.limit == limit:
            return outcome.reason
    return None


def judge(searches: Searches) -> Verdict:
    """What the searches of a run mean for its verdict; what was found is ok."""
    return verdict.together(Verdict("ok"), *(_judge(state) for state in searches.searches))


def _judge(state: SearchState) -> Verdict:
    if state.ending == "found":
        return Verdict("ok")
    where = f" of {state.host}" if state.host else ""
    if state.ending is None:
        return Verdict("failed", (f"stream density{where}: {UNFINISHED}",))
    said = ": ".join([f"stream density{where}", state.ending, state.reason, *filter(None, [_cause(state)])])
    if state.ending in _FAILED:
        return Verdict("failed", (said,))
    return Verdict("degraded" if state.interval[0] else "missed", (said,))


def allowance(searches: Searches, plan: MeasuredPlan) -> Allowance:
    """How the objectives of a search are held: as its steps were."""
    inside = {}
    last = {state.host: _last(state) for state in searches.searches}
    if searches.env is not None:
        for replica in plan.measured:
            if replica.container in searches.containers:
                one = last.get(replica.host) or last.get("")
                inside[replica.name] = one.step.streams if one is not None else 1
    return Allowance(-search.WORST, inside, all(one is not None and _passed(one) for one in last.values()))


def _last(state: SearchState) -> StepState | None:
    """The step that a search measured last; the run's figures are of it."""
    told = [one for one in state.steps if one.step.windows]
    return told[-1] if told else state.current
