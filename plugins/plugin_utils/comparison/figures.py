# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The figures of a run that are compared: one value a run each, from its record. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import metric_catalogue
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    ACHIEVED,
    CPU,
    DROPPED,
    ERRORS,
    FIRST_TOKEN,
    FPS,
    GOODPUT,
    LATENCY,
    OUTPUT_TOKEN,
    TOKENS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Better
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed, natural

_FIRST = (FPS.name, ACHIEVED.name, LATENCY.name)
STATISTICS = ("mean", "p50", "p95", "p99")
DECLARED = (
    *(FPS.name, ACHIEVED.name, f"{LATENCY.name}.p50", f"{LATENCY.name}.p99"),
    *(f"{FIRST_TOKEN.name}.p50", f"{FIRST_TOKEN.name}.p99", f"{OUTPUT_TOKEN.name}.p50", TOKENS.name, GOODPUT.name),
    *(ERRORS.name, DROPPED.name),
)
"""What is compared where neither the user nor the profile's objectives say it: of all measured replicas together."""
DENSITY = "density"
"""The answer of a search for stream density; of a host where it was sought on each."""
_NO_DENSITY = ("no data", "failed")
"""Endings of a search without an answer."""


@dataclass(frozen=True)
class Figure:
    """A statistic of a metric: of all measured replicas together, of a container's, of a host, or of a device of it.

    Of a container it is the mean over its replicas.
    """

    metric: str
    statistic: str = "mean"
    container: str = ""
    host: str = ""
    device: str = ""

    @property
    def where(self) -> str:
        """What it is of."""
        return f"{self.device} of {self.host}" if self.device else self.host or self.container or "all"

    @property
    def key(self) -> str:
        """How it is declared: ``latency_seconds.p99``, ``ovms-server:cpu_cores``, ``h1:cpu_cores``."""
        name = self.metric if self.statistic == "mean" else f"{self.metric}.{self.statistic}"
        scope = self.host or self.container
        of_device = f"{self.device}:" if self.device else ""
        return f"{scope}:{of_device}{name}" if scope else name

    @property
    def order(self) -> tuple[Any, ...]:
        """Figures of all first, then those of containers, hosts and devices."""
        kind = 3 if self.device else 2 if self.host else 1 if self.container else 0
        first = _FIRST.index(self.metric) if self.metric in _FIRST else len(_FIRST)
        return kind, natural(self.where), first, self.metric, STATISTICS.index(self.statistic)


@dataclass(frozen=True)
class Told:
    """What one run tells of a figure."""

    value: float
    unit: str


def of_record(record: Mapping[str, Any]) -> dict[Figure, Told]:
    """All figures of a run."""
    return {figure: told for figure, told in _all(record) if told is not None}


def _all(record: Mapping[str, Any]) -> Iterator[tuple[Figure, Told | None]]:
    for metric, summary in record.get("totals", {}).items():
        for statistic in STATISTICS:
            yield Figure(metric, statistic), _told([summary], statistic)
    for search in (record.get("search") or {"searches": ()})["searches"]:
        if search["ending"] is not None and search["ending"] not in _NO_DENSITY:
            yield Figure(DENSITY, host=search["host"] or ""), Told(float(search["streams"] or 0), "streams")
    containers = record["containers"]
    names = {containers[replica]["container"] for replica in record["metrics"]}
    for container in names:
        of_replicas = [m for replica, m in record["metrics"].items() if containers[replica]["container"] == container]
        for metric in {name for metrics in of_replicas for name in metrics}:
            yield (
                Figure(metric, container=container),
                _told([metrics[metric] for metrics in of_replicas if metric in metrics], "mean"),
            )
    for host, metrics in record["host_metrics"].items():
        for metric, summary in metrics.items():
            yield Figure(metric, host=host), _told([summary], "mean")
    for host, metrics in record.get("device_metrics", {}).items():
        for metric, devices in metrics.items() if host in record["hosts"] else ():
            for device, summary in devices.items():
                yield Figure(metric, host=host, device=device), _told([summary], "mean")


def _told(summaries: Sequence[Mapping[str, Any]], statistic: str) -> Told | None:
    """The mean of what several tell; None where one tells nothing, as a mean over the others would be of others."""
    values = [summary.get(statistic) for summary in summaries]
    known = [float(value) for value in values if value is not None]
    return Told(statistics.fmean(known), str(summaries[0]["unit"])) if known and len(known) == len(values) else None


def better(figure: Figure, objectives: Iterable[Mapping[str, Any]]) -> Better:
    """Which way is better: as an objective of the profile bounds it, else as the catalogue of metrics says."""
    if figure.metric == DENSITY:
        return "higher"
    for objective in objectives:
        if objective["metric"] == figure.metric:
            return "higher" if objective.get("at_least") is not None else "lower"
    if figure.host:
        return next((metric.better for metric in metric_catalogue.OF_HOSTS if metric.name == figure.metric), "")
    return metric_catalogue.of_rule(figure.metric).better


def declared(
    known: Iterable[Figure], asked: Sequence[str], objectives: Iterable[Mapping[str, Any]]
) -> tuple[Figure, ...]:
    """The figures that the comparison judges. Raises ProfileError for one that is asked for and not there."""
    there = sorted(set(known), key=lambda figure: figure.order)
    if not asked:
        wanted = [*DECLARED, *(_of_objective(objective) for objective in objectives)]
        found = [figure for figure in there if figure.key in wanted]
        return tuple(found or (figure for figure in there if figure.metric == CPU.name and figure.container))
    chosen: dict[Figure, None] = {}
    for name in asked:
        # Without a container or a host it is that of all; where there is none of all, each there is.
        matching = [figure for figure in there if figure.key == name] or [
            figure for figure in there if figure.key.rpartition(":")[2] == name
        ]
        if not matching:
            names = [figure.key for figure in there]
            raise ProfileError(f"metrics: no run has a figure {name}; there are {listed(names, 40)}")
        chosen.update(dict.fromkeys(matching))
    return tuple(chosen)


def _of_objective(objective: Mapping[str, Any]) -> str:
    """The key of the figure that an objective is about."""
    container = "" if objective.get("over") == "all" else str(objective["container"])
    return Figure(str(objective["metric"]), str(objective.get("statistic", "mean")), container).key
