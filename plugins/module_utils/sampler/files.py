# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a container writes, out of the archive that the engine makes of one path: bounded, following no link.

The engine looks for the path in the container's own file system and its volumes, whether it runs or has ended.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
import tarfile
from dataclasses import dataclass
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.engine.http_response import HttpError

FILE_BYTES = 2 << 20  # of one file
MOST_BYTES = 8 << 20  # of all files that a pattern matches
MOST_FILES = 64
ARCHIVE_BYTES = 64 << 20  # of the archive of a folder, whatever is in it
NAME_BYTES = 64 << 10  # of an entry that names the next one
_MAGIC = re.compile(r"[*?[]")
_FILES = (tarfile.REGTYPE, tarfile.AREGTYPE)
_LINKS = (tarfile.LNKTYPE, tarfile.SYMTYPE)
_PAX_PATH = re.compile(rb"(?:^|\n)\d+ path=([^\n]*)\n")


@dataclass(frozen=True)
class Pattern:
    """A path in a container; ``*``, ``?`` and ``[…]`` in it stand for what is in one name."""

    text: str

    @property
    def _parts(self) -> list[str]:
        return self.text.strip("/").split("/")

    @property
    def _fixed(self) -> int:
        """How many parts there are before the first with a sign."""
        parts = self._parts
        return next((index for index, part in enumerate(parts) if _MAGIC.search(part)), len(parts))

    @property
    def asked(self) -> str:
        """The path that the engine is asked for: the file, or the folder in which it is looked for."""
        folder = "/" + "/".join(self._parts[: self._fixed])
        return folder if self._fixed == len(self._parts) else f"{folder}/."

    def full(self, entry: str) -> Optional[str]:
        """The path in the container of an entry of the archive; None where it does not match."""
        parts, wanted = posixpath.normpath(entry).split("/"), self._parts[self._fixed :]
        if not wanted:
            return self.text if len(parts) == 1 else None
        if len(parts) != len(wanted) or not all(map(fnmatch.fnmatchcase, parts, wanted)):
            return None
        return "/" + "/".join([*self._parts[: self._fixed], *parts])


class Archive:
    """A tar archive that comes in pieces: *found* has what matches *pattern*, *refused* what cannot be taken, and why.

    *since*: what was changed before that (unix seconds) is of an earlier container. What one pattern may take is
    bounded: beyond it `feed` raises HttpError.
    """

    def __init__(self, pattern: Pattern, since: float) -> None:
        self.found: dict[str, bytes] = {}
        self.refused: dict[str, str] = {}
        self._pattern = pattern
        self._since = since
        self._buffer = bytearray()
        self._skip: float = 0
        self._entry: Optional[tarfile.TarInfo] = None
        self._name: Optional[str] = None  # of the next entry, where that does not hold its name itself
        self._bytes = 0

    def feed(self, data: bytes) -> None:
        """Take a piece. Raises HttpError."""
        self._buffer += data
        while self._step():
            pass

    def _step(self) -> bool:
        """Go on by one part of an entry; False where more has to come first."""
        if self._skip:
            passed = int(min(self._skip, len(self._buffer)))
            del self._buffer[:passed]
            self._skip -= passed
            return not self._skip
        if self._entry is None:
            head = self._take(tarfile.BLOCKSIZE)
            if head is not None:
                self._begin(head)
            return head is not None
        body = self._take(self._entry.size)
        if body is None:
            return False
        entry, self._entry = self._entry, None
        self._skip = -entry.size % tarfile.BLOCKSIZE
        self._end(entry, body)
        return True

    def _take(self, size: int) -> Optional[bytes]:
        if len(self._buffer) < size:
            return None
        data = bytes(self._buffer[:size])
        del self._buffer[:size]
        return data

    def _begin(self, head: bytes) -> None:
        if not head.strip(b"\0"):
            self._skip = float("inf")  # the end of the archive
            return
        try:
            entry = tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise HttpError(f"the engine's archive cannot be read: {error}") from error
        if entry.type in (tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME):
            if entry.size > NAME_BYTES:
                raise HttpError("the engine's archive has a name that is too long")
            self._entry = entry
            return
        name, self._name = self._name or entry.name, None
        full = self._pattern.full(name)
        why = None if full is None else self._refusal(entry)
        if full is not None and why is None and entry.type in _FILES:
            entry.name = full
            self._count(entry.size)
            self._entry = entry
            return
        if full is not None and why is not None:
            self.refused[full] = why
        self._skip = entry.size + -entry.size % tarfile.BLOCKSIZE if entry.type not in _LINKS else 0

    def _refusal(self, entry: tarfile.TarInfo) -> Optional[str]:
        if entry.type in _LINKS:
            return "is a link, and links are not followed"
        if entry.type not in _FILES:
            return "is no file"
        if entry.size > FILE_BYTES:
            return f"has {entry.size} bytes; a file of at most {FILE_BYTES >> 20} MiB is read"
        if entry.mtime < int(self._since):
            return "was not written since the container started"
        return None

    def _count(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MOST_BYTES:
            raise HttpError(f"its files have more than {MOST_BYTES >> 20} MiB together")
        if len(self.found) >= MOST_FILES:
            raise HttpError(f"there are more than {MOST_FILES} such files")

    def _end(self, entry: tarfile.TarInfo, body: bytes) -> None:
        if entry.type in _FILES:
            self.found[entry.name] = body
            return
        match = _PAX_PATH.search(body) if entry.type == tarfile.XHDTYPE else None
        if match is not None:
            self._name = match.group(1).decode("utf-8", "surrogateescape")
        elif entry.type == tarfile.GNUTYPE_LONGNAME:
            self._name = body.rstrip(b"\0").decode("utf-8", "surrogateescape")
