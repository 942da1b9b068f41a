# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequential test of a step: do its streams hold their objectives? It looks as long as it must, and no longer.

Wald's sequential probability ratio test of the mean margin, +delta against -delta (A. Wald, "Sequential Tests of
Statistical Hypotheses", 1945): windows of 10 s are added until the log likelihood ratio 2 delta sum(x) / (s^2 VIF)
leaves +-ln((1 - risk) / risk). VIF = (1 + r) / (1 - r) widens the variance for windows that resemble the one before
them (lag-1 autocorrelation r). A margin is the part of its limit by which a figure is on the good side.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import GROWTH

Decision = Literal["pass", "fail", "go on"]
DELTA = 0.01
RISK = 0.02
"""Of either wrong decision; a search takes several, and is to be right in 97 % of cases."""
THRESHOLD = math.log((1.0 - RISK) / RISK)
LEAST_TO_PASS = 2
LEAST_TO_FAIL = 3
LEAST_WHEN_ODD = 7
MOST = 15
"""Windows of a step."""
CLEAR = 0.15
"""Beyond this margin one window less decides."""
PRIOR_DEVIATION = 0.015
PRIOR_WEIGHT = 3.0
"""The deviation of a window, and the number of windows that it stands for while few have been seen."""
DISTURBED = 4.0
LEAST_DISTURBANCE = 0.06
"""A window is disturbed that lies this many deviations, and at least this margin, below the median of its step."""
MOST_DISTURBED = 0.34
"""The largest part of a step's windows that may be left out as disturbed."""


def delta(streams: int) -> float:
    """The margin that is told apart: 1 %, and up to 2 % where one stream more or less is a large part of all."""
    return max(DELTA, min(2.0 * DELTA, 0.25 / streams))


@dataclass(frozen=True)
class Noise:
    """What windows of one step vary by: standard deviation, and the variance inflation of their autocorrelation."""

    deviation: float = PRIOR_DEVIATION
    inflation: float = 1.0


def noise(steps: Sequence[Sequence[float]]) -> Noise:
    """The noise of all steps seen so far, by the margins of their windows; shrunk to the prior while they are few."""
    deviations = [[x - statistics.fmean(kept) for x in kept] for step in steps if len(kept := undisturbed(step)) > 1]
    freedom = sum(len(step) - 1 for step in deviations)
    squares = math.fsum(x * x for step in deviations for x in step)
    variance = (squares + PRIOR_WEIGHT * PRIOR_DEVIATION**2) / (freedom + PRIOR_WEIGHT)
    pairs = [(a, b) for step in deviations for a, b in pairwise(step)]
    covariance = math.fsum(a * b for a, b in pairs) / (len(pairs) + PRIOR_WEIGHT)
    r = min(0.8, max(0.0, covariance / variance))
    return Noise(math.sqrt(variance), (1.0 + r) / (1.0 - r))


def undisturbed(margins: Sequence[float], deviation: float = PRIOR_DEVIATION) -> list[float]:
    """The margins without those of windows in which something else took the machine, as far as these are few."""
    if len(margins) < LEAST_TO_FAIL:
        return list(margins)
    low = statistics.median(margins) - max(LEAST_DISTURBANCE, DISTURBED * deviation)
    kept = [margin for margin in margins if margin >= low]
    few = len(margins) - len(kept) <= max(1.0, MOST_DISTURBED * len(margins))
    return kept if few else list(margins)


def evidence(margins: Sequence[float], known: Noise, told_apart: float) -> float:
    """The log likelihood ratio of a mean margin of ``+told_apart`` against ``-told_apart``."""
    return 2.0 * told_apart * math.fsum(margins) / (known.deviation**2 * known.inflation)


def decide(margins: Sequence[float], known: Noise, told_apart: float, odd: bool) -> Decision:
    """What the margins of a step's windows, in order of time, say so far. The last window allowed always decides."""
    if not margins:
        return "go on"
    kept = undisturbed(margins, known.deviation)
    mean = statistics.fmean(kept)
    one_less = abs(mean) > CLEAR
    ratio = evidence(kept, known, told_apart)
    if ratio >= THRESHOLD and len(kept) >= LEAST_TO_PASS - one_less:
        return "pass"
    if ratio <= -THRESHOLD and len(kept) >= (LEAST_WHEN_ODD if odd else LEAST_TO_FAIL - one_less):
        return "fail"
    if len(margins) >= MOST:
        return "pass" if mean >= 0.0 else "fail"
    return "go on"


def decide_hold(margins: Sequence[float], known: Noise, told_apart: float, least: int, odd: bool) -> Decision:
    """What a hold of at least so many windows says: their mean counts, and doubt makes it longer."""
    if len(margins) < least:
        return "go on"
    kept = undisturbed(margins, known.deviation)
    if statistics.fmean(kept) >= 0.0:
        return "pass"
    doubtful = (odd or evidence(kept, known, told_apart) > -THRESHOLD) and len(margins) < MOST
    return "go on" if doubtful else "fail"


def steady_from(blocks: Sequence[float], known: Noise) -> int | None:
    """The index of the block of 5 s with which a step is steady: throughput does not grow beyond its noise any more.

    None while it does. ``blocks``: mean throughputs since the number of streams was changed.
    """
    allowed = max(GROWTH, 2.0 * known.deviation)
    grown = (index for index in range(2, len(blocks)) if blocks[index] <= max(blocks[:index]) * (1.0 + allowed))
    return next(grown, None)


def is_marginal(margins: Sequence[float], known: Noise, told_apart: float) -> bool:
    """Whether the step was decided by its length alone."""
    return len(margins) >= MOST and abs(evidence(undisturbed(margins, known.deviation), known, told_apart)) < THRESHOLD
