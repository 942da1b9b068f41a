# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a load program has measured, as one JSON line a second and a last line over all.

A line a second::

    {"t": 1763888400.0, "fps": 30.0, "asked": 30.0, "requests": 30, "errors": 0, "late": 0, "dropped": 0,
     "latency": SKETCH}

``t`` is the UNIX time at the second's end and ``fps`` the frames finished within it, by its real length. ``asked`` is
the frames a second that are due, null where as many are sent as go (a closed loop). ``requests``,
``errors``, ``late`` and ``dropped`` count from the start on. ``latency`` holds the second's latencies in seconds as a
DDSketch (Masson, Rim, Lee: DDSketch, VLDB 2019): the value v > 0 counts in the bin ceil(log(v) / log(gamma)) with
gamma = (1 + a) / (1 - a), where a is the relative accuracy. Sketches merge by adding bins. The last line is
``{"summary": {…}}`` with the same fields over the whole run, so that no rule for the lines above reads it.

The images that measure ship the same copy of this file (a test compares them): a build context holds all that its image
needs.
"""

from __future__ import annotations

import json
import math
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

RELATIVE_ACCURACY = 0.01
_GAMMA = (1 + RELATIVE_ACCURACY) / (1 - RELATIVE_ACCURACY)
_LOG_GAMMA = math.log(_GAMMA)
# A shorter rest of a second at the end gets no line of its own: a rate over it would be noise.
_SHORTEST = 0.5


@dataclass
class Sketch:
    """A DDSketch with logarithmic mapping. Values are seconds."""

    count: int = 0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf
    zeros: int = 0
    bins: dict[int, int] = field(default_factory=dict)

    def add(self, value: float) -> None:
        """Count ``value``; what is not above zero counts as zero."""
        self.count += 1
        self.total += value
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        if value > 0:
            index = math.ceil(math.log(value) / _LOG_GAMMA)
            self.bins[index] = self.bins.get(index, 0) + 1
        else:
            self.zeros += 1

    def merge(self, other: Sketch) -> None:
        """Add all that ``other`` has counted."""
        self.count += other.count
        self.total += other.total
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)
        self.zeros += other.zeros
        for index, number in other.bins.items():
            self.bins[index] = self.bins.get(index, 0) + number

    def quantile(self, q: float) -> float | None:
        """The value at rank q · (count - 1), within the relative accuracy; None when nothing was counted."""
        if not self.count:
            return None
        rank = q * (self.count - 1)
        seen = self.zeros
        if seen > rank:
            return 0.0
        for index in sorted(self.bins):
            seen += self.bins[index]
            if seen > rank:
                return 2 * _GAMMA**index / (_GAMMA + 1)
        return self.high

    def as_json(self) -> dict[str, Any]:
        """The object of the JSON lines; ``min`` and ``max`` are null when nothing was counted."""
        return {
            "relative_accuracy": RELATIVE_ACCURACY,
            "count": self.count,
            "sum": round(self.total, 9),
            "min": round(self.low, 9) if self.count else None,
            "max": round(self.high, 9) if self.count else None,
            "zero_count": self.zeros,
            "bins": {str(index): self.bins[index] for index in sorted(self.bins)},
        }


class Recorder:
    """Counts what becomes of frames. Thread-safe.

    clock: seconds that never go back. asked: the frames a second that are due; None where as many are sent as go.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, asked: float | None = None) -> None:
        self._clock = clock
        self._asked = asked
        self._lock = threading.Lock()
        self._counts = {"requests": 0, "errors": 0, "late": 0, "dropped": 0}
        self._second = Sketch()
        self._whole = Sketch()
        self._start = self._since = clock()

    def finished(self, latency: float) -> None:
        """A frame was answered, ``latency`` seconds after it was due."""
        with self._lock:
            self._counts["requests"] += 1
            self._second.add(latency)

    def failed(self) -> None:
        """A request was answered with an error, or not at all."""
        with self._lock:
            self._counts["requests"] += 1
            self._counts["errors"] += 1

    def late(self) -> None:
        """A frame was sent more than a period after it was due."""
        with self._lock:
            self._counts["late"] += 1

    def dropped(self, number: int) -> None:
        """Frames were given up before they were sent."""
        with self._lock:
            self._counts["dropped"] += number

    def elapsed(self) -> float:
        """Seconds since the last line."""
        return self._clock() - self._since

    def line(self, t: float) -> dict[str, Any]:
        """What happened since the last line. t: the UNIX time to put into it."""
        with self._lock:
            now = self._clock()
            second, self._second = self._second, Sketch()
            length, self._since = now - self._since, now
            self._whole.merge(second)
            fps = second.count / length if length > 0 else 0.0
            rates = {"fps": round(fps, 3), "asked": self._asked}
            return {"t": round(t, 3), **rates, **self._counts, "latency": second.as_json()}

    def summary(self, t: float) -> dict[str, Any]:
        """What happened since the start. t: the UNIX time to put into it."""
        with self._lock:
            self._whole.merge(self._second)
            self._second = Sketch()
            seconds = self._clock() - self._start
            quantiles = {f"p{q}": self._whole.quantile(q / 100) for q in (50, 95, 99)}
            whole = {
                "t": round(t, 3),
                "seconds": round(seconds, 3),
                "fps": round(self._whole.count / seconds, 3) if seconds > 0 else 0.0,
                "asked": self._asked,
                **self._counts,
                **{name: None if value is None else round(value, 6) for name, value in quantiles.items()},
                "latency": self._whole.as_json(),
            }
            return {"summary": whole}


class Reporter:
    """Writes a recorder's lines: one a second from `start` on, the summary at `stop`. Each is flushed at once."""

    def __init__(self, recorder: Recorder, out: TextIO = sys.stdout, interval: float = 1.0) -> None:
        self._recorder = recorder
        self._out = out
        self._interval = interval
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Write the rest of the last second, if it is long enough to tell something, and the summary."""
        self._stop.set()
        self._thread.join()
        if self._recorder.elapsed() >= _SHORTEST * self._interval:
            self._write(self._recorder.line(time.time()))
        self._write(self._recorder.summary(time.time()))

    def _write(self, content: dict[str, Any]) -> None:
        print(json.dumps(content, separators=(",", ":")), file=self._out, flush=True)

    def _run(self) -> None:
        due = time.monotonic()
        while True:
            due += self._interval
            if self._stop.wait(max(0.0, due - time.monotonic())):
                return
            self._write(self._recorder.line(time.time()))
