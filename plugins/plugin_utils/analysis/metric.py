# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is declared of a metric: its unit and kind, what it is read from, its chart and its row of the summary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import Read

Kind = Literal["gauge", "rate", "ratio", "average", "flow", "counter", "sketch"]
"""Of a time series, see `time_series.Series`."""
Better = Literal["", "higher", "lower"]
"""Which way is better; empty where neither is."""
CPUS = "cpus"
"""The number of a host's CPUs in its snapshot, as the whole of a percentage."""


@dataclass(frozen=True)
class Chart:
    """A chart of the report: ``factor`` turns the metric's unit into the one shown, ``None`` for the series' own.

    ``quantile``: of a sketch, the one that is drawn.
    """

    title: str
    unit: str | None
    factor: float = 1.0
    quantile: float | None = None


@dataclass(frozen=True)
class SummaryRow:
    """A row of ``summary.csv``: the sum of the hosts' means, divided, or as a percentage of other metrics' sums.

    Of a metric of devices it is a row a device, whose number stands for ``{n}`` in the label; without ``{n}``, one row
    for the mean over all devices.
    """

    label: str
    divisor: float = 1.0
    percent_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Metric:
    """One entry of the catalogue.

    ``value`` reads a sample: a gauge's value, or the counter from which a rate is derived. A ratio or an average is the
    growth of ``value`` by the growth of ``per``, times ``scale``. Both are ``None`` where a rule of the profile says
    where the metric is found, or it is made of others. ``device``: there is a value for each device of this kind; then
    ``value`` and ``per`` read the counters of one of them, a sample's ``devices[KIND][INSTANCE]``. ``formula`` and
    ``absent_when`` are sentences of docs/results.md. ``explained_by``: the words under which the sampler tells why
    there is none, nearest first; ``unexplained``: the reason where it told nothing. A run is degraded where a measured
    replica lacks an ``essential`` metric, unless it has the one ``instead``, and not where its rule, with
    ``required: false``, tells no ``optional`` one. ``better``: which way is, where it can be said without the profile.
    """

    name: str
    unit: str
    kind: Kind
    formula: str
    absent_when: str
    value: Read | None = None
    per: Read | None = None
    device: str | None = None
    scale: float = 1.0
    explained_by: tuple[str, ...] = ("log", "container")
    unexplained: str = "no sample in the measure window"
    essential: bool = False
    instead: str = ""
    optional: bool = False
    better: Better = ""
    charts: tuple[Chart, ...] = ()
    row: SummaryRow | None = None
