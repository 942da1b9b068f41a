# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a container: precedence, and where each variable is from."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan_text

from ..world import World

PROFILE = """
containers:
  - name: one
    image: i
    env_file: [a.env, ./b.env]
    env:
      C: field
      D: field
"""


def test_precedence_is_file_then_later_file_then_field_then_command_line(world: World) -> None:
    world.write("env", PROFILE, a__env="A=a\nB=a\nC=a\n", b__env="\nB=b\n")
    [replica] = world.plan("env", env={"D": "line"})["replicas"].values()
    assert replica["task"]["env"] == {"A": "a", "B": "b", "C": "field", "D": "line"}
    assert replica["env_from"] == {"A": "a.env:1", "B": "b.env:2", "C": "profile.yml:7", "D": "profile_env"}


def test_the_printed_plan_has_a_line_a_variable_with_its_source(world: World) -> None:
    world.write("env", PROFILE, a__env="A=a\tb\n", b__env=f"B={'x' * 100}\n")
    text = plan_text.text(world.plan("env", env={"D": "two\nlines"}))
    assert "      env      A=a\\tb  (a.env:1)\n" in text
    assert f"      env      B={'x' * 59}…  (b.env:1)\n" in text
    assert "      env      C=field  (profile.yml:7)\n" in text
    assert "      env      D=two\\nlines  (profile_env)" in text


def test_a_moved_line_is_another_source_and_the_same_plan(world: World) -> None:
    world.write("env", PROFILE, a__env="A=a\n", b__env="")
    first = world.plan("env")
    world.write("env", PROFILE, a__env="# a\nA=a\n")
    second = world.plan("env")
    assert first["replicas"]["env-one-1"]["env_from"] != second["replicas"]["env-one-1"]["env_from"]
    assert first["plan_id"] == second["plan_id"]


def test_an_entry_of_another_profile_names_that_profiles_files(world: World) -> None:
    world.write("env", PROFILE, a__env="A=a\n", b__env="B=b\n")
    world.write("other", "containers: [{use: env/one, env: {C: mine}}]\n")
    [replica] = world.plan("other")["replicas"].values()
    assert replica["env_from"] == {"A": "env/a.env:1", "B": "env/b.env:1", "C": "profile.yml:1"}


def test_composes_format_is_asked_for_and_sees_the_run_and_the_files_before(world: World) -> None:
    world.write(
        "env",
        "containers: [{name: one, image: i, env_file: [a.env, {path: b.env, format: compose}]}]\n",
        a__env='A="$B"\n',
        b__env='B="${A} ${LINE} ${NOWHERE}."\n',
    )
    made = world.plan("env", env={"LINE": "run"})
    assert made["replicas"]["env-one-1"]["task"]["env"]["B"] == '"$B" run .'
    assert made["warnings"] == ["b.env:1: variable NOWHERE is not set: nothing stands in its place"]


def test_an_env_file_that_need_not_be_there_is_a_warning(world: World) -> None:
    world.write("env", "containers: [{name: one, image: i, env_file: {path: no.env, required: false}}]\n")
    made = world.plan("env")
    assert made["replicas"]["env-one-1"]["task"]["env"] == {}
    assert made["warnings"] == ["one: the env file no.env is not there"]


@pytest.mark.parametrize(
    "written,message",
    [
        ("{path: a.env, format: dotenv}", r"field env_file: format: 'dotenv' is not one of docker, compose"),
        ("[{format: compose}]", r"field env_file: the field 'path' is missing"),
        ("[{path: a.env, fromat: docker}]", r"unknown field 'fromat': did you mean 'format'"),
        ("{path: no.env}", r"field env_file: 'no.env' is not in the profile's folder"),
        ("bad.env", r"env/bad.env:2: 'x y=…' is not NAME=VALUE"),
    ],
)
def test_a_bad_env_file_gives_one_clear_error(world: World, written: str, message: str) -> None:
    world.write(
        "env", f"containers: [{{name: one, image: i, env_file: {written}}}]\n", a__env="", bad__env="A=1\nx y=z\n"
    )
    with pytest.raises(ProfileError, match=message):
        world.plan("env")


def test_env_files_are_not_templated_and_fields_are(world: World) -> None:
    world.write(
        "env",
        "containers: [{name: one, image: i, env_file: a.env, env: {B: '{{ replica.name }}'}}]\n",
        a__env="A={{ replica.name }}\n",
    )
    [replica] = world.plan("env")["replicas"].values()
    assert replica["task"]["env"] == {"A": "{{ replica.name }}", "B": "env-one-1"}


@pytest.mark.parametrize(("profile", "load"), [("ovms", {"FPS": "15"}), ("ovms-llm", {"REQUEST_RATE": "1"})])
def test_another_load_of_a_shipped_profile_changes_its_clients_alone(
    world: World, checkout: Path, profile: str, load: dict[str, str]
) -> None:
    world.root = checkout / "profiles"
    world.groups = {"ovms_servers": ["h1"], "ovms_clients": ["h2", "h3"]}
    usual = world.plan(profile)["replicas"]
    other = world.plan(profile, variables=dict.fromkeys(load, "77"))["replicas"]
    servers = {name for name, replica in usual.items() if replica["host"] == "h1"}
    assert {name for name in usual if usual[name]["task"] == other[name]["task"]} == servers
    for name in usual.keys() - servers:
        assert load.items() <= usual[name]["task"]["env"].items()
        assert other[name]["task"]["env"] == {**usual[name]["task"]["env"], **dict.fromkeys(load, "77")}
