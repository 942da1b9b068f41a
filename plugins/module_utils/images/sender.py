# SPDX-License-Identifier: GPL-3.0-or-later
"""Images sent to trees of hosts: saved once, and of the layers only those that a tree lacks.

What ``docker save`` writes differs from version to version, but every file in it that matters is known by its content:
a configuration has the image's id as its sha256, a layer its own.
"""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, BinaryIO, Optional, cast

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.engine.archives import ImageEngine
from ansible_collections.retail.profiles.plugins.module_utils.images.stream import (
    CHUNK,
    Branches,
    Header,
    Image,
    Reader,
    Receiver,
    StreamError,
    frame,
    header_from,
    image_from,
    node_from,
    relayed,
    send_blob,
    tagged,
)

#: bytes of a file that are kept in memory; a longer one goes to a file without a name
_IN_MEMORY = 1 << 20


@dataclass(frozen=True)
class Transfer:
    """What one tree of hosts gets: *images*, of which they lack *blobs*, or with *archive* whatever is saved."""

    images: tuple[Image, ...]
    blobs: frozenset[str]
    archive: bool
    root: Receiver

    @property
    def header(self) -> Header:
        return Header(self.images, self.archive, (self.root,))


def transfer_from(data: Mapping[str, Any]) -> Transfer:
    """A transfer in the module's arguments."""
    return Transfer(
        tuple(image_from(item) for item in data["images"]),
        frozenset(data.get("blobs") or ()),
        bool(data.get("archive")),
        node_from(data["root"]),
    )


@dataclass
class Sent:
    """How a transfer went: bytes that left, the hosts that were lost and why, and the file it went to instead."""

    root: str
    bytes: int = 0
    lost: dict[str, str] = field(default_factory=dict)
    file: Optional[str] = None

    def as_dict(self) -> dict[str, Any]:
        return {"root": self.root, "bytes": self.bytes, "lost": self.lost, "file": self.file}


class Outlet:
    """Where one transfer goes: to the root of its tree, or, where that cannot be dialled, to a file in *folder*."""

    def __init__(self, transfer: Transfer, secret: str, folder: str, dial: bool) -> None:
        self.transfer = transfer
        self.sent = Sent(transfer.root.name)
        self._secret = secret
        self._folder = folder
        self._dial = dial
        self._wanted = set(transfer.blobs)
        self._file: Optional[BinaryIO] = None
        self._branches: Optional[Branches] = None

    def _open(self) -> None:
        """Connect, or open the file; not before there is something to send, as a receiver does not wait for ever."""
        if self._dial:
            self._branches = Branches(self.transfer.header, self._secret, adopt=False)
            self.sent.lost = self._branches.lost
            if self._branches.connections:
                return
        self.sent.lost = {}
        self.sent.file = os.path.join(self._folder, f"{self.transfer.root.name}.stream")
        self._file = cast(BinaryIO, open(self.sent.file, "wb"))  # noqa: SIM115  # close() does
        self._file.write(frame(self.transfer.header.as_dict()))

    def _write(self, data: bytes) -> None:
        if self._branches is None and self._file is None:
            self._open()
        self.sent.bytes += len(data)
        if self._file is not None:
            self._file.write(data)
        elif self._branches is not None:
            self._branches.write(data)

    def take(self, digest: str, size: int, file: BinaryIO) -> None:
        """Send a blob, if the tree lacks it."""
        if self.transfer.archive or digest in self._wanted:
            self._wanted.discard(digest)
            send_blob(self._write, digest, size, file)

    def end(self, error: Optional[str] = None) -> None:
        """Nothing more comes. Raises ProfileError where the engine did not save all that the tree lacks."""
        if error is None and self._wanted:
            error = f"the engine did not save {len(self._wanted)} of the layers of {_names(self.transfer.images)}"
            self._write(frame({"error": error}))
            raise ProfileError(error)
        self._write(frame({"error": error} if error else {"end": True}))

    def close(self) -> None:
        if self._branches is not None:
            self._branches.close()
        if self._file is not None:
            self._file.close()


