# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: the last wave of a plan in which a host has something to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def last_wave(plan: Mapping[str, Any], host: str) -> int:
    """Number of the wave, from 0; -1 for a host that has no replica."""
    names = plan["hosts"].get(host, {}).get("replicas", ())
    return max((int(plan["replicas"][name]["wave"]) for name in names), default=-1)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"last_wave": last_wave}
