# SPDX-License-Identifier: GPL-3.0-or-later
"""One unary gRPC call over HTTP/2: enough to ask a KServe server whether it is ready.

Hand-written because hosts have no grpcio: RFC 9113 (HTTP/2), RFC 7541 (HPACK), gRPC's "PROTOCOL-HTTP2". Of the headers
of an answer only what is readable without a decoder's state is read.
"""

from __future__ import annotations

import re
import socket
import struct
import time
from typing import Optional

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _CONTINUATION = 0, 1, 3, 4, 6, 7, 9
_END_STREAM, _ACK, _END_HEADERS, _PADDED = 0x1, 0x1, 0x4, 0x8
_STREAM = 1
_MAX_FRAME = 1 << 24

_STATUS = {3: "INVALID_ARGUMENT", 5: "NOT_FOUND", 12: "UNIMPLEMENTED", 14: "UNAVAILABLE"}


class GrpcError(Exception):
    """The call failed; the text says how."""


def model_ready(address: str, port: int, model: str, timeout: float) -> bool:
    """KServe ``ModelReady`` of *model*. Raises GrpcError or OSError."""
    name = model.encode("utf-8")
    return _ready(call(address, port, "/inference.GRPCInferenceService/ModelReady", b"\x0a" + _varint(name), timeout))


def server_ready(address: str, port: int, timeout: float) -> bool:
    """KServe ``ServerReady``. Raises GrpcError or OSError."""
    return _ready(call(address, port, "/inference.GRPCInferenceService/ServerReady", b"", timeout))


def _varint(value: bytes) -> bytes:
    """*value* after its length as protobuf writes it."""
    length, prefix = len(value), b""
    while length > 0x7F:
        prefix += bytes([length & 0x7F | 0x80])
        length >>= 7
    return prefix + bytes([length]) + value


def _ready(message: bytes) -> bool:
    """Field 1, a bool, of the answer; false is what protobuf leaves out."""
    return message.startswith(b"\x08\x01")


def call(address: str, port: int, method: str, message: bytes, timeout: float) -> bytes:
    """Call *method* with an encoded message, answer the encoded reply.

    *timeout* in seconds holds for the whole call. Raises OSError (also TimeoutError) where the connection fails,
    GrpcError where the server refuses or does not speak gRPC.
    """
    deadline = time.monotonic() + timeout
    with socket.create_connection((address, port), timeout=timeout) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        authority = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        body = b"\x00" + struct.pack(">I", len(message)) + message
        connection.sendall(
            _PREFACE
            + _frame(_SETTINGS, 0, 0, b"")
            + _frame(_HEADERS, _END_HEADERS, _STREAM, request_headers(authority, method))
            + _frame(_DATA, _END_STREAM, _STREAM, body)
        )
        return _Answer(connection, deadline).read()


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def request_headers(authority: str, method: str) -> bytes:
    """The header block of the call: static table entries, and literals never indexed by the server."""
    return (
        b"\x83\x86"  # :method POST, :scheme http
        + _literal(b"\x04", method)  # :path
        + _literal(b"\x01", authority)  # :authority
        + _literal(b"\x0f\x10", "application/grpc")  # content-type, entry 31
        + _literal(b"\x00" + _string("te"), "trailers")
        + _literal(b"\x0f\x2b", "retail-profiles")  # user-agent, entry 58
    )


def _literal(name: bytes, value: str) -> bytes:
    return name + _string(value)


def _string(value: str) -> bytes:
    """An HPACK string without Huffman coding: its length with a 7 bit prefix, its bytes."""
    raw = value.encode("ascii")
    if len(raw) < 127:
        return bytes([len(raw)]) + raw
    rest, length = len(raw) - 127, b"\x7f"
    while rest > 0x7F:
        length += bytes([rest & 0x7F | 0x80])
        rest >>= 7
    return length + bytes([rest]) + raw


class _Answer:
    """Frames of the answer, until the reply is whole or the stream ends."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self.connection = connection
        self.deadline = deadline
        self.buffer = b""
        self.headers = b""
        self.data = b""

    def read(self) -> bytes:
        while True:
            kind, flags, stream, payload = self._next()
            if kind == _SETTINGS and not flags & _ACK:
                self.connection.sendall(_frame(_SETTINGS, _ACK, 0, b""))
            elif kind == _PING and not flags & _ACK:
                self.connection.sendall(_frame(_PING, _ACK, 0, payload))
            elif kind == _GOAWAY:
                raise GrpcError(f"the server ended the connection (HTTP/2 error {_code(payload[4:8])})")
            elif stream == _STREAM:
                message = self._ours(kind, flags, payload)
                if message is not None:
                    return message
            # WINDOW_UPDATE and whatever else is about flow control or priorities that a call this small never needs

    def _ours(self, kind: int, flags: int, payload: bytes) -> Optional[bytes]:
        """A frame of our stream; the reply once it is whole."""
        if kind == _RST_STREAM:
            raise GrpcError(f"the server reset the call (HTTP/2 error {_code(payload)})")
        if kind in (_HEADERS, _CONTINUATION):
            self.headers += payload
        elif kind == _DATA:
            self.data += payload[1 : len(payload) - payload[0]] if flags & _PADDED and payload else payload
            if len(self.data) >= 5:
                (length,) = struct.unpack(">I", self.data[1:5])
                if len(self.data) >= 5 + length:
                    return self.data[5 : 5 + length]
        if flags & _END_STREAM and kind in (_HEADERS, _DATA):
            raise GrpcError(status_text(self.headers))
        return None

    def _next(self) -> tuple[int, int, int, bytes]:
        head = self._take(9)
        length = int.from_bytes(head[:3], "big")
        if length > _MAX_FRAME or head[:5] == b"HTTP/":
            raise GrpcError("what listens there does not speak HTTP/2")
        return head[3], head[4], int.from_bytes(head[5:9], "big") & 0x7FFFFFFF, self._take(length)

    def _take(self, count: int) -> bytes:
        while len(self.buffer) < count:
            remaining = self.deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("timed out")
            self.connection.settimeout(remaining)
            received = self.connection.recv(65536)
            if not received:
                raise GrpcError("the server closed the connection")
            self.buffer += received
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken


def _code(payload: bytes) -> int:
    return int.from_bytes(payload[:4], "big")


def status_text(headers: bytes) -> str:
    """What an answer without a message says, as far as it is readable without Huffman decoding."""
    status = re.search(rb"grpc-status([\x01\x02])(\d{1,2})", headers)
    if not status:
        return "the server answered without a message"
    code = int(status.group(2)[: status.group(1)[0]])
    return f"the server answered gRPC status {_STATUS.get(code, code)}"
