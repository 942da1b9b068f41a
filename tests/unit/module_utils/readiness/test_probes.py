# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of probe: what satisfies it, what does not, and what it says then."""

from __future__ import annotations

import dataclasses
import http.server
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.names import SECRETS_LABEL
from ansible_collections.retail.profiles.plugins.module_utils.readiness import waiter
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import (
    NotReady,
    Probe,
    address_of,
    container_address,
    describe,
    fixed_time,
)

from .fakes import FakeEngine, shown, wait


@pytest.fixture
def server() -> Iterator[int]:
    """Answers 503 once, then 200; /v2/models/a/ready is ready, others are not."""
    answers = [503]

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path in ("/ready", "/v2/models/a/ready")
            self.send_response(answers.pop() if answers and self.path == "/ready" else 200 if known else 404)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found.server_address[1]
    found.shutdown()
    thread.join()
    found.server_close()


def test_http_until_it_answers(server: int) -> None:
    time = wait(FakeEngine(shown()), Probe("http", port=server, path="/ready", replica="d-a-1"))
    assert time.slept == [0.0, waiter.INTERVAL]


def test_rest_models(server: int) -> None:
    wait(FakeEngine(shown()), Probe("ovms_models", port=server, models=("a",), protocol="rest", replica="d-a-1"))
    with pytest.raises(NotReady, match="model b is not ready"):
        wait(
            FakeEngine(shown()),
            Probe("ovms_models", port=server, models=("a", "b"), protocol="rest", timeout=0.3, replica="d-a-1"),
        )


def test_rest_models_whose_names_are_no_path() -> None:
    """A name is one segment of the path, whatever is in it."""
    with generating(200) as (port, seen):
        models = ("Qwen/Qwen2.5-VL", "two words", "50%")
        wait(FakeEngine(shown()), Probe("ovms_models", port=port, models=models, protocol="rest", replica="d-a-1"))
    assert [path for _method, path, _key, _body in seen] == [
        "/v2/models/Qwen%2FQwen2.5-VL/ready",
        "/v2/models/two%20words/ready",
        "/v2/models/50%25/ready",
    ]


def test_a_token_is_asked_for_with_the_key_that_the_container_has() -> None:
    inspect = {**shown(), "Config": {"Env": ["PATH=/bin", "API_KEY=k=1"]}}
    probe = Probe("generates", port=0, path="/v3/completions", models=("m",), body='{"model": "m"}', replica="d-a-1")
    with generating(503, 200) as (port, seen):
        wait(FakeEngine(inspect), dataclasses.replace(probe, port=port))
    assert seen == [("POST", "/v3/completions", "Bearer k=1", '{"model": "m"}')] * 2


def test_a_key_that_is_refused_is_told() -> None:
    probe = Probe("generates", port=0, path="/v3/x", models=("m",), body="{}", replica="d-a-1", timeout=0.2)
    with generating(401) as (port, _seen), pytest.raises(NotReady) as caught:
        wait(FakeEngine(shown()), dataclasses.replace(probe, port=port))
    assert f"a token of m from http://d-a-1:{port}/v3/x: answered 401" in str(caught.value)


@contextmanager
def generating(*statuses: int) -> Iterator[tuple[int, list[tuple[str, str, str, str]]]]:
    """A server that answers these, the last again and again; its port, and method, path, key and body of requests."""
    answers, seen = list(statuses), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            seen.append((self.command, self.path, self.headers.get("Authorization", ""), body))
            self.send_response(answers.pop(0) if len(answers) > 1 else answers[0])
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_args: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1], seen
        server.shutdown()
        thread.join()


@contextmanager
def rtsp_server(answer: bytes) -> Iterator[tuple[int, list[str]]]:
    """A server that gives every RTSP request the same answer; its port, and the requests it has seen."""
    requests: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            lines = list(iter(lambda: self.rfile.readline().decode().rstrip("\r\n"), ""))
            requests.append("\n".join(lines))
            self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_address[1], requests
        server.shutdown()
        thread.join()


SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=Session\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\n"


def described(body: bytes, status: bytes = b"200 OK") -> bytes:
    length = str(len(body)).encode()
    return b"RTSP/1.0 " + status + b"\r\nCSeq: 1\r\ncontent-length: " + length + b"\r\n\r\n" + body


def test_rtsp_that_describes_a_stream() -> None:
    with rtsp_server(described(SDP)) as (port, requests):
        wait(FakeEngine(shown()), Probe("rtsp", port=port, path="/camera1", replica="d-a-1"))
    assert requests == [f"DESCRIBE rtsp://127.0.0.1:{port}/camera1 RTSP/1.0\nCSeq: 1\nAccept: application/sdp"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (described(b"", b"404 Not Found"), "answered 404 Not Found"),
        (described(SDP.partition(b"m=")[0]), "the description has no media"),
        (described(SDP).replace(b"content-length: ", b"content-length: many"), "no RTSP answer"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no RTSP answer"),
        (b"", "no RTSP answer"),
    ],
)
def test_rtsp_that_is_not_ready(answer: bytes, reason: str) -> None:
    with rtsp_server(answer) as (port, _requests), pytest.raises(NotReady) as caught:
        wait(FakeEngine(shown()), Probe("rtsp", port=port, path="/x", address="127.0.0.1", timeout=0.3), None)
    assert f"RTSP DESCRIBE rtsp://127.0.0.1:{port}/x: {reason}" in str(caught.value)


