# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two playbooks at once: refused, waiting, side by side; and what stopping takes."""

from __future__ import annotations

import getpass
import re
import signal
from pathlib import Path

import pytest

from .conftest import Fleet

# Ready when somebody says so: a playbook that applies it works for as long as the test wants.
GATE = """
containers:
  - name: gate
    image: retail/kserve-client:1
    entrypoint: [/bin/sh, -c]
    args: ["trap 'exit 0' TERM; until [ -e /tmp/open ]; do sleep 0.1; done; echo open; while :; do sleep 0.1; done"]
    hosts: h1,h2
    replicas_per_host: 1
    ready: {log: open, timeout: 240s}
"""
# A process of another namespace of processes: as from another machine, where nobody knows who is alive.
ELSEWHERE = ("unshare", "--pid", "--fork", "--mount-proc")


def leases(fleet: Fleet) -> set[str]:
    """``HOST DEPLOYMENT`` of every lease."""
    found = fleet.shells("all", "ls /var/lib/retail-profiles/leases 2>/dev/null || true")
    return {f"{host} {name}" for host, names in found.items() for name in names.split()}


def open_gate(fleet: Fleet, deployment: str = "gate") -> None:
    fleet.shell("h1", f"docker exec {deployment}-gate-1 touch /tmp/open")
    fleet.shell("h2", f"docker exec {deployment}-gate-2 touch /tmp/open")


def holds(fleet: Fleet) -> None:
    """Return when both containers of the deployment gate run, so that the playbook waits for them to be ready."""
    up = 'until [ "$(docker ps --filter name=gate-gate --format x | wc -l)" = 1 ]; do sleep 0.1; done'
    fleet.shells("h1,h2", f"timeout 60 sh -c '{up}'")


@pytest.fixture
def gate(fleet: Fleet) -> Fleet:
    fleet.profile("gate", GATE)
    return fleet


def test_the_same_deployment_is_refused_and_everything_else_goes_on(gate: Fleet) -> None:
    with gate.start("deploy_profile", profile="gate") as first:
        first.until("Apply wave 1")
        holds(gate)
        refused = gate.play("deploy_profile", profile="gate")
        assert refused.status != 0
        owner = rf"{getpass.getuser()}@\S+, process {first.process.pid}, run Deploy the profile and leave it running"
        for host in ("h1", "h2"):
            assert re.search(rf"{host}: deployment gate on this host is held by {owner} since 20", refused.output)
        assert "profile_lock_wait" in refused.output
        assert "Traceback" not in refused.output
        # On one of its hosts is as bad; on others, or another deployment, is not.
        overlapping = gate.play("deploy_profile", profile="gate", profile_place={"gate": "h2,h3"})
        assert overlapping.status != 0
        assert leases(gate) == {"h1 gate", "h2 gate"}  # h3 was given back
        gate.well("deploy_profile", profile="capi", profile_deployment="gate", profile_place={"local-inference": "h3"})
        gate.well("deploy_profile", profile="capi", profile_deployment="other", profile_place={"local-inference": "h1"})
        open_gate(gate)
        done = first.end()
    assert done.status == 0, done.output
    assert leases(gate) == set()
    assert gate.well("deploy_profile", profile="gate").changed == 0


def test_waiting_for_another_playbook(gate: Fleet) -> None:
    with gate.start("deploy_profile", profile="gate") as first:
        first.until("Apply wave 1")
        holds(gate)
        with gate.start("deploy_profile", profile="gate", profile_lock_wait=200) as second:
            second.until("Wait a little")
            open_gate(gate)
            assert first.end().status == 0
            waited = second.end()
    assert waited.status == 0, waited.output
    assert sum(map(int, re.findall(r"rescued=(\d+)", waited.output))) > 0
    assert leases(gate) == set()


def test_stopping_leaves_what_a_living_playbook_works_on_unless_it_is_forced(gate: Fleet) -> None:
    gate.well("deploy_profile", profile="capi", profile_place={"local-inference": "h1"})
    with gate.start("deploy_profile", profile="gate") as first:
        first.until("Apply wave 1")
        holds(gate)
        stopped = gate.play("stop_profile")
        assert stopped.status != 0
        assert "held by" in stopped.output
        assert "profile_force=true" in stopped.output
        left = gate.leftovers()
        assert {line for lines in left.values() for line in lines if line.startswith("container")} == {
            "container gate-gate-1",
            "container gate-gate-2",
        }
        gate.well("stop_profile", profile_force=True)
        assert gate.leftovers() == {}
        lost = first.end()
    assert lost.status != 0
    assert "is not this playbook's any more" in lost.output
    assert gate.leftovers() == {}
    assert leases(gate) == set()


def test_what_a_dead_playbook_held_is_free_at_once_here_and_soon_elsewhere(gate: Fleet, tmp_path: Path) -> None:
    for again in ("deploy_profile", "stop_profile"):
        with gate.start("deploy_profile", profile="gate") as first:
            first.until("Apply wave 1")
            holds(gate)
            first.signal(signal.SIGKILL)
            first.process.wait(timeout=60)
        if again == "deploy_profile":
            with gate.start("deploy_profile", profile="gate") as second:
                second.until("Apply wave 1")
                holds(gate)
                open_gate(gate)
                assert second.end().status == 0
            gate.well("stop_profile")
        else:
            with gate.start("stop_profile", prefix=ELSEWHERE) as stop:
                stopped = stop.end()
            assert stopped.status == 0, stopped.output
        assert gate.leftovers() == {}
        assert leases(gate) == set()
