# SPDX-License-Identifier: GPL-3.0-or-later
"""Images as a stream between hosts: who may send, what is sent, and how it is passed on.

A receiver listens with a token of its own. Who connects proves that it knows the token (which never travels), and sends

    header   frame   {"images": [...], "archive": false, "forward": [...]}: what comes, and whom to pass it on to
    blobs    frame   {"blob": sha256, "size": bytes}, then so many bytes; each is checked against its sha256
    end      frame   {"end": true}, or {"error": why}

where a frame is JSON behind its length (4 bytes). A receiver passes everything on while it comes (a tree of hosts is as
fast as one connection), and the token of who is next is derived from its own.

Hand-written because ``docker save | ssh docker load`` sends every layer to every host through the controller.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import socket
import struct
import tarfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Callable, Union

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import split_image

CHUNK = 1 << 20
#: seconds that an address gets to accept a connection, and a connection to show that it knows the token
CONNECT_TIMEOUT = 5.0
#: seconds without a byte after which a connection counts as lost
STALL_TIMEOUT = 300.0
#: bytes of a blob that are handed on only when all of it was checked: an archive has its end in them
_TAIL = 1 << 16
_NONCE = 32
_LENGTH = struct.Struct(">I")
_FRAME_LIMIT = 1 << 22


class StreamError(ProfileError):
    """The stream broke off, or is not what it says it is."""


def derive(secret: str, name: str) -> str:
    """The token of *name*, for whoever knows *secret*."""
    return hmac.new(secret.encode(), name.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Image:
    """One image in a stream: the names it gets, its id and its layers (sha256:...)."""

    names: tuple[str, ...]
    id: str
    layers: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"names": list(self.names), "id": self.id, "layers": list(self.layers)}


def image_from(data: Mapping[str, Any]) -> Image:
    """An image in parsed JSON."""
    return Image(tuple(data["names"]), str(data["id"]), tuple(data.get("layers") or ()))


@dataclass(frozen=True)
class Receiver:
    """A receiver, and those that it passes the stream on to."""

    name: str
    address: str
    port: int
    forward: tuple[Receiver, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        forward = [node.as_dict() for node in self.forward]
        return {"name": self.name, "address": self.address, "port": self.port, "forward": forward}

    @property
    def names(self) -> list[str]:
        """This one, and all that are behind it."""
        return [self.name, *(name for node in self.forward for name in node.names)]


def node_from(data: Mapping[str, Any]) -> Receiver:
    """A node in parsed JSON."""
    forward = tuple(node_from(item) for item in data.get("forward") or ())
    return Receiver(str(data["name"]), str(data["address"]), int(data["port"]), forward)


@dataclass(frozen=True)
class Header:
    """What a stream brings. With *archive* it is one blob, whatever ``docker save`` wrote."""

    images: tuple[Image, ...]
    archive: bool = False
    forward: tuple[Receiver, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "images": [image.as_dict() for image in self.images],
            "archive": self.archive,
            "forward": [node.as_dict() for node in self.forward],
        }


def header_from(data: Mapping[str, Any]) -> Header:
    """The header in parsed JSON. Raises StreamError where it is none."""
    try:
        return Header(
            tuple(image_from(item) for item in data["images"]),
            bool(data["archive"]),
            tuple(node_from(item) for item in data["forward"]),
        )
    except (KeyError, TypeError, ValueError):
        raise StreamError("the stream does not begin with a header") from None


# -- frames


def frame(data: Mapping[str, Any]) -> bytes:
    """A frame as it travels."""
    text = json.dumps(data, sort_keys=True).encode()
    return _LENGTH.pack(len(text)) + text


class Reader:
    """Reads frames and bytes from a connection or a file. Raises StreamError for all that goes wrong."""

    def __init__(self, source: Union[socket.socket, BinaryIO]) -> None:
        self.source = source
        self.bytes = 0

    def some(self, most: int) -> bytes:
        """Up to *most* bytes; at least one."""
        try:
            if isinstance(self.source, socket.socket):
                data = self.source.recv(min(most, CHUNK))
            else:
                data = self.source.read(min(most, CHUNK))
        except (TimeoutError, socket.timeout):
            raise StreamError("nothing came any more") from None
        except OSError as error:
            raise StreamError(f"the stream broke off: {error.strerror or error}") from None
        if not data:
            raise StreamError("the stream ended early")
        self.bytes += len(data)
        return data

    def exactly(self, size: int) -> bytes:
        parts = []
        while size:
            parts.append(self.some(size))
            size -= len(parts[-1])
        return b"".join(parts)

    def frame(self) -> dict[str, Any]:
        (size,) = _LENGTH.unpack(self.exactly(_LENGTH.size))
        if size > _FRAME_LIMIT:
            raise StreamError("what came is not a stream of images")
        try:
            data = json.loads(self.exactly(size))
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise StreamError("what came is not a stream of images")
        return data


# -- who may send


def admit(connection: socket.socket, token: str) -> bool:
    """Whether who has connected knows the token; it is told nothing but the answer."""
    nonce = os.urandom(_NONCE)
    try:
        connection.sendall(nonce)
        proof = Reader(connection).exactly(hashlib.sha256().digest_size)
    except (OSError, StreamError):
        return False
    if not hmac.compare_digest(proof, _proof(token, nonce)):
        return False
    try:
        connection.sendall(b"+")
    except OSError:
        return False
    return True


def introduce(connection: socket.socket, token: str) -> None:
    """Prove to the receiver that we know its token. Raises StreamError where it does not believe it."""
    reader = Reader(connection)
    try:
        connection.sendall(_proof(token, reader.exactly(_NONCE)))
        accepted = reader.exactly(1) == b"+"
    except (OSError, StreamError):
        accepted = False
    if not accepted:
        raise StreamError("it does not accept our token")


def _proof(token: str, nonce: bytes) -> bytes:
    return hmac.new(token.encode(), nonce, hashlib.sha256).digest()


def listen(address: str, port: int = 0) -> socket.socket:
    """A listening socket on one address; *port* 0 lets the kernel choose. Raises ProfileError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(8)
    except OSError as error:
        listener.close()
        raise ProfileError(f"cannot listen on {address}, port {port or 'any'}: {error.strerror}") from None
    return listener


