# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a profile says of the variables of its own templates, and where others say how its models are made."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.secrets import Secrets

from ..world import World, render

BASE = """
variables: {model: small, number: 2, words: [a, b], place: all}
models:
  image: maker:1
  names: ["{{ model }}"]
containers:
  - name: one
    image: "served:{{ model }}"
    replicas: "{{ number }}"
    hosts: "{{ place }}"
    args: ["{{ model }}", "{{ words | join('+') }}", "{{ on_host | default('-') }}"]
    secret_env: {KEY: "{{ model }}-secret"}
"""
OTHER = """
variables: {model: other}
models: base
containers:
  - use: base/one
    env: {OWN: "{{ model }}"}
"""


@pytest.fixture
def both(world: World) -> World:
    world.write("base", BASE)
    world.write("other", OTHER)
    return world


def tasks(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [replica["task"] for replica in plan["replicas"].values()]


def test_a_variable_is_what_the_profile_says_where_nobody_else_does(both: World) -> None:
    one, two = tasks(both.plan("base"))
    assert (one["image"], one["command"]) == ("served:small", ["small", "a+b", "-"])
    assert two["image"] == "served:small"
    assert both.load("base").models == {"image": "maker:1", "command": [], "names": ["small"]}


def test_the_inventory_and_the_caller_stand_above_it(both: World) -> None:
    both.variables.update(model="large", number=1)
    (one,) = tasks(both.plan("base"))
    assert (one["image"], one["command"][0]) == ("served:large", "large")
    models = both.load("base").models
    assert models is not None and models["names"] == ["large"]


def test_an_entry_that_is_used_keeps_those_of_its_own_profile(both: World) -> None:
    one, _two = tasks(both.plan("other"))
    assert (one["image"], one["env"]) == ("served:small", {"OWN": "other"})


def test_models_are_made_as_the_profile_says_that_is_named(both: World) -> None:
    assert both.load("other").models == {"image": "maker:1", "command": [], "names": ["small"]}


def test_a_secret_knows_them_too(both: World) -> None:
    loaded = both.load("base")
    name, replica = next(iter(both.plan("base")["replicas"].items()))
    secrets = Secrets(loaded, {replica["host"]: {}}, render)
    assert secrets.of(name, replica) == {"KEY": "small-secret"}


ONE = "containers:\n  - name: one\n    image: i\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("variables: [a]\n" + ONE, r"profile.yml:1, field variables: expected a mapping"),
        ("variables: {a-b: 1}\n" + ONE, r"profile.yml:1, field variables: a-b: no template can use this name"),
        ('variables: {a: "{{ b }}"}\n' + ONE, r"profile.yml:1, field variables: no template and no !vault here"),
        ("variables:\n  a: !vault x\n" + ONE, r"profile.yml:1, field variables: no template and no !vault here"),
        ("models: nosuch\n" + ONE, r"profile.yml:1, field models: there is no profile 'nosuch'"),
        (
            "models: plain\n" + ONE,
            r"profile.yml:1, field models: profile 'plain' does not say itself how its models are",
        ),
        (
            "models: other\n" + ONE,
            r"profile.yml:1, field models: profile 'other' does not say itself how its models are",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line(both: World, text: str, message: str) -> None:
    both.write("plain", ONE)
    both.write("bad", text)
    with pytest.raises(ProfileError, match=message):
        both.load("bad")
