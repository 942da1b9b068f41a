# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import (
    AGAIN,
    BLOCK,
    LAST,
    Block,
    Progress,
    Window,
    WindowSettings,
    advance,
    iso,
    steady_at,
    unix,
    window_of,
)

T0 = 1_770_000_000.0


def blocks(*values: float) -> list[Block]:
    return [Block(value, True) for value in values]


@pytest.mark.parametrize(
    ("values", "index"),
    [
        ((100, 100, 100), 2),
        ((50, 80, 100, 100.5, 100.9), 4),
        ((50, 80, 100, 100.5), None),
        ((50, 80, 100, 95, 120, 121, 120), 6),
        ((0, 0, 0, 0), None),
        ((100, 90, 80), None),
        ((100, 100, 82.4, 82, 82), 4),
        ((50, 80, 140, 130, 120, 110, 100, 100, 100), 8),
        ((100, 90, 95, 95), 3),
        ((100,), None),
        ((), None),
    ],
)
def test_known_warmups(values: tuple[float, ...], index: int | None) -> None:
    assert steady_at(blocks(*values)) == index


def test_a_stream_that_does_not_tell_keeps_the_warmup_going() -> None:
    told = [Block(100, True), Block(100, False), Block(100, True), Block(100, True)]
    assert steady_at(told) == 3


def over(noise: float, seed: int, ramp: float = 0.0, limit: int = 200) -> int | None:
    """The block with which a noisy warm-up of `ramp` seconds ends."""
    source = random.Random(seed)
    values = []
    for index in range(limit):
        level = 1.0 if ramp == 0 else min(1.0, 0.2 + 0.8 * (index + 0.5) * BLOCK / ramp)
        values.append(level * (1 + source.gauss(0, noise)))
    return steady_at(blocks(*values))


@pytest.mark.parametrize(("noise", "most"), [(0.0, 2.0), (0.01, 4.0), (0.05, 6.0), (0.2, 7.0)])
def test_noise_does_not_hold_the_warmup_up(noise: float, most: float) -> None:
    ends = [over(noise, seed) for seed in range(200)]
    assert all(end is not None for end in ends)
    assert sum(end for end in ends if end is not None) / len(ends) <= most


def test_noise_does_not_end_a_ramp_early() -> None:
    ends = [over(0.02, seed, ramp=60.0) for seed in range(200)]
    early = sum(1 for end in ends if end is not None and (end + 1) * BLOCK < 50)
    assert early <= 2


@pytest.mark.parametrize("noise", [0.0, 0.005, 0.01])
def test_a_backlog_that_drains_is_left_out(noise: float) -> None:
    """Throughput half too high falls to what it will be: of the excess hardly more than the noise is left."""
    left = []
    for seed in range(200):
        source = random.Random(seed)
        excess = [0.5 * math.exp(-index * BLOCK / 15.0) for index in range(100)]
        end = steady_at(blocks(*((1.0 + over) * (1.0 + source.gauss(0.0, noise)) for over in excess)))
        assert end is not None
        left.append(excess[end])
    assert sum(left) / len(left) < 0.02


@pytest.mark.parametrize(
    ("done", "offered", "index"),
    [(15.5, 15.0, None), (15.1, 15.0, 2), (15.0, 15.0, 2), (7.0, 15.0, 2), (15.5, None, 2), (1.2, 1.0, 2)],
)
def test_more_done_than_asked_is_a_backlog(done: float, offered: float | None, index: int | None) -> None:
    assert steady_at([Block(done, True, offered)] * 5) == index


def run(
    settings: WindowSettings, throughput: Callable[[float], float], delay: float = 1.0, silent_after: float = math.inf
) -> tuple[list[Progress], float]:
    """Look every time it is asked for; samples come `delay` seconds late."""
    known: tuple[Window, ...] = ()
    now, answers = T0, []
    for _dummy in range(1000):
        horizon = min(now - delay, T0 + silent_after)
        answer = advance(
            known=known,
            started=T0 - 0.03,
            now=now,
            horizon=horizon,
            settings=settings,
            block=lambda span: Block(throughput((span.start + span.end) / 2 - T0), True),
        )
        answers.append(answer)
        known = answer.windows
        if answer.done:
            return answers, now - T0
        now += answer.next_poll
    raise AssertionError("it does not end")


def test_a_steady_system_is_measured_after_three_blocks() -> None:
    answers, _dummy = run(WindowSettings(60.0, 30.0), lambda _dummy: 100.0)
    assert answers[-1].phase == "done"
    assert [(w.phase, w.span.start - T0, w.span.end - T0) for w in answers[-1].windows] == [
        ("warmup", 0.0, 15.0),
        ("measure", 15.0, 45.0),
    ]
    assert "steady after 15 s" in answers[-1].windows[0].reasons[0]


def test_a_system_that_never_settles_is_measured_at_the_maximum() -> None:
    answers, _dummy = run(WindowSettings(40.0, 10.0), lambda t: 100.0 * 1.02**t)
    warmup, measure = answers[-1].windows
    assert (warmup.span.end - T0, measure.span.start - T0) == (40.0, 40.0)
    assert "its maximum of 40 s: throughput still grows" in warmup.reasons[0]


def test_a_system_that_still_falls_at_the_maximum_says_so() -> None:
    answers, _dummy = run(WindowSettings(40.0, 10.0), lambda t: 100.0 * 0.98**t)
    assert "its maximum of 40 s: throughput still falls, -9.6% in a block of 5 s" in answers[-1].windows[0].reasons[0]


