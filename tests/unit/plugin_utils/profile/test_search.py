# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles are found by name and by path."""

from __future__ import annotations

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import search

from ..world import World


@pytest.mark.parametrize(
    "profile,message",
    [
        ("ovmss", r"there is no profile 'ovmss': did you mean 'ovms'\? profiles that exist: ovms"),
        ("zzz", r"there is no profile 'zzz': profiles that exist: ovms"),
        ("", r"no profile is named"),
        ("../ovms", r"must not contain '\.\.'"),
        ("/etc/cron.d", r"folder of the operating system"),
        ("/", r"folder of the operating system"),
        ("/nowhere/at/all", r"'/nowhere/at/all' is not there: profile is a name, or the path of a folder or of a file"),
    ],
)
def test_a_profile_that_cannot_be_is_refused(world: World, profile: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        search.find_profile(profile, [world.root])


def test_a_profile_is_found_by_name_and_by_path(world: World) -> None:
    assert search.find_profile("ovms", [world.root]) == world.root / "ovms" / "profile.yml"
    assert search.find_profile(str(world.root / "ovms"), []) == world.root / "ovms" / "profile.yml"
