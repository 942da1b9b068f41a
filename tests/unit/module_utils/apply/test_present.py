# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host brought to its share, on an engine in memory: what is done, what check mode tells, and what it costs."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.apply.status import statuses
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import SECRETS_LABEL
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import StateDir
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError

from .stand_in import Host, labels

NETWORK = {"name": "d-net", "labels": labels()}


def record(host: Host, deployment: str = "d") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(host.files()[f"deployments/{deployment}/record.json"])
    return found


def converged(host: Host, *tasks: dict[str, Any], **more: Any) -> bool:
    return bool(host.call("checked", *tasks, release=True, **more)["converged"])


def drift(host: Host) -> list[str]:
    engine: Any = host.engine
    return [item.field for found in statuses(StateDir(str(host.state_dir)), engine, None) for item in found.drift]


def test_a_second_apply_asks_little_and_writes_nothing(host: Host) -> None:
    tasks = [host.task(index=index, networks=[{"name": "d-net"}], volumes=["d-v:/v"]) for index in (1, 2, 3)]
    more: dict[str, Any] = {"networks": [NETWORK], "expected": [task["name"] for task in tasks]}
    first = host.call("present", *tasks, **more)
    assert first["changed"]
    assert set(host.statuses(first).values()) == {"created"}
    assert [item["field"] for item in first["prepared"]] == ["network d-net", "volume d-v"]
    before = host.files()
    again = host.call("present", *tasks, **more)
    assert not again["changed"], again
    assert Counter(host.engine.calls) == {"containers": 1, "networks": 1, "image": 1, "volume": 1, "inspect": 3}
    assert host.files() == before
    assert converged(host, *tasks, networks=[NETWORK])
    assert drift(host) == []


def test_check_mode_is_the_list_and_nothing_is_done(host: Host) -> None:
    task = host.task(networks=[{"name": "d-net"}], volumes=["d-v:/v"])
    told = host.call("present", task, networks=[NETWORK], check=True)
    assert (told["changed"], host.statuses(told)) == (True, {"d-a-1": "created"})
    assert host.engine.writes == []
    assert host.files() == {}
    done = host.call("present", task, networks=[NETWORK])
    assert (told["prepared"], told["msg"]) == (done["prepared"], done["msg"])


# -- limits in place


def test_a_limit_is_changed_in_place_and_then_nothing_differs(host: Host) -> None:
    host.call("present", host.task(memory="64m", cpus=1))
    before = host.engine.inspect("d-a-1")
    wanted = host.task(memory="128m", cpus=2, pids_limit=100, restart_policy="always")
    told = host.call("present", wanted, check=True)
    assert host.engine.writes == []
    done = host.call("present", wanted)
    assert host.engine.writes == ["update"]
    assert host.statuses(told) == host.statuses(done) == {"d-a-1": "updated"}
    found = done["replicas"]["d-a-1"]["diff"]
    assert told["replicas"]["d-a-1"]["diff"] == found
    assert [item["field"] for item in found] == ["cpus", "memory", "memory_swap", "pids_limit", "restart_policy"]
    assert {"field": "memory", "current": 64 << 20, "desired": 128 << 20} in found
    assert "memory: 134217728" in done["diff"][0]["after"]
    after = host.engine.inspect("d-a-1")
    assert before is not None and after is not None
    assert (after["Id"], after["State"]) == (before["Id"], before["State"])
    assert done["msg"] == "1 updated"
    assert drift(host) == []
    kept = host.files()
    again = host.call("present", wanted)
    assert (host.statuses(again), again["changed"]) == ({"d-a-1": "unchanged"}, False)
    assert (host.engine.writes, host.files()) == ([], kept)
    assert converged(host, wanted, expected=["d-a-1"])


