# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments to orders, decisions, records and ownership, preflight, results: pure, without an engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.apply import networks, preflight
from ansible_collections.retail.profiles.plugins.module_utils.apply.removal import deployments_on
from ansible_collections.retail.profiles.plugins.module_utils.apply.replicas import (
    Outcome,
    Report,
    decide,
    mounts_any,
    request_hash,
)
from ansible_collections.retail.profiles.plugins.module_utils.apply.states import result, summary
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import Difference
from ansible_collections.retail.profiles.plugins.module_utils.deployment import record as state
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, parse_order, parse_task
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import Made, Record, StateDir, planned
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import (
    Listed,
    Published,
    Turnstile,
    connect,
    listed,
    split_image,
)

LABELS = {"retail.profiles.collection": "retail.profiles", "retail.profiles.deployment": "d"}
TASK = {"name": "d-a-1", "image": "i:1"}


def order(**params: Any) -> Order:
    return parse_order({"state": "present", "deployment": "d", "state_dir": "/s", **params})


def replica(**params: Any) -> dict[str, Any]:
    return {"replicas": [{"name": "d-a-1", "container": "a", "task": TASK, **params}]}


# -- arguments


def test_an_order() -> None:
    probe = {"kind": "http", "port": "80", "replica": "d-a-1", "timeout": "5", "path": None}
    found = order(share=replica(ready=[probe], pull=None), expected=["d-a-1"], state_dir="/s/")
    (task,) = found.share.replicas
    assert (task.name, task.image, task.pull, task.spec) == ("d-a-1", "i:1", "missing", "")
    (parsed,) = task.ready
    assert (parsed.kind, parsed.port, parsed.timeout, parsed.path) == ("http", 80, 5.0, "/")
    assert found.expected == frozenset({"d-a-1"})
    assert found.state_dir == "/s"


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"deployment": "../d"}, "field deployment: '../d' is not a name"),
        ({"run_id": "a/b"}, "field run_id: 'a/b' is not a name"),
        ({"deployment": None}, "name a deployment"),
        ({"state": "absent", "deployment": None}, "name a deployment"),
        ({"share": replica(task={**TASK, "colour": 1})}, "the option colour of docker_container is not known"),
        ({"share": replica(task={**TASK, "memory": "lots"})}, "container a, field memory: 'lots' is not a size"),
        ({"share": replica(task={**TASK, "state": "absent"})}, "field state: 'absent' is none of started"),
        ({"share": replica(task={**TASK, "detach": False})}, "always runs detached"),
        ({"share": replica(task={**TASK, "restart_policy": "often"})}, "is none of no, on-failure"),
        ({"share": replica(task={**TASK, "name": "other"})}, "names the container other, not d-a-1"),
        ({"share": replica(task={"name": "d-a-1"})}, "container a, field image: has no image"),
        ({"share": replica(pull="daily")}, "'daily' is none of missing"),
        ({"share": replica(ready=[{"kind": "magic"}])}, "'magic' is none of http"),
        ({"share": replica(ready=[{"kind": "tcp"}])}, "the tcp probe needs a port"),
        ({"share": replica(ready=[{"kind": "log", "pattern": "("}])}, "not a regular expression"),
        ({"share": replica(ready=[{"kind": "exited", "colour": 1}])}, "the exited probe does not know colour"),
    ],
)
def test_bad_arguments(params: dict[str, Any], why: str) -> None:
    with pytest.raises(ProfileError) as caught:
        order(**params)
    assert why in str(caught.value)


def test_the_way_out_is_named() -> None:
    with pytest.raises(ProfileError, match=r"container a, field links: .*profile_apply_with=docker_container"):
        order(share=replica(task={**TASK, "links": ["x"]}))


def test_other_names_of_options() -> None:
    assert parse_task({"ports": ["80"], "log_opt": {"a": 1}, "exposed": ["81"]}, "a") == {
        "published_ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": ""}]},
        "log_options": {"a": "1"},
        "exposed_ports": ["81/tcp"],
    }


# -- decisions

RUNNING = {"State": {"Status": "running", "Running": True}}


