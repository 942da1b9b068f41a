# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a study answers, of studies whose truth is made up."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Better
from ansible_collections.retail.profiles.plugins.plugin_utils.study import answers, texts

from .made_up import CPU, DENSITY, FPS, P99, answered, made

CAPACITY = 16.0
LOAD: dict[str, Any] = {
    "factors": {"profile_env.RATE": [5, 10, 20, 30, 40], "cpus": [1, 2]},
    "repeats": 3,
    "load": "profile_env.RATE",
    "pareto": ["fps", "server:cpu_cores"],
}


def queue(levels: Mapping[str, Any], turn: int, noise: float = 0.002) -> Any:
    """A server whose latency grows towards its capacity; a latency of 0.1 s is asked for."""
    rng = numpy.random.default_rng(turn)
    capacity = CAPACITY * levels["cpus"]
    rate = min(levels["profile_env.RATE"], capacity)
    latency = 0.02 / max(0.05, 1.0 - rate / capacity / 1.05)
    values = {FPS: rate, P99: latency, CPU: 0.2 + 0.05 * rate / levels["cpus"]}
    return {key: value * float(numpy.exp(rng.normal(0.0, noise))) for key, value in values.items()}, latency < 0.1


def test_a_row_for_each_combination_with_its_interval_and_verdict() -> None:
    found = answered({"factors": {"image": ["old", "same", "slow"]}, "repeats": 5}, ab)
    assert found.columns[0] == FPS
    assert [row.runs for row in found.rows] == [5, 5, 5]
    old, same, slow = found.rows
    assert old.against is None
    assert same.against is not None and same.against.conclusion == "equivalent"
    assert slow.against is not None and slow.against.conclusion == "changed, worse"
    interval = slow.estimates[FPS].interval
    assert interval is not None and interval[0] < 90.0 < interval[1]
    assert found.verdict == "ok"
    change = f"image=slow {100 * slow.against.effect:+.1f} %"
    assert found.headline == f"3 combinations, 15 of 15 runs; fps has changed against image=old: {change}"


def ab(levels: Mapping[str, Any], turn: int) -> Any:
    noise = float(numpy.exp(numpy.random.default_rng(turn).normal(0.0, 0.005)))
    return {FPS: (90.0 if levels["image"] == "slow" else 100.0) * noise}, None


def test_the_knee_is_before_the_latency_soars_and_goodput_ends_where_an_objective_fails() -> None:
    one, two = answered(LOAD, queue).curves
    assert (one.others, two.others) == ({"cpus": 1}, {"cpus": 2})
    assert [point.load for point in one.points] == [5.0, 10.0, 20.0, 30.0, 40.0]
    assert one.knee is not None and one.knee.load == 10.0
    assert two.knee is not None and two.knee.load == 20.0
    assert one.goodput is not None and one.goodput.load == 10.0
    assert two.goodput is not None and two.goodput.load == 20.0


def test_a_curve_that_does_not_bend_has_no_knee() -> None:
    study = {"factors": {"cpus": [1, 2, 3]}, "load": "cpus", "repeats": 1}
    found = answered(study, lambda levels, turn: ({FPS: 10.0 * levels["cpus"], P99: 0.01}, None))
    assert found.curves[0].knee is None and found.curves[0].goodput is None
    assert texts.curve_text(found, found.curves[0]) == "no knee within these loads"


def test_an_objective_that_fails_in_between_ends_the_goodput() -> None:
    study = {"factors": {"cpus": [4, 2, 1]}, "load": "cpus", "repeats": 2}
    curve = answered(study, lambda levels, turn: ({FPS: 1.0, P99: 0.01}, levels["cpus"] != 2)).curves[0]
    assert curve.goodput is not None and curve.goodput.load == 1.0
    none = answered(study, lambda levels, turn: ({FPS: 1.0, P99: 0.01}, False))
    assert "the objectives do not hold at any load" in texts.curve_text(none, none.curves[0])


POINTS = st.dictionaries(st.integers(0, 20), st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=12)


@given(POINTS, st.sampled_from(["higher", "lower"]), st.sampled_from(["higher", "lower"]))
def test_the_front_beats_what_is_not_on_it(points: dict[int, tuple[float, float]], x: Better, y: Better) -> None:
    front = answers.front(points, (x, y))

    def beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
        signs = (1 if x == "higher" else -1, 1 if y == "higher" else -1)
        gain = [sign * (a - b) for sign, a, b in zip(signs, one, other, strict=True)]
        return min(gain) >= 0 and max(gain) > 0

    assert front
    for number, point in points.items():
        assert (number in front) == (not any(beats(points[one], point) for one in front))


def test_the_pareto_front_of_two_figures() -> None:
    found = answered(LOAD, lambda levels, turn: queue(levels, turn, noise=0.0))
    assert found.pareto is not None and found.pareto.better == ("higher", "lower")
    # The second processor gives more frames for less of each.
    assert all(found.rows[number].combination["cpus"] == 2 for number in found.pareto.front)


