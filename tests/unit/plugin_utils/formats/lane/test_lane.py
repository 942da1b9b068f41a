# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lane's cameras become containers that run the pipelines of their workloads."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import load

from ...world import World, assert_equal_plan, render
from .shop import (
    CLASSIFY,
    DETECT,
    GIVEN,
    STREAM,
    camera,
    cameras,
    element,
    elements,
    plan,
    task,
    workloads,
    write,
)


def variables(**values: str) -> Any:
    return replace(GIVEN, variables=values)


def test_a_camera_is_a_container_with_the_pipeline_of_its_workload(world: World) -> None:
    region = {"x": 10, "y": 20, "x2": 300, "y2": 400}
    file = write(
        world, cameras(camera(region_of_interest=region)), workloads(count=[DETECT, {**CLASSIFY, "device": "GPU"}])
    )

    made = plan(world, file)

    assert [words[0] for words in elements(made)][1:] == [
        *("rtph264depay", "h264parse", "decodebin3", "queue", "gvaattachroi", "queue", "gvadetect", "gvatrack"),
        *("queue", "gvaclassify", "queue", "gvametaconvert", "gvametapublish", "gvafpscounter", "queue"),
        "fpsdisplaysink",
    ]
    assert task(made)["entrypoint"] == ["stdbuf", "-oL", "gst-launch-1.0"]
    assert f"location={STREAM}" in elements(made)[0] and "name=door_source" in elements(made)[0]
    assert element(made, "gvaattachroi")[1:] == ["roi=10,20,300,400"]
    detect = element(made, "gvadetect")
    models = "/home/pipeline-server/models"
    assert f"model={models}/object_detection/shelf-net/INT8/shelf-net.xml" in detect
    assert {"device=CPU", "inference-region=roi-list", "pre-process-backend=opencv", "nireq=2"} <= set(detect)
    classify = element(made, "gvaclassify")
    assert f"model={models}/object_classification/labels-net/FP16-INT8/labels-net.xml" in classify
    assert f"model-proc={models}/object_classification/labels-net/labels-net.json" in classify
    assert "device=GPU" in classify
    assert "file-path=/home/pipeline-server/results/rs-d-door-1-door.jsonl" in element(made, "gvametapublish")
    assert "/models-of-the-host:/home/pipeline-server/models:ro" in task(made)["volumes"]
    assert "sync=false" in element(made, "fpsdisplaysink")
    assert task(made)["stop_signal"] == "SIGINT"


@pytest.mark.parametrize(
    ("steps", "nodes", "devices", "name"),
    [
        (["CPU"], [], ["CPU"], "CPU"),
        (["gpu"], ["/dev/dri/renderD128"], ["GPU"], "GPU"),
        (["GPU.1"], ["/dev/dri/renderD129"], ["GPU"], "GPU.1"),
        (["NPU"], ["/dev/accel/accel0"], ["NPU"], "NPU"),
        (["GPU", "NPU"], ["/dev/accel/accel0", "/dev/dri/renderD128"], ["GPU", "NPU"], "MULTI:GPU,NPU"),
        (["CPU", "GPU.1"], ["/dev/dri/renderD129"], ["CPU", "GPU"], "MULTI:CPU,GPU.1"),
        (["GPU", "GPU.1"], ["/dev/dri/renderD128", "/dev/dri/renderD129"], ["GPU.0", "GPU.1"], "MULTI:GPU,GPU.1"),
        (["HETERO:GPU,CPU"], ["/dev/dri/renderD128"], ["HETERO:GPU,CPU"], "HETERO:GPU,CPU"),
    ],
)
def test_a_container_has_the_device_nodes_of_all_its_steps(
    world: World, steps: list[str], nodes: list[str], devices: list[str], name: str
) -> None:
    kinds = [DETECT, CLASSIFY]
    written = [{**kinds[at], "device": device} for at, device in enumerate(steps)]

    made = plan(world, write(world, cameras(camera()), workloads(count=written)))

    assert [node.partition(":")[0] for node in task(made).get("devices", [])] == nodes
    used = [word for words in elements(made) for word in words if word.startswith("device=")]
    assert used == [f"device={device}" for device in devices]
    assert task(made)["env"]["TARGET_DEVICE"] == name


@pytest.mark.parametrize("steps", [["CPU"], ["GPU", "NPU"]])
def test_a_device_for_the_run_moves_every_step(world: World, steps: list[str]) -> None:
    kinds = [DETECT, CLASSIFY]
    written = [{**kinds[at], "device": device} for at, device in enumerate(steps)]

    made = plan(world, write(world, cameras(camera()), workloads(count=written)), target_device="NPU")

    used = [word for words in elements(made) for word in words if word.startswith("device=")]
    assert used == ["device=NPU"] * len(steps)
    assert [node.partition(":")[0] for node in task(made)["devices"]] == ["/dev/accel/accel0"]


