# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of the tools that people measure with, each in the layout that the tool writes.

benchmark_app: openvino ``tools/benchmark_tool``, ``utils/statistics_report.py``, and the C++ sample's JSON. AIPerf and
its predecessor GenAI-Perf: ``profile_export_*.csv`` and ``profile_export_aiperf.json``. GuideLLM: ``benchmarks.json``.
DL Streamer: ``gvafpscounter`` and ``latency_tracer`` in the logs of Intel's performance-tools.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import rule_of
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric_rules import Extractor

BENCHMARK_APP = """Command line parameters
m;/models/face/face.xml
t;20

Configuration setup
topology;face
number of parallel infer requests;4

Execution results
read model time (ms);12.31
first inference time (ms);9.07
total execution time (ms);20015.52
total number of iterations;4268
latency (ms);18.44
AVG latency;18.71
MIN latency;11.02
MAX latency;41.90
throughput;213.23

"""
BENCHMARK_APP_JSON = {
    "execution_results": {
        "latency_avg": "18.71",
        "latency_max": "41.90",
        "throughput": "213.23",
    }
}
GENAI_PERF = """Metric,avg,min,max,p99,p95,p90,p75,p50,p25\r
Time To First Token (ms),"1,146.31",249.48,"3,485.23","3,457.97","3,349.56","3,215.06","1,330.93",640.07,286.52\r
Request Latency (ms),"6,406.20","5,371.47","9,608.72","9,436.13","9,046.58","9,028.16","6,549.60","5,690.23",1\r
\r
Metric,Value\r
Request Throughput (per sec),1.50\r
Request Count (count),40.00\r
"""
AIPERF = {
    "request_throughput": {"unit": "requests/sec", "avg": 31.5},
    "request_latency": {"unit": "ms", "avg": 41.2, "p50": 38.0, "p99": 88.25, "std": 9.1},
}
AIPERF_RECORDS = "".join(
    json.dumps({"metadata": {"worker": str(n)}, "metrics": {"request_latency": {"value": n, "unit": "ms"}}}) + "\n"
    for n in (10, 20, 30)
)
GUIDELLM = {
    "benchmarks": [
        {"metrics": {"request_latency": {"successful": {"mean": 1.5, "percentiles": {"p50": 1.4, "p99": 2.75}}}}},
        {"metrics": {"request_latency": {"successful": {"mean": 2.5, "percentiles": {"p50": 2.4, "p99": 4.5}}}}},
    ]
}
SUCCESSFUL = "metrics.request_latency.successful"
PIPELINE = "39.79\n14.93\n15.00\n15.05\n"
TRACER = (
    "(gst-launch-1.0:10): GStreamer-WARNING **: 14:14:14.075: External plugin loader failed.\n"
    "0:00:03.01 79 0x55 TRACE GST_TRACER :0:: latency_tracer_element, name=(string)gvadetect0,"
    " frame_latency=(double)136.9, avg=(double)138.1, frame_num=(uint)23;\n"
    "0:00:03.01 79 0x55 TRACE GST_TRACER :0:: latency_tracer_pipeline, frame_latency=(double)704.5, avg=(double)238.7,"
    " min=(double)0.01, max=(double)704.8, latency=(double)32.2, fps=(double)30.9, frame_num=(uint)27;\n"
    "0:00:03.05 79 0x55 TRACE GST_TRACER :0:: latency_tracer_pipeline, frame_latency=(double)20.0, avg=(double)230.7,"
    " min=(double)0.01, max=(double)704.8, latency=(double)32.2, fps=(double)30.9, frame_num=(uint)28;\n"
)
RECORDS = '{"resolution":{"height":1080,"width":1920},"timestamp":0}\n{"objects":[{"w":408}],"timestamp":66661347}\n'
FRAME_LATENCY = r"latency_tracer_pipeline, frame_latency=\(double\)([0-9.]+)"


def told(text: str, **rule: Any) -> Any:
    """What a rule for a file with this text finds: values, or the reason why there are none."""
    made = rule_of("m", {"file": "/results/a", **rule})
    [(_rule, values)] = Extractor([made]).read_file({"path": "/results/a", "file": "/results/a", "text": text})
    return values


