# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared containers in a plan: the same for every deployment that uses them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import shared_containers, wishes
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan, plan_text
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import host_share

from ..world import World, render

COMMON = """
containers:
  - name: server
    image: server:1
    entrypoint: ./server.sh
    networks: [inference]
    volumes: [data:/data]
    ports: {grpc: 9000, rest: 8000}
    hosts: servers
    shared: true
    ready: {tcp: grpc}
"""
USER = """
containers:
  - use: common/server
  - name: client
    image: client:1
    env: {TARGET: "{{ peers.server.address }}:{{ peers.server.ports.grpc }}"}
    networks: [inference]
    hosts: clients
    replicas: 3
    depends_on: [server]
"""
NAME = "shared-common-server-1"


@pytest.fixture
def both(world: World) -> World:
    world.write("common", COMMON, server__sh="#!/bin/sh\n")
    world.write("one", USER)
    world.write(
        "two",
        USER.replace("use: common/server", "use: common/server\n    name: model-server")
        .replace("peers.server", "peers['model-server']")
        .replace("depends_on: [server]", "depends_on: [model-server]"),
    )
    return world


def seen(world: World, host: str, **container: Any) -> None:
    """The snapshot of a host on which the shared replica runs."""
    labels = {"retail.profiles.deployment": NAME}
    ports = [
        {"address": "10.0.0.1", "port": port, "protocol": "tcp", "target": target}
        for target, port in (container.pop("ports", {9000: 9000, 8000: 8000}).items())
    ]
    facts = {"running": True, "labels": labels, "published": ports, **container}
    listening = [{"address": port["address"], "port": port["port"], "protocol": "tcp"} for port in ports]
    world.snapshot[host] = {"containers": {NAME: facts}, "listening": listening}


def test_it_comes_out_the_same_for_every_deployment(both: World) -> None:
    plans = [both.plan("one", deployment="a"), both.plan("one", deployment="b"), both.plan("two"), both.plan("common")]
    tasks = [made["replicas"][NAME]["task"] for made in plans]
    assert all(task == tasks[0] for task in tasks)
    assert tasks[0]["labels"]["retail.profiles.deployment"] == NAME
    assert tasks[0]["labels"]["retail.profiles.container"] == "server"
    assert tasks[0]["networks"] == [{"name": f"{NAME}-inference", "aliases": ["server"]}]
    assert tasks[0]["volumes"][0] == f"{NAME}-data:/data"
    assert tasks[0]["volumes"][1].startswith(f"/var/lib/retail-profiles/deployments/{NAME}/files/")
    assert plans[2]["replicas"][NAME]["container"] == "model-server"


def test_it_is_always_published_and_dialled_at_the_fleet_address(both: World) -> None:
    both.groups = {"servers": ["h1"], "clients": ["h1"]}
    made = both.plan("one")
    server, client = made["replicas"][NAME], made["replicas"]["one-client-1"]
    assert server["task"]["published_ports"] == ["10.0.0.1:9000:9000/tcp", "10.0.0.1:8000:8000/tcp"]
    assert client["task"]["env"]["TARGET"] == "10.0.0.1:9000"
    assert client["task"]["etc_hosts"] == {"server": "10.0.0.1"}
    assert client["depends_on"] == [NAME]
    assert client["reach"] == [{"kind": "tcp", "timeout": 60.0, "port": 9000, "address": "10.0.0.1"}]
    assert server["wave"] < client["wave"]
    # Without anybody who uses it in its own profile, too.
    assert both.plan("common")["replicas"][NAME]["task"]["published_ports"] == server["task"]["published_ports"]


def test_a_share_has_it_apart_with_all_that_is_its_own(both: World) -> None:
    made = both.plan("one")
    share = host_share.share(made, "h1")
    assert (share["replicas"], share["networks"], share["files"]) == ([], [], [])
    (part,) = share["shared"]
    assert [item["name"] for item in part["replicas"]] == [NAME]
    assert [item["name"] for item in part["networks"]] == [f"{NAME}-inference"]
    assert [item["path"] for item in part["files"]] == ["server.sh"]
    assert host_share.share(made, "h2")["shared"] == []
    assert [item["name"] for item in host_share.share(made, "h2")["networks"]] == ["one-inference"]
    assert made["hosts"]["h1"]["replicas"] == [NAME]


def test_the_plan_says_so(both: World) -> None:
    text = plan_text.text(both.plan("one"))
    assert f"+ {NAME} on h1 (10.0.0.1)" in text
    assert f"shared   joins {NAME} if it runs" in text
    assert text.count("shared   joins") == 1


def test_a_stored_plan_is_the_same(both: World) -> None:
    made = both.plan("one")
    assert made["replicas"][NAME]["shared"] is True
    assert made["replicas"]["one-client-1"]["shared"] is False
    assert made["plan_id"] == plan.plan_id(made) == both.plan("one")["plan_id"]


def test_its_own_ports_are_not_in_its_way(both: World) -> None:
    seen(both, "h1")
    assert both.plan("one")["replicas"][NAME]["task"] == both.plan("common")["replicas"][NAME]["task"]
    facts = both.snapshot["h1"]["containers"].pop(NAME)
    for labels, said in (
        ({"retail.profiles.deployment": "x"}, "the container x-1 of the deployment x: "),
        ({}, "the container x-1: "),
    ):
        both.snapshot["h1"]["containers"] = {"x-1": {**facts, "labels": labels}}
        with pytest.raises(ProfileError, match=rf"port 9000 is in use on 10\.0\.0\.1 by {said}stop that"):
            both.plan("one")
    both.snapshot["h1"]["containers"] = {}
    with pytest.raises(ProfileError, match=r"port 9000 is in use on 10\.0\.0\.1 by something else"):
        both.plan("one")


