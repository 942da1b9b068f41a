# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""20 hosts with 10 containers each: brought up, measured, and stopped; what each step took is printed.

Runs on a lab of that size: make test-long.
"""

from __future__ import annotations

import json
import resource
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab.main_job.conftest import SHORT, Fleet

PROFILE = Path(__file__).parent / "profiles" / "crowd"
HOSTS, EACH = 20, 10


@pytest.fixture
def crowd(checkout: Path, lab_inventory: Path, tmp_path: Path) -> Fleet:
    return Fleet(checkout, lab_inventory, tmp_path)


def test_twenty_hosts_with_ten_containers_each(crowd: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    took: dict[str, float] = {}

    def step(name: str, playbook: str, **variables: Any) -> str:
        start = time.monotonic()
        done = crowd.well(playbook, profile=str(PROFILE), **variables)
        took[name] = round(time.monotonic() - start, 1)
        return done.output

    step("prepare", "prepare_hosts")
    step("apply", "deploy_profile")
    assert "changed=0" in step("apply again", "deploy_profile")
    assert count(crowd) == HOSTS * EACH
    step("status", "status_profile")
    step("measure", "run_profile", profile_keep=True, **SHORT)
    run = crowd.latest()
    assert run["verdict"] == "ok", run["reasons"]
    assert len(run["containers"]) == HOSTS * EACH
    assert len(run["hosts"]) == HOSTS
    assert all(metrics["fps"]["n"] > 0 for metrics in run["metrics"].values())
    step("stop", "stop_profile")
    assert count(crowd) == 0
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    with capsys.disabled():
        print(f"\nseconds: {json.dumps(took)}; largest process of the controller: {largest:.0f} MiB")


def test_the_profile_ovms_runs_unchanged_on_twenty_hosts(crowd: Fleet) -> None:
    crowd.well("prepare_hosts", profile="ovms")
    crowd.well("run_profile", profile="ovms", profile_env={"FPS": "1"}, **SHORT)
    run = crowd.latest()
    assert run["verdict"] == "ok", run["reasons"]
    clients = [container for container in run["containers"].values() if container["container"] == "client"]
    assert len({container["host"] for container in clients}) == len(clients) == HOSTS - 1
    assert count(crowd) == 0


def count(fleet: Fleet) -> int:
    """Containers of ours on all hosts."""
    shown = fleet.shells("all", "docker ps -q --filter label=retail.profiles.collection | wc -l")
    assert len(shown) == HOSTS
    return sum(map(int, shown.values()))
