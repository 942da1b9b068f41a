# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What fails on a fleet: all else is finished, one error tells all, and the same again converges."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager

import docker
import pytest

from .conftest import Fleet
from .test_two_users import GATE, leases

UP = "echo up; trap 'exit 0' TERM; while :; do sleep 0.2; done"
ENGINE = "unix:///run/retail-profiles-lab/docker.sock"


def container(name: str, hosts: str, script: str = UP, more: str = "", timeout: int = 3) -> str:
    return f"""
  - name: {name}
    image: retail/kserve-client:1
    entrypoint: [/bin/sh, -c]
    args: ["{script}"]
    hosts: {hosts}
    replicas_per_host: 1
    ready: {{log: up, timeout: {timeout}s}}
    {more}
"""


SOLO = container("solo", "all")
SERVER = container("server", "h1")
CLIENT = container("client", "h2,h3", more="depends_on: [server]")


def profile(*parts: str) -> str:
    return "containers:" + "".join(parts)


def running(fleet: Fleet) -> set[str]:
    names = fleet.shells("all", "docker ps --format '{{.Names}}'")
    return {name for text in names.values() for name in text.split()}


@contextmanager
def without(fleet: Fleet, host: str, service: str, kill: str) -> Iterator[None]:
    """A host of the lab on which a service has died, and comes back with the end."""
    name = f"{os.environ['RETAIL_PROFILES_LAB']}-{host}"
    with closing(docker.DockerClient(ENGINE)) as engine:
        machine = engine.containers.get(name)
        assert machine.exec_run(["sh", "-c", f"touch /run/hold/{service}; {kill}"]).exit_code == 0
        try:
            yield
        finally:
            machine.exec_run(["rm", "-f", f"/run/hold/{service}"])
            wait = "until docker info; do sleep 0.1; done"
            machine.exec_run(["timeout", "60", "sh", "-c", wait])
            back = ["ansible", host, "-m", "ansible.builtin.wait_for_connection", "-a", "timeout=60"]
            subprocess.run(back, cwd=fleet.home, env=fleet.environment, check=True)


def test_all_that_fails_is_told_at_once_and_all_else_is_finished(fleet: Fleet) -> None:
    exits = container("server", "h1", "echo sorry; exit 3")
    never = container("never", "h2", "trap 'exit 0' TERM; sleep 1000 & wait")
    loops = container("loops", "h3", "exit 7", more="docker: {restart_policy: always}", timeout=60)
    fleet.profile("mixed", profile(exits, never, loops, SOLO, CLIENT))
    done = fleet.play("deploy_profile", profile="mixed", profile_on_failure="keep")
    assert done.status != 0
    [error] = [line for line in done.output.splitlines() if "Deployment mixed failed" in line and "fatal:" in line]
    for words in (
        "h1: mixed-server-1: exited with code 3",
        "sorry",
        "h2: mixed-never-1: not ready after 3",
        "h3: mixed-loops-1: restarts again and again, last with exit code 7",
        "Not started, as what they depend on failed: mixed-client-1, mixed-client-2.",
        "profile_on_failure=keep",
    ):
        assert words in error, error
    assert "Traceback" not in done.output
    solos = {f"mixed-solo-{n}" for n in (1, 2, 3, 4)}
    assert solos <= running(fleet)
    assert not {name for name in running(fleet) if "client" in name}
    assert leases(fleet) == set()

    fleet.profile("mixed", profile(SERVER, SOLO, CLIENT))
    again = fleet.well("deploy_profile", profile="mixed")
    assert "mixed-server-1" in again.output
    assert running(fleet) == {*solos, "mixed-server-1", "mixed-client-1", "mixed-client-2"}


@pytest.mark.parametrize("policy", ["rollback", "stop"])
def test_what_becomes_of_the_rest(fleet: Fleet, policy: str) -> None:
    fleet.profile("rest", profile(SOLO))
    fleet.well("deploy_profile", profile="rest")
    before = fleet.shell("h1", "docker inspect -f '{{.Id}}' rest-solo-1")
    fleet.profile("rest", profile(SOLO, container("more", "h2,h3"), container("bad", "h1", "exit 5")))
    done = fleet.play("deploy_profile", profile="rest", profile_on_failure=policy)
    assert done.status != 0
    assert f"profile_on_failure={policy}" in done.output
    if policy == "stop":
        assert fleet.leftovers() == {}
    else:
        assert running(fleet) == {f"rest-solo-{n}" for n in (1, 2, 3, 4)}
        assert fleet.shell("h1", "docker inspect -f '{{.Id}}' rest-solo-1") == before
    assert leases(fleet) == set()


def test_a_host_without_an_engine_is_told_before_anything_starts(fleet: Fleet) -> None:
    fleet.profile("solo", profile(SOLO))
    with without(fleet, "h3", "dockerd", "kill -9 $(cat /run/docker.pid)"):
        done = fleet.play("deploy_profile", profile="solo")
        assert done.status != 0
        assert "h3: engine" in done.output
        assert "Traceback" not in done.output
    assert running(fleet) == set()
    fleet.well("deploy_profile", profile="solo")


def test_a_host_that_drops_out_does_not_stop_the_others(fleet: Fleet) -> None:
    fleet.profile("gate", GATE.replace("h1,h2", "h1,h2,h3"))
    with fleet.start("deploy_profile", profile="gate", profile_on_failure="keep") as playing:
        playing.until("Apply wave 1")
        fleet.shells("h1,h2,h3", "timeout 60 sh -c 'until docker ps | grep -q gate-gate; do sleep 0.1; done'")
        with without(fleet, "h3", "sshd", "pkill -9 sshd"):
            fleet.shell("h1", "docker exec gate-gate-1 touch /tmp/open")
            fleet.shell("h2", "docker exec gate-gate-2 touch /tmp/open")
            done = playing.end()
    assert done.status != 0
    assert "h3: unreachable" in done.output
    assert {"gate-gate-1", "gate-gate-2"} <= running(fleet)
    fleet.shell("h3", "docker exec gate-gate-3 touch /tmp/open")
    fleet.well("deploy_profile", profile="gate", profile_lock_wait=120)
    assert running(fleet) == {"gate-gate-1", "gate-gate-2", "gate-gate-3"}
