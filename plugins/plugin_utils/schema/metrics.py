# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of ``metrics``: where a value comes from, and what it is."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    Type,
    boolean,
    choice,
    record,
    regex,
    scalar,
    text,
    typed,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.text import metric_sources

_LABEL = r'[a-zA-Z_]\w*\s*=\s*"(?:[^"\\]|\\.)*"\s*'
_SAMPLE = re.compile(rf"[a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:\{{\s*(?:{_LABEL},\s*)*(?:{_LABEL})?\}})?", re.DOTALL)


@typed(**regex.schema)
def _regex_with_group(value: Any) -> str:
    expression: str = regex(value)
    if re.compile(expression).groups < 1:
        raise ValueError(f"regex {expression!r} needs a group: its first group is the value")
    return expression


@typed(**text.schema)
def _jmespath(value: Any) -> str:
    import jmespath  # most profiles have none

    expression: str = text(value)
    try:
        parsed = jmespath.compile(expression).parsed
    except ValueError as error:
        raise ValueError(f"{expression!r} is no JMESPath: {' '.join(str(error).split())}") from error
    _check_functions(expression, parsed)
    return expression


def _check_functions(expression: str, parsed: Mapping[str, Any]) -> None:
    """Refuse a function that JMESPath does not have, and arguments that it does not take: it tells both at a value."""
    from jmespath.functions import Functions

    for child in parsed.get("children", ()):
        if isinstance(child, Mapping):
            _check_functions(expression, child)
    if parsed.get("type") != "function_expression":
        return
    name, given = parsed["value"], len(parsed["children"])
    if name not in Functions.FUNCTION_TABLE:
        known = ", ".join(sorted(Functions.FUNCTION_TABLE))
        raise ValueError(f"{expression!r}: JMESPath has no function {name!r}: known are {known}")
    signature = Functions.FUNCTION_TABLE[name]["signature"]
    more = bool(signature) and bool(signature[-1].get("variadic"))
    if given < len(signature) or (given > len(signature) and not more):
        wanted = f"{'at least ' if more else ''}{len(signature)}"
        raise ValueError(f"{expression!r}: {name} takes {wanted} arguments, not {given}")


@typed(type="string", pattern="^[a-zA-Z_:]")
def _sample_name(value: Any) -> str:
    written: str = text(value)
    if not _SAMPLE.fullmatch(written.strip()):
        raise ValueError(f'{written!r} is no name of a sample of /metrics, such as name or name{{label="value"}}')
    return written


@typed(type="string", pattern="^/[^/]")
def _path_inside(value: Any) -> str:
    path: str = text(value)
    first = path.lstrip("/").partition("/")[0]
    if not path.startswith("/") or not first or ".." in path.split("/") or "\0" in path:
        raise ValueError(f"{path!r} is no absolute path in the container")
    if any(sign in first for sign in "*?["):
        raise ValueError(f"{path!r} would look through the whole container: name a folder, such as /results/*.json")
    return posixpath.normpath(f"/{path.lstrip('/')}")


@typed(anyOf=[{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1}])
def _column(value: Any) -> str:
    column: str = scalar(value)
    if not column or (column.lstrip("-").isdecimal() and int(column) < 1):
        raise ValueError(f"expected the heading of a column, or its number from 1, not {value!r}")
    return column


@typed(type="number", exclusiveMinimum=0)
def _scale(value: Any) -> float:
    try:
        factor = float(scalar(value))
    except ValueError as error:
        raise ValueError(f"expected a number above 0, not {value!r}") from error
    if not 0.0 < factor < 1e100:
        raise ValueError(f"expected a number above 0, not {value!r}")
    return factor


def _check_metric(rule: dict[str, Any]) -> None:
    source = metric_sources.source_of(rule)
    if "row" in rule and source.key != "csv":
        raise ValueError("row chooses a row of a csv")


#: how an expression is checked where any text will not do
_EXPRESSIONS: Mapping[str, Type] = {
    "regex": _regex_with_group,
    "csv": _column,
    "log": _jmespath,
    "json": _jmespath,
    "prometheus": _sample_name,
}
_LIVE = tuple(source for source in metric_sources.SOURCES if not source.in_file)
_OF_FILES = tuple(source for source in metric_sources.SOURCES if source.in_file and source.key != "regex")


def _fields(sources: tuple[metric_sources.MetricSource, ...]) -> tuple[Field, ...]:
    return tuple(
        Field(source.key, _EXPRESSIONS.get(source.key, text), source.doc, source.example) for source in sources
    )


METRIC_FIELDS: tuple[Field, ...] = (
    *_fields(_LIVE),
    Field(
        metric_sources.FILE,
        _path_inside,
        "A file in the container or in a volume of it, read once, see [files](#files-that-containers-write); "
        "`*`, `?` and `[…]` stand for what is in one name.",
        "file: /results/*.json",
    ),
    *_fields(_OF_FILES),
    Field("row", text, "Of a table, only the rows whose first cell is this.", "row: Request Latency (ms)"),
    Field(
        "kind",
        choice(*metric_sources.KIND_NAMES),
        "`gauge`; `counter`, which becomes a rate; `sketch`, the DDSketch bins of latencies (only `log`), or single "
        "latencies of a file; `quantile`, a percentile that comes ready-made.",
        "kind: counter",
        default=metric_sources.KINDS[0].name,
    ),
    Field("unit", text, "Unit of the value.", "unit: seconds", default="1"),
    Field("scale", _scale, "What a value is multiplied by.", "scale: 0.001"),
    Field("required", boolean, "Whether a run without it fails; else it is degraded.", "required: false", default=True),
)


METRIC_RULE = record(
    METRIC_FIELDS,
    _check_metric,
    oneOf=[{"required": [key]} for key in metric_sources.KEYS],
    anyOf=[
        *({"required": [source.key], "not": {"required": [metric_sources.FILE]}} for source in _LIVE),
        *({"required": [metric_sources.FILE, source.key]} for source in metric_sources.SOURCES if source.in_file),
    ],
)
