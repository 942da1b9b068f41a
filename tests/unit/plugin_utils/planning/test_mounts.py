# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes: the short and the long form, named ones and their drivers, and what cannot be."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from ..world import World


def planned(world: World, mounted: Any, **top: Any) -> dict[str, Any]:
    """The task of a container with these volumes."""
    value = {"containers": [{"name": "one", "image": "i", "volumes": mounted}], **top}
    world.write("v", yaml.safe_dump(value), config__json="{}")
    task: dict[str, Any] = world.plan("v")["replicas"]["v-one-1"]["task"]
    return task


@pytest.mark.parametrize(
    "written,expected",
    [
        ("/a:/b", "/a:/b"),
        ("/a:/b:ro", "/a:/b:ro"),
        ("/a:/b:rw,Z", "/a:/b:rw,Z"),
        ({"source": "/a", "target": "/b"}, "/a:/b"),
        ({"type": "bind", "source": "/a", "target": "/b", "read_only": True, "selinux": "z"}, "/a:/b:ro,z"),
        ({"source": "/a", "target": "/b", "propagation": "rslave"}, "/a:/b:rslave"),
        ({"source": "/a", "target": "/b", "create": True}, "/a:/b"),
        ("data:/b", "v-data:/b"),
        ("data:/b:ro", "v-data:/b:ro"),
        ({"source": "data", "target": "/b", "no_copy": True}, "v-data:/b:nocopy"),
    ],
    ids=str,
)
def test_what_docker_can_say_in_a_line_is_said_so(world: World, written: Any, expected: str) -> None:
    task = planned(world, [written])
    assert task["volumes"] == [expected]
    assert "mounts" not in task


def test_a_file_of_the_profile_is_read_only_in_every_form(world: World) -> None:
    short = planned(world, ["./config.json:/c"])["volumes"]
    assert short[0].endswith("/config.json:/c:ro")
    assert planned(world, [{"source": "./config.json", "target": "/c"}])["volumes"] == short


def test_a_path_that_the_engine_makes_need_not_be_on_the_host(world: World) -> None:
    text = "containers: [{name: one, image: i, volumes: [{source: /a, target: /a, create: true}, '/b:/b']}]"
    world.write("v", text)
    assert [item["path"] for item in world.plan("v")["hosts"]["h1"]["paths"]] == ["/b"]


@pytest.mark.parametrize(
    ("written", "mode"), [("0700", "0700"), ("01777", "1777"), ("0o1777", "1777"), ("0o755", "755")]
)
def test_a_mode_may_be_written_as_programs_write_it(world: World, written: str, mode: str) -> None:
    task = planned(world, {"type": "tmpfs", "target": "/t", "mode": written})
    assert task["mounts"][0]["tmpfs_mode"] == mode


def test_a_tmpfs_is_a_mount(world: World) -> None:
    task = planned(world, {"type": "tmpfs", "target": "/t", "size": "1m", "mode": "0700", "read_only": True})
    assert task["mounts"] == [
        {"type": "tmpfs", "target": "/t", "read_only": True, "tmpfs_size": "1048576", "tmpfs_mode": "0700"}
    ]
    assert "volumes" not in task


def test_a_volume_with_a_driver_is_a_mount_and_one_without_is_none(world: World) -> None:
    top = {"volumes": {"plain": None, "nfs": {"driver_options": {"type": "nfs", "timeo": 7}}}}
    task = planned(world, ["plain:/p", "nfs:/n:ro"], **top)
    assert task["volumes"] == ["v-plain:/p"]
    assert task["mounts"] == [
        {
            "type": "volume",
            "source": "v-nfs",
            "target": "/n",
            "read_only": True,
            "volume_driver": "local",
            "volume_options": {"type": "nfs", "timeo": "7"},
        }
    ]


def test_an_external_volume_keeps_its_name_and_must_be_on_the_host(world: World) -> None:
    assert planned(world, ["Theirs:/p"], volumes={"Theirs": {"external": True}})["volumes"] == ["Theirs:/p"]
    [needed] = world.plan("v")["hosts"]["h1"]["paths"]
    assert needed == {"kind": "volume", "path": "Theirs", "container": "one", "field": "volumes", "model": None}


@pytest.mark.parametrize(
    "written,message",
    [
        ("x", r"'x' is not SOURCE:TARGET"),
        ("/a:b", r"with an absolute TARGET"),
        ("/a:/b:rx", r"'rx' is not a mode such as ro"),
        ("./config.json:/b:rw", r"a file of the profile is mounted read-only"),
        ("../a:/b", r"a source is ./FILE of the profile, an absolute path, or a volume's name"),
        ("~/a:/b", r"a source is ./FILE"),
        ("a/b:/b", r"'a/b' is no name of a volume"),
        ({"target": "/b"}, r"the source is missing; only the type tmpfs has none"),
        ({"type": "bind", "source": "a", "target": "/b"}, r"a source is ./FILE"),
        ({"type": "volume", "source": "/a", "target": "/b"}, r"'/a' is no name of a volume"),
        ({"type": "tmpfs", "source": "a", "target": "/b"}, r"a tmpfs has no source"),
        ({"source": "/a", "target": "b"}, r"target: 'b' is not an absolute path in the container"),
        ({"source": "/a", "target": "/b", "size": "1m"}, r"size is for the type tmpfs, not bind"),
        ({"source": "a", "target": "/b", "selinux": "z"}, r"selinux is for the type bind, not volume"),
        ({"type": "tmpfs", "target": "/b", "mode": 1777}, r"a mode in octal and in quotes"),
        ({"type": "tmpfs", "target": "/b", "size": "big"}, r"size: .*big"),
        ({"source": "/a", "taget": "/b"}, r"unknown field 'taget': did you mean 'target'"),
        (["/a:/x", "/b:/x"], r"/x is mounted twice"),
    ],
    ids=str,
)
def test_what_cannot_be_mounted_is_refused(world: World, written: Any, message: str) -> None:
    with pytest.raises(ProfileError, match=f"profile.yml:.*container one, field volumes: .*{message}"):
        planned(world, written if isinstance(written, list) else [written])


@pytest.mark.parametrize(
    "volumes,message",
    [
        ({"other": None}, r"container one, field volumes: 'data' is not in the profile's list of 'volumes'"),
        ({"data": {"external": True, "driver": "nfs"}}, r"an external volume takes no driver"),
        ({"data": {"drivr": "nfs"}}, r"field volumes: data: unknown field 'drivr'"),
        ({"data": {"driver_options": {"o": "x"}}, "x": None}, r"'z' is not for 'data'"),
    ],
    ids=str,
)
def test_a_wrong_list_of_volumes_is_refused(world: World, volumes: Any, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        planned(world, ["data:/b:z"], volumes=volumes)


def test_the_list_of_volumes_may_hold_templates_of_the_play(world: World) -> None:
    world.variables = {"server": "10.0.0.9"}
    top = {"volumes": {"nfs": {"driver_options": {"o": "addr={{ server }}"}}}}
    assert planned(world, ["nfs:/n"], **top)["mounts"][0]["volume_options"] == {"o": "addr=10.0.0.9"}
