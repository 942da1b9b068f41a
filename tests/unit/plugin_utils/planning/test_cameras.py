# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Cameras in a plan: the shipped profiles, and the probe ``rtsp``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan_text

from ..world import World

CAMERA = """
containers:
  - name: camera
    image: cam:1
    networks: [video]
    ports: {rtsp: 8554}
    hosts: servers
    ready: {rtsp: %s}
  - name: reader
    image: reader:1
    networks: [video]
    hosts: clients
    depends_on: [camera]
"""


@pytest.fixture
def fleet(world: World, checkout: Path) -> World:
    """Cameras on h1, pipelines on h2, h3 and h10, and the profiles that are shipped."""
    world.root = checkout / "profiles"
    world.groups = {"cameras": ["h1"], "pipelines": ["h2", "h3", "h10"]}
    return world


def urls(plan: dict[str, Any]) -> dict[str, str]:
    return {
        name: replica["task"]["env"]["CAMERA_URL"]
        for name, replica in plan["replicas"].items()
        if replica["container"] == "decode"
    }


def test_each_reader_reads_its_own_stream_from_the_fleet_address(fleet: World) -> None:
    fleet.variables["camera_streams"] = 4
    plan = fleet.plan("gstreamer-rtsp")
    camera = plan["replicas"]["gstreamer-rtsp-camera-1"]
    assert camera["host"] == "h1"
    assert camera["task"]["published_ports"] == ["10.0.0.1:8554:8554/tcp"]
    assert camera["task"]["command"] == ["--streams", "4"]
    assert not camera["measured"]
    assert urls(plan) == {f"gstreamer-rtsp-decode-{n}": f"rtsp://10.0.0.1:8554/camera{n}" for n in (1, 2, 3, 4)}
    probe = {"kind": "rtsp", "timeout": 60.0, "port": 8554, "path": "/camera4"}
    assert camera["ready"] == [{**probe, "replica": "gstreamer-rtsp-camera-1"}]
    assert plan["replicas"]["gstreamer-rtsp-decode-2"]["reach"] == [{**probe, "address": "10.0.0.1"}]
    assert "rtsp://10.0.0.1:8554/camera4 describes a stream seen from h3" in plan_text.text(plan, full=True)


def test_on_one_host_the_readers_use_the_name_and_nothing_is_published(fleet: World) -> None:
    fleet.groups = {"only": ["solo"]}
    plan = fleet.plan("gstreamer-rtsp")
    assert urls(plan) == {
        f"gstreamer-rtsp-decode-{n}": f"rtsp://gstreamer-rtsp-camera-1:8554/camera{n}" for n in (1, 2)
    }
    assert "published_ports" not in plan["replicas"]["gstreamer-rtsp-camera-1"]["task"]


@pytest.mark.parametrize(
    ("written", "path", "port"),
    [("/a", "/a", 8554), ("{path: /b, port: rtsp}", "/b", 8554), ("{path: /c, port: 554}", "/c", 554)],
)
def test_the_probe_as_it_is_written(world: World, written: str, path: str, port: int) -> None:
    world.write("cam", CAMERA % written)
    (probe,) = world.plan("cam")["replicas"]["cam-camera-1"]["ready"]
    assert (probe["kind"], probe["path"], probe["port"]) == ("rtsp", path, port)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("camera1", "the path 'camera1' must start with '/'"),
        ("{path: /a, port: video}", "there is no port named 'video': 'ports' names rtsp"),
        ("{path: /a, status: 200}", "unknown field 'status'"),
    ],
)
def test_a_probe_that_is_wrong(world: World, written: str, message: str) -> None:
    world.write("cam", CAMERA % written)
    with pytest.raises(ProfileError) as caught:
        world.plan("cam")
    assert message in str(caught.value)
