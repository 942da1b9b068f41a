# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Compose file takes for granted on one host, on several: names, localhost, ports, what is started first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from ..world import World, write_files


@pytest.fixture
def two(world: World) -> World:
    world.groups = {"lab": ["h1", "h2"]}
    return world


def plan(world: World, services: dict[str, Any], **more: Any) -> dict[str, Any]:
    filled = {name: {"image": "i", **service} for name, service in services.items()}
    files = {"p/compose.yml": json.dumps({"services": filled, **more}), "p/web.env": "DB_HOST=db\n"}
    return world.plan_foreign(write_files(world.root, files))


WEB = {"deploy": {"replicas": 2}}
DB = {"expose": ["5432"]}


@pytest.mark.parametrize(
    "dials",
    [
        {"environment": {"DB": "postgres://user:pw@db/shop"}},
        {"environment": ["DB_HOST=db"]},
        {"env_file": "web.env"},
        {"command": "serve --upstream db"},
        {"command": ["--to=db:5432"]},
        {"environment": {"KAFKA_SERVERS": "other,db"}},
    ],
)
def test_who_dials_a_service_by_name_knows_it_on_other_hosts(two: World, dials: dict[str, Any]) -> None:
    made = plan(two, {"db": DB, "web": {**WEB, **dials}})
    assert made["warnings"] == []
    local, remote = (made["replicas"][f"d-web-{index}"] for index in (1, 2))
    assert (local["host"], remote["host"], made["replicas"]["d-db-1"]["host"]) == ("h1", "h2", "h1")
    assert "etc_hosts" not in local["task"]
    assert remote["task"]["etc_hosts"] == {"db": "10.0.0.1"}
    assert made["replicas"]["d-db-1"]["task"]["published_ports"] == ["10.0.0.1:5432:5432/tcp"]
    assert (local["depends_on"], remote["depends_on"], remote["reach"]) == ([], [], [])


@pytest.mark.parametrize("text", ["the db is big", "mydb:5432", "db.example.com:5432", "x/db"])
def test_a_word_that_is_no_host_dials_nothing(two: World, text: str) -> None:
    made = plan(two, {"db": DB, "web": {**WEB, "environment": {"NOTE_URL": text}}})
    assert made["warnings"] == [
        "d-web-2 does not know by name db of its network, on h1: add depends_on: [db] to web if it dials them"
    ]
    assert "published_ports" not in made["replicas"]["d-db-1"]["task"]


def test_aliases_are_known_too(two: World) -> None:
    db = {**DB, "networks": {"n": {"aliases": ["store"]}, "m": {"aliases": ["other"]}}}
    made = plan(
        two, {"db": db, "web": {**WEB, "networks": ["n"], "command": "x store:5432"}}, networks={"n": {}, "m": {}}
    )
    assert made["replicas"]["d-web-2"]["task"]["etc_hosts"] == {"db": "10.0.0.1", "store": "10.0.0.1"}


@pytest.mark.parametrize(
    ("db", "networks", "said"),
    [
        ({}, {}, "names no port: add ports to db"),
        ({**DB, "networks": ["n"]}, {"n": {"internal": True}}, "its networks are internal"),
    ],
)
def test_what_cannot_be_reached_is_told(two: World, db: dict[str, Any], networks: dict[str, Any], said: str) -> None:
    web = {**WEB, "environment": ["DB_HOST=db"], **({"networks": ["n"]} if networks else {})}
    [warning] = plan(two, {"db": db, "web": web}, networks=networks)["warnings"]
    assert f"d-web-2 dials db by its name, but that is on h1 and {said}" in warning


def test_a_port_that_is_another_there_is_told(two: World) -> None:
    services = {"a": DB, "b": DB, "web": {**WEB, "command": "x a:5432 b:5432"}}
    made = plan(two, services)
    [warning] = made["warnings"]
    assert "d-web-2 dials b by its name, but its port 5432 is 5433 on h1" in warning


def test_services_that_share_no_network_need_not_know_each_other(two: World) -> None:
    services = {"db": {**DB, "networks": ["n"]}, "web": {**WEB, "networks": ["m"], "command": "x db:1"}}
    made = plan(two, services, networks={"n": {}, "m": {}})
    assert made["warnings"] == []
    assert "etc_hosts" not in made["replicas"]["d-web-2"]["task"]


CAMERA = {"network_mode": "host"}
CLIENT = {"network_mode": "host", "environment": ["INPUTSRC=rtsp://localhost:8554/0"], "deploy": {"replicas": 2}}


@pytest.mark.parametrize("camera", [CAMERA, {**CAMERA, "expose": ["8554"]}, {"ports": ["8554:8554"]}])
def test_a_replica_that_dials_localhost_on_another_host_is_told(two: World, camera: dict[str, Any]) -> None:
    [warning] = [text for text in plan(two, {"camera": camera, "client": CLIENT})["warnings"] if "d-client" in text]
    assert warning.startswith("d-client-2 dials localhost:8554 on h2, but camera is on h1: keep them on the same hosts")


