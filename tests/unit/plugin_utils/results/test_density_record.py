# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What run.json says of a search for stream density, and what the search means for the verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.verdict import Verdict
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import iso
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Ending, Limit
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import Searches, SearchState
from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_record, run_directory, run_record
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory

from ..density.test_search_state import SEARCHES
from ..synthetic import T0, Play, make_plan
from . import searching


@pytest.fixture(scope="module")
def schema(checkout: Path) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(json.loads((checkout / "docs" / "run.schema.json").read_text()))


@pytest.fixture(scope="module")
def search_schema(schema: jsonschema.Draft202012Validator) -> jsonschema.Draft202012Validator:
    """Of the record's part on a search."""
    part = {**schema.schema["$defs"]["search"], "$defs": schema.schema["$defs"]}
    jsonschema.Draft202012Validator.check_schema(part)
    return jsonschema.Draft202012Validator(part)


def test_a_run_that_searches_says_what_it_found(ready_run: Play, schema: jsonschema.Draft202012Validator) -> None:
    record = searching.record_of(searching.run_of(ready_run, searching.searches()))
    schema.validate(record)
    assert (record["search"]["containers"], record["search"]["env"]) == (["client"], None)
    (one,) = record["search"]["searches"]
    assert (one["host"], one["ending"], one["reason"]) == (None, "found", "12 hold, 13 do not")
    assert (one["streams"], one["first_fail"], one["confirmed"], one["hold_seconds"]) == (12, 13, True, 60.0)
    assert (one["carried"], one["saturated"]) == (12, True)
    steps = one["steps"]
    assert [(step["streams"], step["hold"], step["passed"]) for step in steps] == [
        (1, False, True),
        (4, False, True),
        (12, False, True),
        (13, False, False),
        (12, True, True),
    ]
    assert one["seconds"] == pytest.approx(sum(step["seconds"] for step in steps))
    first = steps[0]
    assert (first["asked"], first["began"], first["steady"]) == (iso(T0), iso(T0 + 2.0), iso(T0 + 14.0))
    assert (first["end"], first["warmup_seconds"], first["windows"]) == (iso(T0 + 34.0), 12.0, 2)
    assert (first["margin"], first["worst_margin"], first["throughput"]) == (
        pytest.approx(3.0),
        pytest.approx(2.99),
        pytest.approx(4.0),
    )
    fps, latency = first["figures"]
    assert (fps["objective"], fps["unit"], fps["limit"]) == (searching.FPS_WORDS, "fps", 14.95)
    assert (fps["mean"], fps["replica"], fps["host"]) == (pytest.approx(59.8), "ovms-client-1", "client1")
    assert (latency["unit"], latency["replica"], latency["host"]) == ("seconds", None, None)


def test_a_run_that_does_not_search_says_nothing(ready_run: Play) -> None:
    assert ready_run.record()["search"] is None


@given(st.lists(SEARCHES, min_size=1, max_size=3))
def test_every_state_of_a_search_has_a_record(
    search_schema: jsonschema.Draft202012Validator, states: list[SearchState]
) -> None:
    searches = Searches(("client",), searches=tuple(states))
    said = json.loads(json.dumps(density_record.as_dict(searches, measured_plan.of_plan(make_plan())), allow_nan=False))
    search_schema.validate(said)
    assert density_record.judge(searches).verdict in ("ok", "missed", "degraded", "failed")


@pytest.mark.parametrize(
    ("ending", "passed", "limit", "word"),
    [
        ("bounds", 12, "", "degraded"),
        ("bounds", 0, "", "missed"),
        ("guard", 12, "guard", "degraded"),
        ("guard", 0, "guard", "missed"),
        ("limited by the clients", 12, "clients", "degraded"),
        ("limited by the clients", 0, "clients", "missed"),
        ("not even one", 0, "", "missed"),
        ("no data", 12, "", "failed"),
        ("failed", 12, "", "failed"),
        ("failed", 0, "", "failed"),
    ],
)
def test_each_ending_has_its_verdict(ending: Ending, passed: int, limit: Limit, word: str) -> None:
    state = searching.ended(ending, "the reason", passed, limit)
    judged = density_record.judge(searching.searches(state))
    (reason,) = judged.reasons
    assert judged.verdict == word
    assert reason.startswith(f"stream density: {ending}: ")
    if limit:
        assert reason.endswith(": the reason")