def test_no_throughput_at_all_ends_at_the_maximum_and_says_so() -> None:
    answers, _dummy = run(WindowSettings(20.0, 10.0), lambda _dummy: 0.0)
    assert answers[-1].windows[0].reasons == ("ended at its maximum of 20 s: no throughput",)


def test_without_warmup_there_is_none() -> None:
    answers, _dummy = run(WindowSettings(0.0, 10.0, 2), lambda _dummy: 1.0)
    assert [(w.phase, w.span.start - T0, w.span.end - T0) for w in answers[-1].windows] == [
        ("measure", 0.0, 10.0),
        ("measure", 10.0, 20.0),
    ]


@given(
    st.floats(0, 120),
    st.floats(1, 60),
    st.integers(1, 4),
    st.floats(0, 3),
    st.one_of(st.just(math.inf), st.floats(0, 100)),
    st.integers(0, 2**32),
)
def test_it_always_ends_and_windows_once_decided_stay(
    warmup_max: float, duration: float, repeat: int, delay: float, silent_after: float, seed: int
) -> None:
    source = random.Random(seed)
    noise = {index: source.uniform(0, 2) for index in range(1000)}
    answers, took = run(WindowSettings(warmup_max, duration, repeat), lambda t: noise[int(t // 5)], delay, silent_after)
    assert took <= warmup_max + duration * repeat + 15 + 15 + 12
    decided = [answer.windows for answer in answers if any(w.phase == "measure" for w in answer.windows)]
    assert len(set(decided)) == 1
    spans = [window.span for window in decided[-1]]
    assert all(before.end == after.start for before, after in zip(spans, spans[1:], strict=False))
    measured = [window for window in decided[-1] if window.phase == "measure"]
    assert len(measured) == repeat
    assert measured[0].span.start <= T0 + math.ceil(warmup_max)
    assert all(window.reasons for window in decided[-1] if window.phase == "warmup")


@given(st.lists(st.floats(-0.2, 0.2), min_size=1, max_size=8))
def test_windows_do_not_depend_on_a_hosts_clock(offsets: list[float]) -> None:
    """There is one list of windows for all hosts, on the controller's clock: nothing of a host goes into it."""
    results = []
    for offset in offsets:
        answers, _dummy = run(WindowSettings(30.0, 10.0), lambda _dummy: 5.0, delay=1.0 + offset)
        results.append(answers[-1].windows)
    assert all(windows == results[0] for windows in results)


def measuring(now: float, horizon: float, poll: float = 5.0, **known: Any) -> Progress:
    """Where a window of 30 s stands that begins at T0."""
    settings = WindowSettings(60.0, 30.0, poll=poll)
    window = Window("measure", Span(T0, T0 + 30.0))
    return advance(
        known=[window],
        started=T0,
        now=T0 + now,
        horizon=T0 + horizon,
        settings=settings,
        block=lambda _dummy: Block(1, True),
        **known,
    )


@pytest.mark.parametrize(
    ("now", "wait", "final"),
    [
        (3.0, 5.64, False),
        (21.1, 5.05, False),
        (21.3, 9.9, True),
        (31.0, 0.2, True),
        (32.0, AGAIN, True),
        (40.0, AGAIN, True),
    ],
)
def test_the_last_collection_comes_when_the_window_has_ended(now: float, wait: float, final: bool) -> None:
    answer = measuring(now, now - 1.0 if now < 31 else 20.0)
    assert (round(answer.next_poll, 3), answer.final, answer.done) == (wait, final, False)


@given(st.floats(0.0, 29.0), st.floats(2.0, 10.0), st.floats(0.1, 1.0))
def test_no_collection_comes_just_before_the_end(now: float, poll: float, takes: float) -> None:
    """What is answered late because a host collects is missing of a window that ends then."""
    times = []
    while not (answer := measuring(now, now - 1.0, poll)).final:
        times.append(now + answer.next_poll)
        now = times[-1] + takes
    assert now + answer.next_poll == pytest.approx(30.0 + LAST)
    assert all(30.0 - at >= poll - LAST - 1e-6 for at in times)


def test_samplers_that_have_ended_have_nothing_more_to_tell() -> None:
    answer = measuring(32.0, 31.4, ended=True)
    assert (answer.done, answer.phase, answer.ended) == (True, "done", True)
    assert not measuring(32.0, 31.4).done
    late = measuring(45.0, 20.0)
    assert (late.done, late.ended, late.message) == (True, False, "measured 30 s; not every host's samples have come")


@pytest.mark.parametrize(("poll", "repeat", "most"), [(5.0, 1, 25), (0.0, 1, 110), (5.0, 100, 110), (60.0, 100, 60)])
def test_collections_are_not_many(poll: float, repeat: int, most: int) -> None:
    answers, _dummy = run(WindowSettings(60.0, 30.0, repeat, poll), lambda t: 100.0 * 1.02**t)
    assert len(answers) <= most


def test_a_lost_replica_ends_the_waiting() -> None:
    answer = advance(
        known=(),
        started=T0,
        now=T0 + 7,
        horizon=T0 + 6,
        settings=WindowSettings(60, 30),
        block=lambda _dummy: Block(1, True),
        lost="replica x on h has ended",
    )
    assert (answer.done, answer.phase) == (True, "lost")
    assert answer.windows[0].reasons == ("given up: replica x on h has ended",)


@given(st.floats(0, 4e9))
def test_times_are_utc_to_the_millisecond(t: float) -> None:
    assert iso(t).endswith("Z")
    assert unix(iso(t)) == pytest.approx(t, abs=0.001)


def test_a_window_is_read_back() -> None:
    window = Window("measure", Span(T0, T0 + 30), ("why",))
    assert window_of(window.as_dict()) == window
