# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeding local inference: at a rate, or as fast as it goes, with a queue and a clock of the tests' own."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from local_inference.feed import Feeder
from local_inference.measures import Recorder


class Stop(threading.Event):
    """Waiting lets the tests' time pass; it is set when ``until`` is reached."""

    def __init__(self, until: float) -> None:
        super().__init__()
        self.now = 0.0
        self._until = until

    def clock(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self._until:
            self.set()

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        self.advance(timeout)
        return self.is_set()


class Queue:
    """Each inference is done at once, after ``seconds`` of the tests' time."""

    def __init__(self, stop: Stop, seconds: float, stall: tuple[float, float] = (0.0, 0.0)) -> None:
        self._stop, self._seconds, self._stall = stop, seconds, stall
        self.feeder: Feeder | None = None

    def start_async(self, inputs: Any, userdata: Any) -> None:
        since, until = self._stall
        if since <= self._stop.now < until:
            self._stop.advance(until - self._stop.now)
        self._stop.advance(self._seconds)
        assert self.feeder is not None
        self.feeder.done(None, userdata)


def run(until: float, seconds: float, fps: float | None, **settings: Any) -> dict[str, Any]:
    """The summary after feeding a queue that takes so many seconds for each frame."""
    stop = Stop(until)
    queue = Queue(stop, seconds, settings.pop("stall", (0.0, 0.0)))
    recorder = Recorder(stop.clock)
    feeder = Feeder(queue, 1, [{}], recorder, stop, fps, clock=stop.clock, **settings)
    queue.feeder = feeder
    feeder.run()
    whole: dict[str, Any] = recorder.summary(0.0)["summary"]
    return whole


def test_as_fast_as_it_goes() -> None:
    whole = run(10, 0.02, None)
    assert whole["requests"] == pytest.approx(500, abs=1)
    assert whole["p50"] == pytest.approx(0.02, rel=0.02)


def test_at_a_rate() -> None:
    whole = run(10, 0.02, 15)
    assert whole["requests"] == pytest.approx(150, abs=1)
    assert (whole["late"], whole["dropped"]) == (0, 0)
    assert whole["p99"] == pytest.approx(0.02, rel=0.02)


def test_a_stall_shows_from_the_due_time() -> None:
    whole = run(60, 0.02, 15, stall=(30.0, 32.0))
    assert whole["p99"] >= 1.5
    assert whole["late"] > 0


def test_overdue_frames_are_dropped() -> None:
    whole = run(60, 0.02, 15, stall=(10.0, 20.0), backlog=2.0)
    assert whole["dropped"] == pytest.approx(8 * 15, abs=2)


@pytest.mark.parametrize("arguments", [[], ["--model", "x", "--fps", "0"], ["--model", "x", "--nireq", "no"]])
def test_wrong_options_are_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    from local_inference.cli import parse

    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_options() -> None:
    from local_inference.cli import parse

    given = parse(["--model", "/models/a", "--fps", "15", "--threads", "1"])
    assert (given.model, given.fps, given.threads, given.nireq, given.duration) == (Path("/models/a"), 15.0, 1, 1, None)
