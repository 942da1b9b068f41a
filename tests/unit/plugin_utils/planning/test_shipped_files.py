# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a profile ships: in the plan by digest, on the controller by source, on its way in parcels."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan, shipped_files, stock_playbook
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import archives

from ..world import OVMS, World

MOUNTED = "containers: [{name: one, image: i, hosts: h1, volumes: ['./data:/data']}, {name: two, image: i, hosts: h1}]"


@pytest.fixture
def data(world: World) -> Path:
    """A folder of the profile ``ship``, which mounts it."""
    folder = world.write("ship", MOUNTED).parent / "data"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.txt").write_text("A", encoding="utf-8")
    (folder / "sub" / "run").write_text("#!/bin/sh\n", encoding="utf-8")
    (folder / "sub" / "run").chmod(0o755)
    (folder / "link").symlink_to("a.txt")
    return folder


def files(made: plan.Planned, host: str = "h1") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = made.plan["hosts"][host]["files"]
    return found


def test_a_folder_is_in_the_plan_by_its_digest_and_mounted_read_only(world: World, data: Path) -> None:
    made = world.make("ship")
    [item] = files(made)
    assert item == {**item, "path": "data", "kind": "directory", "size": 11}
    assert item["dest"].endswith(f"/deployments/ship/files/{item['sha256']}/data")
    one, two = (made.plan["replicas"][f"ship-{name}-1"] for name in ("one", "two"))
    assert one["task"]["volumes"] == [f"{item['dest']}:/data:ro"]
    assert (one["files"], two["files"]) == ([item["dest"]], [])
    assert made.sources == {item["sha256"]: data}
    assert "#!/bin/sh" not in json.dumps(made.plan)


def test_changed_content_changes_the_containers_that_use_it_and_no_other(world: World, data: Path) -> None:
    before = world.plan("ship")["replicas"]
    (data / "sub" / "run").chmod(0o644)
    after = world.plan("ship")["replicas"]
    assert before["ship-one-1"]["task"] != after["ship-one-1"]["task"]
    assert before["ship-two-1"]["task"] == after["ship-two-1"]["task"]


def test_one_content_as_script_and_as_file_has_two_places(world: World) -> None:
    text = "containers: [{name: one, image: i, hosts: h1, entrypoint: ./run.sh, volumes: ['./run.sh:/data.sh']}]"
    world.write("both", text, run__sh="#!/bin/sh\n")
    found = files(world.make("both"))
    assert [item["mode"] for item in found] == ["0755", "0644"] or [item["mode"] for item in found] == ["0644", "0755"]
    assert len({item["dest"] for item in found}) == 2
    assert len({item["sha256"] for item in found}) == 1


def test_what_is_too_large_or_leads_out_is_an_error(world: World, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipped_files, "LARGEST", 10)
    with pytest.raises(ProfileError, match=r"container one, field volumes: '\./data' has 11 bytes, and 10 is the most"):
        world.plan("ship")
    monkeypatch.undo()
    (data / "out").symlink_to("../profile.yml")
    with pytest.raises(ProfileError, match=r"container one, field volumes: .*/data/out: the symbolic link leads out"):
        world.plan("ship")