def test_the_record_of_a_container_that_was_updated_is_that_of_one_just_made(host: Host, tmp_path: Path) -> None:
    host.call("present", host.task(memory="64m"))
    host.call("present", host.task(memory="128m"))
    other = Host(tmp_path / "other")
    other.state_dir.mkdir()
    other.call("present", other.task(memory="128m"))
    updated, made = record(host)["replicas"]["d-a-1"], record(other)["replicas"]["d-a-1"]
    assert {**updated, "id": None} == {**made, "id": None}


def test_a_limit_changed_by_hand_is_changed_back(host: Host) -> None:
    task = host.task(memory="64m")
    host.call("present", task)
    host.engine.update("d-a-1", {"Memory": 96 << 20, "MemorySwap": 128 << 20})
    assert drift(host) == ["memory"]
    assert not converged(host, task)
    done = host.call("present", task)
    assert (host.statuses(done), host.engine.writes) == ({"d-a-1": "updated"}, ["update"])
    assert drift(host) == []
    assert converged(host, task)


def test_without_its_record_a_container_is_compared_whole_and_updated_just_the_same(host: Host) -> None:
    host.call("present", host.task(memory="64m"))
    (host.state_dir / "deployments" / "d" / "record.json").unlink()
    done = host.call("present", host.task(memory="128m"))
    assert host.statuses(done) == {"d-a-1": "updated"}
    assert not host.call("present", host.task(memory="128m"))["changed"]
    host.call("present", host.task(memory="128m", env={"A": "1"}))
    (host.state_dir / "deployments" / "d" / "record.json").unlink()
    done = host.call("present", host.task(memory="64m", env={"A": "2"}))
    assert host.statuses(done) == {"d-a-1": "recreated"}


def test_a_container_that_stands_still_is_updated_and_started(host: Host) -> None:
    host.call("present", host.task(memory="64m"))
    host.engine.stop("d-a-1")
    done = host.call("present", host.task(memory="128m"))
    assert (host.statuses(done), host.engine.writes) == ({"d-a-1": "updated"}, ["update", "start"])
    host.engine.there["d-a-1"]["State"].update(Status="paused", Paused=True)
    done = host.call("present", host.task(memory="256m"))
    assert (host.statuses(done), host.engine.writes) == ({"d-a-1": "updated"}, ["update", "unpause"])


@pytest.mark.parametrize("status", [409, 500])
def test_where_the_engine_does_not_update_the_container_is_made_anew_with_the_reason(host: Host, status: int) -> None:
    host.call("present", host.task(memory="128m"))
    before = host.engine.there["d-a-1"]["Id"]
    host.engine.refuses["update", before] = EngineError("the device is busy", status)
    done = host.call("present", host.task(memory="64m"))
    assert host.statuses(done) == {"d-a-1": "recreated"}
    assert done["warnings"] == ["d-a-1: made anew, as the engine does not update it: the device is busy"]
    assert host.engine.there["d-a-1"]["Id"] != before
    assert done["replicas"]["d-a-1"]["id"] == host.engine.there["d-a-1"]["Id"]
    assert not host.call("present", host.task(memory="64m"))["changed"]


@pytest.mark.parametrize("status", [0, 400])
def test_limits_that_no_container_could_have_leave_it_as_it_is(host: Host, status: int) -> None:
    host.call("present", host.task(memory="64m"))
    before = host.engine.inspect("d-a-1")
    host.engine.refuses["update", host.engine.there["d-a-1"]["Id"]] = EngineError("more CPUs than there are", status)
    done = host.call("present", host.task(memory="64m", cpus=999))
    assert (done["failed"], host.statuses(done)) == (True, {"d-a-1": "failed"})
    assert done["msg"] == "d-a-1: more CPUs than there are"
    assert host.engine.inspect("d-a-1") == before
    assert drift(host) == ["cpus"]


