# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared replicas on a real engine: joined, refused, left, and removed by the last; also by processes at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.apply.states import run
from ansible_collections.retail.profiles.plugins.module_utils.deployment.files import MissingFiles
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import parse_order
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine

from .conftest import IMAGE, Deployment
from .test_apply import shipped, writes

ROOT = Path(__file__).resolve().parents[2]
#: one call of profile_apply in a process of its own: parameters on standard input, the result on standard output
CALL = """
import json, sys
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import connect
from ansible_collections.retail.profiles.plugins.module_utils.apply.states import run
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import parse_order
print(json.dumps(run(parse_order(json.load(sys.stdin)), connect)))
"""
#: takes the lock of a shared replica, says so, and keeps it until it is killed
HOLD = """
import signal, sys
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import StateDir, alone_with
with alone_with(StateDir(sys.argv[1]), sys.argv[2]):
    print("held", flush=True)
    signal.pause()
"""


@dataclass
class Shared:
    """A replica that deployments share, on a network of its own."""

    engine: Engine
    state_dir: Path
    at: Deployment

    @property
    def name(self) -> str:
        return self.at.name

    def share(self, **options: Any) -> dict[str, Any]:
        """The part of a share that holds it; ``files`` and ``ready`` beside the options of its task."""
        files, ready = options.pop("files", []), options.pop("ready", [])
        network = self.at.network()
        task = {**self.at.task(networks=[{"name": network["name"]}], **options), "name": self.name}
        task["labels"]["retail.profiles.replica"] = self.name
        replica = {"name": self.name, "container": "server", "task": task, "ready": ready}
        return {"networks": [network], "files": files, "replicas": [replica]}

    def params(self, state: str, deployment: str, *tasks: dict[str, Any], **options: Any) -> dict[str, Any]:
        own = [{"name": task["name"], "container": "client", "task": task} for task in tasks]
        share = {"replicas": own, "shared": [self.share(**options)]}
        expected = [self.name, *(task["name"] for task in tasks)]
        return {
            "state": state,
            "deployment": deployment,
            "state_dir": str(self.state_dir),
            **({"share": share, "expected": expected} if state != "absent" else {}),
        }

    @property
    def members(self) -> set[str]:
        path = self.state_dir / "deployments" / self.name / "members.json"
        return set(json.loads(path.read_text())["members"]) if path.exists() else set()

    def container(self) -> dict[str, Any] | None:
        return self.engine.inspect(self.name)

    def remains(self) -> list[str]:
        """What is left of it on the host."""
        folder = self.state_dir / "deployments" / self.name
        found = [item["Name"] for item in self.engine.networks() if item["Name"].startswith(self.name)]
        return found + ([self.name] if self.container() else []) + ([str(folder)] if folder.exists() else [])


@pytest.fixture
def shared(engine: Engine, tmp_path: Path) -> Iterator[Shared]:
    at = Deployment(engine, tmp_path)
    at.name = f"shared-{at.name}-1"
    yield Shared(engine, tmp_path, at)
    at.sweep()


