# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong: one clear error before anything starts, honest verdicts, and nothing left behind."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from .conftest import SHORT, Done, Fleet

SLEEPER = """
containers:
  - name: one
    image: retail/kserve-client:1
    entrypoint: [/bin/sh, -c]
    args: ["{script}"]
    hosts: ovms_clients
    replicas_per_host: 1
    metrics:
      fps: {{log: fps, required: false}}
"""
LOOP = "trap 'exit 0' TERM; while true; do echo '{\\\"fps\\\": 1}'; sleep 1 & wait $!; done"


def bad(text: str) -> dict[str, Any]:
    return {"text": f"containers:\n  - name: one\n    image: retail/kserve-client:1\n    hosts: h1\n{text}"}


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no such profile": ({"profile": "nosuch"}, "there is no profile 'nosuch'"),
    "a path with ..": ({"profile": "../x"}, "must not contain '..'"),
    "a system path": ({"profile": "/etc"}, "a folder of the operating system"),
    "not YAML": ({"text": "containers: ["}, "profile.yml:1: this is not valid YAML"),
    "unknown field": (
        bad("    entrypiont: x\n"),
        "profile.yml:5, container one: unknown field 'entrypiont': did you mean 'entrypoint'",
    ),
    "no env file": (
        bad("    env_file: x.env\n"),
        "profile.yml:5, container one, field env_file: 'x.env' is not in the profile's folder",
    ),
    "no host": (bad("").copy() | {"place": "nowhere"}, "the pattern 'nowhere' matches no host"),
    "no image": (
        # Nobody listens there, which is known at once; a name that nobody knows is asked for again and again.
        {"text": "containers:\n  - {name: one, image: '127.0.0.1:9/none:1', hosts: h1}\n"},
        "image 127.0.0.1:9/none:1",
    ),
    "no model directory": (bad("    volumes: ['/var/lib/nowhere:/models:ro']\n"), "/var/lib/nowhere"),
}


def test_bad_input_is_one_clear_error_before_anything_starts(fleet: Fleet) -> None:
    def played(case: str) -> Done:
        given, _message = BAD[case]
        name = f"bad-{list(BAD).index(case)}"
        if "text" in given:
            fleet.profile(name, given["text"])
        variables = {"profile": given.get("profile", name)}
        if "place" in given:
            variables["profile_place"] = {"one": given["place"]}
        return fleet.play("run_profile", **variables)

    # None of them comes to start anything, so they do not meet.
    with ThreadPoolExecutor(max_workers=3) as pool:
        ended = dict(zip(BAD, pool.map(played, BAD)))
    for case, done in ended.items():
        assert done.status != 0, case
        assert BAD[case][1] in done.output, done.output
        assert "Traceback" not in done.output, case
    assert fleet.leftovers() == {}


def test_a_port_in_use_is_named_before_anything_starts(fleet: Fleet) -> None:
    fleet.shell("h1", "nohup python3 -m http.server 9000 --bind 0.0.0.0 >/dev/null 2>&1 & echo $! > /tmp/holder.pid")
    try:
        done = fleet.play("run_profile", profile="ovms")
    finally:
        fleet.shell("h1", "kill $(cat /tmp/holder.pid); rm /tmp/holder.pid")
    assert done.status != 0
    assert "host h1, container ovms-server, field ports.grpc: port 9000 is in use" in done.output
    assert fleet.leftovers() == {}


def test_without_the_callback_the_playbook_says_which_line_to_add(fleet: Fleet) -> None:
    (fleet.home / "own.cfg").write_text("[defaults]\n", encoding="utf-8")
    done = fleet.play("run_profile", environment={"ANSIBLE_CONFIG": str(fleet.home / "own.cfg")}, profile="ovms")
    assert done.status != 0
    assert "callbacks_enabled = retail.profiles.profile_metrics" in done.output
    assert fleet.leftovers() == {}


def test_a_container_that_exits_fails_the_run_and_all_is_cleaned_up(fleet: Fleet) -> None:
    fleet.profile("exits", SLEEPER.format(script="echo sorry; exit 3") + "    ready: {log: never, timeout: 20s}\n")
    done = fleet.play("run_profile", profile="exits", **SHORT)
    run = fleet.latest()
    assert done.status != 0
    assert run["verdict"] == "failed"
    assert any("exits-one-1" in reason for reason in run["reasons"]), run["reasons"]
    assert all(f"exits-one-{n}" in done.output for n in (1, 2, 3))
    assert "sorry" in done.output
    assert fleet.leftovers() == {}


def test_a_replica_that_dies_while_it_is_measured_fails_the_run(fleet: Fleet) -> None:
    fleet.profile("dies", SLEEPER.format(script="for i in 1 2 3 4 5 6 7 8; do echo '{\\\"fps\\\": 1}'; sleep 1; done"))
    done = fleet.play("run_profile", profile="dies", **SHORT)
    assert done.status != 0
    assert fleet.latest()["verdict"] == "failed"
    assert fleet.leftovers() == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_an_interrupted_run_leaves_a_record_and_is_stopped_with_the_inventory_alone(
    fleet: Fleet, foreign: str, number: signal.Signals
) -> None:
    fleet.profile("long", SLEEPER.format(script=LOOP))
    with fleet.start("run_profile", profile="long", measure_warmup_max=5, measure_duration=300) as playing:
        playing.until("Look at the windows")
        playing.signal(number)
        playing.process.wait(timeout=60)
    run = fleet.latest()
    assert run["verdict"] == "aborted"
    assert fleet.leftovers() != {}
    fleet.well("stop_profile")
    assert fleet.leftovers() == {"h2": [foreign]}


def test_a_host_that_the_plan_does_not_use_may_be_unreachable(fleet: Fleet) -> None:
    variables = fleet.inventory.read_text(encoding="utf-8")
    more = fleet.inventory.with_name("more.yml")
    more.write_text(
        variables.rstrip() + "\n    others:\n      hosts:\n        gone: {ansible_host: 127.0.0.9}\n", encoding="utf-8"
    )
    try:
        fleet.well("deploy_profile", "-i", str(more), profile="ovms")
    finally:
        more.unlink()
