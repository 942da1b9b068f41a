# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables in a Compose file."""

from __future__ import annotations

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from ...world import World
from .shop import shop, task


def test_a_variable_that_is_not_set_stands_for_nothing_with_a_warning(world: World) -> None:
    made = world.plan_foreign(shop(world, "services:\n  a:\n    image: '${REG}i'\n    environment: {A: 'x$NO'}\n"))
    assert (task(made, "a")["image"], task(made, "a")["env"]) == ("i", {"A": "x"})
    assert [warning.partition(": ")[2] for warning in made["warnings"]] == [
        "variable REG is not set: nothing stands in its place",
        "variable NO is not set: nothing stands in its place",
    ]


def test_the_device_of_an_env_file_is_given_and_the_home_of_a_shell_is_a_path_only(world: World) -> None:
    text = "services: {a: {image: i, env_file: a.env, environment: ['H=$HOME'], volumes: ['$HOME/x:/x', '$PWD/y:/y']}}"
    world.snapshot = {"h1": {"devices": {"render": ["/dev/dri/renderD128"], "gids": {"/dev/dri/renderD128": 44}}}}
    made = world.plan_foreign(shop(world, text, a__env="TARGET_DEVICE=GPU"))
    assert task(made, "a")["devices"] == ["/dev/dri/renderD128:/dev/dri/renderD128:rw"]
    assert task(made, "a")["env"]["H"] == ""
    assert task(made, "a")["volumes"] == ["/root/x:/x", "/var/lib/retail-profiles/work/src/y:/y"]


def test_a_variable_that_nothing_sets_is_told_once_for_each_file_of_variables(world: World) -> None:
    text = "services: {a: {image: i, env_file: [x.env, y.env], label_file: l.env}, b: {image: i, env_file: x.env}}"
    files = {
        "x__env": "\nA=x$NO\nB=${NO}${OTHER:-}\n",
        "y__env": "C=$A$NOT\nD=$NOT\n",
        "l__env": "L=$NONE\nM='$QUOTED'\n",
        "__env": "E=$UNSET\n",
    }
    made = world.plan_foreign(shop(world, text, **files))
    assert [warning for warning in made["warnings"] if "is not set" in warning] == [
        ".env:1: variable UNSET is not set: nothing stands in its place",
        "l.env:1: variable NONE is not set: nothing stands in its place",
        "y.env:1: variable NOT is not set: nothing stands in its place",
        "src/x.env:2: variable NO is not set: nothing stands in its place",
    ]


def test_a_file_of_variables_that_cannot_be_read_is_told_at_its_own_place(world: World) -> None:
    file = shop(world, "services: {a: {image: i}}\n")
    (file.parent / ".env").write_bytes(b"A=1\nB=\xff\n")
    with pytest.raises(ProfileError) as error:
        world.plan_foreign(file)
    assert str(error.value) == f"{file.parent}/.env:2: this line is not UTF-8: invalid start byte"
