# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import math
import statistics

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import compare, effects, figures
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.compare import Comparison, Row
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.figures import Figure
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.runs import ComparedRun, read

from ..synthetic import Play
from .simulated import MEASURED, SLOWER, run_with

RUNS, PAIRS = 5, 100


@pytest.fixture(scope="module")
def base(ready_run: Play) -> ComparedRun:
    return read(ready_run.path)


def simulate(
    base: ComparedRun, rng: numpy.random.Generator, runs: int, keys: list[str], slowdown: bool
) -> list[ComparedRun]:
    made = []
    for number in range(runs):
        noise = {key: math.exp(rng.normal(0.0, MEASURED[key][1])) for key in keys}
        values = {key: MEASURED[key][0] * noise[key] * (SLOWER[key] if slowdown else 1.0) for key in keys}
        made.append(run_with(base, number + 100 * slowdown, values))
    return made


def compared(base: ComparedRun, seed: int, keys: list[str], slowdown: bool) -> Comparison:
    rng = numpy.random.default_rng(seed)
    a, b = (simulate(base, rng, RUNS, keys, slower) for slower in (False, slowdown))
    return compare.compare(a, b, metrics=keys)


@pytest.fixture(scope="module")
def equal_pairs(base: ComparedRun) -> list[Comparison]:
    return [compared(base, seed, list(MEASURED), slowdown=False) for seed in range(PAIRS)]


def test_equal_runs_are_seldom_called_different(equal_pairs: list[Comparison]) -> None:
    """A/A over all declared figures together: in at most 5 % of pairs one false alarm or more."""
    alarms = sum(any(row.verdict == "changed" for row in pair.declared) for pair in equal_pairs)
    assert alarms <= 0.05 * PAIRS
    # And what hardly varies is known to be equal.
    fps = [next(row for row in pair.declared if row.figure.key == "fps") for pair in equal_pairs]
    assert {row.verdict for row in fps} == {"equivalent"}


def test_without_holm_and_the_floor_there_would_be_more_alarms(equal_pairs: list[Comparison]) -> None:
    bare = sum(any(row.p is not None and row.p <= effects.ALPHA for row in pair.declared) for pair in equal_pairs)
    assert bare > 0.1 * PAIRS


@pytest.mark.parametrize("key", ["fps", "ovms-server:inference_seconds"])
def test_a_slowdown_of_5_percent_is_found_with_5_runs(base: ComparedRun, key: str) -> None:
    pairs = [compared(base, seed, [key], slowdown=True) for seed in range(PAIRS)]
    found = sum(pair.declared[0].direction == "worse" for pair in pairs)
    assert found >= 0.9 * PAIRS


def test_samples_of_one_run_would_call_equal_runs_different() -> None:
    """Why the unit is the run: two runs of equal systems, which vary by 2 %, by their 30 samples of 1 % each."""
    rng = numpy.random.default_rng(1)
    different = 0
    for _pair in range(200):
        first, second = (rng.normal(rng.normal(1.0, 0.02), 0.01, 30) for _side in range(2))
        different += effects.effect(list(first), list(second)).p_value < effects.ALPHA
    assert different > 100


def row(a: list[float], b: list[float], aa: list[float] | None = None, better: str = "higher") -> Row:
    made = compare.row_of(Figure("fps"), "fps", better, True, a, b, aa or [])  # type: ignore[arg-type]
    return compare.judged([made])[0]


def test_verdicts() -> None:
    quiet = [100.0, 100.5, 99.5, 100.2, 99.8]
    slower = row(quiet, [x * 0.9 for x in quiet])
    assert (slower.verdict, slower.direction, slower.conclusion) == ("changed", "worse", "changed, worse")
    assert slower.ratio == pytest.approx(0.9)
    assert slower.interval is not None and slower.interval[0] < -0.1 < slower.interval[1] < 0.0
    assert slower.permutation_p == pytest.approx(2 / 252)
    assert row(quiet, [x * 0.9 for x in quiet], better="lower").conclusion == "changed, better"
    assert row(quiet, [x * 0.9 for x in quiet], better="").conclusion == "changed"
    assert row(quiet, [x * 1.001 for x in quiet]).verdict == "equivalent"
    noisy = row([100.0, 110.0, 90.0], [95.0, 105.0, 85.0])
    assert noisy.verdict == "inconclusive"
    assert noisy.conclusion == f"inconclusive: {noisy.more} more runs of each"


def test_a_significant_change_below_the_floor_is_none() -> None:
    quiet = [100.0, 100.1, 99.9, 100.05, 99.95]
    found = row(quiet, [x * 1.01 for x in quiet])
    assert found.p is not None and found.p < 1e-6
    assert found.verdict == "equivalent"


def test_the_floor_rises_to_what_equal_runs_differ_by() -> None:
    quiet = [100.0, 100.5, 99.5, 100.2, 99.8]
    slower = [x * 0.95 for x in quiet]
    assert row(quiet, slower).floor == pytest.approx(compare.LEAST_FLOOR)
    restless = [100.0, 130.0, 80.0, 120.0, 90.0, 110.0, 75.0, 125.0, 95.0, 105.0]
    found = row(quiet, slower, restless)
    assert found.floor > 0.1
    assert found.verdict == "equivalent"


