# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Outcome
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import SearchState, Told
from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_lines

from ..density.test_search_state import SEARCHES
from . import searching


def after(steps: int, state: SearchState) -> SearchState:
    """A search as it was when so many of its steps had ended and the next was decided."""
    following = state.steps[steps]
    going = replace(following, step=replace(following.step, windows=(), outcome=None, seconds=0.0), told=())
    return replace(state, steps=(*state.steps[:steps], going), ending=None, reason="")


def test_a_line_says_what_was_seen_decided_and_what_comes_next() -> None:
    state = searching.found()
    assert density_lines.line(after(4, state)) == (
        "density 4: 13 streams | fps 14.26 a stream, 185.4 in all, limit 14.95, worst 14.12 ovms-client-13 on client1"
        " | p95 latency_seconds 0.09435, limit 0.1 | fails: margin -4.6% in 2 windows"
        " | next 12 streams to hold: to confirm 12"
    )
    assert density_lines.line(after(1, state)).startswith("density 1: 1 stream | fps 59.8 a stream, 59.8 in all, ")


def test_what_all_do_is_of_each_objective_where_several_are_rates() -> None:
    (one, *_rest) = searching.found().steps
    told = (one.told[0], replace(one.told[0], mean=30.0))
    line = density_lines.line(SearchState(steps=(replace(one, told=told),)))
    assert "fps 59.8 a stream, 59.8 in all" in line and "fps 30 a stream, 30 in all" in line


def test_the_last_line_says_how_it_ended() -> None:
    line = density_lines.line(searching.found(host="h1"))
    assert line.startswith("density h1 5: 12 streams, held | fps ")
    assert line.endswith(" | passes: margin +3.3% in 6 windows | end, found: 12 hold, 13 do not")


def test_before_a_step_has_ended_there_is_none() -> None:
    assert density_lines.line(SearchState()) == ""
    assert density_lines.line(after(0, searching.found())) == ""


def test_a_step_is_marginal_or_told_before_the_next_is_decided() -> None:
    (one, *_rest) = searching.found().steps
    told = tuple(Told(str(n), f"metric_{n}", 1.0, 2.0, 2.0) for n in range(5))
    one = replace(one, step=replace(one.step, outcome=Outcome(True, "so", marginal=True)), told=told)
    assert density_lines.line(SearchState(steps=(one,))) == (
        "density 1: 1 stream | metric_0 2, limit 1 | metric_1 2, limit 1 | metric_2 2, limit 1 | 2 more"
        " | passes, marginally: so"
    )


def test_a_long_reason_is_cut_and_what_comes_next_is_told() -> None:
    line = density_lines.line(replace(searching.ended("failed", "x" * 1000, 12), reason="y" * 1000))
    assert line.count("x") < 120 and "\N{HORIZONTAL ELLIPSIS} | end, failed: yy" in line
    assert line.isprintable()


def test_a_reason_of_several_lines_is_told_on_one_and_once() -> None:
    line = density_lines.line(searching.ended("failed", "it ended:\n  usage: client\n", 12))
    assert line.endswith("| fails: it ended: usage: client | end, failed")


@given(SEARCHES)
def test_it_is_one_line_of_plain_text_whatever_a_search_holds(state: SearchState) -> None:
    line = density_lines.line(state)
    assert len(line) <= density_lines.MOST
    assert line.isprintable()
    assert bool(line) == any(one.step.outcome is not None for one in state.steps)
