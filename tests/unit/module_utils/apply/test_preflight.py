# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would keep a share from running on a host: ports that are taken, and what the host itself lacks."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.apply import preflight
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import (
    Needed,
    Order,
    ReplicaTask,
    parse_order,
    parse_share,
    parse_task,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Published

TASK = {"name": "d-a-1", "image": "i:1"}


def order(**params: Any) -> Order:
    return parse_order({"state": "present", "deployment": "d", "state_dir": "/s", **params})


def replica(**params: Any) -> dict[str, Any]:
    return {"replicas": [{"name": "d-a-1", "container": "a", "task": TASK, **params}]}


def published(address: str, port: int, protocol: str = "tcp") -> Published:
    return Published(address, port, protocol)


@pytest.mark.parametrize(
    ("sockets", "held", "ours", "holder"),
    [
        ([], [], [], None),
        ([published("10.0.0.1", 80)], [], [], "a process of this host"),
        ([published("0.0.0.0", 80)], [], [], "a process of this host"),
        ([published("::", 80)], [], [], "a process of this host"),
        ([published("10.0.0.2", 80)], [], [], None),
        ([published("10.0.0.1", 80, "udp")], [], [], None),
        ([published("10.0.0.1", 80)], [], [published("10.0.0.1", 80)], None),
        ([published("10.0.0.1", 80)], [((published("10.0.0.1", 80),), "web")], [], "the container web"),
        ([], [((published("0.0.0.0", 80),), "web")], [], "the container web"),
    ],
)
def test_taken_ports(sockets: list[Published], held: Any, ours: list[Published], holder: Optional[str]) -> None:
    share = order(share=replica(task={**TASK, "published_ports": ["10.0.0.1:80:8080"]})).share
    problems = preflight.taken_ports(share.replicas, sockets, held, ours)
    assert len(problems) == (0 if holder is None else 1)
    if holder:
        assert f"d-a-1 publishes 10.0.0.1:80/tcp, which {holder} holds" in str(problems[0]["message"])
        assert (problems[0]["container"], problems[0]["field"]) == ("a", "ports")


def test_ports_that_the_engine_chooses_are_never_taken() -> None:
    assert preflight.published(parse_task({"published_ports": ["80", "8000-8009:81"]}, "a")) == []


# -- the host itself

MIB = 1 << 20


def task_of(name: str = "a-1", **more: Any) -> ReplicaTask:
    task = {"image": "i", **more.pop("task", {})}
    share = {"replicas": [{"name": name, "container": "a", "task": task, **more}]}
    return parse_share(share).replicas[0]


def test_an_engine_that_is_too_old() -> None:
    assert preflight.old_engine((1, 41), {}) == preflight.old_engine((1, 100), {}) == []
    (found,) = preflight.old_engine((1, 40), {"Version": "19.03.15"})
    assert found["message"] == "Docker Engine 19.03.15 (API 1.40) is too old: 20.10 (API 1.41) or later is needed"


def test_room_is_looked_for_where_a_folder_will_be_made(tmp_path: Path) -> None:
    there = os.statvfs(tmp_path)
    free = there.f_bavail * there.f_frsize
    assert preflight.no_room([("f", str(tmp_path / "not" / "yet"), free // 2)]) == []
    (found,) = preflight.no_room([("f", str(tmp_path / "not"), free * 2)])
    assert found["field"] == "f"
    assert f"MiB are free at {tmp_path / 'not'}" in str(found["message"])


def test_memory_that_a_host_does_not_have() -> None:
    tasks = [task_of(task={"memory": "512m"}), task_of("a-2", task={"memory_reservation": "300m"})]
    assert preflight.too_much_memory(tasks, 512 * MIB) == []
    (found,) = preflight.too_much_memory(tasks, 400 * MIB)
    assert found == {
        "container": "a",
        "field": "memory",
        "message": "a-1 asks for 512 MiB of memory, this host has 400 MiB",
    }
    (found,) = preflight.too_much_memory([tasks[1], tasks[1]], 512 * MIB)
    assert "reserve 600 MiB of memory together" in str(found["message"])


@pytest.mark.parametrize(
    ("image", "machine", "told"),
    [
        ({"Architecture": "amd64"}, "x86_64", ""),
        ({"Architecture": "386"}, "x86_64", ""),
        ({}, "x86_64", ""),
        ({"Architecture": "arm64"}, "aarch64", ""),
        ({"Architecture": "arm64"}, "x86_64", "is built for arm64, this host is amd64"),
        ({"Architecture": "amd64"}, "aarch64", "is built for amd64, this host is arm64"),
    ],
)
def test_images_of_another_architecture(image: Mapping[str, Any], machine: str, told: str, tmp_path: Path) -> None:
    why = preflight.of_another_machine(image, machine, str(tmp_path))
    assert why.startswith(told)
    assert bool(why) is bool(told)


def test_an_emulated_architecture_will_do(tmp_path: Path) -> None:
    (tmp_path / "qemu-aarch64").touch()
    assert preflight.of_another_machine({"Architecture": "arm64"}, "x86_64", str(tmp_path)) == ""


def reaching(*places: tuple[str, int]) -> list[ReplicaTask]:
    probes = [{"kind": "tcp", "address": address, "port": port} for address, port in places]
    return [task_of(reach=probes)]


def test_a_server_that_is_not_up_yet_is_in_reach() -> None:
    with socket.socket() as closed, socket.create_server(("127.0.0.1", 0)) as listening:
        closed.bind(("127.0.0.1", 0))
        places = [("127.0.0.1", one.getsockname()[1]) for one in (closed, listening)]
        assert preflight.out_of_reach(reaching(*places)) == ([], [])


def test_a_share_without_servers_elsewhere_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", lambda *_args, **_more: pytest.fail("asked"))
    log = {"kind": "log", "replica": "a-1", "pattern": "x"}
    assert preflight.out_of_reach([task_of(ready=[log]), task_of("a-2")]) == ([], [])


@pytest.mark.parametrize(
    ("error", "problem", "warning"),
    [
        (OSError(errno.EHOSTUNREACH, "No route to host"), "does not reach: No route to host", ""),
        (socket.gaierror(-2, "Name or service not known"), "does not reach: Name or service not known", ""),
        (socket.timeout("timed out"), "", "which is silent: is a firewall between?"),
        (TimeoutError(errno.ETIMEDOUT, "Connection timed out"), "", "which is silent"),
        (ConnectionResetError(errno.ECONNRESET, "reset"), "", ""),
    ],
)
def test_a_server_to_which_there_is_no_way(
    error: OSError, problem: str, warning: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_more: Any) -> None:
        raise error

    monkeypatch.setattr(socket, "create_connection", refuse)
    problems, warnings = preflight.out_of_reach(reaching(("192.0.2.1", 9000), ("192.0.2.1", 9000)))
    assert [problem in str(item["message"]) for item in problems] == ([True] if problem else [])
    assert [warning in item for item in warnings] == ([True] if warning else [])
    assert all("192.0.2.1:9000" in str(item) for item in (*problems, *warnings))


@pytest.mark.parametrize(
    ("inside", "is_fine"), [("1/m.xml", True), ("graph.pbtxt", True), ("one/m.xml", False), ("0/m.xml", False)]
)
def test_a_model_has_a_version_folder_or_is_a_graph(tmp_path: Path, inside: str, is_fine: bool) -> None:
    (tmp_path / "m" / inside).parent.mkdir(parents=True)
    (tmp_path / "m" / inside).write_text("", encoding="utf-8")
    found = preflight.missing_paths(Needed(str(tmp_path / "m"), "a", "config.json m", "m"))
    assert [str(problem) for problem in found] == ([] if is_fine else [str(found[0])])
    assert is_fine or f"model m: {tmp_path}/m has no version folder (such as {tmp_path}/m/1)" in str(found[0])
