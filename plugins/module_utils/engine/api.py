# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's API: JSON over HTTP, a connection a thread, kept open.

Hand-written because importing the ``docker`` package takes longer than all that a host without changes is asked.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, Optional
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.engine.http_response import (
    READ_BYTES,
    HttpError,
    Response,
    refusal,
)

_STREAM_HEADER = 8


class EngineError(ProfileError):
    """The engine refused a call. ``status`` is its HTTP status, 0 where it did not answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


class _StaleError(OSError):
    """The engine closed the connection while it was idle: the request was not begun, so it may be sent again."""


class Connection:
    """HTTP/1.1 over the engine's socket. *timeout*: seconds without an answer."""

    def __init__(self, url: SplitResult, timeout: float) -> None:
        self.kept = True
        if url.scheme == "unix":
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                self._socket.settimeout(timeout)
                self._socket.connect("/" + (url.netloc + url.path).lstrip("/"))
            except BaseException:
                self._socket.close()
                raise
        else:
            self._socket = socket.create_connection((url.hostname or "localhost", url.port or 80), timeout)

    def close(self) -> None:
        self.kept = False
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def exchange(self, method: str, target: str, content: Optional[bytes]) -> tuple[int, bytes]:
        """Status and body of one request. Raises OSError and HttpError; the connection is of no use then."""
        more = [] if content is None else ["Content-Type: application/json"]
        if method != "GET":
            more.append(f"Content-Length: {len(content or b'')}")
        try:
            self.send(head(method, target, *more) + (content or b""))
            data = self._socket.recv(READ_BYTES)
        except (BrokenPipeError, ConnectionResetError) as error:
            raise _StaleError(*error.args) from error
        if not data:
            raise _StaleError("the connection was closed without an answer")
        response = Response()
        body = b"".join([response.feed(data), *self.rest(response)])
        if not response.complete or response.closes:
            self.close()
        return int(response.status or 0), body

    def rest(self, response: Response) -> Iterator[bytes]:
        """The body of *response*, from here to its end. Raises OSError and HttpError."""
        while not response.complete:
            data = self._socket.recv(READ_BYTES)
            if not data:
                response.at_end()
                return
            yield response.feed(data)


def head(method: str, target: str, *more: str) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Accept-Encoding: identity", *more, "", ""]
    return "\r\n".join(lines).encode("ascii")


class Api:
    """Calls to the engine at *url* (``unix:///path`` or ``tcp://host:port``); safe to use from several threads.

    *timeout*: seconds that one call may take unless it says otherwise. Paths are given without the API's version. Every
    call raises EngineError.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url = urlsplit(url)
        if self._url.scheme not in ("unix", "tcp", "http"):
            raise EngineError(f"DOCKER_HOST={url} is not unix:// or tcp://: unset it, or name the engine's socket")
        self._timeout = timeout
        self._local = threading.local()
        self._prefix = ""
        #: called before everything but GET; raises where nothing may be written any more
        self.checkpoint: Callable[[], None] = lambda: None
        self.about: dict[str, Any] = self.call("GET", "/version", "connect")
        self._prefix = f"/v{self.about['ApiVersion']}"

    @property
    def version(self) -> tuple[int, ...]:
        """The version of the engine's API."""
        return tuple(int(part) for part in self.about["ApiVersion"].split("."))

    def call(self, method: str, path: str, doing: str, **options: Any) -> Any:
        """One call; its JSON answer, None where there is none. *options* are those of :meth:`raw`."""
        data = self.raw(method, path, doing, **options)
        return json.loads(data) if data else None

    def raw(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        query: Optional[Mapping[str, Any]] = None,
        body: Any = None,
        timeout: Optional[float] = None,
    ) -> bytes:
        """One call; the bytes of its answer. *doing* stands in the error, *body* is sent as JSON, or bytes."""
        if method != "GET":
            self.checkpoint()
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        with _explained(doing):
            status, data = self._exchange(method, self.target(path, query), content, timeout)
        return accepted(status, data)

    @contextmanager
    def connection(self, doing: str) -> Iterator[Connection]:
        """A connection of its own, until the end."""
        with _explained(doing), closing(Connection(self._url, self._timeout)) as made:
            yield made

    def target(self, path: str, query: Optional[Mapping[str, Any]]) -> str:
        """What is asked for, with the API's version."""
        return self._prefix + path + ("?" + urlencode(query, doseq=True) if query else "")

    def _exchange(
        self, method: str, target: str, content: Optional[bytes], timeout: Optional[float]
    ) -> tuple[int, bytes]:
        kept: Optional[Connection] = getattr(self._local, "connection", None)
        if kept is not None and kept.kept and timeout is None:
            try:
                return _exchanged(kept, method, target, content)
            except _StaleError:
                pass
        connection = Connection(self._url, self._timeout if timeout is None else timeout)
        answer = _exchanged(connection, method, target, content)
        if timeout is None:
            self._local.connection = connection
        else:
            connection.close()
        return answer


def _exchanged(connection: Connection, method: str, target: str, content: Optional[bytes]) -> tuple[int, bytes]:
    try:
        return connection.exchange(method, target, content)
    except BaseException:
        connection.close()
        raise


@contextmanager
def _explained(doing: str) -> Iterator[None]:
    """Turn what a connection raises into EngineError."""
    try:
        yield
    except socket.timeout:
        raise too_long(doing) from None
    except (HttpError, OSError) as error:
        raise EngineError(f"the Docker Engine did not answer ({doing}: {error})") from None


def too_long(doing: str) -> EngineError:
    return EngineError(
        f"the Docker Engine took too long ({doing}): it is overloaded, or hangs (systemctl restart docker helps);"
        " a slow host needs more (-e profile_engine_timeout=SECONDS)"
    )


def accepted(status: int, data: bytes) -> bytes:
    """The body of an answer. Raises EngineError where that is a refusal."""
    if status >= 400:
        raise EngineError(refusal(data), status)
    return data


def quoted(name: str) -> str:
    """A container's, image's, network's or volume's name as a part of a path."""
    return quote(name, safe="/:@")


def demultiplexed(stream: bytes) -> bytes:
    """The text of a log stream without a terminal: frames of an 8-byte header (stream, length) and data."""
    parts = []
    position = 0
    while position + _STREAM_HEADER <= len(stream):
        length = int.from_bytes(stream[position + 4 : position + _STREAM_HEADER], "big")
        position += _STREAM_HEADER
        parts.append(stream[position : position + length])
        position += length
    return b"".join(parts)
