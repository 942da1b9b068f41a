# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP answers, split anywhere; exchanges over sockets that never block."""

from __future__ import annotations

import selectors
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.sampler_http import Exchange, HttpError, Response, get

bodies = st.lists(st.binary(min_size=1, max_size=40), max_size=5)
cuts = st.lists(st.integers(min_value=0, max_value=10**6), max_size=10)


def fed(data: bytes, where: list[int]) -> tuple[Response, bytes]:
    bounds = [0, *sorted(cut % (len(data) + 1) for cut in where), len(data)]
    response = Response()
    return response, b"".join(response.feed(data[a:b]) for a, b in zip(bounds, bounds[1:]))


@given(bodies, cuts)
def test_a_plain_answer_ends_with_the_connection(parts: list[bytes], where: list[int]) -> None:
    response, body = fed(b"HTTP/1.0 200 OK\r\nContent-Type: x\r\n\r\n" + b"".join(parts), where)
    assert (response.status, body, response.complete) == (200, b"".join(parts), False)
    response.at_end()


@given(bodies, cuts)
def test_an_answer_with_a_length_ends_there(parts: list[bytes], where: list[int]) -> None:
    body = b"".join(parts)
    head = b"HTTP/1.1 404 Not Found\r\ncontent-length: %d\r\n\r\n" % len(body)
    response, got = fed(head + body, where)
    assert (response.status, got, response.complete) == (404, body, True)


@given(bodies, cuts)
def test_a_chunked_answer(parts: list[bytes], where: list[int]) -> None:
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    response, got = fed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, where)
    assert (response.status, got, response.complete) == (200, b"".join(parts), True)


@pytest.mark.parametrize("data", [b"\x15\x03\x01\x00\x02", b"HTTP/1.1 x y\r\n\r\n", b"HTTP" + b"/" * 70000])
def test_what_is_not_http_is_told(data: bytes) -> None:
    with pytest.raises(HttpError, match="not HTTP"):
        Response().feed(data)


def test_an_answer_cut_short_is_told() -> None:
    for data in (b"", b"HTTP/1.0 200 OK\r\ncontent-length: 5\r\n\r\nabc", b"HTTP/1.0 200 OK\r\n"):
        response, _body = fed(data, [])
        with pytest.raises(HttpError, match="closed"):
            response.at_end()


class Talk:
    """A server's end and an exchange's end on one unix socket."""

    def __init__(self, path: Path, limit: int | None = None) -> None:
        self.body = b""
        self.ends: list[tuple[int | None, str | None, bytes]] = []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen()
        self.exchange = Exchange(str(path), get("/x"), self.take, lambda *end: self.ends.append(end), limit=limit)
        self.peer, _address = self.server.accept()
        self.exchange.on_ready()
        assert self.peer.recv(1000).startswith(b"GET /x HTTP/1.0\r\n")

    def take(self, data: bytes) -> None:
        self.body += data

    def answer(self, data: bytes) -> None:
        self.peer.sendall(data)
        self.peer.close()
        with selectors.DefaultSelector() as selector:
            selector.register(self.exchange.socket, selectors.EVENT_READ)
            while not self.exchange.ended:
                assert selector.select(10)
                self.exchange.on_ready()
        self.server.close()


def test_an_exchange_gives_the_body_and_ends_once(tmp_path: Path) -> None:
    talk = Talk(tmp_path / "s")
    talk.answer(b"HTTP/1.0 200 OK\r\n\r\nhello")
    talk.exchange.end("again")
    assert (talk.body, talk.ends) == (b"hello", [(200, None, b"")])


def test_the_text_of_a_refusal_is_kept_apart(tmp_path: Path) -> None:
    talk = Talk(tmp_path / "s")
    talk.answer(b'HTTP/1.0 404 Not Found\r\n\r\n{"message": "no"}')
    assert (talk.body, talk.ends) == (b"", [(404, None, b'{"message": "no"}')])


def test_an_answer_without_end_is_given_up_at_the_limit(tmp_path: Path) -> None:
    talk = Talk(tmp_path / "s", limit=100)
    talk.answer(b"HTTP/1.0 200 OK\r\n\r\n" + b"x" * 200)
    assert talk.ends == [(200, "the answer is longer than 100 bytes", b"")]


def test_nobody_there_is_told_with_the_address(tmp_path: Path) -> None:
    with pytest.raises(HttpError, match=r"cannot connect to .*nobody: No such file"):
        Exchange(str(tmp_path / "nobody"), b"", lambda _data: None, lambda *_end: None)
