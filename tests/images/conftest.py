# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the images on a Docker Engine: they are built from their contexts, and run in containers of their own.

The engine is that of DOCKER_HOST, or else the lab's, where one runs. The tests wait by following logs, never by
sleeping; what does not come within the engine's timeout fails the test.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker
import pytest

from ansible_collections.retail.profiles.plugins.module_utils.images import build_context

sys.path.insert(0, str(Path(__file__).parent))

from containers import TIMEOUT, Run, Started, archive

ROOT = Path(__file__).resolve().parents[2]
CONTEXTS = {path.parent.name: path.parent for path in sorted(ROOT.glob("profiles/*/images/*/Dockerfile"))}
LAB_SOCKET = Path("/run/retail-profiles-lab/docker.sock")


@pytest.fixture(scope="session")
def client() -> Iterator[docker.DockerClient]:
    """The engine to test on."""
    url = os.environ.get("DOCKER_HOST") or (f"unix://{LAB_SOCKET}" if LAB_SOCKET.exists() else None)
    if url is None:
        pytest.skip("no Docker Engine to test on: set DOCKER_HOST, or bring a lab up (make lab-up)")
    found = docker.DockerClient(base_url=url, timeout=TIMEOUT)
    found.ping()
    yield found
    found.close()


def run_command(argv: Any) -> tuple[int, str]:
    """Run a command; its exit status and output."""
    done = subprocess.run(list(argv), capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="session")
def image(client: docker.DockerClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Builds the image of a context, once, under a tag of the tests' own; gives the tag."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retail-profiles"
    staged = tmp_path_factory.mktemp("contexts")
    # Not info(), which waits for every container of the engine.
    arch = {"amd64": "x86_64", "arm64": "aarch64"}[client.version()["Arch"]]
    target = build_context.BuildTarget("3.11", arch)
    tags: dict[str, str] = {}

    def build(name: str) -> str:
        if name not in tags:
            (context,) = build_context.read({name: str(CONTEXTS[name])}, target)
            wheels = build_context.fetch_wheels(context, str(cache), target, sys.executable, run_command)
            folder = build_context.stage(context, str(staged), wheels)
            tag = f"retail-images-test/{name}:{uuid.uuid4().hex[:8]}"
            client.images.build(path=folder, tag=tag, rm=True, network_mode="host")
            tags[name] = tag
        return tags[name]

    yield build
    for tag in tags.values():
        # The layers stay: they are the build cache of the next time.
        client.images.remove(tag, noprune=True)


@pytest.fixture(scope="module")
def run(client: docker.DockerClient, image: Callable[[str], str]) -> Iterator[Run]:
    """Starts containers of an image, ``run("ovms-stand-in", "--help", **options of docker-py)``, and removes them.

    ``files``: text files, by absolute path, that the container has.
    """
    started: list[Any] = []

    def start(name: str, *args: Any, files: dict[str, str] | None = None, **options: Any) -> Started:
        options.setdefault("network_mode", "none")
        container = client.containers.create(
            image(name), [str(arg) for arg in args], name=f"images-test-{uuid.uuid4().hex[:12]}", **options
        )
        started.append(container)
        if files:
            container.put_archive("/", archive(files))
        container.start()
        return Started(container)

    yield start
    for container in reversed(started):
        with suppress(docker.errors.NotFound):
            container.remove(force=True, v=True)


@pytest.fixture(scope="module")
def place(client: docker.DockerClient, run: Run) -> Iterator[Started]:
    """A network namespace that containers share (``network_mode=container:…``), and that this machine reaches."""
    network = client.networks.create(f"images-test-{uuid.uuid4().hex[:8]}", driver="bridge", internal=True)
    holder = run("ovms-stand-in", "infinity", entrypoint=["sleep"], network=network.name, network_mode=None)
    yield holder
    holder.container.remove(force=True)
    network.remove()


@pytest.fixture(scope="module")
def models(client: docker.DockerClient, run: Run) -> Iterator[Any]:
    """A volume with all models, made by their recipe."""
    volume = client.volumes.create(f"images-test-{uuid.uuid4().hex[:8]}")
    maker = run("models", user="0:0", volumes={volume.name: {"bind": "/models", "mode": "rw"}})
    code, log = maker.end()
    assert code == 0, log
    maker.container.remove(force=True)
    yield volume
    for user in client.containers.list(all=True, filters={"volume": volume.name}):
        user.remove(force=True)
    volume.remove(force=True)
