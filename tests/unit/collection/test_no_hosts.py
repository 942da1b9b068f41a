# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook for an inventory without hosts: one clear error, and not a play that is skipped and ends well."""

from __future__ import annotations

from pathlib import Path

import pytest

from .playbook import play


@pytest.mark.parametrize("name", ["deploy", "logs", "plan", "run", "status", "stop", "study"])
def test_an_inventory_without_hosts_is_an_error(name: str, collections: Path, tmp_path: Path) -> None:
    inventory = tmp_path / "empty.yml"
    inventory.write_text("all: {}\n", encoding="utf-8")
    ended = play(f"{name}_profile", inventory, collections, "-e", "profile=ovms")
    assert ended.returncode != 0
    assert "nventory has no hosts: give one with -i" in ended.stdout
    assert "Traceback" not in ended.stdout
