# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Feeds frames to a queue of inference requests, as fast as they are answered or at a fixed rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from local_inference.measures import Recorder


class Queue(Protocol):
    """What a feeder needs of an inference queue (openvino.AsyncInferQueue has it)."""

    def start_async(self, inputs: Any, userdata: Any) -> None:
        """Start an inference; ``userdata`` goes to the queue's callback when it is done."""


class Feeder:
    """Starts inferences until ``stop``; `done` is the queue's callback.

    nireq: how many may run at once; fps: frames a second, None for as many as go; backlog: seconds after which an
    overdue frame is dropped; clock: seconds that never go back.
    """

    def __init__(
        self,
        queue: Queue,
        nireq: int,
        frames: Sequence[Any],
        recorder: Recorder,
        stop: threading.Event,
        fps: float | None = None,
        backlog: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._queue = queue
        self._frames = frames
        self._recorder = recorder
        self._stop = stop
        self._period = None if fps is None else 1 / fps
        self._backlog = backlog
        self._clock = clock
        self._free = threading.Semaphore(nireq)

    def done(self, _request: Any, since: float) -> None:
        """An inference is done whose time counts from ``since``."""
        self._recorder.finished(self._clock() - since)
        self._free.release()

    def run(self) -> None:
        """Feed until ``stop``. What is still being inferred then is the caller's to wait for."""
        if self._period is None:
            self._closed_loop()
        else:
            self._fixed_rate(self._period)

    def _start(self, number: int, due: float | None) -> None:
        """Start frame ``number`` when a request is free. Its time counts from ``due``, or else from its start."""
        while not self._free.acquire(timeout=0.2):
            if self._stop.is_set():
                return
        frame = self._frames[number % len(self._frames)]
        self._queue.start_async(frame, self._clock() if due is None else due)

    def _closed_loop(self) -> None:
        number = 0
        while not self._stop.is_set():
            self._start(number, None)
            number += 1

    def _fixed_rate(self, period: float) -> None:
        start = self._clock()
        number = 0
        while not self._stop.is_set():
            behind = self._clock() - self._backlog - (start + number * period)
            if behind > 0:
                dropped = -int(-behind // period)
                self._recorder.dropped(dropped)
                number += dropped
            due = start + number * period
            wait = due - self._clock()
            if wait > 0:
                if self._stop.wait(wait):
                    return
            elif -wait > period:
                self._recorder.late()
            self._start(number, due)
            number += 1