def test_workloads_of_a_camera_share_a_branch_where_their_steps_are_the_same(world: World) -> None:
    other = {**DETECT, "model": "door-net"}
    file = write(
        world,
        cameras(camera("door", "Count", "count", "watch", "again", targetFps=10)),
        workloads(COUNT=[DETECT], watch=[other, CLASSIFY], again=[DETECT]),
    )

    loaded = load.load(file, [], render, {}, GIVEN)
    made = plan(world, file)

    sources = [word for word in task(made)["command"] if word.startswith("name=") and word.endswith("_source")]
    assert sources == ["name=door_1_source", "name=door_2_source"]
    rules = loaded.entries[0].raw["metrics"]
    assert list(rules) == ["fps", "fps_count", "fps_watch"]
    assert rules["fps_watch"]["regex"].startswith("door_2: last-message")
    assert [(one["metric"], one["at_least"]) for one in loaded.objectives] == [("fps_count", 10), ("fps_watch", 10)]


def test_target_fps_is_an_objective_and_all_cameras_are_a_stream(world: World) -> None:
    file = write(world, cameras(camera("Door", targetFps=12.5), camera("till", targetFps="8"), camera("exit")))

    loaded = load.load(file, [], render, {}, GIVEN)

    assert [(one["container"], one["at_least"], one["tolerance"]) for one in loaded.objectives] == [
        ("door", 12.5, 0.05),
        ("till", 8, 0.05),
    ]
    assert loaded.density is not None and loaded.density["container"] == ["door", "till", "exit"]
    assert any("targetFps of exit is not given" in warning for warning in loaded.warnings)

    loaded = load.load(file, [], render, {}, variables(TARGET_FPS="14.95"))
    assert [(one["container"], one["at_least"]) for one in loaded.objectives][2] == ("exit", 14.95)
    assert not any("targetFps" in warning for warning in loaded.warnings)


@pytest.mark.parametrize(
    ("keys", "given", "location"),
    [
        ({}, {}, STREAM),
        ({"streamUri": None, "rtsp_url": "rtsp://u:p%40@c/x"}, {}, "rtsp://u:p%40@c/x"),
        ({"fileSrc": "a.mp4|http://x/1"}, {}, STREAM),
        (
            {"streamUri": "", "fileSrc": "a.mp4|http://x/1", "width": 640, "fps": 30},
            {"RTSP_STREAM_HOST": "10.0.0.9"},
            "rtsp://10.0.0.9:8554/a-640-30-bench",
        ),
        ({"streamUri": "/till"}, {"RTSP_STREAM_HOST": "h", "RTSP_STREAM_PORT": "9"}, "rtsp://h:9/till"),
        ({"streamUri": "rtsp://rtsp-streamer:8554/a"}, {"RTSP_STREAM_HOST": "10.0.0.9"}, "rtsp://10.0.0.9:8554/a"),
    ],
)
def test_where_a_stream_comes_from(world: World, keys: dict[str, Any], given: dict[str, str], location: str) -> None:
    made = plan(world, write(world, cameras(camera(**keys))), given=variables(**given))

    assert f"location={location}" in elements(made)[0]


def test_a_service_of_upstream_that_nobody_starts_is_warned_of(world: World) -> None:
    made = plan(world, write(world, cameras(camera(streamUri="rtsp://rtsp-streamer:8554/a"))))

    assert [warning for warning in made["warnings"] if "RTSP_STREAM_HOST" in warning]


def test_a_file_is_shipped_where_it_is_with_the_profile_and_read_again_and_again(world: World) -> None:
    video = "performance-tools/sample-media/walk-1080-15-bench.mp4"
    lane = cameras(camera(streamUri=None, fileSrc="walk.mp4|https://example.org/1", width=1080))

    made = plan(world, write(world, lane, files={video: "frames"}))

    inside = "/home/pipeline-server/sample-media/walk-1080-15-bench.mp4"
    assert f"location={inside}" in elements(made)[0]
    assert element(made, "identity") == ["identity", "sync=true"]
    assert [volume.endswith(f"walk-1080-15-bench.mp4:{inside}:ro") for volume in task(made)["volumes"]].count(True) == 1
    assert task(made)["entrypoint"][:2] == ["sh", "-c"] and "while" in task(made)["entrypoint"][2]
    assert any("starts anew" in warning for warning in made["warnings"])

    once = plan(world, world.root / "shop/configs/camera_to_workload.json", given=variables(STREAM_LOOP="false"))
    assert task(once)["entrypoint"] == ["stdbuf", "-oL", "gst-launch-1.0"]


