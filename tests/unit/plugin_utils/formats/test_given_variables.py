# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a profile of another format is written with, and what its containers are given: two variables of a run."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given

from ..world import World, write_files

COMPOSE = """
services:
  web:
    image: debian:${TAG}
    environment: {PORT: "9000", LEVEL: "${LEVEL:-low}"}
    env_file: web.env
    ports: ["${PORT}:9000"]
  db:
    image: debian:12
"""


def plan(world: World, given: Given, **settings: Any) -> dict[str, dict[str, str]]:
    file = write_files(world.root, {"p/compose.yml": COMPOSE, "p/web.env": "A=$TAG\n"})
    made = world.plan_foreign(file, given, variables=given.variables, env_wins=given.env_wins, **settings)
    return {name: replica["task"] for name, replica in made["replicas"].items()}


def test_what_only_interpolates_is_given_to_no_container(world: World) -> None:
    tasks = plan(world, Given(variables={"TAG": "13", "PORT": "8080", "DB_PASSWORD": "x"}))
    assert tasks["d-web-1"]["image"] == "debian:13"
    assert tasks["d-web-1"]["env"] == {"A": "13", "PORT": "9000", "LEVEL": "low"}
    assert tasks["d-db-1"]["env"] == {}


@pytest.mark.parametrize(("wins", "port"), [(False, "9000"), (True, "8080")])
def test_profile_env_beats_what_a_compose_file_says_only_where_it_is_asked_to(
    world: World, wins: bool, port: str
) -> None:
    tasks = plan(world, Given(env={"TAG": "13", "PORT": "8080", "A": "run"}, env_wins=wins))
    assert tasks["d-web-1"]["env"] == {"TAG": "13", "PORT": port, "LEVEL": "low", "A": "run"}
    assert tasks["d-db-1"]["env"] == {"TAG": "13", "PORT": "8080", "A": "run"}


def test_variables_stand_above_those_of_the_environment(world: World) -> None:
    tasks = plan(world, Given(env={"TAG": "13", "PORT": "1"}, variables={"TAG": "14"}))
    assert (tasks["d-web-1"]["image"], tasks["d-web-1"]["env"]["TAG"]) == ("debian:14", "13")


def test_all_variables_that_are_missing_are_told_in_one_error(world: World) -> None:
    with pytest.raises(ProfileError) as refused:
        plan(world, Given())
    assert str(refused.value).endswith(
        "compose.yml:4: variable TAG is not set; variable PORT is not set: give them with "
        '-e \'{"profile_variables": {"TAG": "VALUE", "PORT": "VALUE"}}\', or as variables of these names in the '
        "inventory"
    )
    volumes = "['$ONE/a:/a', '$TWO/b:/b', '$RESULTS_DIR/c:/c']"
    text = f"OvmsClient: {{DockerLauncher: {{DockerImage: i, Volumes: {volumes}}}}}"
    with pytest.raises(ProfileError, match="variable ONE is not set; variable TWO is not set: give them with"):
        world.plan_foreign(write_files(world.root, {"q/a_conf.yaml": text}))


def test_a_profile_of_the_launcher_takes_them_for_its_volumes(world: World) -> None:
    text = "OvmsClient: {DockerLauncher: {DockerImage: i, Volumes: ['$ONE/a:/a', '$RESULTS_DIR/c:/c']}}"
    given = Given(variables={"ONE": "/one", "RESULTS_DIR": "/res"})
    file = write_files(world.root, {"q/a_conf.yaml": text})
    [task] = (replica["task"] for replica in world.plan_foreign(file, given)["replicas"].values())
    assert task["volumes"][:2] == ["/one/a:/a", "/res/c:/c"]
    assert not {"ONE", "RESULTS_DIR"} & task["env"].keys()