@pytest.mark.parametrize("source", ["./data", "./data/large"])
def test_what_is_too_large_is_not_read(world: World, data: Path, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def digest(path: str) -> str:
        raise AssertionError(path)

    monkeypatch.setattr(shipped_files.file_tree, "file_digest", digest)
    with (data / "large").open("wb") as stream:
        stream.truncate(shipped_files.LARGEST + 1)
    world.write("ship", f"containers: [{{name: one, image: i, hosts: h1, volumes: ['{source}:/data']}}]")
    said = rf"field volumes: '{source}' has 1048576\d\d bytes, and 104857600 is the most"
    with pytest.raises(ProfileError, match=said):
        world.plan("ship")


def test_a_folder_cannot_be_an_entrypoint(world: World, data: Path) -> None:
    world.write("ship", "containers: [{name: one, image: i, entrypoint: ./data}]")
    with pytest.raises(ProfileError, match=r"field entrypoint: '\./data' is not a file: it cannot be run"):
        world.plan("ship")


# -- OVMS configurations and models in folders


def ovms_folder(world: World, config: str = "./conf:/config", models: str = "{{ models_dir }}:/models:ro") -> Path:
    text = OVMS.replace("./config.json:/config/config.json:ro", config).replace("{{ models_dir }}:/models:ro", models)
    folder = world.write("fold", text, server__env="", client__sh="").parent
    (folder / "conf").mkdir(exist_ok=True)
    model = {"config": {"name": "m", "base_path": "/models/m", "target_device": "CPU"}}
    (folder / "conf" / "config.json").write_text(json.dumps({"model_config_list": [model]}), encoding="utf-8")
    return folder


def test_a_configuration_in_a_shipped_folder_is_read_and_rewritten_over_it(world: World) -> None:
    ovms_folder(world)
    world.snapshot = {"h1": {"devices": {"render": ["/dev/dri/renderD128"]}}}
    assert world.plan("fold")["replicas"]["fold-server-1"]["ready"][0]["models"] == ["m"]
    made = world.make("fold", target_device="GPU")
    [generated] = [source for source in made.sources.values() if isinstance(source, bytes)]
    assert json.loads(generated)["model_config_list"][0]["config"]["target_device"] == "GPU"
    targets = [volume.split(":")[1:] for volume in made.plan["replicas"]["fold-server-1"]["task"]["volumes"]]
    assert targets[-1] == ["/config/config.json", "ro"]
    assert ["/config", "ro"] in targets


def test_models_that_are_shipped_are_checked_at_once(world: World) -> None:
    folder = ovms_folder(world, models="./repository:/models")
    (folder / "repository" / "m" / "one").mkdir(parents=True)
    message = r"container server, field volumes: model m: repository/m has no version folder \(such as repository/m/1\)"
    with pytest.raises(ProfileError, match=message):
        world.plan("fold")
    (folder / "repository" / "m" / "1").mkdir()
    assert [item["model"] for item in world.plan("fold")["hosts"]["h1"]["paths"]] == []


def test_a_model_is_looked_for_in_the_innermost_mount(world: World) -> None:
    ovms_folder(world, models='/outer:/models:ro"\n      - "/inner:/models/m:ro')
    paths = {item["path"] for item in world.plan("fold")["hosts"]["h1"]["paths"] if item["model"] == "m"}
    assert paths == {"/inner"}


# -- the content of a run


def test_a_run_keeps_all_content_beside_its_plan(world: World, data: Path, tmp_path: Path) -> None:
    made = world.make("ship")
    kept = shipped_files.keep(made.sources, tmp_path / "run" / "files")
    assert shipped_files.kept(made.plan, tmp_path / "run" / "files") == kept
    [item] = files(made)
    copy = tmp_path / "run" / "files" / item["sha256"]
    assert os.readlink(copy / "link") == "a.txt"
    assert (copy / "sub" / "run").stat().st_mode & 0o111
    assert shipped_files.of_data(json.loads(json.dumps(shipped_files.as_data(kept)))) == kept
    (copy / "a.txt").unlink()
    copy.rename(copy.with_name("gone"))
    with pytest.raises(ProfileError, match=r"the content of data is not there: keep the folder files of a run"):
        shipped_files.kept(made.plan, tmp_path / "run" / "files")


def test_made_content_travels_as_data(world: World) -> None:
    assert shipped_files.of_data(shipped_files.as_data({"x": b"\xff", "y": Path("/y")})) == {
        "x": b"\xff",
        "y": Path("/y"),
    }


# -- parcels


def test_content_is_packed_once_for_all_hosts(
    world: World, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = world.make("ship")
    wanted = [files(made)[0]["dest"], "/not/ours"]
    [parcel] = archives.parcels(files(made), wanted, made.sources, tmp_path)
    monkeypatch.setattr(archives, "pack", lambda *_args: pytest.fail("it was packed again"))
    assert archives.parcels(files(made), wanted, made.sources, tmp_path) == [parcel]
    assert archives.parcels(files(made), [], made.sources, tmp_path) == []


def test_content_that_is_not_what_was_planned_is_an_error(world: World, data: Path, tmp_path: Path) -> None:
    made = world.make("ship")
    wanted = [files(made)[0]["dest"]]
    with pytest.raises(ProfileError, match=r"data: its content is not at hand on the controller"):
        archives.parcels(files(made), wanted, {}, tmp_path)
    (data / "a.txt").write_text("changed", encoding="utf-8")
    with pytest.raises(ProfileError, match=r"data: it was changed after the plan was made: plan again"):
        archives.parcels(files(made), wanted, made.sources, tmp_path)
    assert list(tmp_path.glob("*.tar.gz")) == []


def test_small_parcels_travel_in_the_call_as_long_as_there_is_room(tmp_path: Path) -> None:
    made = []
    for name, size in (("large", 300), ("b", 60), ("a", 50), ("c", 55)):
        (tmp_path / name).write_bytes(b"x" * size)
        made.append(archives.Parcel(f"/{name}", tmp_path / name))
    inline, others = archives.split(made, room=110)
    assert [parcel.dest for parcel in inline] == ["/a", "/c"]
    assert [parcel.dest for parcel in others] == ["/b", "/large"]


def test_the_stock_playbook_copies_files_and_folders_from_beside_it(world: World, data: Path) -> None:
    made = world.plan("ship")
    [item] = made["hosts"]["h1"]["files"]
    [prepare, _containers] = yaml.safe_load(stock_playbook.playbook(made, "stock.yml.files"))
    copy = next(task["ansible.builtin.copy"] for task in prepare["tasks"] if "ansible.builtin.copy" in task)
    assert copy["src"] == f"stock.yml.files/{item['sha256']}/data/"
    assert copy["dest"] == f"{item['dest']}/"
    assert copy["mode"] == "preserve"
