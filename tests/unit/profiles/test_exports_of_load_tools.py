# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of profiles with load tools, on what the tools wrote.

In exports/PROFILE, recorded from the stand-in on a busy machine; GuideLLM's without the metrics that no rule reads.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import rule_of
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric_rules import Extractor

EXPORTS = Path(__file__).parent / "exports"
PROFILES = Path(__file__).resolve().parents[3] / "profiles"
TOOLS = {"ovms-llm": "aiperf", "ovms-llm-guidellm": "guidellm"}
SKETCHES = ("time_to_first_token_seconds", "time_per_output_token_seconds", "latency_seconds")


def rules_of(profile: str) -> dict[str, Any]:
    containers = yaml.safe_load((PROFILES / profile / "profile.yml").read_text())["containers"]
    rules: dict[str, Any] = next(one["metrics"] for one in containers if one.get("name") == TOOLS[profile])
    return rules


def read(profile: str, metric: str, export: dict[str, Any]) -> list[Any] | str:
    """What a rule finds in an export."""
    rule = rule_of(metric, rules_of(profile)[metric])
    ((_rule, values),) = Extractor([rule]).read_file({"path": rule.file, "file": rule.file, "text": json.dumps(export)})
    return values


def told(profile: str) -> dict[str, Any]:
    """What the rules of a profile's load tool find in its exports."""
    made = [rule_of(name, rule) for name, rule in rules_of(profile).items()]
    found: dict[str, Any] = {}
    for file in sorted({rule.file for rule in made}):
        text = (EXPORTS / profile / Path(file).name).read_text()
        for rule, values in Extractor(made).read_file({"path": file, "file": file, "text": text}):
            assert not isinstance(values, str), f"{rule.metric}: {values}"
            (found[rule.metric],) = values
    assert set(found) == set(rules_of(profile))
    return found


def recorded() -> list[dict[str, Any]]:
    """AIPerf's records."""
    lines = (EXPORTS / "ovms-llm" / "profile_export.jsonl").read_text().splitlines()
    return [json.loads(line)["metrics"] for line in lines]


@pytest.mark.parametrize("profile", TOOLS)
def test_every_rule_finds_its_figure(profile: str) -> None:
    found = told(profile)
    counts = {name: found[name].count for name in SKETCHES}
    assert len(set(counts.values())) == 1
    assert found["offered_per_second"] == 2.0
    assert 0.0 < found["achieved_per_second"] <= 2.1
    assert found["output_tokens_per_second"] == pytest.approx(16 * found["achieved_per_second"], rel=0.1)
    assert found["errors"] == 0.0
    for name in ("time_to_first_token", "time_per_output_token", "latency"):
        sketch = found[f"{name}_seconds"]
        assert isinstance(sketch, Sketch)
        assert sketch.minimum is not None and sketch.maximum is not None
        assert sketch.minimum < found[f"{name}_p99_seconds"] <= sketch.maximum


def test_percentiles_of_single_requests_are_those_of_the_records() -> None:
    found = told("ovms-llm")
    for metric, tag in (("time_to_first_token_seconds", "time_to_first_token"), ("latency_seconds", "request_latency")):
        values = [record[tag]["value"] / 1000.0 for record in recorded()]
        assert found[metric].quantile(0.5) == pytest.approx(float(np.quantile(values, 0.5)), rel=0.02)
    gaps = [gap for record in recorded() for gap in record["inter_chunk_latency"]["value"]]
    assert found["inter_token_latency_seconds"].count == len(gaps)


def test_a_time_per_token_is_what_follows_the_first_one() -> None:
    for record in recorded():
        after = record["request_latency"]["value"] - record["time_to_first_token"]["value"]
        count = record["output_sequence_length"]["value"]
        assert record["inter_token_latency"]["value"] == pytest.approx(after / (count - 1))


def test_guidellm_names_times_per_token_as_this_collection_does_not() -> None:
    """Its inter-token latency is of what follows the first token; its time per output token has the first one, too."""
    export = json.loads((EXPORTS / "ovms-llm-guidellm" / "benchmarks.json").read_text())
    for request in export["benchmarks"][-1]["requests"]["successful"]:
        timings, count = request["info"]["timings"], request["output_tokens"]
        first, last = timings["first_token_iteration"], timings["last_token_iteration"]
        assert request["inter_token_latency_ms"] == pytest.approx(1000.0 * (last - first) / (count - 1))
        assert request["time_per_output_token_ms"] == pytest.approx(1000.0 * (last - timings["request_start"]) / count)


def test_good_requests_are_those_that_keep_what_the_load_asks() -> None:
    export = json.loads((EXPORTS / "ovms-llm-guidellm" / "benchmarks.json").read_text())["benchmarks"][-1]
    asked = export["config"]["slo"]
    good = [
        request
        for request in export["requests"]["successful"]
        if request["time_to_first_token_ms"] <= asked["ttft_ms"]
        and request["inter_token_latency_ms"] <= asked["tpot_ms"]
    ]
    assert 0 < len(good) < len(export["requests"]["successful"])
    assert told("ovms-llm-guidellm")["goodput_per_second"] == pytest.approx(len(good) / export["duration"])
    asked_ms = {"time_to_first_token": 500.0, "inter_token_latency": 50.0}
    kept = [one for one in recorded() if all(one[tag]["value"] <= most for tag, most in asked_ms.items())]
    summary = json.loads((EXPORTS / "ovms-llm" / "profile_export_aiperf.json").read_text())
    assert told("ovms-llm")["goodput_per_second"] == pytest.approx(len(kept) / summary["benchmark_duration"]["avg"])


def test_errors_that_aiperf_counts_are_read() -> None:
    export = json.loads((EXPORTS / "ovms-llm" / "profile_export_aiperf.json").read_text())
    export["error_request_count"] = {"unit": "requests", "avg": 3.0}
    assert read("ovms-llm", "errors", export) == [3.0]


def test_a_closed_loop_asks_for_no_rate() -> None:
    export = json.loads((EXPORTS / "ovms-llm" / "profile_export_aiperf.json").read_text())
    (phase,) = (phase for phase in export["input_config"]["phases"] if phase["kind"] == "profiling")
    del phase["rate"]
    assert read("ovms-llm", "offered_per_second", export) == [0.0]
    export = json.loads((EXPORTS / "ovms-llm-guidellm" / "benchmarks.json").read_text())
    del export["benchmarks"][-1]["config"]["strategy"]["rate"]
    assert read("ovms-llm-guidellm", "offered_per_second", export) == [0.0]
