# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks of a profile on a real engine: names, addresses, drivers, and what goes with the deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import host_share

from ..unit.plugin_utils.world import World
from .conftest import IMAGE, SLEEP, Deployment, stock

Profile = dict[str, Any]


@pytest.fixture
def profile() -> Profile:
    shared = {"image": IMAGE, "entrypoint": SLEEP[:2], "args": SLEEP[2:]}
    server = {"name": "back", "aliases": ["backend"], "ipv4_address": "172.30.77.{{ 9 + replica.index }}"}
    return {
        "networks": {
            "front": {"driver_options": {"com.docker.network.driver.mtu": 1400}},
            "back": {
                "subnet": "172.30.77.0/24",
                "gateway": "172.30.77.254",
                "ip_range": "172.30.77.128/25",
                "internal": True,
            },
        },
        "containers": [
            {"name": "server", "networks": ["front", server], "replicas": 2, **shared},
            {"name": "client", "networks": ["back"], **shared},
            {"name": "alone", "networks": ["none"], **shared},
        ],
    }


class Applier:
    """Plans a profile for the one host there is, and applies it."""

    def __init__(self, tmp_path: Path, deployment: Deployment) -> None:
        self.deployment = deployment
        self.state_dir = tmp_path
        self.world = World(tmp_path / "profiles", {"all": ["localhost"]})

    def share(self, profile: Profile) -> dict[str, Any]:
        self.world.write("nets", yaml.safe_dump(profile))
        made = self.world.plan("nets", deployment=self.deployment.name, state_dir=str(self.state_dir))
        return host_share.share(made, "localhost")

    def __call__(self, profile: Profile, state: str = "present") -> dict[str, Any]:
        share = self.share(profile)
        needed = {"networks": share["networks"], "paths": share["paths"]}
        result = self.deployment.call(state, *share["replicas"], **needed)
        assert state == "checked" or not result["failed"], result["msg"]
        return result


@pytest.fixture
def apply(tmp_path: Path, deployment: Deployment) -> Applier:
    return Applier(tmp_path, deployment)


def sh(engine: Engine, container: str, script: str) -> str:
    made = engine.client().exec_create(container, ["sh", "-c", script])
    return str(engine.client().exec_start(made["Id"]).decode())


def test_the_process_sees_its_networks_names_and_addresses(engine: Engine, apply: Applier, profile: Profile) -> None:
    apply(profile)
    name = apply.deployment.name
    server, client, alone = f"{name}-server-1", f"{name}-client-1", f"{name}-alone-1"
    for asked in ("backend", "server", f"{name}-server-2"):
        assert "172.30.77.1" in sh(engine, client, f"getent ahostsv4 {asked}")
    addresses = {line.split()[0] for line in sh(engine, client, "getent ahostsv4 backend").splitlines()}
    assert addresses == {"172.30.77.10", "172.30.77.11"}
    inspect = engine.inspect(client)
    assert inspect is not None
    own = inspect["NetworkSettings"]["Networks"][f"{name}-back"]["IPAddress"]
    assert int(own.split(".")[3]) >= 128
    assert sorted(sh(engine, server, "cat /sys/class/net/eth*/mtu").split()) == ["1400", "1500"]
    back = engine.network(f"{name}-back")
    assert back is not None and back["Internal"]
    assert sh(engine, alone, "ls /sys/class/net").split() == ["lo"]


def test_a_second_apply_and_the_stock_modules_change_nothing(apply: Applier, profile: Profile) -> None:
    assert apply(profile)["changed"]
    assert not apply(profile)["changed"]
    share = apply.share(profile)
    for network in share["networks"]:
        assert not stock("docker_network", **network)["changed"]
    for replica in share["replicas"]:
        assert not stock("docker_container", **replica["task"])["changed"]


def test_what_the_profile_no_longer_says_of_a_network_is_made_undone(
    engine: Engine, apply: Applier, profile: Profile
) -> None:
    apply(profile)
    name = f"{apply.deployment.name}-front"
    before = engine.network(name)
    profile["networks"]["front"] = None
    assert apply(profile)["changed"]
    after = engine.network(name)
    assert before is not None and after is not None
    assert (before["Options"].get("com.docker.network.driver.mtu"), before["Id"] != after["Id"]) == ("1400", True)
    assert "com.docker.network.driver.mtu" not in after["Options"]
    assert not apply(profile)["changed"]


def test_another_address_makes_just_that_container_anew(apply: Applier, profile: Profile) -> None:
    apply(profile)
    profile["containers"][0]["networks"][1]["ipv4_address"] = "172.30.77.{{ 19 + replica.index }}"
    statuses = {name.split("-")[1]: outcome["status"] for name, outcome in apply(profile)["replicas"].items()}
    assert statuses == {"server": "recreated", "client": "unchanged", "alone": "unchanged"}


def test_networks_go_with_the_deployment(engine: Engine, apply: Applier, profile: Profile) -> None:
    apply(profile)
    name = apply.deployment.name
    removed = sorted(item for item in apply.deployment.absent()["removed"] if item.startswith("network"))
    assert removed == [f"network {name}-back", f"network {name}-front"]
    assert [network["Name"] for network in engine.networks() if network["Name"].startswith(name)] == []


def test_an_external_network_must_be_there_and_stays(engine: Engine, apply: Applier, profile: Profile) -> None:
    theirs = f"{apply.deployment.name}.theirs"
    profile["networks"] = {theirs: {"external": True}}
    profile["containers"] = [{**profile["containers"][1], "networks": [theirs]}]
    problems = [item["message"] for item in apply(profile, "checked")["problems"]]
    assert problems == [f"there is no network {theirs} on this host: make it, or let the profile make one of its own"]
    engine.create_network({"Name": theirs})
    assert apply(profile, "checked")["problems"] == []
    apply(profile)
    apply.deployment.absent()
    assert engine.network(theirs) is not None
    engine.remove_network(theirs)
