# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: placement, addresses, waves, tasks; deterministic and explained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan, plan_text, stock_playbook
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import host_share
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural

from ..world import OVMS, World


def dump(value: object) -> str:
    return json.dumps(value, sort_keys=True)


def test_server_and_clients_land_where_the_profile_says(world: World) -> None:
    made = world.plan("ovms")
    assert {name: replica["host"] for name, replica in made["replicas"].items()} == {
        "ovms-server-1": "h1",
        "ovms-client-1": "h2",
        "ovms-client-2": "h3",
        "ovms-client-3": "h10",
        "ovms-client-4": "h2",
    }
    assert made["waves"] == [["ovms-server-1"], [f"ovms-client-{n}" for n in (1, 2, 3, 4)]]


def test_remote_clients_dial_the_published_fleet_address(world: World) -> None:
    made = world.plan("ovms")
    server, client = made["replicas"]["ovms-server-1"], made["replicas"]["ovms-client-1"]
    assert server["task"]["published_ports"] == ["10.0.0.1:9000:9000/tcp", "10.0.0.1:8000:8000/tcp"]
    assert client["task"]["env"] == {"GRPC_ADDRESS": "10.0.0.1", "GRPC_PORT": "9000"}
    assert client["task"]["etc_hosts"] == {"server": "10.0.0.1"}
    assert client["reach"] == [
        {
            "kind": "ovms_models",
            "timeout": 60.0,
            "port": 9000,
            "protocol": "grpc",
            "models": ["face-detection"],
            "address": "10.0.0.1",
        }
    ]


def test_on_one_host_the_same_profile_uses_docker_names_and_publishes_nothing(world: World) -> None:
    world.groups = {"only": ["solo"]}
    made = world.plan("ovms")
    assert {replica["host"] for replica in made["replicas"].values()} == {"solo"}
    client = made["replicas"]["ovms-client-3"]
    assert client["task"]["env"]["GRPC_ADDRESS"] == "ovms-server-1"
    assert "etc_hosts" not in client["task"]
    assert all("published_ports" not in replica["task"] for replica in made["replicas"].values())
    assert client["reach"][0]["replica"] == "ovms-server-1"


def test_one_host_needs_no_fleet_address(world: World) -> None:
    world.groups = {"only": ["localhost"]}
    world.dialled = {"localhost": ["127.0.0.1"]}
    assert world.plan("ovms")["hosts"]["localhost"]["address"] is None


def test_a_limit_to_one_host_does_not_move_the_profile_there(world: World) -> None:
    world.allowed = ["h1"]
    with pytest.raises(
        ProfileError, match=r"container client, field hosts: --limit leaves out every host .*h2, h3, h10"
    ):
        world.plan("ovms")


def test_two_servers_on_one_host_take_the_next_free_port(world: World) -> None:
    made = world.plan("ovms", replicas={"server": 2})
    assert [made["replicas"][f"ovms-server-{n}"]["ports"] for n in (1, 2)] == [
        {"grpc": 9000, "rest": 8000},
        {"grpc": 9001, "rest": 8001},
    ]
    dialled = [made["replicas"][f"ovms-client-{n}"]["peers"]["server"]["ports"]["grpc"] for n in (1, 2, 3, 4)]
    assert dialled == [9000, 9001, 9000, 9001]


def test_a_port_that_something_else_holds_is_an_error_and_our_own_is_not(world: World) -> None:
    socket = {"address": "10.0.0.1", "port": 9000, "protocol": "tcp"}
    world.snapshot = {"h1": {"listening": [socket]}}
    with pytest.raises(
        ProfileError, match=r"host h1, container server, field ports.grpc: port 9000 is in use on 10.0.0.1"
    ):
        world.plan("ovms")
    ours = {"labels": {"retail.profiles.deployment": "ovms"}, "published": [socket]}
    world.snapshot["h1"]["containers"] = {"ovms-server-1": ours}
    assert world.plan("ovms")["replicas"]["ovms-server-1"]["ports"]["grpc"] == 9000


def test_an_address_that_is_not_the_hosts_own_asks_for_profile_address(world: World) -> None:
    world.dialled = {"h1": ["192.0.2.7"]}
    with pytest.raises(ProfileError, match=r"host h1.*192\.0\.2\.7.*10\.0\.0\.1.*profile_address"):
        world.plan("ovms")


def test_models_and_host_paths_are_to_be_checked_on_the_host(world: World) -> None:
    paths = world.plan("ovms")["hosts"]["h1"]["paths"]
    assert {(item["path"], item["model"]) for item in paths} == {
        ("/models-of-the-host", None),
        ("/models-of-the-host/face-detection", "face-detection"),
    }


def test_a_script_is_shipped_by_content_and_mounted_read_only(world: World) -> None:
    made = world.plan("ovms")
    [shipped] = made["hosts"]["h2"]["files"]
    task = made["replicas"]["ovms-client-1"]["task"]
    assert shipped["mode"] == "0755"
    assert shipped["sha256"] in shipped["dest"]
    assert task["volumes"] == [f"{shipped['dest']}:/profile/client.sh:ro"]
    assert task["entrypoint"] == ["/profile/client.sh"]
    (world.root / "ovms" / "client.sh").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    changed = world.plan("ovms")
    label = "retail.profiles.spec"
    assert changed["replicas"]["ovms-client-1"]["task"]["labels"][label] != task["labels"][label]
    assert changed["replicas"]["ovms-server-1"]["task"] == made["replicas"]["ovms-server-1"]["task"]


