# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.density import search
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import (
    Action,
    Limit,
    Outcome,
    Settings,
    Step,
    Window,
)

See = Callable[[int], Window]


def shared(capacity: float, source: float = 4.0) -> See:
    """Streams that share a capacity without any noise; one alone does ``source`` times what is asked."""

    def see(streams: int) -> Window:
        rate = min(source, capacity / streams)
        return Window(rate - 1.0, rate - 1.0, rate * streams)

    return see


def run(see: See, bounds: Settings | None = None, steps: list[Step] | None = None) -> tuple[list[Step], Action]:
    """A whole search, from ``steps`` on."""
    bounds = bounds or Settings()
    steps = list(steps or ())
    for _dummy in range(2000):
        action = search.next_action(steps, bounds)
        if action.kind == "end":
            return steps, action
        if action.kind == "go":
            steps.append(Step(action.streams, action.hold))
        seen = (*steps[-1].windows, see(steps[-1].streams))
        steps[-1] = replace(steps[-1], windows=seen, seconds=10.0 * len(seen))
        steps[-1] = replace(steps[-1], outcome=search.judged(steps, bounds))
    raise AssertionError("the search does not end")


def tried(steps: list[Step]) -> list[tuple[int, bool]]:
    return [(step.streams, step.hold) for step in steps]


def test_throughput_leads_to_the_answer() -> None:
    steps, action = run(shared(16.4))
    assert tried(steps) == [(1, False), (4, False), (16, False), (17, False), (16, True)]
    assert (action.streams, action.ending) == (16, "found")
    assert action.reason == "16 hold, 17 do not"


def test_paced_sources_are_doubled_until_they_fail() -> None:
    steps, action = run(shared(13.4, source=1.05))
    assert tried(steps)[:5] == [(1, False), (2, False), (4, False), (8, False), (16, False)]
    assert (action.streams, action.ending) == (13, "found")


def test_without_a_throughput_the_interval_is_halved() -> None:
    def late(streams: int) -> Window:
        margin = 0.3 if streams <= 21 else -0.3
        return Window(margin, margin)

    steps, action = run(late)
    assert (action.streams, action.ending) == (21, "found")
    assert [streams for streams, _hold in tried(steps)] == [1, 2, 4, 8, 16, 32, 24, 20, 22, 21, 21]


def test_not_even_one() -> None:
    steps, action = run(shared(0.6))
    assert (tried(steps), action.ending) == ([(1, False)], "not even one")


def test_one_slow_stream_among_many_fails_a_step() -> None:
    def lame(streams: int) -> Window:
        return Window(0.2, -0.3 if streams > 5 else 0.2, 1.2 * streams)

    steps, action = run(lame)
    assert (action.streams, action.ending) == (5, "found")
    assert any("worst stream is at -30.0%" in step.outcome.reason for step in steps if step.outcome)


def test_no_more_than_asked() -> None:
    _steps, action = run(shared(1000.0), Settings(most=12))
    assert (action.streams, action.ending) == (12, "bounds")
    assert action.reason == "no more than 12 were to be tried"


def test_steps_and_time_are_bounded() -> None:
    steps, action = run(shared(500.4, source=1.05), Settings(most_steps=4))
    assert (len(steps), action.ending) == (4, "bounds")
    steps, action = run(shared(500.4, source=1.05), Settings(most_seconds=50.0))
    assert (len(steps), action.ending) == (3, "bounds")


@pytest.mark.parametrize(("limit", "ending"), [("guard", "guard"), ("clients", "limited by the clients")])
def test_the_answer_says_what_limited_it(limit: Limit, ending: str) -> None:
    step = Step(8, outcome=Outcome(False, "memory of h2 runs out", limit=limit))
    steps = [Step(4, windows=(Window(1.0, 1.0),), outcome=Outcome(True, "margin +100.0% in 1 window")), step]

    def see(streams: int) -> Window:
        return Window(1.0, 1.0)

    found, action = run(see, steps=steps)
    assert tried(found)[2:] == [(6, False), (7, False), (7, True)]
    assert (action.streams, action.ending) == (7, ending)
    alone = [Step(1, outcome=Outcome(False, "memory of h2 runs out", limit=limit))]
    assert run(see, steps=alone)[1].ending == ending


@pytest.mark.parametrize("ending", ["no data", "failed"])
def test_a_step_may_end_the_search(ending: search.Ending) -> None:
    steps = [Step(1, outcome=Outcome(False, "h2 is gone", ending=ending))]
    assert search.next_action(steps, Settings()) == Action("end", "h2 is gone", ending=ending)


def test_a_failure_that_contradicts_the_throughput_is_looked_at_again() -> None:
    looks: dict[int, int] = {}

    def unlucky(streams: int) -> Window:
        looks[streams] = looks.get(streams, 0) + 1
        window = shared(64.4)(streams)
        return Window(-0.02, -0.02, window.throughput) if streams == 64 and looks[64] < 4 else window

    steps, action = run(unlucky)
    assert (action.streams, action.ending) == (64, "found")
    assert sum(step.streams == 64 and not step.hold for step in steps) == 2


def test_a_hold_that_fails_goes_down_and_holds_again() -> None:
    def tiring(streams: int) -> Window:
        window = shared(300.4)(streams)
        return window if streams < 300 or not holding[0] else replace(window, margin=-0.03, worst=-0.03)

    holding = [False]
    bounds, steps = Settings(), list[Step]()
    while (action := search.next_action(steps, bounds)).kind != "end":
        if action.kind == "go":
            holding[0] = action.hold
            steps.append(Step(action.streams, action.hold))
        steps[-1] = replace(steps[-1], windows=(*steps[-1].windows, tiring(steps[-1].streams)))
        steps[-1] = replace(steps[-1], outcome=search.judged(steps, bounds))
    assert tried(steps)[-2:] == [(300, True), (299, True)]
    assert (action.streams, action.ending) == (299, "found")


@settings(max_examples=150)
@given(capacity=st.floats(0.0, 3000.0), source=st.floats(0.5, 8.0))
def test_without_noise_the_answer_is_right(capacity: float, source: float) -> None:
    steps, action = run(shared(capacity, source))
    truth = int(capacity * (1.0 + 1e-9)) if source >= 1.0 else 0
    found = search.bracket(steps).passed
    assert action.ending in ("found", "not even one")
    assert found <= truth and truth - found <= max(1, 0.01 * truth)
    assert len(steps) < Settings().most_steps


windows = st.tuples(st.floats(-1.0, 6.0), st.floats(-1.0, 6.0), st.none() | st.floats(0.0, 500.0))


@settings(max_examples=60, deadline=None)
@given(seen=st.lists(windows, min_size=1, max_size=80))
def test_whatever_is_seen_it_ends_and_goes_on_from_its_steps(
    seen: list[tuple[float, float, float | None]],
) -> None:
    looks = iter(range(10**6))

    def any_of(streams: int) -> Window:
        return Window(*seen[next(looks) % len(seen)])

    bounds = Settings(most_steps=12)
    steps, action = run(any_of, bounds)
    assert len(steps) <= bounds.most_steps
    assert search.next_action(list(steps), bounds) == action
    for count in range(len(steps)):
        following = search.next_action(steps[:count], bounds)
        assert (following.kind, following.streams, following.hold) == ("go", steps[count].streams, steps[count].hold)
