# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``ovms_*`` metrics: families, buckets and labels of OpenVINO Model Server, and their Prometheus text.

Counters have no ``_total``; label names stand in alphabetical order; a family is there when it is enabled.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ovms_stand_in import contract

SUCCESS = "ovms_requests_success"
FAIL = "ovms_requests_fail"
REQUEST_TIME = "ovms_request_time_us"
INFERENCE_TIME = "ovms_inference_time_us"
WAIT_TIME = "ovms_wait_for_infer_req_time_us"
STREAMS = "ovms_streams"
CURRENT = "ovms_current_requests"
QUEUE_SIZE = "ovms_infer_req_queue_size"
ACTIVE = "ovms_infer_req_active"
CURRENT_GRAPHS = "ovms_current_graphs"
GRAPH_TIME = "ovms_graph_processing_time_us"

# Upper bounds in microseconds: floor(10 * 1.8**i), i = 0 … 32.
BUCKETS = tuple(math.floor(10 * 1.8**i) for i in range(33))

_HELP = {
    SUCCESS: ("counter", "Number of successful requests to a model or a DAG."),
    FAIL: ("counter", "Number of failed requests to a model or a DAG."),
    REQUEST_TIME: ("histogram", "Processing time of requests to a model or a DAG."),
    INFERENCE_TIME: ("histogram", "Inference execution time in the OpenVINO backend."),
    WAIT_TIME: ("histogram", "Request waiting time in the scheduling queue."),
    STREAMS: ("gauge", "Number of OpenVINO execution streams."),
    QUEUE_SIZE: ("gauge", "Inference request queue size (nireq)."),
    ACTIVE: ("gauge", "Number of currently consumed inference request from the processing queue."),
    CURRENT: ("gauge", "Number of inference requests currently in process."),
    CURRENT_GRAPHS: ("gauge", "Number of graphs currently in process."),
    "ovms_requests_accepted": ("counter", "Number of accepted requests to a MediaPipe graph."),
    "ovms_requests_rejected": ("counter", "Number of rejected requests to a MediaPipe graph."),
    "ovms_responses": ("counter", "Number of responses by a MediaPipe graph."),
    "ovms_graph_error": ("counter", "Number of errors in MediaPipe graph execution."),
    GRAPH_TIME: ("histogram", "Time of a MediaPipe graph's execution."),
}
_OF_GRAPHS = ("ovms_requests_accepted", "ovms_requests_rejected", "ovms_responses", "ovms_graph_error")
# Shown where there is a graph.
_GRAPHS = frozenset((*_OF_GRAPHS, CURRENT_GRAPHS, GRAPH_TIME))
DEFAULT = frozenset(set(_HELP) - {QUEUE_SIZE, ACTIVE})
KNOWN = frozenset(family.name for family in contract.FAMILIES)

_INTERFACES = ("REST", "gRPC")
_METHODS = ("ModelReady", "ModelInfer", "ModelMetadata")
_GRAPH_METHODS = ("Unary", "Stream")

Labels = tuple[tuple[str, str], ...]


@dataclass
class _Histogram:
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0


def _labels(**values: str) -> Labels:
    return tuple(sorted(values.items()))


def _of_graph(name: str, method: str) -> Labels:
    return _labels(api="V3", interface="REST", method=method, name=name)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _text(labels: Labels, *more: tuple[str, str]) -> str:
    return "{" + ",".join(f'{name}="{_escape(value)}"' for name, value in (*labels, *more)) + "}"


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def parse_list(text: str) -> frozenset[str]:
    """The families named in a comma-separated list; empty text means the default ones.

    Raises ValueError with the first unknown name.
    """
    return check_names(part.strip() for part in text.split(",")) if text.strip() else DEFAULT


def check_names(names: Iterable[str]) -> frozenset[str]:
    """``names`` as a set; ValueError with the first unknown one."""
    found = list(names)
    for name in found:
        if name not in KNOWN:
            raise ValueError(name)
    return frozenset(found)


