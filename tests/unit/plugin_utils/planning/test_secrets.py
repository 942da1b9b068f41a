# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Secrets when planning: the plan has their names, and what cannot be one is refused without showing it."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import (
    plan_text,
    stock_playbook,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import (
    secrets as secret_env,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import host_share

from ..world import World, render

PROFILE = """
containers:
  - name: one
    image: i
    hosts: clients
    replicas: 2
    env: {A: plain, TOKEN: overridden}
    secret_env:
      TOKEN: "{{ vaulted }}-{{ replica.index }}"
      GIVEN:
"""
GIVEN = {"one": {"GIVEN": "given-secret"}}


def rendered(world: World, made: dict[str, Any], **variables: Any) -> dict[str, dict[str, str]]:
    hosts = {host: {"vaulted": "topsecret", "profile_secrets": GIVEN, **variables} for host in made["hosts"]}
    secrets = secret_env.Secrets(world.load("s"), hosts, render)
    secret_env.check(made, secrets)
    return secret_env.of_host(made, secrets, made["replicas"])


def test_the_plan_has_names_and_no_value(world: World) -> None:
    world.write("s", PROFILE)
    world.variables = {"vaulted": "topsecret"}
    made = world.plan("s")
    replica = made["replicas"]["s-one-1"]
    assert replica["secrets"] == ["TOKEN", "GIVEN"]
    assert replica["env_from"]["TOKEN"] == "profile.yml:9"
    assert replica["task"]["env"] == {"A": "plain"}
    assert replica["task"]["labels"]["retail.profiles.secrets"] == "GIVEN TOKEN"
    assert "topsecret" not in repr(made)
    assert "      env      TOKEN is a secret  (profile.yml:9)\n" in plan_text.text(made)


def test_values_are_rendered_for_each_replica_with_its_hosts_variables(world: World) -> None:
    world.write("s", PROFILE)
    assert rendered(world, world.plan("s")) == {
        "s-one-1": {"TOKEN": "topsecret-1", "GIVEN": "given-secret"},
        "s-one-2": {"TOKEN": "topsecret-2", "GIVEN": "given-secret"},
    }


def test_what_is_given_stands_above_the_profile_and_can_do_without_it(world: World) -> None:
    world.write("s", PROFILE)
    made = world.plan("s")
    given = {"one": {"TOKEN": "given-token", "GIVEN": "given-secret"}}
    assert rendered(world, made, profile_secrets=given)["s-one-1"]["TOKEN"] == "given-token"
    alone = secret_env.Secrets(None, {host: {"profile_secrets": given} for host in made["hosts"]}, render)
    assert secret_env.of_host(made, alone, ["s-one-2"]) == {"s-one-2": given["one"]}


def test_another_set_of_names_is_another_spec_and_another_value_is_not(world: World) -> None:
    world.write("s", PROFILE)
    first = world.plan("s")
    world.write("s", PROFILE.replace("{{ vaulted }}", "{{ other }}"))
    assert world.plan("s")["plan_id"] == first["plan_id"]
    world.write("s", PROFILE.replace("      GIVEN:\n", ""))
    assert world.plan("s")["plan_id"] != first["plan_id"]


@pytest.mark.parametrize(
    "variables,message",
    [
        (
            {"profile_secrets": {}},
            r"profile.yml:10, container one, field secret_env: the secret GIVEN has no value: give",
        ),
        ({"profile_secrets": {"one": {"GIVEN": "abc"}}}, r"the secret GIVEN is shorter than 4 characters"),
        (
            {"profile_secrets": {"one": {"GIVEN": "topsecret" * 60_000}}},
            r"the secret GIVEN has 540000 characters, and may have 250000",
        ),
        ({"profile_secrets": {"one": {"GIVEN": ["topsecret"]}}}, r"the secret GIVEN must be a string"),
        ({"profile_secrets": {"one": "topsecret"}}, r"profile_secrets must be {CONTAINER: {NAME: value}}"),
        ({"profile_secrets": {"one": {"GIVEN": "plain"}}}, r"secret GIVEN also stands in the plan in the clear"),
    ],
    ids=lambda value: str(value)[:80],
)
def test_what_can_be_no_secret_is_refused_and_not_shown(world: World, variables: Any, message: str) -> None:
    world.write("s", PROFILE)
    made = world.plan("s")
    with pytest.raises(ProfileError, match=message) as caught:
        rendered(world, made, **variables)
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    "written,message",
    [
        ("{TOKEN: abcdefgh}", r"profile.yml:4, container one, field secret_env: TOKEN: a secret in plain text is none"),
        ("{TOKEN: 12345678}", r"a secret in plain text is none"),
        ("{'A=': '{{ x }}'}", r"the name of a variable"),
        ("['{{ x }}']", r"expected a mapping"),
    ],
)
def test_what_is_not_kept_elsewhere_is_refused(world: World, written: str, message: str) -> None:
    world.write("s", f"containers:\n  - name: one\n    image: i\n    secret_env: {written}\n")
    with pytest.raises(ProfileError, match=message) as caught:
        world.plan("s")
    assert "abcdefgh" not in str(caught.value)


def test_a_vaulted_value_stands_in_secret_env_alone(world: World) -> None:
    text = (
        "containers:\n  - name: one\n    image: i\n    {}:\n      TOKEN: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n"
    )
    world.write("s", text.format("secret_env"))
    assert world.plan("s")["replicas"]["s-one-1"]["secrets"] == ["TOKEN"]
    world.write("s", text.format("env"))
    with pytest.raises(
        ProfileError, match=r"profile.yml:4, container one, field env: a value with !vault may stand in"
    ):
        world.plan("s")


def test_profile_env_does_not_give_a_secret_in_the_clear(world: World) -> None:
    world.write("s", PROFILE)
    with pytest.raises(
        ProfileError, match=r"profile.yml:9, .*TOKEN is a secret of this container, but profile_env gives"
    ):
        world.plan("s", env={"TOKEN": "clear"})


def test_the_stock_playbook_asks_for_secrets(world: World) -> None:
    world.write("s", PROFILE)
    [_prepare, containers] = yaml.safe_load(stock_playbook.playbook(world.plan("s"), "files"))
    task = containers["tasks"][0]
    assert task["no_log"] is True
    assert task["community.docker.docker_container"]["env"] == {
        "A": "plain",
        "TOKEN": "{{ profile_secrets['one']['TOKEN'] }}",
        "GIVEN": "{{ profile_secrets['one']['GIVEN'] }}",
    }


def test_a_share_has_names_in_labels_alone(world: World) -> None:
    world.write("s", PROFILE)
    share = host_share.share(world.plan("s"), "h2")
    assert "secrets" not in share["replicas"][0]
