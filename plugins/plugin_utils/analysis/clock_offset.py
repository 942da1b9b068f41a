# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clock offset: how far a host's clock is from the controller's, bounded by the calls of a run.

A call that the controller starts at *s* and sees ended at *e* answers with the host's time *c*, taken in between: the
offset host − controller lies in [c − e, c − s]. All calls of a run are intersected; the offset is corrected only
if what is left excludes 0, by its middle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TOLERANCE = 30.0
"""Seconds by which the clock of a host may be wrong when a plan is applied."""


@dataclass(frozen=True)
class TimedCall:
    """One call of a host: start and end in controller time, and the host's own time in between (unix seconds)."""

    start: float
    end: float
    clock: float


@dataclass(frozen=True)
class Offset:
    """Bounds of host − controller in seconds. ``low > high`` means that the host's clock was set during the run."""

    low: float
    high: float
    calls: int

    @property
    def consistent(self) -> bool:
        return self.low <= self.high

    @property
    def correction(self) -> float:
        """What is subtracted from the host's times, in seconds: 0 unless the clocks are known to differ."""
        if not self.consistent or self.low <= 0.0 <= self.high:
            return 0.0
        return (self.low + self.high) / 2.0

    @property
    def least(self) -> float:
        """The offset that is nearest to 0 of those that it may be, in seconds."""
        return min(max(0.0, self.low), self.high)

    @property
    def spread(self) -> float:
        """The width of what the offset may be, in seconds."""
        return abs(self.high - self.low)

    def as_dict(self) -> dict[str, object]:
        return {
            "offset_low": self.low,
            "offset_high": self.high,
            "correction": self.correction,
            "spread": self.spread,
            "calls": self.calls,
            "consistent": self.consistent,
        }


def intersect(calls: Iterable[TimedCall]) -> Offset | None:
    """What all calls together say of the offset; ``None`` without a call."""
    known = list(calls)
    if not known:
        return None
    low = max(call.clock - max(call.end, call.start) for call in known)
    high = min(call.clock - call.start for call in known)
    return Offset(low=low, high=high, calls=len(known))


def corrections(offsets: Mapping[str, Offset]) -> dict[str, float]:
    """By host, the seconds by which its times are taken to be ahead of the controller's."""
    return {host: offset.correction for host, offset in offsets.items()}


def wrong(call: TimedCall) -> str | None:
    """What is wrong with the clock of a host, by one call; ``None`` where it may be right."""
    offset = Offset(call.clock - call.end, call.clock - call.start, 1).least
    if abs(offset) <= TOLERANCE:
        return None
    way = "ahead of" if offset > 0 else "behind"
    return f"its clock is {abs(offset):.0f} s {way} the controller's: synchronise both"
