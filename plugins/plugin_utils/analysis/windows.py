# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When to measure: detection of the steady state after a warm-up, then windows that are the same on every host.

Samples flow without a break, so a window may start where the warm-up was found to have ended, although that is a
few seconds ago: windows are cut from samples by wall clock.

Warm-up: throughput is averaged over blocks of 5 s. Growth of a block is its excess over the best block before it; its
fall is how far it lies below the lowest block since throughput first stood higher. The warm-up is over after two blocks
running with growth and fall below 1 %, every stream alive in both, and no backlog draining: no more done than is asked.
Measured against the best and the lowest so far, noise cannot hold it up: of k equally good blocks the last is a new
best with probability 1/k, and a new lowest as seldom. One lucky block cannot end it either, for it takes two. It ends
at ``warmup_max`` at the latest, and its reason is recorded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span

DEFAULTS = {"measure_warmup_max": 60.0, "measure_duration": 30.0, "measure_repeat": 1.0, "measure_interval": 1.0}
"""Of variables of the role ``retail.profiles.measure``, where no play sets them."""
BLOCK = 5.0
GROWTH = 0.01
BACKLOG = 2.0
"""Frames that a block may hold beyond those asked in it: one on its way at either end."""
SETTLE = 2.0
"""Seconds after a window's end that must have been seen of every host: log lines come up to a second late."""
PATIENCE = 15.0
"""Seconds after which hosts that have fallen silent are not waited for any more."""
LAST = 1.2
"""Seconds after a window's end when samplers are ended: lines of its last second have come then, and are read."""
AGAIN = 1.0
"""Seconds until a host whose last samples could not be had is asked again."""
MOST_ROUNDS = 80
"""Collections of a run: each is nested in the one before it, so that long windows have them further apart."""


def iso(t: float) -> str:
    """Unix seconds as UTC, ISO 8601 with milliseconds and ``Z``."""
    return datetime.fromtimestamp(t, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def unix(text: str) -> float:
    """The inverse of `iso`. Raises ValueError."""
    return datetime.fromisoformat(text).timestamp()


@dataclass(frozen=True)
class Window:
    """An interval in which samples count; the same on every host. ``phase`` is ``warmup`` or ``measure``."""

    phase: str
    span: Span
    reasons: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "phase": self.phase,
            "start": iso(self.span.start),
            "end": iso(self.span.end),
            "reasons": list(self.reasons),
        }


def window_of(data: Mapping[str, Any]) -> Window:
    """A window from its mapping. Raises KeyError or ValueError on what is none."""
    return Window(str(data["phase"]), Span(unix(data["start"]), unix(data["end"])), tuple(data.get("reasons") or ()))


@dataclass(frozen=True)
class WindowSettings:
    """How long to warm up at most, how long a measure window lasts, how many of them there are, and how long to wait
    between two collections (seconds)."""

    warmup_max: float
    duration: float
    repeat: int = 1
    poll: float = BLOCK

    @property
    def pause(self) -> float:
        """Seconds between two collections, so that they do not become too many."""
        return max(self.poll, AGAIN, (self.warmup_max + self.duration * self.repeat) / MOST_ROUNDS)


@dataclass(frozen=True)
class Block:
    """Mean throughput of one block, whether every stream was alive in it, and what was asked, where all tell it."""

    throughput: float
    alive: bool
    offered: float | None = None

    @property
    def draining(self) -> bool:
        """Whether more was done than was asked: a backlog of the time before."""
        if self.offered is None:
            return False
        excess = self.throughput - self.offered
        return excess > GROWTH * self.offered and excess * BLOCK > BACKLOG


@dataclass(frozen=True)
class Progress:
    """Where a measurement stands. ``next_poll``: seconds after which it is worth looking again.

    ``final``: the next collection is the last, which ends the samplers; ``ended``: they have ended, and all is here.
    """

    done: bool
    phase: str
    windows: tuple[Window, ...]
    next_poll: float
    message: str
    elapsed: float = 0.0
    total: float = 0.0
    final: bool = False
    ended: bool = False

    def as_dict(self) -> dict[str, Any]:
        return {
            "done": self.done,
            "phase": self.phase,
            "windows": [window.as_dict() for window in self.windows],
            "next_poll": round(self.next_poll, 3),
            "msg": self.message,
            "elapsed": round(self.elapsed, 3),
            "total": round(self.total, 3),
            "final": self.final,
            "ended": self.ended,
        }


def growth(blocks: Sequence[Block], index: int) -> float:
    """By how much a block exceeds the best one before it, as a ratio; infinite while there is nothing to compare."""
    best = max((block.throughput for block in blocks[:index]), default=0.0)
    return blocks[index].throughput / best - 1.0 if best > 0.0 else math.inf


def fall(blocks: Sequence[Block], index: int) -> float:
    """How far a block lies below the lowest one since throughput first stood higher, as a ratio; else 0."""
    value = blocks[index].throughput
    higher = next((i for i in range(index) if blocks[i].throughput > value), None)
    if higher is None:
        return 0.0
    return max(0.0, 1.0 - value / min(block.throughput for block in blocks[higher:index]))


def _change(blocks: Sequence[Block], index: int) -> float:
    """Growth of a block, or its fall as a negative ratio."""
    more = growth(blocks, index)
    return more if more > 0.0 else 0.0 - fall(blocks, index)


