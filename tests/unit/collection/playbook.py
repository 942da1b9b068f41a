# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook of the collection, run from the checkout on an inventory of a test's own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]


def play(name: str, inventory: Path, collections: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Its exit status and all that it prints."""
    return subprocess.run(
        ["ansible-playbook", "-i", str(inventory), f"playbooks/{name}.yml", *more],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
