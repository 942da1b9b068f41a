# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run costs beside measuring is its tasks: each is a process for each host, and some are a call."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import yaml

#: of run_profile.yml, from the first to the last, a round of collecting left out
TASKS = [
    "Ask the planner ({{ profile_stage }})",
    "Ask the hosts",
    "Ask the planner ({{ profile_stage }})",
    "Ask again where the plan came out otherwise than expected, or tell what is wrong",
    "Apply wave by wave",
    "Deal with what failed",
    "Start the sampler",
    "Look at the windows",
    "Collect",
    "Look at the windows",
    "Collect again",
]
ENDING = ["Collect what is left", "Remove", "Judge the run"]


def test_a_run_has_no_task_that_need_not_be(collections: Path, checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "hosts.ini").write_text("h1\n")
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "ansible-playbook"),
            "-i",
            str(tmp_path / "hosts.ini"),
            "--list-tasks",
            str(checkout / "playbooks" / "run_profile.yml"),
        ],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.strip() for line in done.stdout.splitlines() if "TAGS:" in line and "play #" not in line]
    assert [line.partition("\t")[0].rpartition(" : ")[2] for line in lines] == TASKS
    # Ansible does not list what comes always.
    _choose, run = yaml.safe_load((checkout / "playbooks" / "run_profile.yml").read_text())
    assert [task["name"] for task in run["tasks"][-1]["always"]] == ENDING


def test_a_round_is_two_tasks_and_the_next_round(checkout: Path) -> None:
    """Nothing but asking the hosts is done on all of them; waiting is part of that."""
    tasks = checkout / "roles" / "measure" / "tasks"
    collect, look, again = yaml.safe_load((tasks / "round.yml").read_text())
    assert "retail.profiles.profile_measure" in collect
    assert look["ansible.builtin.import_tasks"] == "look.yml"
    assert again["ansible.builtin.include_tasks"] == "round.yml"
    (looked,) = yaml.safe_load((tasks / "look.yml").read_text())
    assert looked["run_once"]
