# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DDSketch, a mergeable quantile sketch: percentiles over many clients by adding bins, with bounded relative error.

Source: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
VLDB 2019. With relative accuracy *a*: gamma = (1+a)/(1-a); a value v > 0 falls into bin ceil(log_gamma v), and the
bin's value 2 gamma^index / (gamma+1) is within *a* of every value in it. Bins, ranks and values are those of the
``ddsketch`` package (its LogarithmicMapping), which the tests use as the oracle.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import number
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import (
    PERCENTILES,
    Summary,
    samples_needed,
)

DEFAULT_ACCURACY = 0.01
FINEST_ACCURACY = 1e-6
"""Finer bins than this are no wider than the error of a float."""
MOST_COUNTED = 2**53
"""Beyond this a float does not count by one any more."""
_LARGEST_EXPONENT = 700.0
"""exp(700) is about the largest float: a bin beyond it holds no number."""


@dataclass(frozen=True)
class Sketch:
    """Counts of values >= 0 in logarithmic bins. ``minimum`` and ``maximum`` are exact; ``None`` when empty."""

    relative_accuracy: float = DEFAULT_ACCURACY
    count: int = 0
    total: float = 0.0
    minimum: float | None = None
    maximum: float | None = None
    zero_count: int = 0
    bins: Mapping[int, int] = field(default_factory=dict)

    @property
    def gamma(self) -> float:
        return (1.0 + self.relative_accuracy) / (1.0 - self.relative_accuracy)

    @property
    def mean(self) -> float | None:
        return self.total / self.count if self.count else None

    def quantile(self, p: float) -> float | None:
        """The ``p`` quantile within the relative accuracy, or ``None`` of an empty sketch."""
        if self.count == 0 or self.minimum is None or self.maximum is None:
            return None
        rank = p * (self.count - 1)
        if rank < self.zero_count:
            return 0.0
        indices, seen = self._cumulated
        place = bisect_right(seen, rank)
        if place == len(seen):
            return self.maximum
        gamma = self.gamma
        value = 2.0 * gamma ** indices[place] / (gamma + 1.0)
        return min(max(value, self.minimum), self.maximum)

    @cached_property
    def _cumulated(self) -> tuple[list[int], list[int]]:
        """The bins in order, and how many values there are up to the end of each: sorted once for all quantiles."""
        indices = sorted(self.bins)
        return indices, list(accumulate((self.bins[index] for index in indices), initial=self.zero_count))[1:]

    def summary(self, unit: str) -> Summary:
        """The sketch as a summary; a percentile that its count cannot carry is ``None``."""
        p50, p95, p99 = (self.quantile(p) if self.count >= samples_needed(p) else None for p in PERCENTILES.values())
        return Summary(
            unit=unit, n=self.count, mean=self.mean, p50=p50, p95=p95, p99=p99, min=self.minimum, max=self.maximum
        )


def _number(data: Mapping[str, object], key: str) -> float:
    value = data.get(key)
    found = None if isinstance(value, str) else number(value)
    if found is None:
        raise ValueError(f"'{key}' is {value!r}, not a number")
    return found


def _count(value: object, what: str) -> int:
    found = None if isinstance(value, str) else number(value)
    if found is None or not 0.0 <= found <= MOST_COUNTED or found != int(found):
        raise ValueError(f"{what} is {value!r}, not a count")
    return int(found)


def parse(data: object) -> Sketch:
    """A sketch as clients log it: ``relative_accuracy count sum min max zero_count bins``.

    Raises ValueError that names the first key that does not hold what it should.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"a sketch is a mapping, not {type(data).__name__}")
    accuracy = _number(data, "relative_accuracy")
    if not FINEST_ACCURACY <= accuracy < 1.0:
        raise ValueError(f"'relative_accuracy' is {accuracy}, not between {FINEST_ACCURACY} and 1")
    raw_bins = data.get("bins")
    if not isinstance(raw_bins, Mapping):
        raise ValueError("'bins' is not a mapping of bin index to count")
    widest = _LARGEST_EXPONENT / math.log((1.0 + accuracy) / (1.0 - accuracy))
    bins: dict[int, int] = {}
    for key, value in raw_bins.items():
        index = int(str(key))
        if abs(index) > widest:
            raise ValueError(f"bin {index} lies outside of what a number can hold")
        count = _count(value, f"bin {index}")
        if count:
            bins[index] = count
    zero_count = _count(data.get("zero_count", 0), "'zero_count'")
    count = _count(data.get("count"), "'count'")
    if count != zero_count + sum(bins.values()):
        raise ValueError(f"'count' is {count}, but its bins hold {zero_count + sum(bins.values())}")
    if count == 0:
        return Sketch(relative_accuracy=accuracy)
    return Sketch(accuracy, count, _number(data, "sum"), _number(data, "min"), _number(data, "max"), zero_count, bins)


def of_values(values: Iterable[float], relative_accuracy: float = DEFAULT_ACCURACY) -> Sketch:
    """The sketch of single values. Raises ValueError on a value that is negative or not finite."""
    gamma_log = math.log((1.0 + relative_accuracy) / (1.0 - relative_accuracy))
    bins: Counter[int] = Counter()
    seen: list[float] = []
    zero_count = 0
    for value in values:
        if not math.isfinite(value) or value < 0.0:
            raise ValueError(f"{value} does not belong in a sketch of values >= 0")
        seen.append(value)
        if value < 1e-300:
            zero_count += 1
        else:
            bins[math.ceil(math.log(value) / gamma_log)] += 1
    if not seen:
        return Sketch(relative_accuracy=relative_accuracy)
    return Sketch(relative_accuracy, len(seen), math.fsum(seen), min(seen), max(seen), zero_count, dict(bins))


def merge(sketches: Iterable[Sketch]) -> Sketch:
    """The sketch of all values of all sketches. Raises ValueError where their accuracies differ."""
    parts = [part for part in sketches if part.count]
    if not parts:
        return Sketch()
    accuracies = {part.relative_accuracy for part in parts}
    if len(accuracies) > 1:
        raise ValueError(f"sketches of different accuracy cannot be added: {sorted(accuracies)}")
    bins: Counter[int] = Counter()
    for part in parts:
        bins.update(part.bins)
    return Sketch(
        relative_accuracy=parts[0].relative_accuracy,
        count=sum(part.count for part in parts),
        total=math.fsum(part.total for part in parts),
        minimum=min(part.minimum for part in parts if part.minimum is not None),
        maximum=max(part.maximum for part in parts if part.maximum is not None),
        zero_count=sum(part.zero_count for part in parts),
        bins=dict(bins),
    )