# -- passing on


class Branches:
    """The connections to those that get the stream next. One that fails is given up; the others go on.

    With *adopt* those behind one that cannot be reached are connected to in its place. ``lost`` says why, by the name
    of the receiver.
    """

    def __init__(self, header: Header, secret: str, adopt: bool = True) -> None:
        self.header = header
        self.adopt = adopt
        self.connections: dict[str, socket.socket] = {}
        self.behind: dict[str, list[str]] = {}
        self.lost: dict[str, str] = {}
        self._connect(header.forward, secret)

    def _connect(self, nodes: Sequence[Receiver], secret: str) -> None:
        for node in nodes:
            token = derive(secret, node.name)
            try:
                connection = self._open(node, token)
            except (OSError, StreamError) as error:
                why = getattr(error, "strerror", None) or str(error)
                self.lost[node.name] = f"cannot connect to {node.address}, port {node.port}: {why}"
                if self.adopt:
                    self._connect(node.forward, token)
                continue
            self.connections[node.name] = connection
            self.behind[node.name] = node.names

    def _open(self, node: Receiver, token: str) -> socket.socket:
        connection = socket.create_connection((node.address, node.port), timeout=CONNECT_TIMEOUT)
        try:
            introduce(connection, token)
            connection.settimeout(STALL_TIMEOUT)
            connection.sendall(frame(Header(self.header.images, self.header.archive, node.forward).as_dict()))
        except BaseException:
            connection.close()
            raise
        return connection

    def write(self, data: bytes) -> None:
        """Send to all that are still there."""
        for name in list(self.connections):
            try:
                self.connections[name].sendall(data)
            except OSError as error:
                self._drop(name, f"the connection to {name} broke off: {error.strerror or error}")

    def _drop(self, name: str, why: str) -> None:
        self.connections.pop(name).close()
        self.lost.update(dict.fromkeys(self.behind[name], why))

    def close(self) -> None:
        for connection in self.connections.values():
            connection.close()
        self.connections.clear()


# -- blobs


def relayed(reader: Reader, branches: Branches) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """The blobs of a stream as (digest, size, chunks), passed on while they are read.

    Chunks must be read to their end before the next blob. Raises StreamError for what is not as it should be.
    """
    while True:
        data = reader.frame()
        branches.write(frame(data))
        if data.get("error"):
            raise StreamError(f"the sender failed: {data['error']}")
        if data.get("end"):
            return
        try:
            digest, size = str(data["blob"]), int(data["size"])
        except (KeyError, TypeError, ValueError):
            raise StreamError("what came is not a stream of images") from None
        yield digest, size, _chunks(reader, branches, digest, size)


def _chunks(reader: Reader, branches: Branches, digest: str, size: int) -> Iterator[bytes]:
    checksum = hashlib.sha256()
    held = b""
    while size:
        data = reader.some(size)
        size -= len(data)
        branches.write(data)
        checksum.update(data)
        held += data
        if len(held) > _TAIL:
            yield held[:-_TAIL]
            held = held[-_TAIL:]
    if f"sha256:{checksum.hexdigest()}" != digest:
        raise StreamError(f"what came as {digest[:19]} is something else: it was changed on its way")
    if held:
        yield held


def archive(header: Header, blobs: Iterable[tuple[str, int, Iterator[bytes]]]) -> Iterator[bytes]:
    """What comes, as ``docker load`` takes it.

    Layers that the host has need not come: the engine looks for them before it reads them. No piece is empty: in a
    chunked request that would be the end. Raises StreamError.
    """
    if header.archive:
        for _digest, _size, chunks in blobs:
            yield from chunks
        return
    configs = {image.id for image in header.images}
    known = configs.union(*(image.layers for image in header.images))
    for digest, size, chunks in blobs:
        if digest not in known:
            raise StreamError(f"{digest[:19]} belongs to none of the images")
        yield _tar_header(file_name(digest, digest in configs), size)
        yield from chunks
        if size % tarfile.BLOCKSIZE:
            yield _padding(size)
    manifest = json.dumps(
        [
            {
                "Config": file_name(image.id, True),
                # The engine takes no name without a tag here.
                "RepoTags": [tagged(name) for name in image.names],
                "Layers": [file_name(layer, False) for layer in image.layers],
            }
            for image in header.images
        ]
    ).encode()
    yield _tar_header("manifest.json", len(manifest))
    yield manifest + _padding(len(manifest)) + b"\0" * (2 * tarfile.BLOCKSIZE)


def tagged(name: str) -> str:
    """The name of an image with its tag."""
    return name if "@" in name else ":".join(split_image(name))


def file_name(digest: str, config: bool) -> str:
    """The name of a blob in the archive."""
    return f"{digest.partition(':')[2]}.{'json' if config else 'tar'}"


def _tar_header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    return member.tobuf(tarfile.GNU_FORMAT)


def _padding(size: int) -> bytes:
    return b"\0" * (-size % tarfile.BLOCKSIZE)


def send_blob(write: Callable[[bytes], Any], digest: str, size: int, file: BinaryIO) -> None:
    """Send one blob through *write*."""
    file.seek(0)
    write(frame({"blob": digest, "size": size}))
    for data in iter(lambda: file.read(CHUNK), b""):
        write(data)