def test_a_file_that_is_not_with_the_profile_must_be_on_the_host(world: World) -> None:
    lane = cameras(camera(streamUri=None, fileSrc="walk.mp4"))

    made = plan(world, write(world, lane))
    elsewhere = plan(
        world, world.root / "shop/configs/camera_to_workload.json", given=variables(RTSP_MEDIA_DIR="/srv/media")
    )

    place = "performance-tools/sample-media/walk-1920-15-bench.mp4"
    assert any(f"work/{place}:" in volume for volume in task(made)["volumes"])
    assert any(f"./{place} is not among the profile's files" in warning for warning in made["warnings"])
    assert any(volume.startswith("/srv/media/walk-1920-15-bench.mp4:") for volume in task(elsewhere)["volumes"])


def test_upstream_s_variables_shape_the_pipeline(world: World) -> None:
    file = write(world, cameras(camera()), workloads(count=[DETECT, CLASSIFY]))
    values = {"PIPELINE_COUNT": "3", "BATCH_SIZE_DETECT": "8", "BATCH_SIZE_CLASSIFY": "2", "INFERENCE_INTERVAL": "1"}

    made = plan(world, file, given=variables(**values, RENDER_MODE="1", RTSP_LATENCY="50"))

    assert sorted(made["replicas"]) == ["d-door-1", "d-door-2", "d-door-3"]
    assert {"batch-size=8", "inference-interval=1"} <= set(element(made, "gvadetect"))
    assert "batch-size=2" in element(made, "gvaclassify")
    assert "latency=50" in elements(made)[0]
    assert "video-sink=autovideosink" in element(made, "fpsdisplaysink")
    assert task(made)["env"]["RENDER_MODE"] == "1"


def test_the_image_is_upstream_s_of_the_version_of_the_repository(world: World) -> None:
    file = write(world, cameras(camera(), camera("till")), files={"VERSION": "2026.9.1\n"})

    of_version = plan(world, file, given=replace(GIVEN, image=None))
    own = plan(world, file, given=replace(GIVEN, image={"till": "shop/till:2"}))

    assert task(of_version)["image"] == "intel/pipeline-runner-lp:2026.9.1"
    assert any("no image is named" in warning for warning in of_version["warnings"])
    assert (task(own)["image"], task(own, "till")["image"]) == ("intel/pipeline-runner-lp:2026.9.1", "shop/till:2")


def test_what_cannot_be_said_is_a_warning_by_key(world: World) -> None:
    steps = [
        {**DETECT, "type": "vlm", "vlm_model": "talker", "vlm_device": "GPU", "threshold": 0.4},
        {"type": "gvawatermark"},
        {**CLASSIFY, "precision": None, "device": None},
    ]
    made = plan(world, write(world, cameras(camera(speed=3, _note="x"), _notes={"a": 1}), workloads(count=steps)))

    said = "\n".join(made["warnings"])
    for words in (
        "vlm_model is left out",
        "vlm_device is left out",
        "threshold is ignored",
        "type gvawatermark is left",
    ):
        assert words in said
    assert "camera_to_workload.json:10: speed is ignored" in said
    assert "device is not given: CPU is taken" in said and "precision is not given" in said
    assert "note" not in said
    assert "model=/home/pipeline-server/models/object_classification/labels-net/labels-net.xml" in element(
        made, "gvaclassify"
    )


def test_a_module_of_the_profile_is_shipped(world: World) -> None:
    steps = [
        DETECT,
        {"type": "gvapython", "module": "own.py", "function": "look"},
        {"type": "gvapython", "module": "person_reid.py", "function": "process"},
    ]
    made = plan(world, write(world, cameras(camera()), workloads(count=steps), {"src/own.py": "pass"}))

    first, second = (words for words in elements(made) if words[0] == "gvapython")
    assert first[1:] == ["module=/home/pipeline-server/src/own.py", "function=look", 'arg=["door"]']
    assert "class=PersonReID" in second
    assert any(volume.endswith("own.py:/home/pipeline-server/src/own.py:ro") for volume in task(made)["volumes"])
    assert "gvametapublish" not in [words[0] for words in elements(made)]


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ({"x": 1, "y": 1, "x2": 5}, "y2 is missing"),
        ({"x": 9, "y": 1, "x2": 5, "y2": 5}, "is no region"),
        ({"x": -1, "y": 1, "x2": 5, "y2": 5}, "is no region: x and y are from 0 on, x2 and y2 larger"),
        ("everywhere", "expected x, y, x2 and y2"),
    ],
)
def test_a_region_that_is_none_is_an_error(world: World, region: Any, said: str) -> None:
    with pytest.raises(ProfileError, match=rf"camera_to_workload\.json:10: region_of_interest: .*{said}"):
        plan(world, write(world, cameras(camera(region_of_interest=region))))


