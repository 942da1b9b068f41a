# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for stream density: the most streams that hold their objectives. A pure state machine.

What was seen goes in, what to do next comes out: `next_action` is a function of the steps alone, so that a search that
was interrupted goes on from its steps. The number of streams is doubled, or raised to what the throughput seen
carries, until a step fails or throughput no longer grows; then what the saturated throughput carries is tried, and
what lies beside it. A hold confirms the answer, an interval [last pass, first fail).
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from ansible_collections.retail.profiles.plugins.plugin_utils.density import sequential_test

Ending = Literal["found", "not even one", "limited by the clients", "guard", "no data", "failed", "bounds"]
Limit = Literal["", "clients", "guard"]
WORST = -0.03
"""The margin that no stream of a step may fall below."""
ODD = 0.02
"""A step that does so much worse than the throughput of other steps promises is watched for longer: something else may
have taken the machine."""
SATURATED = 0.95
"""Streams that do less than this part of what fewer of them did share what there is."""
ENDINGS: dict[Limit, Ending] = {"": "found", "clients": "limited by the clients", "guard": "guard"}
"""How a search ends by what kept its first failure from passing."""


@dataclass(frozen=True)
class Window:
    """What one window of a step says.

    ``margin``: of the objective that is furthest from its limit, over all streams; ``worst``: of the stream that is
    furthest from it. ``throughput``: of all streams together, as a multiple of what the objective asks of one stream;
    ``None`` where no objective bounds a throughput.
    """

    margin: float
    worst: float
    throughput: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How a step ended. ``limit``: what kept it from passing, where that was not the set-up that is looked at.

    ``ending``: that the whole search ends with it, and how.
    """

    passed: bool
    reason: str
    marginal: bool = False
    limit: Limit = ""
    ending: Ending | None = None


@dataclass(frozen=True)
class Step:
    """A number of streams and what was seen of it; no ``outcome`` while it is watched. A ``hold`` confirms.

    ``seconds``: what it took, with starting streams and warm-up.
    """

    streams: int
    hold: bool = False
    windows: tuple[Window, ...] = ()
    outcome: Outcome | None = None
    seconds: float = 0.0

    @property
    def margins(self) -> list[float]:
        return [window.margin for window in self.windows]

    @property
    def worst(self) -> float:
        """The mean over windows of each window's worst stream: a stream is slow that is slow all the time."""
        return statistics.fmean(window.worst for window in self.windows)

    @property
    def throughput(self) -> float | None:
        told = [window.throughput for window in self.windows if window.throughput is not None]
        return statistics.median(told) if told else None


@dataclass(frozen=True)
class Settings:
    """Bounds of a search. ``resolution``: the width of the answer's interval, as a part of it; at least one stream."""

    least: int = 1
    most: int = 4096
    most_steps: int = 40
    most_seconds: float = 7200.0
    resolution: float = 0.01
    hold_windows: int = 6


@dataclass(frozen=True)
class Action:
    """What to do: go to a number of ``streams`` (or stay there), ``watch`` one more window, or end."""

    kind: Literal["go", "watch", "end"]
    reason: str
    streams: int = 0
    hold: bool = False
    ending: Ending | None = None


@dataclass(frozen=True)
class Bracket:
    """What is known: the most streams that passed, the fewest that failed above (``None``: none), and why these did.

    ``carried``: how many streams the throughput seen carries; ``saturated``: whether it was at its limit. Of steps that
    contradict each other the later one counts.
    """

    passed: int
    failed: int | None
    limit: Limit
    carried: int | None
    saturated: bool
    confirmed: bool


def noise_of(steps: Sequence[Step]) -> sequential_test.Noise:
    """The noise of all windows seen."""
    return sequential_test.noise([step.margins for step in steps])


def judged(steps: Sequence[Step], settings: Settings) -> Outcome | None:
    """How the last step ends by its windows, in the light of those before it; None while it is to be watched on."""
    *before, step = steps
    if not step.windows:
        return None
    known = noise_of(steps)
    told_apart = sequential_test.delta(step.streams)
    mean = statistics.fmean(sequential_test.undisturbed(step.margins, known.deviation))
    carried, saturated = _carried(before)
    promised = carried / step.streams - 1.0 if saturated and carried is not None else mean
    odd = mean < promised - max(ODD, 1.5 * known.deviation)
    if step.hold:
        decided = sequential_test.decide_hold(step.margins, known, told_apart, settings.hold_windows, odd)
    else:
        decided = sequential_test.decide(step.margins, known, told_apart, odd)
    said = _said(step, mean)
    if decided == "pass" and step.worst < WORST:
        slow = f"{said}, but the worst stream is at {step.worst:+.1%}"
        return Outcome(False, slow) if len(step.windows) >= sequential_test.LEAST_TO_FAIL else None
    if decided == "go on":
        return None
    return Outcome(decided == "pass", said, sequential_test.is_marginal(step.margins, known, told_apart))


def _said(step: Step, mean: float) -> str:
    count = len(step.windows)
    return f"margin {mean:+.1%} in {count} window{'s' if count > 1 else ''}"


