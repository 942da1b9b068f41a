# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of containers' logs did not come, and what came and could not be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import number
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span

SHOWN = 60
"""Characters that are shown of a value that cannot be read."""


@dataclass
class LogLoss:
    """Lines dropped by the cap on their rate, and ``why``; bytes ``cut`` off long lines, and when.

    ``unread``: since when no line was read, in unix seconds; ``None`` for a log that was read to its end.
    """

    dropped: int = 0
    dropped_bytes: int = 0
    why: str = ""
    cut: list[tuple[float, int]] = field(default_factory=list)
    unread: float | None = None

    def take(self, t: float, sample: Mapping[str, Any]) -> None:
        """Take a log line, or what a sampler told of a log; ``t`` on the controller's clock."""
        if sample.get("type") == "log":
            self.unread = None
            if sample.get("truncated"):
                self.cut.append((t, _count(sample, "cut_bytes")))
            return
        lines, lag = _count(sample, "dropped_lines"), number(sample.get("lag"))
        if lines:
            self.why = str(sample.get("reason")).partition("dropped: ")[2]
            self.dropped += lines
            self.dropped_bytes += _count(sample, "dropped_bytes")
        if lag is not None:
            self.unread = t - lag


def _count(sample: Mapping[str, Any], key: str) -> int:
    return round(number(sample.get(key)) or 0.0)


@dataclass(frozen=True)
class Unreadable:
    """A value that a rule found, and that is no value of its kind: its beginning, on one line of ASCII."""

    text: str


def unreadable(raw: object) -> Unreadable:
    """What is shown of a value that cannot be read: as JSON, in which no control character is left."""
    try:
        text = json.dumps(raw, default=str).replace("\x7f", "\\u007f")
    except (ValueError, RecursionError):
        text = f"a {type(raw).__name__}"
    return Unreadable(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


@dataclass(frozen=True)
class Refused:
    """Of one rule: what could not be read, each with its time, and the times of what could (unix seconds)."""

    values: tuple[tuple[float, Unreadable], ...]
    read: tuple[float, ...]

    def words(self, spans: Sequence[Span]) -> str | None:
        """How many of how many values could not be read in the spans, and the first; ``None`` where all could."""
        inside = [value for t, value in self.values if any(span.holds(t) for span in spans)]
        if not inside:
            return None
        total = len(inside) + sum(any(span.holds(t) for span in spans) for t in self.read)
        return f"{len(inside):,} of {total:,} values cannot be read; the first: {inside[0].text}"


def megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def warnings(where: str, refused: Mapping[str, Refused], spans: Sequence[Span]) -> list[str]:
    """What of a replica's values cannot be read; none of them costs more than itself."""
    told = ((metric, one.words(spans)) for metric, one in sorted(refused.items()))
    return [f"{where}: metric {metric}: {words}" for metric, words in told if words is not None]


def problems(where: str, loss: LogLoss, spans: Sequence[Span]) -> list[str]:
    """What of a replica's log is missing, in words that begin with ``where``."""
    found = []
    if loss.dropped:
        found.append(f"{where}: {loss.dropped:,} log lines ({megabytes(loss.dropped_bytes)}) dropped: {loss.why}")
    if loss.unread is not None and loss.unread < spans[-1].end:
        late = spans[-1].end - loss.unread
        found.append(
            f"{where}: its log was not read to the end of the window, the last {late:.0f} s are missing: it is written"
            " faster than the sampler reads"
        )
    cut = [size for t, size in loss.cut if any(span.holds(t) for span in spans)]
    if cut:
        found.append(f"{where}: {len(cut):,} log lines were too long, {megabytes(sum(cut))} of them were cut off")
    return found
