# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Live progress: figures over the last seconds while a run is measured, and the lines that show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch, time_series
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    ERRORS,
    FPS,
    LATENCY,
    OFFERED,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import (
    MeasuredPlan,
    MeasuredReplica,
    Rule,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric_rules import Extractor
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import number
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Reading, Span

RECENT = 10.0
"""Live figures are over this many seconds up to the newest sample of their host."""
RETENTION = 3 * RECENT
QUIET = 10.0
"""Seconds between two lines of the same phase where the output is not a terminal."""
MEASURE = "measure"

_PHASES: Mapping[str, str] = {"warmup": "warm-up", MEASURE: "measure", "done": "measured", "lost": "given up"}


@dataclass(frozen=True)
class Stream:
    """A stream now: frames per second, what is asked of it (``None``: not told), and whether it tells anything."""

    name: str
    fps: float = 0.0
    asked: float | None = None
    alive: bool = False

    @property
    def share(self) -> float:
        """Done of what is asked; its frames per second where nothing tells what is asked."""
        return self.fps / self.asked if self.asked else self.fps


@dataclass(frozen=True)
class Figures:
    """All streams, latency percentiles in seconds, errors since the start; ``None``: not told."""

    streams: tuple[Stream, ...] = ()
    p50: float | None = None
    p99: float | None = None
    errors: float | None = None


@dataclass
class _Told:
    """What a replica told lately."""

    fps: list[Reading] = field(default_factory=list)
    counts_frames: bool = False
    asked: float | None = None
    latency: list[tuple[float, Sketch]] = field(default_factory=list)
    errors: float | None = None


class Live:
    """The latest values of the measured replicas, kept small."""

    def __init__(self, plan: MeasuredPlan) -> None:
        self._streams = tuple(replica for replica in plan.measured if replica.is_stream)
        self._rules = {r.name: Extractor(r.rules, r.container) for r in plan.measured if r.rules}
        self._told = {name: _Told() for name in self._rules}
        self._hosts = {replica.name: replica.host for replica in plan.measured}
        self._errors: float | None = None
        self._newest: dict[str, float] = {}
        self._lost: set[str] = set()

    def heard(self, host: str, answered: bool) -> None:
        """Whether the last collection from a host came: what its streams did before says nothing of now."""
        (self._lost.discard if answered else self._lost.add)(host)

    def feed(self, sample: Mapping[str, Any]) -> None:
        """Take one sample; only logs and scrapes of measured replicas tell something."""
        t = number(sample.get("t"))
        if t is None:
            return
        host, name = str(sample.get("host")), str(sample.get("replica"))
        self._newest[host] = max(t, self._newest.get(host, t))
        if name in self._rules:
            for rule, value in self._rules[name].read(sample):
                self._take(self._told[name], rule, t, value)

    def _take(self, told: _Told, rule: Rule, t: float, value: float | Sketch) -> None:
        if isinstance(value, Sketch):
            if rule.metric == LATENCY.name:
                told.latency = [entry for entry in (*told.latency, (t, value)) if entry[0] > t - RETENTION]
        elif rule.metric == FPS.name:
            told.counts_frames = rule.kind == "counter"
            told.fps = [reading for reading in (*told.fps, Reading(t, value)) if reading.t > t - RETENTION]
        elif rule.metric == OFFERED.name:
            told.asked = value
        elif rule.metric == ERRORS.name:
            grown = value
            if rule.kind == "counter":
                grown = max(0.0, value - told.errors) if told.errors is not None else 0.0
            told.errors = value
            self._errors = (self._errors or 0.0) + grown

    def figures(self) -> Figures:
        """The figures now. Percentiles are shown as they come: they tell of the moment, nothing is decided by them."""
        latency = [
            sketch
            for name, told in self._told.items()
            for t, sketch in told.latency
            if self._hosts[name] not in self._lost and self._recent(name).holds(t) and sketch.count
        ]
        streams = tuple(self._stream(replica) for replica in self._streams)
        if latency and len({sketch.relative_accuracy for sketch in latency}) == 1:
            merged = ddsketch.merge(latency)
            return Figures(streams, merged.quantile(0.5), merged.quantile(0.99), self._errors)
        return Figures(streams, errors=self._errors)

    def _recent(self, name: str) -> Span:
        newest = self._newest.get(self._hosts[name], 0.0)
        return Span(newest - RECENT, newest)

    def _stream(self, replica: MeasuredReplica) -> Stream:
        if replica.host in self._lost:
            return Stream(replica.name, asked=self._told[replica.name].asked)
        told, span = self._told[replica.name], self._recent(replica.name)
        points = time_series.rates(told.fps) if told.counts_frames else time_series.flow(told.fps)
        inside = [(point, point.share(span) * point.weight) for point in points]
        weight = sum(part for _point, part in inside)
        fps = sum(point.value * part for point, part in inside) / weight if weight > 0.0 else 0.0
        times = sorted(reading.t for reading in told.fps)
        alive = bool(times) and span.end - times[-1] <= time_series.allowed_gap(times)
        return Stream(replica.name, fps, told.asked, alive)


@dataclass(frozen=True)
class Standing:
    """Where the measurement stood at ``seen`` (unix seconds): as `windows.Progress`, with the windows' spans."""

    phase: str
    seen: float
    elapsed: float
    total: float
    windows: tuple[Span, ...] = ()


def line(standing: Standing, figures: Figures, now: float, columns: int | None = None) -> str:
    """One line of progress at ``now``: phase, elapsed and left, window, streams alive, frames per second, worst stream.

    What does not fit in ``columns`` is left out, from the end.
    """
    return _fitted(
        [_phase(standing, now), *_window(standing, now), *_streams(figures.streams), *_rest(figures)], columns
    )


def step_line(step: str, figures: Figures, columns: int | None = None) -> str:
    """The same of a step of a search for stream density."""
    return _fitted([step, *_streams(figures.streams), *_rest(figures)], columns)


def _fitted(parts: list[str], columns: int | None) -> str:
    while columns is not None and len(parts) > 1 and len(" | ".join(parts)) > columns:
        parts.pop()
    return " | ".join(parts)[:columns]


def _phase(standing: Standing, now: float) -> str:
    name = _PHASES.get(standing.phase, standing.phase)
    running = max(0.0, now - standing.seen) if standing.phase in ("warmup", MEASURE) else 0.0
    elapsed = min(standing.elapsed + running, standing.total)
    left = standing.total - elapsed
    most = "at most " if standing.phase == "warmup" else ""
    return f"{name:<8} {elapsed:3.0f} s" + (f", {most}{left:.0f} s left" if left > 0.0 else "")


def _window(standing: Standing, now: float) -> list[str]:
    if standing.phase != MEASURE or not standing.windows:
        return []
    begun = sum(1 for span in standing.windows if span.start <= now)
    return [f"window {max(1, begun)} of {len(standing.windows)}"]


def _streams(streams: Sequence[Stream]) -> list[str]:
    """Nothing where the profile has no streams."""
    if not streams:
        return []
    worst = min(streams, key=lambda stream: (stream.alive, stream.share))
    asked = "" if worst.asked is None else f" of {worst.asked:.1f}"
    told = f"{worst.fps:.1f}{asked} fps" if worst.alive else "silent"
    alive = sum(stream.alive for stream in streams)
    if not alive:
        return [f"0 of {len(streams)} streams"]
    return [
        f"{alive} of {len(streams)} streams",
        f"{sum(stream.fps for stream in streams):.1f} fps",
        f"worst {worst.name} {told}",
    ]


def _rest(figures: Figures) -> list[str]:
    latency = [
        f"{name} {value * 1000.0:.1f} ms" for name, value in (("p50", figures.p50), ("p99", figures.p99)) if value
    ]
    errors = [] if figures.errors is None else [f"errors {figures.errors:.0f}"]
    return ([f"latency {', '.join(latency)}"] if latency else []) + errors


class Pace:
    """Decides which lines are shown where there is no terminal: one a phase and one every `QUIET` seconds."""

    def __init__(self) -> None:
        self._phase: str | None = None
        self._shown_at = 0.0

    def due(self, phase: str, now: float) -> bool:
        """Whether a line of this phase is shown at ``now`` (unix seconds); a yes counts as shown."""
        if phase != self._phase or now - self._shown_at >= QUIET:
            self._phase, self._shown_at = phase, now
            return True
        return False
