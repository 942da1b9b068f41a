# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures out of files in the record of a run: whole, explained where they are missing, percentiles never averaged."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan, objectives
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Point, Series, Span, cut
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import summary

from ..synthetic import Fleet, Play, make_plan

SHORT = WindowSettings(15.0, 10.0)
FIRST, SECOND = "ovms-client-1", "ovms-client-2"
REPORT = "/results/report.json"
RULES = {
    "fps": {"file": "/results/pipeline*.log", "regex": r"^([0-9.]+)$", "kind": "gauge", "unit": "fps"},
    "latency_seconds": {"file": REPORT, "json": "records", "kind": "sketch", "unit": "seconds", "scale": 0.001},
    "p99_ms": {"file": REPORT, "json": "latency.p99", "kind": "quantile", "unit": "ms"},
    "errors": {"file": REPORT, "json": "failed"},
    "notes": {"file": REPORT, "json": "a.b", "required": False},
    "other": {"file": "/results/none.csv", "csv": 1, "required": False},
}
P99 = {FIRST: 80.0, SECOND: 200.0}
FPS = {FIRST: "39.0\n15.0\n15.0\n", SECOND: "10.0\n"}


class Writing(Fleet):
    """Clients that say nothing while they run, and leave files behind."""

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = [sample for sample in super().replica(name, replica, t, second) if sample["type"] != "log"]
        if name in P99 and second >= 10:  # what is read later takes the place of what was read before
            report = {"records": [10, 20, 30], "latency": {"p99": P99[name]}, "failed": 2}
            of = {"t": t, "type": "file", "replica": name}
            found += [
                {**of, "path": REPORT, "file": REPORT, "text": json.dumps(report)},
                {**of, "path": "/results/pipeline*.log", "file": "/results/pipeline1.log", "text": FPS[name]},
                {
                    "t": t,
                    "type": "absent",
                    "subject": name,
                    "metric": "file /results/none.csv",
                    "reason": "no such file",
                },
            ]
        return found


def planned(**rules: Any) -> dict[str, Any]:
    made = make_plan(hosts=3, clients=2)
    for name in P99:
        made["replicas"][name]["metrics"] = {**RULES, **rules}
    return made


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory) -> Play:
    plan = planned()
    made = Play(tmp_path_factory.mktemp("files"), plan, Writing(plan))
    made.whole(SHORT)
    return made


def test_each_replica_has_its_own_value_once_however_often_it_was_read(play: Play) -> None:
    record = play.record()
    figures = record["metrics"][FIRST]
    assert (figures["fps"]["n"], figures["fps"]["mean"], figures["fps"]["max"]) == (3, pytest.approx(23.0), 39.0)
    assert (figures["latency_seconds"]["n"], figures["latency_seconds"]["max"]) == (3, 0.03)
    assert figures["p99_ms"] == {
        "unit": "ms",
        "n": 1,
        "mean": None,
        "p50": None,
        "p95": None,
        "p99": None,
        "min": 80.0,
        "max": 80.0,
        "ready_made": True,
    }


def test_over_replicas_there_are_the_extremes_of_percentiles_and_no_average(play: Play) -> None:
    totals = play.record()["totals"]
    told = {key: value for key, value in totals["p99_ms"].items() if value is not None}
    assert told == {"unit": "ms", "n": 2, "min": 80.0, "max": 200.0, "ready_made": True}
    assert (totals["fps"]["mean"], totals["fps"]["n"], totals["fps"]["max"]) == (pytest.approx(33.0), 2, None)
    assert totals["latency_seconds"]["n"] == 6
    assert totals["errors"]["total"] == 4


def test_what_a_file_lacks_is_absent_with_the_container_and_its_host(play: Play) -> None:
    record = play.record()
    assert record["absent"][FIRST]["notes"] == f"{REPORT} in container {FIRST} on host client1: no key a.b in it"
    assert record["absent"][SECOND]["other"] == (
        f"/results/none.csv in container {SECOND} on host client2: no such file"
    )
    assert not [word for word in record["absent"][FIRST] if word.startswith("file ")]
    assert record["verdict"] == "degraded"
    assert f"replica {FIRST} on client1: no notes: {record['absent'][FIRST]['notes']}" in record["reasons"]