def test_a_stand_in_is_named_by_the_label_of_its_image(world: World) -> None:
    image = {"id": "sha256:1", "labels": {"retail.profiles.stand_in": "openvino/model_server"}}
    world.snapshot = {"h1": {"images": {"stand/in:1": image}}}
    made = world.plan("ovms", images={"openvino/model_server:2025.4": "stand/in:1"})
    assert made["stand_ins"] == ["stand/in:1 for openvino/model_server"]
    assert made["replicas"]["ovms-server-1"]["image_id"] == "sha256:1"
    assert made["replicas"]["ovms-server-1"]["ovms"] is True


def test_labels_and_names_of_hosts_stand_beside_those_of_the_plan(world: World) -> None:
    docker = "{labels: {team: till, n: 1}, etc_hosts: {printer: 10.9.9.9}}"
    world.write("labelled", OVMS + f"    docker: {docker}\n")
    for file in ("server.env", "client.sh", "config.json"):
        (world.root / "labelled" / file).write_bytes((world.root / "ovms" / file).read_bytes())
    task = world.plan("labelled")["replicas"]["labelled-client-1"]["task"]
    assert task["etc_hosts"] == {"server": "10.0.0.1", "printer": "10.9.9.9"}
    assert (task["labels"]["team"], task["labels"]["n"]) == ("till", "1")
    assert task["labels"]["retail.profiles.container"] == "client"
    world.write("bad", "containers: [{name: a, image: i, docker: {labels: {retail.profiles.container: x}}}]")
    with pytest.raises(ProfileError, match=r"docker.labels: retail.profiles.container is a label that the plan sets"):
        world.plan("bad")


def test_a_single_container_profile_is_short(world: World) -> None:
    world.write("tiny", "containers:\n  - name: one\n    image: debian\n")
    [replica] = world.plan("tiny")["replicas"].values()
    assert replica["host"] == "h1"
    assert replica["task"]["networks"] == [{"name": "tiny-default", "aliases": ["one"]}]


def test_use_takes_an_entry_of_another_profile_with_its_files(world: World) -> None:
    world.write(
        "other", "containers:\n  - use: ovms/client\n    name: c\n    depends_on: []\n    env: {}\n    replicas: 1\n"
    )
    made = world.plan("other")
    assert made["replicas"]["other-c-1"]["task"]["image"] == "example/client:1"
    assert made["hosts"]["h2"]["files"][0]["path"] == "client.sh"


def test_host_network_server_is_dialled_at_its_own_ports_and_warned_about(world: World) -> None:
    world.write("hostnet", OVMS.replace("networks: [inference]\n    ports", "networks: [host]\n    ports"))
    for file in ("server.env", "client.sh", "config.json"):
        (world.root / "hostnet" / file).write_bytes((world.root / "ovms" / file).read_bytes())
    made = world.plan("hostnet")
    assert made["replicas"]["hostnet-server-1"]["task"]["network_mode"] == "host"
    assert "published_ports" not in made["replicas"]["hostnet-server-1"]["task"]
    assert made["replicas"]["hostnet-client-1"]["peers"]["server"]["address"] == "10.0.0.1"
    assert made["warnings"] == [
        "hostnet-server-1 is on the host network of h1: it binds its ports on every address it likes"
    ]


@settings(max_examples=25, deadline=None)
@given(st.permutations(["h1", "h2", "h3", "h10", "h20"]), st.integers(1, 12))
def test_the_order_of_the_inventory_does_not_matter_and_the_spread_is_even(
    tmp_path_factory: pytest.TempPathFactory, order: list[str], replicas: int
) -> None:
    world = World(tmp_path_factory.mktemp("profiles"), {"servers": ["h1"], "any": order})
    world.write("spread", "containers: [{name: one, image: i, hosts: any, max_per_host: 3}]")
    made = world.plan("spread", replicas={"one": replicas})
    world.groups = {"any": sorted(order), "servers": ["h1"]}
    assert dump(world.plan("spread", replicas={"one": replicas})) == dump(made)
    counts = [sum(r["host"] == host for r in made["replicas"].values()) for host in order]
    assert max(counts) - min(counts) <= 1
    assert max(counts) <= 3


@given(st.lists(st.text(alphabet="ah019.-", min_size=1, max_size=6)))
def test_natural_order_is_total(names: list[str]) -> None:
    ordered = sorted(names, key=natural)
    names.reverse()
    assert sorted(names, key=natural) == ordered


def test_natural_order_counts() -> None:
    assert sorted(["h10", "h9", "h1", "a"], key=natural) == ["a", "h1", "h9", "h10"]
    assert sorted(["h10", "h09", "h" + "9" * 5000, "h1000"], key=natural) == ["h09", "h10", "h1000", "h" + "9" * 5000]