@pytest.mark.parametrize(
    ("inspect", "found", "ours", "action"),
    [
        (None, [], False, "create"),
        (RUNNING, [], False, "foreign"),
        (RUNNING, [Difference("env", 1, 2)], False, "foreign"),
        (RUNNING, [], True, "keep"),
        (RUNNING, [Difference("env", 1, 2)], True, "recreate"),
        ({"State": {"Status": "exited", "Running": False}}, [], True, "start"),
        ({"State": {"Status": "created", "Running": False}}, [], True, "start"),
        ({"State": {"Status": "exited", "Running": False}}, [Difference("env", 1, 2)], True, "recreate"),
        ({"State": {"Status": "paused", "Running": True, "Paused": True}}, [], True, "unpause"),
        ({"State": {"Status": "restarting", "Running": True, "Restarting": True}}, [], True, "keep"),
        ({"State": {"Status": "dead", "Dead": True}}, [], True, "recreate"),
        ({"State": {"Status": "removing"}}, [], True, "recreate"),
    ],
)
def test_decisions(inspect: Optional[dict[str, Any]], found: list[Difference], ours: bool, action: str) -> None:
    assert decide(found, inspect, ours) == action


def test_the_hash_of_a_request_tells_empty_values_apart() -> None:
    one: dict[str, Any] = {"Labels": {"a": ""}}
    other: dict[str, Any] = {"Labels": {}}
    assert request_hash(one, "1") != request_hash(other, "1")
    assert request_hash(one, "1") != request_hash(one, "2")
    assert request_hash({"a": 1, "b": 2}, None) == request_hash({"b": 2, "a": 1}, None)


def test_which_shipped_files_a_task_mounts() -> None:
    values = parse_task(
        {"volumes": ["/f/1:/x:ro", "/other:/y"], "mounts": [{"type": "bind", "source": "/f/2", "target": "/z"}]}, "a"
    )
    assert mounts_any(values, ["/f/1", "/f/2", "/f/3"]) == ["/f/1", "/f/2"]


# -- the record, and what is ours


def test_a_plan_in_the_record() -> None:
    old = Record("d", "run-1", "plan-1", {"d-b-1": Made("2", "s")}, ("d-n",), ("v",), ("f",), ("run-1",))
    task = {**TASK, "labels": {"retail.profiles.spec": "abc"}, "volumes": ["w:/w", "/x:/y", "/z"]}
    share = {**replica(task=task), "networks": [{"name": "d-m"}]}
    new = planned(old, order(share=share, run_id="run-2"))
    bare = {"id": None, "spec": "", "request": "", "dropped": {}, "desired": {}, "ready": []}
    assert new.as_dict() == {
        "schema": "retail.profiles/record/1",
        "deployment": "d",
        "run_id": "run-2",
        "plan_id": "plan-1",
        "replicas": {
            "d-a-1": {**bare, "spec": "abc", "desired": {"image": "i:1"}},
            "d-b-1": {**bare, "id": "2", "spec": "s"},
        },
        "networks": ["d-m", "d-n"],
        "volumes": ["v", "w"],
        "files": ["f"],
        "runs": ["run-1", "run-2"],
    }
    assert state.record_from(json.loads(json.dumps(new.as_dict()))) == new
    assert planned(new, order(share=share, run_id="run-2")) == new


names = st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=8)


@given(st.dictionaries(names, st.builds(Made, st.none() | names, names, names)), st.lists(names, max_size=3))
def test_a_record_survives_being_written(replicas: dict[str, Made], some: list[str]) -> None:
    record = Record("d", None, "p", replicas, tuple(sorted(set(some))))
    assert state.record_from(json.loads(json.dumps(record.as_dict()))) == record


def test_the_volumes_of_a_task() -> None:
    values = parse_task(
        {
            "volumes": ["a:/a", "/b:/b", "/c", "/d:ro"],
            "volume_driver": "nfs",
            "mounts": [
                {"target": "/e", "source": "e", "labels": {"x": "y"}, "volume_driver": "l", "volume_options": {"o": 1}},
                {"target": "/f"},
                {"target": "/g", "type": "tmpfs"},
            ],
        },
        "a",
    )
    assert state.named_volumes(values) == {
        "a": {"Driver": "nfs"},
        "e": {"Driver": "l", "DriverOpts": {"o": "1"}, "Labels": {"x": "y"}},
    }