def test_the_warm_up_is_judged_by_what_is_told_while_it_runs(play: Play) -> None:
    windows = play.record()["windows"]
    assert [window["valid"] for window in windows] == [True, True]
    assert "not every stream is alive" not in " ".join(windows[0]["reasons"])


def test_the_table_shows_each_percentile_and_their_range(play: Play) -> None:
    record = play.record()
    at = summary.headings(record).index("p99_ms")
    cells = {row[0]: row[at] for row in summary.table_rows(record)}
    assert {name: cells[name] for name in (FIRST, SECOND, "all")} == {FIRST: "80", SECOND: "200", "all": "80…200"}


def test_exports_have_one_value_of_what_tells_of_a_whole_run(play: Play) -> None:
    rows = list(csv.DictReader(io.StringIO((play.path / "metrics.csv").read_text())))
    told = {(row["replica"], row["statistic"]): row["value"] for row in rows if row["metric"] == "p99_ms"}
    assert told[FIRST, "max"] == "80.0"
    assert (told["", "min"], told["", "max"]) == ("80.0", "200.0")
    assert not [key for key in told if key[1] in ("mean", "ready_made")]
    lines = (play.path / "metrics.prom").read_text().splitlines()
    shown = [line for line in lines if line.startswith("retail_profiles_p99_ms{")]
    assert [line.split("}")[1].split()[0] for line in shown] == ["80.0", "200.0"]
    fps = [line for line in lines if line.startswith('retail_profiles_fps{host="client1"')]
    assert [line.split("}")[1].split()[0] for line in fps] == ["23.0"]
    assert "Camera_1 FPS,23" in (play.path / "summary.csv").read_text()


def test_a_required_file_that_is_missing_fails_the_run_with_its_reason(tmp_path: Path) -> None:
    plan = planned(other={**RULES["other"], "required": True})
    record = Play(tmp_path, plan, Writing(plan)).whole(SHORT)
    assert record["verdict"] == "failed"
    assert any(
        f"no value of its metric other in the window (/results/none.csv in container {FIRST}" in reason
        for reason in record["reasons"]
    )


def test_files_that_replicas_of_a_host_write_into_one_folder_tell_of_none(tmp_path: Path) -> None:
    plan = planned()
    for name in P99:
        plan["replicas"][name].update(host="client1", task={"name": name, "volumes": ["/work/results:/results:rw"]})
    record = Play(tmp_path, plan, Writing(plan)).whole(SHORT)
    assert "p99_ms" not in record["metrics"][FIRST]
    assert record["absent"][FIRST]["p99_ms"] == (
        f"{SECOND} on the same host writes report.json into the same folder: give each replica a folder of its own, by"
        " {{ replica.name }} in the source of its volume"
    )
    for name in P99:
        plan["replicas"][name]["task"] = {"mounts": [{"source": f"/work/{name}", "target": "/results"}]}
    record = Play(tmp_path / "own", plan, Writing(plan)).whole(SHORT)
    assert record["metrics"][FIRST]["p99_ms"]["max"] == 80.0


class Logging(Fleet):
    """Clients that log a ready-made percentile each second."""

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = super().replica(name, replica, t, second)
        if name in P99:
            line = json.dumps({"p99": second})
            found.append({"t": t, "type": "log", "replica": name, "stream": "stdout", "line": line})
        return found


def test_a_logged_percentile_is_cut_by_the_windows(tmp_path: Path) -> None:
    plan = make_plan(hosts=3, clients=2)
    for name in P99:
        rules = plan["replicas"][name]["metrics"]
        plan["replicas"][name]["metrics"] = {**rules, "tail": {"log": "p99", "kind": "quantile", "unit": "ms"}}
    record = Play(tmp_path, plan, Logging(plan)).whole(SHORT)
    figures = record["metrics"][FIRST]["tail"]
    assert (figures["mean"], figures["n"], figures["ready_made"]) == (None, 10, True)
    assert figures["max"] - figures["min"] == 9.0


