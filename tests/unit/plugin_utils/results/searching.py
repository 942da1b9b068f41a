# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up search for stream density: how many streams of a capacity hold 14.95 fps, as its state file tells it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.verdict import Verdict
from ansible_collections.retail.profiles.plugins.plugin_utils.density import search
from ansible_collections.retail.profiles.plugins.plugin_utils.density.guard import Left
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import (
    Action,
    Ending,
    Limit,
    Outcome,
    Settings,
    Step,
    Window,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import (
    Searches,
    SearchState,
    StepState,
    Told,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_record

from ..synthetic import T0, Play, make_plan

TARGET = 14.95
FPS = {"metric": "fps", "container": "client", "at_least": TARGET}
FPS_WORDS = "mean fps over each replica of client: at least 14.95"
LATENCY = {"metric": "latency_seconds", "container": "client", "statistic": "p95", "at_most": 0.1}
LATENCY_WORDS = "p95 latency_seconds over each replica of client: at most 0.1"
WARMUP = 12.0


def figures(streams: int, rate: float) -> tuple[Told, ...]:
    """What a step tells of streams that do so many frames each."""
    worst, latency = f"ovms-client-{streams}", 0.09 * TARGET / rate
    return (
        Told(FPS_WORDS, "fps", TARGET, rate, 0.99 * rate, worst, "client1"),
        Told(LATENCY_WORDS, "latency_seconds", 0.1, latency, latency),
    )


def step(streams: int, rate: float, at: float, *, hold: bool = False, why: str = "doubled") -> StepState:
    """A step that began at a time, with the outcome that follows from its rate."""
    margin = rate / TARGET - 1.0
    count = 6 if hold else 2
    windows = (Window(margin, margin - 0.01, streams * rate / TARGET),) * count
    outcome = Outcome(margin >= 0.0, f"margin {margin:+.1%} in {count} windows")
    steady = at + 2.0 + WARMUP
    end = steady + 10.0 * count
    ended = Step(streams, hold, windows, outcome, end + 1.7 - at)
    left = (Left("server", "memory", 80.0 - streams, 5.0), Left("client1", "memory", 90.0, 5.0))
    return StepState(ended, why, at, at + 2.0, steady, end, told=figures(streams, rate), left=left)


def found(capacity: float = 12.4, *, host: str = "", settings: Settings | None = None) -> SearchState:
    """A whole search by the search's own rules, of streams that share a capacity."""
    steps: list[StepState] = []
    at, bounds = T0, settings or Settings()
    while True:
        action: Action = search.next_action([one.step for one in steps], bounds)
        if action.kind == "end":
            return SearchState(host, tuple(steps), action.ending, action.reason)
        rate = TARGET * min(4.0, capacity / action.streams)
        steps.append(step(action.streams, rate, at, hold=action.hold, why=action.reason))
        at += steps[-1].step.seconds


def ended(ending: Ending | None, why: str, passed: int = 12, limit: Limit = "", host: str = "") -> SearchState:
    """A search that ended in another way; with a step of one stream more that failed for a reason, or of one stream."""
    steps = [step(passed, 1.02 * TARGET, T0)] if passed else []
    failed = replace(step(passed + 1, 0.9 * TARGET, T0 + 60.0), told=())
    outcome = Outcome(False, why, limit=limit, ending=ending if ending in ("no data", "failed") else None)
    failed = replace(failed, step=replace(failed.step, outcome=outcome))
    said = f"{passed + 1} did not hold" if not passed else f"{passed} hold, {passed + 1} do not"
    return SearchState(host, (*steps, failed), ending, why if ending in ("no data", "failed") else said)


def searches(*states: SearchState, **more: Any) -> Searches:
    return Searches(("client",), searches=states or (found(),), **more)


def run_of(play: Play, told: Searches | None, asked: Sequence[dict[str, Any]] = (FPS, LATENCY)) -> run_record.Run:
    """A run that was measured, as one that searched."""
    plan = {**play.plan, "objectives": list(asked)}
    return run_record.load(plan, play.directory.events(), play.directory.samples(), told)


def record_of(run: run_record.Run, judged: Verdict = Verdict("ok")) -> dict[str, Any]:  # noqa: B008 - frozen
    """Its record, 300 s after it began."""
    return run_record.build(
        make_plan(), run, judged, run_id="density-1", started=T0, now=T0 + 300.0, controller={"python": "3.11"}
    )
