# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The statistics of comparisons, held against those of scipy.stats, which they do not use."""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import effects

positive = st.floats(0.1, 1000.0, allow_nan=False)
some = st.lists(positive, min_size=2, max_size=6)
p_values = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=12)


def varied(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(statistics.stdev(map(math.log, side)) > 1e-3 for side in (a, b))


@given(some, some)
def test_the_interval_and_p_are_those_of_welchs_test(a: list[float], b: list[float]) -> None:
    if not varied(a, b):
        return
    found = effects.effect(a, b)
    known = stats.ttest_ind(numpy.log(b), numpy.log(a), equal_var=False)
    low, high = known.confidence_interval(0.95)
    assert found.p_value == pytest.approx(known.pvalue, rel=1e-6, abs=1e-12)
    assert found.freedom() == pytest.approx(known.df, rel=1e-6)
    assert found.delta - found.half_width() == pytest.approx(low, rel=1e-6, abs=1e-9)
    assert found.delta + found.half_width() == pytest.approx(high, rel=1e-6, abs=1e-9)


@given(some, some)
def test_the_other_way_round_it_is_the_inverse(one: list[float], other: list[float]) -> None:
    there, back = effects.effect(one, other), effects.effect(other, one)
    assert there.delta == pytest.approx(-back.delta, abs=1e-12)
    assert there.p_value == pytest.approx(back.p_value)
    assert effects.permutation_p(one, other) == pytest.approx(effects.permutation_p(other, one))


@given(some, some, st.floats(0.01, 100.0))
def test_the_unit_does_not_matter(a: list[float], b: list[float], factor: float) -> None:
    if not varied(a, b):
        return
    told, scaled = effects.effect(a, b), effects.effect([x * factor for x in a], [x * factor for x in b])
    assert scaled.delta == pytest.approx(told.delta, abs=1e-9)
    assert scaled.p_value == pytest.approx(told.p_value, rel=1e-5, abs=1e-12)


@settings(max_examples=25)
@given(st.integers(2, 4).flatmap(lambda k: st.tuples(*[st.lists(positive, min_size=k, max_size=k)] * 2)))
def test_the_permutation_test_is_that_of_scipy(sides: tuple[list[float], list[float]]) -> None:
    a, b = sides

    def statistic(x: numpy.ndarray, y: numpy.ndarray, axis: int) -> numpy.ndarray:
        # Splits that are equal but for rounding are equal: scipy tells them apart where the effect is 0.
        return numpy.round(abs(y.mean(axis=axis) - x.mean(axis=axis)), 9)

    known = stats.permutation_test(
        (numpy.log(a), numpy.log(b)), statistic, vectorized=True, n_resamples=numpy.inf, alternative="greater"
    )
    assert effects.permutation_p(a, b) == pytest.approx(known.pvalue)


def test_groups_of_other_sizes_are_split_into_all_there_are() -> None:
    a, b = [1.0, 2.0], [3.0, 5.0, 9.0]
    logs = [math.log(value) for value in (*a, *b)]

    def difference(chosen: tuple[int, ...]) -> float:
        others = [logs[i] for i in range(5) if i not in chosen]
        return abs(statistics.fmean(logs[i] for i in chosen) - statistics.fmean(others))

    seen = difference((0, 1))
    expected = [difference(chosen) >= seen - 1e-9 for chosen in itertools.combinations(range(5), 2)]
    assert effects.permutation_p(a, b) == sum(expected) / len(expected) == 0.2


def test_of_very_many_splits_a_fixed_part_is_drawn() -> None:
    a, b = [1.0 + i / 100 for i in range(14)], [1.5 + i / 100 for i in range(14)]
    assert math.comb(28, 14) > effects.MOST_SPLITS
    assert effects.permutation_p(a, b) == effects.permutation_p(a, b) == 1 / (effects.DRAWN_SPLITS + 1)


@given(p_values)
def test_holm_is_what_its_paper_says(values: list[float]) -> None:
    """Step down from the smallest: stop at the first p above alpha / (number left)."""
    adjusted = effects.holm(values)
    for alpha in (0.01, 0.05, 0.3):
        rejected: set[int] = set()
        for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
            if values[index] * (len(values) - rank) > alpha:
                break
            rejected.add(index)
        assert {index for index, p in enumerate(adjusted) if p <= alpha} == rejected
    assert all(raw <= p <= 1.0 for raw, p in zip(values, adjusted, strict=True))


def test_equal_values_differ_by_nothing() -> None:
    found = effects.effect([45.0] * 3, [45.0] * 3)
    assert (found.delta, found.p_value, found.half_width()) == (0.0, 1.0, 0.0)
    assert effects.effect([45.0] * 3, [44.0] * 3).p_value == 0.0
    assert effects.effect([0.1 + 0.2] * 3, [0.3] * 3).p_value == 1.0


def test_where_a_run_has_nothing_there_is_no_ratio() -> None:
    found = effects.effect([0.0, 0.0, 0.0], [2.0, 4.0, 6.0])
    assert not found.is_ratio
    assert found.delta == 1.0
    assert effects.effect([0.0, 0.0], [0.0, 0.0]).delta == 0.0


@given(some, some, st.integers(0, 20))
def test_more_runs_narrow_the_interval(a: list[float], b: list[float], more: int) -> None:
    found = effects.effect(a, b)
    assert found.half_width(more=more + 1) <= found.half_width(more=more) + 1e-12


def test_as_many_more_runs_as_are_said_decide() -> None:
    """A change of 5 % with a deviation of 4 %: the number that is said decides in about 80 % of cases, one less not."""
    rng = numpy.random.default_rng(3)
    a, b = [math.exp(x) for x in (-0.04, 0.0, 0.04)], [math.exp(x) for x in (0.01, 0.05, 0.09)]
    found = effects.effect(a, b)
    more = found.more_runs(math.log(1.02), 0.05)
    assert more is not None

    def power(runs: int) -> float:
        rows = rng.normal(0.0, 0.04, (2000, 2, runs))
        p = stats.ttest_ind(rows[:, 1] + 0.05, rows[:, 0], axis=1, equal_var=False).pvalue
        return float(numpy.mean(p <= 0.05))

    assert power(3 + more) >= 0.75
    assert power(3 + more - 2) < power(3 + more)
    assert power(3 + more // 2) < 0.75


def test_what_no_number_of_runs_would_decide_has_none() -> None:
    floor = math.log(1.02)
    found = effects.effect([1.0, 1.2], [1.0199, 1.2239])
    assert found.more_runs(floor, 0.05) is None


def test_the_floor_is_what_equal_groups_differ_by() -> None:
    rng = numpy.random.default_rng(5)
    runs = list(numpy.exp(rng.normal(0.0, 0.05, 400)))
    expected = 1.96 * 0.05 * math.sqrt(2 / 5)
    assert effects.aa_floor(runs, 5) == pytest.approx(expected, rel=0.1)
    # Of few runs groups are smaller, and differ by more.
    assert effects.aa_floor(runs[:4], 5) > 0.0
    assert effects.aa_floor([45.0] * 6, 3) == 0.0
