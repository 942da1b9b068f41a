# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs say together: the mean of a combination, and what a factor does by itself, with intervals of 95 %. Pure."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import effects
from ansible_collections.retail.profiles.plugins.plugin_utils.study import design
from ansible_collections.retail.profiles.plugins.plugin_utils.study.design import Design

Interval = tuple[float, float]
_NEGLIGIBLE = 1e-6
_LARGEST = 50.0
"""The end of an interval beyond this logarithm would be too large for a number."""


@dataclass(frozen=True)
class Estimate:
    """The mean of so many runs and the interval that holds the true one; the geometric mean where all are above 0."""

    runs: int
    mean: float
    interval: Interval | None = None


def estimate(values: Sequence[float]) -> Estimate | None:
    """Of one value a run; None of no run, and without an interval of a single one."""
    if not values:
        return None
    is_ratio = effects.have_ratio(values, ())
    scaled = [math.log(value) for value in values] if is_ratio else list(values)
    mean = statistics.fmean(scaled)
    if len(values) < effects.LEAST_RUNS:
        return Estimate(len(values), values[0])
    error = statistics.stdev(scaled) / math.sqrt(len(values))
    half = effects.quantile(1.0 - effects.ALPHA / 2.0, len(values) - 1) * error
    ends = [_told(end, is_ratio) for end in (mean, mean - half, mean + half)]
    return Estimate(len(values), ends[0], (ends[1], ends[2]))


def _told(value: float, is_ratio: bool) -> float:
    return math.exp(min(value, _LARGEST)) if is_ratio else value


def mean_of(means: Sequence[float]) -> float:
    """The mean of means, in their scale."""
    return statistics.geometric_mean(means) if min(means) > 0.0 else statistics.fmean(means)


@dataclass(frozen=True)
class MainEffect:
    """What a level of a factor does against the first one, whatever the levels of the others.

    ``effect``: the ratio of the means less one, where ``is_ratio``; else a part of the mean of all. None where the
    combinations that were run do not tell it from what another factor does.
    """

    factor: str
    level: Any
    reference: Any
    is_ratio: bool
    effect: float | None = None
    interval: Interval | None = None

    @property
    def shows(self) -> bool:
        """Whether the interval excludes that it does nothing."""
        return self.interval is not None and (self.interval[0] > 0.0 or self.interval[1] < 0.0)


def main_effects(asked: Design, told: Sequence[tuple[int, int, float]]) -> list[MainEffect]:
    """Of the response of runs, each with its block and combination.

    Effects are those of a sum of factors and blocks, fitted by least squares: a block takes what drifts over time.
    Their error is what runs of one combination differ by within the blocks, so that what factors do together does
    not count as noise.
    """
    if not told:
        return []
    import numpy

    values = [value for _block, _combination, value in told]
    scale, is_ratio = effects.scaled(values, values)[0], effects.have_ratio(values, ())
    common = [[1.0] * len(values), *_columns([block for block, _combination, _value in told]).values()]
    variance, freedom = _error([*common, *_columns([one for _block, one, _value in told]).values()], scale)
    numbers = {
        name: [level_number(asked, name, asked.combinations[one]) for _block, one, _value in told]
        for name in asked.factors
    }
    columns = {(name, one): column for name in numbers for one, column in _columns(numbers[name]).items()}
    place = {key: at for at, key in enumerate(columns, start=len(common))}
    matrix = numpy.array([*common, *columns.values()]).T
    inverse = numpy.linalg.pinv(matrix)
    weights, space, spread = inverse @ numpy.array(scale), inverse @ matrix, inverse @ inverse.T
    found = []
    for name, number, bare in _bare(asked, is_ratio):
        at = place.get((name, number))
        # A weight is known where no other weights could stand for it; and it is against the first level, if one had it.
        if at is not None and 0 in numbers[name] and abs(space[at] - numpy.eye(len(space))[at]).max() < _NEGLIGIBLE:
            bare = _shown(bare, float(weights[at]), math.sqrt(variance * float(spread[at, at])), freedom)
        found.append(bare)
    return found


def _bare(asked: Design, is_ratio: bool) -> Iterator[tuple[str, int, MainEffect]]:
    for name, levels in asked.factors.items():
        for number, level in enumerate(levels[1:], start=1):
            yield name, number, MainEffect(name, level, levels[0], is_ratio)


def _shown(bare: MainEffect, delta: float, error: float, freedom: int) -> MainEffect:
    effect = _change(delta, bare.is_ratio)
    if not freedom:
        return replace(bare, effect=effect)
    half = effects.quantile(1.0 - effects.ALPHA / 2.0, freedom) * error
    interval = _change(delta - half, bare.is_ratio), _change(delta + half, bare.is_ratio)
    return replace(bare, effect=effect, interval=interval)


def _change(delta: float, is_ratio: bool) -> float:
    return math.expm1(min(delta, _LARGEST)) if is_ratio else delta


def level_number(asked: Design, factor: str, combination: Mapping[str, Any]) -> int:
    return next(at for at, level in enumerate(asked.factors[factor]) if design.same(level, combination[factor]))


def _columns(numbers: Sequence[int]) -> dict[int, list[float]]:
    """By number, but for the lowest: 1 where it is this one."""
    return {one: [float(number == one) for number in numbers] for one in sorted(set(numbers))[1:]}


def _error(columns: Sequence[Sequence[float]], values: Sequence[float]) -> tuple[float, int]:
    """The variance that is left of values, and its degrees of freedom."""
    import numpy

    matrix, known = numpy.array(columns).T, numpy.array(values)
    weights, _rest, rank, _singular = numpy.linalg.lstsq(matrix, known, rcond=None)
    freedom = len(values) - int(rank)
    left = float(((known - matrix @ weights) ** 2).sum())
    return (left / freedom if freedom else 0.0), freedom
