# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The engine's API as it is: JSON over HTTP, a connection a thread, kept open.

The hot path of a module call: importing the ``docker`` package takes longer than all that a host without changes has
to be asked, and each call through it costs several times this one's.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any, Optional
from urllib.parse import quote, urlencode, urlsplit

from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError

#: a connection that the engine closed while it was idle: the request was not begun, so it may be sent again
_STALE = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)
_STREAM_HEADER = 8


class EngineError(ProfileError):
    """The engine refused a call. ``status`` is its HTTP status, 0 where it did not answer."""

    def __init__(self, message: str, status: int = 0) -> None:
        self.status = status
        super().__init__(message)


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, timeout: Optional[float]) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Api:
    """Calls to the engine at *url* (``unix:///path`` or ``tcp://host:port``); safe to use from several threads.

    *timeout*: seconds that one call may take unless it says otherwise. Paths are given without the API's version, which
    is asked for once and is the engine's own.

    Raises EngineError from every call, for what the engine refuses and where it does not answer.
    """

    def __init__(self, url: str, timeout: float) -> None:
        self._url = urlsplit(url)
        if self._url.scheme not in ("unix", "tcp", "http"):
            raise EngineError(f"DOCKER_HOST={url} is not unix:// or tcp://: unset it, or name the engine's socket")
        self._timeout = timeout
        self._local = threading.local()
        self._prefix = ""
        #: called before everything but GET; raises where nothing may be written any more
        self.checkpoint: Callable[[], None] = _nothing
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
        """One call; the bytes of its answer. *doing* stands in the error, *body* is sent as JSON."""
        if method != "GET":
            self.checkpoint()
        target = self._prefix + path + ("?" + urlencode(query) if query else "")
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if content else {}
        try:
            status, data = self._exchange(method, target, content, headers, timeout)
        except socket.timeout:
            raise EngineError(
                f"the Docker Engine took too long ({doing}): it is overloaded, or hangs "
                "(systemctl restart docker helps)"
            ) from None
        except (http.client.HTTPException, OSError) as error:
            raise EngineError(f"the Docker Engine did not answer ({doing}: {error})") from None
        if status >= 400:
            raise EngineError(_message(data), status)
        return data

    def _exchange(
        self, method: str, target: str, content: Optional[bytes], headers: Mapping[str, str], timeout: Optional[float]
    ) -> tuple[int, bytes]:
        kept = getattr(self._local, "connection", None)
        if kept is not None and timeout is None:
            try:
                return _request(kept, method, target, content, headers)
            except _STALE:
                kept.close()
            except BaseException:
                self._local.connection = None
                kept.close()
                raise
        connection = self._connection(self._timeout if timeout is None else timeout)
        try:
            answer = _request(connection, method, target, content, headers)
        except BaseException:
            connection.close()
            raise
        if timeout is None:
            self._local.connection = connection
        else:
            connection.close()
        return answer

    def _connection(self, timeout: float) -> http.client.HTTPConnection:
        if self._url.scheme == "unix":
            return _UnixConnection("/" + (self._url.netloc + self._url.path).lstrip("/"), timeout)
        return http.client.HTTPConnection(self._url.hostname or "localhost", self._url.port, timeout=timeout)


def _nothing() -> None:
    pass


def _request(
    connection: http.client.HTTPConnection,
    method: str,
    target: str,
    content: Optional[bytes],
    headers: Mapping[str, str],
) -> tuple[int, bytes]:
    connection.request(method, target, content, dict(headers))
    response = connection.getresponse()
    return response.status, response.read()


def _message(data: bytes) -> str:
    """The engine's own words of an error."""
    try:
        return str(json.loads(data)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return data.decode("utf-8", "replace").strip() or "the Docker Engine gave no reason"


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
