# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare Debian machine becomes a host: Docker Engine, its Python package and the state directory, without systemd.

The machine is a container without a network, on the lab's engine; its packages were downloaded with its image.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from docker.models.containers import Container

IMAGE = "retail/test-bare-host"
DOCKERFILE = """
FROM debian:bookworm-slim
RUN rm -f /etc/apt/apt.conf.d/docker-clean /usr/sbin/policy-rc.d \\
 && apt-get update -qq \\
 && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends python3 python3-apt iptables procps \\
 && apt-get install -qq -y --no-install-recommends --download-only docker.io python3-docker python3-requests
# The init script raises limits, which a machine without CAP_SYS_RESOURCE may not; it reads this file before.
RUN echo 'ulimit() { :; }' > /etc/default/docker
VOLUME /var/lib/docker
# The package lists count as fresh for an hour: without a network they cannot be fetched again.
# A container without all privileges has the kernel's settings read-only.
CMD touch /var/lib/apt/lists; ! grep -q ' /proc/sys ' /proc/mounts || umount /proc/sys; exec sleep 3600
"""
SYS_RESOURCE = 24


def privileges() -> dict[str, Any]:
    """What an engine in a container needs: all that this machine has to give."""
    bounding = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("CapBnd"))
    if int(bounding.split()[1], 16) >> SYS_RESOURCE & 1:
        return {"privileged": True}
    return {
        "cap_add": ["ALL"],
        "cap_drop": ["SYS_RESOURCE"],
        "device_cgroup_rules": ["a *:* rwm"],
        "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
    }


class Machine:
    """The container, and Ansible on it."""

    def __init__(self, container: Container, url: str, checkout: Path) -> None:
        self.container = container
        self.url = url
        self.checkout = checkout

    def sh(self, command: str) -> str:
        status, output = self.container.exec_run(["sh", "-c", command])
        assert status == 0, output.decode()
        return str(output.decode().strip())

    def role(self, **variables: object) -> tuple[int, str]:
        """Run the role on the machine; exit status and output."""
        given = {
            "ansible_connection": "community.docker.docker_api",
            "ansible_docker_docker_host": self.url,
            "ansible_python_interpreter": "/usr/bin/python3",
            **variables,
        }
        command = [
            *(str(Path(sys.executable).parent / "ansible"), "all", "-i", f"{self.container.name},"),
            *("-e", json.dumps(given), "-m", "ansible.builtin.include_role", "-a", "name=retail.profiles.docker_host"),
        ]
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(self.checkout / "ansible.cfg"),
            "ANSIBLE_LOAD_CALLBACK_PLUGINS": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_CALLBACKS_ENABLED": "ansible.builtin.default",
            "ANSIBLE_NOCOLOR": "1",
        }
        where: dict[str, Any] = {"cwd": self.checkout, "env": environment}
        ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600, **where)
        return ended.returncode, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def machine(lab_inventory: Path, checkout: Path) -> Iterator[Machine]:
    """A machine with nothing but Python."""
    url = re.search(r"^ +images_docker_host: (\S+)$", lab_inventory.read_text(), re.MULTILINE)
    assert url is not None
    engine = docker.DockerClient(url[1], timeout=600)
    engine.images.build(fileobj=io.BytesIO(DOCKERFILE.encode()), tag=IMAGE, network_mode="host", rm=True)
    name = f"test-bare-host-{uuid.uuid4().hex[:8]}"
    container = engine.containers.run(IMAGE, name=name, detach=True, init=True, network_mode="none", **privileges())
    yield Machine(container, url[1], checkout)
    container.remove(force=True, v=True)
    engine.close()


def changes(output: str) -> int:
    """How many tasks have changed something."""
    return len(re.findall(r"^changed: ", output, re.MULTILINE))


def test_another_distribution_is_refused_with_what_it_lacks(machine: Machine) -> None:
    machine.sh("mkdir /kept && rm /etc/os-release && mv /usr/lib/os-release /etc/debian_version /kept/")
    machine.sh("""printf 'NAME="Alpine Linux"\\nID=alpine\\nVERSION_ID=3.20.0\\n' > /etc/os-release""")
    machine.sh("echo 3.20.0 > /etc/alpine-release")
    try:
        status, output = machine.role()
    finally:
        machine.sh("rm /etc/os-release /etc/alpine-release")
        machine.sh("mv /kept/debian_version /etc/ && mv /kept/os-release /usr/lib/")
        machine.sh("ln -s ../usr/lib/os-release /etc/os-release")
    assert status != 0
    assert "lacks Docker Engine and the docker package of /usr/bin/python3" in output
    assert "packages are installed on Debian and Ubuntu only; this is Alpine" in output
    assert changes(output) == 0


def test_bare_machine_becomes_a_host(machine: Machine) -> None:
    """Also where an engine that was removed has left its socket, on which nobody listens."""
    machine.sh("""python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("/var/run/docker.sock")'""")
    status, output = machine.role()
    assert status == 0, output
    assert machine.sh("docker version --format '{{.Server.Version}}'")
    machine.sh("/usr/bin/python3 -c 'import docker, requests'")
    assert machine.sh("stat -c '%a %U %G' /var/lib/retail-profiles") == "2770 root docker"


def test_second_run_changes_nothing(machine: Machine) -> None:
    status, output = machine.role()
    assert status == 0, output
    assert changes(output) == 0


def test_only_what_is_missing_is_installed(machine: Machine) -> None:
    machine.sh("dpkg -r --force-depends python3-docker")
    engine = machine.sh("cat /var/run/docker.pid")
    status, output = machine.role()
    assert status == 0, output
    assert changes(output) == 1
    assert machine.sh("cat /var/run/docker.pid") == engine


def test_stopped_engine_is_started(machine: Machine) -> None:
    machine.sh("service docker stop")
    status, output = machine.role()
    assert status == 0, output
    assert changes(output) == 1
    assert machine.sh("docker version --format '{{.Server.Version}}'")


def test_packages_for_another_python_are_refused(machine: Machine) -> None:
    machine.sh("dpkg -r --force-depends python3-docker && cp /usr/bin/python3.11 /usr/local/bin/python3.11")
    status, output = machine.role(ansible_python_interpreter="/usr/local/bin/python3.11")
    assert status != 0
    assert "Ansible uses /usr/local/bin/python3.11, which has no docker package" in output
    assert "Set ansible_python_interpreter to /usr/bin/python3" in output
