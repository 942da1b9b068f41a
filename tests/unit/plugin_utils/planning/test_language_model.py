# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles with a language model in a plan: the server, its clients, and who makes what they need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from ..world import World, write_files

MODEL = "OpenVINO/Qwen3-0.6B-int4-ov"


@pytest.fixture
def fleet(world: World, checkout: Path) -> World:
    """A server on h1, clients on h2 and h3, and the profiles that are shipped."""
    world.root = checkout / "profiles"
    world.groups = {"ovms_servers": ["h1"], "ovms_clients": ["h2", "h3"]}
    return world


def replicas(plan: dict[str, Any], container: str) -> list[dict[str, Any]]:
    return [replica for replica in plan["replicas"].values() if replica["container"] == container]


def test_the_server_serves_the_model_that_was_pulled_into_its_folder(fleet: World) -> None:
    fleet.variables["llm_model"] = "org/other"
    (server,) = replicas(fleet.plan("ovms-llm"), "llm-server")
    told = server["task"]["command"]
    assert told[:6] == ["--model_name", "org/other", "--model_path", "/models/org/other", "--task", "text_generation"]
    assert server["task"]["volumes"] == ["/models-of-the-host:/models:ro"]
    assert server["secrets"] == ["API_KEY"]
    (probe,) = server["ready"]
    assert (probe["kind"], probe["models"], probe["path"]) == ("generates", ["org/other"], "/v3/chat/completions")
    models = fleet.load("ovms-llm").models
    assert models is not None
    assert models["names"] == ["org/other"]
    assert models["command"][:3] == ["--pull", "--source_model", "org/other"]


def test_both_tools_have_the_same_server_model_and_load(fleet: World) -> None:
    plans = {name: fleet.plan(name) for name in ("ovms-llm", "ovms-llm-guidellm")}
    servers = [replicas(plan, "llm-server")[0]["task"]["command"] for plan in plans.values()]
    assert servers[0] == servers[1]
    assert MODEL in servers[0]
    aiperf, guidellm = replicas(plans["ovms-llm"], "aiperf"), replicas(plans["ovms-llm-guidellm"], "guidellm")
    assert [one["host"] for one in guidellm] == ["h2", "h3"]
    assert [one["task"]["env"] for one in guidellm] == [one["task"]["env"] for one in aiperf]
    assert [one["task"]["env"]["SEED"] for one in guidellm] == ["1", "2"]
    assert fleet.load("ovms-llm-guidellm").models == fleet.load("ovms-llm").models


def test_the_key_is_in_no_plan(fleet: World) -> None:
    fleet.variables["llm_api_key"] = "of-this-fleet"
    assert "of-this-fleet" not in repr(fleet.plan("ovms-llm"))


def test_a_profile_builds_what_those_build_whose_containers_it_uses(world: World) -> None:
    for name in ("base", "own", "other"):
        write_files(world.root / name, {"image/Dockerfile": "FROM scratch\n"})
    entry = "  - name: one\n    image: real:1\n"
    world.write("base", f"builds: {{stand-in:1: ./image, both:1: ./image}}\ncontainers:\n{entry}")
    world.write("own", "builds: {both:1: ./image}\ncontainers:\n  - use: base/one\n")
    assert {image: build["context"] for image, build in world.load("own").builds.items()} == {
        "stand-in:1": str(world.root / "base" / "image"),
        "both:1": str(world.root / "own" / "image"),
    }


def test_an_image_may_be_built_by_another_profile(world: World, fleet: World, checkout: Path) -> None:
    for name in ("ovms-llm", "ovms-llm-guidellm"):
        stand_in = fleet.load(name).builds["retail/ovms-stand-in:1"]
        assert stand_in["context"] == str(checkout / "profiles" / "ovms" / "images" / "ovms-stand-in")


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("other", "profile 'other' does not build mine:1"),
        ("nosuch", "there is no profile 'nosuch'"),
        ("../other", "leads out of the profile's folder"),
    ],
)
def test_a_build_that_is_nowhere(world: World, place: str, message: str) -> None:
    entry = "  - name: one\n    image: real:1\n"
    world.write("other", f"containers:\n{entry}")
    world.write("own", f"builds: {{'mine:1': {place}}}\ncontainers:\n{entry}")
    with pytest.raises(ProfileError, match=message):
        world.load("own")
