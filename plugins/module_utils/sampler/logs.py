# SPDX-License-Identifier: GPL-3.0-or-later
"""Container logs: the engine's framed stream to bounded lines with the engine's times, and the cap on their rate."""

from __future__ import annotations

import calendar
import functools
import re
from dataclasses import dataclass
from typing import Optional

LINE_BYTES = 16384
_STAMP_BYTES = 64  # what a time stamp in front of a line may take beyond LINE_BYTES
_STREAMS = {0: "stdout", 1: "stdout", 2: "stderr", 3: "engine"}
_MINUTE = re.compile(rb"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):")
_STAMP = re.compile(rb"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?")


@dataclass(frozen=True)
class LogLine:
    """A line of a container: *t_ns* is when the engine took it (unix nanoseconds; None where it gave no time).

    *cut*: bytes beyond LINE_BYTES, which are not in *text*.
    """

    stream: str
    t_ns: Optional[int]
    text: str
    cut: int = 0


@functools.lru_cache(maxsize=64)
def _minute_ns(data: bytes) -> Optional[int]:
    """``YYYY-MM-DDThh:mm:`` in unix nanoseconds."""
    match = _MINUTE.fullmatch(data)
    if match is None:
        return None
    year, month, day, hour, minute = (int(word) for word in match.groups())
    return calendar.timegm((year, month, day, hour, minute, 0)) * 1_000_000_000


def parse_stamp(data: bytes) -> tuple[Optional[int], int]:
    """The RFC 3339 time at the start of *data* in unix nanoseconds, and the length it takes with the blank after it."""
    if data[19:20] == b"." and data[29:31] == b"Z " and data[17:19].isdigit() and data[20:29].isdigit():
        minute_ns = _minute_ns(data[:17])  # the engine's own format: nine digits, UTC
        if minute_ns is not None:
            return minute_ns + int(data[17:19]) * 1_000_000_000 + int(data[20:29]), 31
    match = _STAMP.match(data)
    if match is None:
        return None, 0
    year, month, day, hour, minute, second = (int(word) for word in match.groups()[:6])
    seconds = calendar.timegm((year, month, day, hour, minute, second))
    zone = match.group(8)
    if zone != b"Z":
        offset = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
        seconds -= offset if zone[:1] == b"+" else -offset
    return seconds * 1_000_000_000 + int((match.group(7) or b"").ljust(9, b"0")), match.end()


