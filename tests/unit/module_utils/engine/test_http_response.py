# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP answers, split anywhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.engine.http_response import HttpError, Response

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


@given(bodies, cuts)
def test_a_chunked_answer_takes_its_last_line_and_trailers_along(parts: list[bytes], where: list[int]) -> None:
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\nX-Trailer: 1\r\n"
    response, got = fed(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks, where)
    assert (got, response.complete) == (b"".join(parts), False)
    response.at_end()
    assert response.feed(b"\r\n") == b""
    assert response.complete


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_that_never_has_a_body(status: int) -> None:
    response, got = fed(b"HTTP/1.1 %d Done\r\nServer: x\r\n\r\n" % status, [])
    assert (response.status, got, response.complete, response.closes) == (status, b"", True, False)


def test_an_answer_that_ends_its_connection_says_so() -> None:
    response, _got = fed(b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n", [])
    assert (response.complete, response.closes) == (True, True)
