# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes of upstream's profiles, and the folders that are shipped with them."""

from __future__ import annotations

from typing import Any

from ..world import World, write_files


def task(made: dict[str, Any], container: str) -> dict[str, Any]:
    found: dict[str, Any] = made["replicas"][f"d-{container}-1"]["task"]
    return found


def test_a_folder_is_shipped_file_by_file_unless_it_is_too_large(world: World) -> None:
    text = "Containers: [{Name: a, DockerImage: i, Volumes: ['./lib:/lib:ro', './media:/media', './results:/r']}]"
    files = {"p/c.yaml": text, "p/lib/a.txt": "a", "p/lib/sub/b.txt": "b", "p/results/old.log": "o"}
    file = write_files(world.root, {**files, "p/media/m": "x" * (1024 * 1024 + 1)})
    made = world.plan_foreign(file)
    volumes = task(made, "a")["volumes"]
    assert [volume.split("/")[-1] for volume in volumes[:2]] == ["a.txt:ro", "b.txt:ro"]
    assert [volume.split(":")[1] for volume in volumes[:2]] == ["/lib/a.txt", "/lib/sub/b.txt"]
    work = "/var/lib/retail-profiles/work"
    assert volumes[2:] == [f"{work}/media:/media", f"{work}/results:/r"]
    assert any("./media is not shipped" in warning for warning in made["warnings"])
