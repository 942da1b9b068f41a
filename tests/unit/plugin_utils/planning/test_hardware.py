# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target devices, input sources and displays: what they mean, and what the plan gives to which container."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan_text
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import input_source, target_device
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.target_device import HostDevices

from ..world import World

TWO = HostDevices(
    render=["/dev/dri/renderD128", "/dev/dri/renderD129"],
    npu=["/dev/accel/accel0"],
    gids={"/dev/dri/renderD128": 993, "/dev/dri/renderD129": 993, "/dev/accel/accel0": 0},
)
SINGLE = st.sampled_from(["CPU", "NPU", "GPU", "GPU.0", "GPU.1"])
TARGETS = st.one_of(
    SINGLE,
    st.just("AUTO"),
    st.tuples(st.sampled_from(["AUTO", "MULTI", "HETERO"]), st.lists(SINGLE, min_size=1, unique=True)).map(
        lambda pair: f"{pair[0]}:{','.join(pair[1])}"
    ),
)


@given(TARGETS)
def test_a_target_device_reads_as_it_was_written(text: str) -> None:
    assert str(target_device.parse(text)) == text
    assert target_device.name(text.lower()) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gpu.",
        "GPU.x",
        "GPU.01",
        "GPU,CPU",
        "MULTI",
        "MULTI:",
        "MULTI:GPU,",
        "HETERO:AUTO",
        "VPU",
        "BATCH:GPU",
        3,
        None,
    ],
)
def test_what_is_no_target_device_is_answered_with_the_valid_forms(text: Any) -> None:
    with pytest.raises(ValueError, match=r"is not a target device: valid are CPU, GPU, GPU\.n .*NPU.*MULTI:a,b"):
        target_device.parse(text)


@pytest.mark.parametrize(
    ("text", "nodes", "inside"),
    [
        ("CPU", [], "CPU"),
        ("GPU", ["/dev/dri/renderD128"], "GPU"),
        ("GPU.0", ["/dev/dri/renderD128"], "GPU"),
        ("GPU.1", ["/dev/dri/renderD129"], "GPU"),
        ("NPU", ["/dev/accel/accel0"], "NPU"),
        ("AUTO", [*TWO.render, *TWO.npu], "AUTO"),
        ("AUTO:GPU,CPU", ["/dev/dri/renderD128"], "AUTO:GPU,CPU"),
        ("HETERO:GPU.1,CPU", ["/dev/dri/renderD129"], "HETERO:GPU,CPU"),
        ("MULTI:GPU.1,GPU.0", TWO.render, "MULTI:GPU.1,GPU.0"),
        ("MULTI:NPU,GPU", ["/dev/accel/accel0", "/dev/dri/renderD128"], "MULTI:NPU,GPU"),
    ],
)
def test_a_container_gets_the_least_that_the_device_needs(text: str, nodes: list[str], inside: str) -> None:
    target = target_device.parse(text)
    assert list(target_device.nodes(target, TWO)) == nodes
    assert str(target_device.inside(target, TWO)) == inside


@given(TARGETS)
def test_no_target_needs_more_than_the_host_has_and_all_gpus_inside_are_given(text: str) -> None:
    target = target_device.parse(text)
    nodes = target_device.nodes(target, TWO)
    gpus = [node for node in nodes if "render" in node]
    assert set(nodes) <= {*TWO.render, *TWO.npu}
    for part in target_device.inside(target, TWO).parts:
        if part.startswith("GPU."):
            assert int(part[4:]) < len(gpus)


def test_models_that_name_gpus_for_themselves_find_them_under_the_same_names() -> None:
    named = [target_device.parse("GPU.1"), target_device.parse("CPU")]
    assert list(target_device.nodes_by_name(named, TWO)) == TWO.render
    assert target_device.nodes_by_name([target_device.parse("CPU")], TWO) == ()


def test_what_the_host_lacks_is_told_with_what_it_has() -> None:
    with pytest.raises(ValueError, match=r"no GPU\.2 \(/dev/dri/renderD130\): it has /dev/dri/renderD128, /dev/dri/r"):
        target_device.nodes(target_device.parse("GPU.2"), TWO)
    with pytest.raises(ValueError, match=r"no NPU \(/dev/accel/accelN\): it has none"):
        target_device.nodes(target_device.parse("MULTI:CPU,NPU"), HostDevices())
    assert target_device.nodes(target_device.parse("AUTO"), HostDevices()) == ()


@pytest.mark.parametrize(
    ("text", "nodes"),
    [
        ("rtsp://10.0.0.1:8554/dev/video0", []),
        ("http://camera/video0", []),
        ("file:x.mp4", []),
        ("/dev/video2", ["/dev/video2"]),
        ("012345678901", ["/dev/bus/usb/002/003", "/dev/video4"]),
    ],
)
def test_an_input_source_needs_nodes_for_cameras_alone(text: str, nodes: list[str]) -> None:
    cameras = {"012345678901": {"usb": "/dev/bus/usb/002/003", "video": ["/dev/video4"]}}
    host = HostDevices(video=["/dev/video2", "/dev/video4"], realsense=cameras)
    assert list(input_source.nodes(input_source.source(text), host)) == nodes


@pytest.mark.parametrize("text", ["", "x.mp4", "/dev/vid", "/dev/video", "/video0", "rtsp://", "a b", None, True])
def test_what_is_no_input_source_is_answered_with_the_valid_forms(text: Any) -> None:
    with pytest.raises(ValueError, match=r"is not an input source: valid are rtsp://.*/dev/videoN.*RealSense"):
        input_source.source(text)


def test_a_camera_that_is_not_there_is_told_with_those_that_are() -> None:
    host = HostDevices(video=["/dev/video0"])
    with pytest.raises(ValueError, match=r"no /dev/video1: it has /dev/video0"):
        input_source.nodes("/dev/video1", host)
    with pytest.raises(ValueError, match=r"no RealSense camera with the serial number 77: it has none"):
        input_source.nodes("77", host)


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