def test_localhost_is_nobody_elses_business_where_all_is_together(two: World) -> None:
    together = {"deploy": {"mode": "global"}}
    services = {"camera": {**CAMERA, **together}, "client": {**CLIENT, **together}}
    assert plan(two, services)["warnings"] == []
    own = {**CLIENT, "expose": ["8554"]}
    assert not any("localhost" in text for text in plan(two, {"camera": CAMERA, "client": own})["warnings"])
    two.groups = {"lab": ["h1"]}
    assert not any("localhost" in text for text in plan(two, {"camera": CAMERA, "client": CLIENT})["warnings"])


@pytest.mark.parametrize(
    "says",
    [
        {"environment": {"GRPC_ADDRESS": "localhost", "GRPC_PORT": "9000"}},
        {"command": ["--url=http://127.0.0.1", "--port=9000"]},
        {"command": ["--host", "localhost", "--port", "9000"]},
    ],
)
def test_a_port_apart_from_localhost_is_told_too(two: World, says: dict[str, Any]) -> None:
    services = {"camera": {**CAMERA, "expose": ["9000"]}, "client": {**CLIENT, "environment": [], **says}}
    [warning] = [text for text in plan(two, services)["warnings"] if "d-client" in text]
    assert warning.startswith("d-client-2 dials localhost:9000 on h2, but camera is on h1")
    services["camera"] = {**CAMERA, "expose": ["9001"]}
    assert not any("d-client" in text for text in plan(two, services)["warnings"])


@pytest.mark.parametrize(
    ("services", "said"),
    [
        (
            {"web": {"ports": ["7070:80"], "deploy": {"replicas": 3}}},
            r"d-web-1 and d-web-3 cannot both have port 7070 of 127\.0\.0\.1 on h1: .*max_replicas_per_node: 1",
        ),
        (
            {"a": {"ports": ["0.0.0.0:80:80"]}, "b": {"ports": ["127.0.0.1:80:90"]}},
            r"d-a-1 and d-b-1 cannot both have port 80 of 127\.0\.0\.1 on h1: give them different ones",
        ),
        ({"a": {"network_mode": "host", "expose": ["80"]}, "b": {"ports": ["80:90"]}}, "d-a-1 and d-b-1 cannot both"),
        (
            {"web": {"ports": ["7070-7071:80"], "deploy": {"replicas": 6}}},
            r"d-web-1 and d-web-5 cannot both have one of the ports 7070-7071 of 127\.0\.0\.1, which "
            r"are 2 for 3 replicas on h1: give a range",
        ),
        (
            {"web": {"ports": ["7070-7071:80"], "deploy": {"replicas": 4}}, "b": {"ports": ["7071:80"]}},
            r"d-web-1 and d-b-1 cannot both have one of the ports 7070-7071",
        ),
        (
            {"web": {"network_mode": "host", "expose": ["80"], "deploy": {"replicas": 3}}},
            r"yml:\d+, container web, field ports: d-web-1 and d-web-3 cannot both have port 80 of every address on "
            r"h1: allow one on each host with max_per_host: 1 "
            r"\(in Compose deploy.placement.max_replicas_per_node: 1\)$",
        ),
    ],
)
def test_two_replicas_of_a_host_cannot_have_one_port(two: World, services: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        plan(two, services)


@pytest.mark.parametrize(
    "services",
    [
        {"web": {"ports": ["7070-7079:80"], "deploy": {"replicas": 4}}},
        {"web": {"ports": ["7070:80"], "deploy": {"replicas": 2}}},
        {"a": {"ports": ["80:80/udp"]}, "b": {"ports": ["80:80"]}},
        {"a": {"ports": ["10.0.0.1:80:80"]}, "b": {"ports": ["127.0.0.1:80:80"]}},
        {"web": {"ports": ["80"], "deploy": {"replicas": 4}}},
    ],
)
def test_ports_that_do_not_meet_are_none_of_its_business(two: World, services: dict[str, Any]) -> None:
    assert plan(two, services)["replicas"]


def test_two_replicas_of_a_host_cannot_have_one_hardware_address(two: World) -> None:
    text = "containers: [{name: a, image: i, replicas: 3, docker: {mac_address: '92:d0:c6:0a:29:33'}}]"
    two.write("p", text)
    with pytest.raises(ProfileError, match=r"p-a-1 and p-a-3 cannot both have the MAC address 92:d0:c6:0a:29:33 on h1"):
        two.plan("p")


@pytest.mark.parametrize(
    ("viewer", "ports"),
    [
        ({}, []),
        ({"environment": ["CAMERA=camera:9999"]}, [9999]),
        ({"command": ["--port", "9998"]}, [9998]),
        ({"command": "sleep 99999"}, []),
    ],
)
def test_a_bare_depends_on_waits_for_no_port_that_nobody_names(
    two: World, viewer: dict[str, Any], ports: list[int]
) -> None:
    services = {"camera": {"ports": ["9999:9999", "9998:9998"]}, "viewer": {"depends_on": ["camera"], **viewer}}
    made = plan(two, services)["replicas"]["d-viewer-1"]
    assert [probe["port"] for probe in made["reach"]] == ports
    assert made["depends_on"] == ["d-camera-1"]
