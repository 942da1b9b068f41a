# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Means with intervals, and main effects that are known beforehand."""

from __future__ import annotations

import math
import statistics

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.study import design, estimates, texts
from ansible_collections.retail.profiles.plugins.plugin_utils.study.design import Design

from .made_up import VARIABLES

CPUS, IMAGES = [1, 2, 4], ["old", "new"]
TRUTH = {("cpus", 2): 1.5, ("cpus", 4): 2.5, ("image", "new"): 0.9}


def of(study: dict[str, object]) -> Design:
    return design.parse({"profile": "p", "factors": {"cpus": CPUS, "image": IMAGES}, **study}, VARIABLES)[0]


def told(asked: Design, noise: float = 0.0, drift: float = 0.0, seed: int = 1) -> list[tuple[int, int, float]]:
    """Runs whose values are products of what their levels do, with a drift from block to block."""
    rng = numpy.random.default_rng(seed)
    found = []
    for block, number in asked.order():
        value = 100.0 * math.exp(drift * block + rng.normal(0.0, noise))
        for name, level in asked.combinations[number].items():
            value *= TRUTH.get((name, level), 1.0)
        found.append((block, number, value))
    return found


@given(st.lists(st.floats(0.001, 1e6), min_size=1, max_size=8))
def test_a_mean_lies_among_its_values_and_in_its_interval(values: list[float]) -> None:
    found = estimates.estimate(values)
    assert found is not None and found.runs == len(values)
    assert min(values) * (1 - 1e-9) <= found.mean <= max(values) * (1 + 1e-9)
    if found.interval is not None:
        assert found.interval[0] <= found.mean * (1 + 1e-9) and found.mean <= found.interval[1] * (1 + 1e-9)
    assert (found.interval is None) == (len(values) == 1)


def test_means_of_no_run_of_one_and_of_zeros() -> None:
    assert estimates.estimate([]) is None
    assert estimates.estimate([0.0]) == estimates.Estimate(1, 0.0)
    found = estimates.estimate([0.0, 2.0, 4.0])
    assert found is not None and found.mean == pytest.approx(2.0)
    # Student's quantile for 2 degrees of freedom
    assert found.interval == pytest.approx((2.0 - 4.30265 * 2 / math.sqrt(3), 2.0 + 4.30265 * 2 / math.sqrt(3)), 1e-4)


def test_the_interval_holds_the_truth_in_95_of_100() -> None:
    rng = numpy.random.default_rng(5)
    held = 0
    for _study in range(400):
        found = estimates.estimate(list(numpy.exp(rng.normal(3.0, 0.05, 5))))
        assert found is not None and found.interval is not None
        held += found.interval[0] <= math.exp(3.0) <= found.interval[1]
    assert 0.92 * 400 <= held <= 0.98 * 400


@given(st.integers(1, 4), st.floats(-0.3, 0.3), st.permutations(range(6)))
def test_effects_are_found_whatever_drifts_and_whichever_runs_are_missing(
    repeats: int, drift: float, order: list[int]
) -> None:
    """Without noise exactly: of a design from which runs of one block are missing as well."""
    asked = of({"repeats": repeats})
    known = [one for one in told(asked, drift=drift) if one[0] > 0 or one[1] in order[:5]]
    for found in estimates.main_effects(asked, known):
        if found.effect is not None:
            assert found.effect == pytest.approx(TRUTH[found.factor, found.level] - 1.0, rel=1e-6)
        else:
            assert repeats == 1


def test_intervals_hold_the_truth_and_blocks_take_the_drift() -> None:
    asked = of({"repeats": 4})
    held = wide = 0
    for seed in range(60):
        for found in estimates.main_effects(asked, told(asked, noise=0.03, drift=0.2, seed=seed)):
            assert found.interval is not None
            held += found.interval[0] <= TRUTH[found.factor, found.level] - 1.0 <= found.interval[1]
            wide += found.interval[1] - found.interval[0] > 0.3
    assert held >= 0.9 * 180
    assert wide == 0  # a drift of 20 % a block would make them wider


def test_what_factors_do_together_is_no_noise() -> None:
    asked = of({"repeats": 3})
    both = [
        (block, number, value * (1.3 if asked.combinations[number] == {"cpus": 4, "image": "new"} else 1.0))
        for block, number, value in told(asked, noise=0.001)
    ]
    assert all(found.shows for found in estimates.main_effects(asked, both))


def test_effects_that_are_not_to_be_told_apart_are_none() -> None:
    asked = of({"combinations": [{"cpus": 1, "image": "old"}, {"cpus": 2, "image": "new"}], "repeats": 3})
    assert [found.effect for found in estimates.main_effects(asked, told(asked))] == [None, None, None]


def test_no_effect_against_a_level_that_no_run_had() -> None:
    asked = of({"repeats": 2})
    known = [one for one in told(asked) if asked.combinations[one[1]]["cpus"] != 1]
    found = {(one.factor, one.level): one.effect for one in estimates.main_effects(asked, known)}
    assert found["cpus", 2] is None and found["cpus", 4] is None
    assert found["image", "new"] == pytest.approx(-0.1)
    assert estimates.main_effects(asked, []) == []


def test_one_run_of_each_has_effects_and_no_interval_where_nothing_is_left_over() -> None:
    asked = of({"repeats": 1})
    found = estimates.main_effects(asked, told(asked, noise=0.01))
    assert all(one.effect is not None and one.interval is None and not one.shows for one in found)


def test_where_a_run_has_zero_effects_are_parts_of_the_mean() -> None:
    asked = design.parse({"profile": "p", "factors": {"cpus": [1, 2]}, "repeats": 2}, VARIABLES)[0]
    values = [0.0, 4.0]
    found = estimates.main_effects(asked, [(block, number, values[number]) for block, number in asked.order()])[0]
    assert not found.is_ratio
    assert found.effect == pytest.approx(4.0 / statistics.fmean(values))


def test_an_interval_that_says_nothing_asks_for_more_runs() -> None:
    assert texts.estimate_cells(None) == ("–", "–")
    assert texts.estimate_cells(estimates.estimate([3.0])) == ("3", "–")
    assert texts.estimate_cells(estimates.estimate([1.0, 1.01])) == ("1.005", "0.9434 … 1.071")
    assert texts.estimate_cells(estimates.estimate([0.1, 1.0])) == ("0.3162", "more than 100-fold: more runs")
