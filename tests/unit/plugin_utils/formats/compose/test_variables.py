# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables in a Compose file."""

from __future__ import annotations

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