def test_the_heat_map_has_the_mean_over_the_other_factors() -> None:
    found = answered(
        {"factors": {"cpus": [1, 2], "image": ["a", "b"], "measure_duration": [10, 20]}, "heat_map": ["cpus", "image"]},
        lambda levels, turn: ({FPS: 100.0 * levels["cpus"] * levels["measure_duration"]}, None),
    )
    assert found.heat_map is not None
    assert found.heat_map.cells == pytest.approx({(r, c): 100.0 * (r + 1) * 200**0.5 for r in (0, 1) for c in (0, 1)})


def test_two_factors_have_a_heat_map_unasked_and_one_has_none() -> None:
    assert answered(LOAD, queue).heat_map is not None
    assert answered({"factors": {"image": ["old", "slow"]}}, ab).heat_map is None


def test_the_response_may_be_the_density_also_where_not_even_one_stream_holds() -> None:
    def tells(levels: Mapping[str, Any], turn: int) -> Any:
        return {DENSITY: {"none": 0.0, "old": 4.0, "new": 8.0}[levels["image"]], FPS: 15.0}, None

    asked = {"factors": {"image": ["old", "new", "none"]}, "repeats": 2, "response": "density"}
    found = answered(asked, tells)
    assert found.response == DENSITY and found.units[DENSITY] == "streams"
    assert [row.estimates[DENSITY].mean for row in found.rows] == pytest.approx([4.0, 8.0, 0.0])
    assert [row.against and row.against.conclusion for row in found.rows[1:]] == ["changed, better", "changed, worse"]


def test_failed_runs_are_told_and_the_others_answer() -> None:
    def tells(levels: Mapping[str, Any], turn: int) -> Any:
        return None if levels["image"] == "gone" else ab(levels, turn)

    found = answered({"factors": {"image": ["old", "gone", "slow"]}, "repeats": 2}, tells)
    assert found.verdict == "failed"
    old, gone, slow = found.rows
    assert (old.runs, gone.runs, gone.failed, slow.runs) == (2, 0, 2, 2)
    assert gone.against is None and not gone.estimates
    assert "6 of 6 runs; 2 of them failed" in found.headline
    text = texts.table(found)
    assert "0 and 2 failed" in text and "Failed: image=gone: there is no <image>" in text


def test_a_study_that_is_not_at_its_end_and_one_of_which_nothing_is_known() -> None:
    assert answered(LOAD, queue, runs=5).verdict == "unfinished"
    found = answered(LOAD, lambda levels, turn: None)
    assert found.response is None and found.verdict == "failed"
    assert "profile_env.RATE" in texts.table(found)
    json.loads(texts.json_text(found))


def test_figures_that_no_run_has_are_said_and_all_else_is_told() -> None:
    asked = {**LOAD, "response": "joy", "metrics": ["fps", "luck"], "latency": "patience", "pareto": ["fps", "hope"]}
    found = answered(asked, queue)
    assert [note.partition(" has")[0] for note in found.notes] == [
        "response: no run",
        "metrics: no run",
        "latency: no run",
        "pareto: no run",
    ]
    assert found.response == FPS and not found.curves and found.pareto is None
    assert texts.table(found).count("Not answered: ") == 4


def test_a_pareto_front_needs_to_know_which_way_is_better() -> None:
    study = {"factors": {"image": ["a", "b"]}, "pareto": ["fps", "own"], "repeats": 1}
    state, outcomes = made(study, lambda levels, turn: ({FPS: 1.0}, None))
    runs = tuple(
        answers.outcomes.Outcome(one.run, {**one.figures, answers.Figure("own"): one.figures[FPS]})
        for one in outcomes.runs
    )
    found = answers.answer(state, answers.Outcomes(runs))
    assert found.pareto is None
    assert found.notes == ("pareto: nothing says which way own is better: give it an objective",)


def test_the_table_of_figures_reads_back_as_it_was() -> None:
    found = answered(LOAD, queue)
    rows = list(csv.DictReader(io.StringIO(texts.csv_text(found)), quoting=csv.QUOTE_NONNUMERIC))
    assert len(rows) == 3 * 10
    first = next(row for row in rows if row["combination"] == 1 and row["metric"] == "fps")
    assert first["factor profile_env.RATE"] == 5 and first["mean"] == found.rows[0].estimates[FPS].mean
    data = json.loads(texts.json_text(found))
    assert data["combinations"][0]["figures"][0]["runs"] == 3
    assert [one["knee"] for one in data["curves"]] == [10.0, 20.0]
    assert data["heat_map"]["row_levels"] == [5, 10, 20, 30, 40]
    assert len(data["main_effects"]) == 5
