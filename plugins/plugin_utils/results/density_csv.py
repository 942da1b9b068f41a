# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``density.csv``: the steps of a search for stream density, a row a step and objective (tidy data)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.results.summary import neutral

STEP = (
    "streams",
    "hold",
    "passed",
    "marginal",
    "reason",
    "why",
    "asked",
    "began",
    "steady",
    "end",
    "seconds",
    "warmup_seconds",
    "windows",
    "margin",
    "worst_margin",
    "throughput",
)
"""Keys of a step of ``run.json`` that are columns of the same name."""
FIGURE = ("objective", "metric", "unit", "limit", "mean", "worst", "replica", "host")
"""Likewise of the figures of an objective; ``host`` is ``worst_host`` here, and ``replica`` ``worst_replica``."""
HEADER = ("run", "host", "step", *STEP, *FIGURE[:-2], "worst_replica", "worst_host")


def rows(final: Mapping[str, Any]) -> Iterator[list[Any]]:
    """A row for each step and objective; one without an objective for a step that has no figures."""
    for one in final["search"]["searches"]:
        for number, step in enumerate(one["steps"], start=1):
            for figure in step["figures"] or [dict.fromkeys(FIGURE)]:
                cells = [*(step[key] for key in STEP), *(figure[key] for key in FIGURE)]
                yield [_cell(cell) for cell in (final["run_id"], one["host"], number, *cells)]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else neutral(value) if isinstance(value, str) else value


def text(final: Mapping[str, Any]) -> str:
    """The whole file. Numbers are written so that they read back as the very same; all texts stand in quotes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(HEADER)
    writer.writerows(rows(final))
    return out.getvalue()
