# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Latency over throughput as the load grows: the curve's knee, and the last point where all objectives hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.figures import Figure
from ansible_collections.retail.profiles.plugins.plugin_utils.study import design
from ansible_collections.retail.profiles.plugins.plugin_utils.study.estimates import Estimate

LEAST_POINTS = 3
"""With fewer, a curve has no knee."""


class Measured(Protocol):
    """A combination with its estimates."""

    @property
    def number(self) -> int: ...
    @property
    def combination(self) -> Mapping[str, Any]: ...
    @property
    def estimates(self) -> Mapping[Figure, Estimate]: ...
    @property
    def held(self) -> bool | None: ...


@dataclass(frozen=True)
class Point:
    """A level of the load. ``held``: whether all objectives were met; None where there are none."""

    load: float
    throughput: Estimate
    latency: Estimate
    held: bool | None


@dataclass(frozen=True)
class LoadCurve:
    """The points by their load, of one combination of the other factors."""

    throughput: Figure
    latency: Figure
    others: Mapping[str, Any]
    points: tuple[Point, ...]

    @property
    def knee(self) -> Point | None:
        """Where throughput by latency is highest; None where that is at the last point, or there are too few.

        Before it more load brings more throughput than latency, behind it more latency than throughput (Kleinrock).
        """
        told = [one for one in self.points if one.latency.mean > 0.0]
        if len(told) < LEAST_POINTS:
            return None
        best = max(told, key=lambda one: one.throughput.mean / one.latency.mean)
        return best if best is not told[-1] else None

    @property
    def goodput(self) -> Point | None:
        """The last point where all objectives hold, and hold at all lower loads; None where there is none."""
        best = None
        for one in self.points:
            if not one.held:
                break
            best = one
        return best

    @property
    def has_objectives(self) -> bool:
        return any(one.held is not None for one in self.points)


def curves(load: str, names: tuple[Figure, Figure], rows: Sequence[Measured]) -> tuple[LoadCurve, ...]:
    """A curve for each combination of the other factors, of the points that tell both figures."""
    throughput, latency = names
    found: dict[str, tuple[Mapping[str, Any], list[Point]]] = {}
    for row in rows:
        others = {name: level for name, level in row.combination.items() if name != load}
        _others, points = found.setdefault(design.title(others), (others, []))
        if throughput in row.estimates and latency in row.estimates:
            level = float(row.combination[load])
            points.append(Point(level, row.estimates[throughput], row.estimates[latency], row.held))
    return tuple(
        LoadCurve(throughput, latency, others, tuple(sorted(points, key=lambda one: one.load)))
        for others, points in found.values()
        if points
    )
