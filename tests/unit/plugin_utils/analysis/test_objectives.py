# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import re
import statistics
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan, objectives, observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.objectives import (
    Allowance,
    Objective,
    Outcome,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Point, Series, Span
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_record, summary

from ..synthetic import Fleet, Play, make_plan

PlayOf = Callable[..., Play]
SHORT = WindowSettings(15.0, 10.0)
SLOW = "ovms-client-3"


class OneSlow(Fleet):
    """The third client does 20 frames a second, the others 30."""

    def fps(self, replica: str, second: float) -> float:
        return super().fps(replica, second) * (2.0 / 3.0 if replica == SLOW else 1.0)


class Silent(Fleet):
    """The third client tells of no frame rate."""

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        return sample.get("type") != "log" or sample.get("replica") != SLOW


def with_objectives(*found: Mapping[str, Any], hosts: int = 4) -> dict[str, Any]:
    return {**make_plan(hosts), "objectives": list(found)}


def of(*found: Mapping[str, Any]) -> tuple[Objective, ...]:
    return objectives.of_plan(measured_plan.of_plan(with_objectives(*found)))


def record_of(play_of: PlayOf, fleet: type[Fleet], *found: Mapping[str, Any]) -> dict[str, Any]:
    return play_of(fleet, plan=with_objectives(*found)).whole(SHORT)


FPS = {"metric": "fps", "container": "client", "at_least": 25.0}


def test_a_run_that_reaches_its_objectives_is_ok(play_of: PlayOf) -> None:
    record = record_of(play_of, Fleet, FPS, {"metric": "latency_seconds", "statistic": "p50", "at_most": 0.05})
    assert record["verdict"] == "ok"
    assert [found["state"] for found in record["objectives"]] == ["met", "met"]
    assert record["objectives"][0]["margin"] == pytest.approx(0.2, abs=0.02)


def test_the_worst_replica_decides(play_of: PlayOf) -> None:
    record = record_of(play_of, OneSlow, FPS)
    assert record["verdict"] == "missed"
    (found,) = record["objectives"]
    assert (found["state"], found["worst"]) == ("missed", {"replica": SLOW, "host": "client3"})
    assert found["value"] == pytest.approx(20.0, rel=0.03)
    assert found["margin"] == pytest.approx(-0.2, abs=0.03)
    assert f"replica {SLOW} on client3" in record["reasons"][0]


def test_over_all_the_sum_counts(play_of: PlayOf) -> None:
    whole = {"metric": "fps", "over": "all", "at_least": 105.0}
    record = record_of(play_of, OneSlow, whole)
    assert (record["verdict"], record["objectives"][0]["worst"]) == ("ok", None)
    assert record["objectives"][0]["value"] == pytest.approx(110.0, rel=0.03)


def test_what_is_not_known_is_not_met(play_of: PlayOf) -> None:
    record = record_of(play_of, Silent, FPS)
    (found,) = record["objectives"]
    assert (found["state"], found["value"], found["worst"]["replica"]) == ("not known", None, SLOW)
    assert record["verdict"] == "failed"  # for data of a required metric are missing, too
    assert any(reason.startswith("objective not known: mean fps") for reason in record["reasons"])


def test_a_percentile_that_too_few_values_carry_is_not_known(play_of: PlayOf) -> None:
    record = record_of(play_of, Fleet, {"metric": "latency_seconds", "statistic": "p99", "at_most": 1.0})
    assert record["verdict"] == "missed"
    assert "values do not carry it" in record["objectives"][0]["why"]


def test_errors_are_held_against_zero(play_of: PlayOf) -> None:
    record = record_of(play_of, Fleet, {"metric": "errors", "container": "client", "statistic": "total", "at_most": 0})
    (found,) = record["objectives"]
    assert (found["state"], found["value"], found["margin"], found["unit"]) == ("met", 0.0, None, "errors")


def test_terminal_and_summary_tell_them_first(play_of: PlayOf) -> None:
    play = play_of(OneSlow, plan=with_objectives(FPS))
    record = play.whole(SHORT)
    lines = summary.table(record).splitlines()
    assert re.match(r"Objective fps mean, each client: at least 25: missed: (19\.9|20)", lines[1])
    assert lines[1].endswith(f"worst {SLOW} on client3")
    first = (play.path / "summary.csv").read_text().splitlines()[0]
    assert "Objective fps mean" in first and "missed" in first


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"metric": "fsp", "at_least": 1}, "not of one measured container alone: none has it"),
        ({"metric": "cpu_cores", "at_most": 1}, "client, ovms-server have it: say which"),
        ({**FPS, "container": "clients"}, "no measured container 'clients'; there are client, ovms-server"),
        ({**FPS, "container": "ovms-server"}, "it has no metric 'fps'; it has"),
        ({**FPS, "statistic": "total"}, "only what is counted has a total"),
        ({"metric": "inference_seconds", "statistic": "p50", "at_most": 1}, "nothing but the mean"),
        (
            {"metric": "cpu_throttled_ratio", "container": "client", "over": "all", "at_most": 1},
            "a ratio, which has no figure over all",
        ),
        (
            {"metric": "cpu_cores", "container": "client", "over": "all", "statistic": "p50", "at_most": 1},
            "its mean and its total alone",
        ),
    ],
)
def test_what_the_plan_cannot_answer_is_refused(written: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said) as caught:
        of(written)
    assert "objectives.0" in str(caught.value)


