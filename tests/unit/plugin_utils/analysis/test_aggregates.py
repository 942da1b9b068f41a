# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import numpy
import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import aggregates, ddsketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Point, Series, Span

SPAN = Span(0.0, 10.0)


def rate(value: float, kind: str = "rate") -> Series:
    points = tuple(Point(float(t), t + 1.0, value, weight=1.0) for t in range(10))
    return Series("cpu_cores", "cores", kind, points=points)


def test_rates_are_added() -> None:
    found = aggregates.together([rate(0.5), rate(1.5)], [SPAN])
    assert found is not None
    assert (found.mean, found.total, found.n) == (pytest.approx(2.0), pytest.approx(20.0), 2)


def test_a_part_is_not_the_whole() -> None:
    assert aggregates.total([rate(0.5), Series("cpu_cores", "cores", "rate")], [SPAN]) is None


@pytest.mark.parametrize("kind", ["ratio", "average"])
def test_quotients_are_not_added(kind: str) -> None:
    assert aggregates.together([rate(0.5, kind)], [SPAN]) is None
    assert aggregates.together([], [SPAN]) is None


def test_percentiles_are_those_of_all_values() -> None:
    generator = numpy.random.default_rng(3)
    fast, slow = generator.lognormal(-4.0, 0.2, 2000), generator.lognormal(-2.0, 0.2, 2000)
    series = [
        Series("latency_seconds", "seconds", "sketch", sketches=((5.0, ddsketch.of_values(values.tolist())),))
        for values in (fast, slow)
    ]
    found = aggregates.together(series, [SPAN])
    assert found is not None
    assert found.p95 == pytest.approx(numpy.quantile(numpy.concatenate([fast, slow]), 0.95), rel=0.011)