def test_what_an_update_does_not_take_over_is_told_and_no_drift(host: Host) -> None:
    host.call("present", host.task())
    host.engine.update = lambda *_args: None  # type: ignore[method-assign]  # a kernel without this limit
    done = host.call("present", host.task(cpu_shares=512))
    assert host.statuses(done) == {"d-a-1": "updated"}
    assert done["warnings"] == ["d-a-1: this engine does not take over cpu_shares; it has None"]
    assert not host.call("present", host.task(cpu_shares=512))["changed"]
    assert drift(host) == []


# -- one among others


def test_a_replica_that_fails_does_not_stop_the_others(host: Host) -> None:
    tasks = [host.task(index=index) for index in (1, 2, 3)]
    host.engine.refuses["create", "d-a-2"] = EngineError("no more room", 500)
    done = host.call("present", *tasks, concurrency=1)
    assert host.statuses(done) == {"d-a-1": "created", "d-a-2": "failed", "d-a-3": "created"}
    assert done["msg"] == "d-a-2: no more room"
    del host.engine.refuses["create", "d-a-2"]
    assert host.statuses(host.call("present", *tasks)) == {
        "d-a-1": "unchanged",
        "d-a-2": "created",
        "d-a-3": "unchanged",
    }


def test_a_container_that_is_not_ours_is_left_alone(host: Host) -> None:
    host.engine.create("d-a-1", {"Image": "i:1", "HostConfig": {}})
    for check in (True, False):
        done = host.call("present", host.task(), host.task(index=2), check=check)
        assert host.statuses(done) == {"d-a-1": "failed", "d-a-2": "created"}
        assert "is not ours" in done["msg"]


def test_orphans_go(host: Host) -> None:
    host.call("present", host.task(), host.task(index=2))
    told = host.call("present", host.task(), expected=["d-a-1"], check=True)
    assert (told["removed"], host.engine.writes) == (["d-a-2"], [])
    done = host.call("present", host.task(), expected=["d-a-1"])
    assert (done["removed"], done["changed"]) == (["d-a-2"], True)
    assert set(host.engine.there) == set(record(host)["replicas"]) == {"d-a-1"}


# -- images


def test_an_image_that_is_missing_is_pulled_first(host: Host) -> None:
    host.engine.registry["i:2"] = "sha256:i2"
    told = host.call("present", host.task(image="i:2"), check=True)
    assert (told["pulled"], host.engine.writes) == (["i:2"], [])
    done = host.call("present", host.task(image="i:2"))
    assert (done["pulled"], host.engine.writes) == (["i:2"], ["pull", "create", "start"])
    assert done["replicas"]["d-a-1"]["image_id"] == "sha256:i2"


def test_an_image_that_is_always_pulled_changes_only_what_it_changes(host: Host) -> None:
    host.call("present", host.task())
    host.engine.registry["i:1"] = "sha256:i1"
    same = host.call("present", host.task(), pull="always")
    assert (same["changed"], same["pulled"], host.engine.writes) == (False, [], ["pull"])
    host.engine.registry["i:1"] = "sha256:newer"
    told = host.call("present", host.task(), pull="always", check=True)
    assert not told["changed"]  # what comes is not known
    done = host.call("present", host.task(), pull="always")
    assert (done["pulled"], host.statuses(done)) == (["i:1"], {"d-a-1": "recreated"})


def test_an_image_that_cannot_be_had_fails_its_replicas_alone(host: Host) -> None:
    done = host.call("present", host.task(), host.task("b", image="gone:1"))
    assert host.statuses(done) == {"d-a-1": "created", "d-b-1": "failed"}
    assert "gone:1 is not on this host and cannot be had: no such image in the registry" in done["msg"]
    prepared = host.call("prepared", host.task("b", image="gone:1"))
    assert [item["field"] for item in prepared["problems"]] == ["image"]
    never = host.call("present", host.task("b", image="gone:1"), pull="never", check=True)
    assert "its pull policy is never" in never["msg"]


