# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""profile_apply on a real engine: idempotence, drift by hand, what is ours and what is not, removal."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.apply import removal
from ansible_collections.retail.profiles.plugins.module_utils.apply.status import statuses
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import StateDir
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine

from .conftest import IMAGE, SLEEP, Deployment, shipped, stock


def only(result: dict[str, Any]) -> dict[str, Any]:
    (outcome,) = result["replicas"].values()
    found: dict[str, Any] = outcome
    return found


def fields(outcome: dict[str, Any]) -> set[str]:
    return {item["field"] for item in outcome["diff"]}


def converged(deployment: Deployment, *tasks: dict[str, Any], **more: Any) -> bool:
    """Whether the host says that nothing is to be done."""
    replicas = [deployment.replica(task) for task in tasks]
    return bool(deployment.call("checked", *replicas, release=True, **more)["converged"])


def writes(engine: Engine, deployment: Deployment, act: Callable[[], Any]) -> list[str]:
    """What the engine did to anything of the deployment while *act* ran, from its event stream."""
    start = time.time()
    act()
    events = engine.client().events(since=f"{start:.6f}", until=f"{time.time():.6f}", decode=True)
    return [
        f"{event['Type']} {event['Action']}"
        for event in events
        if deployment.name in json.dumps(event) and not event["Action"].startswith("exec_")
    ]


def record(deployment: Deployment) -> dict[str, Any]:
    path = deployment.state_dir / "deployments" / deployment.name / "record.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


@pytest.fixture
def labelled_image(engine: Engine, deployment: Deployment) -> Iterator[str]:
    """An image that passes our labels on."""
    name = f"{deployment.name}-image:1"
    labels = {**deployment.labels, "retail.profiles.replica": f"{deployment.name}-a-1"}
    made = engine.create(f"{deployment.name}-commit", {"Image": IMAGE, "Cmd": ["true"]})
    changes = [f'LABEL "{key}"="{value}"' for key, value in labels.items()]
    engine.client().commit(made, repository=name.partition(":")[0], tag="1", changes=changes)
    engine.remove(made)
    yield name
    deployment.sweep()
    engine.client().remove_image(name, force=True)


def test_a_second_apply_writes_nothing_to_the_engine(engine: Engine, deployment: Deployment) -> None:
    file = shipped(deployment, b"#!/bin/sh\n")
    tasks = [
        deployment.task(index=1, networks=[{"name": f"{deployment.name}-net"}], volumes=[f"{file['dest']}:/x:ro"]),
        deployment.task(index=2, network_mode="host", memory="64m", env={"A": "1"}, restart_policy="always"),
        deployment.task("b", volumes=[f"{deployment.name}-data:/data"]),
    ]
    more: dict[str, Any] = {"networks": [deployment.network()], "files": [file]}
    results: list[dict[str, Any]] = []

    def apply() -> None:
        results.append(deployment.present(*tasks, **more, expected=[task["name"] for task in tasks]))

    assert writes(engine, deployment, apply).count("container create") == 3
    first = results.pop()
    assert first["changed"], first["msg"]
    assert {outcome["status"] for outcome in first["replicas"].values()} == {"created"}
    assert first["msg"] == "3 created"
    assert writes(engine, deployment, apply) == []
    assert not results[0]["changed"], results[0]["prepared"]
    assert {outcome["status"] for outcome in results[0]["replicas"].values()} == {"unchanged"}
    assert results[0]["replicas"][tasks[0]["name"]]["id"] == first["replicas"][tasks[0]["name"]]["id"]
    assert writes(engine, deployment, lambda: converged(deployment, *tasks, **more)) == []
    assert converged(deployment, *tasks, **more)
    deployment.absent()
    assert writes(engine, deployment, lambda: results.append(deployment.absent())) == []
    assert not results[1]["changed"]


