# SPDX-License-Identifier: GPL-3.0-or-later
"""Image archives out of the engine and into it, in pieces as they come: ``docker save`` and ``docker load``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.names import ENGINE_TIMEOUT
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import (
    Api,
    Connection,
    EngineError,
    accepted,
    head,
    quoted,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import (
    Engine,
    reachable,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.http_response import Response


class ImageEngine(Engine):
    """An engine whose images are saved and loaded."""

    def save(self, images: Sequence[str]) -> Iterator[bytes]:
        """What ``docker save`` writes of *images* (names or ids), in one archive."""
        return get(self._api, "/images/get", "save images", {"names": list(images)})

    def load(self, archive: Iterator[bytes]) -> None:
        """Load what :meth:`save` gave; raises EngineError with the engine's own words."""
        told = post(self._api, "/images/load", "load images", {"quiet": 1}, archive)
        for line in told.splitlines():
            error = json.loads(line).get("error")
            if error:
                raise EngineError(str(error))

    def remove_image(self, name: str) -> None:
        """Take *name* away from its image, and with its last name the image. Raises EngineError."""
        self._api.raw("DELETE", f"/images/{quoted(name)}", "remove an image")


def connect(url: Optional[str] = None, timeout: int = ENGINE_TIMEOUT) -> ImageEngine:
    """As :func:`client.connect`."""
    return ImageEngine(reachable(url), timeout)


def get(api: Api, path: str, doing: str, query: Mapping[str, Any]) -> Iterator[bytes]:
    """What is at *path*, in pieces as they come. Raises EngineError."""
    refusal, response = b"", Response()
    with api.connection(doing) as connection:
        connection.send(head("GET", api.target(path, query)))
        for data in connection.rest(response):
            if response.status is None or response.status >= 400:
                refusal += data
            elif data:
                yield data
    accepted(int(response.status or 0), refusal)


def post(api: Api, path: str, doing: str, query: Mapping[str, Any], archive: Iterator[bytes]) -> bytes:
    """Post an *archive* that comes in pieces, none of them empty; the bytes of the answer. Raises EngineError."""
    api.checkpoint()
    response = Response()
    more = "Content-Type: application/x-tar", "Transfer-Encoding: chunked"
    with api.connection(doing) as connection:
        connection.send(head("POST", api.target(path, query), *more))
        for piece in archive:
            if not _sent(connection, b"%x\r\n%b\r\n" % (len(piece), piece)):
                break
        else:
            _sent(connection, b"0\r\n\r\n")
        body = b"".join(connection.rest(response))
    return accepted(int(response.status or 0), body)


def _sent(connection: Connection, data: bytes) -> bool:
    """Whether it was taken; where not, the engine has answered already, and reads no more."""
    try:
        connection.send(data)
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True
