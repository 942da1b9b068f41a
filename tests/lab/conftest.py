# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs for tests: on an engine of their own, beside the one that a person may have running."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

import docker
import pytest

BIN = Path(sys.executable).parent


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what went wrong when it does: these tests take long."""
    report = yield
    if report.failed:
        item.config.pluginmanager.getplugin("terminalreporter").write_line(f"\n{report.longreprtext}")
    return report


@dataclass(frozen=True)
class Engine:
    """The folders of one lab engine, and the commands on its labs."""

    checkout: Path
    engine_dir: Path
    cache_dir: Path
    lab_dir: Path
    config: Path

    @property
    def socket(self) -> str:
        return f"unix://{self.engine_dir}/docker.sock"

    def argv(self, playbook: str, name: str, **variables: object) -> list[str]:
        """The command line of a lab playbook, here and for this engine unless `variables` say otherwise."""
        extra = {
            "lab_name": name,
            "lab_engine_dir": self.engine_dir,
            "lab_cache_dir": self.cache_dir,
            "lab_dir": self.lab_dir,
            **variables,
        }
        # Strings, as they come from make.
        values = json.dumps({key: str(value) for key, value in extra.items()})
        return [f"{BIN}/ansible-playbook", f"playbooks/{playbook}.yml", "-i", "localhost,", "-c", "local", "-e", values]

    def start(self, playbook: str, name: str, **variables: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.argv(playbook, name, **variables),
            cwd=self.checkout,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_CONFIG": str(self.config)},
        )

    def play(self, playbook: str, name: str, **variables: object) -> str:
        """Run a lab playbook that is to succeed; returns what it printed."""
        process = self.start(playbook, name, **variables)
        output, _stderr = process.communicate()
        assert process.returncode == 0, output
        return output

    def refuse(self, playbook: str, name: str, **variables: object) -> str:
        """Run a lab playbook that is to fail; returns the message of the failed task."""
        process = self.start(playbook, name, **variables)
        output, _stderr = process.communicate()
        assert process.returncode != 0, output
        assert "Traceback" not in output
        messages = re.findall(r'"msg": "(.*)"', output)
        assert messages, output
        return str(messages[-1])

    def docker(self) -> docker.DockerClient:
        return docker.DockerClient(self.socket)

    def inventory(self, name: str) -> Path:
        return self.lab_dir / name / "inventory.yml"

    def ssh(self, name: str, address: str, command: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """Run a shell command on a host as a person would, with the lab's key and known hosts."""
        folder = self.lab_dir / name
        options = [f"UserKnownHostsFile={folder}/known_hosts", "StrictHostKeyChecking=yes", "BatchMode=yes"]
        words = [word for option in options for word in ("-o", option)]
        return subprocess.run(
            ["ssh", "-F", "none", "-i", str(folder / "id_ed25519"), *words, f"{user}@{address}", command],
            text=True,
            capture_output=True,
            check=False,
        )


def plain_configuration(checkout: Path, folder: Path) -> Path:
    """Of Ansible: labs do not need what the checkout's own enables, such as the callback that measures."""
    config = folder / "ansible.cfg"
    config.write_text(
        f"[defaults]\ncollections_path = {checkout}/.collections\ninternal_poll_interval = 0.005\n"
        "[connection]\npipelining = True\n",
        encoding="utf-8",
    )
    return config


@pytest.fixture(scope="session")
def lab_engine(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """A lab engine of the tests' own. Its images are cached where `make lab-clean` finds them."""
    run_dir = Path(f"/run/lab-tests-{os.getpid()}")
    run_dir.mkdir()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = tmp_path_factory.mktemp("labs")
    made = Engine(
        checkout=checkout,
        config=plain_configuration(checkout, folder),
        # The engine's cgroup is called after its folder, so that must be one of its own.
        engine_dir=run_dir / run_dir.name,
        cache_dir=cache / "retail-profiles" / "lab-tests",
        lab_dir=folder / "labs",
    )
    yield made
    # Whatever a failed test left: the labs by their own command, so that nothing survives the tests.
    for folder in sorted(made.lab_dir.glob("*")):
        made.play("lab_down", folder.name)
    assert not made.engine_dir.exists()
    shutil.rmtree(run_dir)
