# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployments of several controllers over one server."""

from __future__ import annotations

import json
import signal

import pytest

from .conftest import SHORT, Fleet

SERVER = "shared-ovms-ovms-server-1"
TWIN = """
containers:
  - use: ovms/ovms-server
    shared: true
  - use: ovms/client
models:
  image: retail/models:1
  names: [face-detection]
"""
MEMBERS = f"cat /var/lib/retail-profiles/deployments/{SERVER}/members.json 2>/dev/null || echo '{{\"members\": {{}}}}'"


@pytest.fixture
def twins(fleet: Fleet) -> Fleet:
    fleet.profile("twin", TWIN)
    return fleet


def server(fleet: Fleet) -> tuple[str, str]:
    """The id of the server's container, and when it was started."""
    answer = fleet.shell("h1", f"docker inspect {SERVER}")
    (shown,) = json.loads(answer)
    return shown["Id"], shown["State"]["StartedAt"]


def members(fleet: Fleet) -> set[str]:
    return set(json.loads(fleet.shell("h1", MEMBERS))["members"])


def served(fleet: Fleet) -> set[str]:
    """The deployments of the clients that get answers from the server; waits for the first of each."""
    command = (
        "for name in $(docker ps --format '{{.Names}}'); do "
        "timeout 30 docker logs -f $name 2>&1 | grep -q -m 1 'requests.:[1-9]' && echo $name; done; true"
    )
    names = [name for text in fleet.shells("ovms_clients", command).values() for name in text.split()]
    return {name.partition("-")[0] for name in names}


def test_two_controllers_at_once_over_one_server(twins: Fleet) -> None:
    deploy = {"playbook": "deploy_profile", "profile": "twin"}
    with (
        twins.start(**deploy, profile_deployment="one") as one,
        twins.start(**deploy, profile_deployment="two") as two,
    ):
        both = [one.end(), two.end()]
    for done in both:
        assert done.status == 0, done.output
        assert f"shared   joins {SERVER} if it runs" in done.output
    first = server(twins)
    assert members(twins) == {"one", "two"}
    assert served(twins) == {"one", "two"}
    for name in ("one", "two"):
        assert twins.well("deploy_profile", profile="twin", profile_deployment=name).changed == 0

    twins.well("stop_profile", profile_deployment="one")
    assert server(twins) == first
    assert members(twins) == {"two"}
    assert served(twins) == {"two"}
    twins.well("stop_profile", profile_deployment="two")
    assert twins.leftovers() == {}


def test_another_specification_is_refused_before_anything_is_started(twins: Fleet) -> None:
    twins.well("deploy_profile", profile="twin", profile_deployment="one")
    first = server(twins)
    refused = twins.play("deploy_profile", profile="twin", profile_deployment="two", profile_env={"LOG": "more"})
    assert refused.status != 0
    assert f"{SERVER} is in use by one and runs with another specification: env: runs with" in refused.output
    assert "LOG=more" in refused.output and "Traceback" not in refused.output
    assert server(twins) == first
    assert members(twins) == {"one"}
    assert not any("two-" in line for lines in twins.leftovers().values() for line in lines)


def test_a_controller_that_is_killed_leaves_no_more_than_its_name(twins: Fleet) -> None:
    twins.well("deploy_profile", profile="twin", profile_deployment="one")
    first = server(twins)
    with twins.start("deploy_profile", profile="twin", profile_deployment="two") as playing:
        while "two" not in members(twins) and playing.process.poll() is None:
            pass
        playing.signal(signal.SIGKILL)
    assert members(twins) == {"one", "two"}
    twins.well("stop_profile", profile_deployment="two")
    assert server(twins) == first
    assert members(twins) == {"one"}
    twins.well("stop_profile")
    assert twins.leftovers() == {}


@pytest.mark.measures
def test_a_run_measures_the_server_that_it_joins(twins: Fleet) -> None:
    gently = {"profile_env": {"FPS": "2"}}  # six clients on a machine of any size
    twins.well("deploy_profile", profile="twin", profile_deployment="one", **gently)
    first = server(twins)
    twins.well("run_profile", profile="twin", **gently, **SHORT)
    run = twins.latest()
    assert run["verdict"] == "ok", run["reasons"]
    assert SERVER in run["containers"]
    assert run["metrics"][SERVER]["requests_per_second"]["mean"] > 0
    assert any(name.startswith("twin-client-") for name in run["metrics"])
    assert server(twins) == first
    assert members(twins) == {"one"}
