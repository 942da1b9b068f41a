# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders of a profile on a real engine: mounted, made anew when changed, removed when not used any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment.files import MissingFiles
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine

from .conftest import Deployment, shipped, shipped_folder


def test_a_shipped_file_that_was_changed_makes_its_containers_anew(deployment: Deployment) -> None:
    file, other = shipped(deployment, b"one\n"), shipped(deployment, b"two\n", "other.sh")
    mounting = deployment.task(index=1, volumes=[f"{file['dest']}:/x:ro"])
    mounted = deployment.task(index=2, mounts=[{"type": "bind", "source": file["dest"], "target": "/x"}])
    neither = deployment.task(index=3, volumes=[f"{other['dest']}:/x:ro"])
    files = [file, other]
    first = deployment.present(mounting, mounted, neither, files=files)
    assert first["changed"]
    path = Path(file["dest"])
    assert (path.read_bytes(), path.stat().st_mode & 0o7777) == (b"one\n", 0o755)
    path.write_bytes(b"tampered\n")
    second = deployment.present(mounting, mounted, neither, files=files)
    statuses = [second["replicas"][task["name"]]["status"] for task in (mounting, mounted, neither)]
    assert statuses == ["recreated", "recreated", "unchanged"]
    assert path.read_bytes() == b"one\n"
    path.chmod(0o600)
    assert deployment.present(mounting, files=files)["changed"]
    assert path.stat().st_mode & 0o7777 == 0o755


def test_a_file_that_is_not_what_it_says_is_refused(deployment: Deployment) -> None:
    file = shipped(deployment, b"one\n")
    other = {**shipped(deployment, b"two\n"), "dest": file["dest"]}
    deployment.archives.pop(0)
    deployment.archives[0]["dest"] = file["dest"]
    with pytest.raises(ProfileError, match=r"client\.sh: arrived with the digest"):
        deployment.present(files=[file])
    outside = {**other, "dest": f"{deployment.state_dir}/elsewhere/client.sh"}
    deployment.archives[0]["dest"] = outside["dest"]
    with pytest.raises(ProfileError, match="is not in a folder of"):
        deployment.present(files=[outside])
    assert not (deployment.state_dir / "elsewhere").exists()


def test_what_is_missing_is_told_before_anything_is_made(engine: Engine, deployment: Deployment) -> None:
    file = shipped(deployment, b"one\n")
    task = deployment.task(volumes=[f"{file['dest']}:/x:ro"])
    more: dict[str, Any] = {"files": [file], "networks": [deployment.network()]}
    archives = deployment.archives[:]
    deployment.archives.clear()
    assert deployment.call("checked", deployment.replica(task), **more)["missing"] == [file["dest"]]
    with pytest.raises(
        MissingFiles, match=r"files of the profile are not on this host and were not sent: client\.sh"
    ) as told:
        deployment.present(task, **more)
    assert told.value.dests == [file["dest"]]
    assert engine.network(f"{deployment.name}-net") is None
    # nothing but the lease under which it was looked at
    assert {path.name for path in deployment.state_dir.iterdir()} <= {"leases"}
    deployment.archives += archives
    assert not deployment.present(task, **more)["failed"]
    deployment.archives.clear()
    assert deployment.call("checked", deployment.replica(task), **more)["missing"] == []
    assert not deployment.present(task, **more)["changed"]


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("profile") / "data"
    (made / "sub").mkdir(parents=True)
    (made / "sub" / "run").write_text("#!/bin/sh\necho it runs\n")
    (made / "sub" / "run").chmod(0o755)
    (made / "link").symlink_to("sub/run")
    return made


def test_a_folder_is_mounted_whole_and_readable_for_any_user(
    engine: Engine, deployment: Deployment, folder: Path
) -> None:
    item = shipped_folder(deployment, folder)
    task = deployment.task(
        volumes=[f"{item['dest']}:/data:ro"],
        user="12345:12345",
        command=["sh", "-c", "/data/link && ls -l /data && ! touch /data/new"],
    )
    replica = deployment.replica(task, ready=[{"kind": "exited", "replica": task["name"], "timeout": 20}])
    result = deployment.call("present", replica, files=[item])
    assert not result["failed"], result["msg"]
    log = engine.logs(task["name"])
    assert "it runs" in log
    assert "link -> sub/run" in log


def test_a_folder_in_which_something_changed_makes_its_containers_anew(deployment: Deployment, folder: Path) -> None:
    item = shipped_folder(deployment, folder)
    using, other = deployment.task("a", volumes=[f"{item['dest']}:/data:ro"]), deployment.task("b")
    deployment.present(using, other, files=[item])
    (Path(item["dest"]) / "sub" / "run").chmod(0o644)
    shown = deployment.present(using, other, files=[item], check=True)
    result = deployment.present(using, other, files=[item])
    for answer in (shown, result):
        assert answer["replicas"][using["name"]]["status"] == "recreated"
        assert answer["replicas"][other["name"]]["status"] == "unchanged"
    assert (Path(item["dest"]) / "sub" / "run").stat().st_mode & 0o777 == 0o755
    assert not deployment.present(using, other, files=[item])["changed"]


def test_files_that_no_container_uses_any_more_go_with_the_next_apply(deployment: Deployment, folder: Path) -> None:
    old, whole = shipped(deployment, b"one\n"), shipped_folder(deployment, folder)
    new = shipped(deployment, b"two\n")
    first, later = (
        deployment.task("a", volumes=[f"{old['dest']}:/x:ro"]),
        deployment.task("b", volumes=[f"{whole['dest']}:/data:ro"]),
    )
    deployment.present(first, files=[old])
    deployment.present(later, files=[whole])
    home = Path(old["dest"]).parent.parent
    assert {path.name for path in home.iterdir() if path.is_dir()} == {f"{old['sha256']}-x", whole["sha256"]}
    (home / ".new-interrupted").mkdir()
    first = {**first, "volumes": [f"{new['dest']}:/x:ro"]}
    shown = deployment.present(first, files=[new], check=True)
    assert Path(old["dest"]).exists()
    result = deployment.present(first, files=[new])
    assert (shown["changed"], result["changed"]) == (True, True)
    # What the other container has mounted stays, though it is in another share.
    assert {path.name for path in home.iterdir()} == {
        *(f"{new['sha256']}-x{end}" for end in ("", ".seal")),
        *(f"{whole['sha256']}{end}" for end in ("", ".seal")),
    }
    assert not deployment.present(first, files=[new])["changed"]
    deployment.absent()
    assert list((deployment.state_dir / "deployments").iterdir()) == []
