# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The answers of a study as a page that opens with no network, in the style of the report. Pure."""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.results import page
from ansible_collections.retail.profiles.plugins.plugin_utils.study import charts, texts
from ansible_collections.retail.profiles.plugins.plugin_utils.study.answers import Answers
from ansible_collections.retail.profiles.plugins.plugin_utils.study.estimates import Estimate, Interval

_STATES = {"ok": "ok", "failed": "failed", "unfinished": "degraded"}


def html(found: Answers) -> str:
    """The whole page."""
    response = found.response
    told = [row.estimates.get(response) if response else None for row in found.rows]
    return page.rendered(
        "study.html.j2",
        found=found,
        design=found.progress.design,
        texts=texts,
        state=_STATES[found.verdict],
        combinations=texts.combinations(found),
        intervals=charts.strips([_shown(one) for one in told]),
        effects=texts.effects(found),
        effect_intervals=charts.strips(
            [None if one.effect is None else (one.effect, one.interval) for one in found.effects], zero=0.0
        ),
        curve=charts.curve_chart(found),
        pareto=charts.pareto_chart(found),
        heat=charts.heat_chart(found),
        runs=texts.runs(found),
    )


def _shown(one: Estimate | None) -> tuple[float, Interval | None] | None:
    return None if one is None else (one.mean, one.interval)
