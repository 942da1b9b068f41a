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
from .conftest import SHORT, Fleet

pytestmark = pytest.mark.measures

#: the client tells of as many frames a second as its RATE
TOLD = """
containers:
  - name: server
    image: retail/kserve-client:1
    entrypoint: [sleep, infinity]
    hosts: h1
  - name: client
    image: retail/kserve-client:1
    entrypoint: [sh, -c, 'while sleep 0.5; do echo "{\\"fps\\": $RATE, \\"latency\\": [0.0$RATE]}"; done']
    env: {RATE: 1}
    hosts: h2
    depends_on: [server]
    metrics:
      fps: {log: fps, kind: gauge, unit: fps}
      latency_seconds: {log: latency, kind: sketch, unit: seconds}
objectives: [{metric: latency_seconds, at_most: 0.015}]
"""
TINY = {"measure_warmup_max": 1, "measure_duration": 5, "measure_poll": 3}


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
        assert playing.end().status != 0
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


QUOTAS, TWINS, REPEATS = [0.4, 0.32], [1, 2, 3, 4, 5, 6], 3


@pytest.mark.long
def test_twins_are_equal_and_a_fifth_less_of_a_processor_is_found(fleet: Fleet) -> None:
    """Six pairs of equal levels, of which one may be a false alarm; and six with 20 % less, which are all found."""
    text = served.profile("--concurrency, 2", server_cpus=QUOTAS[0], client_cpus=1)
    fleet.profile("twins", text.replace(f"cpus: {QUOTAS[0]}", "cpus: '{{ quota }}'", 1))
    factors = {"quota": QUOTAS, "profile_env.TWIN": TWINS}
    file = study(fleet, profile="twins", factors=factors, repeats=REPEATS, variables={**SHORT, "measure_duration": 15})
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
