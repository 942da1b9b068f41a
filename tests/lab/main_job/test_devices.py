# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Device nodes of hosts, as containers get them. The nodes are made here: they lead to /dev/null."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from .conftest import Fleet

PROFILE = """
containers:
  - name: infer
    image: retail/kserve-client:1
    entrypoint: [/bin/sh, -c]
    args: ["test -c /dev/dri/renderD128 && echo up; trap 'exit 0' TERM; while :; do sleep 0.2; done"]
    target_device: CPU
    input_source: rtsp://192.0.2.1/none
    hosts: h1
    ready: {log: up, timeout: 5s}
"""
GROUP = 4242
NODES = "mkdir -p /dev/dri && mknod /dev/dri/renderD128 c 1 3 && mknod /dev/video7 c 1 3"
MAKE = f"{NODES} && chgrp {GROUP} /dev/dri/renderD128"


@pytest.fixture
def equipped(fleet: Fleet) -> Iterator[Fleet]:
    """h2 has a render node and a camera; no other host has."""
    fleet.profile("devices", PROFILE)
    fleet.shell("h2", MAKE)
    yield fleet
    fleet.shell("h2", "rm -rf /dev/dri /dev/video7")


def test_the_nodes_of_a_host_are_given_to_its_container_and_it_is_not_privileged(equipped: Fleet) -> None:
    where = {"profile": "devices", "profile_place": {"infer": "h2"}}
    equipped.well("deploy_profile", **where, profile_target_device="GPU", profile_input_source="/dev/video7")
    shown = json.loads(equipped.shell("h2", "docker inspect devices-infer-1"))[0]["HostConfig"]
    assert {item["PathOnHost"] for item in shown["Devices"]} == {"/dev/dri/renderD128", "/dev/video7"}
    assert str(GROUP) in shown["GroupAdd"]
    assert shown["Privileged"] is False
    assert (
        equipped.well(
            "deploy_profile", **where, profile_target_device="GPU", profile_input_source="/dev/video7"
        ).changed
        == 0
    )


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"profile_target_device": "GPU"}, "/dev/dri/renderD"),
        ({"profile_target_device": "NPU"}, "NPU"),
        ({"profile_input_source": "/dev/video7"}, "/dev/video7"),
    ],
)
def test_a_host_without_the_device_is_named_before_anything_starts(
    equipped: Fleet, asked: dict[str, str], told: str
) -> None:
    done = equipped.play("deploy_profile", profile="devices", **asked)
    assert done.status != 0
    error = next(line for line in done.output.splitlines() if "[ERROR]" in line)
    assert "h1" in error and told in error, error
    assert "Traceback" not in done.output
    assert equipped.leftovers() == {}
