# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A study as tables for a terminal, as CSV and as JSON. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.figures import Figure
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.texts import percent
from ansible_collections.retail.profiles.plugins.plugin_utils.results.report_tables import NOTHING, Table, figure
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import pretty
from ansible_collections.retail.profiles.plugins.plugin_utils.results.summary import neutral, with_unit
from ansible_collections.retail.profiles.plugins.plugin_utils.study import design
from ansible_collections.retail.profiles.plugins.plugin_utils.study.answers import Answer, Answers
from ansible_collections.retail.profiles.plugins.plugin_utils.study.estimates import Estimate, MainEffect
from ansible_collections.retail.profiles.plugins.plugin_utils.study.load_curve import LoadCurve, Point
from ansible_collections.retail.profiles.plugins.plugin_utils.study.progress import Progress
from ansible_collections.retail.profiles.plugins.plugin_utils.text.aligned import aligned

SCHEMA = "retail.profiles/study-answers/1"
_DIGITS = 4
_WIDE = 100.0
"""An interval whose ends are so many times apart says no more than that: of two runs that differ it may be one."""
_CSV = ("metric", "statistic", "container", "host", "device", "unit", "runs", "mean", "low", "high")


def combinations(found: Answers) -> Table:
    """A row for each combination: its runs, the figures with their intervals, and what the response is concluded of."""
    factors = tuple(found.progress.design.factors)
    columns = [(key, named(found, key)) for key in found.columns]
    headings = ("no.", *factors, "runs", *(heading for _key, name in columns for heading in (name, "95 % interval")))
    rows = tuple(
        (
            str(row.number + 1),
            *(design.level_text(row.combination[name]) for name in factors),
            runs_text(row),
            *(cell for key, _name in columns for cell in estimate_cells(row.estimates.get(key))),
            *against_cells(row),
        )
        for row in found.rows
    )
    last = ("against no. 1", "conclusion") if found.response else ()
    return Table((*headings, *last), tuple(row[: len(headings) + len(last)] for row in rows), words=2 + len(factors))


def named(found: Answers, key: Figure) -> str:
    """A figure with its unit, where its name does not say it."""
    unit = found.units[key]
    return key.key if key.metric == with_unit(key.metric, unit) else f"{key.key}, {unit}"


def runs_text(row: Answer) -> str:
    """How many runs have figures, and what of the others and of those that are not ok."""
    other = [f"{count} {verdict}" for verdict, count in sorted(row.verdicts.items()) if verdict != "ok"]
    failed = [f"and {row.failed} failed"] if row.failed else []
    return " ".join([str(row.runs), *([f"({', '.join(other)})"] if other else []), *failed])


def estimate_cells(one: Estimate | None) -> tuple[str, str]:
    if one is None:
        return NOTHING, NOTHING
    return figure(one.mean, _DIGITS), NOTHING if one.interval is None else _interval(*one.interval)


def _interval(low: float, high: float) -> str:
    if low > 0.0 and high > _WIDE * low:
        return f"more than {_WIDE:.0f}-fold: more runs"
    return f"{figure(low, _DIGITS)} … {figure(high, _DIGITS)}"


def against_cells(row: Answer) -> tuple[str, str]:
    """The change against the first combination, and what is concluded of it."""
    if row.number == 0:
        return "", "the first one"
    if row.against is None:
        return NOTHING, NOTHING
    return percent(row.against.effect), row.against.conclusion


def effects(found: Answers) -> Table:
    """A row for each level but the first of each factor."""
    rows = tuple(
        (
            one.factor,
            f"{design.level_text(one.level)} against {design.level_text(one.reference)}",
            *effect_cells(one),
        )
        for one in found.effects
    )
    return Table(("factor", "levels", "effect", "95 % interval", ""), rows, words=2)


def effect_cells(one: MainEffect) -> tuple[str, str, str]:
    if one.effect is None:
        return NOTHING, NOTHING, "not to be told from others: the combinations or runs do not suffice"
    if one.interval is None:
        return percent(one.effect), NOTHING, "no interval: that takes more runs of each"
    shown = " … ".join(percent(end) for end in one.interval)
    return percent(one.effect), shown, "" if one.shows else "may be none"


def runs(found: Answers) -> Table:
    """The runs in the order of time."""
    rows = tuple(
        (
            run.run_id or NOTHING,
            str(run.block + 1),
            design.title(found.progress.design.combinations[run.combination]),
            run.verdict or run.ending,
            run.reason or NOTHING,
        )
        for run in found.progress.runs
    )
    return Table(("run", "block", "combination", "verdict", "why"), rows, words=5)


def curve_title(curve: LoadCurve) -> str:
    return design.title(curve.others) if curve.others else curve.throughput.key


def curve_text(found: Answers, curve: LoadCurve) -> str:
    """Where a curve's knee is, and up to which load the objectives hold."""
    load = found.progress.questions.load
    knee, goodput = curve.knee, curve.goodput

    def at(point: Point) -> str:
        told = ((curve.throughput, point.throughput), (curve.latency, point.latency))
        said = (f"{key.key} {figure(one.mean, _DIGITS)}" for key, one in told)
        return f"{load}={figure(point.load, 6)} ({', '.join(said)})"

    parts = [f"the knee is at {at(knee)}" if knee else "no knee within these loads"]
    if curve.has_objectives:
        parts.append(
            f"all objectives hold up to {at(goodput)}" if goodput else "the objectives do not hold at any load"
        )
    return "; ".join(parts)


