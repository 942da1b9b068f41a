# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a search further: what was seen of its step is judged, and what comes next is decided. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ansible_collections.retail.profiles.plugins.plugin_utils.density import search
from ansible_collections.retail.profiles.plugins.plugin_utils.density.guard import Room
from ansible_collections.retail.profiles.plugins.plugin_utils.density.observation import WINDOW, Watched
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Outcome, Settings
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import SearchState, StepState

PATIENCE = 30.0
"""Seconds after which samples that were due are not waited for any more."""
FIRST_LOOK = 21.7
"""Seconds after its beginning when the first window of a step may have been seen: it is steady after 10 s at the
earliest, and log lines and samples come up to 1.7 s late."""


@dataclass(frozen=True)
class Look:
    """What a look found of the step on its way, at ``now`` (unix seconds).

    ``lost``: a container that ended for good; ``danger``: a host that runs out of something; both in words. ``clients``
    says, when asked, whether it is the clients that limit the step, and how that is known.
    """

    watched: Watched
    now: float
    lost: str | None = None
    danger: str | None = None
    clients: Callable[[], str | None] = lambda: None


def started(state: SearchState, now: float) -> SearchState:
    """The streams of the step on its way have all been started."""
    return state if state.starting is None else state.with_current(began=now)


def not_started(state: SearchState, why: str, now: float) -> SearchState:
    """The streams of the step on its way could not all be started: the search has failed."""
    return _end_step(state, Outcome(False, why, ending="failed"), now)


def looked(state: SearchState, look: Look, settings: Settings) -> SearchState:
    """The search with what a look has seen of its step, which may end with it."""
    if state.running is None:
        return state
    watched = look.watched
    step = replace(state.running.step, windows=watched.windows)
    state = state.with_current(step=step, steady=watched.steady, end=watched.end, told=watched.figures)
    outcome = _outcome(state, look, settings)
    return state if outcome is None else _end_step(state, outcome, look.now)


def _outcome(state: SearchState, look: Look, settings: Settings) -> Outcome | None:
    """How the step ends, if it does."""
    current = state.steps[-1]
    streams = current.step.streams
    if look.danger is not None:
        return Outcome(False, look.danger, limit="guard")
    if look.lost is not None:
        return Outcome(False, look.lost, ending="failed" if streams <= settings.least else None)
    if look.watched.unknown:
        return Outcome(False, look.watched.unknown, ending="no data")
    outcome = search.judged(state.plain, settings)
    heard = max(look.watched.horizon, current.began or current.asked)
    if outcome is None and look.now - heard > PATIENCE:
        return Outcome(False, f"no samples of all hosts have come for {PATIENCE:.0f} s", ending="no data")
    if outcome is None or outcome.passed:
        return outcome
    clients = look.clients()
    return outcome if clients is None else replace(outcome, limit="clients", reason=f"{outcome.reason}; {clients}")


def _end_step(state: SearchState, outcome: Outcome, now: float) -> SearchState:
    current = state.steps[-1]
    return state.with_current(step=replace(current.step, outcome=outcome, seconds=now - current.asked))


def interrupted(state: SearchState) -> SearchState:
    """The search without the step that was on its way when it was interrupted."""
    return replace(state, steps=state.ended_steps)


def decided(
    state: SearchState, settings: Settings, now: float, position: int, room: Room | None, anew: bool = False
) -> SearchState:
    """The search with its next step, or its end, if the step on its way has ended.

    ``position``: where samples that come from now on will be; ``room``: the most streams that hosts have room for;
    ``anew``: nothing runs, whatever the step before was.
    """
    if state.ending is not None:
        return state
    bounded = room is not None and room.streams < settings.most
    most = max(room.streams, settings.least) if room is not None and bounded else settings.most
    action = search.next_action(state.plain, replace(settings, most=most))
    if action.kind == "watch":
        return state
    if action.kind == "end":
        reached = action.ending == "bounds" and bounded and state.interval[0] >= most
        if room is not None and reached:
            return replace(state, ending="guard", reason=room.why)
        return replace(state, ending=action.ending, reason=action.reason)
    current = state.current
    running = not anew and current is not None and current.step.streams == action.streams
    known = now if running else None
    step = search.Step(action.streams, action.hold)
    new = StepState(step, action.reason, asked=now, began=known, steady=known, position=position)
    return replace(state, steps=(*state.steps, new))


def next_look(state: SearchState) -> float | None:
    """When it is worth looking again at a step that runs, unix seconds; None where there is none."""
    current = state.running
    if current is None or current.began is None:
        return None
    late = FIRST_LOOK - 2.0 * WINDOW
    if current.steady is None:
        return current.began + FIRST_LOOK
    # Nothing of a hold is decided before it has its windows.
    windows = 3 if current.step.hold else 1
    return (current.end or current.steady) + windows * WINDOW + late
