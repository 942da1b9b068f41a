# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Somebody with an ansible-core of their own, and what they do with the collection."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .environments import CHECKOUT

PROFILE = Path(__file__).parent / "profiles" / "tellers"
#: enough for a valid window, also where the processors are others', too
SHORT = {"measure_warmup_max": 1, "measure_duration": 5, "measure_poll": 2, "measure_contention_max": 100}
_OURS = rf"(?:/retail/profiles|{re.escape(str(CHECKOUT))})/plugins/.*\.py:\d+: \w*Warning: "
#: what Ansible and its modules warn of, and Python of our files
WARNING = re.compile(rf"^.*(?:\[(?:DEPRECATION )?WARNING\]|{_OURS}).*$", re.MULTILINE)


@dataclass
class User:
    """The folder of programs of an environment, a folder to work in, what is set, and options of each playbook."""

    bin: Path
    home: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    options: Sequence[str] = ()

    @property
    def environment(self) -> dict[str, str]:
        """Deprecations are shown, too: of Ansible and of Python."""
        return {
            **os.environ,
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".collections"),
            "ANSIBLE_DEPRECATION_WARNINGS": "1",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "PYTHONPATH": str(CHECKOUT / ".collections"),
            "PYTHONWARNINGS": "default::DeprecationWarning",
            **self.settings,
        }

    def start(self, command: Sequence[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """A command that has ended, with all that it printed."""
        return subprocess.run(
            command,
            cwd=folder or self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )

    def run(self, *command: str, folder: Path | None = None) -> str:
        """All that a command prints that must end well and warn of nothing."""
        ended = self.start(command, folder)
        assert ended.returncode == 0, ended.stdout
        assert WARNING.findall(ended.stdout) == [], ended.stdout
        return ended.stdout

    def play(self, playbook: str, *options: str, **variables: Any) -> str:
        """All that one of the collection's playbooks prints, run for the profile of these tests."""
        given = {"profile": str(PROFILE), "profile_results_dir": str(self.home / "results"), **variables}
        path = CHECKOUT / "playbooks" / f"{playbook}.yml"
        return self.run("ansible-playbook", str(path), "-e", json.dumps(given), *self.options, *options)

    def latest(self) -> dict[str, Any]:
        """The record of the newest run."""
        found: dict[str, Any] = json.loads((self.home / "results" / "latest" / "run.json").read_text(encoding="utf-8"))
        return found


def main_job(user: User, took: Callable[[str, float], None]) -> None:
    """Deployed, again without a change, looked at, measured and stopped; *took* is told what each step takes."""

    def step(name: str, playbook: str, **more: Any) -> str:
        began = time.monotonic()
        printed = user.play(playbook, **more)
        took(name, round(time.monotonic() - began, 1))
        return printed

    try:
        assert "changed=0" not in step("deploy", "deploy_profile")
        assert "changed=0" in step("again", "deploy_profile")
        assert "changed=0" in step("by docker_container", "deploy_profile", profile_apply_with="docker_container")
        assert "tellers-second-1" in step("status", "status_profile")
        step("run", "run_profile", **SHORT)
        run = user.latest()
        assert run["verdict"] == "ok", run["reasons"]
        assert all(metrics["fps"]["mean"] == 1 for metrics in run["metrics"].values())
        assert set(run["containers"]) == {"tellers-first-1", "tellers-second-1"}
    finally:
        stopped = step("stop", "stop_profile")
    assert "changed=0" in stopped, "a run stops what it has measured"
