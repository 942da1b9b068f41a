# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes of upstream's profiles, and the folders that are shipped with them."""

from __future__ import annotations

import json
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


def test_no_folder_is_made_in_place_of_a_file(world: World) -> None:
    volumes = [
        "/etc/fieldapp/config.json:/app/config.json",
        "/etc/passwd:/etc/passwd:ro",
        "/srv/conf:/app/site.conf",
        "/run/docker.sock:/run/docker.sock",
        "./settings.json:/app/settings.json:ro",
        "/etc/nginx/conf.d:/etc/nginx/conf.d",
        "/srv/example.com:/www",
        "/models/1.0:/models/1.0",
        "~/.Xauthority:/home/user/.Xauthority",
        "/data:/data",
    ]
    file = write_files(
        world.root, {"p/compose.yml": json.dumps({"services": {"a": {"image": "i", "volumes": volumes}}})}
    )
    made = world.plan_foreign(file)
    needed = [item["path"] for item in made["hosts"][made["replicas"]["d-a-1"]["host"]]["paths"]]
    work = "/var/lib/retail-profiles/work"
    assert needed == [*(volume.partition(":")[0] for volume in volumes[:4]), f"{work}/settings.json"]
    [warning] = made["warnings"]
    said = "./settings.json is not among the profile's files: the host must have it in its working directory"
    assert warning == f"compose.yml:1: {said}"


def test_an_absolute_path_under_the_root_is_a_file_of_the_profile(world: World) -> None:
    folder = world.root / "p"
    service = {
        "image": "i",
        "build": str(folder / "app"),
        "volumes": [f"{folder}/config.json:/app/config.json:ro", f"{folder}/none.json:/none.json", "/etc:/etc"],
        "configs": ["c"],
    }
    text = {"services": {"a": service}, "configs": {"c": {"file": str(folder / "c.txt")}}}
    files = {"p/compose.yml": json.dumps(text), "p/config.json": "{}", "p/app/Dockerfile": "FROM i", "p/c.txt": "c"}
    made = world.plan_foreign(write_files(world.root, files))
    shipped = [volume.partition(":")[0].rpartition("/")[2] for volume in task(made, "a")["volumes"]]
    assert shipped == ["config.json", "none.json", "etc", "c.txt"]
    assert [file["path"] for file in made["hosts"][made["replicas"]["d-a-1"]["host"]]["files"]] == [
        "c.txt",
        "config.json",
    ]
    assert made["warnings"] == []
