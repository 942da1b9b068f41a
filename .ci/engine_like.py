# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command with an engine like that of a lab's host, which is there for the command alone: DOCKER_HOST names it.

Usage: engine_like.py CONTAINER COMMAND [ARGUMENT ...]

CONTAINER is a host of a lab that is up, ``<lab>-h<n>``: its image and where its engine keeps images are taken over. The
engine runs in the machine's own network, processes and control groups, and has the machine's /tmp: tests that look at
containers from outside, or hand files to them, find all that as with an engine of the machine's own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import requests

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "roles" / "lab" / "files"))

from lab_hosts import privileges

LAB_ENGINE = "unix:///run/retail-profiles-lab/docker.sock"
# Below the lab engine's: what is left in there ends with that engine.
CGROUP = f"/retail-profiles-lab/engine-{os.getpid()}"
# What tests start containers from.
IMAGE = "debian:bookworm-slim"
PATIENCE = 120


def configuration(folder: Path, socket: Path, containerd_store: bool) -> dict[str, Any]:
    """The engine's daemon.json: that of the lab engine, as far as containers notice."""
    return {
        "hosts": [f"unix://{socket}"],
        "group": "root",
        "pidfile": f"{folder}/docker.pid",
        "data-root": f"{folder}/data",
        "exec-root": f"{folder}/exec",
        "cgroup-parent": CGROUP,
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        "bridge": "none",
        "iptables": False,
        "ip6tables": False,
        "ip-forward": False,
        "ip-masq": False,
        "userland-proxy": False,
        "log-level": "warn",
        "features": {"containerd-snapshotter": containerd_store},
    }


def start(api: docker.APIClient, host: str, folder: Path, socket: Path) -> str:
    """Start the engine; its container's id."""
    like = api.inspect_container(host)["Config"]
    settings = dict(item.split("=", 1) for item in like["Env"])
    config = configuration(folder, socket, json.loads(settings["LAB_CONTAINERD_STORE"]))
    (folder / "daemon.json").write_text(json.dumps(config), encoding="utf-8")
    # Named on its own, or the engine would find its own group alone there.
    places = (str(folder), str(socket.parent), tempfile.gettempdir(), "/sys/fs/cgroup", "/sys")
    host_config = api.create_host_config(
        cgroupns="host",
        network_mode="host",
        pid_mode="host",
        binds=[f"{place}:{place}" for place in places],
        **privileges(),
    )
    # The kernel's settings are the machine's, as those of its networks.
    host_config |= {"MaskedPaths": [], "ReadonlyPaths": []}
    made = api.create_container(
        like["Image"],
        name=f"engine-{os.getpid()}",
        entrypoint=["/usr/sbin/dockerd", "--config-file", f"{folder}/daemon.json"],
        environment={"container": "docker"},
        stop_signal="SIGTERM",
        host_config=host_config,
        use_config_proxy=False,
    )
    api.start(made)
    return str(made["Id"])


def wait(api: docker.APIClient, container: str, url: str) -> docker.DockerClient:
    """A connection to the engine when it answers.

    Raises:
        SystemExit: it does not.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and api.inspect_container(container)["State"]["Running"]:
        with suppress(docker.errors.DockerException, requests.RequestException):
            return docker.DockerClient(url, timeout=PATIENCE)
        time.sleep(0.1)
    sys.exit(f"the engine did not answer: {api.logs(container, tail=10).decode(errors='replace')}")


def remove_cgroups() -> None:
    """Remove the control groups that the engine has left, the innermost first."""
    for top in [Path("/sys/fs/cgroup"), *Path("/sys/fs/cgroup").glob("*/")]:
        for folder, _folders, _files in os.walk(f"{top}{CGROUP}", topdown=False):
            with suppress(FileNotFoundError):
                os.rmdir(folder)


@contextmanager
def engine(host: str) -> Iterator[str]:
    """An engine like that of *host*, with the image that tests need; its address."""
    api = docker.APIClient(LAB_ENGINE, version="auto", timeout=PATIENCE)
    # Beside the lab engine's data: not on overlayfs or tmpfs, on which an engine could not stack its layers.
    folder = Path(tempfile.mkdtemp(prefix="engine-", dir=Path(api.info()["DockerRootDir"]).parent))
    # Where users who are not root reach it, too.
    socket = Path(tempfile.mkdtemp(prefix="engine-", dir="/run"), "docker.sock")
    socket.parent.chmod(0o711)
    url = f"unix://{socket}"
    try:
        container = start(api, host, folder, socket)
        try:
            client = wait(api, container, url)
            client.images.load(api.get_image(IMAGE))
            told = client.info()
            print(f"on an engine like that of {host}: {told['ServerVersion']}, {told['Driver']}", flush=True)
            yield url
        finally:
            # It stops its containers, which takes ten seconds.
            api.stop(container, timeout=60)
            api.remove_container(container, force=True, v=True)
            remove_cgroups()
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(socket.parent)


def main() -> int:
    """Run the command; its exit status."""
    host, *command = sys.argv[1:]
    with engine(host) as url:
        return subprocess.run(command, env={**os.environ, "DOCKER_HOST": url}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
