# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's values as plain ones: ansible-core 2.19 hands out strings and containers that carry tags."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any


def untagged(value: Any) -> Any:
    """A deep copy of exactly str, int, float, bool, None, dict and list; anything else becomes its text."""
    return _copied(value, float)


def plain(value: Any) -> Any:
    """Like :func:`untagged`, for strict JSON: a number that it cannot hold (NaN, infinity) becomes ``None``."""
    return _copied(value, lambda number: float(number) if math.isfinite(number) else None)


def _copied(value: Any, of_float: Callable[[float], float | None]) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return of_float(value)
    if isinstance(value, Mapping):
        return {str.__str__(str(key)): _copied(item, of_float) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_copied(item, of_float) for item in value]
    return str(value)
