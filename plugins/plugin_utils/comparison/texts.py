# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A comparison as a table for a terminal, as CSV and as JSON. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.compare import Comparison, Row
from ansible_collections.retail.profiles.plugins.plugin_utils.results.report_tables import NOTHING, figure
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import pretty
from ansible_collections.retail.profiles.plugins.plugin_utils.results.summary import neutral
from ansible_collections.retail.profiles.plugins.plugin_utils.text.aligned import aligned

SCHEMA = "retail.profiles/comparison/1"
HEADINGS = ("FIGURE", "UNIT", "A", "B", "CHANGE", "95 % INTERVAL", "FLOOR", "P (HOLM)", "PERMUTATION", "VERDICT")
COLUMNS = (
    *("metric", "statistic", "container", "host", "device", "unit", "declared", "better"),
    *("a_runs", "b_runs", "a_mean", "b_mean", "ratio", "effect", "low", "high", "floor"),
    *("p", "adjusted_p", "permutation_p", "verdict", "direction", "more_runs"),
)
MOST_DIFFERENCES = 25
"""A terminal is shown at most so many."""
_SEEN = 0.0005
_LARGEST = 10.0
"""Effects beyond ten times are told as such."""


def percent(part: float | None, digits: int = 1) -> str:
    """A part of one with its sign, as people write it."""
    if part is None:
        return NOTHING
    if part > _LARGEST:
        return f"> {_LARGEST:.0f} times"
    return f"{round(100.0 * part, digits) or 0.0:+.{digits}f} %"


def interval(row: Row) -> str:
    return NOTHING if row.interval is None else f"{percent(row.interval[0])} … {percent(row.interval[1])}"


def probability(p: float | None) -> str:
    if p is None:
        return NOTHING
    return f"{p:.3f}" if p >= _SEEN else "< 0.001"


def cells(row: Row) -> tuple[str, ...]:
    """A row as it is shown, in the columns of HEADINGS."""
    return (
        row.figure.key,
        row.unit,
        figure(row.a_mean),
        figure(row.b_mean),
        percent(row.effect),
        interval(row),
        f"{100.0 * row.floor:.1f} %",
        probability(row.adjusted_p),
        probability(row.permutation_p),
        row.conclusion,
    )


def table(found: Comparison) -> str:
    """What differs first, then a line for each declared figure, then the outcome in a sentence."""
    return "\n".join(_lines(found))


def _lines(found: Comparison) -> Iterator[str]:
    yield f"a: {', '.join(found.a)}"
    yield f"b: {', '.join(found.b)}"
    yield ""
    if found.differences:
        yield "What differs between the set-ups (a → b):"
        shown = found.differences[:MOST_DIFFERENCES]
        yield from aligned([(f"  {one.kind}", str(one)) for one in shown])
        if len(found.differences) > len(shown):
            yield f"  … and {len(found.differences) - len(shown)} more: the page has all of them"
    else:
        yield "The set-ups do not differ."
    yield ""
    yield from aligned([HEADINGS, *map(cells, found.declared)])
    yield ""
    yield found.headline


def _fields(row: Row) -> dict[str, Any]:
    low, high = row.interval or (None, None)
    return {
        "metric": row.figure.metric,
        "statistic": row.figure.statistic,
        "container": row.figure.container,
        "host": row.figure.host,
        "device": row.figure.device,
        "unit": row.unit,
        "declared": row.declared,
        "better": row.better,
        "a_runs": len(row.a),
        "b_runs": len(row.b),
        "a_mean": row.a_mean,
        "b_mean": row.b_mean,
        "ratio": row.ratio,
        "effect": row.effect,
        "low": low,
        "high": high,
        "floor": row.floor,
        "p": row.p,
        "adjusted_p": row.adjusted_p,
        "permutation_p": row.permutation_p,
        "verdict": row.verdict,
        "direction": row.direction,
        "more_runs": row.more,
    }


def csv_text(found: Comparison) -> str:
    """A row a figure, with a header; nothing where there is nothing, numbers as they read back as the very same."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writeheader()
    for row in found.rows:
        fields = {**_fields(row), "declared": str(row.declared).lower()}
        told = {key: "" if value is None else value for key, value in fields.items()}
        writer.writerow({key: neutral(value) if isinstance(value, str) else value for key, value in told.items()})
    return out.getvalue()


def data(found: Comparison) -> dict[str, Any]:
    """The whole comparison as plain data."""
    return {
        "schema": SCHEMA,
        "profile": found.profile,
        "a": list(found.a),
        "b": list(found.b),
        "aa": list(found.aa),
        "headline": found.headline,
        "differences": [
            {"kind": one.kind, "of": one.of, "name": one.name, "a": list(one.a), "b": list(one.b)}
            for one in found.differences
        ],
        "figures": [
            {**_fields(row), "key": row.figure.key, "conclusion": row.conclusion, "a": list(row.a), "b": list(row.b)}
            for row in found.rows
        ],
    }


def json_text(found: Comparison) -> str:
    return pretty(data(found))
