# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A search as Intel's performance tools tell theirs: ``stream_density.json`` with their keys, and their summary's rows.

Their tools differ among themselves: what one calls ``max`` and ``num`` others call ``max_scenes`` and ``num_scenes``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import objectives
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import ACHIEVED, FPS, LATENCY
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.objectives import Objective
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span, summary_of
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import iso
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import (
    Searches,
    SearchState,
    StepState,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_record
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run

_OF_FRAMES = (FPS.name, ACHIEVED.name)
MISSING = "NA"
ITERATION_ROWS = {
    "latency_ms": "Latency (ms)",
    "throughput_ratio": "Throughput Ratio",
    "actual_samples": "Actual Samples",
    "expected_samples": "Expected Samples",
    "samples_per_scene": "Samples/Scene",
    "passed": "Passed",
    "memory_percent": "Memory %",
    "cpu_percent": "CPU %",
}


def data(run: Run, searches: Searches) -> dict[str, Any]:
    """The whole file. Of several searches ``max`` is their sum, and each is in ``searches``."""
    asked = objectives.of_plan(run.plan)
    target = next((one for one in asked if one.at_least), asked[0] if asked else None)
    latency = next((one.bound for one in asked if one.metric == LATENCY.name and not one.at_least), None)
    head = {
        "target": target.bound if target is not None else None,
        "target_latency_ms": None if latency is None else 1000.0 * latency,
        "objectives": [str(one) for one in asked],
    }
    each = [_search(run, state, target) for state in searches.searches]
    if len(each) == 1:
        return {**head, **each[0]}
    total = sum(one["max"] for one in each)
    return {
        **head,
        "max": total,
        "max_scenes": total,
        "met_target": all(one["met_target"] for one in each),
        "best_iteration": None,
        "iterations": [{"host": one["host"], **step} for one in each for step in one["iterations"]],
        "searches": each,
    }


def _search(run: Run, state: SearchState, target: Objective | None) -> dict[str, Any]:
    if state.host:
        run = replace(run, plan=run.plan.on(state.host))
    steps = [_iteration(run, one, target) for one in state.steps if one.step.outcome is not None]
    most, first_fail = state.interval
    return {
        "host": state.host or None,
        "ending": state.ending,
        "reason": state.reason,
        "max": most,
        "max_scenes": most,
        "first_fail": first_fail,
        "met_target": bool(most),
        "best_iteration": next((one for one in reversed(steps) if one["passed"] and one["num"] == most), None),
        "iterations": steps,
    }


def _iteration(run: Run, one: StepState, target: Objective | None) -> dict[str, Any]:
    step, outcome = one.step, one.step.outcome
    span = None if one.steady is None or one.end is None else Span(one.steady, one.end)
    return {
        "num": step.streams,
        "num_scenes": step.streams,
        "passed": outcome is not None and outcome.passed,
        "reason": outcome.reason if outcome is not None else "",
        "hold": step.hold,
        "timestamp": iso(one.asked),
        "latency_ms": _latency(run, one, span),
        **_samples(one, span, target),
        "memory_percent": max((100.0 - left.percent for left in one.left if left.what == "memory"), default=None),
        "cpu_percent": _cpu(run, span),
    }


def _latency(run: Run, one: StepState, span: Span | None) -> float | None:
    """The objective's, or the mean over all frames."""
    told = next((told.mean for told in one.told if told.metric == LATENCY.name), None)
    if told is None and span is not None:
        summary = run_record.aggregate(run, [span]).get(LATENCY.name)
        told = summary.mean if summary is not None else None
    return None if told is None else 1000.0 * told


def _samples(one: StepState, span: Span | None, target: Objective | None) -> dict[str, Any]:
    """What was done of what the target asks, and how many frames that is; as far as the target is a throughput."""
    none = dict.fromkeys(("throughput_ratio", "actual_samples", "expected_samples", "samples_per_scene"))
    if target is None or not target.at_least or target.bound <= 0.0:
        return none
    told = next((told.mean for told in one.told if told.objective == str(target)), None)
    if told is None:
        return none
    found = {**none, "throughput_ratio": told / target.bound}
    if target.metric not in _OF_FRAMES or target.statistic != "mean" or span is None:
        return found
    streams = one.step.streams
    together = 1 if target.over_all else streams
    return {
        **found,
        "actual_samples": round(told * together * span.length),
        "expected_samples": round(target.bound * together * span.length),
        "samples_per_scene": told * together * span.length / streams,
    }


def _cpu(run: Run, span: Span | None) -> float | None:
    """The share of the hosts' CPUs that was busy; None where that of one host is not known."""
    if span is None:
        return None
    told = [summary_of(run.seen.hosts.get(host, {}), "cpu_cores", [span]) for host in run.plan.hosts]
    busy = [summary.mean for summary in told if summary is not None and summary.mean is not None]
    cpus = [cpus for host in run.plan.hosts if (cpus := (run.snapshot.get(host) or {}).get("cpus"))]
    return 100.0 * sum(busy) / sum(cpus) if busy and len(cpus) == len(busy) == len(run.plan.hosts) else None


def rows(told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows that these tools make of such a file; of a number of streams that came again, of the last time."""
    found = [
        ("Stream Density Target Latency (ms)", _cell(told["target_latency_ms"])),
        ("Stream Density Max Scenes", _cell(told["max_scenes"])),
        ("Stream Density Met Target", _cell(told["met_target"])),
    ]
    best = told["best_iteration"]
    if best is not None:
        found.append(("Stream Density Best Latency (ms)", _cell(best["latency_ms"])))
        found.append(("Stream Density Best Scenes", _cell(best["num_scenes"])))
    return [*found, *(() if "searches" in told else _iteration_rows(told["iterations"]))]


def _iteration_rows(iterations: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    last = {one["num_scenes"]: one for one in iterations}
    return [
        (f"Stream Density {number} Scene(s) {label}", _cell(last[number][key]))
        for number in sorted(last)
        for key, label in ITERATION_ROWS.items()
    ]


def _cell(value: object) -> str:
    if value is None:
        return MISSING
    return f"{value:.6g}" if isinstance(value, float) else str(value)
