# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arithmetic of docs/results.md with numpy, apart from the collection's: points of a series, and their figures."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

NEEDED = {"p50": 11, "p95": 130, "p99": 662}
QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
Spans = Sequence[tuple[float, float]]
Figures = dict[str, float | None]
Read = tuple[float, float, str]
"""Time, value, and the life of what was read."""


@dataclass
class Series:
    """``points``: rows of start, end, value, weight. ``raw``: times and values as they were read."""

    kind: str
    points: np.ndarray = field(default_factory=lambda: np.empty((0, 4)))
    raw: list[tuple[float, float]] = field(default_factory=list)
    sketches: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        return not len(self.points) and not self.sketches


def rates(read: Iterable[Read]) -> np.ndarray:
    """Per-second growth between readings of one life, where it is not negative."""
    rows = []
    ordered = sorted(read, key=lambda item: item[0])
    for (t0, v0, life0), (t1, v1, life1) in zip(ordered, ordered[1:], strict=False):
        if t1 > t0 and life0 == life1 and v1 >= v0:
            rows.append((t0, t1, (v1 - v0) / (t1 - t0), t1 - t0))
    return np.array(rows).reshape(-1, 4)


def quotients(above: list[Read], below: list[Read], scale: float) -> np.ndarray:
    per = {t: value for t, value, _life in below}
    rows = []
    ordered = sorted(above, key=lambda item: item[0])
    for (t0, v0, life0), (t1, v1, life1) in zip(ordered, ordered[1:], strict=False):
        if t1 > t0 and life0 == life1 and t0 in per and t1 in per and per[t1] > per[t0] and v1 >= v0:
            grown = per[t1] - per[t0]
            rows.append((t0, t1, (v1 - v0) * scale / grown, grown))
    return np.array(rows).reshape(-1, 4)


def left_over(whole: np.ndarray, parts: Sequence[np.ndarray]) -> np.ndarray:
    """Rates less those of the parts in the same time, never below zero; none where a part has a gap of half the time.

    A part takes nothing before its first and after its last point.
    """
    rows = []
    for start, end, value, weight in whole:
        taken = []
        for part in parts:
            first, last = (part[0, 0], part[-1, 1]) if len(part) else (end, start)
            inside = min(end, last) - max(start, first)
            if inside <= 0.0:
                continue
            overlap = np.clip(np.minimum(part[:, 1], end) - np.maximum(part[:, 0], start), 0.0, None)
            known = overlap.sum() > inside / 2.0
            taken.append(overlap @ part[:, 2] / overlap.sum() * inside / (end - start) if known else math.nan)
        if not any(map(math.isnan, taken)):
            rows.append((start, end, max(0.0, value - math.fsum(taken)), weight))
    return np.array(rows).reshape(-1, 4)


def gauges(read: Iterable[Read]) -> np.ndarray:
    rows = [(t, t, value, 1.0) for t, value, _life in sorted(read, key=lambda item: item[0])]
    return np.array(rows).reshape(-1, 4)


