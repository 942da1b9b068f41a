# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A status line: one line at the bottom of a terminal that changes in place, while other output goes on above it."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

EVERY = 1.0
"""Seconds between two drawings."""
_CLEAR = b"\r\x1b[K"


class StatusLine:
    """Draws what ``text`` gives for a number of columns, until it is closed.

    What this process writes to its standard output and error clears the line first. Forked processes that have streams
    of their own, as Ansible's workers do, have nothing to do with it. A terminal that is gone is not drawn on.
    """

    def __init__(self, text: Callable[[int], str]) -> None:
        self._text = text
        self._lock = threading.RLock()
        self._drawn = False
        self._closed = threading.Event()
        self._streams = {name: getattr(sys, name) for name in ("stdout", "stderr")}
        self._descriptor: int = self._streams["stdout"].fileno()
        self._above = {name: _Above(self, stream) for name, stream in self._streams.items() if stream.isatty()}
        for name, above in self._above.items():
            setattr(sys, name, above)
        self._thread = threading.Thread(target=self._keep_drawing, name="status line", daemon=True)
        self._thread.start()
        atexit.register(self.close)  # after Ctrl-C nobody else does

    def close(self) -> None:
        """Clear the line and give the streams back."""
        atexit.unregister(self.close)
        self._closed.set()
        self._thread.join()
        self.clear()
        for name, above in self._above.items():
            if getattr(sys, name) is above:
                setattr(sys, name, self._streams[name])

    def clear(self) -> None:
        """Clear the line, if it is there."""
        with self._lock:
            if self._drawn:
                self._drawn = False
                self._put(_CLEAR)

    @contextmanager
    def out_of_the_way(self) -> Iterator[None]:
        """The line is not there meanwhile."""
        with self._lock:
            self.clear()
            yield

    def _keep_drawing(self) -> None:
        while not self._closed.is_set():
            self._draw()
            self._closed.wait(EVERY)

    def _draw(self) -> None:
        with self._lock:
            if all(above.at_line_start for above in self._above.values()):
                # Never as wide as the terminal: a full line may wrap.
                columns = _columns(self._descriptor) - 1
                self._drawn = True
                self._put(_CLEAR + self._text(columns)[:columns].encode("ascii", "replace"))

    def _put(self, data: bytes) -> None:
        # Past the stream: its own lock is Ansible's, which may be waiting for this one.
        try:
            os.write(self._descriptor, data)
        except OSError:
            self._closed.set()  # the terminal is gone


class _Above:
    """A stream whose text goes above the line."""

    def __init__(self, line: StatusLine, stream: TextIO) -> None:
        self._line = line
        self._stream = stream
        self.at_line_start = True

    def write(self, text: str) -> int:
        with self._line.out_of_the_way():
            written = self._stream.write(text)
            if text:
                self.at_line_start = text.endswith("\n")
            return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _columns(descriptor: int) -> int:
    try:
        return os.get_terminal_size(descriptor).columns or 80
    except OSError:
        return 80
