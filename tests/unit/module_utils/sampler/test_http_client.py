# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP exchanges over sockets that never block."""

from __future__ import annotations

import selectors
import socket
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.engine.http_response import HttpError
from ansible_collections.retail.profiles.plugins.module_utils.sampler.http_client import Exchange, get


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
