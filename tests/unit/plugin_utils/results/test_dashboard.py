# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Grafana dashboard: made from the catalogue, over names that the exporter writes, in PromQL that finds them."""

from __future__ import annotations

import itertools
import json
import re
import runpy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch, metric_catalogue
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import (
    CONTAINER_DEVICE_METRICS,
    DEVICE_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import HOST_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Point, Reading, Series
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import unix
from ansible_collections.retail.profiles.plugins.plugin_utils.results import exported_series, openmetrics, run_record

from ..synthetic import T0, Play
from .conftest import Prometheus

SECONDS = 58
NAME = re.compile(r"\bretail_profiles_\w+")


@pytest.fixture(scope="module")
def dashboard(checkout: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((checkout / "docs" / "grafana" / "retail-profiles.json").read_text())
    return loaded


def expressions(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Title and expression of each panel and annotation, with what Grafana puts in for its variables."""
    for annotation in dashboard["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"].replace("$host", ".*").replace("$replica", ".*").replace("$__range", "1h")
            assert "$" not in expression
            yield panel["title"], expression


def series_of(metric: Metric) -> Series:
    """A metric that tells 1, 2, 3 …, a value a second."""
    steps = range(1, SECONDS)
    if metric.kind == "sketch":
        told = tuple((T0 + n, ddsketch.of_values([float(n)])) for n in steps)
        return Series(metric.name, metric.unit, "sketch", sketches=told)
    points = tuple(Point(T0 + n - 1, T0 + n, float(n)) for n in steps)
    raw = tuple(Reading(T0 + n, float(n)) for n in steps) if metric.kind == "counter" else ()
    device = "package-0" if metric.device else None
    return Series(metric.name, metric.unit, metric.kind, points=points, raw=raw, instance=device)


@pytest.fixture(scope="module")
def metrics(ready_run: Play, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """metrics.prom of a run that has every metric of the catalogue, as the exporter writes it."""
    play = run_record.load(ready_run.plan, ready_run.directory.events(), ready_run.directory.samples())
    of_replica = {metric.name: series_of(metric) for metric in metric_catalogue.OF_CONTAINERS.values()}
    of_host = {metric.name: series_of(metric) for metric in HOST_METRICS}
    seen = replace(
        play.seen,
        replicas=dict.fromkeys(play.seen.replicas, of_replica),
        hosts=dict.fromkeys(play.plan.hosts, of_host),
        devices={
            **dict.fromkeys(play.seen.replicas, tuple(map(series_of, CONTAINER_DEVICE_METRICS))),
            **dict.fromkeys(play.plan.hosts, tuple(map(series_of, DEVICE_METRICS))),
        },
    )
    run = replace(play, seen=seen)
    path = tmp_path_factory.mktemp("dashboard") / "metrics.prom"
    path.write_text(openmetrics.text(ready_run.record(), run, exported_series.of_run(run)))
    return path


def test_the_dashboard_is_what_the_catalogue_says(checkout: Path) -> None:
    made = runpy.run_path(str(checkout / ".ci" / "dashboard.py"))
    assert made["FILE"].read_text(encoding="utf-8") == made["written"](), "run: make docs"


def test_every_expression_names_what_the_exporter_writes(dashboard: dict[str, Any], metrics: Path) -> None:
    exported = {line.partition("{")[0] for line in metrics.read_text().splitlines() if not line.startswith("#")}
    asked = [*(text for _title, text in expressions(dashboard))]
    asked += [variable["definition"] for variable in dashboard["templating"]["list"] if variable["type"] == "query"]
    assert len(asked) > 25
    for expression in asked:
        names = NAME.findall(expression)
        assert names, expression
        assert set(names) <= exported, expression


def test_every_chart_of_the_catalogue_is_a_panel(dashboard: dict[str, Any]) -> None:
    rows = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "row"]
    assert rows == ["Run", "Clients", "Model server", "Containers", "Hosts", "Devices"]
    charts = sorted(
        chart.title
        for metric in (
            *metric_catalogue.OF_CONTAINERS.values(),
            *HOST_METRICS,
            *DEVICE_METRICS,
            *CONTAINER_DEVICE_METRICS,
        )
        for chart in metric.charts
    )
    graphs = [panel["title"] for panel in dashboard["panels"] if panel["type"] == "timeseries"]
    assert sorted([*charts, "Frames per second, all clients together"]) == sorted(graphs)


def test_windows_are_annotations(dashboard: dict[str, Any]) -> None:
    shown = {re.findall(r'phase="(\w+)"', annotation["expr"])[0] for annotation in dashboard["annotations"]["list"]}
    assert shown == {"warmup", "measure"}
    for annotation in dashboard["annotations"]["list"]:
        assert annotation["target"].items() >= {"expr": annotation["expr"], "interval": annotation["step"]}.items()


def test_panels_have_places_and_numbers_of_their_own(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = [
        cell
        for place in (panel["gridPos"] for panel in panels)
        for cell in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        )
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _y in cells) < 24


def test_prometheus_finds_something_for_every_expression(
    dashboard: dict[str, Any], metrics: Path, ready_run: Play, prometheus_over: Callable[[Path], Prometheus]
) -> None:
    prometheus = prometheus_over(metrics)
    windows = {window["phase"]: unix(window["start"]) + 5.0 for window in ready_run.record()["windows"]}
    for title, expression in expressions(dashboard):
        at = windows["warmup"] if "warmup" in expression else windows["measure"]
        found = prometheus.get("query", query=expression, time=f"{at:.3f}")["result"]
        assert found, f"{title}: {expression}"
        if "host_" in expression:
            assert {one["metric"]["host"] for one in found} == set(ready_run.hosts)


def test_provisioning_is_for_this_dashboard(checkout: Path) -> None:
    folder = checkout / "docs" / "grafana" / "provisioning"
    (source,) = yaml.safe_load((folder / "datasources" / "retail-profiles.yml").read_text())["datasources"]
    (provider,) = yaml.safe_load((folder / "dashboards" / "retail-profiles.yml").read_text())["providers"]
    assert (source["type"], provider["type"]) == ("prometheus", "file")
