# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's API over a socket: connections that are kept, that break, that hang, and what errors say."""

from __future__ import annotations

import http.server
import io
import json
import socketserver
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import Api, EngineError, demultiplexed, quoted
from ansible_collections.retail.profiles.plugins.module_utils.engine.archives import get, post
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, connect


def archive_of(**files: bytes) -> bytes:
    """A tar archive of these files, and of a link."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


class Answers(http.server.BaseHTTPRequestHandler):
    """An engine of few words; what the tests ask for is in the path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        server: Any = self.server
        server.seen.append((id(self), self.path))
        path = self.path.partition("/v1.41")[2].partition("?")[0] or self.path
        if path == "/hang":
            server.release.wait(10)
            return
        if path == "/gone":
            self.close_connection = True
            self.connection.close()
            return
        status, body = 200, json.dumps({"ApiVersion": "1.41", "path": self.path}).encode()
        if path == "/nothing":
            self.send_response(204)
            self.end_headers()
            return
        if path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            # The end comes in a packet of its own.
            for piece in (b"4\r\n[1, \r\n", b"2\r\n2]\r\n", b"0\r\n", b"\r\n"):
                self.wfile.write(piece)
                self.wfile.flush()
            return
        if path == "/stream":
            self.send_response(200)
            self.end_headers()
            self.close_connection = True
            self.wfile.write(b"all until the end")
            return
        if path == "/refused":
            status, body = 409, b'{"message": "no such luck"}'
        elif path == "/plain":
            status, body = 500, b"just text"
        elif path == "/silent":
            status, body = 502, b""
        elif path == "/containers/c/archive":
            status, body = 404, b'{"message": "Could not find the file"}'
            if self.path.endswith("%2Fa"):
                status, body = 200, archive_of(a="é\n".encode())
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if path == "/close":
            # As an engine closes what has been idle: after the answer, without a word.
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        server: Any = self.server
        server.seen.append((id(self.connection), self.path))
        server.taken = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        server: Any = self.server
        assert self.headers["Transfer-Encoding"] == "chunked"
        if self.path.endswith("/full"):
            # As an engine does that has no room: it answers, and reads no more.
            self.close_connection = True
            body = b'{"message": "no space left on device"}'
            self.send_response(500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        taken = b""
        while size := int(self.rfile.readline(), 16):
            taken += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        server.taken = taken
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"done")

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def address_string(self) -> str:
        return "unix"


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str) -> None:
        super().__init__(path, Answers)
        self.seen: list[tuple[int, str]] = []
        self.taken: Optional[bytes] = None
        self.release = threading.Event()


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    made = Server(str(folder / "docker.sock"))
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made
    finally:
        made.release.set()
        made.shutdown()
        thread.join()
        made.server_close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path) as made:
        yield made


def api(server: Server, timeout: float = 5) -> Api:
    return Api(f"unix://{server.server_address}", timeout)


def test_the_version_is_the_engines_and_stands_in_every_path(server: Server) -> None:
    made = api(server)
    assert made.version == (1, 41)
    assert made.call("GET", "/x", "ask", query={"all": 1, "name": "a b"})["path"] == "/v1.41/x?all=1&name=a+b"


def test_a_thread_keeps_its_connection(server: Server) -> None:
    made = api(server)
    for _time in range(3):
        made.call("GET", "/x", "ask")
    assert len({connection for connection, _path in server.seen}) == 1
    other = threading.Thread(target=lambda: made.call("GET", "/x", "ask"))
    other.start()
    other.join()
    assert len({connection for connection, _path in server.seen}) == 2


def test_the_answers_of_an_engine(server: Server) -> None:
    made = api(server)
    for _time in range(3):
        assert made.call("GET", "/nothing", "ask") is None
        assert made.call("GET", "/chunked", "ask") == [1, 2]
    assert len({connection for connection, _path in server.seen}) == 1
    assert made.raw("GET", "/stream", "ask") == b"all until the end"
    assert made.call("GET", "/x", "ask")["path"] == "/v1.41/x"


def test_a_connection_that_was_closed_while_idle_is_made_anew(server: Server) -> None:
    made = api(server)
    made.call("GET", "/close", "ask")
    assert made.call("GET", "/x", "ask")["path"] == "/v1.41/x"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/refused", 409, "no such luck"),
        ("/plain", 500, "just text"),
        ("/silent", 502, "the Docker Engine gave no reason"),
        ("/gone", 0, r"the Docker Engine did not answer \(ask: "),
    ],
)
def test_errors_are_the_engines_own_words(server: Server, path: str, status: int, message: str) -> None:
    made = api(server)
    with pytest.raises(EngineError, match=message) as caught:
        made.call("GET", path, "ask")
    assert caught.value.status == status
    assert made.call("GET", "/x", "ask")["path"] == "/v1.41/x"


