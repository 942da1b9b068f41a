# SPDX-License-Identifier: GPL-3.0-or-later
"""The samples file: whole JSON lines, appended; and what a sampler learns from the file of the one before it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Any, Optional

PENDING_BYTES = 16 << 20  # kept in memory while the disk is full
FILE_BYTES = 4 << 30  # beyond this the sampler does not fill the host's disk any further
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


class Store:
    """Appends records to the file at *path*. After a failed write nothing but whole lines is in the file.

    The lines that did not fit stay in memory up to PENDING_BYTES; what is dropped beyond that is counted in `lost`.
    """

    def __init__(self, path: str, file_bytes: int = FILE_BYTES, pending_bytes: int = PENDING_BYTES) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o660)
        self._lines: list[bytes] = []
        self._size = 0
        self._limit = file_bytes
        self._pending_limit = pending_bytes
        self.lost = 0
        self.error: Optional[str] = None
        self._length = _cut_to_whole_lines(self._file)

    def add(self, record: dict[str, Any]) -> None:
        """Take a record; it is in the file after the next `flush`."""
        line = _encode(record).encode("ascii") + b"\n"
        if self._size + len(line) > self._pending_limit:
            self.lost += 1
            return
        self._lines.append(line)
        self._size += len(line)

    @property
    def pending(self) -> int:
        """Bytes not yet in the file."""
        return self._size

    @property
    def full(self) -> bool:
        """True when the file has the greatest length it may have."""
        return self._length >= self._limit

    def flush(self) -> None:
        """Write what is pending; a disk that is full is remembered in `error`, not raised."""
        if not self._lines:
            return
        data = b"".join(self._lines)
        try:
            written = os.write(self._file, data)
            self.error = None
        except OSError as error:
            self.error = error.strerror or str(error)
            return
        if written < len(data):
            whole = data.rfind(b"\n", 0, written) + 1
            os.ftruncate(self._file, self._length + whole)
            self.error = "the disk took only a part of what was written"
            data = data[whole:]
            self._length += whole
            self._lines, self._size = [data], len(data)
            return
        self._length += written
        self._lines, self._size = [], 0

    def close(self) -> None:
        """Write what is pending and close."""
        self.flush()
        os.close(self._file)


def _cut_to_whole_lines(descriptor: int) -> int:
    """Drop the half line that a killed sampler may have left; the length of the file then."""
    size = os.fstat(descriptor).st_size
    at = size
    while at > 0:
        start = max(0, at - 65536)
        block = os.pread(descriptor, at - start, start)
        newline = block.rfind(b"\n")
        if newline >= 0:
            at = start + newline + 1
            break
        at = start
    if at != size:
        os.ftruncate(descriptor, at)
    return at


@dataclass
class Before:
    """What an earlier sampler wrote of a replica: its last log line's time (unix), its start (engine's text)."""

    last_log: Optional[float] = None
    started_at: Optional[str] = None


def last_times(path: str) -> tuple[Optional[float], dict[str, Before]]:
    """From an earlier sampler's file: the time of its last record, and what it wrote of each replica."""
    last: Optional[float] = None
    before: dict[str, Before] = {}
    try:
        with open(path, "rb") as file:
            for line in file:
                try:
                    record = json.loads(line)
                    at = float(record["t"])
                except (ValueError, TypeError, KeyError):
                    continue
                if record.get("type") == "log":
                    replica = before.setdefault(record["replica"], Before())
                    replica.last_log = max(at, replica.last_log or at)
                    continue
                last = at
                if record.get("type") == "state" and record.get("started_at"):
                    before.setdefault(record["replica"], Before()).started_at = record["started_at"]
    except FileNotFoundError:
        pass
    return last, before
