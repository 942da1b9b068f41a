# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values out of samples as hosts send them: fields of a JSON mapping, sums over interfaces or disks.

A value that is not there, or is no number that can be added up, is ``None``: missing, never zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

LARGEST = 1e100
"""No measured value is beyond this; sums, rates and scaled values of what is not stay finite."""

Read = Callable[[Mapping[str, Any]], "float | None"]
"""What is read of a sample."""


def number(value: object) -> float | None:
    """A number of at most `LARGEST`, from a number or its text; ``None`` for anything else, truth values included."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        result = float(value)
    except (ValueError, OverflowError):
        return None
    return result if abs(result) <= LARGEST else None


def value_at(*path: str | int, scale: float = 1.0) -> Read:
    """Reads the number at a path of keys and indices, times ``scale``."""

    def read(sample: Mapping[str, Any]) -> float | None:
        found: Any = sample
        for key in path:
            try:
                found = found[key]
            except (LookupError, TypeError):
                return None
        value = number(found)
        return None if value is None else value * scale

    return read


def difference(above: Read, below: Read) -> Read:
    """Reads how much one value exceeds another."""

    def read(sample: Mapping[str, Any]) -> float | None:
        first, second = above(sample), below(sample)
        return None if first is None or second is None else first - second

    return read


def total(*parts: Read) -> Read:
    """Reads the sum of values, all of which have to be there."""

    def read(sample: Mapping[str, Any]) -> float | None:
        found = [value for part in parts if (value := part(sample)) is not None]
        return sum(found) if len(found) == len(parts) else None

    return read


def at_least_zero(value: Read) -> Read:
    """Reads a value that the kernel may give as slightly negative, as its parts are not read at once."""

    def read(sample: Mapping[str, Any]) -> float | None:
        found = value(sample)
        return None if found is None else max(0.0, found)

    return read


def over_devices(group: str, index: int, inner: re.Pattern[str]) -> Read:
    """Reads the sum of one counter over devices, ``{name: [counter, …]}``.

    Names that match ``inner`` are of devices that carry what another one carries too: counting both would double it.
    """

    at = value_at(index)

    def read(sample: Mapping[str, Any]) -> float | None:
        devices = sample.get(group)
        if not isinstance(devices, Mapping):
            return None
        told = (at(values) for name, values in devices.items() if not inner.match(name))
        outer = [value for value in told if value is not None]
        return sum(outer) if outer else None

    return read
