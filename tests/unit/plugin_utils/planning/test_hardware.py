# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target devices, input sources and displays: what the plan gives to which container."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan_text
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.target_device import HostDevices

from ..world import World

TWO = HostDevices(
    render=["/dev/dri/renderD128", "/dev/dri/renderD129"],
    npu=["/dev/accel/accel0"],
    gids={"/dev/dri/renderD128": 993, "/dev/dri/renderD129": 993, "/dev/accel/accel0": 0},
)


GPU_HOST = {"devices": {"render": ["/dev/dri/renderD128"], "gids": {"/dev/dri/renderD128": 993}}}


def test_the_server_gets_the_device_and_its_clients_do_not(world: World) -> None:
    world.snapshot = {"h1": GPU_HOST}
    made = world.plan("ovms", target_device="GPU")
    server, client = made["replicas"]["ovms-server-1"], made["replicas"]["ovms-client-1"]
    assert server["task"]["devices"] == ["/dev/dri/renderD128:/dev/dri/renderD128:rw"]
    assert server["task"]["groups"] == ["993"]
    assert server["task"]["env"]["TARGET_DEVICE"] == "GPU"
    assert server["target_device"] == "GPU"
    assert "privileged" not in server["task"]
    assert not {"devices", "groups"} & set(client["task"])
    assert "TARGET_DEVICE" not in client["task"]["env"]
    assert "device   GPU: /dev/dri/renderD128" in plan_text.text(made)
    assert made["plan_id"] != world.plan("ovms")["plan_id"]


def test_every_host_without_the_device_is_named_with_what_it_has(world: World) -> None:
    world.write("infer", "containers: [{name: one, image: i, hosts: all, replicas_per_host: 1, target_device: CPU}]")
    world.snapshot = {"h2": GPU_HOST}
    with pytest.raises(ProfileError) as error:
        world.plan("infer", target_device="GPU.1")
    text = str(error.value)
    wanted = "container one, field target_device: the host has no GPU.1 (/dev/dri/renderD129): it has"
    assert f"host h1, {wanted} none" in text
    assert f"host h2, {wanted} /dev/dri/renderD128" in text
    assert "host h10" in text


def test_the_name_in_the_container_is_at_hand_for_arguments(world: World) -> None:
    text = (
        "containers: [{name: one, image: i, hosts: h1, target_device: CPU, args: ['{{ replica.device }}'],"
        " docker: {devices: [/dev/fuse], groups: ['44']}}]"
    )
    world.write("infer", text)
    world.snapshot = {"h1": {"devices": {"render": TWO.render, "gids": TWO.gids}}}
    assert world.plan("infer")["replicas"]["infer-one-1"]["task"]["command"] == ["CPU"]
    task = world.plan("infer", target_device="GPU.1")["replicas"]["infer-one-1"]["task"]
    assert task["command"] == ["GPU"]
    assert task["env"]["TARGET_DEVICE"] == "GPU.1"
    assert task["devices"] == ["/dev/fuse", "/dev/dri/renderD129:/dev/dri/renderD129:rw"]
    assert task["groups"] == ["44", "993"]


@pytest.mark.parametrize("setting", [{"target_device": "GPU"}, {"input_source": "file:x"}, {"render": True}])
def test_a_variable_that_concerns_no_container_is_an_error(world: World, setting: dict[str, Any]) -> None:
    world.write("plain", "containers: [{name: one, image: i}]")
    [name] = setting
    with pytest.raises(ProfileError, match=f"field profile_{name}: it is given, but no container .* field '{name}'"):
        world.plan("plain", **setting)


def test_input_and_display_reach_the_container(world: World) -> None:
    text = "containers: [{name: one, image: i, hosts: h1, input_source: 'file:a.mp4', render: false, env: {A: '1'}}]"
    world.write("show", text)
    plain = world.plan("show")["replicas"]["show-one-1"]["task"]
    assert plain["env"] == {"A": "1", "INPUTSRC": "file:a.mp4", "RENDER_MODE": "0"}
    assert "volumes" not in plain
    world.snapshot = {
        "h1": {"devices": {"video": ["/dev/video0"], "gids": {"/dev/video0": 44}, "displays": [":1", ":2"]}}
    }
    made = world.plan("show", input_source="/dev/video0", render=True)
    task = made["replicas"]["show-one-1"]["task"]
    assert task["env"] == {"A": "1", "INPUTSRC": "/dev/video0", "RENDER_MODE": "1", "DISPLAY": ":1"}
    assert task["devices"] == ["/dev/video0:/dev/video0:rw"]
    assert task["groups"] == ["44"]
    assert task["volumes"] == ["/tmp/.X11-unix:/tmp/.X11-unix:ro"]
    assert {"/tmp/.X11-unix"} == {item["path"] for item in made["hosts"]["h1"]["paths"]}
    assert world.plan("show", render=True, env={"DISPLAY": ":7"})["replicas"]["show-one-1"]["task"]["env"][
        "DISPLAY"
    ] == (":7")


def test_bad_values_in_a_profile_are_named_by_line(world: World) -> None:
    world.write("bad", "containers:\n  - name: one\n    image: i\n    target_device: GPU.x\n")
    with pytest.raises(ProfileError, match=r"profile\.yml:4, container one, field target_device: 'GPU\.x' is not"):
        world.plan("bad")
