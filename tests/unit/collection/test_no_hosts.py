# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook for an inventory without hosts: one clear error, and not a play that is skipped and ends well."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("name", ["deploy", "logs", "plan", "run", "status", "stop"])
def test_an_inventory_without_hosts_is_an_error(name: str, collections: Path, tmp_path: Path) -> None:
    inventory = tmp_path / "empty.yml"
    inventory.write_text("all: {}\n", encoding="utf-8")
    ended = subprocess.run(
        ["ansible-playbook", "-i", str(inventory), f"playbooks/{name}_profile.yml", "-e", "profile=ovms"],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode != 0
    assert "nventory has no hosts: give one with -i" in ended.stdout
    assert "Traceback" not in ended.stdout
