# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One profile, unchanged, on one host, on two and on twenty: each consumer is told what it can dial."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import planner_input

from ..world import OVMS, World, render

CONFIG = {"model_config_list": [{"config": {"name": "face-detection", "base_path": "/models/face-detection"}}]}


def fleet(world: World, hosts: int) -> World:
    """The first host serves; the others, or the only one, carry the clients."""
    names = [f"n{number}" for number in range(1, hosts + 1)]
    world.groups = {"servers": names[:1], "clients": names[1:]} if hosts > 1 else {"everything": names}
    return world


def write(world: World, name: str, text: str) -> None:
    world.write(name, text, server__env="A=1\n", client__sh="#!/bin/sh\n", config__json=json.dumps(CONFIG))


def reached(world: World, made: Mapping[str, Any]) -> Counter[str]:
    """The servers by how many clients dial them; every address and port must lead to one."""
    found: Counter[str] = Counter()
    for replica in made["replicas"].values():
        for peer in replica["peers"].values():
            server = made["replicas"][peer["replica"]]
            if peer["address"] == peer["replica"]:  # by Docker name: on one host, on a network of both
                names = [{item["name"] for item in side["task"]["networks"]} for side in (replica, server)]
                assert server["host"] == replica["host"] and names[0] & names[1]
            else:
                assert peer["address"] == world.address(server["host"])
                assert peer["ports"] == server["ports"] != {}
            env = replica["task"]["env"]
            assert (env["GRPC_ADDRESS"], env["GRPC_PORT"]) == (peer["address"], str(peer["ports"]["grpc"]))
            found[peer["replica"]] += 1
    return found


@pytest.mark.parametrize("hosts", [1, 2, 20])
@pytest.mark.parametrize("servers", [1, 2, 3])
@pytest.mark.parametrize("host_network", [False, True], ids=["bridge", "host network"])
def test_one_profile_runs_on_one_host_on_two_and_on_twenty(
    world: World, hosts: int, servers: int, host_network: bool
) -> None:
    text = OVMS.replace("hosts: servers", f"hosts: servers\n    replicas: {servers}").replace(
        "replicas: 4", "replicas: 12"
    )
    if host_network:
        client = text.index("networks: [inference]\n    hosts: clients")
        text = text[:client] + text[client:].replace("[inference]", "[host]", 1)
    write(world, "p", text)
    made = fleet(world, hosts).plan("p")
    assert reached(world, made) == {f"p-server-{n}": 12 // servers for n in range(1, servers + 1)}
    bound = [item for r in made["replicas"].values() for item in r["task"].get("published_ports", [])]
    places = [item.rsplit(":", 1)[0] for item in bound]
    assert len(places) == len(set(places))
    assert all(item.startswith(f"{world.address('n1')}:") for item in bound)
    assert bool(bound) == (hosts > 1 or host_network)


def test_several_servers_on_one_host_take_the_next_free_ports_past_what_others_have(world: World) -> None:
    write(world, "p", OVMS.replace("hosts: servers", "hosts: servers\n    replicas: 40"))
    world.snapshot = {"h1": {"listening": [{"address": "0.0.0.0", "port": 9005, "protocol": "tcp"}]}}
    made = world.plan("p", replicas={"client": 40})
    taken = [port for r in made["replicas"].values() if r["container"] == "server" for port in r["ports"].values()]
    assert len(taken) == len(set(taken)) == 80
    assert 9005 not in taken
    assert set(reached(world, made).values()) == {1}


def dialled(address: Mapping[str, str], resolve: dict[str, list[str]]) -> planner_input.Dialled:
    return planner_input.Dialled(["h1"], {"h1": address}, render, lambda name: resolve.get(name, []))


def test_a_dns_name_in_ansible_host_is_resolved_to_the_address_that_others_dial(world: World) -> None:
    found = dialled({"ansible_host": "server.example"}, {"server.example": ["192.0.2.1", "10.0.0.1"]})
    world.dialled = {"h1": found["h1"]}
    made = world.plan("ovms")
    assert made["hosts"]["h1"]["address"] == "10.0.0.1"  # of the name's addresses the one that the host has
    assert made["replicas"]["ovms-client-1"]["task"]["env"]["GRPC_ADDRESS"] == "10.0.0.1"
    assert made["replicas"]["ovms-server-1"]["task"]["published_ports"][0] == "10.0.0.1:9000:9000/tcp"


def test_profile_address_beats_ansible_host_and_may_be_a_template_or_a_name() -> None:
    address = {"ansible_host": "management.example", "profile_address": "{{ nic }}.example", "nic": "fast"}
    assert dialled(address, {"fast.example": ["10.0.0.1"], "management.example": ["192.0.2.1"]})["h1"] == ["10.0.0.1"]
    with pytest.raises(ProfileError, match=r"host h1: its address cannot be rendered"):
        dialled({"profile_address": "{{ nothing }}"}, {})["h1"]


def test_a_name_that_does_not_resolve_asks_for_profile_address(world: World) -> None:
    world.dialled = {"h1": dialled({"ansible_host": "nowhere.example"}, {})["h1"]}
    with pytest.raises(ProfileError, match=r"host h1.*does not resolve.*set the host variable profile_address"):
        world.plan("ovms")


def test_names_are_resolved_by_the_controller() -> None:
    assert planner_input.resolved("127.0.0.1") == ["127.0.0.1"]
    assert planner_input.resolved("no such name") == []