def flow(read: Iterable[Read]) -> np.ndarray:
    ordered = sorted(read, key=lambda item: item[0])
    steps = sorted(b[0] - a[0] for a, b in zip(ordered, ordered[1:], strict=False) if b[0] > a[0])
    usual = steps[len(steps) // 2] if steps else 1.0
    longest = max(5.0, 3.0 * usual)
    rows = []
    for index, (t, value, life) in enumerate(ordered):
        before = ordered[index - 1] if index else None
        joined = before is not None and before[2] == life and before[0] < t
        start = max(before[0], t - longest) if before is not None and joined else t - usual
        rows.append((start, t, value, t - start))
    return np.array(rows).reshape(-1, 4)


def shares(points: np.ndarray, spans: Spans) -> np.ndarray:
    """How much of each point lies in the spans."""
    start, end = points[:, 0], points[:, 1]
    found = np.zeros(len(points))
    for low, high in spans:
        long = end > start
        overlap = np.clip(np.minimum(end, high) - np.maximum(start, low), 0.0, None)
        found += np.where(long, overlap / np.where(long, end - start, 1.0), (low < end) & (end <= high))
    return found


def quantile(values: np.ndarray, name: str) -> float | None:
    return float(np.quantile(values, QUANTILES[name])) if len(values) >= NEEDED[name] else None


def merged(sketches: list[dict[str, Any]]) -> dict[str, Any] | None:
    kept = [sketch for sketch in sketches if sketch["count"]]
    if not kept:
        return None
    bins: Counter[int] = Counter()
    for sketch in kept:
        bins.update({int(index): count for index, count in sketch["bins"].items()})
    return {
        "relative_accuracy": kept[0]["relative_accuracy"],
        "count": sum(sketch["count"] for sketch in kept),
        "sum": math.fsum(sketch["sum"] for sketch in kept),
        "min": min(sketch["min"] for sketch in kept),
        "max": max(sketch["max"] for sketch in kept),
        "zero_count": sum(sketch.get("zero_count", 0) for sketch in kept),
        "bins": bins,
    }


def of_sketch(sketch: dict[str, Any] | None, p: float) -> float | None:
    """The value of the bin in which the rank lies, within the extremes."""
    if sketch is None:
        return None
    gamma = (1.0 + sketch["relative_accuracy"]) / (1.0 - sketch["relative_accuracy"])
    rank = p * (sketch["count"] - 1)
    indices = np.array(sorted(sketch["bins"]))
    counted = sketch["zero_count"] + np.cumsum([sketch["bins"][int(index)] for index in indices])
    if rank < sketch["zero_count"]:
        return 0.0
    place = int(np.searchsorted(counted, rank, side="right"))
    value = 2.0 * gamma ** float(indices[place]) / (gamma + 1.0)
    return float(np.clip(value, sketch["min"], sketch["max"]))


def figures(series: Series, spans: Spans) -> Figures | None:
    """The figures of a series over spans taken together."""
    if series.kind == "sketch":
        inside = [sketch for t, sketch in series.sketches if any(low < t <= high for low, high in spans)]
        if not inside:
            return None
        whole = merged(inside)
        count = whole["count"] if whole else 0
        told: Figures = {name: of_sketch(whole, p) if count >= NEEDED[name] else None for name, p in QUANTILES.items()}
        return {
            **told,
            "n": count,
            "mean": whole["sum"] / count if whole else None,
            "min": whole["min"] if whole else None,
            "max": whole["max"] if whole else None,
        }
    if not len(series.points):
        return None
    part = shares(series.points, spans)
    if not (part > 0.0).any():
        return None
    kept, weight = series.points[part > 0.0], part[part > 0.0] * series.points[part > 0.0][:, 3]
    middle = (kept[:, 0] + kept[:, 1]) / 2.0
    inside_rows = np.zeros(len(kept), dtype=bool)
    for low, high in spans:
        inside_rows |= (low < middle) & (middle <= high)
    values = kept[inside_rows, 2] if inside_rows.any() else kept[:, 2]
    amount = math.fsum(kept[:, 2] * weight)
    mean = amount / math.fsum(weight)
    if series.kind == "average":
        return {"n": round(math.fsum(weight)), "mean": mean}
    if series.kind == "flow":
        mean = amount / math.fsum(high - low for low, high in spans)
    found: Figures = {
        "n": len(values),
        "mean": mean,
        **{name: quantile(values, name) for name in QUANTILES},
        "min": float(values.min()),
        "max": float(values.max()),
    }
    if series.kind in ("counter", "rate"):
        found["total"] = amount
    return found


def grid(streams: Sequence[Series], span: tuple[float, float]) -> np.ndarray:
    """The sum of streams second by second."""
    cells = max(1, math.floor(span[1] - span[0] + 1e-9))
    low = span[0] + np.arange(cells)
    sums = np.zeros(cells)
    for series in streams:
        for start, end, value, _weight in series.points:
            sums += value * np.clip(np.minimum(end, low + 1.0) - np.maximum(start, low), 0.0, None)
    return sums