@pytest.mark.parametrize(
    ("record", "name", "identity", "labels", "ours"),
    [
        (Record("d", replicas={"d-a-1": Made()}), "d-a-1", "1", LABELS, True),
        (Record("d", replicas={"d-a-1": Made()}), "d-a-2", "1", LABELS, False),  # labels of an image
        (Record("d", replicas={"d-a-1": Made("1")}), "renamed", "1", LABELS, True),
        (Record("d", replicas={"d-a-1": Made()}), "d-a-1", "1", {}, False),
        (Record("d", replicas={"d-a-1": Made()}), "d-a-1", "1", None, False),
        (Record("d"), "d-a-1", "1", LABELS, False),
        (None, "d-a-1", "1", LABELS, True),
        (None, "d-a-1", "1", {**LABELS, "retail.profiles.replica": "d-a-1"}, True),
        (None, "d-a-2", "1", {**LABELS, "retail.profiles.replica": "d-a-1"}, False),
        (None, "other", "1", LABELS, False),
        (None, "e-a-1", "1", {**LABELS, "retail.profiles.deployment": "e"}, False),
    ],
)
def test_which_container_is_ours(
    record: Optional[Record], name: str, identity: str, labels: Optional[dict[str, str]], ours: bool
) -> None:
    assert state.owns_container(record, "d", name, identity, labels) is ours


def test_which_network_or_volume_is_ours() -> None:
    assert state.owns_thing(["d-n"], "d", "d-n", LABELS)
    assert not state.owns_thing(["d-n"], "d", "d-n", {})
    assert not state.owns_thing([], "d", "d-n", LABELS)
    assert state.owns_thing(None, "d", "d-n", LABELS)
    assert not state.owns_thing(None, "d", "n", LABELS)


def test_a_damaged_record_is_a_lost_one(tmp_path: Path) -> None:
    found = StateDir(str(tmp_path))
    assert found.load("d") is None
    found.save(Record("d", runs=("r",)))
    assert found.load("d") == Record("d", runs=("r",))
    path = tmp_path / "deployments" / "d" / "record.json"
    assert path.stat().st_mode & 0o777 == 0o660
    for text in ("", "[]", "{}", '{"deployment": "d", "replicas": 1}'):
        path.write_text(text)
        assert found.load("d") is None
    assert found.deployments() == ["d"]
    found.forget("d")
    assert found.deployments() == []


def test_the_state_directory_in_words(tmp_path: Path) -> None:
    assert StateDir(str(tmp_path)).check() is None
    assert "run prepare_hosts.yml" in str(StateDir(str(tmp_path / "none")).check())


def test_a_label_is_no_path(tmp_path: Path) -> None:
    """Labels may be anybody's: they must never lead to a directory elsewhere."""
    evil = {**LABELS, "retail.profiles.deployment": "../../etc"}
    containers = {"x": Listed("x", "1", evil, "i", "running", ()), "y": Listed("y", "2", LABELS, "i", "running", ())}
    assert deployments_on(StateDir(str(tmp_path)), containers, [{"Name": "n", "Labels": None}]) == ["d"]


# -- preflight


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


# -- the engine's words


def test_a_list_of_containers() -> None:
    found = listed(
        [
            {
                "Id": "1",
                "Names": ["/other/alias", "/a"],
                "Image": "i",
                "Labels": None,
                "State": "running",
                "Ports": [
                    {"PrivatePort": 1, "Type": "tcp"},
                    {"IP": "10.0.0.1", "PrivatePort": 1, "PublicPort": 80, "Type": "tcp"},
                    {"IP": "10.0.0.1", "PrivatePort": 1, "PublicPort": 80, "Type": "tcp"},
                ],
            },
            {"Id": "2", "Names": None},
        ]
    )
    assert found == {"a": Listed("a", "1", {}, "i", "running", (Published("10.0.0.1", 80, "tcp", 1),))}


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("a", ("a", "latest")),
        ("a:1", ("a", "1")),
        ("r:5000/a", ("r:5000/a", "latest")),
        ("r:5000/a:1", ("r:5000/a", "1")),
        ("a@sha256:0", ("a", "sha256:0")),
    ],
)
def test_image_names(name: str, parts: tuple[str, str]) -> None:
    assert split_image(name) == parts