class Metrics:
    """The values of all enabled families. Thread-safe. Without families (metrics off) every call is a no-op."""

    def __init__(self, enabled: frozenset[str] = frozenset()) -> None:
        self.enabled = enabled
        self._lock = threading.Lock()
        self._values: dict[str, dict[Labels, float]] = {
            n: {} for n, (kind, _meaning) in _HELP.items() if kind != "histogram"
        }
        self._histograms: dict[str, dict[Labels, _Histogram]] = {
            n: {} for n, (kind, _meaning) in _HELP.items() if kind == "histogram"
        }

    def add_model(self, name: str, version: int, streams: int, queue_size: int) -> None:
        """Make all series of a model version appear, at zero: one that appears late gives no rate at first."""
        model = _labels(name=name, version=str(version))
        with self._lock:
            for family in (SUCCESS, FAIL):
                for interface in _INTERFACES:
                    for method in _METHODS:
                        self._values[family].setdefault(self._request(name, version, interface, method), 0.0)
            for interface in _INTERFACES:
                labels = _labels(name=name, version=str(version), interface=interface)
                self._histograms[REQUEST_TIME].setdefault(labels, _Histogram())
            for family in (INFERENCE_TIME, WAIT_TIME):
                self._histograms[family].setdefault(model, _Histogram())
            self._values[STREAMS][model] = float(streams)
            self._values[QUEUE_SIZE][model] = float(queue_size)
            for family in (CURRENT, ACTIVE):
                self._values[family].setdefault(model, 0.0)

    def remove_model(self, name: str, version: int) -> None:
        """Let the series of a model version disappear."""
        gone = {("name", name), ("version", str(version))}
        with self._lock:
            families: list[dict[Labels, Any]] = [*self._values.values(), *self._histograms.values()]
            for family in families:
                for labels in [labels for labels in family if gone <= set(labels)]:
                    del family[labels]

    def count(self, name: str, version: int, interface: str, method: str, success: bool) -> None:
        """Count a request as successful or failed."""
        with self._lock:
            self._add(SUCCESS if success else FAIL, self._request(name, version, interface, method), 1)

    def change(self, family: str, name: str, version: int, by: int) -> None:
        """Add ``by`` to the gauge ``family`` of a model version."""
        with self._lock:
            self._add(family, _labels(name=name, version=str(version)), by)

    def observe(self, family: str, name: str, version: int, seconds: float, interface: str = "") -> None:
        """Add a duration to a histogram, whose unit is the microsecond."""
        labels = _labels(name=name, version=str(version), **({"interface": interface} if interface else {}))
        with self._lock:
            self._observe(family, labels, seconds)

    def add_graph(self, name: str) -> None:
        """Make all series of a graph appear, at zero."""
        with self._lock:
            for method in _GRAPH_METHODS:
                for family in _OF_GRAPHS:
                    self._values[family].setdefault(_of_graph(name, method), 0.0)
                self._histograms[GRAPH_TIME].setdefault(_labels(name=name, method=method), _Histogram())
            self._values[CURRENT_GRAPHS].setdefault(_labels(name=name), 0.0)

    def count_graph(self, family: str, name: str, method: str) -> None:
        """Count one of what ``family`` counts, of a graph."""
        with self._lock:
            self._add(family, _of_graph(name, method), 1)

    def change_graph(self, name: str, by: int) -> None:
        """Change how often a graph is in process."""
        with self._lock:
            self._add(CURRENT_GRAPHS, _labels(name=name), by)

    def observe_graph(self, name: str, method: str, seconds: float) -> None:
        """Add the time of a graph's execution."""
        with self._lock:
            self._observe(GRAPH_TIME, _labels(name=name, method=method), seconds)

    def _has(self, family: str) -> bool:
        return bool(self._values.get(family) or self._histograms.get(family))

    def _add(self, family: str, labels: Labels, by: float) -> None:
        self._values[family][labels] = self._values[family].get(labels, 0.0) + by

    def _observe(self, family: str, labels: Labels, seconds: float) -> None:
        micros = seconds * 1e6
        histogram = self._histograms[family].setdefault(labels, _Histogram())
        histogram.counts[bisect_left(BUCKETS, micros)] += 1
        histogram.total += micros

    def text(self) -> str:
        """All enabled families in the Prometheus text format."""
        lines: list[str] = []
        with self._lock:
            for family, (kind, meaning) in _HELP.items():
                if family not in self.enabled or (family in _GRAPHS and not self._has(family)):
                    continue
                lines += [f"# HELP {family} {meaning}", f"# TYPE {family} {kind}"]
                for labels, value in self._values.get(family, {}).items():
                    lines.append(f"{family}{_text(labels)} {_number(value)}")
                for labels, histogram in self._histograms.get(family, {}).items():
                    lines += _histogram_lines(family, labels, histogram)
        return "\n".join(lines) + "\n" if lines else ""

    @staticmethod
    def _request(name: str, version: int, interface: str, method: str) -> Labels:
        # As in OVMS, ModelReady has no version label.
        more = {} if method == "ModelReady" else {"version": str(version)}
        return _labels(api="KServe", interface=interface, method=method, name=name, **more)


def _histogram_lines(family: str, labels: Labels, histogram: _Histogram) -> list[str]:
    count = sum(histogram.counts)
    lines = [f"{family}_count{_text(labels)} {count}", f"{family}_sum{_text(labels)} {_number(histogram.total)}"]
    running = 0
    for bound, number in zip((*map(str, BUCKETS), "+Inf"), histogram.counts):
        running += number
        lines.append(f"{family}_bucket{_text(labels, ('le', bound))} {running}")
    return lines
