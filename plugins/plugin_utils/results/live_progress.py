# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Live progress: figures over the last seconds while a run is measured, and the lines that show them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch, time_series
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import ERRORS, FPS, LATENCY
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan, Rule
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric_rules import Extractor
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import number
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Reading, Span

RECENT = 10.0
"""Live figures are over this many seconds up to the newest value."""
RETENTION = 3 * RECENT
QUIET = 10.0
"""Seconds between two lines of the same phase where the output is not a terminal."""
BAR = 20

_PHASES: Mapping[str, str] = {"warmup": "warm-up", "measure": "measure", "done": "measured", "lost": "given up"}


@dataclass(frozen=True)
class Figures:
    """Frames per second of all streams, latency percentiles in seconds, errors since the start; ``None``: not told."""

    fps: float | None = None
    p50: float | None = None
    p99: float | None = None
    errors: float | None = None


class Live:
    """The latest values of the measured replicas, kept small."""

    def __init__(self, plan: MeasuredPlan) -> None:
        self._rules = {r.name: Extractor(r.rules, r.container) for r in plan.measured if r.rules}
        self._fps: dict[str, list[Reading]] = {}
        self._counts_frames: set[str] = set()
        self._latency: dict[str, list[tuple[float, Sketch]]] = {}
        self._last_errors: dict[str, float] = {}
        self._errors: float | None = None
        self._newest = 0.0

    def feed(self, sample: Mapping[str, Any]) -> None:
        """Take one sample; only logs and scrapes of measured replicas tell something."""
        name = str(sample.get("replica"))
        extractor = self._rules.get(name)
        t = number(sample.get("t"))
        if extractor is None or t is None:
            return
        for rule, value in extractor.read(sample):
            self._newest = max(self._newest, t)
            self._take(name, rule, t, value)

    def _take(self, name: str, rule: Rule, t: float, value: float | Sketch) -> None:
        if isinstance(value, Sketch):
            if rule.metric == LATENCY.name:
                kept = [*self._latency.get(name, []), (t, value)]
                self._latency[name] = [entry for entry in kept if entry[0] > t - RETENTION]
        elif rule.metric == FPS.name:
            if rule.kind == "counter":
                self._counts_frames.add(name)
            kept_fps = [*self._fps.get(name, []), Reading(t, value)]
            self._fps[name] = [reading for reading in kept_fps if reading.t > t - RETENTION]
        elif rule.metric == ERRORS.name:
            before = self._last_errors.get(name)
            grown = value
            if rule.kind == "counter":
                grown = max(0.0, value - before) if before is not None else 0.0
            self._last_errors[name] = value
            self._errors = (self._errors or 0.0) + grown

    def figures(self) -> Figures:
        """The figures now. Percentiles are shown as they come: they tell of the moment, nothing is decided by them."""
        span = Span(self._newest - RECENT, self._newest)
        fps: float | None = None
        for name, readings in self._fps.items():
            points = time_series.rates(readings) if name in self._counts_frames else time_series.flow(readings)
            inside = [(point, point.share(span) * point.weight) for point in points]
            weight = sum(part for _dummy, part in inside)
            if weight > 0.0:
                fps = (fps or 0.0) + sum(point.value * part for point, part in inside) / weight
        told = [sketch for entries in self._latency.values() for t, sketch in entries if span.holds(t) and sketch.count]
        if told and len({sketch.relative_accuracy for sketch in told}) == 1:
            merged = ddsketch.merge(told)
            return Figures(fps, merged.quantile(0.5), merged.quantile(0.99), self._errors)
        return Figures(fps, errors=self._errors)


def _shown(value: float | None, text: str) -> str:
    return "-" if value is None else text.format(value)


def _milliseconds(value: float | None) -> float | None:
    return None if value is None else value * 1000.0


def line(phase: str, elapsed: float, total: float, figures: Figures, *, bar: bool) -> str:
    """One line of progress: phase, elapsed of total, and the figures; with a bar for a terminal."""
    share = min(1.0, elapsed / total) if total > 0.0 else 0.0
    drawn = f"[{'#' * round(share * BAR):<{BAR}}] " if bar else ""
    median, tail = (_shown(_milliseconds(value), "{:.1f} ms") for value in (figures.p50, figures.p99))
    return (
        f"{_PHASES.get(phase, phase):<8} {drawn}{elapsed:3.0f}/{total:.0f} s"
        f" | fps {_shown(figures.fps, '{:.1f}')} | latency p50 {median}, p99 {tail}"
        f" | errors {_shown(figures.errors, '{:.0f}')}"
    )


class Pace:
    """Decides which progress lines are shown: all on a terminal, else one a phase and one every `QUIET` seconds."""

    def __init__(self, terminal: bool) -> None:
        self._terminal = terminal
        self._phase: str | None = None
        self._shown_at = 0.0

    def due(self, phase: str, now: float) -> bool:
        """Whether a line of this phase is shown at ``now`` (unix seconds); a yes counts as shown."""
        if self._terminal or phase != self._phase or now - self._shown_at >= QUIET:
            self._phase, self._shown_at = phase, now
            return True
        return False
