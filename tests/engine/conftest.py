# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests on a real Docker Engine share: the engine, a deployment of their own, and the stock module."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import io
import json
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.apply.removal import release_network
from ansible_collections.retail.profiles.plugins.module_utils.apply.states import run
from ansible_collections.retail.profiles.plugins.module_utils.common import file_tree
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import parse_order
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, connect
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.shipped_files import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import archives

IMAGE = os.environ.get("RETAIL_TEST_IMAGE", "debian:bookworm-slim")
#: runs until it is told to end, and then ends at once
SLEEP = ["sh", "-c", "trap 'exit 0' TERM INT; echo up; while :; do sleep 1000 & wait $!; done"]


@pytest.fixture(scope="session")
def engine() -> Engine:
    if not os.environ.get("DOCKER_HOST"):
        pytest.skip(
            "no Docker Engine to test on: set DOCKER_HOST (and RETAIL_TEST_IMAGE, if debian:bookworm-slim is not there)"
        )
    found = connect()
    if found.image(IMAGE) is None:
        pytest.skip(f"the engine at DOCKER_HOST does not have the image {IMAGE}: set RETAIL_TEST_IMAGE")
    return found


class Deployment:
    """A deployment with a name and a state directory of its own on the engine under test."""

    def __init__(self, engine: Engine, state_dir: Path) -> None:
        self.engine = engine
        self.name = f"rpt{uuid.uuid4().hex[:8]}"
        self.state_dir = state_dir
        self.archives: list[dict[str, Any]] = []

    @property
    def labels(self) -> dict[str, str]:
        return {"retail.profiles.collection": "retail.profiles", "retail.profiles.deployment": self.name}

    def network(self, name: str = "net", **options: Any) -> dict[str, Any]:
        return {"name": f"{self.name}-{name}", "labels": self.labels, **options}

    def task(self, container: str = "a", index: int = 1, **options: Any) -> dict[str, Any]:
        """Arguments of docker_container; an option given as None is left out."""
        name = f"{self.name}-{container}-{index}"
        labels = {
            **self.labels,
            "retail.profiles.container": container,
            "retail.profiles.replica": name,
            "retail.profiles.spec": "of-a-test",
        }
        task = {"name": name, "image": IMAGE, "command": SLEEP, "labels": labels, "state": "started", **options}
        return {key: value for key, value in task.items() if value is not None}

    def replica(self, task: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {"name": task["name"], "container": task["name"].split("-")[1], "task": task, **more}

    def call(self, state: str, *replicas: dict[str, Any], check: bool = False, **more: Any) -> dict[str, Any]:
        """One call of profile_apply, as the module makes it. Keys of the share may be given beside others."""
        share: dict[str, Any] = {key: more.pop(key) for key in ("networks", "files", "paths") if key in more}
        params: dict[str, Any] = {
            "state": state,
            "deployment": self.name,
            "state_dir": str(self.state_dir),
            "share": {"replicas": list(replicas), **share},
            "archives": self.archives,
            **more,
        }
        return run(parse_order(params, check), lambda: self.engine)

    def present(self, *tasks: dict[str, Any], **more: Any) -> dict[str, Any]:
        return self.call("present", *(self.replica(task) for task in tasks), **more)

    def absent(self, **more: Any) -> dict[str, Any]:
        return self.call("absent", **more)

    def sweep(self) -> None:
        """Remove whatever a failed test left, by labels alone."""
        for item in self.engine.containers():
            if item["Labels"].get("retail.profiles.deployment") == self.name or self.name in str(item["Names"]):
                self.engine.remove(item["Id"])
        for network in self.engine.networks():
            if network["Name"].startswith(self.name):
                release_network(self.engine, network["Name"], lambda item: True)
                self.engine.remove_network(network["Id"])
        for volume in self.engine.client().volumes(filters={"name": self.name}).get("Volumes") or ():
            self.engine.remove_volume(volume["Name"])


def shipped(deployment: Deployment, content: bytes, path: str = "client.sh") -> dict[str, Any]:
    """A file of the share; its content goes with every call of the deployment."""
    digest = hashlib.sha256(content).hexdigest()
    dest = f"{deployment.state_dir}/deployments/{deployment.name}/files/{digest}-x/{path}"
    return sent(deployment, {"path": path, "kind": "file", "sha256": digest, "mode": "0755", "dest": dest}, content)


def shipped_folder(deployment: Deployment, folder: Path) -> dict[str, Any]:
    digest = file_tree.digest_of(str(folder), "directory")
    dest = f"{deployment.state_dir}/deployments/{deployment.name}/files/{digest}/{folder.name}"
    item = {"path": folder.name, "kind": "directory", "sha256": digest, "mode": "0644", "dest": dest}
    return sent(deployment, item, folder)


def sent(deployment: Deployment, item: dict[str, Any], source: Source) -> dict[str, Any]:
    stream = io.BytesIO()
    archives.pack(item, source, stream)
    deployment.archives.append({"dest": item["dest"], "data": base64.b64encode(stream.getvalue()).decode()})
    return item


@pytest.fixture
def deployment(engine: Engine, tmp_path: Path) -> Iterator[Deployment]:
    made = Deployment(engine, tmp_path)
    yield made
    made.sweep()


def stock(module: str, **arguments: Any) -> dict[str, Any]:
    """Run a module of community.docker in this process; its result."""
    import importlib

    from ansible.module_utils.testing import patch_module_args

    implementation = importlib.import_module(f"ansible_collections.community.docker.plugins.modules.{module}")
    output = io.StringIO()
    with patch_module_args(arguments), contextlib.redirect_stdout(output), contextlib.suppress(SystemExit):
        implementation.main()
    result: dict[str, Any] = json.loads(output.getvalue().strip().splitlines()[-1])
    assert not result.get("failed"), result["msg"]
    return result