class _Line:
    """A line being put together, bounded: what is beyond LINE_BYTES is counted, not kept."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.length = 0
        self.t_ns: Optional[int] = None
        self.cut = 0

    def add(self, data: bytes, unseen: int = 0) -> None:
        """Take a part of the line, of which *unseen* bytes more were not kept."""
        room = LINE_BYTES - self.length
        self.cut += max(0, len(data) - room) + unseen
        data = data[:room]
        if data:
            self.parts.append(data)
            self.length += len(data)

    def finish(self, stream: str) -> LogLine:
        data = b"".join(self.parts)
        if data.endswith(b"\r"):
            data = data[:-1]
        return LogLine(stream, self.t_ns, data.decode("utf-8", "replace"), self.cut)


class LogDecoder:
    """The body of ``/containers/ID/logs?timestamps=1`` to lines, for input split anywhere.

    Without a terminal the engine sends each message with a header of 8 bytes: stream, three zeros, length (big endian);
    a line over 16 KiB is several messages, each with the time in front, only the last with a newline. A container
    with a terminal (*tty*) has no headers.
    """

    def __init__(self, tty: bool) -> None:
        self.at_ns: Optional[int] = None  # the time of the last message that has come
        self._tty = tty
        self._head = b""
        self._left = 0
        self._unseen = 0  # bytes of the message that are not kept
        self._stream = "stdout"
        self._message = b""
        self._lines: dict[str, _Line] = {}

    def feed(self, data: bytes) -> list[LogLine]:
        """Lines that *data* completes."""
        return self._feed_raw(data) if self._tty else self._feed_frames(data)

    def _feed_frames(self, data: bytes) -> list[LogLine]:
        done: list[LogLine] = []
        at = 0
        while at < len(data):
            if self._left == 0:
                need = 8 - len(self._head)
                self._head += data[at : at + need]
                at += need
                if len(self._head) < 8:
                    break
                self._stream = _STREAMS.get(self._head[0], "stdout")
                self._left = int.from_bytes(self._head[4:8], "big")
                self._head, self._message, self._unseen = b"", b"", 0
                continue
            part = data[at : at + self._left]
            at += len(part)
            self._left -= len(part)
            # Keeps the last byte even of a message that was cut, as it tells whether the line ends here.
            last = part[-1:] if not self._left else b""
            kept = part[: max(0, LINE_BYTES + _STAMP_BYTES - len(self._message))]
            if len(kept) < len(part) and last:
                kept = kept[:-1] + last
            self._unseen += len(part) - len(kept)
            self._message += kept
            if not self._left:
                done.extend(self._take_message(self._message))
                self._message = b""
        return done

    def _take_message(self, message: bytes) -> list[LogLine]:
        t_ns, length = parse_stamp(message)
        self.at_ns = t_ns or self.at_ns
        line = self._lines.setdefault(self._stream, _Line())
        if line.t_ns is None:
            line.t_ns = t_ns
        ends = message.endswith(b"\n")
        line.add(message[length:-1] if ends else message[length:], self._unseen)
        return [self._lines.pop(self._stream).finish(self._stream)] if ends else []

    def _feed_raw(self, data: bytes) -> list[LogLine]:
        done: list[LogLine] = []
        pieces = data.split(b"\n")
        for index, piece in enumerate(pieces):
            kept = piece[: max(0, LINE_BYTES + _STAMP_BYTES - len(self._message))]
            self._unseen += len(piece) - len(kept)
            self._message += kept
            if index < len(pieces) - 1:
                done.append(self._finish_raw())
        return done

    def _finish_raw(self) -> LogLine:
        line = _Line()
        line.t_ns, length = parse_stamp(self._message)
        self.at_ns = line.t_ns or self.at_ns
        line.add(self._message[length:], self._unseen)
        self._message, self._unseen = b"", 0
        return line.finish("stdout")

    def end(self) -> list[LogLine]:
        """Lines that the end of the stream leaves without a newline."""
        if self._tty:
            return [self._finish_raw()] if self._message else []
        lines = [line.finish(stream) for stream, line in self._lines.items() if line.parts]
        self._lines.clear()
        return lines


class RateCap:
    """Cap on the lines kept of one container: a store of *lines* and *size* bytes that refills each second by a share.

    So a container may log in bursts (its history at the start, a stack trace), not all the time.
    """

    def __init__(self, lines: float, size: float, lines_per_second: float, bytes_per_second: float) -> None:
        self._most = (lines, size)
        self._rate = (lines_per_second, bytes_per_second)
        self._lines, self._bytes = lines, size
        self._at: Optional[float] = None
        self.dropped_lines = 0
        self.dropped_bytes = 0

    def allows(self, size: int, now: float) -> bool:
        """Whether a line of *size* bytes may be kept at *now* (seconds, monotonic); one that may not is counted."""
        if self._at is not None and now > self._at:
            passed = now - self._at
            self._lines = min(self._most[0], self._lines + passed * self._rate[0])
            self._bytes = min(self._most[1], self._bytes + passed * self._rate[1])
        self._at = now if self._at is None else max(now, self._at)
        if self._lines < 1 or self._bytes < size:
            self.dropped_lines += 1
            self.dropped_bytes += size
            return False
        self._lines -= 1
        self._bytes -= size
        return True

    def take_dropped(self) -> tuple[int, int]:
        """Lines and bytes dropped since the last time this was asked."""
        dropped = (self.dropped_lines, self.dropped_bytes)
        self.dropped_lines = self.dropped_bytes = 0
        return dropped
