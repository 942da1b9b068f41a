# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One service of a Compose file: its keys, and its env files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import (
    options,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import (
    service as compose_service,
)

from ...world import World, assert_equal_plan, write_files
from .shop import shop, task


def test_every_key_that_is_taken_is_documented(checkout: Path) -> None:
    text = (checkout / "docs" / "upstream.md").read_text(encoding="utf-8").partition("## Compose files")[2]
    documented = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`]+)`", text))))
    assert {*options.TABLE, *compose_service.KEYS} <= documented


def test_env_files_in_all_their_forms(world: World) -> None:
    text = """
services:
  a:
    image: i
    env_file:
      - one.env
      - {path: raw.env, format: raw}
      - {path: gone.env, required: false}
      - two.env
      - three.env
    environment: [C=own]
"""
    files = {
        "one.env": "A='1 $X'\nB=${A}",
        "raw.env": "R='$X'\nB=raw",
        "two.env": "D=$OF_DOT_ENV",
        "three.env": "C=file\nB=3",
        ".env": "OF_DOT_ENV=dot",
    }
    file = write_files(world.root / "shop", {"src/compose.yaml": text, **{f"src/{n}": t for n, t in files.items()}})
    made = world.plan_foreign(file)
    assert task(made, "a")["env"] == {"A": "1 $X", "B": "3", "R": "'$X'", "D": "dot", "C": "own"}
    assert any("two.env: its variables are written out" in warning for warning in made["warnings"])
    assert_equal_plan(world, file)


@pytest.mark.parametrize(
    "key", ["cap_add", "build", "deploy", "environment", "healthcheck", "logging", "networks", "volumes"]
)
@given(value=st.sampled_from([None, "", [], {}, 3, True, "x", ["x"], {"x": "y"}, [{"x": 1}], [[1]], {"x": {"y": [1]}}]))
def test_no_value_is_anything_but_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, key: str, value: Any
) -> None:
    world = World(tmp_path_factory.mktemp("p"), {"all": ["h1"]})
    text = yaml.safe_dump({"services": {"a": {"image": "i", key: value}}})
    try:
        made = world.plan_foreign(shop(world, text))
    except ProfileError as error:
        assert "compose.yaml" in str(error)
    else:
        assert made["replicas"]
