# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's ``/metrics``: text that Prometheus' own parser reads, with OVMS's names, labels and buckets."""

from __future__ import annotations

from typing import Any

import pytest
from ovms_stand_in import metrics as m
from prometheus_client.parser import text_string_to_metric_families


def families(metrics: m.Metrics) -> dict[str, Any]:
    return {family.name: family for family in text_string_to_metric_families(metrics.text())}


def served(enabled: frozenset[str] = m.KNOWN) -> m.Metrics:
    metrics = m.Metrics(enabled)
    metrics.add_model("face", 1, streams=2, queue_size=4)
    return metrics


def value(metrics: m.Metrics, line: str) -> float:
    (found,) = [text for text in metrics.text().splitlines() if text.startswith(line + " ")]
    return float(found.rpartition(" ")[2])


def test_buckets_are_powers_of_1_8() -> None:
    assert len(m.BUCKETS) == 33
    assert m.BUCKETS[:6] == (10, 18, 32, 58, 104, 188)
    assert m.BUCKETS[-1] == 1474755971  # ⌊10 · 1.8³²⌋ µs: half an hour


def test_series_are_there_before_the_first_request() -> None:
    metrics = served()
    success = 'ovms_requests_success{api="KServe",interface="gRPC",method="ModelInfer",name="face",version="1"}'
    assert value(metrics, success) == 0
    assert value(metrics, 'ovms_inference_time_us_count{name="face",version="1"}') == 0
    assert value(metrics, 'ovms_streams{name="face",version="1"}') == 2
    assert value(metrics, 'ovms_infer_req_queue_size{name="face",version="1"}') == 4


def test_model_ready_has_no_version() -> None:
    assert 'method="ModelReady",name="face"}' in served().text()


def test_requests_are_counted_by_result() -> None:
    metrics = served()
    metrics.count("face", 1, "gRPC", "ModelInfer", success=True)
    metrics.count("face", 1, "gRPC", "ModelInfer", success=False)
    metrics.count("face", 1, "gRPC", "ModelInfer", success=False)
    labels = '{api="KServe",interface="gRPC",method="ModelInfer",name="face",version="1"}'
    assert (value(metrics, m.SUCCESS + labels), value(metrics, m.FAIL + labels)) == (1, 2)


def test_histograms_are_cumulative_and_in_microseconds() -> None:
    metrics = served()
    for seconds in (0.00001, 0.000011, 0.005, 10_000.0):
        metrics.observe(m.REQUEST_TIME, "face", 1, seconds, interface="gRPC")
    (family,) = [f for name, f in families(metrics).items() if name == m.REQUEST_TIME]
    samples = [s for s in family.samples if s.labels.get("interface") == "gRPC"]
    buckets = {s.labels["le"]: s.value for s in samples if s.name.endswith("_bucket")}
    assert len(buckets) == 34
    assert (buckets["10"], buckets["18"], buckets["1474755971"], buckets["+Inf"]) == (1, 2, 3, 4)
    assert list(buckets.values()) == sorted(buckets.values())
    (total,) = [s.value for s in samples if s.name.endswith("_sum")]
    assert total == pytest.approx(10_000_005_021)


def test_gauges_go_up_and_down() -> None:
    metrics = served()
    metrics.change(m.CURRENT, "face", 1, by=2)
    metrics.change(m.CURRENT, "face", 1, by=-1)
    assert value(metrics, 'ovms_current_requests{name="face",version="1"}') == 1


def test_types_as_prometheus_sees_them() -> None:
    kinds = {name: family.type for name, family in families(served()).items()}
    assert kinds[m.SUCCESS] == "counter"
    assert kinds[m.INFERENCE_TIME] == "histogram"
    assert kinds[m.STREAMS] == "gauge"


def test_only_enabled_families_are_shown() -> None:
    assert set(families(served(frozenset({m.STREAMS, "ovms_current_graphs"})))) == {m.STREAMS}
    shown = set(families(served(m.DEFAULT)))
    assert m.INFERENCE_TIME in shown and m.ACTIVE not in shown
    assert served(frozenset()).text() == ""


def test_a_model_that_is_gone_has_no_series() -> None:
    metrics = served()
    metrics.add_model("face", 2, streams=1, queue_size=1)
    metrics.remove_model("face", 1)
    assert 'name="face",version="1"' not in metrics.text()
    assert 'name="face",version="2"' in metrics.text()


def test_names_are_escaped() -> None:
    metrics = m.Metrics(m.KNOWN)
    metrics.add_model('a"b\\c\nd', 1, 1, 1)
    (family,) = [f for name, f in families(metrics).items() if name == m.STREAMS]
    assert family.samples[0].labels["name"] == 'a"b\\c\nd'


def test_lists_of_families() -> None:
    assert m.parse_list("") == m.DEFAULT
    assert m.parse_list("ovms_streams,ovms_infer_req_active") == {m.STREAMS, m.ACTIVE}
    with pytest.raises(ValueError, match="ovms_speed"):
        m.parse_list("ovms_streams,ovms_speed")
