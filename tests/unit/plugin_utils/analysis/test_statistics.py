# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import (
    RISK,
    percentile,
    samples_needed,
    summarise,
)

finite = st.floats(min_value=-1e12, max_value=1e12)


@pytest.mark.parametrize(("p", "needed"), [(0.99, 662), (0.95, 130), (0.50, 11)])
def test_known_numbers_of_samples(p: float, needed: int) -> None:
    assert samples_needed(p) == needed


@given(st.floats(min_value=0.01, max_value=0.995))
def test_the_number_is_the_smallest_that_keeps_the_risk(p: float) -> None:
    def risk(n: int) -> float:
        return math.pow(p, n) + n * (1 - p) * math.pow(p, n - 1)

    n = samples_needed(p)
    assert risk(n) <= RISK
    assert n == 1 or risk(n - 1) > RISK


@pytest.mark.parametrize("p", [0.0, 1.0, -1.0, 2.0])
def test_what_is_no_quantile_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        samples_needed(p)


@given(st.lists(finite, min_size=1, max_size=700))
def test_a_percentile_is_there_if_and_only_if_the_sample_carries_it(values: list[float]) -> None:
    summary = summarise(values, "s")
    assert (summary.p50 is None) == (len(values) < 11)
    assert (summary.p95 is None) == (len(values) < 130)
    assert (summary.p99 is None) == (len(values) < 662)
    assert (summary.n, summary.min, summary.max) == (len(values), min(values), max(values))


def test_known_figures() -> None:
    summary = summarise(list(range(1, 1001)), "ms")
    assert (summary.mean, summary.p50, summary.p95, summary.p99) == (500.5, 500.5, 950.05, 990.01)


@pytest.mark.parametrize("size", [661, 662])
def test_p99_begins_at_662(size: int) -> None:
    assert (percentile([1.0] * size, 0.99) is None) == (size == 661)


def test_of_nothing_everything_is_null() -> None:
    summary = summarise([], "s").as_dict()
    assert summary == {"unit": "s", "n": 0, **dict.fromkeys(("mean", "p50", "p95", "p99", "min", "max"))}
