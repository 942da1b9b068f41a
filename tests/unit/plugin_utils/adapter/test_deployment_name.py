# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The deployment of a profile has the same name for all playbooks, however the profile is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import deployment_name
from ansible_collections.retail.profiles.plugins.plugin_utils.formats import base

from ..world import render


def name(folder: Path, profile: Any, **variables: Any) -> str:
    return deployment_name.of(profile, [folder], render, {}, base.given({}, None, None, variables))


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "compose.yml").write_text("services: {a: {image: i}}\n", encoding="utf-8")
    (folder / "named.yml").write_text("name: ${NAME:-market}\nservices: {a: {image: i}}\n", encoding="utf-8")
    (folder / "over.yml").write_text("services: {a: {tty: true}}\n", encoding="utf-8")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "profile.yml").write_text("containers: [{name: {}, nonsense: 1}]\n", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("ours", "ours"),
        ("{0}/ours", "ours"),
        ("{0}/ours/", "ours"),
        ("{0}/ours/profile.yml", "ours"),
        ("{0}/shop/compose.yml", "shop"),
        ("{0}/shop/named.yml", "market"),
        (["{0}/shop/compose.yml", "{0}/shop/over.yml"], "shop"),
        ('["{0}/shop/named.yml", "{0}/shop/over.yml"]', "market"),
        ("gone", "gone"),
    ],
)
def test_a_profile_names_its_deployment(shop: Path, profile: Any, expected: str) -> None:
    given = [one.format(shop) for one in profile] if isinstance(profile, list) else profile.format(shop)
    assert name(shop, given) == expected


def test_variables_of_the_run_name_it_as_they_do_when_it_is_planned(shop: Path) -> None:
    assert name(shop, f"{shop}/shop/named.yml", NAME="kiosk") == "kiosk"


@pytest.mark.parametrize(
    "profile", ["{0}/nowhere", "{0}/shop/none.yml", "none.yml", "No such", "shared-a", "", ["{0}/none.yml"], 7]
)
def test_what_names_none_is_refused_with_what_to_do(shop: Path, profile: Any) -> None:
    given = [one.format(shop) for one in profile] if isinstance(profile, list) else profile
    given = given.format(shop) if isinstance(given, str) else given
    with pytest.raises(ProfileError, match="or name its deployment with -e profile_deployment=NAME"):
        name(shop, given)
