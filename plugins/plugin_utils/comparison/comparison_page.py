# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A comparison as a page that opens with no network, in the style of the report. Pure."""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import texts
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.compare import Comparison, Row
from ansible_collections.retail.profiles.plugins.plugin_utils.results import page
from ansible_collections.retail.profiles.plugins.plugin_utils.results.report_tables import Table

_WIDTH = 1000
_STATES = {"worse": "failed", "better": "ok", "": "degraded"}


def html(found: Comparison) -> str:
    """The whole page."""
    differences = Table(
        ("kind", "of", "what", "a", "b"),
        tuple((one.kind, one.of or "all", one.name, " | ".join(one.a), " | ".join(one.b)) for one in found.differences),
        words=5,
    )
    return page.rendered(
        "comparison.html.j2", found=found, texts=texts, differences=differences, drawn=_drawn, state=_state(found)
    )


def _state(found: Comparison) -> str:
    """The colour of the outcome: that of the worst change."""
    changes = {row.direction for row in found.declared if row.verdict == "changed"}
    return next((_STATES[direction] for direction in ("worse", "", "better") if direction in changes), "")


def _drawn(row: Row) -> dict[str, list[int]]:
    """Where each run's value stands, from the lowest to the highest of all."""
    values = (*row.a, *row.b)
    low, width = min(values), max(values) - min(values)

    def at(value: float) -> int:
        return round(_WIDTH * (value - low) / width) if width else _WIDTH // 2

    return {"a": [at(value) for value in row.a], "b": [at(value) for value in row.b]}
