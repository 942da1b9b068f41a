# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which names are shown and dealt with."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


def natural(name: str) -> tuple[Any, ...]:
    """Sort key that puts h2 before h10; unequal names never compare equal."""
    parts = (part for part in re.split(r"0*(\d+)", name) if part)
    # Of two numbers the longer one is the larger.
    return (*((0, len(part), part) if part.isdecimal() else (1, 0, part) for part in parts), (2, 0, name))


def listed(names: Sequence[str], most: int = 12) -> str:
    """Names in a line; of more than ``most``, the first ones and how many more there are."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"