@contextmanager
def spool(path: str) -> Iterator[str]:
    """A folder of our own; it stays only if all went well and files are left in it. Raises ProfileError."""
    try:
        os.makedirs(path, mode=0o700)
    except OSError as error:
        raise ProfileError(f"cannot make {path}: {error.strerror}") from None
    try:
        yield path
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise
    with suppress(OSError):
        os.rmdir(path)  # not empty: files to be sent from there


def send(engine: ImageEngine, transfers: Sequence[Transfer], secret: str, folder: str, dial: bool) -> list[Sent]:
    """Save what the transfers ask for, each set of images once, and send it. Raises ProfileError.

    *folder*: for what is on its way, and, in files to be sent from there (:func:`resend`), for what cannot
    be sent to its root; without *dial* all is meant to go that way.
    """
    sets: dict[tuple[tuple[str, ...], bool], list[Transfer]] = {}
    for transfer in transfers:
        # Without a tag the engine would save all of the repository.
        names = tuple(tagged(name) for image in transfer.images for name in image.names)
        ids = tuple(image.id for image in transfer.images)
        # The engine writes into an archive only the names that it was asked for; into ours we write them.
        sets.setdefault((names if transfer.archive else ids, transfer.archive), []).append(transfer)
    done: list[Sent] = []
    for (saved, whole), members in sets.items():
        outlets: list[Outlet] = []
        with ExitStack() as stack:
            for transfer in members:
                outlets.append(Outlet(transfer, secret, folder, dial))
                stack.callback(outlets[-1].close)
            try:
                for digest, size, file in _blobs(engine.save(saved), whole, folder):
                    for outlet in outlets:
                        outlet.take(digest, size, file)
            except (ProfileError, OSError, tarfile.TarError) as error:
                for outlet in outlets:
                    outlet.end(str(error))
                raise ProfileError(f"{_names(members[0].images)} cannot be sent: {error}") from None
            for outlet in outlets:
                outlet.end()
        done += [outlet.sent for outlet in outlets]
    return done


def _names(images: Sequence[Image]) -> str:
    return ", ".join(name for image in images for name in image.names)


def _blobs(saved: Iterator[bytes], whole: bool, folder: str) -> Iterator[tuple[str, int, BinaryIO]]:
    """What was saved, as one blob or file by file."""
    if not whole:
        yield from files_of(saved, folder)
        return
    digest, size, file = _kept(saved, folder)
    with file:
        yield digest, size, file


def files_of(saved: Iterator[bytes], folder: str) -> Iterator[tuple[str, int, BinaryIO]]:
    """The files in a tar that comes in pieces, as (sha256:..., size, file); a file is good until the next is asked for.

    Raises tarfile.TarError where it is none.
    """
    with tarfile.open(fileobj=cast(Any, _Pieces(saved)), mode="r|", bufsize=CHUNK) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None:
                digest, size, file = _kept(iter(partial(content.read, CHUNK), b""), folder)
                with file:
                    yield digest, size, file


def _kept(pieces: Iterator[bytes], folder: str) -> tuple[str, int, BinaryIO]:
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, dir=folder)  # noqa: SIM115  # whoever gets it closes it
    checksum = hashlib.sha256()
    for data in pieces:
        file.write(data)
        checksum.update(data)
    return f"sha256:{checksum.hexdigest()}", file.tell(), cast(BinaryIO, file)


class _Pieces(io.RawIOBase):
    """An iterator of bytes as a file to read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size


def resend(path: str, root: Receiver, secret: str) -> Sent:
    """Send what :func:`send` wrote to a file. Raises ProfileError."""
    try:
        with open(path, "rb") as file:
            reader = Reader(file)
            header = header_from(reader.frame())
            with _branches(Header(header.images, header.archive, (root,)), secret) as branches:
                for _digest, _size, chunks in relayed(reader, branches):
                    for _data in chunks:
                        pass
                return Sent(root.name, reader.bytes, branches.lost)
    except OSError as error:
        raise ProfileError(f"{path} cannot be read: {error.strerror}") from None
    except StreamError as error:
        raise ProfileError(f"{path}: {error}") from None


@contextmanager
def _branches(header: Header, secret: str) -> Iterator[Branches]:
    branches = Branches(header, secret)
    try:
        yield branches
    finally:
        branches.close()
