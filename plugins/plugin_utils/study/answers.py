# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of a study: combinations with intervals and verdicts, main effects, load curves, Pareto front, heat map.

Pure. What a study asks for and its runs do not tell is said in ``notes``: its runs are made, and all else is told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import ACHIEVED, FPS, LATENCY
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Better
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import compare, figures
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.figures import Figure
from ansible_collections.retail.profiles.plugins.plugin_utils.study import design, estimates, load_curve, outcomes
from ansible_collections.retail.profiles.plugins.plugin_utils.study.estimates import Estimate, MainEffect
from ansible_collections.retail.profiles.plugins.plugin_utils.study.load_curve import LoadCurve
from ansible_collections.retail.profiles.plugins.plugin_utils.study.outcomes import Outcomes
from ansible_collections.retail.profiles.plugins.plugin_utils.study.progress import Progress
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed

_THROUGHPUTS = (ACHIEVED.name, FPS.name)
_LATENCIES = tuple(f"{LATENCY.name}{statistic}" for statistic in (".p99", ".p95", ".p50", ""))


@dataclass(frozen=True)
class Answer:
    """A combination. ``against``: its response against that of the first one, as compare_runs.yml judges it.

    ``held``: whether all objectives were met in all its runs; None where there are none, or no run.
    """

    number: int
    combination: Mapping[str, Any]
    verdicts: Mapping[str, int]
    failed: int
    estimates: Mapping[Figure, Estimate]
    against: compare.Row | None = None
    held: bool | None = None

    @property
    def runs(self) -> int:
        return sum(self.verdicts.values())

    @property
    def title(self) -> str:
        return design.title(self.combination)


@dataclass(frozen=True)
class Pareto:
    """Two figures, which way each is better, and the combinations that no other one beats in both, by their numbers."""

    figures: tuple[Figure, Figure]
    better: tuple[Better, Better]
    front: tuple[int, ...]


@dataclass(frozen=True)
class HeatMap:
    """The response by the levels of two factors, the mean over the others; None where no run tells it."""

    rows: str
    columns: str
    cells: Mapping[tuple[int, int], float]


@dataclass(frozen=True)
class Answers:
    """All that a study answers. ``columns``: the figures of its tables, the response first; none before the first run.

    ``better``: of the response.
    """

    progress: Progress
    columns: tuple[Figure, ...]
    units: Mapping[Figure, str]
    better: Better
    rows: tuple[Answer, ...]
    effects: tuple[MainEffect, ...]
    curves: tuple[LoadCurve, ...] = ()
    pareto: Pareto | None = None
    heat_map: HeatMap | None = None
    notes: tuple[str, ...] = ()

    @property
    def response(self) -> Figure | None:
        return self.columns[0] if self.columns else None

    @property
    def verdict(self) -> str:
        """``ok`` where all runs have figures, ``failed`` where one has none, ``unfinished`` where some are to come."""
        if self.progress.left:
            return "unfinished"
        return "failed" if self.progress.failed else "ok"

    @property
    def headline(self) -> str:
        """The outcome in a sentence."""
        made, asked = len(self.progress.runs), self.progress.design
        what = f"{len(self.rows)} combination{'' if len(self.rows) == 1 else 's'}, {made} of {asked.runs} runs"
        failed = len(self.progress.failed)
        parts = [what, *([f"{failed} of them failed"] if failed else [])]
        said = [row for row in self.rows if row.against and row.against.verdict == "changed"]
        if self.response and said and not self.curves:
            told = (f"{row.title} {compare.change(row.against)}" for row in said if row.against)
            parts.append(f"{self.response.key} has changed against {self.rows[0].title}: {listed(list(told), 6)}")
        return "; ".join(parts)


def answer(progress: Progress, made: Outcomes) -> Answers:
    """The answers of a study with the runs that there are; Holm's correction is over its combinations."""
    asked = progress.questions
    notes: list[str] = []
    columns = _columns(progress, made, notes)
    response = columns[0] if columns else None
    better = figures.better(response, made.objectives) if response else ""
    rows = _rows(progress, made, columns, response, better)
    told = [
        (one.run.block, one.run.combination, one.figures[response].value)
        for one in made.runs
        if response and response in one.figures
    ]
    names = _curve_figures(progress, made, notes)
    curves = load_curve.curves(asked.load, names, rows) if names else ()
    pareto = _pareto(asked.pareto, made, rows, notes) if asked.pareto and made.runs else None
    return Answers(
        progress=progress,
        columns=columns,
        units={figure: made.unit(figure) for figure in made.known},
        better=better,
        rows=rows,
        effects=tuple(estimates.main_effects(progress.design, told)),
        curves=curves,
        pareto=pareto,
        heat_map=_heat_map(progress, rows, response),
        notes=tuple(notes),
    )


