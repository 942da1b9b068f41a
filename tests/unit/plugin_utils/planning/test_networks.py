# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks: several for a container, aliases and addresses, the profile's own list, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from ..world import World

LABELS = {"retail.profiles.collection": "retail.profiles", "retail.profiles.deployment": "n"}


def planned(world: World, networks: Any, top: Any = None, **more: Any) -> dict[str, Any]:
    """The plan of a container with these networks, in a profile with that list of networks."""
    value = {"containers": [{"name": "one", "image": "i", "networks": networks, "hosts": "servers", **more}]}
    world.write("n", yaml.safe_dump({**value, **({} if top is None else {"networks": top})}))
    return world.plan("n")


def task(made: dict[str, Any], replica: str = "n-one-1") -> dict[str, Any]:
    found: dict[str, Any] = made["replicas"][replica]["task"]
    return found


def test_a_container_is_on_several_networks_with_aliases_and_addresses(world: World) -> None:
    attached = {
        "name": "b",
        "aliases": ["server", "one"],
        "ipv4_address": "172.30.0.10",
        "mac_address": "02-00-00-00-00-0A",
    }
    made = planned(world, ["a", attached], {"a": None, "b": {"subnet": "172.30.0.0/24"}})
    assert task(made)["networks"] == [
        {"name": "n-a", "aliases": ["one"]},
        {
            "name": "n-b",
            "aliases": ["one", "server"],
            "ipv4_address": "172.30.0.10",
            "mac_address": "02:00:00:00:00:0a",
        },
    ]
    assert [network["name"] for network in made["hosts"]["h1"]["networks"]] == ["n-a", "n-b"]


def test_a_network_is_made_as_the_profile_says(world: World) -> None:
    top = {
        "a": {
            "driver": "macvlan",
            "driver_options": {"parent": "eth0", "mtu": 9000},
            "internal": True,
            "enable_ipv6": True,
            "subnet": ["172.30.0.0/24", "fd00:30::/64"],
            "gateway": ["172.30.0.254", "fd00:30::fe"],
            "ip_range": "172.30.0.128/25",
        }
    }
    [network] = planned(world, "a", top)["hosts"]["h1"]["networks"]
    spec = network["labels"].pop("retail.profiles.spec")
    assert len(spec) == 64
    assert network == {
        "name": "n-a",
        "driver": "macvlan",
        "driver_options": {"parent": "eth0", "mtu": "9000"},
        "internal": True,
        "enable_ipv6": True,
        "ipam_config": [
            {"subnet": "172.30.0.0/24", "gateway": "172.30.0.254", "iprange": "172.30.0.128/25"},
            {"subnet": "fd00:30::/64", "gateway": "fd00:30::fe"},
        ],
        "labels": LABELS,
    }


def test_a_network_of_which_nothing_is_said_is_a_plain_bridge(world: World) -> None:
    plain = {"name": "n-a", "driver": "bridge", "labels": LABELS}
    for top in (None, {"a": None}, {"a": {}}):
        assert planned(world, "a", top)["hosts"]["h1"]["networks"] == [plain]


def test_default_need_not_stand_in_the_list_and_may(world: World) -> None:
    assert task(planned(world, [], {"a": None}))["networks"] == [{"name": "n-default", "aliases": ["one"]}]
    made = planned(world, {"name": "default", "ipv4_address": "172.30.0.9"}, {"default": {"subnet": "172.30.0.0/24"}})
    assert made["hosts"]["h1"]["networks"][0]["ipam_config"] == [{"subnet": "172.30.0.0/24"}]
    assert task(made)["networks"][0]["ipv4_address"] == "172.30.0.9"


def test_an_external_network_keeps_its_name_and_must_be_on_the_host(world: World) -> None:
    made = planned(world, {"name": "Plant", "ipv4_address": "10.9.0.7"}, {"Plant": {"external": True}})
    assert task(made)["networks"] == [{"name": "Plant", "aliases": ["one"], "ipv4_address": "10.9.0.7"}]
    assert made["hosts"]["h1"]["networks"] == []
    assert made["hosts"]["h1"]["paths"] == [
        {"kind": "network", "path": "Plant", "container": "one", "field": "networks", "model": None}
    ]


