# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up studies: runs whose figures follow from a function of their levels, block and place in time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.figures import Figure, Told
from ansible_collections.retail.profiles.plugins.plugin_utils.study import answers, design
from ansible_collections.retail.profiles.plugins.plugin_utils.study.answers import Answers
from ansible_collections.retail.profiles.plugins.plugin_utils.study.outcomes import Outcome, Outcomes
from ansible_collections.retail.profiles.plugins.plugin_utils.study.progress import Progress, StudyRun

VARIABLES = ("profile_env", "cpus", "image", "measure_duration")
FPS, P99, CPU = Figure("fps"), Figure("latency_seconds", "p99"), Figure("cpu_cores", container="server")
DENSITY = Figure("density")
UNITS = {FPS: "fps", P99: "seconds", CPU: "cores", DENSITY: "streams"}
#: of a combination and the turn of its run: its figures, and whether it meets its objectives; None where it fails
Tells = Callable[[Mapping[str, Any], int], tuple[Mapping[Figure, float], bool | None] | None]


def made(study: Mapping[str, Any], tells: Tells, runs: int | None = None) -> tuple[Progress, Outcomes]:
    """A study whose first so many runs, or all, have been made."""
    state = Progress(*design.parse({"profile": "ovms", **study}, VARIABLES))
    outcomes = []
    for turn, (block, number) in enumerate(state.design.order()[:runs]):
        told = tells(state.design.combinations[number], turn)
        if told is None:
            state = state.with_run(StudyRun(block, number, "failed", reason="there is no <image>"))
            continue
        values, held = told
        run = StudyRun(block, number, "done", f"ovms-{turn}", "missed" if held is False else "ok")
        state = state.with_run(run)
        outcomes.append(Outcome(run, {key: Told(value, UNITS[key]) for key, value in values.items()}, held))
    return state, Outcomes(tuple(outcomes))


def answered(study: Mapping[str, Any], tells: Tells, runs: int | None = None) -> Answers:
    return answers.answer(*made(study, tells, runs))