def pareto_text(found: Answers) -> str:
    if found.pareto is None:
        return ""
    one, other = (f"{way} {key.key}" for key, way in zip(found.pareto.figures, found.pareto.better, strict=True))
    best = "; ".join(f"no. {number + 1} ({found.rows[number].title})" for number in found.pareto.front)
    return f"Pareto front of {one} and {other}: {best}"


def table(found: Answers) -> str:
    """What a terminal is shown."""
    return "\n".join(_lines(found))


def _lines(found: Answers) -> Iterator[str]:
    yield from _aligned(combinations(found))
    if found.response and found.effects:
        yield ""
        yield f"Main effects on {found.response.key}, whatever the other factors are:"
        yield from _aligned(effects(found))
    for curve in found.curves:
        yield ""
        title = f" of {curve_title(curve)}" if curve.others else ""
        yield f"Curve of {curve.latency.key} over {curve.throughput.key}{title}: {curve_text(found, curve)}"
    if found.pareto:
        yield ""
        yield pareto_text(found)
    for run in found.progress.failed:
        yield ""
        yield f"Failed: {design.title(found.progress.design.combinations[run.combination])}: {run.reason}"
    for note in found.notes:
        yield ""
        yield f"Not answered: {note}"


def _aligned(shown: Table) -> Iterator[str]:
    return aligned([shown.headings, *shown.rows])


def size(state: Progress) -> str:
    """How many runs of what are to be made."""
    asked = state.design
    left = "" if not state.runs else f", {len(state.left)} left"
    return f"{len(asked.combinations)} combinations x {asked.repeats} = {asked.runs} runs{left}"


def order(state: Progress) -> str:
    """The runs that are left, for a terminal."""
    first, asked = len(state.runs) + 1, state.design
    rows = [
        (str(turn), str(block + 1), design.title(asked.combinations[number]))
        for turn, (block, number) in enumerate(state.left, start=first)
    ]
    return "\n".join(aligned([("RUN", "BLOCK", "COMBINATION"), *rows]))


def _fields(key: Figure, unit: str, one: Estimate) -> dict[str, Any]:
    low, high = one.interval or (None, None)
    of = {"metric": key.metric, "statistic": key.statistic, "container": key.container, "host": key.host}
    return {**of, "device": key.device, "unit": unit, "runs": one.runs, "mean": one.mean, "low": low, "high": high}


def csv_text(found: Answers) -> str:
    """A row for each figure of each combination, the columns of the factors first."""
    factors = [f"factor {name}" for name in found.progress.design.factors]
    out = io.StringIO()
    writer = csv.DictWriter(out, ("combination", *factors, *_CSV), lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    for row in found.rows:
        levels = {f"factor {name}": _cell(level) for name, level in row.combination.items()}
        for key, one in row.estimates.items():
            fields = {name: _cell(value) for name, value in _fields(key, found.units[key], one).items()}
            writer.writerow({"combination": row.number + 1, **levels, **fields})
    return out.getvalue()


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    return neutral(design.level_text(value))


def json_text(found: Answers) -> str:
    """The whole of the answers."""
    return pretty(
        {
            "schema": SCHEMA,
            "profile": found.progress.design.profile,
            "verdict": found.verdict,
            "headline": found.headline,
            "response": found.response.key if found.response else None,
            "combinations": [_combination(found, row) for row in found.rows],
            "main_effects": [
                {
                    "factor": one.factor,
                    "level": one.level,
                    "reference": one.reference,
                    "is_ratio": one.is_ratio,
                    "effect": one.effect,
                    "interval": one.interval,
                }
                for one in found.effects
            ],
            "curves": [_curve(curve) for curve in found.curves],
            "pareto": _pareto(found),
            "heat_map": _heat_map(found),
            "notes": list(found.notes),
        }
    )


def _combination(found: Answers, row: Answer) -> dict[str, Any]:
    against = row.against
    return {
        "number": row.number + 1,
        "levels": dict(row.combination),
        "runs": list(found.progress.groups()[row.number]),
        "verdicts": dict(row.verdicts),
        "failed": row.failed,
        "objectives_hold": row.held,
        "figures": [{"key": key.key, **_fields(key, found.units[key], one)} for key, one in row.estimates.items()],
        "against_first": None
        if against is None
        else {
            "effect": against.effect,
            "interval": against.interval,
            "adjusted_p": against.adjusted_p,
            "verdict": against.verdict,
            "direction": against.direction,
            "more_runs": against.more,
            "conclusion": against.conclusion,
            "permutation_p": against.permutation_p,
        },
    }


def _curve(curve: LoadCurve) -> dict[str, Any]:
    knee, goodput = curve.knee, curve.goodput
    return {
        "throughput": curve.throughput.key,
        "latency": curve.latency.key,
        "others": dict(curve.others),
        "points": [
            {
                "load": point.load,
                "throughput": point.throughput.mean,
                "latency": point.latency.mean,
                "objectives_hold": point.held,
            }
            for point in curve.points
        ],
        "knee": knee.load if knee else None,
        "goodput": goodput.load if goodput else None,
    }


def _pareto(found: Answers) -> dict[str, Any] | None:
    if found.pareto is None:
        return None
    return {
        "figures": [key.key for key in found.pareto.figures],
        "better": list(found.pareto.better),
        "front": [number + 1 for number in found.pareto.front],
    }


def _heat_map(found: Answers) -> dict[str, Any] | None:
    if found.heat_map is None:
        return None
    one, factors = found.heat_map, found.progress.design.factors
    return {
        "rows": one.rows,
        "columns": one.columns,
        "row_levels": list(factors[one.rows]),
        "column_levels": list(factors[one.columns]),
        "values": [
            [one.cells.get((row, column)) for column in range(len(factors[one.columns]))]
            for row in range(len(factors[one.rows]))
        ],
    }