@pytest.mark.parametrize("region", ["1,2,30,40", [1, 2, 30, 40], {"X": 1, "Y": 2, "X2": 30, "Y2": 40}])
def test_a_step_may_have_a_region_of_its_own(world: World, region: Any) -> None:
    value = [region] if isinstance(region, list) else region
    made = plan(world, write(world, cameras(camera()), workloads(count=[{**DETECT, "roi": value}])))

    assert element(made, "gvaattachroi")[1:] == ["roi=1,2,30,40"]


@pytest.mark.parametrize(
    ("lane", "pipelines", "said"),
    [
        (cameras(), None, r"camera_to_workload\.json:3: lane_config\.cameras must be a list of at least one"),
        (cameras(camera(workloads=[])), None, r"camera_to_workload\.json:7: workloads of door must name"),
        (cameras(camera(workloads=None)), None, r"camera_to_workload\.json:4: workloads of door must name"),
        (cameras(camera(), camera()), None, r"json:12: the camera of line 5 has the camera_id 'door', too"),
        (cameras(camera(streamUri=None)), None, r"json:4: door has no picture: give streamUri, or fileSrc"),
        (cameras(camera(streamUri="http://x/1")), None, r"json:6: streamUri: .* is no address of a stream"),
        (
            cameras(camera(streamUri="", fileSrc="http://x/a.mp4")),
            None,
            r"json:\d+: fileSrc: expected NAME.mp4.URL, not 'http://x/a.mp4'",
        ),
        (cameras(camera(targetFps=0)), None, r"json:10: targetFps: expected a number above 0, not 0"),
        (
            cameras(camera("door", "cuont")),
            None,
            r"json:8: the workload 'cuont' has no pipeline in .*: did you mean 'count'\?",
        ),
        (cameras(camera()), workloads(count=[]), r"workload_to_pipeline\.json:3: the workload 'count' has no steps"),
        (
            cameras(camera()),
            workloads(count=[{**DETECT, "device": "TPU"}]),
            r"workload_to_pipeline\.json:7: device: 'TPU' is not a target device",
        ),
        (
            cameras(camera()),
            workloads(count=[{**DETECT, "model": ""}]),
            r"workload_to_pipeline\.json:4: gvadetect needs a model",
        ),
        (cameras(camera()), workloads(count=[{"model": "m"}]), r"workload_to_pipeline\.json:4: type is not given"),
        (
            '{"lane_config": {\n"cameras": [\n{"camera_id": "a",}]}}',
            None,
            r"camera_to_workload\.json:3: this is not valid JSON",
        ),
        (
            cameras(camera()),
            '{"workload_pipeline_map": {\n"count": [],\n"count": []}}',
            r"workload_to_pipeline\.json:3: .*'count' stands here twice",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(world: World, lane: str, pipelines: str | None, said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        plan(world, write(world, lane, pipelines))


def test_all_workloads_without_a_pipeline_are_told_at_once(world: World) -> None:
    fits = {"configs/workload_to_pipeline_all.json": workloads(first=[DETECT], second=[DETECT])}
    file = write(world, cameras(camera("a", "first"), camera("b", "second")), files=fits)

    with pytest.raises(ProfileError, match=r"'first' .*; .*'second' .*; workload_to_pipeline_all.json has all"):
        plan(world, file, file.with_name("workload_to_pipeline.json"))


def test_keys_are_taken_in_any_case(world: World) -> None:
    lane = {"LANE_CONFIG": {"Cameras": [{"Camera_ID": "door", "STREAMURI": STREAM, "Workloads": "COUNT"}]}}
    step = {key.upper(): value for key, value in DETECT.items()}
    file = write(world, json.dumps(lane), json.dumps({"Workload_Pipeline_Map": {"Count": step}}))

    assert element(plan(world, file), "gvadetect")


def test_a_lane_plans_as_what_it_is_converted_to(world: World) -> None:
    region = {"x": 10, "y": 20, "x2": 300, "y2": 400}
    file = write(
        world,
        cameras(
            camera("door", "count", "watch", region_of_interest=region, targetFps=10),
            camera("till", streamUri=None, fileSrc="walk.mp4|u", targetFps=5),
        ),
        workloads(
            count=[DETECT, {**CLASSIFY, "device": "GPU"}], watch=[DETECT, {"type": "gvapython", "module": "own.py"}]
        ),
        {"performance-tools/sample-media/walk-1920-15-bench.mp4": "frames", "src/own.py": "pass"},
    )
    world.snapshot.update({host: {"devices": {"render": ["/dev/dri/renderD128"]}} for host in world.hosts})

    assert_equal_plan(world, file, GIVEN)
    converted = load.load(world.root / "converted/profile.yml", [], render, {})
    original = load.load(file, [], render, {}, GIVEN)
    assert converted.objectives == original.objectives and len(converted.objectives) == 3
    assert converted.density == original.density
