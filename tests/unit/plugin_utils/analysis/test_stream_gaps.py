# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that were due and did not come, in series and in made-up runs."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import time_series
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.stream_gaps import Gap, gaps
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Reading, Series, Span
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import html_report, run_record, summary

from ..synthetic import Fleet, Play, make_plan

PlayOf = Callable[..., Play]
SHORT = WindowSettings(15.0, 20.0)
CLIENT = "ovms-client-1"


def flow(values: Sequence[float], left_out: Sequence[int] = (), every: float = 1.0) -> Series:
    told = [Reading((i + 1) * every, value) for i, value in enumerate(values) if i + 1 not in left_out]
    return Series("fps", "fps", "flow", points=time_series.flow(told))


def only(series: Series, span: Span = Span(0.0, 30.0)) -> Gap:  # noqa: B008 - frozen
    found = gaps(series, span)
    assert len(found) == 1
    return found[0]


def test_a_stalled_server_is_a_gap_as_long_as_it_stood() -> None:
    """Three seconds from the middle of a second on."""
    gap = only(flow([15.0] * 10 + [7.5, 0.0, 0.0, 7.5] + [15.0] * 16))
    assert (gap.start, gap.missing, gap.frames) == (pytest.approx(11.0), pytest.approx(3.0), pytest.approx(45.0))


def test_a_client_that_stopped_tells_nothing_and_then_of_all_the_time() -> None:
    values = [15.0] * 30
    values[13] = 15.0 / 4
    gap = only(flow(values, left_out=[11, 12, 13]))
    assert (gap.start, gap.missing) == (10.0, pytest.approx(3.0))


def test_the_lines_of_the_shipped_client_after_a_stop() -> None:
    """As it wrote them when it was stopped for 3.0 s: the lines that were due come at once, then the frames."""
    times = [*range(1, 11), 13.165, 13.1651, 13.1652, 14.0, *range(15, 31)]
    values = [15.0] * 10 + [0.948, 0.0, 0.0, 68.275] + [15.0] * 16
    told = [Reading(float(t), value) for t, value in zip(times, values, strict=True)]
    gap = only(Series("fps", "fps", "flow", points=time_series.flow(told)))
    assert (gap.start, gap.missing) == (10.0, pytest.approx(3.0, abs=0.05))


def test_a_client_that_catches_up_had_a_gap_all_the_same() -> None:
    gap = only(flow([15.0] * 10 + [0.0] * 3 + [60.0] + [15.0] * 16))
    assert (gap.missing, gap.frames) == (pytest.approx(3.0), pytest.approx(45.0))


def test_only_what_lies_in_the_window_counts() -> None:
    series = flow([15.0] * 10 + [0.0] * 4 + [15.0] * 16)
    assert gaps(series, Span(13.0, 30.0)) == []
    assert only(series, Span(12.0, 30.0)).missing == pytest.approx(2.0)


def test_a_stream_that_ends_before_its_window_has_a_gap_at_the_end() -> None:
    gap = only(flow([15.0] * 26))
    assert (gap.start, gap.missing) == (26.0, pytest.approx(3.0))
    assert gaps(flow([15.0] * 28), Span(0.0, 30.0)) == []


