# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Studies on the lab: interrupted and resumed, with a combination that fails; and A/A and A/B where the truth is known.

The truth of the long one: a server whose CPU quota is a level, and twins, which are levels that change nothing.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import served
from .conftest import SHORT, TINY, Fleet

#: the client tells of as many frames a second as its RATE
TOLD = """
containers:
  - name: server
    image: retail/kserve-client:1
    entrypoint: [sh, -c, 'trap "exit 0" TERM; sleep infinity & wait']
    hosts: h1
  - name: client
    image: retail/kserve-client:1
    entrypoint:
      - sh
      - -c
      - 'trap "exit 0" TERM; while sleep 0.5 & wait $!; do echo "{\\"fps\\": $RATE, \\"latency\\": [0.0$RATE]}"; done'
    env: {RATE: 1}
    hosts: h2
    depends_on: [server]
    metrics:
      fps: {log: fps, kind: gauge, unit: fps}
      latency_seconds: {log: latency, kind: sketch, unit: seconds}
objectives: [{metric: latency_seconds, at_most: 0.015}]
"""
#: so does each client, of a rate that they alone are written with
MANY = """
containers:
  - name: server
    image: retail/kserve-client:1
    entrypoint: [sh, -c, 'trap "exit 0" TERM; sleep infinity & wait']
    hosts: h1
  - name: client
    image: retail/kserve-client:1
    entrypoint:
      - sh
      - -c
      - 'trap "exit 0" TERM; while :; do echo "{\\"fps\\": {{ profile_variables.RATE }}}"; sleep 0.5 & wait $!; done'
    hosts: h2,h3
    depends_on: [server]
    metrics: {fps: {log: fps, kind: gauge, unit: fps}}
"""


@pytest.fixture
def lab(fleet: Fleet) -> Iterator[Fleet]:
    fleet.profile("told", TOLD)
    yield fleet


def study(lab: Fleet, **fields: Any) -> str:
    """A study's file."""
    file = lab.home / "study.yml"
    file.write_text(json.dumps({"profile": "told", "variables": TINY, **fields}), encoding="utf-8")
    return str(file)


def folder(lab: Fleet) -> Path:
    (found,) = (lab.home / "results").glob("study-*")
    return found


def told(path: Path, name: str = "study.json") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.long
def test_an_interrupted_study_goes_on_and_answers(lab: Fleet) -> None:
    asked = {"factors": {"profile_env.RATE": [10, 20]}, "repeats": 2, "load": "profile_env.RATE"}
    file = study(lab, **asked)
    with lab.start("study_profile", study=file) as playing:
        playing.until("Run 2 of 4")
        before = lab.shell("h2", "docker ps -q --no-trunc")
        assert any(lab.shell("h2", "docker ps -q --no-trunc") != before for _ask in range(100))
        playing.signal(signal.SIGINT)
        # The user has his prompt again; what made the run may be just ending.
        assert playing.process.wait(timeout=60) != 0
        path = folder(lab)
        assert [run["ending"] for run in told(path)["runs"]] == ["done"]
        done = lab.well("study_profile", study=file, resume=str(path))
    state = told(path)
    assert len(state["runs"]) == 4 and {run["ending"] for run in state["runs"]} == {"done"}
    assert len({run["run_id"] for run in state["runs"]}) == 4
    for run in state["runs"]:
        # On a machine that others use as well a run may be degraded, and its figures are what they are.
        assert run["verdict"] in ({0: ("ok", "degraded"), 1: ("missed",)}[run["combination"]])
    answers = told(path, "answers.json")
    (effect,) = answers["main_effects"]
    assert effect["effect"] == pytest.approx(1.0, abs=0.01)
    assert answers["combinations"][1]["against_first"]["conclusion"] == "changed, better"
    assert answers["curves"][0]["goodput"] == 10.0
    assert "Main effects on fps" in done.output and f"Page: {path}/study.html" in done.output
    assert f"-e resume={path} goes on" in done.output
    assert (path / "study.html").is_file() and (path / "study.csv").is_file()
    groups = {"a": f"{path}#1", "b": f"{path}#profile_env.RATE=20", "include_failed": True}
    compared = lab.play("compare_runs", fail_on="changed", metrics="fps", **groups)
    assert compared.status != 0 and "changed, better" in compared.output
    assert lab.leftovers() == {}


def test_a_combination_that_fails_is_recorded_and_the_others_go_on(lab: Fleet) -> None:
    file = study(lab, factors={"profile_place.client": ["nowhere", "h2"]}, repeats=1)
    done = lab.play("study_profile", study=file)
    assert done.status != 0
    by_combination = {run["combination"]: run for run in told(folder(lab))["runs"]}
    assert (by_combination[0]["ending"], by_combination[1]["ending"]) == ("failed", "done")
    assert "nowhere" in by_combination[0]["reason"]
    assert "1 of them failed" in done.output
    assert lab.leftovers() == {}


#: the seed with which the first block of three combinations has them in their order
IN_ORDER = 1


