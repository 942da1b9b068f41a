# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run whose clients on two hosts are load tools: what their records say together, and what their exports say each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import report_tables, summary

from ..synthetic import Fleet, Play, make_plan

SHORT = WindowSettings(15.0, 20.0)
PROFILE = Path(__file__).resolve().parents[4] / "profiles" / "ovms-llm" / "profile.yml"
FAST, SLOW = "ovms-client-1", "ovms-client-2"
# Milliseconds to the first token: nine of ten requests are the fast client's.
FIRST = {FAST: np.linspace(40.0, 60.0, 900), SLOW: np.linspace(400.0, 800.0, 100)}
GOOD_MS = 500.0


class Tools(Fleet):
    """Clients that leave AIPerf's records and its export behind."""

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = [sample for sample in super().replica(name, replica, t, second) if sample["type"] != "log"]
        if name in FIRST and second >= 10:
            of = {"t": t, "type": "file", "replica": name}
            for path, text in (("profile_export.jsonl", records(name)), ("profile_export_aiperf.json", export(name))):
                found.append({**of, "path": f"/results/{path}", "file": f"/results/{path}", "text": text})
        return found


def records(name: str) -> str:
    lines = []
    for first in FIRST[name]:
        values = {"time_to_first_token": first, "inter_token_latency": 20.0, "request_latency": first + 300.0}
        metrics = {tag: {"value": value, "unit": "ms"} for tag, value in values.items()}
        lines.append(json.dumps({"metrics": {**metrics, "inter_chunk_latency": {"value": [20.0, 20.0], "unit": "ms"}}}))
    return "".join(f"{line}\n" for line in lines)


def export(name: str) -> str:
    first = FIRST[name]
    rate = len(first) / 30.0
    whole = {
        "time_to_first_token": {"p99": float(np.quantile(first, 0.99))},
        "inter_token_latency": {"p99": 20.0},
        "request_latency": {"p99": float(np.quantile(first, 0.99)) + 300.0},
        "output_token_throughput": {"avg": 16.0 * rate},
        "request_throughput": {"avg": rate},
        "goodput": {"avg": float((first <= GOOD_MS).sum()) / 30.0},
        "input_config": {"phases": [{"kind": "profiling", "rate": rate}]},
    }
    return json.dumps(whole)


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    plan = make_plan(hosts=3, clients=2)
    rules = yaml.safe_load(PROFILE.read_text())["containers"][1]["metrics"]
    for name in FIRST:
        plan["replicas"][name]["metrics"] = rules
    return Play(tmp_path_factory.mktemp("tools"), plan, Tools(plan)).whole(SHORT)


def test_a_percentile_over_hosts_is_that_of_all_requests(record: dict[str, Any]) -> None:
    assert record["containers"][FAST]["host"] != record["containers"][SLOW]["host"]
    together = record["totals"]["time_to_first_token_seconds"]
    everything = np.concatenate(list(FIRST.values())) / 1000.0
    assert together["n"] == 1000
    for name, p in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        assert together[name] == pytest.approx(float(np.quantile(everything, p)), rel=0.02)
    means = {p: float(np.mean([np.quantile(one, p) for one in FIRST.values()])) / 1000.0 for p in (0.5, 0.95)}
    assert together["p50"] < 0.2 * means[0.5]
    assert together["p95"] > 1.3 * means[0.95]


def test_a_percentile_that_a_tool_exports_stays_each_clients_own(record: dict[str, Any]) -> None:
    metric = "time_to_first_token_p99_seconds"
    own = {name: float(np.quantile(first, 0.99)) / 1000.0 for name, first in FIRST.items()}
    for name, p99 in own.items():
        assert record["metrics"][name][metric]["max"] == pytest.approx(p99)
    together = record["totals"][metric]
    assert (together["min"], together["max"]) == (pytest.approx(own[FAST]), pytest.approx(own[SLOW]))
    assert {together[name] for name in ("mean", "p50", "p95", "p99")} == {None}


def test_rates_and_good_requests_are_added_up(record: dict[str, Any]) -> None:
    totals = record["totals"]
    good = sum(int((first <= GOOD_MS).sum()) for first in FIRST.values())
    assert totals["goodput_per_second"]["mean"] == pytest.approx(good / 30.0)
    assert totals["goodput_per_second"]["mean"] < totals["achieved_per_second"]["mean"]
    for metric, rate in (("achieved_per_second", 1.0), ("offered_per_second", 1.0), ("output_tokens_per_second", 16.0)):
        assert totals[metric]["mean"] == pytest.approx(rate * 1000 / 30.0)
    assert record["verdict"] == "ok", record["reasons"]


def test_the_table_shows_what_is_asked_and_what_is_good(record: dict[str, Any]) -> None:
    head = summary.headings(record)
    cells = {row[0]: dict(zip(head, row, strict=True)) for row in summary.table_rows(record)}
    assert (cells[FAST]["done/s"], cells[FAST]["asked/s"], cells[FAST]["good/s"]) == ("30.0", "30.0", "30.00")
    assert (cells["all"]["done/s"], cells["all"]["tokens/s"], cells["all"]["good/s"]) == ("33.3", "533.3", "30.83")


def test_the_report_begins_with_what_was_done_of_what_was_asked(record: dict[str, Any]) -> None:
    cards = {label: f"{value} {unit}" for label, value, unit in report_tables.cards(record)}
    assert (cards["Done"], cards["Asked"], cards["Good"]) == ("33.3 requests/s", "33.3 requests/s", "30.83 requests/s")
    assert cards["Tokens"] == "533.3 tokens/s"
    assert float(cards["First token p50"].removesuffix(" ms")) < 60.0


def test_a_table_that_is_too_wide_has_a_line_for_each_figure(record: dict[str, Any]) -> None:
    lines = summary.table(record).splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("replica"))
    names = lines[at].split()
    assert names == ["replica", FAST, SLOW, "ovms-ovms-server-1", "all"]
    assert lines[at + 1].split() == ["host", "client1", "client2", "server"]
    assert set(lines[at + 2]) == {" ", "-"}
    first = lines[at + 2].index(" ")
    shown = {line[:first].strip(): dict(zip(names[1:], line[first:].split(), strict=False)) for line in lines[at + 3 :]}
    assert (shown["good/s"][FAST], shown["good/s"][SLOW], shown["good/s"]["all"]) == ("30.00", "0.83", "30.83")
    assert float(shown["ttft p50 ms"]["all"]) < 60.0 < float(shown["ttft p50 ms"][SLOW])
    assert len(lines[at + 2]) <= summary.MOST_WIDTH
