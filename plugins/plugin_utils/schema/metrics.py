# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The rules of ``metrics``: where a value comes from, and what it is."""

from __future__ import annotations

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
    text,
    typed,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.text import metric_sources


@typed(**regex.schema)
def _regex_with_group(value: Any) -> str:
    expression: str = regex(value)
    if re.compile(expression).groups < 1:
        raise ValueError(f"regex {expression!r} needs a group: its first group is the value")
    return expression


def _check_metric(rule: dict[str, Any]) -> None:
    metric_sources.source_of(rule)


#: how an expression is checked where any text will not do
_EXPRESSIONS: Mapping[str, Type] = {"regex": _regex_with_group}
METRIC_FIELDS: tuple[Field, ...] = (
    *(
        Field(source.name, _EXPRESSIONS.get(source.name, text), source.doc, source.example)
        for source in metric_sources.SOURCES
    ),
    Field(
        "kind",
        choice(*metric_sources.KIND_NAMES),
        "`gauge`; `counter`, which becomes a rate; `sketch`, the DDSketch bins of latencies (only `log`).",
        "kind: counter",
        default=metric_sources.KINDS[0].name,
    ),
    Field("unit", text, "Unit of the value.", "unit: seconds", default="1"),
    Field("required", boolean, "Whether a run without it fails; else it is degraded.", "required: false", default=True),
)


METRIC_RULE = record(METRIC_FIELDS, _check_metric, oneOf=[{"required": [name]} for name in metric_sources.SOURCE_NAMES])
