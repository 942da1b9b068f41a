# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of a machine that shares its capacity among streams, the search on it, and upstream's climb beside it.

Second by second: capacity with AR(1) noise (rho 0.9 a second, 2 %), dips of 12 % for 15 s every 10 minutes, a warm-up
of -40 % exp(-t / 2 s) after each change, and sources of at most 60 frames per second.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field, replace
from random import Random

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import BLOCK
from ansible_collections.retail.profiles.plugins.plugin_utils.density import search, sequential_test
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Settings, Step, Window

TARGET, TOLERANCE = 14.95, 0.05
LIMIT = TARGET * (1.0 - TOLERANCE)
SOURCE = 60.0
RHO, SIGMA = 0.9, 0.02
DIP, DIP_SECONDS, DIP_EVERY = 0.12, 15.0, 600.0
WARMUP_LOSS, WARMUP_SECONDS = 0.4, 2.0
WINDOW = 10
MOST_WARMUP = 30
START_SECONDS = 5
"""What starting or stopping the difference in streams takes."""


@dataclass
class Machine:
    """``capacity``: in streams at the limit, so that its whole part is the truth."""

    capacity: float
    random: Random
    now: float = 0.0
    changed: float = 0.0
    streams: int = 0
    _noise: float = 0.0
    _phase: float = field(init=False)

    def __post_init__(self) -> None:
        self._phase = self.random.uniform(0.0, DIP_EVERY)
        self._noise = self.random.gauss(0.0, SIGMA)

    def go(self, streams: int, seconds: float) -> None:
        """Change the number of streams, which takes a while."""
        for _dummy in range(round(seconds)):
            self.second()
        self.streams, self.changed = streams, self.now

    def second(self) -> float:
        """Let a second pass; the frame rate of each stream in it."""
        self.now += 1.0
        self._noise = RHO * self._noise + self.random.gauss(0.0, SIGMA * math.sqrt(1.0 - RHO**2))
        dip = DIP if (self.now + self._phase) % DIP_EVERY < DIP_SECONDS else 0.0
        warmup = WARMUP_LOSS * math.exp(-(self.now - self.changed) / WARMUP_SECONDS)
        if not self.streams:
            return 0.0
        share = self.capacity * LIMIT * (1.0 + self._noise) * (1.0 - dip) / self.streams
        return min(SOURCE, share) * (1.0 - warmup)


@dataclass(frozen=True)
class Found:
    streams: int
    seconds: float
    ending: str | None
    steps: tuple[Step, ...] = ()


def _warmed_up(machine: Machine, steps: list[Step]) -> list[float]:
    """Wait until a step is steady; the frame rates of the seconds that count already."""
    rates: list[float] = []
    blocks: list[float] = []
    while len(rates) < MOST_WARMUP:
        rates += [machine.second() for _dummy in range(int(BLOCK))]
        blocks.append(statistics.fmean(rates[-int(BLOCK) :]))
        start = sequential_test.steady_from(blocks, search.noise_of(steps))
        if start is not None:
            return rates[start * int(BLOCK) :]
    return []


def _window(machine: Machine, rates: list[float]) -> Window:
    rate = statistics.fmean([*rates, *(machine.second() for _dummy in range(WINDOW - len(rates)))])
    return Window(rate / LIMIT - 1.0, rate / LIMIT - 1.0, rate * machine.streams / LIMIT)


def searched(capacity: float, random: Random, settings: Settings | None = None) -> Found:
    """Our search, confirmation included."""
    settings = settings or Settings()
    machine = Machine(capacity, random)
    steps: list[Step] = []
    rates: list[float] = []
    while True:
        action = search.next_action(steps, settings)
        if action.kind == "end":
            return Found(search.bracket(steps).passed, machine.now, action.ending, tuple(steps))
        begun = machine.now
        if action.kind == "go":
            if action.streams != machine.streams:
                machine.go(action.streams, START_SECONDS)
                rates = _warmed_up(machine, steps)
            steps.append(Step(action.streams, action.hold))
        step = replace(steps[-1], windows=(*steps[-1].windows, _window(machine, rates)))
        rates = []
        steps[-1] = replace(step, seconds=step.seconds + machine.now - begun)
        steps[-1] = replace(steps[-1], outcome=search.judged(steps, settings))


CLIMB_STEP = 55
"""Seconds of one of its steps; real ones take longer."""


def climbed(capacity: float, random: Random) -> Found:
    """Upstream's climb: one pass goes up by one, two fails in a row go down; two passes there end it."""
    machine = Machine(capacity, random)
    streams, fails, passes, down = 1, 0, 0, False
    while streams > 0:
        machine.go(streams, 0)
        # It averages its whole log; most of the 55 s is waiting, and its warm-up is inside.
        rate = statistics.fmean(machine.second() for _dummy in range(CLIMB_STEP))
        if rate >= LIMIT:
            fails, passes = 0, passes + 1
            if not down:
                streams, passes = streams + 1, 0
            elif passes == 2:
                return Found(streams, machine.now, "found")
        else:
            passes, fails = 0, fails + 1
            if fails == 2:
                streams, fails, down = streams - 1, 0, True
    return Found(0, machine.now, "not even one")


@dataclass(frozen=True)
class Comparison:
    """``right``: share of answers within max(1, 2 %) of the truth; ``over``: above the capacity by more than 2 %.

    ``time_vs_linear``: seconds to the answer, as a part of the climb's.
    """

    truth: int
    right: float
    over: float
    time_vs_linear: float
    seconds: float
    climb_seconds: float


def compared(truth: int, runs: int, climbs: int, seed: str = "density") -> Comparison:
    """The search and the climb on machines that carry ``truth`` streams and a part of one more."""
    capacities = [truth + Random(f"{seed} {truth} {run}").random() for run in range(runs)]
    found = [searched(capacity, Random(f"{seed} {run}")) for run, capacity in enumerate(capacities)]
    climb = statistics.fmean(
        climbed(capacities[run], Random(f"{seed} climb {run}")).seconds for run in range(min(climbs, runs))
    )
    seconds = statistics.fmean(one.seconds for one in found)
    return Comparison(
        truth=truth,
        right=statistics.fmean(abs(one.streams - truth) <= max(1.0, 0.02 * truth) for one in found),
        over=statistics.fmean(one.streams > 1.02 * capacity for one, capacity in zip(found, capacities, strict=True)),
        time_vs_linear=seconds / climb,
        seconds=seconds,
        climb_seconds=climb,
    )
