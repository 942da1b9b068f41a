# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that is gone in the middle of a call: the playbook ends, the others finish, and one error names the host."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from .conftest import Fleet, Playing
from .test_failure import container, profile
from .test_faults import STREAM, machine, window

SECONDS = 90
"""Within which a call of a host ends that does not answer any more: keep-alives need 40 of them."""
SLOW = container("slow", "h2,h3", "sleep 20; echo up; trap 'exit 0' TERM; while :; do sleep 0.2; done", timeout=60)


def reachable(fleet: Fleet, host: str) -> None:
    """Wait until a host is there again, with its engine."""
    ready = ["ansible", host, "-m", "ansible.builtin.wait_for_connection", "-a", "timeout=60"]
    subprocess.run(ready, cwd=fleet.home, env=fleet.environment, check=True)
    fleet.shell(host, "timeout 60 sh -c 'until docker info; do sleep 0.1; done' >/dev/null 2>&1")


@contextmanager
def link_down(fleet: Fleet, host: str) -> Iterator[None]:
    with machine(host) as here:
        index = here.exec_run(["cat", "/sys/class/net/eth0/iflink"]).output.decode().strip()
    # All at once: others' links come and go.
    shown = subprocess.run(["ip", "-json", "link", "show"], check=True, capture_output=True, text=True).stdout
    [link] = [one["ifname"] for one in json.loads(shown) if one["ifindex"] == int(index)]
    subprocess.run(["ip", "link", "set", link, "down"], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "link", "set", link, "up"], check=True)
        reachable(fleet, host)


@contextmanager
def power_cut(fleet: Fleet, host: str) -> Iterator[None]:
    with machine(host) as here:
        here.kill()
        try:
            yield
        finally:
            here.start()
            reachable(fleet, host)


def left_on(fleet: Fleet) -> list[str]:
    """What is there of ours after stop: containers, networks, samplers, and folders of deployments and runs."""
    state = "/var/lib/retail-profiles"
    look = (
        "docker ps -aq --filter label=retail.profiles.collection; "
        "docker network ls -q --filter label=retail.profiles.collection; "
        "pgrep -f [r]etail.profiles.sampler; "
        f"find {state}/deployments {state}/runs -mindepth 1 2>/dev/null || true"
    )
    return [f"{host}: {text}" for host, text in fleet.shells("all", look).items() if text.strip()]


@pytest.mark.parametrize("fault", [link_down, pytest.param(power_cut, marks=pytest.mark.long)])
def test_a_host_that_is_gone_while_it_is_measured_is_told_first(
    fleet: Fleet, fault: Callable[[Fleet, str], AbstractContextManager[None]]
) -> None:
    fleet.profile("gone", f"containers:\n{STREAM.replace('h1,h2,h3', 'h2,h3')}")
    times = {"measure_warmup_max": 1, "measure_duration": 15, "measure_poll": 3, "measure_contention_max": 100}
    with fleet.start("run_profile", profile="gone", **times) as playing:
        time.sleep(max(0.0, window(fleet, playing, 0) + 5.0 - time.time()))
        with fault(fleet, "h2"):
            done = playing.end()
    run = fleet.latest()
    fleet.well("stop_profile")
    assert done.status != 0
    assert run["verdict"] == "failed"
    first = r"host h2 could not be reached any more: it answered last at second \d+ of the measurement \(.+\)"
    assert re.fullmatch(first, run["reasons"][0]), run["reasons"]
    assert any(reason.startswith("host h2: no sample") for reason in run["reasons"]), run["reasons"]
    assert not [reason for reason in run["reasons"] if "h3" in reason], run["reasons"]
    assert run["metrics"]["gone-stream-2"]["fps"]["mean"] > 10
    assert left_on(fleet) == []


@pytest.mark.parametrize("pipelining", [pytest.param("True", marks=pytest.mark.long), "False"])
def test_a_link_that_is_cut_in_the_middle_of_a_call_ends_it(fleet: Fleet, pipelining: str) -> None:
    """By the direct call, and by Ansible's archive of the module."""
    fleet.profile("cut", profile(SLOW))
    with calling(fleet, pipelining) as playing:
        playing.until("TASK [retail.profiles.profile : Apply wave 1]")
        until_running(fleet, "h2", "cut-slow-1")
        began = time.monotonic()
        with link_down(fleet, "h2"):
            done = playing.end()
            took = time.monotonic() - began
    fleet.well("stop_profile")
    assert done.status != 0
    assert took < SECONDS
    [error] = [line for line in done.output.splitlines() if "Deployment cut failed" in line and "fatal:" in line]
    assert re.search(r"Deployment cut failed: h2: unreachable: .*\(applying deployment cut, after \d+ s\)", error)
    assert "h3: " not in error
    assert re.search(r"h2: applying deployment cut, for 30 s so far \(given up after \d+ s\)", done.output)
    assert "changed: [h3]" in done.output
    assert left_on(fleet) == []


@contextmanager
def calling(fleet: Fleet, pipelining: str) -> Iterator[Playing]:
    fleet.clean = False
    environment = {**fleet.environment, "ANSIBLE_PIPELINING": pipelining}
    with Playing(fleet.command("deploy_profile", profile="cut"), fleet.home, environment) as playing:
        yield playing


def until_running(fleet: Fleet, host: str, name: str) -> None:
    with machine(host) as here:
        wait = f"until docker ps --format '{{{{.Names}}}}' | grep -qx {name}; do sleep 0.1; done"
        assert here.exec_run(["timeout", "60", "sh", "-c", wait]).exit_code == 0


@pytest.mark.long
def test_a_frozen_host_does_not_keep_the_others_from_being_looked_at(fleet: Fleet) -> None:
    """It takes connections, and says nothing."""
    with machine("h2") as here:
        here.pause()
        try:
            began = time.monotonic()
            looked = fleet.play("status_profile")
            stopped = fleet.play("stop_profile")
            took = time.monotonic() - began
        finally:
            here.unpause()
    reachable(fleet, "h2")
    assert took < 2 * SECONDS
    assert looked.status != 0
    assert stopped.status != 0
    assert re.search(r"h2: unreachable: .*removing every deployment, after \d+ s", stopped.output)
    assert "asking how its replicas are, after" in looked.output
