# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lane of upstream's layout, its cameras simulated: as it is, and as what it is converted to."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from .conftest import SHORT, Fleet

pytestmark = pytest.mark.measures

CAMERAS = "h1"
IMAGE = "retail/gstreamer:1"
DETECT = {"type": "gvadetect", "model": "shelf-net", "device": "CPU", "precision": "INT8"}
CLASSIFY = {**DETECT, "type": "gvaclassify", "model": "labels-net"}


@pytest.fixture(scope="module")
def lab(prepared: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Cameras that run, and a user who has the two files of a lane that reads them."""
    user = Fleet(prepared.checkout, prepared.inventory, tmp_path_factory.mktemp("lane"))
    place = {"profile_place": {"camera": CAMERAS}}
    user.well("prepare_hosts", profile="camera-simulator", **place)
    user.shells("all", "mkdir -p /var/lib/retail-profiles/models")
    user.well("deploy_profile", profile="camera-simulator", **place)
    address = user.shell(CAMERAS, "docker port shared-camera-simulator-camera-1 8554").strip()
    files = {
        "camera_to_workload.json": {
            "lane_config": {
                "cameras": [
                    {
                        "camera_id": name,
                        "streamUri": f"rtsp://{address}/camera{number}",
                        "targetFps": target,
                        "workloads": workloads,
                        "region_of_interest": {"x": 10, "y": 10, "x2": 200, "y2": 200},
                    }
                    for number, (name, target, workloads) in enumerate(
                        [("Door", 10, ["count"]), ("Till", 12, ["count", "watch"])], start=1
                    )
                ]
            }
        },
        "workload_to_pipeline.json": {
            "workload_pipeline_map": {"count": [DETECT, CLASSIFY], "watch": [{**DETECT, "model": "door-net"}]}
        },
    }
    (user.home / "shop" / "configs").mkdir(parents=True)
    for name, content in files.items():
        (user.home / "shop" / "configs" / name).write_text(json.dumps(content), encoding="utf-8")
    yield user
    user.tidy()


def pair(lab: Fleet) -> list[str]:
    folder = lab.home / "shop" / "configs"
    return [str(folder / "camera_to_workload.json"), str(folder / "workload_to_pipeline.json")]


def test_a_lane_runs_and_each_camera_is_judged_by_its_own_target(lab: Fleet) -> None:
    lab.well("run_profile", profile=pair(lab), profile_image=IMAGE, **SHORT)

    run = lab.latest()
    assert run["verdict"] == "ok", run["reasons"]
    assert set(run["containers"]) == {"shop-door-1", "shop-till-1"}
    judged = {(one["container"], one["metric"]): one for one in run["objectives"]}
    assert {key: one["at_least"] for key, one in judged.items()} == {
        ("door", "fps"): 10,
        ("till", "fps_count"): 12,
        ("till", "fps_watch"): 12,
    }
    assert {one["state"] for one in judged.values()} == {"met"}
    for metrics in run["metrics"].values():
        assert metrics["fps"]["mean"] == pytest.approx(15, rel=0.15)


@pytest.mark.long
def test_what_a_lane_is_converted_to_searches_for_lanes(lab: Fleet) -> None:
    lab.well("convert_profile", **{"from": pair(lab), "to": str(lab.home / "profiles" / "lane")}, profile_image=IMAGE)

    density = {"container": ["door", "till"], "most": 2}
    done = lab.play("stream_density", profile="lane", profile_density=density, density_hold=10, density_warmup_max=20)

    (search,) = lab.latest()["search"]["searches"]
    assert (search["ending"], search["streams"]) == ("bounds", 2), done.output