def test_the_plan_id_speaks_of_what_is_done_and_not_of_what_was_seen(world: World) -> None:
    first = world.plan("ovms")
    world.snapshot = {"h1": {"time": 5}}
    second = world.plan("ovms")
    assert first["plan_id"] == second["plan_id"]
    assert first["snapshot"] != second["snapshot"]
    assert world.plan("ovms", env={"X": "1"})["plan_id"] != first["plan_id"]


def test_limits_are_in_the_plan_id_and_not_in_the_label_of_a_container(world: World) -> None:
    """They are changed in place, and a label cannot be."""

    def planned(docker: str) -> tuple[dict[str, Any], str]:
        world.write("limited", OVMS + f"    docker: {docker}\n")
        for file in ("server.env", "client.sh", "config.json"):
            (world.root / "limited" / file).write_bytes((world.root / "ovms" / file).read_bytes())
        made = world.plan("limited")
        return made, made["replicas"]["limited-client-1"]["task"]["labels"]["retail.profiles.spec"]

    plain, label = planned("{}")
    limited, same = planned("{memory: 64m, restart_policy: always}")
    other, another = planned("{hostname: h}")
    assert label == same != another
    assert len({made["plan_id"] for made in (plain, limited, other)}) == 3
    limited["replicas"]["limited-client-1"]["task"]["memory"] = "128m"
    with pytest.raises(ProfileError, match="does not match its plan_id"):
        plan.stored(json.dumps(limited), "plan.json")


def test_a_stored_plan_is_read_back_whole_and_refused_when_changed(world: World) -> None:
    made = world.plan("ovms")
    text = json.dumps(made)
    assert plan.stored(text, "plan.json") == made
    made["deployment"] = "other"
    with pytest.raises(ProfileError, match=r"plan.json: the plan does not match its plan_id"):
        plan.stored(json.dumps(made), "plan.json")
    with pytest.raises(ProfileError, match="is not JSON"):
        plan.stored("{", "plan.json")


def test_a_share_holds_one_hosts_part_of_one_wave(world: World) -> None:
    made = world.plan("ovms")
    assert [item["name"] for item in host_share.share(made, "h2", 1)["replicas"]] == ["ovms-client-1", "ovms-client-4"]
    assert host_share.share(made, "h2", 0)["replicas"] == []
    assert host_share.share(made, "h2", 0)["files"] == []
    empty: dict[str, list[object]] = {"networks": [], "files": [], "paths": [], "replicas": [], "shared": []}
    assert host_share.share(made, "elsewhere") == empty


def test_the_explanation_says_who_where_when_and_why(world: World) -> None:
    text = plan_text.text(world.plan("ovms"), full=True)
    assert "profile ovms, deployment ovms, 5 replicas on 4 hosts, 2 waves" in text
    assert "Wave 2, when ovms-server-1 is ready" in text
    assert "+ ovms-client-3 on h10 (10.0.0.4)" in text
    assert "why      clients has 3 hosts; 4 in all, dealt evenly" in text
    assert "dials    server (ovms-server-1) at 10.0.0.1: grpc 9000, rest 8000" in text
    assert "starts   when 10.0.0.1:9000 reports face-detection ready seen from h10, within 60 s" in text


def test_the_stock_playbook_has_one_task_a_container_and_takes_values_as_they_are(world: World) -> None:
    world.write("odd", "containers: [{name: one, image: i, env_file: e.env}]", e__env="A={{ nothing }}\n")
    [files, containers] = yaml.safe_load(stock_playbook.playbook(world.plan("odd"), "stock.yml.files"))
    assert files["tasks"][0]["community.docker.docker_network"]["name"] == "odd-default"
    [task] = containers["tasks"]
    assert task["community.docker.docker_container"]["env"] == {"A": "{% raw %}{{ nothing }}{% endraw %}"}
    assert task["when"] == "inventory_hostname == 'h1'"


def test_the_stock_playbook_waits_for_the_server_before_its_clients(world: World) -> None:
    [_files, containers] = yaml.safe_load(stock_playbook.playbook(world.plan("ovms"), "stock.yml.files"))
    names = [task["name"] for task in containers["tasks"]]
    assert names.index("Container ovms-server-1") < names.index(
        "Wait before ovms-client-1: ovms_models at 10.0.0.1:9000"
    )
    assert names.index("Wait before ovms-client-1: ovms_models at 10.0.0.1:9000") < names.index(
        "Container ovms-client-1"
    )


def test_every_plan_of_a_shipped_profile_is_byte_identical_twice(world: World, checkout: Path) -> None:
    world.root = checkout / "profiles"
    world.groups = {"ovms_servers": ["h1"], "ovms_clients": ["h2", "h3"], "cameras": ["h1"], "pipelines": ["h2", "h3"]}
    for name in sorted(folder.parent.name for folder in world.root.glob("*/profile.yml")):
        made = world.plan(name)
        assert dump(world.plan(name)) == dump(made)
        assert json.loads(dump(made)) == made  # plain data: no tuples, no keys but strings
