# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Summary statistics: mean, extremes and percentiles of a sample, as far as it can carry them.

A percentile is given only where the sample is large enough to stand behind it. The bound is the one of
MLPerf LoadGen's early stopping (``loadgen/early_stopping.cc`` of mlcommons/inference):
with *n* independent samples, the probability that at most one of them lies above the p-quantile is
``p^n + n (1-p) p^(n-1)``. *n* is large enough when that probability is at most 1 %: 662 samples for p99, 130 for
p95, 11 for p50.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

RISK = 0.01
"""Largest accepted probability that a sample holds at most one value above the percentile."""

PERCENTILES: Mapping[str, float] = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Summary:
    """What is said of one metric in one interval. ``None`` is a figure that the sample cannot carry.

    ``total`` is set for counters only: how much was counted in the interval, in ``unit`` without its ``/s``.
    ``ready_made``: of percentiles that came ready-made, which have no mean.
    """

    unit: str
    n: int
    mean: float | None = None
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    min: float | None = None
    max: float | None = None
    total: float | None = None
    ready_made: bool = False

    def as_dict(self) -> dict[str, object]:
        """The summary as ``run.json`` holds it; ``total`` and ``ready_made`` only where there is one."""
        result: dict[str, object] = {
            "unit": self.unit,
            "n": self.n,
            "mean": self.mean,
            "p50": self.p50,
            "p95": self.p95,
            "p99": self.p99,
            "min": self.min,
            "max": self.max,
        }
        if self.total is not None:
            result["total"] = self.total
        if self.ready_made:
            result["ready_made"] = True
        return result


@functools.cache
def samples_needed(p: float) -> int:
    """The smallest number of samples that carries the ``p`` quantile (0 < p < 1); see the module's source."""
    if not 0.0 < p < 1.0:
        raise ValueError(f"a quantile lies between 0 and 1, not at {p}")
    n = 1
    while p**n + n * (1.0 - p) * p ** (n - 1) > RISK:
        n += 1
    return n


def percentile(ordered: Sequence[float], p: float) -> float | None:
    """The ``p`` quantile of ascending values (linear between ranks, Hyndman and Fan's type 7), or ``None``."""
    if len(ordered) < samples_needed(p):
        return None
    position = p * (len(ordered) - 1)
    low = math.floor(position)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (position - low)


def summarise(values: Sequence[float], unit: str, *, mean: float | None = None, total: float | None = None) -> Summary:
    """Summary of single values in ``unit``; ``mean`` replaces the plain mean where values weigh differently."""
    if not values:
        return Summary(unit=unit, n=0, total=total)
    ordered = sorted(values)
    return Summary(
        unit=unit,
        n=len(ordered),
        mean=math.fsum(ordered) / len(ordered) if mean is None else mean,
        p50=percentile(ordered, PERCENTILES["p50"]),
        p95=percentile(ordered, PERCENTILES["p95"]),
        p99=percentile(ordered, PERCENTILES["p99"]),
        min=ordered[0],
        max=ordered[-1],
        total=total,
    )


def ready_made(values: Sequence[float], unit: str) -> Summary:
    """Percentiles that came ready-made: the smallest and the largest; an average of them would mean nothing."""
    return Summary(unit=unit, n=len(values), min=min(values), max=max(values), ready_made=True)
