# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Offered and achieved load: what clients were to ask for, what was done of it, and what was dropped.

A client with a rate of its own (an open loop) tells it as ``offered_per_second``; a closed loop asks for no rate, and
is judged by what it drops alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    ACHIEVED,
    DROPPED,
    FPS,
    OFFERED,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import (
    MeasuredPlan,
    MeasuredReplica,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span, cut, summary_of

LEAST_SHARE = 0.99
"""The share of the offered load that a run has to achieve."""
LEAST_SHARE_OF_RUN = 0.9
"""The same of a tool that tells one figure of its whole run: its last requests are answered after its end."""
AT_THE_EDGES = 2.0
"""Frames that may be missing of a window although all were done: one on its way at either end."""
EDGE_SECONDS = 0.2
"""The time in which what was asked may be on its way when the window ends: a moment's latency is no overload."""


@dataclass(frozen=True)
class Load:
    """The load of one replica over ``seconds``: rates per second; ``None`` where it was not told.

    ``whole``: what was done is one figure of the whole run.
    """

    replica: MeasuredReplica
    seconds: float
    unit: str
    offered: float | None
    achieved: float | None
    dropped: float
    whole: bool = False

    @property
    def share(self) -> float:
        """What was done of what was asked; of a client that asks for no rate, what was done of what was taken up."""
        done = self.achieved or 0.0
        asked = self.offered or done + self.dropped / self.seconds
        return done / asked if asked > 0.0 else 1.0

    @property
    def overloaded(self) -> bool:
        """Whether the client asked for more than was done."""
        if self.dropped > 0.0:
            return True
        least = LEAST_SHARE_OF_RUN if self.whole else LEAST_SHARE
        if self.offered is None or self.achieved is None or self.share >= least:
            return False
        return (self.offered - self.achieved) * self.seconds > max(AT_THE_EDGES, EDGE_SECONDS * self.offered)

    def __str__(self) -> str:
        said = [] if self.offered is None else [f"asked {self.offered:,.4g} {self.unit}"]
        said += [] if self.achieved is None else [f"{self.achieved:,.4g} done"]
        if self.dropped > 0.0:
            said.append(f"{self.dropped:,.0f} dropped")
        return f"replica {self.replica.name} on {self.replica.host} {', '.join(said)} in {self.seconds:.0f} s"


def counted(replica: MeasuredReplica, seen: Observations, name: str, spans: Sequence[Span]) -> float | None:
    """How many a replica told of in the spans: of a counter its growth, of a gauge the sum of its values."""
    series = seen.replicas.get(replica.name, {}).get(name)
    summary = cut(series, spans) if series is not None else None
    if series is None or summary is None:
        return None
    if summary.total is not None:
        return summary.total
    return sum(point.value for point in series.points if series.whole or any(span.holds(point.end) for span in spans))


def load_of(replica: MeasuredReplica, seen: Observations, spans: Sequence[Span]) -> Load:
    """What a replica asked for and what was done of it, over the spans together."""
    series = seen.replicas.get(replica.name, {})

    def mean(*names: str) -> float | None:
        found = (summary_of(series, name, spans) for name in names)
        return next((summary.mean for summary in found if summary is not None), None)

    unit = series[OFFERED.name].unit if OFFERED.name in series else OFFERED.unit
    dropped = counted(replica, seen, DROPPED.name, spans) or 0.0
    seconds = sum(span.length for span in spans)
    whole = any(series[name].whole for name in (ACHIEVED.name, FPS.name) if name in series)
    return Load(replica, seconds, unit, mean(OFFERED.name), mean(ACHIEVED.name, FPS.name), dropped, whole)


def overload(plan: MeasuredPlan, seen: Observations, spans: Sequence[Span]) -> str | None:
    """That clients asked for more than was done, in words that name the worst of them; ``None`` where all was done."""
    found = [load for replica in plan.measured if (load := load_of(replica, seen, spans)).overloaded]
    if not found:
        return None
    worst = min(found, key=lambda load: (load.share, -load.dropped))
    if len(found) == 1:
        return f"overloaded: {worst}"
    return f"overloaded: {len(found)} replicas; the worst, {worst}"
