# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write docs/grafana/retail-profiles.json, the Grafana dashboard over metrics.prom, from the catalogue of metrics.

A chart of the catalogue is a panel; what of a host is neither its processors nor its memory is of its devices.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / ".collections"))

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (  # noqa: E402
    CONTAINER_METRICS,
    FPS,
    TOLD_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import (  # noqa: E402
    CONTAINER_DEVICE_METRICS,
    DEVICE_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import HOST_METRICS  # noqa: E402
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Chart, Metric  # noqa: E402
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ovms_metrics import OVMS_METRICS  # noqa: E402
from ansible_collections.retail.profiles.plugins.plugin_utils.results.openmetrics import PREFIX, family  # noqa: E402

FILE = ROOT / "docs" / "grafana" / "retail-profiles.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
OF_REPLICAS, OF_HOSTS = '{host=~"$host",replica=~"$replica"', '{host=~"$host"'
NOT_DEVICES = ("cpu_", "memory_", "psi_")
RECENT = "15s"
"""What was told longer ago is not shown as if it still held; Prometheus by itself looks back for 5 minutes."""
WIDTH, HEIGHT, COLUMNS = 12, 8, 2


def _expression(metric: Metric, chart: Chart, of_host: bool) -> str:
    name = family(metric.name, of_host)
    quantile = f',quantile="{chart.quantile:g}"' if chart.quantile is not None else ""
    labels = f"{OF_HOSTS if of_host else OF_REPLICAS}{quantile}}}"
    factor = f" * {chart.factor!r}" if chart.factor != 1.0 else ""
    if metric.kind == "counter":
        return f"rate({name}_total{labels}[1m]){factor}"
    return f"last_over_time({name}{labels}[{RECENT}]){factor}"


def _panel(kind: str, title: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "title": title, "datasource": SOURCE, **more}


def _graph(title: str, unit: str, expression: str, legend: str) -> dict[str, Any]:
    return _panel(
        "timeseries",
        title,
        targets=[{"refId": "A", "datasource": SOURCE, "expr": expression, "legendFormat": legend, "range": True}],
        fieldConfig={"defaults": {"unit": f"suffix: {unit}", "custom": {"spanNulls": False}}, "overrides": []},
        options={
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    )


def _graphs(metrics: Iterable[Metric], of_host: bool = False) -> Iterator[dict[str, Any]]:
    for metric in metrics:
        for chart in metric.charts:
            unit = chart.unit or (f"{metric.unit}/s" if metric.kind == "counter" else metric.unit)
            expression = _expression(metric, chart, of_host)
            legend = "{{host}}" if of_host else "{{replica}}"
            yield _graph(chart.title, unit, expression, f"{legend} {{{{device}}}}" if metric.device else legend)


def _identity() -> dict[str, Any]:
    target = {
        "refId": "A",
        "datasource": SOURCE,
        "expr": f"group by (run_id, profile, deployment, verdict) (last_over_time({PREFIX}_run_info[$__range]))",
        "format": "table",
        "instant": True,
    }
    hidden = {"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}
    return _panel("table", "Runs in this interval", targets=[target], transformations=[hidden])


def _rows() -> dict[str, list[dict[str, Any]]]:
    """Panels by the title of their row."""
    added = f"sum(last_over_time({family(FPS.name, False)}{OF_REPLICAS}}}[{RECENT}]))"
    devices = [metric for metric in HOST_METRICS if not metric.name.startswith(NOT_DEVICES)]
    return {
        "Run": [_identity(), _graph("Frames per second, all clients together", FPS.unit, added, "all")],
        "Clients": list(_graphs(TOLD_METRICS)),
        "Model server": list(_graphs(OVMS_METRICS)),
        "Containers": list(_graphs(CONTAINER_METRICS)),
        "Hosts": list(_graphs([metric for metric in HOST_METRICS if metric not in devices], of_host=True)),
        "Devices": [*_graphs((*devices, *DEVICE_METRICS), of_host=True), *_graphs(CONTAINER_DEVICE_METRICS)],
    }


def _placed(rows: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """All panels with their places: under each row's title its panels, two beside each other."""
    found: list[dict[str, Any]] = []
    y = 0
    for title, panels in rows.items():
        found.append({"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": _place(0, y, 24, 1)})
        y += 1
        for number, panel in enumerate(panels):
            line, column = divmod(number, COLUMNS)
            found.append({**panel, "gridPos": _place(column * WIDTH, y + line * HEIGHT, WIDTH, HEIGHT)})
        y += -(-len(panels) // COLUMNS) * HEIGHT
    return [{"id": number, **panel} for number, panel in enumerate(found, start=1)]


def _place(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def _windows(phase: str, title: str, color: str) -> dict[str, Any]:
    """Annotations: where the expression is above 0, neighbouring steps become one region.

    Older versions of Grafana read ``expr`` and ``step``, newer ones ``target``.
    """
    expression, step = f'{PREFIX}_window{{phase="{phase}"}}', "5s"
    return {
        "name": title,
        "datasource": SOURCE,
        "enable": True,
        "iconColor": color,
        "expr": expression,
        "step": step,
        "target": {"refId": "Anno", "expr": expression, "interval": step, "range": True},
        "titleFormat": "{{phase}} {{number}}",
        "textFormat": "valid: {{valid}}",
        "tagKeys": "phase",
    }


def _names(name: str, title: str, query: str) -> dict[str, Any]:
    """A variable: which of the names that a query finds are shown."""
    return {
        "type": "query",
        "name": name,
        "label": title,
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 7,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana imports it."""
    return {
        "title": "retail.profiles: a run",
        "uid": "retail-profiles-run",
        "tags": ["retail.profiles"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": {"from": "now-1h", "to": "now"},
        "annotations": {
            "list": [
                _windows("warmup", "Warm-up", "orange"),
                _windows("measure", "Measure windows", "green"),
            ]
        },
        "templating": {
            "list": [
                {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"},
                _names("host", "Host", f"label_values({family('cpu_cores', True)}, host)"),
                _names("replica", "Replica", f'label_values({family("cpu_cores", False)}{{host=~"$host"}}, replica)'),
            ]
        },
        "panels": _placed(_rows()),
    }


def written() -> str:
    """The file as it should be."""
    return json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.write_text(written(), encoding="utf-8")
