# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The HTML report, ``report.html``: one page that opens with no network, with everything that is said of a run.

Plotly's script is inside the page; a content security policy forbids the page to load anything. All text is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    DROPPED,
    ERRORS,
    FPS,
    LATENCY,
    OFFERED,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results import charts, summary
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural

TEMPLATE = "report.html.j2"
_OWN = ("address", "hostname", CLOCK := "clock against the controller", COST := "measuring cost")
"""Properties in which hosts always differ."""


def embedded(data: object) -> str:
    """JSON that may stand in a script element: it cannot end it, whatever text it holds."""
    text = json.dumps(data, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def plain(value: object) -> str:
    """A value of a system description as text; what is absent says why."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        if set(value) == {"absent"}:
            return f"not known: {value['absent']}"
        return ", ".join(f"{key}: {plain(item)}" for key, item in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(plain(item) for item in value) or "–"
    return str(value)


def system_table(final: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, list[str], bool]]]:
    """Hosts, and for each property its text on each host and whether the hosts differ in it."""
    hosts = list(final["hosts"])
    properties: dict[str, None] = {}
    described: dict[str, dict[str, object]] = {}
    for host in hosts:
        entry = final["hosts"][host]
        own: dict[str, object] = {"address": entry.get("address")}
        engine = entry.get("engine")
        own.update({f"engine: {key.replace('_', ' ')}": value for key, value in (engine or {}).items()})
        for key, value in entry.get("system", {}).items():
            own.update(_flat(key, value))
        clock = entry.get("clock")
        if clock:
            own[CLOCK] = f"{clock['offset_low']:+.3f} s to {clock['offset_high']:+.3f} s"
        observer = entry.get("observer")
        if observer and "cpu_seconds" in observer:
            own[COST] = f"{observer['cpu_seconds']:.2f} s CPU"
        described[host] = own
        properties.update(dict.fromkeys(own))
    rows = []
    for name in properties:
        cells = [plain(described[host].get(name)) for host in hosts]
        rows.append((name.replace("_", " "), cells, len(set(cells)) > 1 and name not in _OWN))
    return hosts, rows


def _flat(key: str, value: object) -> dict[str, object]:
    """A nested mapping as properties of its own, one level deep."""
    if isinstance(value, Mapping) and set(value) != {"absent"}:
        return {f"{key}: {inner}": item for inner, item in value.items()}
    return {key: value}


def _cards(final: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The few figures that people look for first: label, figure, unit."""
    totals = final.get("totals", {})
    fps, latency, errors, offered, dropped = (
        totals.get(metric.name) or {} for metric in (FPS, LATENCY, ERRORS, OFFERED, DROPPED)
    )
    found = []
    if fps:
        found.append(("All streams", summary.shown(fps.get("mean"), "{:.1f}"), FPS.unit))
    if offered:
        found.append(("Asked", summary.shown(offered.get("mean"), "{:.1f}"), offered["unit"]))
    if latency:
        for name in ("p50", "p95", "p99"):
            found.append((f"Latency {name}", summary.shown(latency.get(name), "{:.1f}", 1000.0), "ms"))
    if errors:
        found.append(("Errors", summary.shown(errors.get("total"), "{:.0f}"), ""))
    if dropped:
        found.append(("Dropped", summary.shown(dropped.get("total"), "{:.0f}"), ""))
    return found


def _containers(final: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for name, container in sorted(final["containers"].items(), key=lambda entry: natural(entry[0])):
        ports = ", ".join(f"{port} ({label})" for label, port in container["ports"].items())
        found.append(
            {"name": name, **container, "port_text": ports, "image_short": short_id(container.get("image_id"))}
        )
    return found


def short_id(image_id: object) -> str:
    """The first 12 digits of an image id."""
    return str(image_id).removeprefix("sha256:")[:12] if image_id else "–"


def html(final: Mapping[str, Any], run: Run) -> str:
    """The whole page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    loader = FileSystemLoader(str(Path(__file__).parent))
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["plain"] = plain
    hosts, system = system_table(final)
    data = {
        "windows": [{key: window[key] for key in ("phase", "start", "end", "valid")} for window in final["windows"]],
        "sections": charts.sections(run),
    }
    return environment.get_template(TEMPLATE).render(
        final=final,
        fps=FPS.name,
        cards=_cards(final),
        headings=summary.headings(final),
        rows=summary.table_rows(final),
        worst=summary.worst_stream(final),
        containers=_containers(final),
        hosts=hosts,
        system=system,
        sections=data["sections"],
        data=Markup(embedded(data)),
        plotly=Markup(get_plotlyjs()),
    )
