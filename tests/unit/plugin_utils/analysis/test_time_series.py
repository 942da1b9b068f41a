# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import time_series
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import (
    Point,
    Reading,
    Series,
    Span,
    cut,
)

readings = st.lists(
    st.builds(
        Reading,
        t=st.floats(min_value=0, max_value=1e6),
        value=st.floats(min_value=0, max_value=1e15),
        life=st.sampled_from(["a", "b"]),
    ),
    max_size=40,
)


@given(readings)
def test_rates_are_never_negative(told: list[Reading]) -> None:
    points = time_series.rates(told)
    assert all(point.value >= 0.0 and point.end > point.start for point in points)
    assert len(points) <= max(0, len(told) - 1)


@given(readings, readings)
def test_ratios_are_never_negative(above: list[Reading], below: list[Reading]) -> None:
    assert all(point.value >= 0.0 for point in time_series.ratios(above, below))


def test_known_rates_over_a_restart() -> None:
    told = [Reading(0, 100), Reading(2, 160), Reading(3, 5), Reading(4, 15)]
    assert [(p.start, p.end, p.value) for p in time_series.rates(told)] == [(0, 2, 30.0), (3, 4, 10.0)]


def test_a_new_life_is_a_restart_even_if_the_counter_is_higher() -> None:
    assert time_series.rates([Reading(0, 10, "a"), Reading(1, 20, "b")]) == ()


def test_mean_of_a_rate_is_what_was_counted_by_the_seconds_seen() -> None:
    told = time_series.rates([Reading(0, 0), Reading(1, 10), Reading(4, 10), Reading(5, 20)])
    summary = cut(Series("x", "bytes/s", "counter", points=told), [Span(0, 5)])
    assert summary is not None
    assert (summary.mean, summary.total, summary.n) == (4.0, 20.0, 3)


def test_a_rate_is_cut_at_the_window_edge() -> None:
    told = time_series.rates([Reading(0, 0), Reading(10, 100)])
    summary = cut(Series("x", "1/s", "counter", points=told), [Span(5, 7)])
    assert summary is not None
    assert summary.total == pytest.approx(20.0)


def test_fps_is_frames_finished_by_the_window_not_the_mean_of_lines() -> None:
    # 30 frames in the first second, then one line for a stall of four seconds: 34 frames in 5 s, not (30 + 1) / 2.
    told = time_series.flow([Reading(0, 30), Reading(1, 30), Reading(5, 1)])
    summary = cut(Series("fps", "fps", "flow", points=told), [Span(0, 5)])
    assert summary is not None
    assert summary.mean == pytest.approx(34 / 5)


def test_no_line_speaks_for_a_long_silence() -> None:
    told = time_series.flow([Reading(t, 30) for t in (*range(10), 40)])
    assert (told[-1].start, told[-1].end) == (35.0, 40.0)


def test_time_in_which_nothing_was_told_counts_as_no_frame() -> None:
    told = time_series.flow([Reading(0, 30), Reading(1, 30)])
    summary = cut(Series("fps", "fps", "flow", points=told), [Span(0, 10)])
    assert summary is not None
    assert summary.mean == pytest.approx(3.0)


def test_mean_of_a_servers_histogram_is_weighed_by_its_requests() -> None:
    total = [Reading(0, 0), Reading(1, 10), Reading(2, 40)]
    count = [Reading(0, 0), Reading(1, 10), Reading(2, 11)]
    told = time_series.ratios(total, count)
    summary = cut(Series("inference_seconds", "seconds", "average", points=told), [Span(0, 2)])
    assert summary is not None
    assert (summary.n, summary.mean, summary.p50, summary.max) == (11, pytest.approx(40 / 11), None, None)


def test_nothing_in_the_window_is_nothing_not_zero() -> None:
    assert cut(Series("x", "bytes", "gauge", points=time_series.gauges([Reading(1, 5)])), [Span(2, 3)]) is None


def test_windows_are_half_open_so_that_a_sample_counts_once() -> None:
    one = Series("x", "bytes", "gauge", points=time_series.gauges([Reading(2, 5)]))
    assert cut(one, [Span(2, 3)]) is None
    assert cut(one, [Span(1, 2)]) is not None


@given(st.lists(st.floats(min_value=0, max_value=100), max_size=30))
def test_the_longest_gap_is_within_the_window(times: list[float]) -> None:
    gap = time_series.longest_gap(sorted(times), Span(20, 50))
    assert 0 <= gap <= 30
    assert times or gap == 30


def test_streams_are_added_second_by_second() -> None:
    streams = [Series(str(k), "fps", "flow", points=(Point(0, 1, 10), Point(1, 2, 20))) for k in range(3)]
    assert [point.value for point in time_series.added(streams, "fps", "fps", Span(0, 2)).points] == [30.0, 60.0]
