# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The latest values of a run that is being measured, each over the last seconds, as its exports name and label them."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch, observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series
from ansible_collections.retail.profiles.plugins.plugin_utils.results import exported_series
from ansible_collections.retail.profiles.plugins.plugin_utils.results.exported_series import Exported
from ansible_collections.retail.profiles.plugins.plugin_utils.results.live_progress import RECENT

ROUNDS = 3
"""Collections whose samples are kept: what a host has not told for longer is not served any more."""
MOST_SAMPLES = 20_000
"""Samples of one collection that are kept: of more, the latest."""


class LiveMetrics:
    """The samples of the last collections, and the value of each series over the last `RECENT` seconds of them."""

    def __init__(self, plan: MeasuredPlan) -> None:
        self._plan = plan
        self._rounds: deque[deque[Mapping[str, Any]]] = deque(maxlen=ROUNDS)
        self.next_round()

    def next_round(self) -> None:
        """What comes now is of another collection."""
        self._rounds.append(deque(maxlen=MOST_SAMPLES))

    def feed(self, sample: Mapping[str, Any]) -> None:
        """Take one sample."""
        self._rounds[-1].append(sample)

    def latest(self) -> list[Exported]:
        """Each series with one value: what a counter has come to, a sketch's percentile, else the mean."""
        samples = (sample for taken in self._rounds for sample in taken)
        seen = _merged(observations.observe(self._plan, samples, {}))
        return [_latest(series) for series in exported_series.of_observations(self._plan, seen) if series.times]


def _recent(times: Sequence[float], seconds: float = RECENT) -> float:
    """When the last seconds begin."""
    return max(times, default=0.0) - seconds


def _merged(seen: Observations) -> Observations:
    """The same with one sketch for the last seconds of each series: percentiles are never averaged."""
    replicas = {
        name: {metric: _one_sketch(series) for metric, series in found.items()} for name, found in seen.replicas.items()
    }
    return replace(seen, replicas=replicas)


def _one_sketch(series: Series) -> Series:
    if series.kind != "sketch" or not series.sketches:
        return series
    begin = _recent(series.times)
    told = [(t, sketch) for t, sketch in series.sketches if t > begin]
    return replace(series, sketches=((told[-1][0], ddsketch.merge(sketch for _t, sketch in told)),))


def _latest(series: Exported) -> Exported:
    begin = _recent(series.times, RECENT * 1000.0)
    values = [value for t, value in zip(series.times, series.values, strict=True) if t > begin]
    value = values[-1] if series.is_counter else sum(values) / len(values)
    return replace(series, times=series.times[-1:], values=array("d", [value]))