def test_what_comes_from_nothing_has_changed() -> None:
    found = row([0.0] * 5, [3.0, 4.0, 5.0, 4.0, 3.0], better="lower")
    assert (found.ratio, found.effect, found.conclusion) == (None, 1.0, "changed, worse")
    once = row([0.0] * 5, [0.0, 0.0, 0.0, 0.0, 3.0], better="lower")
    assert once.verdict == "inconclusive"
    assert row([0.0] * 5, [0.0] * 5).verdict == "equivalent"


def test_what_never_varies_takes_nothing_from_the_others() -> None:
    """Holm is over the figures that vary: errors that are always 0 are no test."""
    quiet = [100.0, 103.0, 98.0, 101.0, 99.0]
    tested = compare.row_of(Figure("fps"), "fps", "higher", True, quiet, [x * 0.95 for x in quiet])
    errors = compare.row_of(Figure("errors"), "errors/s", "lower", True, [0.0] * 5, [0.0] * 5)
    alone, together = compare.judged([tested])[0], compare.judged([tested, errors, errors])[0]
    assert alone.adjusted_p == together.adjusted_p == tested.p


@given(st.lists(st.floats(1.0, 1e6), min_size=2, max_size=5), st.lists(st.floats(1.0, 1e6), min_size=2, max_size=5))
def test_verdicts_agree_with_their_interval(a: list[float], b: list[float]) -> None:
    found = row(a, b)
    assert found.interval is not None
    low, high = found.interval
    assert low <= found.effect + 1e-9 and found.effect <= high + 1e-9
    if found.verdict == "changed":
        assert (low > 0.0 or high < 0.0) and abs(math.log1p(found.effect)) > math.log1p(found.floor)
    if found.verdict == "equivalent":
        assert math.log1p(high) <= math.log1p(found.floor) + 1e-9
        assert math.log1p(low) >= -math.log1p(found.floor) - 1e-9
    back = row(b, a)
    assert (back.verdict, back.more) == (found.verdict, found.more)


def test_one_run_against_one_is_shown_and_not_judged(base: ComparedRun) -> None:
    a, b = (run_with(base, number, {"fps": fps}) for number, fps in enumerate((100.0, 50.0)))
    found = compare.compare([a], [b], metrics=["fps"])
    assert not found.judges
    assert found.declared[0].effect == pytest.approx(-0.5)
    assert found.declared[0].verdict == "not judged"
    assert {row.p for row in found.rows} == {row.interval for row in found.rows} == {None}
    assert found.headline.startswith("1 against 1: the difference is shown, and no significance is claimed")
    assert found.fails("changed") == []


def test_unasked_it_judges_what_people_look_for_first(base: ComparedRun) -> None:
    found = compare.compare([base], [run_with(base, 1, {})])
    keys = [row.figure.key for row in found.declared]
    assert keys == ["fps", "latency_seconds.p50", "latency_seconds.p99", "errors"]
    others = {row.figure.key for row in found.others}
    assert others >= {"latency_seconds.p95", "ovms-server:cpu_cores", "client:fps", "server:cpu_cores"}
    assert "server:0000:00:02.0:gpu_power_watts" in others
    assert {row.verdict for row in found.others} == {"not judged"}


def test_objectives_are_judged_too_and_say_which_way_is_better(base: ComparedRun) -> None:
    objective = {"metric": "cpu_cores", "container": "ovms-server", "statistic": "mean", "over": "each", "at_least": 1}
    planned = ComparedRun(base.path, {**base.record, "objectives": [objective]}, base.plan)
    found = compare.compare([planned], [run_with(planned, 1, {})])
    judged = {row.figure.key: row.better for row in found.declared}
    assert judged["ovms-server:cpu_cores"] == "higher"
    assert judged["fps"] == "higher" and judged["errors"] == "lower"


def test_a_metric_without_a_place_is_meant_wherever_it_is(base: ComparedRun) -> None:
    found = compare.compare([base], [run_with(base, 1, {})], metrics=["cpu_cores", "fps"])
    keys = {row.figure.key for row in found.declared}
    assert keys == {"client:cpu_cores", "ovms-server:cpu_cores", "fps"} | {
        f"{h}:cpu_cores" for h in base.record["hosts"]
    }
    with pytest.raises(ProfileError, match="no run has a figure fsp; there are fps, "):
        compare.compare([base], [run_with(base, 1, {})], metrics=["fsp"])


def test_figures_of_a_container_are_means_over_its_replicas(base: ComparedRun) -> None:
    told = figures.of_record(base.record)
    clients = [r for r, known in base.record["containers"].items() if known["container"] == "client"]
    means = [base.record["metrics"][replica]["cpu_cores"]["mean"] for replica in clients]
    assert told[Figure("cpu_cores", container="client")].value == pytest.approx(statistics.fmean(means))
    assert told[Figure("fps")].value == base.record["totals"]["fps"]["mean"]
    # Percentiles of several replicas are those of all their frames, never means of percentiles.
    assert not [figure for figure in told if figure.container and figure.statistic != "mean"]
