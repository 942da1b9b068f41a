# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of Docker Compose itself: which files are a project, what it is called, what it is read with."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import load
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Profile

from ...world import World, render, write_files

FILES = {
    "docker/app.yml": "services: {a: {image: 'i:${TAG}', volumes: ['../data.json:/d.json'], profiles: [gpu]}}\n",
    "docker/.env": "TAG=inner\nCOMPOSE_PROFILES=gpu\n",
    "gpu.yml": "services: {a: {gpus: all, secrets: [key]}}\nsecrets: {key: {environment: KEY}}\n",
    "data.json": "{}",
    ".env": "COMPOSE_FILE=docker/app.yml;gpu.yml\nCOMPOSE_PATH_SEPARATOR=;\nTAG=outer\nKEY=secret-1\n",
}


def found(world: World, folder: Path, given: Given | None = None) -> Profile:
    file, given = load.find(str(folder), [], render, world.variables, given or Given())
    return load.load(file, [], render, world.variables, given)


def test_the_files_of_a_folder_are_those_that_its_variables_name(world: World) -> None:
    write_files(world.root / "shop", FILES)
    loaded = found(world, world.root / "shop")
    assert [Path(loaded.file).name, *(file.name for file in loaded.over)] == ["app.yml", "gpu.yml"]
    assert (loaded.folder, loaded.root) == (world.root / "shop", world.root / "shop")
    made = world.plan_loaded(loaded, deployment="d")
    replica = made["replicas"]["d-a-1"]
    assert replica["task"]["image"] == "i:outer"
    assert replica["task"]["device_requests"] == [{"capabilities": [["gpu"]], "count": -1}]
    assert replica["secrets"] == ["/run/secrets/key"] and "data.json:/d.json" in replica["task"]["volumes"][0]


@pytest.mark.parametrize(
    "given", [Given(env={"COMPOSE_FILE": "one.yml"}), Given(variables={"COMPOSE_FILE": "one.yml"})]
)
def test_what_the_caller_says_stands_above_the_folders_own(world: World, given: Given) -> None:
    write_files(world.root / "shop", {**FILES, "one.yml": "services: {b: {image: 'j:${TAG}'}}\n"})
    made = world.plan_loaded(found(world, world.root / "shop", given), deployment="d")
    assert [replica["task"]["image"] for replica in made["replicas"].values()] == ["j:outer"]


def test_a_profile_of_our_own_format_stands_above_compose(world: World) -> None:
    write_files(world.root / "shop", {**FILES, "profile.yml": "containers: [{name: n, image: i}]\n"})
    assert Path(found(world, world.root / "shop").file).name == "profile.yml"


def test_a_file_that_is_named_is_alone_and_that_is_said(world: World) -> None:
    write_files(world.root / "shop", {**FILES, "one.yml": "services: {b: {image: j}}\n"})
    made = world.plan_foreign(world.root / "shop" / "one.yml")
    assert list(made["replicas"]) == ["d-b-1"]
    assert any("COMPOSE_FILE (docker/app.yml;gpu.yml) is not read, as the file is named" in w for w in made["warnings"])


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ("COMPOSE_FILE=a.yml:b.yml\n", r"\.env:1: COMPOSE_FILE is 'a.yml:b.yml': '.*/b.yml' is not a file"),
        ("\nCOMPOSE_FILE=\n", r"\.env:2: COMPOSE_FILE is '': '.*/shop' is not a file"),
        ("COMPOSE_FILE=a.yml:../c.yml\n", r"'.*/c.yml' leads out of .*profile_root"),
        (
            "COMPOSE_PROJECT_NAME=My.Shop\nCOMPOSE_FILE=a.yml\n",
            r"COMPOSE_PROJECT_NAME is 'My.Shop': a project's name has",
        ),
        (
            "COMPOSE_DISABLE_ENV_FILE=maybe\nCOMPOSE_FILE=a.yml\n",
            "COMPOSE_DISABLE_ENV_FILE: 'maybe' is not true or false",
        ),
    ],
)
def test_what_is_wrong_with_them_is_one_error(world: World, env: str, message: str) -> None:
    write_files(world.root, {"c.yml": "{}", "shop/a.yml": "services: {a: {image: i}}\n", "shop/.env": env})
    with pytest.raises(ProfileError, match=message):
        found(world, world.root / "shop")


