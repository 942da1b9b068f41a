# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sampler asks the engine, and what it makes of the answers."""

from __future__ import annotations

import json
from typing import Any, Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.sampler import engine_requests
from ansible_collections.retail.profiles.plugins.module_utils.sampler.engine_requests import ContainerSeen

FULL: dict[str, Any] = {
    "Id": "ab" * 32,
    "State": {"Pid": 71, "Status": "running", "StartedAt": "2026-11-23T08:57:25.547Z", "ExitCode": 0},
    "Config": {
        "Tty": True,
        "Env": ["TOKEN=correct horse", "PATH=/bin"],
        "Labels": {"retail.profiles.secrets": "TOKEN GONE /run/secrets/key"},
    },
    "HostConfig": {"NetworkMode": "container:x"},
    "NetworkSettings": {"Networks": {"b": {"IPAddress": "192.0.2.2"}, "a": {"IPAddress": "192.0.2.1"}, "c": None}},
}


def test_requests_are_http_1_0_for_one_container_whatever_its_name() -> None:
    head, _rest = engine_requests.inspect_request("a/b c").split(b"\r\n", 1)
    assert head == b"GET /containers/a%2Fb%20c/json HTTP/1.0"


@pytest.mark.parametrize(
    ("since_ns", "query"),
    [
        (None, "follow=1&stdout=1&stderr=1&timestamps=1&tail=2000"),
        (1_795_424_245_000_000_312, "follow=1&stdout=1&stderr=1&timestamps=1&since=1795424245.000000312"),
    ],
)
def test_a_log_is_followed_from_a_time_or_from_its_last_lines(since_ns: Optional[int], query: str) -> None:
    head, _rest = engine_requests.logs_request("ab", since_ns).split(b"\r\n", 1)
    assert head == f"GET /containers/ab/logs?{query} HTTP/1.0".encode()


def test_a_description_becomes_a_value() -> None:
    seen = engine_requests.parse_inspect(json.dumps(FULL).encode())
    assert seen == ContainerSeen(
        id="ab" * 32,
        pid=71,
        status="running",
        started_at="2026-11-23T08:57:25.547Z",
        exit_code=0,
        tty=True,
        network_mode="container:x",
        address="192.0.2.1",
        secrets=("correct horse",),
        secret_files=("/run/secrets/key",),
    )
    assert seen.running and not seen.never_started
    assert "correct" not in repr(seen)


def test_what_may_be_missing_is_taken_as_nothing() -> None:
    seen = engine_requests.parse_inspect(b'{"Id": "x", "State": {"Status": "created", "Pid": null}, "Config": null}')
    assert (seen.pid, seen.exit_code, seen.tty, seen.network_mode, seen.address) == (0, 0, False, "default", None)
    assert not seen.running and seen.never_started


@pytest.mark.parametrize(
    ("networks", "address"),
    [
        ({"v6": {"GlobalIPv6Address": "2001:db8::1"}, "z": {"IPAddress": "192.0.2.9"}}, "192.0.2.9"),
        ({"v6": {"GlobalIPv6Address": "2001:db8::1", "IPAddress": ""}}, "2001:db8::1"),
        ({"host": {"IPAddress": ""}}, None),
        ({}, None),
    ],
)
def test_the_address_is_the_first_by_name_ipv4_before_ipv6(networks: dict[str, Any], address: Optional[str]) -> None:
    data = {**FULL, "NetworkSettings": {"Networks": networks}}
    assert engine_requests.parse_inspect(json.dumps(data).encode()).address == address


@pytest.mark.parametrize(
    ("status", "started_at", "never"),
    [
        ("created", "0001-01-01T00:00:00Z", True),
        ("exited", "0001-01-01T00:00:00Z", True),
        ("exited", "2026-11-23T08:57:25Z", False),
    ],
)
def test_one_that_never_started_is_told_from_one_that_ended(status: str, started_at: str, never: bool) -> None:
    state = {"Status": status, "StartedAt": started_at, "Pid": 0, "ExitCode": 3}
    seen = engine_requests.parse_inspect(json.dumps({**FULL, "State": state}).encode())
    assert (seen.running, seen.never_started, seen.exit_code) == (False, never, 3)


@pytest.mark.parametrize("body", [b"{}", b"[]", b"3", b"null", b'{"Id": 1, "State": 2}', b'{"State": {}}', b"<html>"])
def test_what_is_no_description_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"lacks|Expecting value"):
        engine_requests.parse_inspect(body)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"message": "No such\\n container: x"}', "the engine answered 404: No such container: x"),
        (b"page not\nfound", "the engine answered 404: page not found"),
        (b"[1]", "the engine answered 404: [1]"),
        (b"", "the engine answered 404: the Docker Engine gave no reason"),
        (b"x" * 1000, f"the engine answered 404: {'x' * 300}"),
    ],
)
def test_an_error_is_told_in_the_engines_words_in_one_line(body: bytes, told: str) -> None:
    assert engine_requests.message(404, body) == told


def test_samples_are_kept_by_prefix() -> None:
    text = b'# HELP ovms_a x\novms_a 1\nxovms_a 2\r\npipeline{x="\xff"} 3\n'
    assert engine_requests.keep_lines(text, (b"ovms_", b"pipe")) == 'ovms_a 1\npipeline{x="\ufffd"} 3\n'
    assert engine_requests.keep_lines(text, (b"none",)) == ""
