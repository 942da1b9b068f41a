# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When requests are sent: a closed loop, and streams at a fixed rate. Nothing here knows what a request is.

At a fixed rate a frame is due at start + n / fps, whether the one before it was answered or not, and its latency counts
from there: a server that stalls for two seconds shows two seconds, not one slow request. Times are those of the event
loop's clock, so that tests can run on a clock of their own.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from kserve_client.measures import Recorder

# Sends the request with this number; whether it was answered without an error.
Send = Callable[[int], Awaitable[bool]]

# Seconds between requests of a closed loop that fail, so that a server that is gone is not hammered.
PAUSE = 0.1


async def closed_loop(send: Send, recorder: Recorder) -> None:
    """Send one request after another, each as soon as the last is answered, until cancelled."""
    clock = asyncio.get_running_loop().time
    number = 0
    while True:
        start = clock()
        if await send(number):
            recorder.finished(clock() - start)
        else:
            recorder.failed()
            await asyncio.sleep(PAUSE)
        number += 1


@dataclass
class Schedule:
    """The frames of one stream. start: when the first is due; period: seconds between two.

    backlog: a frame that is still unsent this many seconds after it was due is given up.
    """

    start: float
    period: float
    backlog: float
    number: int = 0

    def due(self, number: int) -> float:
        """When frame ``number`` is due."""
        return self.start + number * self.period

    def take(self, now: float) -> tuple[int, int]:
        """The next frame to send, and how many before it are given up."""
        behind = now - self.backlog - self.due(self.number)
        dropped = max(0, -int(-behind // self.period)) if behind > 0 else 0
        number = self.number + dropped
        self.number = number + 1
        return number, dropped


async def _sender(schedule: Schedule, send: Send, recorder: Recorder) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        number, dropped = schedule.take(clock())
        if dropped:
            recorder.dropped(dropped)
        due = schedule.due(number)
        wait = due - clock()
        if wait > 0:
            await asyncio.sleep(wait)
        elif -wait > schedule.period:
            recorder.late()
        if await send(number):
            recorder.finished(clock() - due)
        else:
            recorder.failed()
            # Overdue frames must not turn a refusal into a busy loop.
            await asyncio.sleep(schedule.period / 4)


async def stream(schedule: Schedule, inflight: int, send: Send, recorder: Recorder) -> None:
    """Send the frames of ``schedule`` in time until cancelled, at most ``inflight`` of them unanswered at once."""
    await asyncio.gather(*(_sender(schedule, send, recorder) for _time in range(inflight)))