def test_what_is_got_comes_in_pieces(server: Server) -> None:
    made = api(server)
    pieces = list(get(made, "/chunked", "get", {"names": ["a:1", "b"]}))
    assert b"".join(pieces) == b"[1, 2]"
    assert server.seen[-1][1] == "/v1.41/chunked?names=a%3A1&names=b"
    assert b"".join(get(made, "/stream", "get", {})) == b"all until the end"


@pytest.mark.parametrize(("path", "message"), [("/refused", "no such luck"), ("/gone", r"did not answer \(get: ")])
def test_what_cannot_be_got_is_told_of(server: Server, path: str, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        list(get(api(server), path, "get", {}))


@given(st.lists(st.binary(min_size=1, max_size=3000), max_size=20))
def test_what_is_given_in_pieces_comes_whole(pieces: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder)) as server:
        assert post(api(server), "/load", "give", {}, iter(pieces)) == b"done"
        assert server.taken == b"".join(pieces)


def test_files_are_written_into_a_container(server: Server) -> None:
    Engine(f"unix://{server.server_address}", 5).put("c", {"/run/secrets/a": "é\n", "/b": "x"})
    assert server.seen[-1][1] == "/v1.41/containers/c/archive?path=%2F"
    with tarfile.open(fileobj=io.BytesIO(server.taken or b"")) as archive:
        found = {member.name: archive.extractfile(member).read() for member in archive}
        assert {member.mode & 0o444 for member in archive} == {0o444}
    assert found == {"run/secrets/a": "é\n".encode(), "b": b"x"}


def test_a_file_is_read_out_of_a_container(server: Server) -> None:
    engine = Engine(f"unix://{server.server_address}", 5)
    assert engine.read("c", "/run/secrets/a") == "é\n"
    assert server.seen[-1][1] == "/v1.41/containers/c/archive?path=%2Frun%2Fsecrets%2Fa"
    assert engine.read("c", "/gone") is None


def test_an_engine_that_takes_no_more_is_heard(server: Server) -> None:
    with pytest.raises(EngineError, match="no space left on device") as caught:
        post(api(server), "/full", "give", {}, (bytes(1 << 20) for _piece in range(50)))
    assert caught.value.status == 500


def test_giving_ends_where_nothing_may_be_written(server: Server) -> None:
    made = api(server)

    def ended() -> None:
        raise ProfileError("nobody asks any more")

    made.checkpoint = ended
    with pytest.raises(ProfileError, match="nobody asks"):
        post(made, "/load", "give", {}, iter([b"x"]))
    assert server.taken is None


def test_what_goes_wrong_with_the_pieces_stays_what_it_is(server: Server) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x"
        raise ProfileError("the sender failed")

    with pytest.raises(ProfileError, match="the sender failed") as caught:
        post(api(server), "/load", "give", {}, pieces())
    assert not isinstance(caught.value, EngineError)


def test_an_engine_that_hangs_is_told_of_and_can_be_asked_again(server: Server) -> None:
    made = api(server, timeout=0.2)
    with pytest.raises(EngineError, match=r"took too long \(ask\)"):
        made.call("GET", "/hang", "ask")
    server.release.set()
    assert made.call("GET", "/x", "ask")["path"] == "/v1.41/x"


def test_a_call_with_a_time_of_its_own_uses_a_connection_of_its_own(server: Server) -> None:
    made = api(server)
    made.call("GET", "/x", "ask", timeout=3)
    assert len({connection for connection, _path in server.seen}) == 2


def test_only_sockets_and_tcp() -> None:
    with pytest.raises(EngineError, match="DOCKER_HOST=ssh://h is not unix:// or tcp://"):
        connect("ssh://h")


def test_names_in_paths() -> None:
    assert quoted("registry:5000/a/b@sha256:c") == "registry:5000/a/b@sha256:c"
    assert quoted("a b?c#d") == "a%20b%3Fc%23d"


@given(st.lists(st.tuples(st.integers(0, 2), st.binary(max_size=50))))
def test_log_frames_are_taken_apart(frames: list[tuple[int, bytes]]) -> None:
    stream = b"".join(bytes([kind, 0, 0, 0]) + len(data).to_bytes(4, "big") + data for kind, data in frames)
    assert demultiplexed(stream) == b"".join(data for _kind, data in frames)
