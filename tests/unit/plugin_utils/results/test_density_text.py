# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answer of a search in a sentence: each ending in its own words, at the terminal and in summary.csv."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Ending, Limit, Settings
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import SearchState
from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_text, summary

from ..synthetic import Play
from . import searching

ASKED = "mean fps >= 14.95 each"


def said(play: Play, *states: SearchState, asked: Any = (searching.FPS,), **more: Any) -> list[str]:
    """What a terminal is told of a run with these searches, before anything else."""
    final = searching.record_of(searching.run_of(play, searching.searches(*states, **more), asked))
    lines = summary.table(final).splitlines()
    assert lines[0] == "Run density-1"
    return [line for line in lines[1:] if line.startswith("Stream density")]


def test_the_answer_is_an_interval_and_says_how_sure_it_is(ready_run: Play) -> None:
    assert said(ready_run) == [
        f"Stream density: 12 streams hold {ASKED}; 13 do not (confirmed by 60 s; found in 5 steps, 3 min 39 s)"
    ]


def test_several_objectives_are_named_with_their_bounds(ready_run: Play) -> None:
    slack = {**searching.FPS, "tolerance": 0.05, "over": "all"}
    (line,) = said(ready_run, asked=(slack, searching.LATENCY))
    assert "12 streams hold mean fps >= 14.95 within 5 % in all and p95 latency_seconds <= 0.1 each; 13 do" in line
    other = {"metric": "cpu_cores", "container": "ovms-server", "at_most": 2}
    (line,) = said(ready_run, asked=(searching.FPS, other))
    assert "mean fps >= 14.95 each client and mean cpu_cores <= 2 each ovms-server; 13" in line
    (line,) = said(ready_run, asked=[{**other, "at_most": bound} for bound in range(1, 5)])
    assert "12 streams hold their 4 objectives; 13 do not" in line


CONFIRMED = "not confirmed; 2 steps, 1 min 11 s"
ONE = "1 step, 36 s"


@pytest.mark.parametrize(
    ("ending", "passed", "limit", "sentence"),
    [
        ("not even one", 0, "", f"not even one stream holds {ASKED}: why ({ONE})"),
        (
            "limited by the clients",
            12,
            "clients",
            f"12 streams hold {ASKED}; 13 do not, but that is the clients' own limit: why ({CONFIRMED})",
        ),
        (
            "limited by the clients",
            0,
            "clients",
            f"not even one stream holds {ASKED}, but that is the clients' own limit: why ({ONE})",
        ),
        ("guard", 12, "guard", f"12 streams hold {ASKED}; a host has no room for more: why ({CONFIRMED})"),
        ("guard", 0, "guard", f"not even one stream holds {ASKED}: a host has no room for them: why ({ONE})"),
        ("no data", 12, "", f"no answer, no data at 13 streams: why; 12 streams held {ASKED} before ({CONFIRMED})"),
        ("no data", 0, "", f"no answer, no data at 1 stream: why ({ONE})"),
        ("failed", 1, "", f"no answer, it failed at 2 streams: why; 1 stream held {ASKED} before ({CONFIRMED})"),
        (None, 12, "", f"no answer: the search has not come to its end; 12 streams held {ASKED} before ({CONFIRMED})"),
    ],
)
def test_each_ending_has_its_words(
    ready_run: Play, ending: Ending | None, passed: int, limit: Limit, sentence: str
) -> None:
    assert said(ready_run, searching.ended(ending, "why", passed, limit)) == [f"Stream density: {sentence}"]


def test_bounds_tell_what_was_seen_within_them(ready_run: Play) -> None:
    most = searching.found(1000.0, settings=Settings(most=12))
    (line,) = said(ready_run, most)
    assert f"12 streams hold {ASKED}, and perhaps more: no more than 12 were to be tried (confirmed by 60 s; " in line
    (line,) = said(ready_run, searching.found(500.0, settings=Settings(most_steps=2)))
    assert "4 streams hold" in line and "and perhaps more: the bounds of the search are reached (not confirmed" in line
    (line,) = said(ready_run, searching.ended("bounds", "why", 12))
    assert f"12 streams hold {ASKED}; 13 do not: 12 hold, 13 do not" in line


def test_fewer_streams_than_were_to_be_tried_are_not_spoken_of(ready_run: Play) -> None:
    state = searching.ended("not even one", "why", 3)
    state = replace(state, steps=state.steps[1:])
    (line,) = said(ready_run, state, settings=Settings(least=4))
    assert f"not even 4 streams, the fewest to be tried, hold {ASKED}: why" in line


def test_each_host_has_its_line(ready_run: Play) -> None:
    lines = said(ready_run, searching.found(host="h1"), searching.found(3.2, host="h2"))
    assert [line.partition(" streams")[0] for line in lines] == [
        "Stream density of h1: 12",
        "Stream density of h2: 3",
    ]


def test_what_a_host_says_cannot_steer_the_terminal(ready_run: Play) -> None:
    (line,) = said(ready_run, searching.ended("failed", "no\x1b[2J\nroom", 0))
    assert r"no\x1b[2J room" in line
    assert line.isprintable()


def test_summary_csv_begins_with_the_answer_and_has_the_rows_that_tools_know(ready_run: Play) -> None:
    run = searching.run_of(ready_run, searching.searches())
    rows = list(csv.reader(summary.csv_text(searching.record_of(run), run).splitlines()))
    assert rows[0][0] == "Stream density" and rows[0][1].startswith("12 streams hold")
    told = dict(rows)
    assert told["Stream Density Max Scenes"] == told["Stream Density Best Scenes"] == "12"
    assert told["Stream Density Met Target"] == "True"
    assert told["Stream Density Target Latency (ms)"] == "100"
    assert told["Stream Density 13 Scene(s) Passed"] == "False"
    assert float(told["Stream Density 12 Scene(s) Throughput Ratio"]) == pytest.approx(12.4 / 12, rel=1e-4)
    run = searching.run_of(ready_run, searching.searches(searching.found(host="h1"), searching.found(3.2, host="h2")))
    rows = list(csv.reader(summary.csv_text(searching.record_of(run), run).splitlines()))
    assert [row[0] for row in rows[:2]] == ["Stream density of h1", "Stream density of h2"]
    assert dict(rows)["Stream Density Max Scenes"] == "15"
    assert not any("Scene(s)" in row[0] for row in rows)


def test_an_objective_of_a_search_tells_its_mean_and_its_worst(ready_run: Play) -> None:
    final = searching.record_of(searching.run_of(ready_run, searching.searches(), (searching.FPS,)))
    line = next(line for line in summary.table(final).splitlines() if line.startswith("Objective"))
    assert re.search(r": met: (29\.9\d*|30\S*) fps in the mean, worst ovms-client-", line)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (372.0, "6 min 12 s"), (7500.0, "2 h 5 min")],
)
def test_durations_are_said_as_people_do(seconds: float, words: str) -> None:
    assert density_text.duration(seconds) == words