def test_a_turnstile_lets_so_many_through_and_more_for_the_slow() -> None:
    import threading

    turnstile = Turnstile(1, patience=0.05)
    inside, leave = threading.Event(), threading.Event()

    def slow() -> None:
        with turnstile.passing():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=slow)
    thread.start()
    assert inside.wait(10)
    with turnstile.passing():  # passes only because the slow one has used up its patience
        assert thread.is_alive()
    leave.set()
    thread.join()
    patient = Turnstile(1, patience=1000)
    for _turn in range(3):  # no place is given back twice, none is lost
        with patient.passing():
            assert not patient._places.acquire(blocking=False)


def test_an_engine_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"there is no Docker Engine at .*prepare_hosts\.yml"):
        connect(f"unix://{tmp_path}/docker.sock")
    (tmp_path / "docker.sock").write_text("")
    with pytest.raises(EngineError, match="does not answer"):
        connect(f"unix://{tmp_path}/docker.sock")


# -- networks


def test_networks_as_the_engine_makes_them() -> None:
    assert networks.create_request({"name": "n"}) == {"Name": "n", "Driver": "bridge"}
    request = networks.create_request(
        {
            "name": "n",
            "internal": True,
            "labels": {"a": "b"},
            "driver_options": {"mtu": "1400"},
            "ipam_config": [{"subnet": "10.0.0.0/24", "gateway": None}],
        }
    )
    assert request == {
        "Name": "n",
        "Driver": "bridge",
        "Internal": True,
        "Labels": {"a": "b"},
        "Options": {"mtu": "1400"},
        "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.0.0.0/24"}]},
    }
    with pytest.raises(ProfileError, match="the option colour of docker_network is not known"):
        networks.check_options({"name": "n", "colour": 1})


def test_drift_of_networks() -> None:
    actual = {
        "Name": "n",
        "Driver": "bridge",
        "Internal": False,
        "Labels": {"a": "b"},
        "Options": {"own": "1"},
        "IPAM": {"Config": [{"Subnet": "10.0.0.0/24", "Gateway": "10.0.0.1"}]},
    }
    same = {"name": "n", "labels": {"a": "b"}, "ipam_config": [{"subnet": "10.0.0.0/24"}]}
    assert networks.network_differences(same, actual) == []
    other = {
        "name": "n",
        "driver": "macvlan",
        "internal": True,
        "driver_options": {"parent": "eth0"},
        "ipam_config": [{"subnet": "10.0.1.0/24"}],
    }
    found = [item.field for item in networks.network_differences(other, actual)]
    assert found == ["n.driver", "n.internal", "n.labels", "n.driver_options", "n.ipam_config"]
    assert networks.find([actual], "n") == actual
    assert networks.find([actual], "m") is None


# -- results


def test_a_result() -> None:
    outcome = Outcome("d-a-1", "recreated", "1", diff=(Difference("env", ["A=1"], ["A=2"]),))
    found = result(Report(True, (outcome, Outcome("d-a-2", "created", "2")), ("d-a-3",)))
    assert found["msg"] == "1 created, 1 recreated, 1 removed"
    assert not found["failed"]
    assert found["replicas"]["d-a-1"]["diff"] == [{"field": "env", "current": ["A=1"], "desired": ["A=2"]}]
    assert [item["before_header"] for item in found["diff"]] == ["d-a-1", "d-a-2", "d-a-3"]
    assert (found["diff"][0]["before"], found["diff"][0]["after"]) == ('env: ["A=1"]\n', 'env: ["A=2"]\n')
    assert found["diff"][1]["after"] == "exists: true\n"
    assert json.loads(json.dumps(found)) == found


def test_summaries() -> None:
    assert summary(Report()) == "nothing to do"
    assert summary(Report(changed=True)) == "prepared"
    one = Report(problems=({"container": "a", "field": "image", "message": "is not there"},))
    assert summary(one) == "a: is not there"
    assert one.failed
    two = Report(replicas=(Outcome("d-a-1", "failed", error="d-a-1: x"), Outcome("d-a-2", "not_ready", error="y")))
    assert summary(two) == "2 problems: d-a-1: x; y"
    assert two.failed
    assert not two.changed
