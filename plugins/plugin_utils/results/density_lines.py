# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live line of a search for stream density: what its last step has come to, and what comes next."""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import ACHIEVED, FPS
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import SearchState, StepState, Told
from ansible_collections.retail.profiles.plugins.plugin_utils.results.density_text import named, streams
from ansible_collections.retail.profiles.plugins.plugin_utils.text.shown import neutral, one_line

MOST = 400
"""Characters of a line."""
MOST_WORDS = 120
"""Characters of a reason or of a name in it."""
MOST_TOLD = 3
"""So many objectives have their figures in it."""
_RATES = {FPS.name: "fps", ACHIEVED.name: "done/s"}


def line(search: SearchState) -> str:
    """One line of the last step that has ended; empty where none has.

    density 4: 13 streams | fps 14.2 a stream, 185 in all, limit 14.95, worst 12.9 client-7 on h2 | fails: margin -4.9%
    in 3 windows | next 12 streams to hold: to confirm 12
    """
    ended = [number for number, one in enumerate(search.steps) if one.step.outcome is not None]
    if not ended:
        return ""
    number = ended[-1]
    one = search.steps[number]
    where = f" {search.host}" if search.host else ""
    held = ", held" if one.step.hold else ""
    parts = [f"density{where} {number + 1}: {streams(one.step.streams)}{held}"]
    parts += [_told(told, one) for told in one.told[:MOST_TOLD]]
    if len(one.told) > MOST_TOLD:
        parts.append(f"{len(one.told) - MOST_TOLD} more")
    parts += [_decision(one), *_next(search, number)]
    return neutral(" | ".join(neutral(one_line(part), MOST_WORDS) for part in parts), MOST)


def _told(told: Told, one: StepState) -> str:
    """The figures of an objective: of a stream in the mean, of frames in all as well, and of the worst stream."""
    limit = f"limit {told.limit:.4g}"
    if not told.replica:  # one figure of all together
        return f"{named(told.objective, told.metric)} {told.mean:.4g}, {limit}"
    name, together = named(told.objective, told.metric), ""
    if told.metric in _RATES:
        name, together = _RATES[told.metric], f" a stream, {_together(told, one):.4g} in all"
    return f"{name} {told.mean:.4g}{together}, {limit}, worst {told.worst:.4g} {told.replica} on {told.host}"


def _together(told: Told, one: StepState) -> float:
    """What all streams do: by the throughput of the step, where that is of this objective alone."""
    rates = sum(other.metric in _RATES for other in one.told)
    throughput = one.step.throughput if rates == 1 else None
    return told.mean * one.step.streams if throughput is None else throughput * told.limit


def _decision(one: StepState) -> str:
    outcome = one.step.outcome
    if outcome is None:
        return ""
    marginal = ", marginally" if outcome.marginal else ""
    return f"{'passes' if outcome.passed else 'fails'}{marginal}: {outcome.reason}"


def _next(search: SearchState, number: int) -> list[str]:
    """What comes after a step: another one, or the end, whose reason may be the step's; nothing while that is open."""
    if number + 1 < len(search.steps):
        one = search.steps[number + 1]
        return [f"next {streams(one.step.streams)}{' to hold' if one.step.hold else ''}: {one.why}"]
    if search.ending is None:
        return []
    outcome = search.steps[number].step.outcome
    told = outcome is not None and outcome.reason == search.reason
    return [f"end, {search.ending}" + ("" if told else f": {search.reason}")]
