# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of other formats are found by content."""

from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.formats import detect

from ..world import World, write_files


def test_a_profile_is_found_by_content_whatever_its_file_is_called(world: World) -> None:
    write_files(world.root, {"a/anything.yml": "Containers: [{Name: a, DockerImage: i}]", "a/values.yaml": "x: 1"})
    write_files(world.root, {"b/one_conf.yaml": "OvmsClient: {}", "b/two_conf.yaml": "OvmsClient: {}"})
    assert [file.name for file in detect.profiles_in(world.root / "a")] == ["anything.yml"]
    assert len(detect.profiles_in(world.root / "b")) == 2
    assert detect.format_of({"services": {}}) == detect.COMPOSE
    assert detect.format_of({"containers": [{"name": "a", "image": "b"}]}) == detect.NATIVE
    assert detect.format_of(["x"]) is None
