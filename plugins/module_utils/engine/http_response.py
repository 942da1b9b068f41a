# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of HTTP/1, parsed as they come in.

Hand-written because ``http.client`` imports packages for e-mail and TLS, which takes longer than most calls.
"""

from __future__ import annotations

import json
from typing import Optional

HEAD_BYTES = 65536
#: bytes asked of a connection at once
READ_BYTES = 131072
# RFC 9110, section 6.4.1: these answers have no body
_BARE = (204, 304)


class HttpError(Exception):
    """An answer that is not HTTP, or a connection that failed; the text is the reason, for a person."""


def refusal(body: bytes) -> str:
    """The engine's own words in the body of an error."""
    try:
        return str(json.loads(body)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace").strip() or "the Docker Engine gave no reason"


class Response:
    """An answer, fed in pieces split anywhere. `status` is None until the head is complete.

    `complete` says that nothing more belongs to it. One that gives no length ends with its connection.
    """

    def __init__(self) -> None:
        self.status: Optional[int] = None
        self.complete = False
        self.closes = False
        self._head = b""
        self._left: Optional[int] = None
        self._chunks: Optional[_Chunks] = None

    def feed(self, data: bytes) -> bytes:
        """Take *data* from the connection; return the body bytes in it. Raises HttpError."""
        if self.status is None:
            self._head += data
            end, skip = self._head.find(b"\r\n\r\n"), 4
            if end < 0:
                end, skip = self._head.find(b"\n\n"), 2
            if end < 0:
                if len(self._head) > HEAD_BYTES or not b"HTTP/".startswith(self._head[:5]):
                    raise HttpError("the answer is not HTTP")
                return b""
            data = self._head[end + skip :]
            self._parse_head(self._head[:end])
            self._head = b""
        if self._chunks is not None:
            data = self._chunks.feed(data)
            self.complete = self._chunks.ended
        elif self._left is not None:
            data = data[: self._left]
            self._left -= len(data)
            self.complete = self._left == 0
        return data

    def _parse_head(self, head: bytes) -> None:
        lines = head.decode("latin-1").splitlines()
        words = lines[0].split(None, 2)
        if len(words) < 2 or not words[0].startswith("HTTP/") or not words[1].isdigit():
            raise HttpError("the answer is not HTTP")
        self.status = int(words[1])
        self.complete = self.status in _BARE
        for line in lines[1:]:
            name, _colon, value = line.partition(":")
            name, value = name.strip().lower(), value.strip()
            if name == "transfer-encoding" and value.lower() == "chunked":
                self._chunks = _Chunks()
            elif name == "content-length" and value.isdigit():
                self._left = int(value)
                self.complete = self.complete or self._left == 0
            elif name == "connection":
                self.closes = value.lower() == "close"

    def at_end(self) -> None:
        """The connection was closed: raises HttpError if that cuts the answer short."""
        if self.status is None:
            raise HttpError("the connection was closed without an answer")
        if (self._left or (self._chunks is not None and not self._chunks.last)) and not self.complete:
            raise HttpError("the connection was closed in the middle of the answer")


class _Chunks:
    """Decoder of the chunked transfer coding (RFC 9112, section 7.1), for input split anywhere."""

    def __init__(self) -> None:
        self.last = False
        self.ended = False
        self._left = 0
        self._line = b""

    def feed(self, data: bytes) -> bytes:
        out = []
        while data and not self.ended:
            if self._left > 0:
                part, data = data[: self._left], data[self._left :]
                self._left -= len(part)
                out.append(part)
                continue
            end = data.find(b"\n")
            self._line += data if end < 0 else data[:end]
            data = b"" if end < 0 else data[end + 1 :]
            if len(self._line) > 1024:
                raise HttpError("the answer's chunks are malformed")
            if end < 0:
                break
            line, self._line = self._line.strip(), b""
            if self.last:
                self.ended = not line  # what comes before is trailers
                continue
            if not line:
                continue  # the end of the chunk before
            try:
                self._left = int(line.split(b";")[0], 16)
            except ValueError:
                raise HttpError("the answer's chunks are malformed") from None
            self.last = self._left == 0
        return b"".join(out)
