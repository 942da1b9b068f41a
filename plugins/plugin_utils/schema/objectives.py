# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objectives: what a run must reach, as a profile or a run declares it."""

from __future__ import annotations

import math
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    choice,
    list_of,
    name,
    record,
    text,
    typed,
)

STATISTICS = ("mean", "p50", "p95", "p99", "max", "total")
BOUNDS = ("at_least", "at_most")


@typed(anyOf=[{"type": "number"}, {"type": "string", "pattern": "^-?\\d+(\\.\\d+)?$"}])
def number(value: Any) -> float:
    """A finite number; what a template gives is text."""
    try:
        result = math.nan if isinstance(value, bool) else float(value)
    except (OverflowError, TypeError, ValueError):
        result = math.nan
    if not math.isfinite(result):
        raise ValueError(f"expected a number, not {value!r}")
    return result


@typed(type="number", minimum=0, exclusiveMaximum=1)
def share(value: Any) -> float:
    """A part of one whole: 0.05 is five per cent."""
    result: float = number(value)
    if not 0.0 <= result < 1.0:
        raise ValueError(f"expected a number from 0 to below 1, not {value!r}")
    return result


def _one_bound(objective: dict[str, Any]) -> None:
    if sum(objective.get(bound) is not None for bound in BOUNDS) != 1:
        raise ValueError(f"give exactly one of {' and '.join(BOUNDS)}")
    if objective["tolerance"] and (objective.get("at_least") or 0.0) < 0.0:
        raise ValueError("a tolerance is a part of the bound, which must not be negative then")


OBJECTIVE_FIELDS: tuple[Field, ...] = (
    Field(
        "metric",
        text,
        "A metric of [results](results.md), or of a rule of the container.",
        "metric: fps",
        required=True,
    ),
    Field(
        "container",
        name,
        "The container whose replicas must reach it.",
        "container: client",
        unset="the only container of the profile that has the metric",
    ),
    Field(
        "statistic",
        choice(*STATISTICS),
        "Of the values in the windows. A percentile needs enough of them: 11 for p50, 130 for p95, 662 for p99.",
        "statistic: p95",
        default="mean",
    ),
    Field(
        "over",
        choice("each", "all"),
        "`each`: every replica must reach it: the worst counts. `all`: their sum, or the percentile of all values.",
        "over: all",
        default="each",
    ),
    Field("at_least", number, "The bound from below, in the metric's unit.", "at_least: 14.95"),
    Field("at_most", number, "The bound from above, in the metric's unit.", "at_most: 0.1"),
    Field(
        "tolerance",
        share,
        "By which part of the bound it may be missed: 0.05 takes 14.2 for 14.95.",
        "tolerance: 0.05",
        default=0,
    ),
)
OBJECTIVES = list_of(record(OBJECTIVE_FIELDS, _one_bound, oneOf=[{"required": [bound]} for bound in BOUNDS]))
