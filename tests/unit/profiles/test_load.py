# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the client sends: on a clock of the tests' own."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import pytest
from kserve_client.load import PAUSE, Schedule, closed_loop, stream
from kserve_client.measures import Recorder, Sketch


class _Selector(selectors.SelectSelector):
    """Lets time pass instead of waiting."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        events = super().select(0)
        if not events:
            assert timeout is not None, "all wait for something that never comes"
            self.now += timeout
        return events


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._fake = _Selector()
        super().__init__(self._fake)

    def time(self) -> float:
        return self._fake.now


class Server:
    """Answers within ``latency`` seconds, but not before ``until`` when asked between ``since`` and ``until``."""

    def __init__(self, latency: float = 0.02, since: float = 0.0, until: float = 0.0, fails: bool = False) -> None:
        self._latency, self._since, self._until, self._fails = latency, since, until, fails
        self.sent: list[tuple[int, float]] = []
        self.unanswered = self.most_unanswered = 0

    async def send(self, number: int) -> bool:
        clock = asyncio.get_running_loop().time
        self.sent.append((number, clock()))
        self.unanswered += 1
        self.most_unanswered = max(self.most_unanswered, self.unanswered)
        stall = self._until - clock() if self._since <= clock() < self._until else 0.0
        await asyncio.sleep(stall + self._latency)
        self.unanswered -= 1
        return not self._fails


Load = Callable[[Recorder], Coroutine[Any, Any, Any]]


def run(seconds: float, load: Load) -> tuple[dict[str, Any], Sketch]:
    """Run a load for so many seconds of the loop's time: the summary, and the sketch of its latencies."""
    loop = _Loop()
    recorder = Recorder(loop.time)

    async def main() -> None:
        task: Awaitable[Any] = asyncio.wait_for(load(recorder), seconds)
        with pytest.raises(asyncio.TimeoutError):
            await task

    try:
        loop.run_until_complete(main())
    finally:
        loop.close()
    summary = recorder.summary(0.0)["summary"]
    sketch = Sketch(
        count=summary["latency"]["count"],
        bins={int(index): number for index, number in summary["latency"]["bins"].items()},
    )
    return summary, sketch


def at_15_fps(server: Server, inflight: int = 1, backlog: float = 5.0) -> Load:
    return lambda recorder: stream(Schedule(0.0, 1 / 15, backlog), inflight, server.send, recorder)


def test_a_fixed_rate_is_kept() -> None:
    server = Server()
    summary, sketch = run(10.01, at_15_fps(server))
    assert summary["requests"] in (150, 151)
    assert (summary["late"], summary["dropped"], summary["errors"]) == (0, 0, 0)
    assert sketch.quantile(0.99) == pytest.approx(0.02, rel=0.02)
    assert [number for number, _sent in server.sent] == list(range(len(server.sent)))
    assert all(t == pytest.approx(number / 15) for number, t in server.sent)


@pytest.mark.parametrize(("inflight", "least"), [(1, 1.5), (4, 1.4)])
def test_a_stall_of_two_seconds_a_minute_shows(inflight: int, least: float) -> None:
    """A server that stands still for 2 s once a minute has a p99 of at least 1.5 s at 15 FPS.

    With frames in flight the backlog is gone sooner, and the tenth worst of 900 frames is due 0.6 s into the stall.
    """
    summary, sketch = run(60, at_15_fps(Server(since=30.0, until=32.0), inflight))
    p99 = sketch.quantile(0.99)
    assert p99 is not None and p99 >= least
    assert summary["late"] > 0
    assert summary["dropped"] == 0
    assert summary["latency"]["max"] == pytest.approx(2.0, abs=0.1)


def test_a_closed_loop_hides_the_same_stall() -> None:
    """Why there is a fixed rate at all."""
    server = Server(since=30.0, until=32.0)
    _summary, sketch = run(60, lambda recorder: closed_loop(server.send, recorder))
    assert sketch.quantile(0.99) == pytest.approx(0.02, rel=0.02)


def test_frames_older_than_the_backlog_are_dropped_and_counted() -> None:
    server = Server(since=10.0, until=20.0)
    summary, _sketch = run(60, at_15_fps(server, backlog=2.0))
    # Of the ten seconds the first frame is waiting, and those of the last two are still wanted.
    assert summary["dropped"] == pytest.approx(8 * 15, abs=2)
    assert summary["requests"] + summary["dropped"] == pytest.approx(900, abs=2)
    assert summary["latency"]["max"] == pytest.approx(10.0, abs=0.1)


def test_a_server_too_slow_for_the_rate_shows_in_fps_and_drops() -> None:
    summary, _sketch = run(60, at_15_fps(Server(latency=0.1)))
    assert summary["fps"] == pytest.approx(10, rel=0.02)
    assert summary["late"] > 0 and summary["dropped"] > 0
    assert summary["latency"]["max"] == pytest.approx(5.1, abs=0.2)


@pytest.mark.parametrize("inflight", [1, 2, 3])
def test_no_more_frames_are_unanswered_than_allowed(inflight: int) -> None:
    server = Server(latency=0.5)
    run(5, at_15_fps(server, inflight))
    assert server.most_unanswered == inflight


def test_frames_in_flight_let_a_slow_server_keep_the_rate() -> None:
    summary, _sketch = run(20, at_15_fps(Server(latency=0.1), inflight=2))
    assert summary["fps"] == pytest.approx(15, rel=0.02)
    assert summary["late"] == 0


def test_failed_frames_are_errors_without_latency() -> None:
    server = Server(latency=0.001, fails=True)
    summary, _sketch = run(10.01, at_15_fps(server))
    assert summary["errors"] == summary["requests"] == pytest.approx(150, abs=1)
    assert summary["latency"]["count"] == 0


def test_a_closed_loop_sends_as_soon_as_it_is_answered() -> None:
    server = Server(latency=0.02)
    summary, _sketch = run(10, lambda recorder: closed_loop(server.send, recorder))
    assert summary["requests"] == pytest.approx(500, abs=1)
    assert server.most_unanswered == 1


def test_a_closed_loop_pauses_after_errors() -> None:
    server = Server(latency=0.0, fails=True)
    summary, _sketch = run(10.05, lambda recorder: closed_loop(server.send, recorder))
    assert summary["errors"] == pytest.approx(10 / PAUSE, abs=1)


@pytest.mark.parametrize(
    ("now", "expected"),
    [(0.0, (0, 0)), (4.0, (0, 0)), (5.0, (0, 0)), (5.1, (1, 1)), (6.0, (1, 1)), (6.5, (2, 2)), (100.0, (95, 95))],
)
def test_what_a_schedule_gives_up(now: float, expected: tuple[int, int]) -> None:
    """A frame a second, given up 5 s after it was due: the first one that is not yet that old is next."""
    assert Schedule(start=0.0, period=1.0, backlog=5.0).take(now) == expected
