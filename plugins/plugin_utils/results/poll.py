# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Polling a run that is being measured: one look at its directory, and where its windows stand."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    measured_plan,
    observations,
    run_events,
    window_validity,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.clock_offset import corrections
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import FPS, OFFERED
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import (
    Progress,
    Window,
    WindowSettings,
    advance,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_directory
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory

_ALWAYS = ("host", "state")
_LOOKED_AT = (FPS.name, OFFERED.name)
MOST_LOOKS = 120
"""Looks after which it is given up: a clock that is set back would have the end never come."""


def look(directory: RunDirectory, settings: WindowSettings, now: float) -> Progress:
    """Where the measurement of a run stands at ``now`` (unix seconds).

    Raises ProfileError where there is no run directory, no sampler was started, or the windows do not come to an end.
    """
    plan = measured_plan.of_plan(directory.read_json(run_directory.PLAN))
    events = directory.events()
    started = run_events.sampling_since(events)
    if started is None:
        raise ProfileError(
            "no sampler has been started: run retail.profiles.profile_measure with state=started first,"
            " with the callback retail.profiles.profile_metrics enabled",
            file=str(directory.path),
        )
    known = run_events.decided_windows(events)
    looked_at = plan.with_rules(lambda rule: rule.live and rule.metric in _LOOKED_AT, ovms=False)
    samples = directory.samples(_types(looked_at, known))
    seen = observations.observe(looked_at, samples, corrections(run_events.offsets(events)))
    judged = window_validity.throughput(looked_at, seen)
    progress = advance(
        known=known,
        started=started,
        now=now,
        horizon=window_validity.horizon(plan, seen),
        settings=settings,
        block=lambda span: window_validity.block(judged, span),
        lost=window_validity.lost(plan, seen),
        ended=run_events.samplers_ended(events, plan.hosts),
    )
    if not progress.done and run_events.looks(events) >= MOST_LOOKS:
        raise ProfileError(f"The windows are not measured after {MOST_LOOKS} collections: {progress.message}")
    return progress


def _types(plan: MeasuredPlan, known: Sequence[Window]) -> tuple[str, ...]:
    """The types of samples to read: of throughput only until the windows are decided."""
    if any(window.phase == "measure" for window in known):
        return _ALWAYS
    return (*_ALWAYS, *(plan.sample_types or ["container"]))