def test_where_it_runs_it_keeps_the_ports_that_it_got(both: World) -> None:
    seen(both, "h1", ports={9000: 9001, 8000: 8000})
    made = both.plan("one")
    assert made["replicas"][NAME]["ports"] == {"grpc": 9001, "rest": 8000}
    assert made["replicas"]["one-client-1"]["task"]["env"]["TARGET"] == "10.0.0.1:9001"
    seen(both, "h1", ports={}, running=False)
    assert both.plan("one")["replicas"][NAME]["ports"] == {"grpc": 9000, "rest": 8000}


def test_it_chooses_its_ports_before_the_deployment_does(both: World) -> None:
    own = "  - {name: mine, image: m, ports: {grpc: 9000}, hosts: servers}\n"
    uses = own + "  - {name: other, image: o, hosts: clients, depends_on: [mine]}\n"
    both.write("three", USER.replace("containers:\n", "containers:\n" + uses))
    made = both.plan("three")
    assert made["replicas"][NAME]["ports"]["grpc"] == 9000
    assert made["replicas"]["three-mine-1"]["ports"]["grpc"] == 9001


def test_replicas_of_it_are_each_their_own(both: World) -> None:
    both.groups["servers"] = ["h1", "h4"]
    made = both.plan("one", replicas={"server": 3})
    names = [f"shared-common-server-{number}" for number in (1, 2, 3)]
    assert [made["replicas"][name]["host"] for name in names] == ["h1", "h4", "h1"]
    assert [part["replicas"][0]["name"] for part in host_share.share(made, "h1")["shared"]] == [names[0], names[2]]
    assert made["replicas"][names[2]]["ports"] == {"grpc": 9001, "rest": 8001}
    assert made["replicas"][names[2]]["task"]["networks"][0]["name"] == f"{names[2]}-inference"
    assert [made["replicas"][f"one-client-{n}"]["depends_on"] for n in (1, 2, 3)] == [[name] for name in names]


def test_not_shared_it_is_the_deployments_own(both: World) -> None:
    both.write("four", USER.replace("use: common/server", "use: common/server\n    shared: false"))
    made = both.plan("four")
    assert "four-server-1" in made["replicas"]
    assert made["replicas"]["four-server-1"]["task"]["labels"]["retail.profiles.deployment"] == "four"
    assert "published_ports" in made["replicas"]["four-server-1"]["task"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            USER.replace("  - name: client", "  - use: common/server\n    name: again\n  - name: client"),
            "container again, field shared: another container of this profile is the shared shared-common-server, too",
        ),
        (
            "containers:\n  - {name: a, image: i, shared: true, depends_on: [b]}\n  - {name: b, image: i}\n",
            "container a, field shared: it uses b, which every deployment has for itself",
        ),
        ("containers:\n  - {name: a, image: i, shared: perhaps}\n", "expected true or false, not 'perhaps'"),
    ],
    ids=["twice", "uses its own", "neither"],
)
def test_what_cannot_be_shared(both: World, text: str, message: str) -> None:
    both.write("bad", text)
    with pytest.raises(ProfileError) as caught:
        both.plan("bad")
    assert message in str(caught.value)


def test_one_that_uses_only_shared_ones_may_be_shared(both: World) -> None:
    both.write(
        "chain",
        "containers:\n  - {name: a, image: i, shared: true, depends_on: [b], hosts: clients}\n"
        "  - {name: b, image: i, shared: true, ports: {web: 80}, hosts: servers}\n",
    )
    made = both.plan("chain")
    assert made["replicas"]["shared-chain-a-1"]["depends_on"] == ["shared-chain-b-1"]


def test_a_profile_whose_folder_gives_no_name(both: World) -> None:
    both.write("Bad Name", COMMON, server__sh="")
    with pytest.raises(ProfileError, match="a shared container is named after its profile's folder: 'Bad Name'"):
        both.plan("Bad Name", deployment="x")


@pytest.mark.parametrize("name", ["shared-common-server-1", "shared-x"])
def test_no_deployment_may_have_such_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="names that begin with 'shared-' are those of shared containers"):
        shared_containers.deployment(name)
    assert shared_containers.deployment("sharedx") == "sharedx"


@pytest.mark.parametrize("running", [True, False])
def test_it_is_placed_where_it_is_already(both: World, running: bool) -> None:
    both.groups["servers"] = ["h1", "h4"]
    assert both.plan("one")["replicas"][NAME]["host"] == "h1"
    seen(both, "h4", running=running)
    replica = both.plan("one")["replicas"][NAME]
    assert (replica["host"], replica["address"]) == ("h4", both.address("h4"))
    assert replica["why"].endswith("; it is on h4 already")


def test_where_it_may_not_be_it_does_not_count(both: World) -> None:
    seen(both, "h3")
    assert both.plan("one")["replicas"][NAME]["host"] == "h1"
    both.groups["servers"] = ["h1", "h4"]
    both.snapshot = {"h4": {"containers": {NAME: {"running": True, "labels": {"retail.profiles.deployment": "x"}}}}}
    assert both.plan("one")["replicas"][NAME]["host"] == "h1"


def test_every_host_on_which_it_may_be_is_asked(both: World) -> None:
    both.groups["servers"] = ["h1", "h4"]
    loaded, settings = both.load("one"), wishes.PlanSettings("one")
    before = plan.shape(loaded, both.inventory(), settings, render, both.variables)
    assert {"h1", "h4"} <= set(before.hosts)
    assert both.plan("one")["hosts"].keys() == {"h1", "h2", "h3", "h10"}
