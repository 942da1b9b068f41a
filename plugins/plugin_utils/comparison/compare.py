# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two groups of runs compared: what differs of their set-ups, and a verdict for each declared figure. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Better
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import differences, effects, figures
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.differences import Difference
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.effects import LEAST_RUNS, Effect
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.figures import Figure, Told
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.runs import ComparedRun

Verdict = Literal["changed", "equivalent", "inconclusive", "not judged"]
LEAST_FLOOR = 0.02
"""A smaller change is none, whatever the statistics say."""
_MOST_LOGARITHM = 50.0
"""The end of an interval beyond this would be too large for a number."""


@dataclass(frozen=True)
class Row:
    """A figure on either side, one value a run, and what is concluded.

    Effect, interval and floor are ratios of b to a less one, where ``is_ratio``; else parts of the larger mean.
    ``adjusted_p`` is Holm's. ``more``: how many more runs of either side would decide; None where that is not known, or
    more than `effects.MOST_MORE`.
    """

    figure: Figure
    unit: str
    better: Better
    declared: bool
    a: tuple[float, ...]
    b: tuple[float, ...]
    a_mean: float
    b_mean: float
    is_ratio: bool
    effect: float
    floor: float
    interval: tuple[float, float] | None = None
    p: float | None = None
    adjusted_p: float | None = None
    permutation_p: float | None = None
    verdict: Verdict = "not judged"
    more: int | None = None

    @property
    def ratio(self) -> float | None:
        """b to a."""
        return 1.0 + self.effect if self.is_ratio else None

    @property
    def direction(self) -> str:
        """``better`` or ``worse`` of what has changed, where the metric says which way is."""
        if self.verdict != "changed" or not self.better:
            return ""
        return "better" if (self.effect > 0.0) == (self.better == "higher") else "worse"

    @property
    def conclusion(self) -> str:
        """The verdict in words."""
        if self.verdict == "changed":
            return f"changed, {self.direction}" if self.direction else "changed"
        if self.declared and self.verdict == "not judged":
            return f"not judged: that takes {LEAST_RUNS} runs of each that have it"
        if self.verdict != "inconclusive":
            return self.verdict
        more = f"more than {effects.MOST_MORE}" if self.more is None else f"{self.more}"
        return f"inconclusive: {more} more {'run' if self.more == 1 else 'runs'} of each"


@dataclass(frozen=True)
class Comparison:
    """What was compared, and what came out. ``aa``: the runs that the floor is from."""

    profile: str
    a: tuple[str, ...]
    b: tuple[str, ...]
    aa: tuple[str, ...]
    differences: tuple[Difference, ...]
    rows: tuple[Row, ...]

    @property
    def judges(self) -> bool:
        """Whether there are enough runs of either side to say more than what the difference is."""
        return min(len(self.a), len(self.b)) >= LEAST_RUNS

    @property
    def declared(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if row.declared)

    @property
    def others(self) -> tuple[Row, ...]:
        return tuple(row for row in self.rows if not row.declared)

    def fails(self, fail_on: str) -> list[Row]:
        """The rows for which ``fail_on`` (changed, worse) is to fail."""
        return [row for row in self.declared if fail_on in (row.verdict, row.direction)]

    @property
    def headline(self) -> str:
        """The outcome in a sentence."""
        if not self.judges:
            return (
                f"{len(self.a)} against {len(self.b)}: the difference is shown, and no significance is claimed; "
                f"that takes at least {LEAST_RUNS} runs of each"
            )
        by_verdict: dict[str, list[str]] = {}
        for row in self.declared:
            said = row.conclusion.partition(":")[0]
            by_verdict.setdefault(said, []).append(f"{row.figure.key} {change(row)}".strip())
        order = ("changed, worse", "changed, better", "changed", "inconclusive", "equivalent", "not judged")
        return "; ".join(f"{said}: {', '.join(by_verdict[said])}" for said in order if said in by_verdict)


def change(row: Row) -> str:
    """The effect as people write it; nothing of what is equivalent."""
    return "" if row.verdict == "equivalent" else f"{100.0 * row.effect:+.1f} %"


