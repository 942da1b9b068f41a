# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Compose service names that is not there under this name: containers, services of another file, builds."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from ...world import World, write_files
from .shop import shop, task

VPN = "b: {image: j, container_name: vpn, ipc: shareable}"


@pytest.mark.parametrize(
    ("key", "option", "value"),
    [
        ("ipc: 'container:vpn'", "ipc_mode", "container:d-b-1"),
        ("pid: 'container:vpn'", "pid_mode", "container:d-b-1"),
        ("network_mode: 'container:vpn'", "network_mode", "container:d-b-1"),
        ("volumes_from: ['container:vpn:ro', 'b:ro']", "volumes_from", ["d-b-1:ro"]),
        ("volumes_from: ['container:other:ro']", "volumes_from", ["other:ro"]),
    ],
)
def test_a_container_of_the_file_is_named_as_it_is_called_here(world: World, key: str, option: str, value: Any) -> None:
    made = world.plan_foreign(
        shop(world, f"services: {{a: {{image: i, {key}}}, {VPN}}}\n"), place={"a": "h1", "b": "h1"}
    )
    assert task(made, "a")[option] == value
    starts_after = "other" not in str(value)
    assert made["waves"] == ([["d-b-1"], ["d-a-1"]] if starts_after else [["d-a-1", "d-b-1"]])


def test_the_name_that_compose_gives_a_container_is_known(world: World) -> None:
    text = "name: shop\nservices: {a: {image: i, pid: 'container:shop-b-1'}, b: {image: j}}\n"
    made = world.plan_foreign(shop(world, text), place={"a": "h1", "b": "h1"})
    assert task(made, "a")["pid_mode"] == "container:d-b-1"


@pytest.mark.parametrize(
    ("key", "more", "message"),
    [
        ("network_mode: 'container:b'", "", "yaml:3: .*no container is called so, but a service: write 'service:b'"),
        ("volumes_from: ['container:b:ro']", "", "no container is called so, but a service: write 'b'"),
        ("pid: 'container:vpn'", ", profiles: [p]", "'b' is not started: name one of its profiles"),
        ("pid: 'service:b'", ", scale: 0", "'b' has no replicas: there is nothing to share"),
    ],
)
def test_a_container_that_there_will_not_be_is_refused(world: World, key: str, more: str, message: str) -> None:
    text = f"services:\n  a:\n    {key}\n    image: i\n  {VPN.removesuffix('}')}{more}}}\n"
    with pytest.raises(ProfileError, match=message):
        world.plan_foreign(shop(world, text))


@pytest.mark.parametrize(
    "service",
    ["environment: {A: b}, depends_on: [gone]", "image: i, depends_on: [gone]", "image: i, networks: [back]"],
)
def test_an_overlay_without_its_base_is_told_so(world: World, service: str) -> None:
    file = shop(world, f"services: {{a: {{{service}}}}}\n")
    with pytest.raises(ProfileError, match=r'laid over another one, name both.*\["OTHER.yml", "compose.yaml"\]'):
        world.plan_foreign(file)


def test_a_near_name_is_a_slip_and_no_overlay(world: World) -> None:
    with pytest.raises(ProfileError, match=r"there is no service 'redsi': did you mean 'redis'\?$"):
        world.plan_foreign(shop(world, "services: {a: {image: i, depends_on: [redsi]}, redis: {image: j}}\n"))


@pytest.mark.parametrize(("build", "why"), [("./gone", "./gone is not there"), ("./app", "./app has no Dockerfile")])
def test_an_image_that_nothing_makes_is_refused_in_the_plan(world: World, build: str, why: str) -> None:
    text = f"services:\n  a:\n    build: {build}\n"
    write_files(world.root / "shop", {"src/app/main.py": ""})
    with pytest.raises(ProfileError, match=f"compose.yaml:3: services.a.build: {why}: where the hosts or a registry"):
        world.plan_foreign(shop(world, text))
    made = world.plan_foreign(shop(world, f"{text}    image: registry/a:1\n"))
    assert any(f"services.a.build is ignored: {why}" in warning for warning in made["warnings"])


@pytest.mark.parametrize("said", ["    build: ./c\n", "builds:\n  i: ./c\n"])
def test_a_build_of_a_profile_needs_its_dockerfile(world: World, said: str) -> None:
    text = f"containers:\n  - name: a\n    image: i\n{said}"
    write_files(world.root / "own", {"profile.yml": text, "c/main.py": ""})
    line = text.splitlines().index(said.splitlines()[-1]) + 1
    with pytest.raises(ProfileError, match=f"profile.yml:{line}.*'c' has no Dockerfile"):
        world.load("own")
    write_files(world.root / "own", {"c/Dockerfile": "FROM x\n"})
    assert world.load("own").builds["i"]["context"].endswith("/own/c")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("devices: ['${NONE}:/dev/dri']", "variable NONE is not set"),
        ("devices: [':/dev/dri']", "services.a.devices: the source of a device is missing"),
        ("volumes: ['~other/x:/x']", "'~other/x': the home of another user is not known here"),
        ("env_file: own.env", "own.env:2: 'NAME' has no name"),
    ],
)
def test_a_source_that_no_host_has_is_refused(world: World, key: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        world.plan_foreign(shop(world, f"services: {{a: {{image: i, {key}}}}}\n", own__env="A=1\nNAME"))