def test_the_record_says_what_is_here_and_is_written_first(deployment: Deployment) -> None:
    task = deployment.task(networks=[{"name": f"{deployment.name}-net"}])
    replica = deployment.replica(task)
    deployment.call("prepared", replica, networks=[deployment.network()], run_id="run-1", plan_id="plan-1")
    before = record(deployment)
    assert before["schema"] == "retail.profiles/record/1"
    unmade = {"id": None, "spec": "of-a-test", "request": "", "dropped": {}, "ready": []}
    desired = {"image": task["image"], "networks": task["networks"]}
    assert before["replicas"] == {task["name"]: {**unmade, "desired": desired}}
    assert before["networks"] == [f"{deployment.name}-net"]
    assert (before["run_id"], before["plan_id"], before["runs"]) == ("run-1", "plan-1", ["run-1"])
    made = only(deployment.call("present", replica, networks=[deployment.network()], run_id="run-2"))
    after = record(deployment)
    assert after["replicas"][task["name"]]["id"] == made["id"]
    assert (after["run_id"], after["plan_id"], after["runs"]) == ("run-2", "plan-1", ["run-1", "run-2"])
    path = deployment.state_dir / "deployments" / deployment.name
    assert path.stat().st_mode & 0o7777 == 0o2770


@pytest.mark.parametrize("state", ["prepared", "present"])
def test_a_replica_does_not_start_where_what_it_depends_on_is_not_reached(
    engine: Engine, deployment: Deployment, state: str
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    task = deployment.task()
    probe = {"kind": "tcp", "address": "127.0.0.1", "port": port, "timeout": 0.3}
    answer = deployment.call(state, deployment.replica(task, reach=[probe]))
    assert answer["failed"]
    assert "this host does not reach what it depends on" in only(answer)["error"]
    assert f"connecting to 127.0.0.1:{port}" in only(answer)["error"]
    assert engine.inspect(task["name"]) is None
    with socket.create_server(("127.0.0.1", port)):
        assert not deployment.call(state, deployment.replica(task, reach=[probe]))["failed"]
    assert (engine.inspect(task["name"]) is not None) == (state == "present")


def test_what_an_outcome_tells(engine: Engine, deployment: Deployment) -> None:
    task = deployment.task(networks=[{"name": f"{deployment.name}-net"}])
    outcome = only(deployment.present(task, networks=[deployment.network()]))
    inspect = engine.inspect(task["name"])
    assert inspect is not None
    assert outcome["id"] == inspect["Id"]
    assert outcome["image_id"] == inspect["Image"]
    assert outcome["started_at"] == inspect["State"]["StartedAt"]
    assert outcome["address"] == inspect["NetworkSettings"]["Networks"][f"{deployment.name}-net"]["IPAddress"]
    assert outcome["exit_code"] is None
    assert outcome["ready"] is None  # nothing was asked
    assert outcome["error"] is None


DRIFTS: list[tuple[str, Callable[[Any, str, str], Any], str, str]] = [
    ("docker update", lambda api, name, net: api.update_container(name, mem_limit="96m"), "updated", "memory"),
    (
        "docker update of what the task does not set",
        lambda api, name, net: api.update_container(name, cpu_shares=300),
        "recreated",
        "cpu_shares",
    ),
    (
        "restart policy",
        lambda api, name, net: api.update_container(name, restart_policy={"Name": "always"}),
        "updated",
        "restart_policy",
    ),
    ("docker rename", lambda api, name, net: api.rename(name, f"{name}-old"), "recreated", "name"),
    (
        "network disconnect",
        lambda api, name, net: api.disconnect_container_from_network(name, net),
        "recreated",
        "networks.{net}",
    ),
    (
        "network connect",
        lambda api, name, net: api.connect_container_to_network(name, net + "2"),
        "recreated",
        "networks.{net}2",
    ),
    ("stop", lambda api, name, net: api.stop(name), "started", ""),
    # An engine may answer before the process has ended.
    ("kill", lambda api, name, net: (api.kill(name), api.wait(name)), "started", ""),
    ("pause", lambda api, name, net: api.pause(name), "started", ""),
    ("rm", lambda api, name, net: api.remove_container(name, force=True), "created", ""),
]


@pytest.mark.parametrize(("what", "drift", "status", "field"), DRIFTS, ids=[item[0] for item in DRIFTS])
def test_drift_by_hand_is_shown_and_undone(
    engine: Engine, deployment: Deployment, what: str, drift: Callable[[Any, str, str], Any], status: str, field: str
) -> None:
    net = f"{deployment.name}-net"
    networks = [deployment.network(), deployment.network("net2")]
    task = deployment.task(memory="64m", networks=[{"name": net}])
    before = only(deployment.present(task, networks=networks, expected=[task["name"]]))
    assert converged(deployment, task, networks=networks)
    drift(engine.client(), task["name"], net)
    results: list[dict[str, Any]] = []

    def look() -> None:
        results.append(deployment.present(task, networks=networks, expected=[task["name"]], check=True))
        assert not converged(deployment, task, networks=networks)

    assert writes(engine, deployment, look) == []
    assert results[0]["changed"]
    assert only(results[0])["status"] == status
    assert fields(only(results[0])) == ({field.format(net=net)} if field else set())
    assert results[0]["diff"][0]["before_header"] == task["name"]
    after = only(deployment.present(task, networks=networks, expected=[task["name"]]))
    assert after["status"] == status
    assert (after["id"] == before["id"]) == (status in ("started", "updated"))
    if status == "updated":
        assert after["started_at"] == before["started_at"]
    names = {name for item in engine.containers() for name in item["Names"] if deployment.name in name}
    assert names == {f"/{task['name']}"}
    again = deployment.present(task, networks=networks, expected=[task["name"]])
    assert not again["changed"], again["diff"]
    assert converged(deployment, task, networks=networks)


LIMITS = {"memory": "64m", "cpus": 0.5, "pids_limit": 100, "restart_policy": "unless-stopped"}
OTHERS = {"memory": "96m", "cpus": 0.75, "pids_limit": 200, "restart_policy": "always"}


def test_limits_are_changed_in_place_and_the_process_goes_on(engine: Engine, deployment: Deployment) -> None:
    task, other = deployment.task(**LIMITS), deployment.task(**OTHERS)
    deployment.present(task, expected=[task["name"]])
    before = engine.inspect(task["name"])
    results: list[dict[str, Any]] = []

    def apply(check: bool = False) -> None:
        results.append(deployment.present(other, expected=[task["name"]], check=check))

    assert writes(engine, deployment, lambda: apply(check=True)) == []
    assert engine.inspect(task["name"]) == before
    assert set(writes(engine, deployment, apply)) == {"container update"}
    told, done = results
    for result in results:
        assert (result["changed"], only(result)["status"], result["msg"]) == (True, "updated", "1 updated")
        assert fields(only(result)) >= set(LIMITS)
    assert told["diff"] == done["diff"]
    after = engine.inspect(task["name"])
    assert before is not None and after is not None
    assert {key: after["State"][key] for key in ("Pid", "StartedAt")} == {
        key: before["State"][key] for key in ("Pid", "StartedAt")
    }
    host = after["HostConfig"]
    assert (host["Memory"], host["NanoCpus"], host["PidsLimit"]) == (96 << 20, 750_000_000, 200)
    assert host["RestartPolicy"]["Name"] == "always"
    assert only(done)["id"] == after["Id"] == record(deployment)["replicas"][task["name"]]["id"]
    kept = record(deployment)
    assert writes(engine, deployment, apply) == []
    assert (results[-1]["changed"], record(deployment)) == (False, kept)
    assert converged(deployment, other)
    (found,) = statuses(StateDir(str(deployment.state_dir)), engine, deployment.name)
    assert found.as_desired, found.drift


def test_the_stock_module_finds_nothing_to_do_after_an_update_and_we_nothing_after_its_own(
    engine: Engine, deployment: Deployment
) -> None:
    task, other = deployment.task(**LIMITS), deployment.task(**OTHERS)
    deployment.present(task)
    assert only(deployment.present(other))["status"] == "updated"
    before = engine.inspect(task["name"])
    assert not stock("docker_container", **other)["changed"]
    after = engine.inspect(task["name"])
    assert before is not None and after is not None
    assert before["Id"] == after["Id"]
    assert stock("docker_container", **task)["changed"]
    assert only(deployment.present(task))["status"] == "unchanged"


def test_limits_of_a_container_that_stands_still_are_changed_and_it_starts(
    engine: Engine, deployment: Deployment
) -> None:
    made = only(deployment.present(deployment.task(memory="64m")))
    engine.stop(made["id"])
    done = only(deployment.present(deployment.task(memory="96m")))
    inspect = engine.inspect(made["id"])
    assert inspect is not None
    assert (done["status"], inspect["State"]["Status"], inspect["HostConfig"]["Memory"]) == (
        "updated",
        "running",
        96 << 20,
    )


def test_limits_that_no_container_could_have_leave_it_running(engine: Engine, deployment: Deployment) -> None:
    made = only(deployment.present(deployment.task(memory="64m")))
    result = deployment.present(deployment.task(memory="64m", cpus=9999))
    assert (result["failed"], only(result)["status"]) == (True, "failed")
    assert "CPU" in only(result)["error"]
    inspect = engine.inspect(made["id"])
    assert inspect is not None and inspect["State"]["Running"]


def test_less_memory_than_is_in_use_makes_the_container_anew(engine: Engine, deployment: Deployment) -> None:
    if str(engine.info().get("CgroupVersion") or 1) != "1":
        pytest.skip("this kernel takes the memory from the processes")
    made = only(deployment.present(deployment.task(memory="128m", memory_swap="128m")))
    engine.execute(made["id"], ["sh", "-c", "head -c 60m /dev/zero > /dev/shm/held"], 20)
    result = deployment.present(deployment.task(memory="16m", memory_swap="16m"))
    assert only(result)["status"] == "recreated", result
    assert only(result)["id"] != made["id"]
    (warning,) = result["warnings"]
    assert "made anew, as the engine does not update it: " in warning


def test_an_image_that_moved_behind_its_tag_is_seen(
    engine: Engine, deployment: Deployment, labelled_image: str
) -> None:
    tag = f"{deployment.name}-moving"
    engine.client().tag(IMAGE, tag, "1")
    try:
        task = deployment.task(image=f"{tag}:1")
        before = only(deployment.present(task))
        engine.client().tag(labelled_image, tag, "1")
        found = only(deployment.present(task, check=True))
        assert found["status"] == "recreated"
        assert "image_id" in fields(found)
        after = only(deployment.present(task))
        assert after["image_id"] != before["image_id"]
        assert not deployment.present(task)["changed"]
    finally:
        deployment.sweep()
        engine.client().remove_image(f"{tag}:1", force=True)


def test_a_changed_profile_makes_its_containers_anew(deployment: Deployment) -> None:
    before = only(deployment.present(deployment.task(env={"A": "1"}, memory="64m")))
    found = deployment.present(deployment.task(env={"A": "2"}), check=True)
    assert only(found)["status"] == "recreated"
    assert fields(only(found)) == {"env", "memory", "memory_swap"} or fields(only(found)) == {"env", "memory"}
    after = only(deployment.present(deployment.task(env={"A": "2"})))
    assert (after["status"], after["id"] != before["id"]) == ("recreated", True)


def test_a_network_that_drifted_is_made_anew_with_its_containers(engine: Engine, deployment: Deployment) -> None:
    task = deployment.task(networks=[{"name": f"{deployment.name}-net"}])
    deployment.present(task, networks=[deployment.network()])
    again = deployment.present(task, networks=[deployment.network(internal=True)])
    assert only(again)["status"] == "recreated", again
    network = engine.network(f"{deployment.name}-net")
    assert network is not None
    assert network["Internal"] is True
    assert not deployment.present(task, networks=[deployment.network(internal=True)])["changed"]


def test_orphans_go_and_only_ours(engine: Engine, deployment: Deployment, labelled_image: str) -> None:
    tasks = [deployment.task(index=index) for index in (1, 2, 3)]
    deployment.present(*tasks)
    foreign = engine.create(f"{deployment.name}-x", {"Image": labelled_image, "Cmd": SLEEP})
    without = deployment.present(tasks[0])
    assert without["removed"] == []  # nothing is known to be an orphan
    shown = deployment.present(tasks[0], expected=[tasks[0]["name"]], check=True)
    assert shown["removed"] == [tasks[1]["name"], tasks[2]["name"]]
    assert engine.inspect(tasks[1]["name"]) is not None
    done = deployment.present(tasks[0], expected=[tasks[0]["name"]])
    assert done["removed"] == [tasks[1]["name"], tasks[2]["name"]]
    assert engine.inspect(tasks[1]["name"]) is None
    assert engine.inspect(foreign) is not None
    assert list(record(deployment)["replicas"]) == [tasks[0]["name"]]


def test_what_is_not_ours_is_never_touched(engine: Engine, deployment: Deployment, labelled_image: str) -> None:
    """Labels alone prove nothing: an image passes them on. A name alone neither."""
    foreign = engine.create(f"{deployment.name}-b-1", {"Image": labelled_image, "Cmd": SLEEP})
    named = engine.create(f"{deployment.name}-c-1", {"Image": IMAGE, "Cmd": SLEEP})
    task, taken = deployment.task("a"), deployment.task("c")
    made = deployment.present(task, taken)
    assert made["failed"]
    assert made["replicas"][task["name"]]["status"] == "created"  # one that fails keeps no other back
    error = made["replicas"][taken["name"]]["error"]
    assert error.startswith(f"{taken['name']}: ")
    assert "is not ours" in error
    problems = deployment.call("checked", deployment.replica(task), deployment.replica(taken))["problems"]
    assert [(item["container"], item["field"]) for item in problems] == [("c", "name")]
    gone = deployment.absent()
    assert gone["removed"][0] == task["name"]
    assert engine.inspect(task["name"]) is None
    for identity in (foreign, named):
        assert engine.inspect(identity) is not None
    # the record is gone: now the name pattern decides, with the replica that the labels tell
    assert not deployment.absent()["changed"]
    assert engine.inspect(foreign) is not None


def test_a_foreign_network_is_an_error(engine: Engine, deployment: Deployment) -> None:
    engine.create_network({"Name": f"{deployment.name}-net"})
    task = deployment.task(networks=[{"name": f"{deployment.name}-net"}])
    checked = deployment.call("checked", deployment.replica(task), networks=[deployment.network()])
    assert "not ours" in checked["msg"]
    with pytest.raises(ProfileError, match="not ours"):
        deployment.present(task, networks=[deployment.network()])
    deployment.absent()
    assert engine.network(f"{deployment.name}-net") is not None


def test_absent_finds_everything_without_the_record(engine: Engine, deployment: Deployment) -> None:
    task = deployment.task(networks=[{"name": f"{deployment.name}-net"}], volumes=[f"{deployment.name}-data:/data"])
    deployment.present(task, networks=[deployment.network()], files=[shipped(deployment, b"one\n")])
    (deployment.state_dir / "deployments" / deployment.name / "record.json").write_text("{")
    shown = deployment.absent(check=True)
    assert engine.inspect(task["name"]) is not None
    done = deployment.absent()
    assert done["removed"] == shown["removed"]
    assert done["removed"][:3] == [task["name"], f"network {deployment.name}-net", f"volume {deployment.name}-data"]
    assert engine.inspect(task["name"]) is None
    assert engine.network(f"{deployment.name}-net") is None
    assert engine.volume(f"{deployment.name}-data") is None
    assert list((deployment.state_dir / "deployments").iterdir()) == []


def test_absent_takes_what_the_stock_module_made(engine: Engine, deployment: Deployment) -> None:
    task = deployment.task()
    deployment.call("prepared", deployment.replica(task))
    stock("docker_container", **task)
    assert not deployment.call("ready", deployment.replica(task))["failed"]
    assert task["name"] in deployment.absent()["removed"]
    assert engine.inspect(task["name"]) is None


def test_a_volume_that_was_there_before_is_kept(engine: Engine, deployment: Deployment) -> None:
    engine.create_volume({"Name": f"{deployment.name}-mine"})
    task = deployment.task(volumes=[f"{deployment.name}-mine:/a", f"{deployment.name}-own:/b", "/anonymous"])
    deployment.present(task)
    inspect = engine.inspect(task["name"])
    assert inspect is not None
    anonymous = next(mount["Name"] for mount in inspect["Mounts"] if mount["Destination"] == "/anonymous")
    deployment.absent()
    assert engine.volume(f"{deployment.name}-mine") is not None
    assert engine.volume(f"{deployment.name}-own") is None
    assert engine.volume(anonymous) is None


def test_a_container_connected_by_hand_keeps_its_network_and_is_named(engine: Engine, deployment: Deployment) -> None:
    deployment.present(networks=[deployment.network()])
    engine.create(
        f"{deployment.name}-guest",
        {"Image": IMAGE, "Cmd": SLEEP, "HostConfig": {"NetworkMode": f"{deployment.name}-net"}},
    )
    engine.start(f"{deployment.name}-guest")
    result = deployment.absent()
    assert result["failed"]
    assert f"{deployment.name}-guest" in result["msg"]
    assert (deployment.state_dir / "deployments" / deployment.name / "record.json").exists()
    engine.remove(f"{deployment.name}-guest")
    assert not deployment.absent()["failed"]


def test_root_owned_remains_are_removed_through_the_engine(
    engine: Engine, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a user who may use the engine, but not delete what a container wrote as root."""
    file = shipped(deployment, b"one\n")
    deployment.present(deployment.task(volumes=[f"{os.path.dirname(file['dest'])}:/x"]), files=[file])
    real, calls = removal.remove_tree, []

    def denied(path: str) -> Any:
        calls.append(path)
        return "permission denied" if len(calls) == 1 else real(path)

    monkeypatch.setattr(removal, "remove_tree", denied)
    result = deployment.absent()
    assert not result["failed"], result["msg"]
    assert not (deployment.state_dir / "deployments" / deployment.name).exists()
    assert not [item for item in engine.containers() if deployment.name in str(item["Names"])]


def test_all_that_a_host_lacks_is_told_at_once(deployment: Deployment) -> None:
    large = deployment.replica(deployment.task(memory="100t"))
    missing = deployment.replica(deployment.task("b", image="retail/not-there:1"), pull="never")
    checked = deployment.call("checked", large, missing)
    assert {(item["container"], item["field"]) for item in checked["problems"]} == {("a", "memory"), ("b", "image")}
    assert abs(checked["clock"] - time.time()) < 60


def test_an_image_that_cannot_be_had(deployment: Deployment) -> None:
    good = deployment.replica(deployment.task())
    bad = deployment.replica(deployment.task("b", image="retail/not-there:1"), pull="never")
    checked = deployment.call("checked", good, bad)
    assert [(item["container"], item["field"]) for item in checked["problems"]] == [("b", "image")]
    result = deployment.call("present", good, bad)
    assert result["failed"]
    for word in ("retail/not-there:1", "never", "prepare_hosts.yml", "profile_images"):
        assert word in result["msg"]
    assert sorted(outcome["status"] for outcome in result["replicas"].values()) == ["created", "failed"]
    assert deployment.call("prepared", bad)["problems"][0]["container"] == "b"


def test_a_port_that_is_held(deployment: Deployment) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        task = deployment.task(published_ports=[f"127.0.0.1:{port}:9000"], exposed_ports=["9000"])
        problems = deployment.call("checked", deployment.replica(task))["problems"]
        assert [(item["container"], item["field"]) for item in problems] == [("a", "ports")]
        assert "a process of this host holds" in problems[0]["message"]
    deployment.present(task)
    assert deployment.call("checked", deployment.replica(task))["problems"] == []  # held by the replica itself


def test_preflight_tells_everything_at_once(deployment: Deployment) -> None:
    model = deployment.state_dir / "models" / "empty"
    model.mkdir(parents=True)
    paths = [
        {"path": "/not/there", "container": "a", "field": "volumes"},
        {"path": str(model), "container": "a", "field": "config.json empty", "model": "empty"},
        {"path": "/not/there/either", "container": "a", "field": "config.json gone", "model": "gone"},
        {"path": "/etc", "container": "a", "field": "volumes"},
    ]
    bad = deployment.replica(deployment.task("b", image="retail/not-there:1"), pull="never")
    result = deployment.call("checked", bad, paths=paths, state_dir=str(deployment.state_dir / "none"))
    assert result["failed"]
    assert [item["field"] for item in result["problems"]] == [
        "profile_state_dir", "volumes", "config.json empty", "config.json gone", "image",
    ]  # fmt: skip
    assert result["msg"].startswith("5 problems: ")
    (model / "1").mkdir()
    assert deployment.call("checked", paths=paths[1:2])["problems"] == []


def test_a_missing_state_directory_says_what_to_do(deployment: Deployment) -> None:
    with pytest.raises(ProfileError, match=r"does not exist: run prepare_hosts\.yml"):
        deployment.present(deployment.task(), state_dir=str(deployment.state_dir / "none"))


def test_the_share_of_another_wave_is_left_alone(engine: Engine, deployment: Deployment) -> None:
    first, second = deployment.task("a"), deployment.task("b")
    expected = [first["name"], second["name"]]
    made = only(deployment.present(first, expected=expected))
    deployment.present(second, expected=expected)
    inspect = engine.inspect(first["name"])
    assert inspect is not None
    assert inspect["Id"] == made["id"]
    assert sorted(record(deployment)["replicas"]) == expected


def test_a_replica_joins_the_network_of_another(engine: Engine, deployment: Deployment) -> None:
    first = deployment.task("a")
    second = deployment.task("b", network_mode=f"container:{first['name']}", volumes_from=[first["name"]])
    deployment.present(first)
    assert only(deployment.present(second))["status"] == "created"
    assert only(deployment.present(second))["status"] == "unchanged"
    assert not stock("docker_container", **second, _ansible_check_mode=True)["changed"]


def test_check_mode_makes_nothing(engine: Engine, deployment: Deployment) -> None:
    task = deployment.task(networks=[{"name": f"{deployment.name}-net"}], volumes=[f"{deployment.name}-data:/data"])
    more: dict[str, Any] = {"networks": [deployment.network()], "files": [shipped(deployment, b"one\n")]}
    results: list[dict[str, Any]] = []

    def look() -> None:
        results.append(deployment.present(task, **more, expected=[task["name"]], check=True))

    assert writes(engine, deployment, look) == []
    assert results[0]["changed"]
    assert only(results[0])["status"] == "created"
    assert [item["field"] for item in results[0]["prepared"]] == [
        f"network {deployment.name}-net", "file client.sh", f"volume {deployment.name}-data",
    ]  # fmt: skip
    assert list(deployment.state_dir.iterdir()) == []


def test_a_port_that_another_container_holds(engine: Engine, deployment: Deployment) -> None:
    deployment.present(networks=[deployment.network()])
    net = [{"name": f"{deployment.name}-net"}]
    ports = {"ExposedPorts": {"9000/tcp": {}}, "HostConfig": {
        "NetworkMode": f"{deployment.name}-net",
        "PortBindings": {"9000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "38431"}]},
    }}  # fmt: skip
    holder = engine.create(f"{deployment.name}-holder", {"Image": IMAGE, "Cmd": SLEEP, **ports})
    engine.start(holder)
    task = deployment.task(published_ports=["127.0.0.1:38431:9000"], networks=net)
    other = deployment.task("b", published_ports=["127.0.0.1:38432:9000"], networks=net)
    problems = deployment.call("checked", deployment.replica(task), deployment.replica(other))["problems"]
    assert [item["container"] for item in problems] == ["a"]
    assert f"the container {deployment.name}-holder holds" in problems[0]["message"]
    result = deployment.present(task, other, networks=[deployment.network()])
    assert result["failed"]
    assert "already" in result["replicas"][task["name"]]["error"]  # allocated, or in use
    assert result["replicas"][other["name"]]["status"] == "created"
    engine.remove(holder)
    again = deployment.present(task, other, networks=[deployment.network()])
    assert not again["failed"], again["msg"]
    assert again["replicas"][task["name"]]["status"] == "started"
