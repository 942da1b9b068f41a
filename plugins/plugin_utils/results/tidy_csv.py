# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``metrics.csv``: every figure of ``run.json`` in a row of its own (tidy data), for pandas, R and spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.results.summary import neutral

HEADER = ("run", "phase", "host", "replica", "device", "metric", "statistic", "value", "unit")
MEASURE = "measure"
"""The phase of figures over all measure windows; those of single windows have a number."""
COUNT_UNIT = "1"
"""The unit of ``n``: a number of values has none."""
TOTALS = {"watts": "joules"}
"""The unit of what adds up over time, where it has a name of its own."""

Row = tuple[str, str, str, str, str, str, str, float, str]


def rows(final: Mapping[str, Any]) -> Iterator[Row]:
    """A row for each figure there is: of replicas, hosts, their devices and the fleet; then of the fleet by window."""
    run = str(final["run_id"])
    for replica, metrics in final["metrics"].items():
        yield from _figures((run, MEASURE, str(final["containers"][replica]["host"]), replica, ""), metrics)
    for host, metrics in final["host_metrics"].items():
        yield from _figures((run, MEASURE, host, "", ""), metrics)
    for name, of_devices in final["device_metrics"].items():
        container = final["containers"].get(name)
        host, replica = (str(container["host"]), name) if container else (name, "")
        for metric, devices in of_devices.items():
            for device, figures in devices.items():
                yield from _figures((run, MEASURE, host, replica, device), {metric: figures})
    yield from _figures((run, MEASURE, "", "", ""), final["totals"])
    seen: dict[str, int] = {}
    for window in final["windows"]:
        phase = str(window["phase"])
        seen[phase] = seen.get(phase, 0) + 1
        yield from _figures((run, f"{phase} {seen[phase]}", "", "", ""), window["metrics"])


def _figures(whose: tuple[str, str, str, str, str], metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    for metric, figures in metrics.items():
        for statistic, value in figures.items():
            if statistic not in ("unit", "ready_made") and value is not None:
                yield (*whose, metric, statistic, value, _unit(statistic, str(figures["unit"])))


def _unit(statistic: str, unit: str) -> str:
    if statistic == "n":
        return COUNT_UNIT
    if statistic != "total":
        return unit
    return TOTALS.get(unit) or (unit.removesuffix("/s") if unit.endswith("/s") else f"{unit}·seconds")


def text(final: Mapping[str, Any]) -> str:
    """The whole file. Numbers are written so that they read back as the very same; all texts stand in quotes."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(HEADER)
    writer.writerows([neutral(cell) if isinstance(cell, str) else cell for cell in row] for row in rows(final))
    return out.getvalue()