@pytest.mark.parametrize("noise", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("rate", [1.0, 15.0, 720.0])
def test_noise_is_no_gap(noise: float, rate: float) -> None:
    for seed in range(50):
        source = random.Random(seed)
        assert gaps(flow([rate * (1.0 + source.gauss(0.0, noise)) for _dummy in range(60)]), Span(0.0, 60.0)) == []


def test_a_stream_of_a_frame_now_and_then_has_no_gaps() -> None:
    assert gaps(flow([1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0] * 3), Span(0.0, 30.0)) == []
    assert gaps(flow([0.0] * 30), Span(0.0, 30.0)) == []


def test_lines_that_come_seldom_are_not_missing() -> None:
    assert gaps(flow([15.0] * 12, every=5.0), Span(0.0, 60.0)) == []
    assert gaps(flow([15.0] * 30, left_out=[11]), Span(0.0, 30.0)) == []


def test_a_counter_that_is_read_late_has_counted_all_the_same() -> None:
    readings = [Reading(t, 15.0 * t) for t in range(31) if t not in (11, 12, 13)]
    assert gaps(Series("fps", "fps", "counter", points=time_series.rates(readings)), Span(0.0, 30.0)) == []
    stalled = [Reading(t, 15.0 * min(t, 10) + 15.0 * max(0, t - 13)) for t in range(31)]
    assert only(Series("fps", "fps", "counter", points=time_series.rates(stalled))).missing == pytest.approx(3.0)


class Stopped(Fleet):
    """The first client is stopped for three seconds; the line after them tells of four seconds."""

    def fps(self, replica: str, second: float) -> float:
        return 30.0 / 4 if replica == CLIENT and second == 24 else super().fps(replica, second)

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        return not (sample.get("replica") == CLIENT and sample["type"] == "log" and 21 <= second < 24)


def test_a_client_stopped_for_three_seconds_is_named_with_second_and_length(play_of: PlayOf) -> None:
    record = play_of(Stopped).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert len(record["reasons"]) == 1
    assert record["reasons"][0].startswith(f"replica {CLIENT} on client1: a gap of 3.")
    assert re.search(r"from second \d of the window: about [89]\d frames were due", record["reasons"][0])


class Frozen(Fleet):
    """The first client's host stands still for four seconds."""

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        on_host = sample.get("replica") == CLIENT or (sample["type"] == "host" and self.host == "client1")
        return not (on_host and 21 <= second < 24)

    def second(self, host: str, second: float) -> list[dict[str, Any]]:
        self.host = host
        return super().second(host, second)


def test_a_host_frozen_for_four_seconds_is_named_with_its_stream(play_of: PlayOf) -> None:
    record = play_of(Frozen).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert record["reasons"][0].startswith("host client1: no sample for 4.0 s from second ")
    assert re.match(rf"replica {CLIENT} on client1: a gap of 3\.[01] s from second ", record["reasons"][1])


def test_a_gap_names_its_window(play_of: PlayOf) -> None:
    record = play_of(Stopped).whole(WindowSettings(15.0, 10.0, 3))
    assert "of window 1: about" in record["reasons"][0]


class AllStalled(Fleet):
    def fps(self, replica: str, second: float) -> float:
        return 0.0 if 20 <= second < 23 else super().fps(replica, second)


def test_of_many_gaps_three_are_named(play_of: PlayOf) -> None:
    record = play_of(AllStalled, make_plan(hosts=3, clients=8)).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert sum("a gap of" in reason for reason in record["reasons"]) == 3
    assert "5 more gaps; 8 streams have any" in record["reasons"]


class OneSlow(Fleet):
    def fps(self, replica: str, second: float) -> float:
        return super().fps(replica, second) * (0.5 if replica == "ovms-client-37" else 1.0)


def test_one_slow_stream_of_many_is_named(play_of: PlayOf) -> None:
    play = play_of(OneSlow, make_plan(hosts=5, clients=64))
    record = play.whole(WindowSettings(15.0, 10.0))
    worst = summary.worst_stream(record)
    assert worst is not None
    assert re.match(r"ovms-client-37 on client1: 1[45]\.\d fps, ", worst)
    assert re.search(r"50% of its container's median, (29\.\d|30\.\d)$", worst)
    assert f"Worst stream: {worst}" in "\n".join(play.screen.lines)
    whole = run_record.load(play.plan, play.directory.events(), play.directory.samples())
    assert "Worst stream: ovms-client-37" in html_report.html(record, whole)


def test_the_worst_stream_is_judged_by_what_it_asks() -> None:
    def stream(fps: float, asked: float | None) -> dict[str, Any]:
        told = {"fps": {"mean": fps}, "offered_per_second": {"mean": asked}}
        return told if asked is not None else {"fps": {"mean": fps}}

    containers = {name: {"container": "client", "host": "h", "measured": True} for name in ("a", "b", "c")}
    record = {"containers": containers, "metrics": {"a": stream(15, 15), "b": stream(25, 30), "c": stream(20, None)}}
    assert summary.worst_stream(json.loads(json.dumps(record))) == "b on h: 25.0 fps, 83% of the 30.0 asked"
    assert summary.worst_stream({"containers": {"a": containers["a"]}, "metrics": record["metrics"]}) is None