def bracket(steps: Sequence[Step]) -> Bracket:
    """What the ended steps say together."""
    passed: set[int] = set()
    failed: dict[int, Limit] = {}
    confirmed: set[int] = set()
    for step in steps:
        if step.outcome is None:
            continue
        if step.outcome.passed:
            failed = {streams: limit for streams, limit in failed.items() if streams > step.streams}
            passed.add(step.streams)
            if step.hold:
                confirmed.add(step.streams)
        else:
            passed = {streams for streams in passed if streams < step.streams}
            failed[step.streams] = step.outcome.limit
    carried, saturated = _carried(steps)
    most, fewest = max(passed, default=0), min(failed, default=None)
    limit: Limit = "" if fewest is None else failed[fewest]
    return Bracket(most, fewest, limit, carried, saturated, most in confirmed)


def _carried(steps: Sequence[Step]) -> tuple[int | None, bool]:
    """How many streams the throughput seen carries, and whether throughput was at its limit."""
    told = [(step.streams, step.throughput, len(step.windows)) for step in steps if step.throughput is not None]
    if not told:
        return None, False
    fastest = max(throughput / streams for streams, throughput, _n in told)
    limited = [(t, n) for streams, t, n in told if t / streams < SATURATED * fastest or t / streams < 1.0]
    if limited:
        weight = sum(n for _t, n in limited)
        return math.floor(sum(t * n for t, n in limited) / weight), True
    return math.floor(max(throughput for _s, throughput, _n in told)), False


def _width(streams: int, resolution: float) -> int:
    return max(1, math.floor(resolution * streams))


def _above(seen: Bracket, settings: Settings) -> tuple[int, str]:
    """What to try while nothing has failed."""
    if not seen.passed:
        return settings.least, "the fewest"
    doubled = 2 * seen.passed
    if seen.carried is None:
        return doubled, "doubled"
    if seen.saturated:
        wanted = max(seen.carried, seen.passed + _width(seen.passed, settings.resolution))
        return wanted, f"throughput is at its limit and carries {seen.carried}"
    return max(doubled, seen.carried), f"the throughput seen carries {max(doubled, seen.carried)} or more"


def _between(seen: Bracket, failed: int, settings: Settings) -> tuple[int, str]:
    """What to try between a pass and a failure."""
    width = _width(seen.passed, settings.resolution)
    if not seen.saturated or seen.carried is None or not seen.passed:
        return (seen.passed + failed) // 2, f"between {seen.passed} and {failed}"
    if seen.passed < seen.carried < failed:
        return seen.carried, f"the throughput seen carries {seen.carried}"
    if seen.carried <= seen.passed:
        return min(seen.passed + width, failed - 1), f"above {seen.passed}, which the throughput carries"
    return max(failed - width, seen.passed + 1), f"below {failed}, which the throughput does not carry"


def _to_try(seen: Bracket, settings: Settings) -> tuple[int, str] | None:
    """The number of streams to try, and why; None where the interval is narrow enough, or no more may be tried."""
    if seen.failed is not None:
        narrow = seen.failed - seen.passed <= _width(seen.passed, settings.resolution)
        return None if narrow else _between(seen, seen.failed, settings)
    if seen.passed >= settings.most:
        return None
    streams, why = _above(seen, settings)
    return min(streams, settings.most), why


def _doubted(seen: Bracket, steps: Sequence[Step]) -> int | None:
    """The failure that ends the search, if it was seen once alone and contradicts the throughput of all steps."""
    if seen.failed is None or seen.limit or seen.carried is None or not seen.saturated or seen.carried < seen.failed:
        return None
    return seen.failed if sum(step.streams == seen.failed for step in steps) == 1 else None


def _confirm(seen: Bracket, steps: Sequence[Step], settings: Settings) -> Action:
    """Hold what passed; below a hold that failed, half an interval further down each time."""
    failed = next((step.streams for step in reversed(steps) if step.hold), None)
    if failed is not None and failed == seen.failed:
        lower = max(settings.least, failed - _width(failed, settings.resolution / 2.0))
        return Action("go", f"{failed} did not hold for long", lower, hold=True)
    return Action("go", f"to confirm {seen.passed}", seen.passed, hold=True)


def next_action(steps: Sequence[Step], settings: Settings) -> Action:
    """What to do after these steps; the last one may still be watched."""
    current = steps[-1] if steps else None
    if current is not None and current.outcome is None:
        return Action("watch", "one more window", current.streams, current.hold)
    if current is not None and current.outcome is not None and current.outcome.ending is not None:
        return Action("end", current.outcome.reason, ending=current.outcome.ending)
    seen = bracket(steps)
    if seen.failed is not None and seen.failed <= settings.least:
        ending: Ending = ENDINGS[seen.limit] if seen.limit else "not even one"
        return Action("end", f"{seen.failed} did not hold", ending=ending)
    if len(steps) >= settings.most_steps or sum(step.seconds for step in steps) >= settings.most_seconds:
        return Action("end", "the bounds of the search are reached", seen.passed, ending="bounds")
    holding = current is not None and current.hold and current.streams == seen.failed
    wanted = None if holding else _to_try(seen, settings)
    if wanted is not None:
        return Action("go", wanted[1], wanted[0])
    again = None if holding else _doubted(seen, steps)
    if again is not None:
        return Action("go", f"the throughput of all steps carries {seen.carried}: looked at again", again)
    if not seen.confirmed:
        return _confirm(seen, steps, settings)
    if seen.failed is None:
        return Action("end", f"no more than {settings.most} were to be tried", seen.passed, ending="bounds")
    return Action("end", f"{seen.passed} hold, {seen.failed} do not", seen.passed, ending=ENDINGS[seen.limit])
