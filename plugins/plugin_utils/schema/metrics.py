# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The rules of ``metrics``: where a value comes from, and what it is."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    boolean,
    choice,
    record,
    regex,
    text,
    typed,
)

METRIC_SOURCES = ("log", "regex", "prometheus")


METRIC_KINDS = ("gauge", "counter", "sketch")


@typed(**regex.schema)
def _regex_with_group(value: Any) -> str:
    expression: str = regex(value)
    if re.compile(expression).groups < 1:
        raise ValueError(f"regex {expression!r} needs a group: its first group is the value")
    return expression


def _check_metric(rule: dict[str, Any]) -> None:
    sources = [source for source in METRIC_SOURCES if source in rule]
    if len(sources) != 1:
        raise ValueError(f"expected exactly one of {', '.join(METRIC_SOURCES)}")
    if rule["kind"] == "sketch" and sources[0] != "log":
        raise ValueError("a sketch is a JSON object in a log line: its source is log")


METRIC_FIELDS: tuple[Field, ...] = (
    Field(
        "log",
        text,
        "A [JMESPath](https://jmespath.org) over the JSON lines that the container logs.",
        "log: inference.fps",
    ),
    Field(
        "regex",
        _regex_with_group,
        "A regular expression over the lines that it logs; its first group is the value.",
        'regex: "fps=([0-9.]+)"',
    ),
    Field(
        "prometheus",
        text,
        "A sample of its `/metrics`, at the port named `metrics`, or OVMS's REST port with `--metrics_enable`.",
        "prometheus: ovms_requests_success",
    ),
    Field(
        "kind",
        choice(*METRIC_KINDS),
        "`gauge`; `counter`, which becomes a rate; `sketch`, the DDSketch bins of latencies (only `log`).",
        "kind: counter",
        default="gauge",
    ),
    Field("unit", text, "Unit of the value.", "unit: seconds", default="1"),
    Field("required", boolean, "Whether a run without it fails; else it is degraded.", "required: false", default=True),
)


METRIC_RULE = record(METRIC_FIELDS, _check_metric, oneOf=[{"required": [source]} for source in METRIC_SOURCES])
