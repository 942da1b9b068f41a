# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of OVMS as it is shipped: on the device that was asked for, in the form that OVMS takes today."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan
from ansible_collections.retail.profiles.plugins.plugin_utils.text import ovms_contract

from ..world import OVMS, World

GPUS = {"devices": {"render": ["/dev/dri/renderD128", "/dev/dri/renderD129"]}}
MODEL = {"name": "face-detection", "base_path": "/models/face-detection"}


def configure(world: World, *entries: dict[str, Any]) -> str:
    text = json.dumps({"model_config_list": list(entries), "custom_node_library_config_list": []})
    (world.root / "ovms" / "config.json").write_text(text, encoding="utf-8")
    return text


def shipped(made: plan.Planned, host: str = "h1") -> list[str]:
    """The content of the files of a host."""
    sources = [made.sources[item["sha256"]] for item in made.plan["hosts"][host]["files"]]
    return [(source if isinstance(source, bytes) else source.read_bytes()).decode() for source in sources]


def test_every_model_goes_to_the_device_and_all_else_stays(world: World) -> None:
    configure(world, {"config": {**MODEL, "target_device": "CPU", "nireq": 2}}, {"config": {**MODEL, "name": "b"}})
    world.snapshot = {"h1": GPUS}
    found = world.make("ovms", target_device="GPU.1")
    [text], made = shipped(found), found.plan
    assert json.loads(text) == {
        "model_config_list": [
            {"config": {**MODEL, "target_device": "GPU", "nireq": 2}},
            {"config": {**MODEL, "name": "b", "target_device": "GPU"}},
        ],
        "custom_node_library_config_list": [],
    }
    [item] = made["hosts"]["h1"]["files"]
    assert f"{item['dest']}:/config/config.json:ro" in made["replicas"]["ovms-server-1"]["task"]["volumes"]
    assert item["sha256"] in item["dest"]


def test_without_a_choice_the_file_is_shipped_to_the_byte_and_its_devices_are_given(world: World) -> None:
    text = configure(world, {"config": {**MODEL, "target_device": "GPU.1"}}, {"config": {**MODEL, "name": "b"}})
    world.snapshot = {"h1": GPUS}
    found = world.make("ovms")
    assert shipped(found) == [text]
    made = found.plan
    task = made["replicas"]["ovms-server-1"]["task"]
    assert [item.partition(":")[0] for item in task["devices"]] == GPUS["devices"]["render"]
    assert "TARGET_DEVICE" not in task["env"]
    world.snapshot = {}
    with pytest.raises(ProfileError, match=r"host h1, container server, field target_device: the host has no GPU\.1"):
        world.plan("ovms")


def test_a_device_of_a_model_that_is_not_known_here_is_a_warning(world: World) -> None:
    configure(world, {"config": {**MODEL, "target_device": "BATCH:CPU"}})
    [warning] = world.plan("ovms")["warnings"]
    assert warning.startswith("ovms-server-1: model face-detection: 'BATCH:CPU' is not a target device")


def test_latest_beside_config_moves_to_where_ovms_takes_it(world: World) -> None:
    policy = {"specific": {"versions": [2]}}
    configure(
        world,
        {"config": {**MODEL, "target_device": "CPU"}, "latest": {"num_versions": 1}},
        {"config": {**MODEL, "name": "b", "model_version_policy": policy}, "latest": {"num_versions": 1}},
    )
    [text] = shipped(world.make("ovms"))
    assert json.loads(text)["model_config_list"] == [
        {"config": {**MODEL, "target_device": "CPU", "model_version_policy": {"latest": {"num_versions": 1}}}},
        {"config": {**MODEL, "name": "b", "model_version_policy": policy}},
    ]


def test_two_servers_on_hosts_of_their_own_share_a_file_where_it_is_the_same(world: World) -> None:
    world.groups["servers"] = ["h1", "h2"]
    world.snapshot = {"h1": GPUS, "h2": {"devices": {"render": ["/dev/dri/renderD128"]}}}
    made = world.make("ovms", replicas={"server": 2}, target_device="GPU")
    assert shipped(made, "h1") == [text for text in shipped(made, "h2") if text.startswith("{")]


SINGLE = OVMS.replace(
    "--config_path, /config/config.json", "--model_name, m, --model_path, /models/m, --target_device, CPU"
)


def test_a_server_of_one_model_takes_the_device_as_an_argument(world: World) -> None:
    world.write("single", SINGLE, server__env="", client__sh="", config__json="{}")
    world.snapshot = {"h1": GPUS}
    command = world.plan("single", target_device="GPU")["replicas"]["single-server-1"]["task"]["command"]
    assert command[-2:] == ["--target_device", "GPU"]
    assert command.count("--target_device") == 1
    kept = world.plan("single")["replicas"]["single-server-1"]["task"]["command"]
    assert kept[4:6] == ["--target_device", "CPU"]


def test_a_configuration_that_is_not_the_profiles_cannot_be_put_on_a_device(world: World) -> None:
    world.write(
        "elsewhere", OVMS.replace("./config.json:/config", "/srv:/config").replace("all", "[m]"), server__env=""
    )
    with pytest.raises(ProfileError, match=r"container server, field args: its models cannot be put on GPU: /config/c"):
        world.plan("elsewhere", target_device="GPU")


def scraped(world: World, monitoring: dict[str, Any], *args: str) -> Any:
    document = {"model_config_list": [{"config": MODEL}], **monitoring}
    (world.root / "ovms" / "config.json").write_text(json.dumps(document), encoding="utf-8")
    file = world.root / "ovms" / "profile.yml"
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(text.replace(", --metrics_enable", "".join(f", {arg}" for arg in args)), encoding="utf-8")
        return world.plan("ovms")["replicas"]["ovms-server-1"]["prometheus"]
    finally:
        file.write_text(text, encoding="utf-8")


def metrics(**given: Any) -> dict[str, Any]:
    return {"monitoring": {"metrics": given}}


def test_metrics_are_switched_on_by_the_flag_or_by_the_configuration(world: World) -> None:
    default = sorted(ovms_contract.default_families((2025, 4)))
    on = {"port": 8000, "path": "/metrics"}
    assert scraped(world, {}, "--metrics_enable") == {**on, "families": default}
    listed = ("--metrics_enable", "--metrics_list", "'ovms_streams, ovms_requests_success'")
    assert scraped(world, {}, *listed) == {**on, "families": ["ovms_requests_success", "ovms_streams"]}
    assert scraped(world, metrics(enable=True)) == {**on, "families": default}
    assert scraped(world, metrics(enable=True, metrics_list=["ovms_streams"])) == {**on, "families": ["ovms_streams"]}
    for off in ({}, metrics(enable=False)):
        assert scraped(world, off) is None


@pytest.mark.parametrize(
    "monitoring",
    ["on", None, {}, {"metrics": None}, {"metrics": {}}, {"metrics": {"enable": True, "metrics_list": 7}}],
)
def test_a_section_of_metrics_that_is_none_is_named(world: World, monitoring: Any) -> None:
    with pytest.raises(ProfileError, match=r"config.json is not an OVMS configuration of 2025.4: .*: monitoring"):
        scraped(world, {"monitoring": monitoring})


@pytest.mark.parametrize("listed", ["model_config_list", "mediapipe_config_list"])
def test_a_model_without_a_name_is_refused(world: World, listed: str) -> None:
    one = {"name": "", "base_path": "/models/m"}
    with pytest.raises(ProfileError, match=rf"config.json:\d+: {listed}\[0\]\S*name: it takes a name, not ''"):
        scraped(world, {listed: [{"config": one} if listed == "model_config_list" else one]})
