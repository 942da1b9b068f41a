# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the translators share: images, roots, durations, and text that is never rendered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats import base
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given

from ..world import World, write_files


def task(made: dict[str, Any], container: str) -> dict[str, Any]:
    found: dict[str, Any] = made["replicas"][f"d-{container}-1"]["task"]
    return found


def test_an_image_is_asked_for_by_container(world: World) -> None:
    file = write_files(world.root, {"p/x.yaml": "Containers: [{Name: Big Cam}, {Name: other, DockerImage: o:1}]"})
    with pytest.raises(
        ProfileError, match=r"x.yaml:1: no image for container big-cam: name one with -e profile_image="
    ):
        world.plan_foreign(file)
    for image in ("c:1", {"Big Cam": "c:1"}, {"big-cam": "c:1"}):
        made = world.plan_foreign(file, Given(image=image))
        assert [task(made, name)["image"] for name in ("big-cam", "other")] == ["c:1", "o:1"]


def test_no_text_of_another_format_is_rendered(world: World) -> None:
    jinja = "{{ 1 / 0 }}{% for %}{# gone #}"
    text = json.dumps(
        {
            "Containers": [
                {
                    "Name": "a",
                    "DockerImage": "i",
                    "Entrypoint": f"/bin/echo {jinja}",
                    "Envs": [f"E={jinja}", "P={{ peers['b'].address }}"],
                    "EnvironmentVariableFiles": "a.env",
                    "Volumes": [f"/data/{jinja.replace(':', '')}:/data"],
                },
                {"Name": "b", "DockerImage": "i"},
            ]
        }
    )
    file = write_files(world.root, {"p/profile_config.yaml": text, "p/a.env": f"F={jinja}"})
    made = world.plan_foreign(file)
    assert task(made, "a")["env"] == {"F": jinja, "E": jinja, "P": "{{ peers['b'].address }}"}
    assert " ".join(task(made, "a")["entrypoint"]) == f"/bin/echo {jinja}"
    assert made["replicas"]["d-a-1"]["peers"] == {}
    world.write("native", "containers: [{use: p/a, env: {N: '{{ replica.index }}'}}]")
    used = world.plan_loaded(world.load("native"), deployment="d")
    assert task(used, "a")["env"] == {"F": jinja, "N": "1"}
    assert " ".join(task(used, "a")["entrypoint"]) == f"/bin/echo {jinja}"


@pytest.mark.parametrize(
    "field", ["EnvironmentVariableFiles: ../x.env", "Volumes: ['../x.env:/x']", "Volumes: ['./link/x.env:/x']"]
)
def test_nothing_outside_the_root_is_read(world: World, field: str) -> None:
    file = write_files(world.root, {"p/c.yaml": f"Containers: [{{Name: a, DockerImage: i, {field}}}]", "x.env": "S=1"})
    (world.root / "p" / "link").symlink_to(world.root)
    with pytest.raises(ProfileError, match=r"c.yaml:1: .* leads out of .*-e profile_root=FOLDER"):
        world.plan_foreign(file)
    if "File" in field:
        assert world.plan_foreign(file, Given(root=world.root))["replicas"]
    with pytest.raises(ProfileError, match=r"profile_root .* does not hold the profile"):
        world.plan_foreign(file, Given(root=world.root / "ovms"))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(["h", "m", "s", "ms", "us", "ns"])), min_size=1))
def test_go_durations_add_up(parts: list[tuple[int, str]]) -> None:
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    text = "".join(f"{number}{unit}" for number, unit in parts)
    assert base.go_duration(text) == pytest.approx(sum(number * units[unit] for number, unit in parts))


@pytest.mark.parametrize(
    "text,seconds", [("0", 0.0), ("1.5h", 5400.0), ("-5s", 0.0), ("10", None), ("", None), ("s", None)]
)
def test_go_durations_as_go_reads_them(text: str, seconds: float | None) -> None:
    assert base.go_duration(text) == seconds
