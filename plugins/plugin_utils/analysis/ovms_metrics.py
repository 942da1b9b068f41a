# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue's metrics of the OpenVINO Model Server: all that its ``/metrics`` shows, models and graphs.

Its families as of version 2026.3 (``src/metrics/metric_config.cpp``), and the TensorFlow Serving API, which it had
until 2026.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Chart, Kind, Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.prometheus_text import Selector, SumOf

PROBES = frozenset(("ModelReady", "ModelMetadata", "GetModelStatus", "GetModelMetadata"))
"""Methods by which is asked what a server has, and nothing is inferred."""
NO_GRAPHS = "the server shows no graph"
OFF = (
    "OVMS's metrics are off as far as the plan can tell: --metrics_enable with --rest_port switches them on, or"
    " monitoring.metrics.enable in the configuration that the profile ships"
)


def _of_requests(name: str) -> Selector:
    return Selector(name, but={"method": PROBES})


def _server_time(
    name: str, histogram: str, title: str, formula: str, unexplained: str = "no request was finished", **more: Any
) -> Metric:
    """The mean of a histogram of OVMS in microseconds: Δsum / Δcount of two scrapes."""
    return Metric(
        name=name,
        unit="seconds",
        kind="average",
        formula=formula,
        absent_when="not OVMS; no request in the window",
        value=Selector(f"{histogram}_sum"),
        per=Selector(f"{histogram}_count"),
        scale=1e-6,
        explained_by=("prometheus", "container"),
        unexplained=unexplained,
        better="lower",
        charts=(Chart(title, "ms", 1e3),),
        **more,
    )


def _shown(
    name: str,
    value: Selector | SumOf,
    title: str,
    unit: str,
    kind: Kind = "gauge",
    formula: str = "",
    absent_when: str = "not OVMS; `/metrics` not reachable",
    **more: Any,
) -> Metric:
    """What a scrape has: a gauge, or a counter that becomes a rate."""
    shown = " + ".join(f"`{one}`" for one in value.names)
    return Metric(
        name=name,
        unit=unit,
        kind=kind,
        formula=formula or (f"Δ {shown} / Δ time" if kind == "rate" else f"{shown}, of all models together"),
        absent_when=absent_when,
        value=value,
        explained_by=("prometheus", "container"),
        charts=(Chart(title, unit),),
        **more,
    )


def _of_graphs(name: str, family: str, title: str, unit: str, kind: Kind = "rate") -> Metric:
    return _shown(
        name, Selector(family), title, unit, kind, absent_when="not OVMS; it serves no graph", unexplained=NO_GRAPHS
    )


OVMS_METRICS = (
    _shown(
        "requests_per_second",
        SumOf((_of_requests("ovms_requests_success"), Selector("ovms_requests_accepted"))),
        "Requests served",
        "requests/s",
        "rate",
        "Δ (`ovms_requests_success` of all methods that infer + `ovms_requests_accepted`) / Δ time",
        essential=True,
        better="higher",
    ),
    _shown(
        "requests_failed_per_second",
        SumOf((_of_requests("ovms_requests_fail"), Selector("ovms_requests_rejected"))),
        "Requests failed",
        "requests/s",
        "rate",
        "Δ (`ovms_requests_fail` of the same methods + `ovms_requests_rejected`) / Δ time",
        better="lower",
    ),
    _server_time(
        "inference_seconds",
        "ovms_inference_time_us",
        "Inference time in the server, mean",
        "Δ sum / Δ count of `ovms_inference_time_us`; `n` is the number of inferences",
        essential=True,
        instead="graph_requests_per_second",
    ),
    _server_time(
        "wait_seconds",
        "ovms_wait_for_infer_req_time_us",
        "Waiting for an inference request, mean",
        "likewise of `ovms_wait_for_infer_req_time_us`",
    ),
    _server_time(
        "request_seconds",
        "ovms_request_time_us",
        "Request time in the server, mean",
        "likewise of `ovms_request_time_us`",
    ),
    _shown("current_requests", Selector("ovms_current_requests"), "Requests in process", "requests"),
    _shown("inference_streams", Selector("ovms_streams"), "Inference streams", "streams"),
    _shown(
        "infer_request_queue_size", Selector("ovms_infer_req_queue_size"), "Infer requests there are", "infer requests"
    ),
    _shown("infer_requests_active", Selector("ovms_infer_req_active"), "Infer requests in use", "infer requests"),
    _of_graphs("graph_requests_per_second", "ovms_requests_accepted", "Requests to graphs", "requests/s"),
    _of_graphs("graph_rejected_per_second", "ovms_requests_rejected", "Requests that graphs refused", "requests/s"),
    _of_graphs("graph_responses_per_second", "ovms_responses", "Responses of graphs", "responses/s"),
    _of_graphs("graph_errors_per_second", "ovms_graph_error", "Errors in graphs", "errors/s"),
    _of_graphs("current_graphs", "ovms_current_graphs", "Graphs in process", "graphs", "gauge"),
    _server_time(
        "graph_processing_seconds",
        "ovms_graph_processing_time_us",
        "Time of a graph, mean",
        "likewise of `ovms_graph_processing_time_us`: of a stream, the length of its session",
        NO_GRAPHS,
    ),
    _server_time(
        "graph_latency_seconds",
        "ovms_graph_request_latency_us",
        "Latency of a graph's responses in a stream, mean",
        "likewise of `ovms_graph_request_latency_us`",
        NO_GRAPHS,
    ),
)
"""Metrics of a scrape of OVMS."""


def _names(metric: Metric) -> tuple[str, ...]:
    """What OVMS calls that of which a metric is made."""
    reads = (metric.value, metric.per)
    return tuple(name for read in reads if isinstance(read, (Selector, SumOf)) for name in read.names)


SCRAPED_NAMES = tuple(dict.fromkeys(name for metric in OVMS_METRICS for name in _names(metric)))


def left_out(shown: Mapping[str, Any] | None) -> dict[str, str]:
    """The metrics that a server cannot show, each with the reason; ``shown``: where, as the plan says it."""
    if shown is None:
        return {metric.name: OFF for metric in OVMS_METRICS}
    families = shown.get("families")
    if families is None:
        return {}
    found = {}
    for metric in OVMS_METRICS:
        needed = dict.fromkeys(name.removesuffix("_sum").removesuffix("_count") for name in _names(metric))
        missing = [family for family in needed if family not in families]
        if missing:
            found[metric.name] = (
                f"{' and '.join(missing)}: not in metrics_list, nor in the default one where there is none"
            )
    return found