def test_the_deployment_is_called_as_compose_calls_the_project(world: World) -> None:
    for number, (files, name) in enumerate(
        [
            ({"compose.yml": "name: Our.Shop\n"}, "ourshop"),
            ({"compose.yml": "name: one\n", ".env": "COMPOSE_PROJECT_NAME=two\n"}, "two"),
            ({"compose.yml": "name: one\n", "compose.override.yml": "name: three\n"}, "three"),
        ]
    ):
        folder = world.root / f"shop{number}"
        services = "services: {a: {build: .}}\n"
        write_files(folder, {**files, "Dockerfile": "FROM x\n", "compose.yml": files["compose.yml"] + services})
        loaded = found(world, folder)
        assert (loaded.name, loaded.entries[0].raw["image"]) == (name, f"{name}-a")


@pytest.mark.parametrize("name", ["'!!!'", "'${NONE}'"])
def test_a_name_that_is_nothing_is_refused(world: World, name: str) -> None:
    write_files(world.root / "shop", {"compose.yml": f"name: {name}\nservices: {{a: {{image: i}}}}\n"})
    with pytest.raises(ProfileError, match=r"compose.yml:1: name: .* is no name of a project, or stands for nothing"):
        found(world, world.root / "shop")


def test_other_files_of_variables_stand_in_the_place_of_the_folders_own(world: World) -> None:
    files = {"compose.yml": "services: {a: {image: 'i:${TAG}'}}\n", ".env": "TAG=1\n", "b.env": "TAG=2\n"}
    write_files(world.root / "shop", files)
    for variables, image in (({}, "i:1"), ({"COMPOSE_ENV_FILES": "b.env"}, "i:2")):
        loaded = found(world, world.root / "shop", Given(variables=variables))
        assert loaded.entries[0].raw["image"] == image
    for name, value, message in (
        ("COMPOSE_ENV_FILES", "c.env", "COMPOSE_ENV_FILES names 'c.env', which is not there"),
        ("COMPOSE_DISABLE_ENV_FILE", "true", "variable TAG is not set"),
    ):
        with pytest.raises(ProfileError, match=message):
            found(world, world.root / "shop", Given(variables={name: value}))


def test_a_folder_is_found_by_its_name_by_one_rule(world: World) -> None:
    """Folders that hold no profile are passed, whether Compose's variables name the files of another or not."""
    write_files(world.root, {"one/shop/notes.txt": "", "two/shop/.env": "COMPOSE_FILE=app.yml\n"})
    write_files(
        world.root,
        {"two/shop/app.yml": "services: {a: {image: i}}\n", "two/shop/compose.yml": "services: {b: {image: j}}\n"},
    )
    search = [world.root / "one", world.root / "two"]
    file, given = load.find("shop", search, render, {}, Given())
    assert (file, given.folder) == (world.root / "two" / "shop" / "app.yml", world.root / "two" / "shop")
    (world.root / "two" / "shop" / ".env").unlink()
    file, given = load.find("shop", search, render, {}, Given())
    assert (file, given.folder) == (world.root / "two" / "shop" / "compose.yml", None)


@pytest.mark.parametrize(("written", "called"), [('"My Shop\\a"', "myshop"), ("a.b", "ab"), ("-a-", "a")])
def test_a_name_that_compose_writes_otherwise_is_warned_of(world: World, written: str, called: str) -> None:
    file = write_files(world.root / "shop", {"compose.yml": f"name: {written}\nservices: {{a: {{image: i}}}}\n"})
    loaded = load.load(file, [], render, {})
    assert loaded.name == called
    assert [f"is '{called}' here, as with Compose" in warning for warning in loaded.warnings] == [True]
