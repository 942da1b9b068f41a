# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a picture of the host to operations: pure, without an engine; and what an update of limits comes to."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.apply.operations import Operation
from ansible_collections.retail.profiles.plugins.module_utils.apply.reconcile import (
    Images,
    Picture,
    Seen,
    check_network,
    decide,
    mounts_any,
    network_differences,
    network_request,
    pulls,
    replica,
    request_hash,
    verb_of,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import (
    Difference,
    can_update,
    create_request,
    differences,
    dropped,
    update_request,
)
from ansible_collections.retail.profiles.plugins.module_utils.container.options import LIVE
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, parse_order, parse_task
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import Made, Record
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Listed

from .stand_in import StandIn, labels

RUNNING = {"State": {"Status": "running", "Running": True}}
API = (1, 44)


def task(**options: Any) -> dict[str, Any]:
    return {"name": "d-a-1", "image": "i:1", "labels": labels(), **options}


def order_of(*tasks: dict[str, Any], **more: Any) -> Order:
    share = {key: more.pop(key) for key in ("networks", "files") if key in more}
    share["replicas"] = [{"name": item["name"], "container": "a", "task": item} for item in tasks]
    return parse_order({"state": "present", "deployment": "d", "state_dir": "/s", "share": share, **more})


def container(made_from: dict[str, Any]) -> dict[str, Any]:
    """A container as an engine would have it."""
    engine = StandIn()
    engine.nets["d-net"] = {"Name": "d-net", "Id": "n1"}
    engine.create(made_from["name"], create_request(parse_task(made_from, "a"), API))
    engine.start(made_from["name"])
    inspect = engine.inspect(made_from["name"])
    assert inspect is not None
    return inspect


def picture_of(order: Order, *inspects: Optional[dict[str, Any]], **more: Any) -> Picture:
    """What is seen where the containers of the order's replicas are these."""
    seen = tuple(
        Seen(item, item.values, create_request(item.values, API), inspect)
        for item, inspect in zip(order.share.replicas, [*inspects, *[None] * len(order.share.replicas)])
    )
    images = Images({"i:1": {"Id": "sha256:i1", "Config": {}}})
    record = Record("d", replicas={item.name: Made() for item in order.share.replicas})
    return Picture(order, **{"record": record, "images": images, "replicas": seen, **more})


def operations(picture: Picture) -> list[tuple[str, str, str]]:
    return [(one.verb, one.kind, one.name) for one in decide(picture)]


# -- one replica


@pytest.mark.parametrize(
    ("inspect", "found", "ours", "action"),
    [
        (None, [], False, "create"),
        (RUNNING, [], False, "foreign"),
        (RUNNING, [Difference("env", 1, 2)], False, "foreign"),
        (RUNNING, [], True, "keep"),
        (RUNNING, [Difference("env", 1, 2)], True, "recreate"),
        (RUNNING, [Difference("memory", 1, 2)], True, "update"),
        (RUNNING, [Difference("memory", 1, 2), Difference("env", 1, 2)], True, "recreate"),
        ({"State": {"Status": "exited", "Running": False}}, [], True, "start"),
        ({"State": {"Status": "created", "Running": False}}, [], True, "start"),
        ({"State": {"Status": "exited", "Running": False}}, [Difference("env", 1, 2)], True, "recreate"),
        ({"State": {"Status": "paused", "Running": True, "Paused": True}}, [], True, "unpause"),
        ({"State": {"Status": "restarting", "Running": True, "Restarting": True}}, [], True, "keep"),
        ({"State": {"Status": "dead", "Dead": True}}, [], True, "recreate"),
        ({"State": {"Status": "dead", "Dead": True}}, [Difference("memory", 1, 2)], True, "recreate"),
        ({"State": {"Status": "removing"}}, [], True, "recreate"),
    ],
)
def test_decisions(inspect: Optional[dict[str, Any]], found: list[Difference], ours: bool, action: str) -> None:
    order = order_of(task(memory="64m"))
    if inspect is not None and ours:
        assert verb_of(inspect, found, order.share.replicas[0].values) == action
        return
    there = inspect and {**container(task()), **inspect, "Config": {"Labels": {}}}
    picture = picture_of(order, there)
    one = replica(picture, picture.replicas[0], {})
    assert (one.verb, "is not ours" in one.reason) == (("refuse", True) if action == "foreign" else (action, False))


def test_what_cannot_be_looked_at_is_refused_with_its_reason() -> None:
    order = order_of(task())
    (one,) = decide(picture_of(order, replicas=(Seen(order.share.replicas[0], error="the engine hangs"),)))
    assert one == Operation("refuse", "container", "d-a-1", reason="the engine hangs")
    (one,) = decide(picture_of(order, images=Images(errors={"i:1": "is not there"})))
    assert (one.verb, one.reason) == ("refuse", "is not there")


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


# -- limits: what an update can express, and what it comes to

LIMITS: dict[str, list[Any]] = {
    "blkio_weight": [300, 400],
    "cpu_period": [50000, 60000],
    "cpu_quota": [20000, 30000],
    "cpu_shares": [512, 256],
    "cpus": [0.5, 1.5],
    "cpuset_cpus": ["0", "0,1"],
    "cpuset_mems": ["0", "0,1"],
    "memory": ["64m", "128m"],
    "memory_reservation": ["16m", "32m"],
    "memory_swap": ["256m", "512m", "unlimited"],
    "pids_limit": [100, 200],
    "restart_policy": ["no", "always", "on-failure"],
    "restart_retries": [3, 4],
}
limits = st.fixed_dictionaries({}, optional={name: st.sampled_from(values) for name, values in LIMITS.items()})


def test_every_limit_is_tried() -> None:
    assert set(LIMITS) == set(LIVE)


@given(limits, limits)
def test_an_update_leaves_nothing_that_differs(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Whatever limits a container has, and whatever it is to have: where an update is decided, it is all."""
    engine = StandIn()
    engine.create("d-a-1", create_request(parse_task(task(**before), "a"), API))
    engine.start("d-a-1")
    order = order_of(task(**after))
    (wanted,) = order.share.replicas
    inspect = engine.inspect("d-a-1")
    assert inspect is not None
    (one,) = decide(picture_of(order, inspect))
    assert one.verb in ("keep", "update", "recreate")
    assert (one.verb == "keep") == (not one.differences)
    assert (one.verb == "update") == bool(
        one.differences and can_update(wanted.values, (item.field for item in one.differences))
    )
    if one.verb == "update":
        engine.update("d-a-1", update_request(wanted.values))
        updated = engine.inspect("d-a-1")
        assert updated is not None
        assert differences(wanted.values, updated, {"Id": "sha256:i1", "Config": {}}, {}, name="d-a-1") == []
        assert dropped(wanted.values, updated) == {}
        assert updated["Id"] == inspect["Id"]


@pytest.mark.parametrize(
    ("before", "after", "verb"),
    [
        ({}, {"memory": "64m"}, "update"),
        ({"memory": "64m"}, {"memory": "128m"}, "update"),
        ({"memory": "64m", "memory_swap": "unlimited"}, {"memory": "64m"}, "keep"),  # as good as the engine's own
        ({"memory": "64m"}, {}, "recreate"),
        ({"cpus": 1}, {"cpus": 2}, "update"),
        ({"cpus": 1}, {}, "recreate"),
        ({"cpus": 1}, {"cpu_quota": 50000}, "recreate"),
        ({"pids_limit": 100}, {}, "update"),
        ({"restart_policy": "always"}, {}, "update"),
        ({"restart_policy": "on-failure", "restart_retries": 3}, {"restart_policy": "on-failure"}, "update"),
        ({"cpuset_cpus": "0"}, {"cpuset_cpus": "1"}, "update"),
        ({"cpuset_cpus": "0"}, {}, "recreate"),
        ({"memory": "64m"}, {"memory": "128m", "hostname": "h", "env": {"A": "1"}}, "recreate"),
    ],
)
def test_what_is_changed_in_place(before: dict[str, Any], after: dict[str, Any], verb: str) -> None:
    (one,) = decide(picture_of(order_of(task(**after)), container(task(**before))))
    assert one.verb == verb


def test_an_update_says_all_limits_as_they_are_checked_against_each_other() -> None:
    values = parse_task(task(memory="64m", cpus=1.5, restart_policy="on-failure", restart_retries=3), "a")
    assert update_request(values) == {
        "NanoCpus": 1_500_000_000,
        "Memory": 64 << 20,
        "MemorySwap": 128 << 20,
        "PidsLimit": 0,
        "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
    }
    assert update_request(parse_task(task(), "a")) == {
        "PidsLimit": 0,
        "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    }


# -- all of a host


def test_the_order_of_operations() -> None:
    mounting = task(volumes=["v:/v"], networks=[{"name": "d-net"}])
    file = {"path": "f", "kind": "file", "sha256": "0", "mode": "0644", "dest": "/s/f"}
    order = order_of(mounting, networks=[{"name": "d-net"}], files=[file], expected=["d-a-1"])
    orphan = Listed("d-b-1", "2", labels(), "i:1", "running", ())
    foreign = Listed("e-b-1", "3", labels("e"), "i:1", "running", ())
    record = Record("d", replicas={"d-a-1": Made(), "d-b-1": Made()})
    containers = {item.name: item for item in (orphan, foreign)}
    picture = picture_of(order, record=record, containers=containers, stale=order.share.files)
    assert operations(picture) == [
        ("create", "network", "d-net"),
        ("create", "file", "/s/f"),
        ("create", "volume", "v"),
        ("remove", "container", "d-b-1"),
        ("create", "container", "d-a-1"),
    ]
    assert all(one.differences or one.reason for one in decide(picture))


def test_a_container_that_was_renamed_is_no_orphan() -> None:
    order = order_of(task(), expected=["d-a-1"])
    renamed = Listed("other", "1", labels(), "i:1", "running", ())
    record = Record("d", replicas={"d-a-1": Made("1")})
    inspect = {**container(task()), "Id": "1", "Name": "/other"}
    picture = picture_of(order, inspect, record=record, containers={"other": renamed})
    (one,) = decide(picture)
    assert (one.verb, one.differences) == ("recreate", (Difference("name", "other", "d-a-1"),))


def test_a_network_that_is_made_anew_takes_its_containers_along() -> None:
    on_it, alone = task(networks=[{"name": "d-net"}]), {**task(), "name": "d-b-1"}
    order = order_of(on_it, alone, networks=[{"name": "d-net", "internal": True}])
    network = {"Name": "d-net", "Id": "n1", "Driver": "bridge", "Internal": False, "Labels": labels()}
    record = Record("d", replicas={"d-a-1": Made(), "d-b-1": Made()}, networks=("d-net",))
    picture = picture_of(order, container(on_it), container(alone), record=record, networks={"d-net": network})
    assert operations(picture) == [
        ("recreate", "network", "d-net"),
        ("recreate", "container", "d-a-1"),
        ("keep", "container", "d-b-1"),
    ]
    unchanged = picture_of(
        order_of(on_it, alone, networks=[{"name": "d-net", "labels": labels()}]),
        container(on_it),
        container(alone),
        record=record,
        networks={"d-net": network},
    )
    assert {one.verb for one in decide(unchanged)} == {"keep"}


def test_a_network_or_volume_that_nobody_here_may_change() -> None:
    order = order_of(task(volumes=["d-v:/v"]), networks=[{"name": "d-net"}])
    with pytest.raises(ProfileError, match=r"field network d-net: a network of that name .* is not ours"):
        decide(picture_of(order, networks={"d-net": {"Name": "d-net", "Id": "n", "Labels": {}}}))
    volume = {"Name": "d-v", "Labels": labels(), "Driver": "nfs", "Options": None}
    with pytest.raises(ProfileError, match="field volume d-v: the volume has the driver nfs"):
        decide(picture_of(order, volumes={"d-v": volume}))
    theirs = picture_of(order, volumes={"d-v": {**volume, "Labels": None}})
    assert ("create", "volume", "d-v") not in operations(theirs)


@pytest.mark.parametrize(
    ("pull", "there", "verb", "changes"),
    [
        ("missing", True, None, False),
        ("missing", False, "create", True),
        ("always", True, "update", False),
        ("always", False, "create", True),
    ],
)
def test_which_images_are_pulled(pull: str, there: bool, verb: Optional[str], changes: bool) -> None:
    share = {"replicas": [{"name": "d-a-1", "container": "a", "task": task(), "pull": pull}] * 2}
    order = parse_order({"state": "present", "deployment": "d", "state_dir": "/s", "share": share})
    found = pulls(order.share.replicas, Images({"i:1": {"Id": "1"}} if there else {}))
    assert [(one.verb, one.kind, one.name, bool(one.differences)) for one in found] == (
        [(verb, "image", "i:1", changes)] if verb else []
    )
    assert pulls(order.share.replicas, Images(errors={"i:1": "no"})) == []


def test_a_changed_file_makes_the_containers_that_mount_it_anew() -> None:
    mounting, other = task(volumes=["/s/f:/x:ro"]), {**task(), "name": "d-b-1"}
    file = {"path": "f", "kind": "file", "sha256": "0", "mode": "0644", "dest": "/s/f"}
    order = order_of(mounting, other, files=[file])
    picture = picture_of(order, container(mounting), container(other), stale=order.share.files)
    assert operations(picture)[1:] == [("recreate", "container", "d-a-1"), ("keep", "container", "d-b-1")]


# -- networks


def test_networks_as_the_engine_makes_them() -> None:
    assert network_request({"name": "n"}) == {"Name": "n", "Driver": "bridge"}
    request = network_request(
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
        check_network({"name": "n", "colour": 1})


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
    assert network_differences(same, actual) == []
    other = {
        "name": "n",
        "driver": "macvlan",
        "internal": True,
        "driver_options": {"parent": "eth0"},
        "ipam_config": [{"subnet": "10.0.1.0/24"}],
    }
    found = [item.field for item in network_differences(other, actual)]
    assert found == ["n.driver", "n.internal", "n.labels", "n.driver_options", "n.ipam_config"]
