# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""density.csv and stream_density.json: the steps of a search for other tools."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import Searches, SearchState
from ansible_collections.retail.profiles.plugins.plugin_utils.results import (
    density_csv,
    density_record,
    density_upstream,
    exports,
)

from ..density.test_search_state import SEARCHES
from ..synthetic import Play, make_plan
from . import searching


def files(play: Play, searches: Searches | None, **more: Any) -> dict[str, str | bytes]:
    run = searching.run_of(play, searches, **more)
    return {name: make() for name, make in exports.makers(searching.record_of(run), run).items()}


def table(text: str | bytes) -> list[dict[str, str]]:
    assert isinstance(text, str)
    return list(csv.DictReader(io.StringIO(text)))


def upstream(play: Play, searches: Searches, **more: Any) -> dict[str, Any]:
    run = searching.run_of(play, searches, **more)
    found: dict[str, Any] = json.loads(json.dumps(density_upstream.data(run, searches), allow_nan=False))
    return found


def steps_of(play: Play, searches: Searches) -> list[dict[str, str]]:
    return table(density_csv.text(searching.record_of(searching.run_of(play, searches))))


def test_only_a_search_has_its_files(ready_run: Play) -> None:
    assert not {"density.csv", "stream_density.json"} & set(files(ready_run, None))
    written = files(ready_run, searching.searches())
    assert table(written["density.csv"]) == steps_of(ready_run, searching.searches())
    assert json.loads(written["stream_density.json"]) == upstream(ready_run, searching.searches())


def test_density_csv_has_a_row_for_each_step_and_objective(ready_run: Play) -> None:
    rows = steps_of(ready_run, searching.searches())
    assert [(row["step"], row["streams"], row["metric"]) for row in rows[:3]] == [
        ("1", "1", "fps"),
        ("1", "1", "latency_seconds"),
        ("2", "4", "fps"),
    ]
    last = rows[-2]
    assert (last["run"], last["host"], last["hold"], last["passed"]) == ("density-1", "", "true", "true")
    assert (last["windows"], last["limit"], last["unit"]) == ("6", "14.95", "fps")
    assert float(last["mean"]) == searching.found().steps[-1].told[0].mean
    assert (last["worst_replica"], last["worst_host"]) == ("ovms-client-12", "client1")


def test_a_step_without_figures_has_a_row_all_the_same(ready_run: Play) -> None:
    state = searching.ended("no data", "=1+1", 0, host="h1")
    (row,) = steps_of(ready_run, searching.searches(state))
    assert (row["host"], row["passed"], row["reason"], row["metric"], row["mean"]) == ("h1", "false", "'=1+1", "", "")


@given(st.lists(SEARCHES, min_size=1, max_size=3))
def test_every_number_of_density_csv_reads_back_as_the_very_same(states: list[SearchState]) -> None:
    told = density_record.as_dict(Searches(("client",), searches=tuple(states)), measured_plan.of_plan(make_plan()))
    rows = table(density_csv.text({"run_id": "r", "search": told}))
    steps = [step for one in told["searches"] for step in one["steps"]]
    assert len(rows) == sum(len(step["figures"]) or 1 for step in steps)
    means = [figure["mean"] for step in steps for figure in step["figures"]]
    assert [float(row["mean"]) for row in rows if row["mean"]] == means
    assert {row["step"] for row in rows} <= {str(number) for number in range(1, 4)}


def test_stream_density_json_has_the_keys_that_tools_know(ready_run: Play) -> None:
    told = upstream(ready_run, searching.searches())
    assert (told["target"], told["max"], told["met_target"]) == (14.95, 12, True)
    assert (told["target_latency_ms"], told["max_scenes"], told["first_fail"]) == (100.0, 12, 13)
    assert [(one["num"], one["passed"]) for one in told["iterations"]] == [
        (1, True),
        (4, True),
        (12, True),
        (13, False),
        (12, True),
    ]
    best = told["best_iteration"]
    assert best == told["iterations"][-1]
    assert best["throughput_ratio"] == pytest.approx(12.4 / 12)
    assert best["expected_samples"] == round(12 * 14.95 * 60)
    assert best["actual_samples"] == round(12.4 * 14.95 * 60)
    assert best["samples_per_scene"] == pytest.approx(12.4 / 12 * 14.95 * 60)
    assert best["latency_ms"] == pytest.approx(90.0 * 12 / 12.4)


def test_its_hosts_figures_are_those_of_the_step(ready_run: Play) -> None:
    """The first step is within what was measured."""
    record = ready_run.record()
    first, *_between, last = upstream(ready_run, searching.searches())["iterations"]
    busy = sum(metrics["cpu_cores"]["mean"] for metrics in record["host_metrics"].values())
    assert first["cpu_percent"] == pytest.approx(100.0 * busy / 8, rel=0.1)
    assert last["cpu_percent"] is None
    assert (first["memory_percent"], last["memory_percent"]) == (21.0, 32.0)


def test_without_an_objective_of_latency_it_is_that_of_all_frames(ready_run: Play) -> None:
    state = searching.found()
    bare = [one.__class__(**{**vars(one), "told": one.told[:1]}) for one in state.steps]
    told = upstream(ready_run, searching.searches(SearchState("", tuple(bare), "found", "")), asked=(searching.FPS,))
    mean = ready_run.record()["totals"]["latency_seconds"]["mean"]
    assert told["target_latency_ms"] is None
    assert told["iterations"][0]["latency_ms"] == pytest.approx(1000.0 * mean, rel=0.05)


def test_of_a_search_for_latency_alone_there_is_no_throughput(ready_run: Play) -> None:
    told = upstream(ready_run, searching.searches(), asked=(searching.LATENCY,))
    assert told["target"] == 0.1
    assert told["iterations"][0]["throughput_ratio"] is None


def test_of_several_hosts_each_has_its_own(ready_run: Play) -> None:
    nothing = searching.ended("not even one", "why", 0, host="client2")
    told = upstream(ready_run, searching.searches(searching.found(host="client1"), nothing))
    assert (told["max"], told["met_target"], told["best_iteration"]) == (12, False, None)
    assert [one["host"] for one in told["searches"]] == ["client1", "client2"]
    assert [one["host"] for one in told["iterations"]] == ["client1"] * 5 + ["client2"]
    assert (told["searches"][1]["max"], told["searches"][1]["best_iteration"]) == (0, None)
