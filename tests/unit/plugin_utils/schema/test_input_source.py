# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Input sources: how they are written, and which nodes they need."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.schema import input_source
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.target_device import HostDevices


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
