# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shop's Compose file with what stands beside it, and the tasks that are planned of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ...world import World, write_files


def shop(world: World, text: str, **files: str) -> Path:
    """The file, written with others beside it; ``__`` in their names is a dot."""
    written = {name.replace("__", "."): content for name, content in files.items()}
    return write_files(world.root / "shop", {"src/compose.yaml": text, **{f"src/{n}": t for n, t in written.items()}})


def task(made: dict[str, Any], container: str, number: int = 1) -> dict[str, Any]:
    """The task of one replica of the deployment ``d``."""
    found: dict[str, Any] = made["replicas"][f"d-{container}-{number}"]["task"]
    return found