def test_an_address_needs_no_engine(server: int) -> None:
    engine = FakeEngine(None)
    wait(engine, Probe("http", port=server, path="/v2/models/a/ready", address="127.0.0.1"), None)
    assert engine.looked == 0


def test_tcp_that_listens_and_tcp_that_does_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        wait(FakeEngine(shown()), Probe("tcp", port=port, replica="d-a-1"))
    with pytest.raises(NotReady, match=r"not ready after 0\.3 s: connecting to .*: Connection refused"):
        wait(FakeEngine(shown()), Probe("tcp", port=port, replica="d-a-1", timeout=0.3))


def test_a_proxy_with_nobody_behind_it_is_not_ready() -> None:
    """Docker's own proxy accepts, and closes at once when the container does not."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            connection, _address = listener.accept()
            connection.close()

        thread = threading.Thread(target=accept)
        thread.start()
        with pytest.raises(NotReady, match="nobody listens behind"):
            wait(FakeEngine(shown()), Probe("tcp", port=listener.getsockname()[1], address="127.0.0.1", timeout=0))
        thread.join()


def test_only_lines_since_the_end_of_the_last_start_count() -> None:
    old = "2026-01-31T10:00:00.400000000Z ready\n"
    wait(FakeEngine(shown({"FinishedAt": "0001-01-01T00:00:00Z"}), log=old), Probe("log", pattern="ready"))
    with pytest.raises(NotReady, match="no such line in its log"):
        wait(FakeEngine(shown(), log=old), Probe("log", pattern="ready", timeout=0.2))
    wait(FakeEngine(shown(), log=old + "2026-01-31T10:00:00.500000001Z ready\n"), Probe("log", pattern="ready"))


def test_a_log_that_cannot_be_read() -> None:
    with pytest.raises(NotReady, match="does not support reading"):
        wait(FakeEngine(shown(), log="none"), Probe("log", pattern="x"))


def test_health() -> None:
    starting, healthy = shown({"Health": {"Status": "starting"}}), shown({"Health": {"Status": "healthy"}})
    assert wait(FakeEngine(starting, healthy), Probe("healthy")).now == waiter.INTERVAL
    with pytest.raises(NotReady, match="has no health check"):
        wait(FakeEngine(shown()), Probe("healthy"))


def test_exit_0() -> None:
    done, failed = ({"Status": "exited", "Running": False, "ExitCode": code} for code in (0, 2))
    assert wait(FakeEngine(shown(), shown(done)), Probe("exited")).now == waiter.INTERVAL
    with pytest.raises(NotReady, match="exited with code 2, not 0; its log ends"):
        wait(FakeEngine(shown(failed)), Probe("exited"))


def test_the_end_of_a_log_has_nothing_of_a_secret_file() -> None:
    labels = {"Labels": {SECRETS_LABEL: "/run/secrets/token /run/secrets/gone"}}
    failed = shown({"Status": "exited", "Running": False, "ExitCode": 2}, Config=labels)
    engine = FakeEngine(failed, log="it is topsecret\n", token="topsecret\n")
    with pytest.raises(NotReady, match=r"its log ends:\n  it is \*{8}$"):
        wait(engine, Probe("exited"))


def test_addresses() -> None:
    assert container_address(shown()) is None
    ends = {"b": {"IPAddress": "10.0.0.2"}, "a": {"IPAddress": "10.0.0.1"}}
    assert container_address({"HostConfig": {"NetworkMode": "a"}, "NetworkSettings": {"Networks": ends}}) == "10.0.0.1"
    bridge = {"bridge": {"IPAddress": "", "GlobalIPv6Address": "fd00::2"}}
    default = {"HostConfig": {"NetworkMode": "default"}, "NetworkSettings": {"Networks": bridge}}
    assert container_address(default) == "fd00::2"
    joined = shown(HostConfig={"NetworkMode": "container:2"})
    engine: Any = FakeEngine({"HostConfig": {"NetworkMode": "a"}, "NetworkSettings": {"Networks": ends}})
    assert address_of(engine, joined) == "10.0.0.1"
    assert address_of(engine, shown()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("2026-01-31T10:00:00Z", "2026-01-31T10:00:00.000000000Z"),
        ("2026-01-31T10:00:00.5Z", "2026-01-31T10:00:00.500000000Z"),
        ("2026-01-31T10:00:00.123456789Z", "2026-01-31T10:00:00.123456789Z"),
    ],
)
def test_dockers_times_compare_as_texts(text: str, fixed: str) -> None:
    assert fixed_time(text) == fixed


def test_what_a_probe_asks_in_words() -> None:
    assert describe(Probe("tcp", address="fd00::1", port=80)) == "connecting to [fd00::1]:80"
    assert describe(Probe("http", replica="r", port=80, path="/x")) == "GET http://r:80/x wants 200"
    assert describe(Probe("rtsp", address="fd00::1", port=8554, path="/x")) == "RTSP DESCRIBE rtsp://[fd00::1]:8554/x"
    assert describe(Probe("ovms_models", address="h", port=9, models=("a", "b"))) == "models a, b ready (grpc) at h:9"