def test_the_server_stays_where_only_the_load_differs(lab: Fleet) -> None:
    """Two clients, then one of them, then that one at another rate."""
    lab.profile("many", MANY)
    levels = [(10, 2), (10, 1), (20, 1)]
    combinations = [{"profile_variables.RATE": rate, "profile_replicas.client": clients} for rate, clients in levels]
    factors = {"profile_variables.RATE": [10, 20], "profile_replicas.client": [1, 2]}
    file = study(lab, profile="many", factors=factors, combinations=combinations, repeats=1, seed=IN_ORDER)
    with lab.start("study_profile", study=file) as playing:
        playing.until("Run 3 of 3")
        # Neither of the two last runs uses h3; the deployment stands.
        assert set(lab.leftovers()) == {"h1", "h2"}
        done = playing.end()
    assert done.status == 0, done.output
    runs = told(folder(lab))["runs"]
    assert [levels[run["combination"]] for run in runs] == levels
    records = [told(folder(lab) / run["run_id"], "run.json") for run in runs]
    started = [{name: c["started_at"] for name, c in record["containers"].items()} for record in records]
    assert len({each["many-server-1"] for each in started}) == 1
    assert started[0].keys() - started[1].keys() == {"many-client-2"}
    assert started[0]["many-client-1"] == started[1]["many-client-1"] < started[2]["many-client-1"]
    # Each warms up and counts for itself.
    assert [record["totals"]["fps"]["mean"] for record in records] == [20.0, 10.0, 20.0]
    begun = [record["windows"][0] for record in records]
    assert [window["phase"] for window in begun] == ["warmup"] * 3
    ends = [record["windows"][-1]["end"] for record in records]
    assert all(end < window["start"] for end, window in zip(ends, begun[1:], strict=False))
    assert lab.leftovers() == {}


def test_a_run_is_made_again_from_its_record(lab: Fleet) -> None:
    lab.well("run_profile", profile="told", profile_env={"RATE": 10}, **TINY)
    first = lab.latest()
    path = str(lab.home / "results" / first["run_id"])
    again = lab.well("run_profile", from_run=path)
    second = lab.latest()
    assert second["run_id"] != first["run_id"]
    for same in ("plan_id", "variables"):
        assert second[same] == first[same]
    images = [{name: c["image_id"] for name, c in run["containers"].items()} for run in (first, second)]
    assert images[0] == images[1] and all(images[0].values())
    assert second["totals"]["fps"]["mean"] == first["totals"]["fps"]["mean"] == 10.0
    assert f"The hosts are as they were in run {first['run_id']}." in again.output
    assert (lab.home / "results" / second["run_id"] / "comparison.html").is_file()
    other = lab.play("run_profile", from_run=path, measure_duration=7)
    assert other.status != 0
    assert f"measure_duration is 7, and run {first['run_id']} was measured with 5" in " ".join(other.output.split())
    assert lab.leftovers() == {}


QUOTAS, TWINS, REPEATS = [0.4, 0.32], [1, 2, 3, 4, 5, 6], 3


@pytest.mark.long
def test_twins_are_equal_and_a_fifth_less_of_a_processor_is_found(fleet: Fleet) -> None:
    """Six pairs of equal levels, of which one may be a false alarm; and six with 20 % less, which are all found."""
    text = served.profile("--concurrency, 2", server_cpus=QUOTAS[0], client_cpus=1)
    fleet.profile("twins", text.replace(f"cpus: {QUOTAS[0]}", "cpus: '{{ quota }}'", 1))
    factors = {"quota": QUOTAS, "profile_env.TWIN": TWINS}
    file = study(fleet, profile="twins", factors=factors, repeats=REPEATS, variables={**SHORT, "measure_duration": 15})
    fleet.patience = 3600
    done = fleet.play("study_profile", study=file, quota=1)
    path = folder(fleet)
    print(done.output[done.output.index("no.") :])
    assert done.status == 0, done.output

    def differs(a: tuple[float, int], b: tuple[float, int], **asked: str) -> bool:
        groups = {side: f"{path}#quota={quota}&profile_env.TWIN={twin}" for side, (quota, twin) in (("a", a), ("b", b))}
        compared = fleet.play("compare_runs", include_failed=True, **groups, **asked)
        assert "fail_on=" in compared.output or compared.status == 0, compared.output
        return compared.status != 0

    pairs = [((quota, twin), (quota, twin + 1)) for quota in QUOTAS for twin in TWINS[::2]]
    alarms = sum(differs(*pair, metrics="fps,latency_seconds.p50", fail_on="changed") for pair in pairs)
    slower = [((QUOTAS[0], twin), (QUOTAS[1], twin)) for twin in TWINS]
    found = sum(differs(*pair, metrics="fps", fail_on="worse") for pair in slower)
    print(f"false alarms: {alarms} of {len(pairs)}; slowdowns found: {found} of {len(TWINS)}")
    assert alarms <= 1
    assert found == len(TWINS)
