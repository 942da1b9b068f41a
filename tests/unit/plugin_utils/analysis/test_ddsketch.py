# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sketches against the ``ddsketch`` package and against the exact values."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from ddsketch import DDSketch
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch

from ..synthetic import as_logged

latency = st.floats(min_value=1e-6, max_value=1e4)
QUANTILES = (0.0, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0)


def exact(values: list[float], p: float) -> float:
    """The value at the rank that a sketch aims at."""
    return sorted(values)[math.floor(p * (len(values) - 1))]


@given(st.lists(st.one_of(latency, st.just(0.0)), min_size=1, max_size=200))
def test_quantiles_are_those_of_the_ddsketch_package(values: list[float]) -> None:
    ours, theirs = ddsketch.of_values(values), DDSketch(0.01)
    for value in values:
        theirs.add(value)
    for p in QUANTILES:
        # Ours is held within the exact minimum and maximum, which can only bring it nearer.
        expected = min(max(theirs.get_quantile_value(p), min(values)), max(values))
        assert ours.quantile(p) == pytest.approx(expected, rel=1e-9)


@given(st.lists(st.lists(latency, max_size=60), min_size=1, max_size=8))
def test_a_merge_is_the_sketch_of_the_union(parts: list[list[float]]) -> None:
    union = [value for part in parts for value in part]
    merged = ddsketch.merge(ddsketch.of_values(part) for part in parts)
    whole = ddsketch.of_values(union)
    assert (merged.count, merged.bins, merged.zero_count) == (whole.count, whole.bins, whole.zero_count)
    assert (merged.minimum, merged.maximum) == (whole.minimum, whole.maximum)
    for p in QUANTILES if union else ():
        assert merged.quantile(p) == pytest.approx(exact(union, p), rel=0.0101)


@given(st.lists(latency, max_size=50))
def test_what_is_logged_is_read_back(values: list[float]) -> None:
    sketch = ddsketch.of_values(values)
    assert ddsketch.parse(json.loads(json.dumps(as_logged(sketch)))) == sketch


def test_one_slow_client_of_sixteen_shows_in_the_merged_p99() -> None:
    fast = [ddsketch.of_values([0.010] * 100) for _dummy in range(15)]
    slow = ddsketch.of_values([1.0] * 100)
    p99 = ddsketch.merge([*fast, slow]).summary("seconds").p99
    assert p99 == pytest.approx(1.0, rel=0.01)


def test_a_percentile_that_the_count_cannot_carry_is_null() -> None:
    summary = ddsketch.of_values([0.02] * 661).summary("seconds")
    assert summary.p99 is None
    assert summary.p95 == pytest.approx(0.02, rel=0.01)
    assert ddsketch.of_values([0.02] * 662).summary("seconds").p99 is not None


def test_sketches_of_different_accuracy_are_not_added() -> None:
    with pytest.raises(ValueError, match="different accuracy"):
        ddsketch.merge([ddsketch.of_values([1.0], 0.01), ddsketch.of_values([1.0], 0.02)])


def test_nothing_merged_is_empty() -> None:
    empty = ddsketch.merge([])
    assert (empty.count, empty.mean, empty.quantile(0.5)) == (0, None, None)


GOOD: dict[str, Any] = as_logged(ddsketch.of_values([0.1, 0.2]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"relative_accuracy": 1.5}, "relative_accuracy"),
        ({"relative_accuracy": True}, "relative_accuracy"),
        ({"relative_accuracy": 1e-300}, "relative_accuracy"),
        ({"relative_accuracy": 10**400}, "relative_accuracy"),
        ({"bins": [1, 2]}, "bins"),
        ({"bins": {"x": 2}}, "invalid literal"),
        ({"bins": {"99999999": 2}}, "outside"),
        ({"bins": {"1": -2}}, "not a count"),
        ({"count": 7}, "its bins hold 2"),
        ({"count": None}, "'count'"),
        ({"count": float("inf")}, "'count'"),
        ({"count": 10**400}, "'count'"),
        ({"sum": 10**400}, "'sum'"),
        ({"sum": "much"}, "'sum'"),
        ({"sum": float("nan")}, "'sum'"),
    ],
)
def test_what_is_no_sketch_is_refused_with_the_key(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ddsketch.parse({**GOOD, **change})


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_values_that_are_no_durations_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match="does not belong"):
        ddsketch.of_values([value])