def compare(
    a: Sequence[ComparedRun], b: Sequence[ComparedRun], aa: Sequence[ComparedRun] = (), metrics: Sequence[str] = ()
) -> Comparison:
    """b against a. ``aa``: runs of one set-up on this rig, for the noise floor; ``metrics``: the figures to judge.

    Raises ProfileError for a metric that no run has, and where there is nothing to compare.
    """
    told = [[figures.of_record(run.record) for run in side] for side in (a, b, aa)]
    both = _common(told[0], told[1])
    objectives = a[0].record.get("objectives") or []
    declared = figures.declared(both, metrics, objectives)
    if not declared:
        raise ProfileError("there is nothing to compare: the runs of a and b have no figure in common")
    rows = [
        _row(figure, told[0], told[1], told[2], figure in declared, figures.better(figure, objectives))
        for figure in both
    ]
    facts = [[differences.facts(run.record, run.plan) for run in side] for side in (a, b)]
    return Comparison(
        profile=str(a[0].record["profile"]),
        a=tuple(run.run_id for run in a),
        b=tuple(run.run_id for run in b),
        aa=tuple(run.run_id for run in aa),
        differences=tuple(differences.between(*facts)),
        rows=tuple(judged(rows)),
    )


def _common(a: Sequence[Mapping[Figure, Told]], b: Sequence[Mapping[Figure, Told]]) -> list[Figure]:
    """The figures that some run of either side has."""
    of_a, of_b = ({figure for run in side for figure in run} for side in (a, b))
    return sorted(of_a & of_b, key=lambda figure: figure.order)


def _row(
    figure: Figure,
    a: Sequence[Mapping[Figure, Told]],
    b: Sequence[Mapping[Figure, Told]],
    aa: Sequence[Mapping[Figure, Told]],
    is_declared: bool,
    better: Better,
) -> Row:
    of_a, of_b, of_aa = ([run[figure] for run in side if figure in run] for side in (a, b, aa))
    return row_of(
        figure, of_a[0].unit, better, is_declared, *([one.value for one in side] for side in (of_a, of_b, of_aa))
    )


def row_of(
    figure: Figure,
    unit: str,
    better: Better,
    is_declared: bool,
    a: Sequence[float],
    b: Sequence[float],
    aa: Sequence[float] = (),
) -> Row:
    """The row of values of either side, without a verdict: that depends on the other rows."""
    found = effects.effect(a, b)
    floor = _floor(found, aa)
    row = Row(
        figure=figure,
        unit=unit,
        better=better,
        declared=is_declared,
        a=tuple(a),
        b=tuple(b),
        a_mean=_told_mean(found.a.mean, found.is_ratio, a),
        b_mean=_told_mean(found.b.mean, found.is_ratio, b),
        is_ratio=found.is_ratio,
        effect=_told(found.delta, found.is_ratio),
        floor=_told(floor, found.is_ratio),
    )
    if min(len(a), len(b)) < LEAST_RUNS:
        return row
    half = found.half_width()
    interval = _told(found.delta - half, found.is_ratio), _told(found.delta + half, found.is_ratio)
    # Of what is not judged a test would be one of many that nothing corrects.
    permutation = effects.permutation_p(a, b) if is_declared else None
    return replace(row, interval=interval, p=found.p_value, permutation_p=permutation)


def _told(delta: float, is_ratio: bool) -> float:
    return math.expm1(min(delta, _MOST_LOGARITHM)) if is_ratio else delta


def _told_mean(mean: float, is_ratio: bool, values: Sequence[float]) -> float:
    """The geometric mean where there are ratios, so that theirs is the ratio that is told."""
    return math.exp(mean) if is_ratio else sum(values) / len(values)


def _floor(found: Effect, aa: Sequence[float]) -> float:
    """The noise floor in the scale of the effect: 2 %, or more where equal runs of this rig differ by more."""
    least = math.log1p(LEAST_FLOOR) if found.is_ratio else LEAST_FLOOR
    return max(least, effects.aa_floor(aa, min(found.a.runs, found.b.runs))) if len(aa) >= LEAST_RUNS else least


def judged(rows: Sequence[Row]) -> list[Row]:
    """The rows with verdicts: Holm over those that are declared, and vary at all."""
    p_values = {
        at: row.p for at, row in enumerate(rows) if row.declared and row.p is not None and len({*row.a, *row.b}) > 1
    }
    adjusted = dict(zip(p_values, effects.holm(list(p_values.values())), strict=True))
    levels = dict(zip(p_values, effects.holm_levels(list(p_values.values())), strict=True))
    return [
        _judged(row, adjusted.get(at, 1.0), levels.get(at, effects.ALPHA))
        if row.declared and row.p is not None
        else row
        for at, row in enumerate(rows)
    ]


def _judged(row: Row, adjusted_p: float, level: float) -> Row:
    found = effects.effect(row.a, row.b)
    floor = math.log1p(row.floor) if row.is_ratio else row.floor
    half = found.half_width()
    row = replace(row, adjusted_p=adjusted_p)
    if adjusted_p <= effects.ALPHA and abs(found.delta) > floor:
        return replace(row, verdict="changed")
    if abs(found.delta) + half <= floor:
        return replace(row, verdict="equivalent")
    return replace(row, verdict="inconclusive", more=found.more_runs(floor, level))
