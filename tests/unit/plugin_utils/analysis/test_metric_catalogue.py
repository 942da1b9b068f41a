# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of each metric, held to those who read it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.devices.kinds import KINDS
from ansible_collections.retail.profiles.plugins.module_utils.sampler import cgroup
from ansible_collections.retail.profiles.plugins.module_utils.sampler import host as host_counters
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import metric_catalogue
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    CONTAINER_METRICS,
    GENERATION_RATES,
    OFFERED,
    TOLD_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import (
    CONTAINER_DEVICE_METRICS,
    DEVICE_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import CPU_OTHERS, HOST_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import CPUS, Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ovms_metrics import OVMS_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.results import summary

from ..synthetic import Play

OF_REPLICAS = (*TOLD_METRICS, *OVMS_METRICS, *CONTAINER_METRICS)
TOLD_GAUGES = (OFFERED, *GENERATION_RATES)
RATES = ("_per_second", "_cores", "_watts", "_percent")
ALL = [
    *(pytest.param(metric, id=f"replica {metric.name}") for metric in OF_REPLICAS),
    *(pytest.param(metric, id=f"host {metric.name}") for metric in HOST_METRICS),
    *(pytest.param(metric, id=f"device {metric.name}") for metric in DEVICE_METRICS),
    *(pytest.param(metric, id=f"replica's device {metric.name}") for metric in CONTAINER_DEVICE_METRICS),
]


@pytest.mark.parametrize(
    "metrics",
    [(*OF_REPLICAS, *CONTAINER_DEVICE_METRICS), (*HOST_METRICS, *DEVICE_METRICS)],
    ids=["replicas", "hosts"],
)
def test_a_name_is_declared_once(metrics: tuple[Metric, ...]) -> None:
    names = [metric.name for metric in metrics]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("metric", ALL)
def test_a_kind_has_what_it_is_made_of(metric: Metric) -> None:
    assert (metric.value is None) == (metric in (*TOLD_METRICS, CPU_OTHERS))
    assert (metric.kind in ("flow", "counter", "sketch")) == (metric in TOLD_METRICS and metric not in TOLD_GAUGES)
    assert (metric.per is not None) == (metric.kind in ("ratio", "average"))
    if metric.kind == "rate":
        assert metric.name.endswith(RATES)


@pytest.mark.parametrize("metric", (*DEVICE_METRICS, *CONTAINER_DEVICE_METRICS), ids=lambda metric: metric.name)
def test_a_metric_of_devices_is_of_a_kind_that_is_read(metric: Metric) -> None:
    assert metric.device in dict(KINDS)
    assert metric.kind in ("gauge", "rate", "ratio")


@pytest.mark.parametrize(
    "metric", [metric for metric in metric_catalogue.OF_HOSTS if metric.row], ids=lambda metric: metric.name
)
def test_a_row_of_the_summary_is_one_that_people_know(metric: Metric) -> None:
    assert metric.row is not None
    assert metric.row.label in summary.ROWS
    assert (summary.NUMBER in metric.row.label) == (metric.device not in (None, "npu"))
    assert set(metric.row.percent_of) <= {CPUS, *(other.name for other in HOST_METRICS)}


def test_absences_are_explained_by_words_of_the_sampler() -> None:
    of_host = {"space", *(key.partition("_")[0] for key in host_counters._FILES)}
    of_replica = {cgroup._METRIC.get(key, key) for key, _dummy, _names in (*cgroup._V1_FILES, *cgroup._V2_FILES)}
    of_replica |= {"cgroup", "container", "log", "network", "prometheus"}
    words = {word for metric in metric_catalogue.OF_HOSTS for word in metric.explained_by}
    assert {word.partition("_")[0] for word in words - of_host} <= set(dict(KINDS))
    assert {word for metric in OF_REPLICAS for word in metric.explained_by} <= of_replica


def test_every_metric_of_a_host_is_there_or_absent(ready_run: Play) -> None:
    record: dict[str, Any] = ready_run.record()
    units = {metric.name: metric.unit for metric in HOST_METRICS}
    of_devices = {metric.name for metric in DEVICE_METRICS}
    for host, figures in record["host_metrics"].items():
        told = {*figures, *record["device_metrics"][host]}
        assert told | set(record["absent"].get(host, {})) == {*units, *of_devices}
        assert list(figures) == [name for name in units if name in figures]
        assert {name: figure["unit"] for name, figure in figures.items()} == {name: units[name] for name in figures}


def test_every_metric_of_a_replica_is_there_or_absent(ready_run: Play) -> None:
    record: dict[str, Any] = ready_run.record()
    for name, replica in ready_run.plan["replicas"].items():
        known = {metric.name for metric in metric_catalogue.built_in(replica["ovms"])} | set(replica["metrics"])
        assert set(record["metrics"][name]) | set(record["absent"][name]) == known


def test_a_metric_that_the_catalogue_has_not_is_the_profiles_own() -> None:
    assert metric_catalogue.of_rule("fps") in TOLD_METRICS
    assert metric_catalogue.of_rule("depth").name == "depth"
    assert metric_catalogue.of_rule("depth").explained_by == ("log", "container")