@pytest.mark.parametrize("network", ["host", "none"])
def test_what_is_no_network_of_dockers_is_a_mode(world: World, network: str) -> None:
    made = planned(world, network)
    assert task(made)["network_mode"] == network
    assert "networks" not in task(made)
    assert made["hosts"]["h1"]["networks"] == []


def test_each_replica_may_have_an_address_of_its_own(world: World) -> None:
    attached = {"name": "a", "ipv4_address": "172.30.0.{{ 10 + replica.index }}"}
    made = planned(world, attached, {"a": {"subnet": "172.30.0.0/24"}}, replicas=2)
    addresses = [task(made, f"n-one-{index}")["networks"][0]["ipv4_address"] for index in (1, 2)]
    assert addresses == ["172.30.0.11", "172.30.0.12"]


def test_replicas_on_different_hosts_may_have_the_same_address(world: World) -> None:
    attached = {"name": "a", "ipv4_address": "172.30.0.10"}
    made = planned(world, attached, {"a": {"subnet": "172.30.0.0/24"}}, hosts="clients", replicas=3)
    assert len(made["replicas"]) == 3


SUBNET = {"a": {"subnet": "172.30.0.0/24"}}


@pytest.mark.parametrize(
    "networks,top,message",
    [
        (["a", "host"], None, r"host stands alone: a container on it is on no other network"),
        (["none", "a"], None, r"none stands alone"),
        (["container:x", "a"], None, r"container:x stands alone"),
        (["a", "a"], None, r"the network 'a' stands here twice"),
        ({"name": "host", "aliases": ["x"]}, None, r"host takes neither aliases nor addresses"),
        (["a/b"], None, r"'a/b' is neither host, none, container:NAME nor the name of a network"),
        ({"nam": "a"}, None, r"unknown field 'nam': did you mean 'name'"),
        (["b"], {"a": None}, r"'b' is not in the profile's list of 'networks', which has all of them: a"),
        ({"name": "a", "ipv4_address": "172.30.0"}, SUBNET, r"ipv4_address: '172.30.0' is not an IPv4 address"),
        ({"name": "a", "ipv4_address": "172.30.0.9"}, None, r"172.30.0.9 needs a subnet: give the network a one"),
        ({"name": "a", "ipv4_address": "172.30.0.9"}, {"a": None}, r"172.30.0.9 needs a subnet"),
        ({"name": "a", "ipv4_address": "172.31.0.9"}, SUBNET, r"172.31.0.9 is not in the subnet 172.30.0.0/24 of"),
        ({"name": "a", "ipv4_address": "172.30.0.1"}, SUBNET, r"172.30.0.1 of the network a is the host's own"),
        (
            {"name": "a", "ipv4_address": "172.30.0.255"},
            SUBNET,
            r"172.30.0.255 of the network a is the host's own or the",
        ),
        ({"name": "a", "ipv6_address": "fd00::9"}, SUBNET, r"fd00::9 is not in the subnet"),
    ],
    ids=str,
)
def test_what_cannot_be_attached_is_refused(world: World, networks: Any, top: Any, message: str) -> None:
    with pytest.raises(ProfileError, match=f"profile.yml:.*container one, field networks: .*{message}"):
        planned(world, networks, top)


@pytest.mark.parametrize(
    "network,message",
    [
        ({"subnet": "172.30.0.1/24"}, r"subnet: '172.30.0.1/24' is not a subnet such as"),
        ({"subnet": "172.30.0.0/24", "gateway": "172.31.0.1"}, r"the gateway 172.31.0.1 is in no subnet"),
        ({"gateway": "172.31.0.1"}, r"the gateway 172.31.0.1 is in no subnet"),
        ({"subnet": "172.30.0.0/24", "ip_range": "172.30.0.0/16"}, r"the range 172.30.0.0/16 is in no subnet"),
        ({"subnet": "fd00::/64"}, r"an IPv6 subnet needs enable_ipv6: true"),
        ({"external": True, "internal": True}, r"an external network takes nothing else"),
        ({"drivr": "bridge"}, r"unknown field 'drivr': did you mean 'driver'"),
    ],
    ids=str,
)
def test_a_wrong_list_of_networks_is_refused(world: World, network: Any, message: str) -> None:
    with pytest.raises(ProfileError, match=f"profile.yml:.*field networks: a: .*{message}"):
        planned(world, "a", {"a": network})