def test_windows_do_not_cut_what_tells_of_a_whole_run() -> None:
    read = Point(1000.0, 1000.0, 7.0)
    for kind in ("gauge", "quantile"):
        told = cut(Series("m", "1", kind, points=(read,), whole=True), [Span(0.0, 10.0)])
        assert told is not None
        assert (told.min, told.max) == (7.0, 7.0)
        assert cut(Series("m", "1", kind, points=(read,)), [Span(0.0, 10.0)]) is None
    assert Series("m", "1", "gauge", points=(read,), whole=True).times == ()


def test_an_objective_of_a_ready_made_percentile_looks_at_the_worst(tmp_path: Path) -> None:
    objective = {"metric": "p99_ms", "container": "client", "statistic": "max", "at_most": 100.0}
    plan = {**planned(), "objectives": [objective, {**objective, "over": "all"}, {**objective, "at_most": 250.0}]}
    found = Play(tmp_path, plan, Writing(plan)).whole(SHORT)["objectives"]
    assert [(one["state"], one["value"]) for one in found] == [("missed", 200.0), ("missed", 200.0), ("met", 200.0)]
    averaged = {**plan, "objectives": [{**objective, "statistic": "mean"}]}
    with pytest.raises(ProfileError, match="a percentile that comes ready-made: take statistic: max, or min"):
        objectives.of_plan(measured_plan.of_plan(averaged))


class Ending(Writing):
    """Clients that end by themselves in the window: the first with exit code 0, the second as it is told."""

    code = 0

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = super().replica(name, replica, t, second)
        if name not in P99 or second < 17:
            return found
        kept = [sample for sample in found if sample["type"] == "file"]
        if second == 17:
            code = 0 if name == FIRST else self.code
            kept.append({"t": t, "type": "state", "replica": name, "event": "gone", "exit_code": code})
        return kept


class Failing(Ending):
    code = 3


def test_one_that_tells_in_files_alone_may_end_long_before_the_window(tmp_path: Path) -> None:
    plan = planned()
    record = Play(tmp_path, plan, Ending(plan)).whole(replace(SHORT, duration=60.0))
    assert [window["valid"] for window in record["windows"]] == [True, True], record["reasons"]
    assert record["metrics"][FIRST]["p99_ms"]["max"] == 80.0


def test_one_that_tells_in_files_alone_may_end_in_the_window_if_all_went_well(tmp_path: Path) -> None:
    plan = planned()
    record = Play(tmp_path / "ok", plan, Ending(plan)).whole(SHORT)
    assert [window["valid"] for window in record["windows"]] == [True, True]
    assert record["metrics"][FIRST]["p99_ms"]["max"] == 80.0
    record = Play(tmp_path / "failed", plan, Failing(plan)).whole(SHORT)
    assert record["verdict"] == "failed"
    told = f"replica {SECOND} on client2: ended with exit code 3 before the window was over"
    assert record["reasons"][0].endswith(told)


def test_the_file_of_one_that_ran_before_the_windows_is_required_as_any(tmp_path: Path) -> None:
    plan = planned()
    plan["replicas"][FIRST].update(
        ready=[{"kind": "exited"}],
        metrics={"a": RULES["other"], "b": {**RULES["other"], "required": True}, "live": {"log": "x"}},
    )
    reasons = Play(tmp_path, plan, Writing(plan)).whole(SHORT)["reasons"]
    of_first = [reason for reason in reasons if FIRST in reason]
    missing = f"/results/none.csv in container {FIRST} on host client1: no such file"
    assert of_first == [
        f"replica {FIRST} on client1: no value of its metric b in the window ({missing})",
        f"replica {FIRST} on client1: no a: {missing}",
    ]


def test_what_one_file_lacks_is_told_in_one_line_and_that_its_container_had_not_ended(tmp_path: Path) -> None:
    missing = {"file": "/results/none.csv", "csv": 1, "required": True}
    plan = planned(other=missing, another=missing)
    record = Play(tmp_path, plan, Writing(plan)).whole(SHORT)
    (reason,) = [reason for reason in record["reasons"] if FIRST in reason and "none.csv" in reason]
    assert reason.endswith(
        f"no value of its metrics another, other in the window (/results/none.csv in container {FIRST} on host "
        "client1: no such file): it had not ended by then, give the measurement more time or the load less"
    )
