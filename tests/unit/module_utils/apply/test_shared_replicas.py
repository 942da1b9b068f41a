# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replicas that deployments share, on an engine in memory: joined, refused, changed when alone, and left."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .stand_in import Host, labels

NAME = "shared-server-1"


def share(host: Host, **options: Any) -> dict[str, Any]:
    network = {"name": f"{NAME}-net", "labels": labels(NAME), **options.pop("network", {})}
    task = {
        "name": NAME,
        "image": "i:1",
        "labels": {**labels(NAME), "retail.profiles.replica": NAME},
        "networks": [{"name": network["name"]}],
        **options,
    }
    return {"networks": [network], "replicas": [{"name": NAME, "container": "server", "task": task}]}


def join(host: Host, deployment: str, state: str = "present", check: bool = False, **options: Any) -> dict[str, Any]:
    return host.call(
        state, shared=[share(host, **options)], deployment=deployment, expected=[NAME], check=check, release=True
    )


def members(host: Host) -> set[str]:
    found = host.files().get(f"deployments/{NAME}/members.json")
    return set(json.loads(found)["members"]) if found else set()


def test_the_second_joins_and_the_last_removes(host: Host) -> None:
    assert host.statuses(join(host, "one")) == {NAME: "created"}
    kept = host.engine.inspect(NAME)
    told = join(host, "two", check=True)
    assert (host.statuses(told), host.engine.writes, members(host)) == ({NAME: "joined"}, [], {"one"})
    done = join(host, "two")
    assert (host.statuses(done), done["changed"], host.engine.writes) == ({NAME: "joined"}, True, [])
    assert done["replicas"][NAME]["diff"] == told["replicas"][NAME]["diff"]
    assert members(host) == {"one", "two"}
    again = join(host, "two")
    assert (host.statuses(again), again["changed"], host.engine.writes) == ({NAME: "unchanged"}, False, [])
    assert host.engine.inspect(NAME) == kept
    left = host.call("absent", deployment="one")
    assert (left["removed"][-1], members(host)) == ("one as a user of " + NAME, {"two"})
    assert NAME in host.call("absent", deployment="two")["removed"]
    assert host.engine.there == {}
    assert host.files() == {}


def test_joining_looks_at_the_host_once_under_the_lock(host: Host) -> None:
    join(host, "one")
    join(host, "two")
    assert host.engine.calls.count("image") == 1
    assert host.engine.calls.count("networks") == 1


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"env": {"A": "1"}}, 'env: runs with null, wanted ["A=1"]'),
        ({"memory": "64m"}, "memory: runs with null, wanted 67108864"),
        ({"network": {"internal": True}}, "-net.internal: runs with false, wanted true"),
    ],
)
@pytest.mark.parametrize("check", [True, False])
def test_what_others_use_is_not_changed_nor_updated(host: Host, change: dict[str, Any], told: str, check: bool) -> None:
    join(host, "one")
    kept = host.engine.inspect(NAME)
    refused = join(host, "two", check=check, **change)
    assert refused["failed"]
    assert f"{NAME} is in use by one and runs with another specification" in refused["msg"]
    assert told in refused["msg"]
    assert (members(host), host.engine.inspect(NAME)) == ({"one"}, kept)
    checked = join(host, "two", state="checked", **change)
    assert any(told in str(item["message"]) for item in checked["problems"])


def test_alone_it_may_be_updated(host: Host) -> None:
    join(host, "one", memory="64m")
    before = host.engine.inspect(NAME)
    done = join(host, "one", memory="128m")
    after = host.engine.inspect(NAME)
    assert host.statuses(done) == {NAME: "updated"}
    assert before is not None and after is not None and before["Id"] == after["Id"]
    assert host.statuses(join(host, "two", memory="128m")) == {NAME: "joined"}


def test_who_does_not_need_it_any_more_leaves(host: Host) -> None:
    join(host, "one")
    told = host.call("present", deployment="one", expected=[], check=True)
    assert (told["removed"], members(host)) == (["one as a user of " + NAME], {"one"})
    done = host.call("present", deployment="one", expected=[])
    assert NAME in done["removed"]
    assert host.engine.there == {}
