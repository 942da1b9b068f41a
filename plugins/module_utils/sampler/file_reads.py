# SPDX-License-Identifier: GPL-3.0-or-later
"""The reading of a container's files: begun at its end or at that of the measurement, told when it is done."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Optional, Protocol

from ansible_collections.retail.profiles.plugins.module_utils.engine.http_response import HttpError
from ansible_collections.retail.profiles.plugins.module_utils.sampler import engine_requests
from ansible_collections.retail.profiles.plugins.module_utils.sampler.files import ARCHIVE_BYTES, Archive, Pattern
from ansible_collections.retail.profiles.plugins.module_utils.sampler.http_client import Exchange
from ansible_collections.retail.profiles.plugins.module_utils.sampler.logs import parse_stamp

READ_SECONDS = 8.0
NO_FILE = "no such file"
REMOVED = "the container was removed before its files were read"


class Connected(Protocol):
    """What reading needs of the loop."""

    engine: str

    def follow(self, exchange: Exchange) -> None:
        """Serve the exchange's socket."""


class FileReads:
    """The files of one container. *tell(kind, fields)* records a sample; *absent(word, reason)* what is missing."""

    def __init__(
        self, paths: tuple[str, ...], around: Connected, tell: Callable[..., None], absent: Callable[[str, str], None]
    ) -> None:
        self._paths = paths
        self._around = around
        self._tell = tell
        self._absent = absent
        self._pending: dict[str, Exchange] = {}
        self._read: Optional[tuple[str, str]] = None  # the container and start that have been read to their end

    @property
    def pending(self) -> int:
        """How many files are being read."""
        return len(self._pending)

    def begin(self, seen: engine_requests.ContainerSeen, now: float) -> None:
        """Read all files; once, where the container has ended. *now*: monotonic seconds."""
        if self._read == (seen.id, seen.started_at):
            return
        if not seen.running:
            self._read = (seen.id, seen.started_at)
        for path in self._paths:
            if path not in self._pending:
                self._begin(path, seen, now)

    def gone(self) -> None:
        """The container was removed."""
        for path in self._paths:
            if self._read is None:
                self._absent(f"file {path}", REMOVED)

    def _lacks(self, path: str, reason: str) -> None:
        """It may be there, and could not be read: it is tried again."""
        self._read = None
        self._absent(f"file {path}", reason)

    def _begin(self, path: str, seen: engine_requests.ContainerSeen, now: float) -> None:
        pattern = Pattern(path)
        since_ns, _length = parse_stamp(seen.started_at.encode())
        archive = Archive(pattern, (since_ns or 0) / 1e9)

        def ended(status: Optional[int], error: Optional[str], body: bytes) -> None:
            self._pending.pop(path, None)
            self._ended(path, archive, status, error, body)

        try:
            exchange = Exchange(
                self._around.engine,
                engine_requests.archive_request(seen.id, pattern.asked),
                archive.feed,
                ended,
                expires=now + READ_SECONDS,
                limit=ARCHIVE_BYTES,
            )
        except (HttpError, OSError) as error:
            self._lacks(path, f"the engine cannot be asked: {error}")
            return
        self._pending[path] = exchange
        self._around.follow(exchange)

    def _ended(self, path: str, archive: Archive, status: Optional[int], error: Optional[str], body: bytes) -> None:
        if error is not None or status not in (200, 404):
            self._lacks(path, error or engine_requests.message(status, body))
            return
        if b"No such container" in body:
            self.gone()
            return
        for name, data in sorted(archive.found.items()):
            fields: dict[str, Any] = {"path": path, "file": name, "text": data.decode("utf-8", "replace")}
            self._tell("file", **fields)
        if not archive.found:
            refused = [f"{name} {why}" for name, why in sorted(archive.refused.items())]
            self._absent(f"file {path}", "; ".join(refused[:3]) or NO_FILE)

    def end(self) -> None:
        """Give up what is not there yet."""
        for exchange in list(self._pending.values()):
            exchange.end("no answer in time")
