# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder into which upstream's clients write their results, and what is measured of it.

A client writes ``pipeline<time>_<name>.log`` with its frames per second, a number a line, beside its records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

FOLDER = "/tmp/results"
FPS = {"file": f"{FOLDER}/pipeline*.log", "regex": r"^\s*(\d+(?:\.\d+)?)\s*$", "unit": "fps", "required": False}


def metrics(volumes: Iterable[Any]) -> dict[str, Any]:
    """The field ``metrics`` of a client with these volumes; nothing where none of them is that folder."""
    return {"metrics": {"fps": dict(FPS)}} if FOLDER in map(_target, volumes) else {}


def _target(volume: Any) -> str:
    if isinstance(volume, Mapping):
        return str(volume.get("target")).rstrip("/")
    return str(volume).partition(":")[2].partition(":")[0].rstrip("/")
