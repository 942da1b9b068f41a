# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""OpenMetrics exposition, ``metrics.prom``: the time series of a run as text, with times.

Counters that containers log stay counters (``_total``); everything else is a gauge, rates included. Percentiles of a
sketch carry the label ``quantile``. Within a label set times ascend, as the format asks.

Hand-written because prometheus_client exposes a registry as it is now, not time series.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import PERCENTILES
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import Run

PREFIX = "retail_profiles"
_RESERVED = ("_total", "_created", "_count", "_sum", "_bucket", "_info", "_gcount", "_gsum")

Labels = tuple[tuple[str, str], ...]
Sample = tuple[str, Labels, float, float]
"""Suffix of the name, labels, value, time in unix seconds."""


def _name(text: str) -> str:
    name = re.sub(r"[^a-zA-Z0-9_]", "_", text)
    for ending in _RESERVED:
        # The format gives these endings a meaning of their own.
        name = name.removesuffix(ending) or "value"
    return name


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _line(name: str, labels: Labels, value: float, t: float | None) -> str:
    inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
    stamp = "" if t is None else f" {t:.3f}"
    return f"{name}{{{inside}}} {value!r}{stamp}"


def _ascending(samples: Iterable[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Value and time, without what does not come later than the one before it, to the millisecond."""
    last = None
    for t, value in samples:
        stamp = round(t, 3)
        if last is None or stamp > last:
            last = stamp
            yield stamp, value


def _samples(series: Series, labels: Labels) -> Iterator[Sample]:
    if series.kind == "sketch":
        for quantile in PERCENTILES.values():
            told = [(t, value) for t, one in series.sketches if (value := one.quantile(quantile)) is not None]
            for t, value in _ascending(told):
                yield "", (*labels, ("quantile", f"{quantile:g}")), value, t
    elif series.kind == "counter":
        for t, value in _ascending((reading.t, reading.value) for reading in sorted(series.raw, key=lambda r: r.t)):
            yield "_total", labels, value, t
    else:
        for t, value in _ascending((point.end, point.value) for point in series.points):
            yield "", labels, value, t


def _families(run: Run) -> dict[tuple[str, str], list[Sample]]:
    """Samples by (family, type). Hosts and containers have families of their own."""
    found: dict[tuple[str, str], list[Sample]] = {}

    def add(family: str, series: Series, labels: Labels) -> None:
        kind = "counter" if series.kind == "counter" else "gauge"
        found.setdefault((family, kind), []).extend(_samples(series, labels))

    for replica in run.plan.replicas:
        labels = (("host", replica.host), ("container", replica.container), ("replica", replica.name))
        for name, series in sorted(run.seen.replicas[replica.name].items()):
            add(f"{PREFIX}_{_name(name)}", series, labels)
    for host in run.plan.hosts:
        for name, series in sorted(run.seen.hosts[host].items()):
            add(f"{PREFIX}_host_{_name(name)}", series, (("host", host),))
    return found


def text(final: Mapping[str, Any], run: Run) -> str:
    """The whole file. The run's identity is in ``retail_profiles_run_info``."""
    identity = tuple((key, str(final[key])) for key in ("run_id", "plan_id", "profile", "deployment", "verdict"))
    lines = [f"# TYPE {PREFIX}_run info", _line(f"{PREFIX}_run_info", identity, 1.0, None)]
    used: set[str] = {f"{PREFIX}_run"}
    for (family, kind), samples in sorted(_families(run).items()):
        # Two rules may have given one name different kinds: each kind needs a name of its own.
        name = family if family not in used else f"{family}_{kind}"
        used.add(name)
        if samples:
            lines.append(f"# TYPE {name} {kind}")
            lines.extend(_line(f"{name}{suffix}", labels, value, t) for suffix, labels, value, t in samples)
    return "\n".join([*lines, "# EOF", ""])
