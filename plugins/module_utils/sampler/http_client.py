# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP for an event loop: requests as bytes, answers parsed as they come in, sockets that never block.

Hand-written because one thread serves all connections, and Python's own client blocks.
Requests are HTTP/1.0, so that the engine sends streams as they are and ends them by closing the connection.
Chunked answers are understood all the same: some servers send them regardless of what was asked.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from collections.abc import Callable
from typing import Optional, Union

from ansible_collections.retail.profiles.plugins.module_utils.engine.http_response import (
    READ_BYTES,
    HttpError,
    Response,
)

Address = Union[str, tuple[str, int]]
"""Path of a unix socket, or (IP address, port)."""


def get(path: str, host: str = "localhost") -> bytes:
    """A GET request as HTTP/1.0."""
    return f"GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode()


class Exchange:
    """One request and its answer over a non-blocking socket; the event loop calls `on_ready` when it is ready.

    *on_body* gets body bytes of an answer with status 200 as they come; *on_end(status, error, text)* is called once:
    with the status and None, or with the reason of the failure; *text* is the (bounded) body of any other status.
    `before_close` is the loop's: a closed descriptor may at once be another's, so it must be forgotten before.
    *expires*: monotonic time at which the loop gives it up, or None. *patient*: what comes in may wait for the next
    tick; waking up for every piece would cost far more than what is in it.
    """

    def __init__(
        self,
        address: Address,
        request: bytes,
        on_body: Callable[[bytes], None],
        on_end: Callable[[Optional[int], Optional[str], bytes], None],
        expires: Optional[float] = None,
        limit: Optional[int] = None,
        patient: bool = False,
    ) -> None:
        self.expires = expires
        self.patient = patient
        self.response = Response()
        self.ended = False
        self.bytes_read = 0
        self.before_close: Callable[[], None] = _nothing
        self._unsent = request
        self._on_body = on_body
        self._on_end = on_end
        self._limit = limit
        self._other = b""
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        if not isinstance(address, str) and ":" in address[0]:
            family = socket.AF_INET6
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        try:
            self.socket.setblocking(False)
            code = self.socket.connect_ex(address)
            if code not in (0, errno.EINPROGRESS):
                # EAGAIN too: the queue of the unix socket is full; whoever asked tries again later.
                raise HttpError(f"cannot connect to {_show(address)}: {os.strerror(code)}")
        except BaseException:
            self.socket.close()
            raise

    @property
    def sending(self) -> bool:
        """True while there is something to send (the loop then waits for writability)."""
        return bool(self._unsent)

    def on_ready(self) -> None:
        """Move on as far as the socket allows without waiting; errors end the exchange."""
        try:
            if self._unsent:
                code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise HttpError(f"cannot connect: {os.strerror(code)}")
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
                return
            data = self.socket.recv(READ_BYTES)
            if not data:
                self.response.at_end()
                self.end(None)
                return
            self.bytes_read += len(data)
            body = self.response.feed(data)
            if self._limit is not None and self.bytes_read > self._limit:
                raise HttpError(f"the answer is longer than {self._limit} bytes")
            if self.response.status == 200:
                if body:
                    self._on_body(body)
            elif len(self._other) < 4096:
                self._other += body
            if self.response.complete:
                self.end(None)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.end(f"the connection failed: {error.strerror or error}")
        except HttpError as error:
            self.end(str(error))

    def end(self, error: Optional[str]) -> None:
        """Close, and tell the owner; the second time does nothing."""
        if not self.ended:
            self.abandon()
            self._on_end(self.response.status, error, self._other)

    def abandon(self) -> None:
        """Close without telling the owner."""
        self.ended = True
        self.before_close()
        with contextlib.suppress(OSError):
            self.socket.close()


def _nothing() -> None:
    pass


def _show(address: Address) -> str:
    return address if isinstance(address, str) else f"{address[0]}:{address[1]}"
