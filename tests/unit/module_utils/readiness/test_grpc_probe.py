# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gRPC probe against a server that plays back frames."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.readiness import grpc_probe as g

DATA, HEADERS, RST, SETTINGS, PING, GOAWAY, WINDOW = 0, 1, 3, 4, 6, 7, 8


def frame(kind: int, payload: bytes = b"", flags: int = 0, stream: int = 1) -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def message(payload: bytes) -> bytes:
    return b"\x00" + struct.pack(">I", len(payload)) + payload


READY = b"\x08\x01"
HELLO = frame(SETTINGS, b"\x00\x03\x00\x00\x00\x64", stream=0)
STATUS_OK = frame(HEADERS, b"\x88", flags=4)
TRAILERS = frame(HEADERS, b"\x40\x0bgrpc-status\x010", flags=5)


class Server:
    """Accepts one connection, waits for the request, sends *answer*, keeps what it received."""

    def __init__(self, answer: bytes, close: bool = True) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.received = b""
        self.answer, self.close = answer, close
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        connection, _address = self.listener.accept()
        with connection:
            connection.settimeout(5)
            self.received = connection.recv(65536)
            connection.sendall(self.answer)
            if self.close:
                connection.shutdown(socket.SHUT_WR)
            while True:
                more = connection.recv(65536)
                if not more:
                    break
                self.received += more

    def stop(self) -> None:
        self.thread.join(10)
        self.listener.close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(*frames: bytes, close: bool = True) -> Server:
        servers.append(Server(b"".join(frames), close))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_a_model_that_is_ready(serve: Callable[..., Server]) -> None:
    server = serve(HELLO, STATUS_OK, frame(DATA, message(READY)), TRAILERS)
    assert g.model_ready("127.0.0.1", server.port, "face", 5) is True
    server.stop()
    assert server.received.startswith(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert frame(SETTINGS, stream=0) in server.received
    assert b"/inference.GRPCInferenceService/ModelReady" in server.received
    assert b"application/grpc" in server.received
    assert frame(DATA, message(b"\x0a\x04face"), flags=1) in server.received
    assert frame(SETTINGS, flags=1, stream=0) in server.received  # the server's settings are acknowledged


def test_a_model_that_is_not_ready(serve: Callable[..., Server]) -> None:
    server = serve(HELLO, STATUS_OK, frame(DATA, message(b"")), TRAILERS)
    assert g.model_ready("127.0.0.1", server.port, "face", 5) is False


def test_pings_window_updates_padding_and_parts(serve: Callable[..., Server]) -> None:
    whole = message(READY)
    server = serve(
        HELLO,
        frame(PING, b"12345678", stream=0),
        frame(WINDOW, b"\x00\x00\x10\x00", stream=0),
        STATUS_OK,
        frame(DATA, whole[:3]),
        frame(DATA, b"\x02" + whole[3:] + b"\x00\x00", flags=8),
    )
    assert g.server_ready("127.0.0.1", server.port, 5) is True
    server.stop()
    assert frame(PING, b"12345678", flags=1, stream=0) in server.received


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ([HELLO, frame(HEADERS, b"\x88\x40\x0bgrpc-status\x015", flags=5)], "gRPC status NOT_FOUND"),
        ([HELLO, frame(HEADERS, b"\x88\x40\x0bgrpc-status\x0212", flags=5)], "gRPC status UNIMPLEMENTED"),
        ([HELLO, frame(HEADERS, b"\x88\x40\x0bgrpc-status\x017", flags=5)], "gRPC status 7"),
        ([HELLO, STATUS_OK, frame(HEADERS, b"\xff", flags=5)], "answered without a message"),
        ([HELLO, frame(GOAWAY, struct.pack(">II", 0, 2), stream=0)], "ended the connection (HTTP/2 error 2)"),
        ([HELLO, frame(RST, struct.pack(">I", 7))], "reset the call (HTTP/2 error 7)"),
        ([HELLO], "closed the connection"),
        ([b"HTTP/1.1 400 Bad Request\r\n\r\n"], "does not speak HTTP/2"),
    ],
)
def test_what_a_refusal_says(serve: Callable[..., Server], frames: list[bytes], why: str) -> None:
    server = serve(*frames)
    with pytest.raises(g.GrpcError) as caught:
        g.server_ready("127.0.0.1", server.port, 5)
    assert why in str(caught.value)


def test_a_server_that_says_nothing(serve: Callable[..., Server]) -> None:
    server = serve(HELLO, close=False)
    with pytest.raises(TimeoutError):
        g.server_ready("127.0.0.1", server.port, 0.1)


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        g.server_ready("127.0.0.1", port, 5)


@given(st.text(st.characters(codec="ascii"), min_size=0, max_size=400))
def test_a_string_is_as_long_as_it_says(text: str) -> None:
    """HPACK, RFC 7541, 5.1 and 5.2: 7 bits of length, then groups of 7 bits."""
    raw = g._string(text)
    length, index = raw[0] & 0x7F, 1
    assert raw[0] < 0x80  # not Huffman coded
    if length == 0x7F:
        shift = 0
        while True:
            length += (raw[index] & 0x7F) << shift
            shift += 7
            index += 1
            if raw[index - 1] < 0x80:
                break
    assert raw[index:] == text.encode("ascii")
    assert length == len(text)


@given(st.binary(max_size=300))
def test_a_protobuf_field_is_as_long_as_it_says(value: bytes) -> None:
    raw = g._varint(value)
    length, index, shift = 0, 0, 0
    while True:
        length |= (raw[index] & 0x7F) << shift
        shift += 7
        index += 1
        if raw[index - 1] < 0x80:
            break
    assert (length, raw[index:]) == (len(value), value)