def test_an_address_of_two_replicas_is_refused(world: World) -> None:
    attached = {"name": "a", "ipv4_address": "172.30.0.10"}
    with pytest.raises(ProfileError, match=r"n-one-2 and n-one-1 have the address 172.30.0.10 on the network a of h1"):
        planned(world, attached, SUBNET, replicas=2)


def test_a_server_that_leads_nowhere_cannot_be_used_from_elsewhere(world: World) -> None:
    text = (world.root / "ovms" / "profile.yml").read_text(encoding="utf-8")
    (world.root / "ovms" / "profile.yml").write_text(
        text + "networks: {inference: {internal: true}}\n", encoding="utf-8"
    )
    with pytest.raises(
        ProfileError, match=r"container server, field networks: .*use ovms-server-1, but inference leads"
    ):
        world.plan("ovms")
    world.groups = {"only": ["solo"]}
    assert world.plan("ovms")["warnings"] == []


def test_a_client_that_leads_nowhere_is_warned_about(world: World) -> None:
    text = (world.root / "ovms" / "profile.yml").read_text(encoding="utf-8")
    _server, _separator, client = text.partition("  - name: client")
    changed = text.replace(client, client.replace("networks: [inference]", "networks: [none]"))
    (world.root / "ovms" / "profile.yml").write_text(changed, encoding="utf-8")
    assert world.plan("ovms")["warnings"][0] == (
        "ovms-client-1 does not reach ovms-server-1 at 10.0.0.1: none leads nowhere"
    )


JOINED = """
containers:
  - name: server
    image: i
    hosts: clients
    replicas_per_host: {servers}
    ports: {{grpc: 9000}}
    ready: {{tcp: grpc}}
  - name: tap
    image: i
    hosts: {hosts}
    replicas_per_host: 1
    networks: container:{of}
    env: {{SERVER: "{{{{ peers.server.address }}}}:{{{{ peers.server.ports.grpc }}}}"}}
    {more}
"""


def joined(
    world: World, hosts: str = "clients", of: str = "server", servers: int = 1, more: str = ""
) -> dict[str, Any]:
    world.write("n", JOINED.format(hosts=hosts, of=of, servers=servers, more=more))
    return world.plan("n")


def test_a_container_joins_the_network_of_another_one_of_its_host(world: World) -> None:
    made = joined(world, more="depends_on: [server]")
    for number in (1, 2, 3):
        replica = made["replicas"][f"n-tap-{number}"]
        assert replica["task"]["network_mode"] == f"container:n-server-{number}"
        assert replica["task"]["env"]["SERVER"] == "127.0.0.1:9000"
        assert "etc_hosts" not in replica["task"]
        assert "published_ports" not in made["replicas"][f"n-server-{number}"]["task"]
        assert replica["reach"][0]["replica"] == f"n-server-{number}"


def test_of_several_there_it_joins_one_on_its_own_host(world: World) -> None:
    made = joined(world, servers=2, more="depends_on: [server]")
    for number in (1, 2, 3):
        replica = made["replicas"][f"n-tap-{number}"]
        server = replica["task"]["network_mode"].partition(":")[2]
        assert made["replicas"][server]["host"] == replica["host"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "it joins the network of server, which must run first: add depends_on"),
        ({"hosts": "servers", "more": "depends_on: [server]"}, "n-tap-1 is to join the network of server, of which no"),
        (
            {"more": "depends_on: [server]\n    ports: {x: 1}\n  - {name: far, image: i, depends_on: [tap]}"},
            "no network of its own",
        ),
    ],
)
def test_a_network_that_cannot_be_joined(world: World, more: dict[str, Any], told: str) -> None:
    with pytest.raises(ProfileError, match=told):
        joined(world, **more)


def test_a_container_that_is_not_the_profiles_is_joined_by_the_name_it_has(world: World) -> None:
    assert task(planned(world, ["container:other"]))["network_mode"] == "container:other"
