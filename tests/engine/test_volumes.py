# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes of a profile on a real engine: what the process sees, who shares them, and what goes with the deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import host_share

from ..unit.plugin_utils.world import World
from .conftest import IMAGE, SLEEP, Deployment, sent, stock

Share = dict[str, Any]
PROFILE = f"""
volumes:
  cache:
  small: {{driver_options: {{type: tmpfs, device: tmpfs, o: size=1m}}}}
containers:
  - name: a
    image: {IMAGE}
    entrypoint: {SLEEP[:2]!r}
    args: [{SLEEP[2]!r}]
    volumes:
      - ./config.json:/config.json
      - HERE:/here
      - {{source: HERE, target: /shut, read_only: true, selinux: z}}
      - cache:/cache
      - {{type: volume, source: small, target: /small}}
      - {{type: tmpfs, target: /scratch, size: 64k, mode: "0750"}}
  - name: b
    image: {IMAGE}
    entrypoint: {SLEEP[:2]!r}
    args: [{SLEEP[2]!r}]
    volumes: ["cache:/also:ro,nocopy"]
"""


@pytest.fixture
def share(tmp_path: Path, deployment: Deployment) -> Share:
    """What the one host there is has to run of the profile above."""
    (tmp_path / "here").mkdir()
    world = World(tmp_path / "profiles", {"all": ["localhost"]})
    world.write("mounts", PROFILE.replace("HERE", str(tmp_path / "here")), config__json="{}")
    made = world.make("mounts", deployment=deployment.name, state_dir=str(tmp_path))
    share = host_share.share(made.plan, "localhost")
    for item in share["files"]:
        sent(deployment, item, made.sources[item["sha256"]])
    return share


def apply(deployment: Deployment, share: Share, state: str = "present", **more: Any) -> dict[str, Any]:
    return deployment.call(state, *share["replicas"], networks=share["networks"], files=share["files"], **more)


def sh(engine: Engine, container: str, script: str) -> tuple[int, str]:
    made = engine.client().exec_create(container, ["sh", "-c", script])
    output = engine.client().exec_start(made["Id"]).decode()
    return engine.client().exec_inspect(made["Id"])["ExitCode"], output


def test_the_process_sees_every_kind_of_mount(engine: Engine, deployment: Deployment, share: Share) -> None:
    assert not apply(deployment, share)["failed"]
    a, b = f"{deployment.name}-a-1", f"{deployment.name}-b-1"
    assert sh(engine, a, "cat /config.json; echo x > /config.json")[0] != 0
    assert sh(engine, a, "echo x > /here/file && cat /shut/file") == (0, "x\n")
    assert sh(engine, a, "echo x > /shut/file")[0] != 0
    assert sh(engine, a, "echo shared > /cache/file")[0] == 0
    assert sh(engine, b, "cat /also/file") == (0, "shared\n")
    assert sh(engine, b, "echo x > /also/file")[0] != 0
    assert sh(engine, a, "stat -c %a /scratch; df -k --output=size /scratch /small | tail -n 2")[1].split() == [
        "750",
        "64",
        "1024",
    ]


def test_a_second_apply_and_the_stock_module_change_nothing(deployment: Deployment, share: Share) -> None:
    assert apply(deployment, share)["changed"]
    assert not apply(deployment, share)["changed"]
    for replica in share["replicas"]:
        assert not stock("docker_container", **replica["task"])["changed"]


def test_named_volumes_go_with_the_deployment(engine: Engine, deployment: Deployment, share: Share) -> None:
    apply(deployment, share)
    names = [f"{deployment.name}-cache", f"{deployment.name}-small"]
    assert all(engine.volume(name) is not None for name in names)
    removed = deployment.absent()["removed"]
    assert sorted(item for item in removed if item.startswith("volume ")) == [f"volume {name}" for name in names]
    assert all(engine.volume(name) is None for name in names)


def test_a_volume_does_not_become_another_and_lose_its_data(deployment: Deployment, share: Share) -> None:
    apply(deployment, share)
    mount = next(item for item in share["replicas"][0]["task"]["mounts"] if item["type"] == "volume")
    mount["volume_options"]["o"] = "size=2m"
    with pytest.raises(Exception, match=r"-small: the volume has the driver local and the options .*size=1m.* now"):
        apply(deployment, share)


def test_an_external_volume_must_be_there_and_stays(engine: Engine, deployment: Deployment) -> None:
    name = f"{deployment.name}.theirs"
    task = deployment.task(volumes=[f"{name}:/x"])
    needed = [{"kind": "volume", "path": name, "container": "a", "field": "volumes"}]
    checked = deployment.call("checked", deployment.replica(task), paths=needed)
    assert [item["message"] for item in checked["problems"]] == [
        f"there is no volume {name} on this host: make it, or let the profile make one of its own"
    ]
    engine.create_volume({"Name": name})
    assert not deployment.call("checked", deployment.replica(task), paths=needed)["problems"]
    deployment.present(task)
    deployment.absent()
    assert engine.volume(name) is not None
