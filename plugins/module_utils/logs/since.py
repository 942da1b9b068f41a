# SPDX-License-Identifier: GPL-3.0-or-later
"""A point in time as ``docker logs --since`` takes it: an age, a date and time, or seconds since 1970."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_AGE = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_UNIX = re.compile(r"\d{9,11}(\.\d{1,9})?")


def parse(text: Optional[str], now: float) -> float:
    """Unix seconds; 0 where nothing is given. *now* is what an age is counted from. Raises ProfileError."""
    given = (text or "").strip()
    if not given:
        return 0.0
    age = _AGE.fullmatch(given)
    if age is not None:
        return max(0.0, now - sum(int(number or 0) * unit for number, unit in zip(age.groups(), _UNITS.values())))
    if _UNIX.fullmatch(given):
        return float(given)
    try:
        # Before 3.11 Python knows no Z.
        found = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", given))
    except ValueError:
        found = None
    if found is None:
        raise ProfileError(
            f"{given} is no time: give an age (90s, 10m, 1h30m, 2d), a date and time (2026-01-31T12:00:00Z), "
            "or seconds since 1970",
            field="since",
        )
    return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp()
