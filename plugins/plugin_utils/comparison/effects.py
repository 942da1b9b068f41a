# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effect of b against a, from one value a run: Welch's interval of the log ratio, and an exact permutation test.

The unit is the run. Its samples are not independent of one another, and a test of them calls equal systems different.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

ALPHA = 0.05
POWER = 0.8
"""With which probability more runs are to decide, if what was seen is how it is."""
LEAST_RUNS = 2
"""Of either side; with fewer nothing is known of what runs vary by."""
MOST_MORE = 100
MOST_SPLITS = 200_000
"""Up to so many splits of the runs into two groups, all are looked at: 10 against 10 runs have 184,756."""
DRAWN_SPLITS = 20_000
_SEED = 20_260_101
_TIE = 1e-9
"""Splits whose effect is the seen one but for rounding count as such."""


@dataclass(frozen=True)
class Spread:
    """Mean, variance and number of one side's values."""

    mean: float
    variance: float
    runs: int


@dataclass(frozen=True)
class Effect:
    """The mean of b less that of a, of logarithms (``is_ratio``), or as a part of the larger mean.

    Values of which one is not above zero have no ratio.
    """

    a: Spread
    b: Spread
    is_ratio: bool

    @property
    def delta(self) -> float:
        return self.b.mean - self.a.mean

    def error(self, more: int = 0) -> float:
        """The standard error, with so many more runs of either side."""
        return math.sqrt(self.a.variance / (self.a.runs + more) + self.b.variance / (self.b.runs + more))

    def freedom(self, more: int = 0) -> float:
        """The degrees of freedom by Welch and Satterthwaite."""
        parts = [(side.variance / (side.runs + more), side.runs + more - 1) for side in (self.a, self.b)]
        below = sum(part**2 / runs for part, runs in parts)
        return sum(part for part, _runs in parts) ** 2 / below if below else math.inf

    def half_width(self, level: float = ALPHA, more: int = 0) -> float:
        """Half of the interval that holds the true effect but for a probability of ``level``."""
        error = self.error(more)
        return quantile(1.0 - level / 2.0, self.freedom(more)) * error if error else 0.0

    @property
    def p_value(self) -> float:
        """Of Welch's test: how probable so large a difference is between equals."""
        error = self.error()
        if not error:
            return 0.0 if self.delta else 1.0
        from scipy.special import stdtr

        return float(2.0 * stdtr(self.freedom(), -abs(self.delta) / error))

    def more_runs(self, floor: float, level: float) -> int | None:
        """How many more runs of either side would decide at ``level``, if the effect is as it was seen; None for more
        than MOST_MORE."""
        distance = abs(self.delta)
        room, level = (distance, level) if distance > floor else (floor - distance, ALPHA)
        for more in range(1, MOST_MORE + 1):
            slack = quantile(POWER, self.freedom(more)) * self.error(more)
            if self.half_width(level, more) + slack <= room:
                return more
        return None


def quantile(p: float, freedom: float) -> float:
    """Of Student's distribution."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri(p) if math.isinf(freedom) else stdtrit(freedom, p))


def have_ratio(a: Sequence[float], b: Sequence[float]) -> bool:
    """Whether all values have a logarithm."""
    return all(value > 0.0 for value in (*a, *b))


def scaled(a: Sequence[float], b: Sequence[float]) -> tuple[list[float], list[float]]:
    """The values in which effects are told: logarithms; or, where one is not above zero, parts of the larger mean."""
    if have_ratio(a, b):
        return [math.log(value) for value in a], [math.log(value) for value in b]
    whole = max(abs(statistics.fmean(a)), abs(statistics.fmean(b))) or 1.0
    return [value / whole for value in a], [value / whole for value in b]


def _spread(values: Sequence[float]) -> Spread:
    variance = statistics.variance(values) if len(values) >= LEAST_RUNS else 0.0
    # Equal values have a variance of rounding errors, which would make a difference of rounding errors significant.
    return Spread(statistics.fmean(values), variance if variance > _TIE**2 else 0.0, len(values))


def effect(a: Sequence[float], b: Sequence[float]) -> Effect:
    """The effect of b against a; both have at least one value."""
    of_a, of_b = scaled(a, b)
    found = Effect(_spread(of_a), _spread(of_b), have_ratio(a, b))
    same = abs(found.delta) <= _TIE
    return Effect(found.a, Spread(found.a.mean, found.b.variance, found.b.runs), found.is_ratio) if same else found


def permutation_p(a: Sequence[float], b: Sequence[float]) -> float:
    """The share of all splits of the runs into two groups of these sizes whose means differ as much as those seen.

    Of more than MOST_SPLITS splits, a fixed draw of them.
    """
    import numpy

    of_a, of_b = scaled(a, b)
    pooled = numpy.array([*of_a, *of_b])
    chosen = _splits(len(pooled), len(of_a))
    first = pooled[chosen].mean(axis=1)
    second = (pooled.sum() - first * len(of_a)) / len(of_b)
    seen = abs(statistics.fmean(of_b) - statistics.fmean(of_a))
    return float(numpy.mean(numpy.abs(second - first) >= seen - _TIE))


@lru_cache(maxsize=8)
def _splits(runs: int, of_a: int) -> Any:
    """Which runs are in the first group, a row a split."""
    import itertools

    import numpy

    if math.comb(runs, of_a) <= MOST_SPLITS:
        return numpy.array(list(itertools.combinations(range(runs), of_a)))
    # The split that was seen is one of them, so that no p is zero.
    order = numpy.random.default_rng(_SEED).permuted(numpy.tile(numpy.arange(runs), (DRAWN_SPLITS, 1)), axis=1)
    return numpy.vstack([numpy.arange(of_a), order[:, :of_a]])


def aa_floor(values: Sequence[float], runs: int) -> float:
    """The 95th percentile of the effects between groups of ``runs`` equal runs, or of half of them where they are few.

    ``values``: of at least two runs of the same set-up.
    """
    import numpy

    scale, _none = scaled(values, values)
    size = min(runs, len(scale) // 2)
    order = numpy.random.default_rng(_SEED).permuted(numpy.tile(numpy.array(scale), (DRAWN_SPLITS, 1)), axis=1)
    effects = numpy.abs(order[:, :size].mean(axis=1) - order[:, size : 2 * size].mean(axis=1))
    return float(numpy.quantile(effects, 0.95))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values adjusted by Holm: those below ALPHA are significant together."""
    adjusted = [0.0] * len(p_values)
    reached = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        reached = max(reached, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = reached
    return adjusted


def holm_levels(p_values: Sequence[float]) -> list[float]:
    """The level at which Holm tests each, by the rank that it has."""
    levels = [ALPHA] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        levels[index] = ALPHA / (len(p_values) - rank)
    return levels