def test_a_container_whose_image_is_gone_is_kept_if_the_same_comes_back(host: Host) -> None:
    host.call("present", host.task())
    host.engine.pics.clear()
    host.engine.registry["i:1"] = "sha256:i1"
    told = host.call("present", host.task(), check=True)
    assert host.statuses(told) == {"d-a-1": "recreated"}
    assert host.statuses(host.call("present", host.task())) == {"d-a-1": "unchanged"}


# -- the state prepared


def test_prepared_makes_all_but_containers(host: Host) -> None:
    task = host.task(networks=[{"name": "d-net"}], volumes=["d-v:/v"])
    done = host.call("prepared", task, networks=[NETWORK])
    assert (done["changed"], done["replicas"], host.engine.there) == (True, {}, {})
    assert host.engine.writes == ["create_network", "create_volume"]
    assert record(host)["replicas"]["d-a-1"]["id"] is None
    again = host.call("prepared", task, networks=[NETWORK])
    assert (again["changed"], host.engine.writes) == (False, [])


def test_nothing_is_made_for_what_nobody_here_may_change(host: Host) -> None:
    host.engine.create_network({"Name": "d-net"})
    with pytest.raises(ProfileError, match="is not ours"):
        host.call("present", host.task(), networks=[{"name": "d-new"}, NETWORK])
    assert host.engine.writes == []


# -- whatever changes

OPTIONS: dict[str, list[Any]] = {
    "env": [{"A": "1"}, {"A": "2"}],
    "memory": ["64m", "128m"],
    "cpus": [1, 2],
    "restart_policy": ["no", "always"],
    "networks": [[{"name": "d-net"}], []],
    "volumes": [["d-v:/v"], ["d-w:/v"]],
}
tasks_of = st.dictionaries(
    st.integers(1, 3),
    st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in OPTIONS.items()}),
)


@settings(max_examples=60, deadline=None)
@given(tasks_of, tasks_of, st.booleans(), st.sets(st.integers(1, 3)))
def test_what_check_mode_tells_is_what_is_done(
    before: dict[int, dict[str, Any]], after: dict[int, dict[str, Any]], internal: bool, stopped: set[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder))

        def apply(tasks: dict[int, dict[str, Any]], network: dict[str, Any], check: bool = False) -> dict[str, Any]:
            made = [host.task(index=index, **options) for index, options in sorted(tasks.items())]
            expected = [task["name"] for task in made]
            return host.call("present", *made, networks=[network], expected=expected, check=check)

        apply(before, NETWORK)
        for index in stopped & set(before):
            host.engine.stop(f"d-a-{index}")
        network = {**NETWORK, "internal": internal}
        kept = host.files()
        told = apply(after, network, check=True)
        assert (host.engine.writes, host.files()) == ([], kept)
        done = apply(after, network)
        assert not done["failed"], done["msg"]
        for key in ("changed", "removed", "prepared", "pulled", "msg", "warnings"):
            assert told[key] == done[key], key
        assert host.statuses(told) == host.statuses(done)
        kept = host.files()
        again = apply(after, network)
        assert (again["changed"], host.engine.writes, host.files()) == (False, [], kept)
        assert drift(host) == []


def test_secret_files_are_written_into_what_is_made_and_a_changed_one_makes_it_anew(host: Host) -> None:
    task = host.task(env={})
    task["labels"] = {**task["labels"], SECRETS_LABEL: "TOKEN /run/secrets/key"}
    secrets = {"TOKEN": "topsecret", "/run/secrets/key": "deepsecret"}
    host.call("present", task, secrets={task["name"]: secrets})
    assert host.engine.written == {task["name"]: {"/run/secrets/key": "deepsecret"}}
    assert host.engine.there[task["name"]]["Config"]["Env"] == ["TOKEN=topsecret"]
    assert not host.call("present", task, secrets={task["name"]: secrets})["changed"]
    changed = host.call("present", task, secrets={task["name"]: {**secrets, "/run/secrets/key": "another"}})
    assert changed["replicas"][task["name"]]["status"] == "recreated"
    assert host.engine.written == {task["name"]: {"/run/secrets/key": "another"}}