@pytest.mark.parametrize(
    ("text", "rule", "expected"),
    [
        (BENCHMARK_APP, {"csv": 2, "row": "throughput"}, [213.23]),
        (BENCHMARK_APP, {"csv": "2", "row": "AVG latency", "scale": 0.001}, [0.01871]),
        (json.dumps(BENCHMARK_APP_JSON, indent=4), {"json": "execution_results.throughput"}, [213.23]),
        (GENAI_PERF, {"csv": "p99", "row": "Request Latency (ms)", "kind": "quantile"}, [9436.13]),
        (GENAI_PERF, {"csv": "Value", "row": "Request Throughput (per sec)"}, [1.5]),
        (GENAI_PERF, {"csv": "p50"}, [640.07, 5690.23]),
        (json.dumps(AIPERF), {"json": "request_latency.p99", "kind": "quantile"}, [88.25]),
        (AIPERF_RECORDS, {"json": "metrics.request_latency.value"}, [10.0, 20.0, 30.0]),
        (
            json.dumps(GUIDELLM),
            {"json": "benchmarks[].metrics.request_latency.successful.percentiles.p99"},
            [2.75, 4.5],
        ),
        (PIPELINE, {"regex": r"^([\d.]+)$"}, [39.79, 14.93, 15.0, 15.05]),
        (TRACER, {"regex": FRAME_LATENCY}, [704.5, 20.0]),
        (RECORDS, {"json": "timestamp"}, [0.0, 66661347.0]),
        ("name\tms\na\t1\nb\t2\n", {"csv": "ms"}, [1.0, 2.0]),
        ("ms\n1\nbad\n3\n", {"csv": "ms"}, [1.0, 3.0]),
    ],
)
def test_files_of_known_tools_are_read(text: str, rule: dict[str, Any], expected: list[float]) -> None:
    assert told(text, **rule) == pytest.approx(expected)


def test_single_latencies_become_one_sketch_and_a_bad_one_costs_itself() -> None:
    [sketch] = told(TRACER + "latency_tracer_pipeline, frame_latency=(double)...\n", regex=FRAME_LATENCY, kind="sketch")
    assert isinstance(sketch, Sketch)
    assert (sketch.count, sketch.minimum, sketch.maximum) == (2, 20.0, 704.5)
    [scaled] = told("1000\n3000\n", regex="(.+)", kind="sketch", scale=0.001)
    assert (scaled.minimum, scaled.maximum) == (1.0, 3.0)


@pytest.mark.parametrize(
    ("text", "rule", "reason"),
    [
        ("{}", {"json": "a.b"}, "no key a.b in it"),
        ("", {"json": "a.b"}, "it is empty"),
        ("<html>", {"json": "a.b"}, "it is no JSON"),
        ('{"a": "slow"}', {"json": "a"}, "what it has there is no number"),
        ('{"a": "slow"}', {"json": "a", "kind": "sketch"}, "what it has there is no number"),
        ("a,b\n1,2\n", {"csv": "c"}, "no column c in it"),
        ("a,b\n1,2\n", {"csv": "b", "row": "9"}, "no row 9 in it"),
        ("a;1\n", {"csv": 3}, "no column 3 in it"),
        ("fps 12", {"regex": "=([0-9]+)"}, "no line of it matches =([0-9]+)"),
    ],
)
def test_what_a_file_lacks_is_said(text: str, rule: dict[str, Any], reason: str) -> None:
    assert told(text, **rule) == reason


def test_a_rule_for_a_file_that_does_not_compile_is_named() -> None:
    rule = rule_of("m", {"file": "/results/a", "json": "a..b"})
    with pytest.raises(ProfileError, match=r"container client, field metrics\.m\.file json"):
        Extractor([rule], "client")


def test_a_log_is_read_for_rules_of_logs_alone() -> None:
    both = [rule_of("m", {"regex": "([0-9]+)"}), rule_of("n", {"file": "/results/a", "regex": "([0-9]+)"})]
    extractor = Extractor(both)
    assert [(rule.metric, value) for rule, value in extractor.read({"type": "log", "line": "7"})] == [("m", 7.0)]
    assert extractor.read({"type": "file", "path": "/results/a", "text": "7"}) == []
    assert extractor.read_file({"type": "file", "path": "/results/other", "text": "7"}) == []