def _named(name: str, made: Outcomes, field: str, notes: list[str]) -> Figure | None:
    """The figure of a name that the study gives; with a note, and None, where no run has it."""
    try:
        return figures.declared(made.known, [name], ())[0]
    except ProfileError as error:
        notes.append(str(error).replace("metrics:", f"{field}:", 1))
        return None


def _columns(progress: Progress, made: Outcomes, notes: list[str]) -> tuple[Figure, ...]:
    if not made.known:
        return ()
    asked = progress.questions
    usual = figures.declared(made.known, (), made.objectives)
    response = _named(asked.response, made, "response", notes) if asked.response else None
    named = [_named(name, made, "metrics", notes) for name in asked.metrics]
    rest = [figure for figure in named if figure] if asked.metrics else list(usual)
    return tuple(dict.fromkeys([response, *rest] if response else rest or usual))


def _rows(
    progress: Progress, made: Outcomes, columns: Sequence[Figure], response: Figure | None, better: Better
) -> tuple[Answer, ...]:
    known, combinations = set(made.known), progress.design.combinations
    told = [outcomes.values(made.of(number), response) if response else [] for number in range(len(combinations))]
    others = [number for number in range(1, len(combinations)) if told[0] and told[number]]
    compared = [
        compare.row_of(response, made.unit(response), better, True, told[0], told[number])
        for number in others
        if response
    ]
    against = dict(zip(others, compare.judged(compared), strict=True))
    return tuple(
        Answer(
            number=number,
            combination=combination,
            verdicts=Counter(one.run.verdict for one in made.of(number)),
            failed=sum(run.combination == number for run in progress.failed),
            estimates=_estimates(made, number, known),
            against=against.get(number),
            held=_held(made, number),
        )
        for number, combination in enumerate(combinations)
    )


def _estimates(made: Outcomes, number: int, known: set[Figure]) -> dict[Figure, Estimate]:
    found = {figure: estimates.estimate(outcomes.values(made.of(number), figure)) for figure in known}
    return {figure: one for figure, one in found.items() if one is not None}


def _held(made: Outcomes, number: int) -> bool | None:
    told = [one.held for one in made.of(number) if one.held is not None]
    return all(told) if told else None


def _curve_figures(progress: Progress, made: Outcomes, notes: list[str]) -> tuple[Figure, Figure] | None:
    """Throughput and latency of the curve: as the study names them, else the first of the usual ones that there is."""
    asked = progress.questions
    if not asked.load or not made.known:
        return None
    usual = {figure.key: figure for figure in made.known}
    found = []
    for field, name, names in (
        ("throughput", asked.throughput, _THROUGHPUTS),
        ("latency", asked.latency, _LATENCIES),
    ):
        figure = _named(name, made, field, notes) if name else next((usual[key] for key in names if key in usual), None)
        if figure is None and not name:
            notes.append(f"{field}: no run has {' or '.join(names)}: name a figure for the curve")
        found.append(figure)
    throughput, latency = found
    return (throughput, latency) if throughput and latency else None


def _pareto(names: Sequence[str], made: Outcomes, rows: Sequence[Answer], notes: list[str]) -> Pareto | None:
    found = [_named(name, made, "pareto", notes) for name in names]
    first, second = found
    if first is None or second is None:
        return None
    better = [figures.better(figure, made.objectives) for figure in (first, second)]
    for figure, way in zip((first, second), better, strict=True):
        if not way:
            notes.append(f"pareto: nothing says which way {figure.key} is better: give it an objective")
            return None
    points = {
        row.number: (row.estimates[first].mean, row.estimates[second].mean)
        for row in rows
        if first in row.estimates and second in row.estimates
    }
    return Pareto((first, second), (better[0], better[1]), front(points, (better[0], better[1])))


def front(points: Mapping[int, tuple[float, float]], better: tuple[Better, Better]) -> tuple[int, ...]:
    """The points that no other is as good as in both, and better in one."""
    signed = {
        number: tuple(value if way == "higher" else -value for value, way in zip(point, better, strict=True))
        for number, point in points.items()
    }
    return tuple(
        number
        for number, own in signed.items()
        if not any(other != own and all(o >= w for o, w in zip(other, own, strict=True)) for other in signed.values())
    )


def _heat_map(progress: Progress, rows: Sequence[Answer], response: Figure | None) -> HeatMap | None:
    """Of the two factors that the study names, or of its two."""
    asked, names = progress.design, progress.questions.heat_map
    if not names and len(asked.factors) == 2 and all(len(levels) > 1 for levels in asked.factors.values()):
        names = tuple(asked.factors)
    if not names or response is None:
        return None
    means: dict[tuple[int, int], list[float]] = {}
    for row in rows:
        if response in row.estimates:
            place = (
                estimates.level_number(asked, names[0], row.combination),
                estimates.level_number(asked, names[1], row.combination),
            )
            means.setdefault(place, []).append(row.estimates[response].mean)
    cells = {place: estimates.mean_of(told) for place, told in means.items()}
    return HeatMap(names[0], names[1], cells) if cells else None