@pytest.mark.parametrize(("statistic", "seconds"), [("p50", 11), ("p95", 130), ("p99", 662)])
def test_windows_must_carry_a_percentile(statistic: str, seconds: int) -> None:
    plan = measured_plan.of_plan(with_objectives({**FPS, "statistic": statistic}))
    found = objectives.of_plan(plan)
    objectives.check_windows(found, plan, float(seconds), 1.0)
    objectives.check_windows(found, plan, seconds / 10.0, 0.1)
    with pytest.raises(ProfileError, match=f"needs {seconds} values, and windows of {seconds - 1} s hold"):
        objectives.check_windows(found, plan, float(seconds - 1), 1.0)


def test_of_latencies_the_number_is_not_known_before_the_run() -> None:
    plan = measured_plan.of_plan(with_objectives({"metric": "latency_seconds", "statistic": "p99", "at_most": 1}))
    objectives.check_windows(objectives.of_plan(plan), plan, 10.0, 1.0)


bounds = st.floats(-1e6, 1e6).filter(lambda bound: abs(bound) > 1e-6)


@given(bound=bounds, value=st.floats(-1e6, 1e6), at_least=st.booleans(), tolerance=st.floats(0.0, 0.5))
def test_the_margin_has_the_sign_of_the_outcome(bound: float, value: float, at_least: bool, tolerance: float) -> None:
    objective = Objective("fps", "client", "mean", False, at_least, bound, tolerance)
    margin = objective.margin(value)
    assert margin is not None
    if abs(margin) > 1e-9:
        assert objective.holds(value) == (margin > 0.0)


def one_of(seen: Mapping[str, float | None], allowance: Allowance | None, kind: str = "flow") -> Outcome:
    """What becomes of ``LEAST`` where each client has told one figure for the whole window, or none."""
    plan = measured_plan.of_plan(make_plan(clients=len(seen)))
    told: dict[str, dict[str, Series]] = {replica.name: {} for replica in plan.replicas}
    for name, value in seen.items():
        if value is not None:
            told[name]["fps"] = Series("fps", "fps", kind, points=(Point(0.0, 10.0, value, 10.0),))
    found = replace(observations.observe(plan, [], {}), replicas=told)
    return objectives.outcome(LEAST, plan, found, [Span(0.0, 10.0)], allowance)


LEAST = of(FPS)[0]


@given(st.lists(st.floats(20.0, 30.0), min_size=1, max_size=6), st.floats(0.0, 0.1))
def test_a_search_holds_the_mean_against_the_limit_and_allows_the_worst_a_little(
    rates: list[float], worst: float
) -> None:
    seen: dict[str, float | None] = {f"ovms-client-{number}": rate for number, rate in enumerate(rates, start=1)}
    found = one_of(seen, Allowance(worst))
    mean, least = statistics.fmean(rates), min(rates)
    if min(abs(mean - 25.0), abs(least / 25.0 - 1.0 + worst)) > 1e-9:
        assert (found.state == "met") == (mean >= 25.0 and least >= 25.0 * (1.0 - worst))
    assert (found.value, found.mean) == (pytest.approx(least), pytest.approx(mean))
    strict = one_of(seen, None)
    assert (strict.state == "met", strict.mean) == (least >= 25.0, None)


def test_one_without_a_figure_leaves_it_unknown_however_good_the_mean_is() -> None:
    seen: dict[str, float | None] = {"ovms-client-1": 30.0, "ovms-client-2": 24.9}
    assert one_of(seen, Allowance(0.03)).state == "met"
    outcome = one_of({**seen, "ovms-client-3": None}, Allowance(0.03))
    assert (outcome.state, outcome.worst and outcome.worst.name) == ("not known", "ovms-client-3")


def test_of_several_streams_in_a_replica_each_has_its_part() -> None:
    seen: dict[str, float | None] = {"ovms-client-1": 90.0, "ovms-client-2": 60.0}
    inside = {"ovms-client-1": 3, "ovms-client-2": 3}
    found = one_of(seen, Allowance(0.25, inside))
    assert (found.state, found.value, found.mean) == ("met", 20.0, 25.0)
    assert "it is 25 fps in the mean, at worst 20 fps" in str(found)
    gauge = one_of(seen, Allowance(0.03, inside), kind="gauge")
    assert (gauge.state, gauge.value) == ("met", 60.0)


def test_a_search_takes_the_latencies_of_all_streams_together(play_of: PlayOf) -> None:
    """One stream alone has too few frames for its p99, and all of them have enough."""
    play = play_of(plan=with_objectives({"metric": "latency_seconds", "statistic": "p99", "at_most": 0.1}))
    play.whole(SHORT)
    run = run_record.load(play.plan, play.directory.events(), play.directory.samples())
    alone, together = (
        objectives.outcomes(run.plan, run.seen, run.measure_spans, allowance) for allowance in (None, Allowance(0.03))
    )
    assert (alone[0].state, together[0].state, together[0].worst) == ("not known", "met", None)
