# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two files of a lane are found, one by the other, and laid over each other where there are more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import load, search

from ...world import World, render, write_files
from .shop import DETECT, GIVEN, camera, cameras, element, elements, plan, workloads, write

GPU = {**DETECT, "device": "GPU"}


def configs(world: World, **texts: str) -> Path:
    """Files by what their names add to upstream's: c_NAME are cameras, w_NAME pipelines; gives their folder."""
    kinds = {"c": "camera_to_workload", "w": "workload_to_pipeline"}
    write_files(
        world.root / "shop/configs",
        {f"{kinds[name[0]]}{name[1:]}.json": text for name, text in texts.items()},
    )
    return world.root / "shop/configs"


def test_either_file_finds_the_other_and_so_does_the_folder(world: World) -> None:
    file = write(world, cameras(camera()))
    made = [plan(world, named) for named in (file, file.with_name("workload_to_pipeline.json"))]

    assert made[0]["replicas"] == made[1]["replicas"]
    assert search.find_profile(str(file.parent), []) == file
    assert load.load(file, [], render, {}, GIVEN).name == "shop"


def test_both_are_named_in_any_order(world: World) -> None:
    folder = configs(world, c_a=cameras(camera()), w_b=workloads())
    files = (folder / "camera_to_workload_a.json", folder / "workload_to_pipeline_b.json")

    first, second = plan(world, *files), plan(world, *reversed(files))

    assert first["replicas"] == second["replicas"]
    assert load.load(files[0], [], render, {}, replace(GIVEN, over=files[1:])).name == "a"
    assert search.find_files([str(file) for file in files], []) == files
    assert search.find_files(json.dumps([str(file) for file in files]), []) == files


def test_the_same_name_goes_before_the_general_one(world: World) -> None:
    folder = configs(world, c_lab=cameras(camera()), w=workloads(), w_lab=workloads(count=[GPU]))

    made = plan(world, folder / "camera_to_workload_lab.json")

    assert "device=GPU" in element(made, "gvadetect")
    assert any("workload_to_pipeline.json would do, too" in warning for warning in made["warnings"])


def test_a_file_that_lacks_a_workload_is_not_taken(world: World) -> None:
    folder = configs(
        world, c=cameras(camera("door", "watch")), w=workloads(), w_watch=workloads(watch=[{**GPU, "speed": 1}])
    )

    made = plan(world, folder / "camera_to_workload.json")

    assert "device=GPU" in element(made, "gvadetect")
    assert not any("would do" in warning for warning in made["warnings"])


def test_several_that_would_do_are_named(world: World) -> None:
    folder = configs(world, c_a=cameras(camera()), w_a_cpu=workloads(), w_a_gpu=workloads(count=[GPU]))

    with pytest.raises(ProfileError, match=r"several .* workload_to_pipeline_a_cpu\.json, workload_to_pipeline_a_gpu"):
        plan(world, folder / "camera_to_workload_a.json")
    made = plan(
        world,
        folder / "camera_to_workload_a.json",
        given=replace(GIVEN, variables={"WORKLOAD_DIST": "workload_to_pipeline_a_gpu.json"}),
    )
    assert "device=GPU" in element(made, "gvadetect")
    by_pipelines = plan(world, folder / "workload_to_pipeline_a_gpu.json")
    assert by_pipelines["replicas"] == made["replicas"]


def test_one_without_its_other_half_says_so(world: World) -> None:
    folder = configs(world, c=cameras(camera()))
    file = folder / "camera_to_workload.json"

    with pytest.raises(ProfileError, match=r"no workload_to_pipeline\*\.json belongs to it: none lies beside it; name"):
        plan(world, file)
    with pytest.raises(ProfileError, match=r"'other\.json' that WORKLOAD_DIST names is not there"):
        plan(world, file, given=replace(GIVEN, variables={"WORKLOAD_DIST": "other.json"}))
    with pytest.raises(ProfileError, match=r"json:8: the workload 'count' has no pipeline in workload_to_pipeline_x"):
        plan(world, configs(world, w_x=workloads(other=[DETECT])) / "workload_to_pipeline_x.json")
    file.unlink()
    with pytest.raises(ProfileError, match=r"no camera_to_workload\*\.json belongs to it"):
        plan(world, folder / "workload_to_pipeline_x.json")


def test_one_file_may_have_both(world: World) -> None:
    both = {**json.loads(cameras(camera())), **json.loads(workloads())}
    file = write_files(world.root, {"lane/both.json": json.dumps(both)})

    assert element(plan(world, file), "gvadetect")


def test_files_of_a_kind_are_laid_over_each_other(world: World) -> None:
    file = write(world, cameras(camera("door", targetFps=5), camera("till")), workloads(count=[DETECT], other=[DETECT]))
    over = configs(
        world,
        c_site=cameras({"camera_id": "door", "streamUri": "rtsp://10.1.1.1/d"}, camera("exit")),
        w_gpu=workloads(count=[GPU]),
    )
    layers = [over / "camera_to_workload_site.json", over / "workload_to_pipeline_gpu.json"]

    made = plan(world, file, file.with_name("workload_to_pipeline.json"), *layers)

    assert sorted(made["replicas"]) == ["d-door-1", "d-exit-1", "d-till-1"]
    assert "location=rtsp://10.1.1.1/d" in elements(made)[0]
    assert "device=GPU" in element(made, "gvadetect", "till")


def test_what_is_no_file_of_a_lane_is_not_laid_over_one(world: World) -> None:
    file = write(world, cameras(camera()), files={"compose.yaml": "services: {a: {image: b}}"})
    compose = world.root / "shop/compose.yaml"

    with pytest.raises(ProfileError, match=r"compose\.yaml:1: this is no file of a lane"):
        plan(world, file, compose)
    native = write_files(world.root, {"own/profile.yml": "containers: [{name: a, image: b}]"})
    with pytest.raises(ProfileError, match=r"profile\.yml: several files are named, but this is no Compose file"):
        plan(world, native, file)


def test_a_folder_with_several_lanes_asks_for_one(world: World) -> None:
    folder = configs(world, c_a=cameras(camera()), c_b=cameras(camera()), w=workloads())

    with pytest.raises(ProfileError, match=r"several profiles.*camera_to_workload_a\.json.*camera_to_workload_b\.json"):
        search.find_profile(str(folder), [])


def test_what_names_no_profile_is_told(world: World) -> None:
    with pytest.raises(ProfileError, match="a name, a path, or a list of files"):
        search.find_files({"a": 1}, [])


def test_a_camera_that_only_a_later_file_has_is_told_by_its_name(world: World) -> None:
    folder = configs(world, c=cameras(camera()), c_site=cameras({"camera_id": "camX", "streamUri": "rtsp://h/1"}))
    write_files(folder, {"workload_to_pipeline.json": workloads()})
    files = (folder / "camera_to_workload.json", folder / "camera_to_workload_site.json")
    with pytest.raises(ProfileError, match=r"site.json:\d+: no earlier file has the camera 'camX', but "):
        plan(world, *files)