def test_what_was_found_leaves_the_runs_own_verdict() -> None:
    assert density_record.judge(searching.searches()) == Verdict("ok")


def test_a_search_that_is_on_its_way_has_failed() -> None:
    state = replace(searching.found(), ending=None, reason="")
    judged = density_record.judge(searching.searches(state))
    assert judged == Verdict("failed", ("stream density: the search has not come to its end",))


def test_of_several_hosts_the_worst_counts_and_each_is_named() -> None:
    clients = searching.ended("limited by the clients", "they use all of their CPUs", 5, "clients", host="h1")
    nothing = searching.ended("not even one", "margin -9.0% in 3 windows", 0, host="h2")
    judged = density_record.judge(searching.searches(clients, nothing, searching.found(host="h3")))
    assert judged.verdict == "missed"
    assert judged.reasons == (
        "stream density of h2: not even one: 1 did not hold",
        "stream density of h1: limited by the clients: 5 hold, 6 do not: they use all of their CPUs",
    )


def test_the_search_and_the_run_are_judged_together(ready_run: Play) -> None:
    assert run_record.judge(searching.run_of(ready_run, searching.searches())) == Verdict("ok")
    state = searching.ended("guard", "memory of server runs out", 12, "guard")
    judged = run_record.judge(searching.run_of(ready_run, searching.searches(state)))
    assert judged.verdict == "degraded"
    assert judged.reasons == ("stream density: guard: 12 hold, 13 do not: memory of server runs out",)


def test_a_search_that_reached_no_window_is_judged_by_its_ending(ready_run: Play) -> None:
    none = searching.searches(searching.ended("not even one", "margin -9.0% in 3 windows", 0))
    judged = run_record.judge(replace(searching.run_of(ready_run, none), windows=()))
    assert judged == Verdict("missed", ("stream density: not even one: 1 did not hold",))


def test_what_a_step_misses_that_was_tried_last_is_no_answer(ready_run: Play) -> None:
    """The clients do 30 fps."""
    asked = [{**searching.FPS, "at_least": 31.0}]
    passing = searching.ended("bounds", "why", 12)
    held = replace(passing, steps=passing.steps[:1])
    for state, word in ((held, "missed"), (passing, "degraded")):
        run = searching.run_of(ready_run, searching.searches(state), asked)
        assert run_record.judge(run).verdict == word
        assert searching.record_of(run)["objectives"][0]["state"] == "missed"


def test_by_variable_an_objective_is_that_of_a_stream(ready_run: Play) -> None:
    """A client does 30 fps: as two streams of it 15 each, as three of them 10."""
    for streams, state in ((2, "met"), (3, "missed")):
        search = SearchState(steps=(searching.step(streams, 15.0, T0),), ending="bounds", reason="why")
        run = searching.run_of(ready_run, searching.searches(search, env="STREAMS"))
        outcome = next(one for one in searching.record_of(run)["objectives"] if one["metric"] == "fps")
        assert outcome["state"] == state
        assert outcome["mean"] == pytest.approx(30.0 / streams, rel=0.02)


def test_the_directory_has_the_state_of_a_search(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    assert directory.searches() is None
    directory.write(run_directory.SEARCH, json.dumps(searching.searches().as_dict()))
    assert directory.searches() == searching.searches()
    directory.write(run_directory.SEARCH, "{}")
    with pytest.raises(ProfileError, match=r"search\.json: this is not the state of a search"):
        directory.searches()