class User(Deployment):
    """A deployment that uses the shared replica."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared.engine, shared.state_dir)
        self.shared = shared

    def joins(self, *tasks: dict[str, Any], state: str = "present", check: bool = False, **options: Any) -> Any:
        params = self.shared.params(state, self.name, *tasks, **options)
        result = self.call(state, check=check, **{k: params[k] for k in ("share", "expected") if k in params})
        return result

    def call(self, state: str, *replicas: dict[str, Any], check: bool = False, **more: Any) -> dict[str, Any]:
        params = {"state": state, "deployment": self.name, "state_dir": str(self.state_dir), **more}
        params["archives"] = self.shared.at.archives
        return run(parse_order(params, check), lambda: self.engine)


@pytest.fixture
def users(shared: Shared) -> Iterator[tuple[User, User]]:
    made = User(shared), User(shared)
    yield made
    for user in made:
        user.sweep()


def status(result: dict[str, Any], name: str) -> str:
    assert not result["failed"], result["msg"]
    return str(result["replicas"][name]["status"])


def test_the_second_joins_and_the_last_to_leave_removes(shared: Shared, users: tuple[User, User]) -> None:
    one, two = users
    made = one.joins(one.task())
    assert status(made, shared.name) == "created"
    first = shared.container()
    assert first is not None
    joined = two.joins(two.task())
    assert (status(joined, shared.name), joined["changed"]) == ("joined", True)
    assert joined["replicas"][shared.name]["id"] == first["Id"]
    assert shared.members == {one.name, two.name}
    for user in users:
        again = user.joins(user.task())
        assert (status(again, shared.name), again["changed"]) == ("unchanged", False)

    gone = one.absent()
    assert f"{one.name} as a user of {shared.name}" in gone["removed"]
    assert not gone["failed"]
    assert shared.members == {two.name}
    after = shared.container()
    assert after is not None
    assert (after["Id"], after["State"]["StartedAt"]) == (first["Id"], first["State"]["StartedAt"])

    assert shared.name in two.absent()["removed"]
    assert shared.remains() == []
    assert not two.absent()["changed"]
    assert not (shared.state_dir / "deployments" / one.name).exists()


def test_joining_writes_nothing_to_the_engine(engine: Engine, shared: Shared, users: tuple[User, User]) -> None:
    one, two = users
    one.joins()
    assert writes(engine, shared.at, two.joins) == []
    assert writes(engine, shared.at, one.absent) == []
    assert shared.members == {two.name}


def test_another_specification_is_refused_and_told(shared: Shared, users: tuple[User, User]) -> None:
    one, two = users
    one.joins(env={"DEVICE": "CPU"})
    first = shared.container()
    checked = two.joins(state="checked", env={"DEVICE": "GPU"})
    refused = two.joins(two.task(), env={"DEVICE": "GPU"}, memory="64m")
    for message in (checked["problems"][0]["message"], refused["replicas"][shared.name]["error"]):
        assert f"is in use by {one.name} and runs with another specification" in message
        assert '"DEVICE=CPU"' in message and '"DEVICE=GPU"' in message
    assert "memory: runs with 0, wanted 67108864" in refused["replicas"][shared.name]["error"]
    assert checked["problems"][0]["field"] == "shared"
    assert shared.members == {one.name}
    assert first is not None
    now = shared.container()
    assert now is not None and now["Id"] == first["Id"]
    # What does not depend on it is there all the same, and alone it may be changed.
    assert refused["replicas"][f"{two.name}-a-1"]["status"] == "created"
    assert status(one.joins(env={"DEVICE": "GPU"}), shared.name) == "recreated"
    assert status(two.joins(env={"DEVICE": "GPU"}), shared.name) == "joined"


def test_a_network_in_use_is_not_changed_either(shared: Shared, users: tuple[User, User]) -> None:
    one, two = users
    one.joins()
    params = shared.params("present", two.name)
    params["share"]["shared"][0]["networks"][0]["internal"] = True
    result = two.call("present", share=params["share"], expected=params["expected"])
    assert "-net.internal: runs with false, wanted true" in result["replicas"][shared.name]["error"]
    assert shared.members == {one.name}


def test_files_are_its_own_and_go_with_it(shared: Shared, users: tuple[User, User]) -> None:
    file = shipped(shared.at, b"#!/bin/sh\n", "server.sh")
    options = {"files": [file], "volumes": [f"{file['dest']}:/server.sh:ro"]}
    archives, shared.at.archives = shared.at.archives, []
    with pytest.raises(MissingFiles) as missing:
        users[0].joins(**options)
    assert missing.value.dests == [file["dest"]]
    assert shared.members == set()
    shared.at.archives = archives
    for user in users:
        assert not user.joins(**options)["failed"]
    users[0].absent()
    assert Path(file["dest"]).read_bytes() == b"#!/bin/sh\n"
    users[1].absent()
    assert shared.remains() == []


def test_what_stands_still_is_started_for_the_joiner(shared: Shared, users: tuple[User, User]) -> None:
    one, two = users
    one.joins()
    shared.engine.stop(shared.name)
    assert status(two.joins(), shared.name) == "started"
    assert shared.members == {one.name, two.name}


def test_the_joiner_waits_until_it_is_ready(shared: Shared, users: tuple[User, User]) -> None:
    one, two = users
    log = [{"kind": "log", "pattern": "^up$", "replica": shared.name, "timeout": 20}]
    assert one.joins(ready=log)["replicas"][shared.name]["ready"] is True
    joined = two.joins(ready=log)["replicas"][shared.name]
    assert (joined["status"], joined["ready"]) == ("joined", True)
    never = [{"kind": "log", "pattern": "^never$", "replica": shared.name, "timeout": 0.3}]
    result = two.joins(ready=never)
    assert result["replicas"][shared.name]["status"] == "not_ready"
    assert "its log ends" in result["replicas"][shared.name]["error"]
    assert shared.members == {one.name, two.name}


def test_for_the_stock_module_it_is_started_before_and_waited_for_after(
    shared: Shared, users: tuple[User, User]
) -> None:
    one, _two = users
    log = [{"kind": "log", "pattern": "^up$", "replica": shared.name, "timeout": 20}]
    assert status(one.joins(state="prepared", ready=log), shared.name) == "created"
    assert one.joins(state="ready", ready=log)["replicas"][shared.name]["ready"] is True


def test_who_does_not_need_it_any_more_leaves(shared: Shared, users: tuple[User, User]) -> None:
    one, two = users
    one.joins()
    two.joins()
    task = one.task()
    result = one.call("present", share={"replicas": [one.replica(task)]}, expected=[task["name"]])
    assert f"{one.name} as a user of {shared.name}" in result["removed"]
    assert shared.members == {two.name}
    result = two.call("present", share={"replicas": []}, expected=[])
    assert shared.name in result["removed"]
    assert shared.remains() == []


def test_check_mode_tells_and_touches_nothing(shared: Shared, users: tuple[User, User]) -> None:
    one, two = users
    assert status(one.joins(check=True), shared.name) == "created"
    assert shared.remains() == []
    one.joins()
    told = two.joins(check=True)
    assert (status(told, shared.name), told["changed"]) == ("joined", True)
    (diff,) = told["replicas"][shared.name]["diff"]
    assert diff == {"field": "members", "current": [one.name], "desired": sorted([one.name, two.name])}
    assert one.absent(check=True)["removed"][-1] == f"{one.name} as a user of {shared.name}"
    assert shared.members == {one.name}


def test_stopping_everything_removes_it(shared: Shared, users: tuple[User, User]) -> None:
    for user in users:
        user.joins(user.task())
    result = users[0].call("absent", deployment=None, all=True)
    assert not result["failed"], result["msg"]
    assert result["removed"].count(shared.name) == 1
    assert shared.remains() == []


def test_by_its_own_name_it_goes_only_when_nobody_uses_it(shared: Shared, users: tuple[User, User]) -> None:
    one, _two = users
    one.joins()
    refused = one.call("absent", deployment=shared.name)
    assert f"{shared.name} is in use by {one.name}: stop these" in refused["msg"]
    members = shared.state_dir / "deployments" / shared.name / "members.json"
    members.unlink()
    assert not one.call("absent", deployment=shared.name)["failed"]
    assert shared.remains() == []


def test_where_the_folder_is_lost_the_name_decides(shared: Shared, users: tuple[User, User]) -> None:
    one, two = users
    one.joins()
    folder = shared.state_dir / "deployments" / shared.name
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    assert status(two.joins(), shared.name) == "joined"
    assert shared.name in two.absent()["removed"]
    assert shared.remains() == []


def process(code: str, *args: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".collections")}
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, "-c", code, *args], env=environment, stdin=pipe, stdout=pipe, text=True)


def test_processes_at_once_start_it_once_and_leave_it_once(engine: Engine, shared: Shared) -> None:
    names = [f"rpt{uuid.uuid4().hex[:8]}" for _number in range(4)]

    def all_at_once(state: str) -> list[dict[str, Any]]:
        started = [process(CALL) for _name in names]
        for each, name in zip(started, names):
            assert each.stdin is not None
            json.dump(shared.params(state, name), each.stdin)
        for each in started:
            assert each.stdin is not None
            each.stdin.close()
        return [json.loads(each.stdout.read()) for each in started if each.stdout is not None and not each.wait()]

    results: list[dict[str, Any]] = []
    done = writes(engine, shared.at, lambda: results.extend(all_at_once("present")))
    assert len(results) == len(names)
    assert sorted(status(result, shared.name) for result in results) == ["created", "joined", "joined", "joined"]
    assert (done.count("container create"), done.count("network create")) == (1, 1)
    assert shared.members == set(names)
    results.clear()
    done = writes(engine, shared.at, lambda: results.extend(all_at_once("absent")))
    assert [result["failed"] for result in results] == [False] * len(names)
    assert done.count("container destroy") == 1
    assert shared.remains() == []


def test_a_lock_ends_with_its_process(shared: Shared, users: tuple[User, User]) -> None:
    holder = process(HOLD, str(shared.state_dir), shared.name)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    joiner = process(CALL)
    assert joiner.stdin is not None and joiner.stdout is not None
    json.dump(shared.params("present", users[0].name), joiner.stdin)
    joiner.stdin.close()
    holder.kill()
    holder.wait()
    assert status(json.loads(joiner.stdout.read()), shared.name) == "created"
    assert joiner.wait() == 0


def test_who_was_killed_while_joining_can_be_stopped(shared: Shared, users: tuple[User, User]) -> None:
    """The member is written before anything is made."""
    one, two = users
    two.joins()
    shared.engine.remove(shared.name)
    members = shared.state_dir / "deployments" / shared.name / "members.json"
    members.write_text(json.dumps({"members": {one.name: "2026-01-31T10:00:00Z", two.name: "2026-01-31T10:00:00Z"}}))
    assert not one.absent()["failed"]
    assert shared.members == {two.name}
    assert not two.absent()["failed"]
    assert shared.remains() == []


def test_while_it_cannot_be_removed_its_last_user_stays(shared: Shared, users: tuple[User, User]) -> None:
    one, _two = users
    one.joins()
    name = f"{shared.name}-net"
    made = shared.engine.create(f"{one.name}-foreign", {"Image": IMAGE, "Cmd": ["sleep", "1000"]})
    shared.engine.connect(made, name, {})
    shared.engine.start(made)
    refused = one.absent()
    assert f"containers that are not ours are connected to it: {one.name}-foreign" in refused["msg"]
    assert shared.members == {one.name}
    shared.engine.remove(made)
    assert not one.absent()["failed"]
    assert name not in {network["Name"] for network in shared.engine.networks()}