def steady_at(blocks: Sequence[Block]) -> int | None:
    """The index of the block with which the warm-up is over, or ``None``."""

    def flat(index: int) -> bool:
        block = blocks[index]
        running = block.alive and block.throughput > 0.0 and not block.draining
        return running and abs(_change(blocks, index)) < GROWTH

    return next((index for index in range(2, len(blocks)) if flat(index - 1) and flat(index)), None)


def _warmup(
    started: float, now: float, horizon: float, settings: WindowSettings, block: Callable[[Span], Block]
) -> tuple[Window | None, str]:
    """The warm-up window once it is over, and a word on where it stands."""
    limit = started + settings.warmup_max
    blocks: list[Block] = []
    while started + (len(blocks) + 1) * BLOCK <= min(limit, horizon - SETTLE / 2):
        begin = started + len(blocks) * BLOCK
        blocks.append(block(Span(begin, begin + BLOCK)))
    index = steady_at(blocks)
    if index is not None:
        found = f"steady after {(index + 1) * BLOCK:.0f} s: change {_change(blocks, index):+.1%}, below {GROWTH:.0%}"
        return Window("warmup", Span(started, started + (index + 1) * BLOCK), (found,)), found
    state = _unsteady(blocks)
    if horizon >= limit + SETTLE / 2 or now >= limit + PATIENCE:
        found = f"ended at its maximum of {settings.warmup_max:g} s: {state}"
        return Window("warmup", Span(started, limit), (found,)), found
    return None, state


def _unsteady(blocks: Sequence[Block]) -> str:
    if len(blocks) < 3:
        return f"{len(blocks)} of at least 3 blocks of {BLOCK:.0f} s seen"
    if not (blocks[-1].alive and blocks[-2].alive):
        return "not every stream is alive"
    if blocks[-1].throughput <= 0.0:
        return "no throughput"
    draining = next((block for block in (blocks[-1], blocks[-2]) if block.draining), None)
    if draining is not None:
        return f"a backlog drains: {draining.throughput:.1f} done where {draining.offered:.1f} a second were asked"
    largest = max((_change(blocks, len(blocks) - 1), _change(blocks, len(blocks) - 2)), key=abs)
    return f"throughput still {'grows' if largest > 0.0 else 'falls'}, {largest:+.1%} in a block of {BLOCK:.0f} s"


def advance(
    *,
    known: Sequence[Window],
    started: float,
    now: float,
    horizon: float,
    settings: WindowSettings,
    block: Callable[[Span], Block],
    lost: str | None = None,
    ended: bool = False,
) -> Progress:
    """Where the measurement stands at ``now``. Windows once decided (``known``) stay as they are.

    ``started``: when every sampler ran; ``horizon``: up to when samples of every host have come (-inf for none);
    ``block``: throughput of an interval; ``lost``: why it is of no use to go on; ``ended``: every sampler has ended,
    and all that it wrote has come. Times are unix seconds.
    """
    first = math.ceil(started * 10.0) / 10.0
    windows = tuple(known)
    if not any(window.phase == "measure" for window in windows):
        if lost is not None:
            over = Window("warmup", Span(first, max(first, now)), (f"given up: {lost}",))
            return Progress(True, "lost", (over,), 0.0, lost, ended=ended)
        warmup, state = (None, "") if settings.warmup_max <= 0 else _warmup(first, now, horizon, settings, block)
        if warmup is None and settings.warmup_max > 0:
            elapsed = max(0.0, now - first)
            wait = BLOCK - elapsed % BLOCK + SETTLE / 2
            wait += BLOCK * (math.ceil(settings.pause / BLOCK) - 1)
            message = f"warm-up, {elapsed:.0f} of at most {settings.warmup_max:.0f} s: {state}"
            return Progress(False, "warmup", (), wait, message, elapsed, settings.warmup_max)
        begin = warmup.span.end if warmup is not None else first
        spans = [begin + settings.duration * index for index in range(settings.repeat + 1)]
        measure = tuple(Window("measure", Span(a, b)) for a, b in zip(spans, spans[1:], strict=False))
        windows = measure if warmup is None else (warmup, *measure)
    if lost is not None:
        return Progress(True, "lost", windows, 0.0, lost, ended=ended)
    end = windows[-1].span.end
    begin = next(window.span.start for window in windows if window.phase == "measure")
    total = end - begin
    if ended or horizon >= end + SETTLE:
        return Progress(True, "done", windows, 0.0, f"measured {total:.0f} s", total, total, ended=ended)
    if now >= end + PATIENCE:
        message = f"measured {total:.0f} s; not every host's samples have come"
        return Progress(True, "done", windows, 0.0, message, total, total)
    elapsed = min(max(0.0, now - begin), total)
    wait, final = _pause(end + LAST - now, settings.pause)
    message = f"measuring, {elapsed:.0f} of {total:.0f} s"
    return Progress(False, "measure", windows, wait, message, elapsed, total, final)


def _pause(left: float, pause: float) -> tuple[float, bool]:
    """How long to wait until the next collection, and whether it is the last: ``left`` seconds remain until that.

    They are spread evenly over what is left: what a host answers late because it collects just before a window's end
    would be missing of the window.
    """
    if left <= 0.0:
        return AGAIN, True
    rounds = max(1, int(left // pause))
    return left / rounds, rounds == 1
