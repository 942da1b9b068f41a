# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTML report, ``report.html``: one page that opens with no network, with everything that is said of a run.

Its parts are in ``report/``: the page, its style, and the script that zooms. A content security policy lets in these
two and nothing else. All text is escaped.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span
from ansible_collections.retail.profiles.plugins.plugin_utils.results import (
    chart_drawing,
    charts,
    density_chart,
    density_text,
    page,
    report_tables,
    summary,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run


def embedded(data: object) -> str:
    """JSON that may stand in a script element: it cannot end it, whatever text it holds."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _unix(moment: str) -> float:
    return datetime.datetime.fromisoformat(moment).timestamp()


def _whole(final: Mapping[str, Any], sections: list[charts.Section]) -> Span:
    """From the first to the last of what is drawn."""
    edges = [_unix(window[key]) for window in final["windows"] for key in ("start", "end")]
    traces = [trace for section in sections for chart in section.charts for trace in chart.traces]
    edges += [t for trace in traces for t, _value in (trace.points[0], trace.points[-1])]
    return Span(min(edges), max(edges)) if edges else Span(0.0, 1.0)


def _time(final: Mapping[str, Any], whole: Span) -> dict[str, Any]:
    """What the script has to know of time: the axis, and the windows in its units."""

    def units(moment: str) -> int:
        return round((_unix(moment) - whole.start) * chart_drawing.UNITS_A_SECOND)

    windows = [
        {"phase": one["phase"], "valid": one["valid"], "from": units(one["start"]), "to": units(one["end"])}
        for one in final["windows"]
    ]
    width = max(1, round(whole.length * chart_drawing.UNITS_A_SECOND))
    return {
        "start": round(whole.start * 1000.0),
        "second": chart_drawing.UNITS_A_SECOND,
        "width": width,
        "height": chart_drawing.HEIGHT,
        "windows": windows,
    }


def _drawn(run: Run, sections: list[charts.Section], whole: Span) -> dict[str, list[chart_drawing.DrawnChart]]:
    found: dict[str, list[chart_drawing.DrawnChart]] = {}
    for section in sections:
        numbers = chart_drawing.numbered(section.charts)
        found[section.key] = [chart_drawing.drawn(chart, whole, run.measure_spans, numbers) for chart in section.charts]
    return found


def _density(final: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each search for stream density: its title and answer, its record, and its charts."""
    found = final.get("search")
    if found is None:
        return []
    return [
        {"title": title, "answer": answer, "record": one, "charts": density_chart.charts(one)}
        for (title, answer), one in zip(density_text.answers(final), found["searches"], strict=True)
    ]


def html(final: Mapping[str, Any], run: Run) -> str:
    """The whole page."""
    from markupsafe import Markup

    script = page.part("script.js")
    sections = charts.sections(run)
    whole = _whole(final, sections)
    time = _time(final, whole)
    return page.rendered(
        "page.html.j2",
        final=final,
        tables=report_tables,
        besides=summary.besides,
        density=_density(final),
        worst=summary.worst_stream(final),
        charts=_drawn(run, sections, whole),
        time=time,
        time_data=Markup(embedded(time)),
        script=Markup(script),
        script_hash=page.policy_hash(script),
    )
