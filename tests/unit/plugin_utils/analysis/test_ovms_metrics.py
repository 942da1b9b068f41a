# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What OVMS's ``/metrics`` says, in the layout of its ``docs/metrics_output.out`` and of version 2026.3."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan, observations, ovms_metrics
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span, cut
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ovms_contract import NEWEST, default_families

from ..synthetic import T0, make_plan

SERVER = "ovms-ovms-server-1"
WINDOW = [Span(T0, T0 + 100)]
PROBED = (
    ("KServe", "REST", "ModelReady"),
    ("KServe", "gRPC", "ModelMetadata"),
    ("TensorFlowServing", "gRPC", "GetModelStatus"),
    ("TensorFlowServing", "REST", "GetModelMetadata"),
)
INFERRED = (
    ("KServe", "REST", "ModelInfer"),
    ("KServe", "gRPC", "ModelInfer"),
    ("TensorFlowServing", "gRPC", "Predict"),
    ("TensorFlowServing", "REST", "Predict"),
)
GRAPHS = (("KServe", "gRPC", "ModelInferStream"), ("V3", "REST", "Unary"), ("V3", "REST", "Stream"))


def counters(family: str, asked: tuple[tuple[str, str, str], ...], value: float) -> str:
    return "".join(
        f'{family}{{api="{api}",interface="{interface}",method="{method}",name="resnet"}} {value:g}\n'
        for api, interface, method in asked
    )


def line(sample: str, value: float) -> str:
    return f"{sample} {value:g}\n"


def models(n: float) -> str:
    """A server of models, all of whose counters have grown with *n*."""
    return (
        "# HELP ovms_requests_success Number of successful requests to a model or a DAG.\n"
        "# TYPE ovms_requests_success counter\n"
        + counters("ovms_requests_success", PROBED, 1000 * n)
        + counters("ovms_requests_success", INFERRED, 10 * n)
        + counters("ovms_requests_fail", PROBED, 7 * n)
        + counters("ovms_requests_fail", INFERRED, n)
        + line('ovms_request_time_us_sum{interface="gRPC",name="resnet",version="1"}', 40_000 * n)
        + line('ovms_request_time_us_count{interface="gRPC",name="resnet",version="1"}', 10 * n)
        + line('ovms_inference_time_us_sum{name="resnet",version="1"}', 30_000 * n)
        + line('ovms_inference_time_us_count{name="resnet",version="1"}', 10 * n)
        + line('ovms_wait_for_infer_req_time_us_sum{name="resnet",version="1"}', 5_000 * n)
        + line('ovms_wait_for_infer_req_time_us_count{name="resnet",version="1"}', 10 * n)
        + 'ovms_streams{name="resnet",version="1"} 4\novms_streams{name="dummy",version="1"} 2\n'
        + 'ovms_infer_req_queue_size{name="resnet",version="1"} 8\n'
        + 'ovms_infer_req_active{name="resnet",version="1"} 3\n'
        + 'ovms_current_requests{name="resnet",version="1"} 5\n'
    )


def graphs(n: float) -> str:
    """A server of graphs: probes are counted as requests, all else in families of its own."""
    return (
        counters("ovms_requests_success", PROBED, 1000 * n)
        + counters("ovms_requests_accepted", GRAPHS, 2 * n)
        + counters("ovms_requests_rejected", GRAPHS, n)
        + counters("ovms_responses", GRAPHS, 20 * n)
        + line('ovms_graph_error{api="V3",interface="REST",method="Unary",name="llm"}', 3 * n)
        + line('ovms_graph_processing_time_us_sum{method="Stream",name="llm"}', 8_000_000 * n)
        + line('ovms_graph_processing_time_us_count{method="Stream",name="llm"}', 2 * n)
        + 'ovms_current_graphs{name="llm"} 6\n'
    )


def plan(prometheus: dict[str, Any] | None) -> dict[str, Any]:
    made = make_plan(hosts=2, clients=1)
    made["replicas"][SERVER]["prometheus"] = prometheus
    return made


def seen(*texts: str, prometheus: dict[str, Any] | None = None) -> Observations:
    shown = {"port": 8000, "path": "/metrics"} if prometheus is None else prometheus
    scrapes = (
        {"host": "server", "t": T0 + 10 * k, "type": "prometheus", "replica": SERVER, "text": text}
        for k, text in enumerate(texts, start=1)
    )
    return observations.observe(measured_plan.of_plan(plan(shown)), scrapes, {})


def means(told: Observations) -> dict[str, float | None]:
    found = {name: cut(series, WINDOW) for name, series in told.replicas[SERVER].items()}
    return {name: summary.mean for name, summary in found.items() if summary is not None}


def test_every_method_that_infers_counts_and_no_probe_does() -> None:
    figures = means(seen(models(1), models(2)))
    assert figures == pytest.approx(
        {
            "requests_per_second": 4.0,
            "requests_failed_per_second": 0.4,
            "inference_seconds": 0.003,
            "wait_seconds": 0.0005,
            "request_seconds": 0.004,
            "current_requests": 5.0,
            "inference_streams": 6.0,
            "infer_request_queue_size": 8.0,
            "infer_requests_active": 3.0,
        }
    )


def test_graphs_count_what_they_accept_refuse_and_answer() -> None:
    figures = means(seen(graphs(1), graphs(2)))
    assert figures == pytest.approx(
        {
            "requests_per_second": 0.6,
            "requests_failed_per_second": 0.3,
            "graph_requests_per_second": 0.6,
            "graph_rejected_per_second": 0.3,
            "graph_responses_per_second": 6.0,
            "graph_errors_per_second": 0.3,
            "graph_processing_seconds": 4.0,
            "current_graphs": 6.0,
        }
    )


def test_models_and_graphs_of_one_server_are_added_up() -> None:
    both = means(seen(models(1) + graphs(1), models(2) + graphs(2)))
    assert both["requests_per_second"] == pytest.approx(4.6)
    assert both["requests_failed_per_second"] == pytest.approx(0.7)


def test_a_family_that_the_list_leaves_out_is_absent_with_that_reason() -> None:
    shown = {"port": 8000, "path": "/metrics", "families": ["ovms_requests_success", "ovms_requests_accepted"]}
    told = seen(models(1), models(2), prometheus=shown)
    reasons = told.absent[SERVER]
    assert "requests_per_second" not in reasons
    assert reasons["wait_seconds"] == (
        "ovms_wait_for_infer_req_time_us: not in metrics_list, nor in the default one where there is none"
    )
    assert "ovms_infer_req_active" in reasons["infer_requests_active"]


def test_without_a_list_there_are_the_default_families() -> None:
    told = seen(prometheus={"port": 8000, "path": "/metrics", "families": sorted(default_families(NEWEST))})
    assert set(told.absent[SERVER]) == {"infer_request_queue_size", "infer_requests_active", "graph_latency_seconds"}


def test_metrics_that_are_off_are_absent_with_how_to_switch_them_on() -> None:
    assert set(ovms_metrics.left_out(None)) == {metric.name for metric in ovms_metrics.OVMS_METRICS}
    told = observations.observe(measured_plan.of_plan(plan(None)), [], {})
    assert told.absent[SERVER]["requests_per_second"] == ovms_metrics.OFF
    assert ovms_metrics.left_out({"port": 1, "path": "/metrics"}) == {}
