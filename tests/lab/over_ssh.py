# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands on the hosts of a lab by SSH alone: a call of ansible would take seconds of processor time each."""

from __future__ import annotations

import shlex
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml


def _lab(inventory: Path) -> dict[str, Any]:
    text = inventory.read_text(encoding="utf-8").replace("{{ inventory_dir }}", str(inventory.parent))
    lab: dict[str, Any] = yaml.safe_load(text)["all"]
    return lab


def of_hosts(inventory: Path, variable: str) -> dict[str, str]:
    """What a variable is for each host of a lab, in the inventory's order."""
    groups = _lab(inventory)["children"].values()
    return {host: variables[variable] for group in groups for host, variables in group["hosts"].items()}


def addresses(inventory: Path) -> dict[str, str]:
    """Where each host of a lab is."""
    return of_hosts(inventory, "ansible_host")


def kinds(inventory: Path) -> dict[str, str]:
    """Of which kind each host of a lab is."""
    return of_hosts(inventory, "lab_kind")


def shells(inventory: Path, pattern: str, command: str, seconds: float = 120) -> dict[str, str]:
    """What a shell command prints on each host; fails when it does on one of them, or takes longer than that.

    ``pattern``: ``all``, a group, or names of hosts between commas.
    """
    assert "{{ '" not in command, "the shell gets the command as it is: it is no template"
    lab = _lab(inventory)
    every = addresses(inventory)
    group = lab["children"].get(pattern)
    chosen = list(every if pattern == "all" else group["hosts"] if group else pattern.split(","))
    ssh = ["ssh", "-F", "none", "-o", "BatchMode=yes", "-i", lab["vars"]["ansible_ssh_private_key_file"]]
    ssh += shlex.split(lab["vars"]["ansible_ssh_common_args"])

    def answer(host: str) -> str:
        asked = [*ssh, f"{lab['vars']['ansible_user']}@{every[host]}", command]
        ended = subprocess.run(
            asked, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False
        )
        assert ended.returncode == 0, f"{host}: {ended.stdout}{ended.stderr}"
        return ended.stdout.strip()

    with ThreadPoolExecutor(max_workers=8) as pool:
        return dict(zip(chosen, pool.map(answer, chosen)))
