# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks to create requests, and what differs between a task and a container: pure, without an engine."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.container.drift import (
    Difference,
    create_request,
    differences,
    dropped,
    later_networks,
)
from ansible_collections.retail.profiles.plugins.module_utils.container.options import OPTIONS, TABLE
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import parse_task

OLD, NEW = (1, 41), (1, 44)
IMAGE: dict[str, Any] = {
    "Id": "sha256:1",
    "Config": {
        "Env": ["PATH=/bin", "LANG=C"],
        "Cmd": ["serve"],
        "Entrypoint": ["/entry"],
        "Labels": {"vendor": "x"},
        "User": "ovms",
        "WorkingDir": "/ovms",
        "Volumes": {"/data": {}},
        "ExposedPorts": {"80": {}},
        "StopSignal": "SIGTERM",
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 1_000_000_000},
    },
}


def container(task: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """What an engine would show of a container that it made from *task*."""
    values = parse_task(task, "c")
    request = create_request(values, OLD)
    host, networking = request.pop("HostConfig"), request.pop("NetworkingConfig", {"EndpointsConfig": {}})
    config = {key: value for key, value in request.items() if value not in (None, False)}
    own: dict[str, Any] = IMAGE["Config"]
    env = dict(item.split("=", 1) for item in [*own.get("Env", ()), *config.get("Env", ())])
    config["Env"] = [f"{key}={value}" for key, value in env.items()]
    config["Labels"] = {**own.get("Labels", {}), **config.get("Labels", {})}
    if "Entrypoint" not in config:
        config["Entrypoint"] = own.get("Entrypoint")
        config.setdefault("Cmd", own.get("Cmd"))
    for key in ("User", "WorkingDir", "StopSignal"):
        config[key] = config.get(key) or own.get(key) or ""
    config["Healthcheck"] = {**own.get("Healthcheck", {}), **config.get("Healthcheck", {})}
    config["Volumes"] = {**own.get("Volumes", {}), **config.get("Volumes", {})}
    config["ExposedPorts"] = {"80/tcp": {}, **config.get("ExposedPorts", {})}
    host.setdefault("NetworkMode", "default")
    host.setdefault("ShmSize", 64 << 20)
    host.setdefault("RestartPolicy", {"Name": "no", "MaximumRetryCount": 0})
    host.setdefault("LogConfig", {"Type": "json-file", "Config": {}})
    host.setdefault("IpcMode", "private")
    mode = host["NetworkMode"]
    ends = dict(networking["EndpointsConfig"])
    for network in later_networks(values, OLD):
        ends[network["name"]] = {}
    if not ends and not mode.startswith("container:"):
        ends = {"bridge" if mode == "default" else mode: {}}
    return {
        "Id": "f" * 64,
        "Name": f"/{task['name']}",
        "Image": IMAGE["Id"],
        "Config": config,
        "HostConfig": host,
        "NetworkSettings": {"Networks": ends},
        **changes,
    }


def found(task: dict[str, Any], inspect: dict[str, Any], **more: Any) -> dict[str, tuple[Any, Any]]:
    items = differences(parse_task(task, "c"), inspect, IMAGE, more.pop("ids", {}), name=task["name"], **more)
    return {item.field: (item.current, item.desired) for item in items}


BASE: dict[str, Any] = {"name": "d-c-1", "image": "i:1"}

#: a value for every option that shows in a container, and a change of it where leaving it out is not seen
VALUES: dict[str, Any] = {
    "auto_remove": True,
    "blkio_weight": 300,
    "cap_drop": ["NET_RAW"],
    "capabilities": ["NET_ADMIN"],
    "cgroup_parent": "/x",
    "command": ["a", "b"],
    "cpu_period": 1000,
    "cpu_quota": 1000,
    "cpu_shares": 10,
    "cpus": 1.5,
    "cpuset_cpus": "0-1",
    "cpuset_mems": "0",
    "device_cgroup_rules": ["c 42:* rmw"],
    "device_read_bps": [{"path": "/dev/sda", "rate": "1m"}],
    "device_read_iops": [{"path": "/dev/sda", "rate": 100}],
    "device_requests": [{"count": -1, "capabilities": [["gpu"]]}],
    "device_write_bps": [{"path": "/dev/sda", "rate": "1m"}],
    "device_write_iops": [{"path": "/dev/sda", "rate": 100}],
    "devices": ["/dev/dri/renderD128"],
    "dns_opts": ["ndots:2"],
    "dns_search_domains": ["x.test"],
    "dns_servers": ["10.0.0.1"],
    "domainname": "x.test",
    "entrypoint": ["sh"],
    "env": {"A": "1", "LANG": "de"},
    "etc_hosts": {"a": "10.0.0.1"},
    "exposed_ports": ["9000"],
    "groups": ["video"],
    "healthcheck": {"test": "false"},
    "image": "other:1",
    "init": True,
    "interactive": True,
    "ipc_mode": "host",
    "labels": {"a": "b"},
    "log_options": {"max-size": "1m"},
    "memory": "64m",
    "memory_reservation": "32m",
    "memory_swap": "128m",
    "memory_swappiness": 10,
    "mounts": [{"target": "/m", "type": "bind", "source": "/x"}],
    "network_mode": "host",
    "networks": [{"name": "n", "aliases": ["x"]}],
    "oom_killer": True,
    "oom_score_adj": 10,
    "pid_mode": "host",
    "pids_limit": 10,
    "privileged": True,
    "publish_all_ports": True,
    "published_ports": ["10.0.0.1:80:90"],
    "read_only": True,
    "restart_policy": "always",
    "restart_retries": 3,
    "security_opts": ["no-new-privileges"],
    "shm_size": "1g",
    "stop_signal": "SIGINT",
    "stop_timeout": 3,
    "storage_opts": {"size": "1g"},
    "sysctls": {"net.core.somaxconn": 10},
    "tmpfs": ["/t"],
    "tty": True,
    "ulimits": ["nofile:10"],
    "user": "1000",
    "userns_mode": "host",
    "uts": "host",
    "volume_driver": "nfs",
    "volumes": ["/x:/y"],
    "volumes_from": ["other"],
    "working_dir": "/x",
}
ALSO = {"log_options": {"log_driver": "json-file"}, "restart_retries": {"restart_policy": "on-failure"}}
#: what an engine may choose when the task says nothing
ENGINES_CHOICE = {"cgroupns_mode", "hostname", "log_driver", "runtime"}
#: options that are nothing of a container's own
NOT_SHOWN = {"name", "state", "detach"}


def test_every_option_is_tested() -> None:
    assert set(VALUES) | ENGINES_CHOICE | NOT_SHOWN == set(OPTIONS)


@pytest.mark.parametrize("option", sorted(VALUES))
def test_a_container_made_from_a_task_does_not_differ_from_it(option: str) -> None:
    task = {**BASE, **ALSO.get(option, {}), option: VALUES[option]}
    assert found(task, container(task)) == {}


@pytest.mark.parametrize("option", sorted(set(VALUES) - {"image"}))
def test_an_option_that_left_the_task_is_seen(option: str) -> None:
    """The container has what the task no longer says."""
    base = {**BASE, **ALSO.get(option, {})}
    differing = found(base, container({**base, option: VALUES[option]}))
    assert option in {field.split(".")[0] for field in differing}


@pytest.mark.parametrize("option", sorted(VALUES))
def test_an_option_that_came_into_the_task_is_seen(option: str) -> None:
    base = {**BASE, **ALSO.get(option, {})}
    differing = found({**base, option: VALUES[option]}, container(base))
    assert option in {field.split(".")[0] for field in differing}


@pytest.mark.parametrize("option", sorted(ENGINES_CHOICE))
def test_the_engine_may_choose_what_the_task_leaves_open(option: str) -> None:
    value = {"cgroupns_mode": "host"}.get(option, "x")
    assert found(BASE, container({**BASE, option: value})) == {}
    assert option in found({**BASE, option: value}, container(BASE))


@given(st.sets(st.sampled_from(sorted(set(VALUES) - {"restart_retries", "log_options", "network_mode"})), max_size=8))
def test_any_options_together(options: set[str]) -> None:
    task = {**BASE, **{option: VALUES[option] for option in sorted(options)}}
    assert found(task, container(task)) == {}


@given(st.permutations(["A=1", "B=2", "PATH=/bin", "LANG=C"]))
def test_order_means_nothing_in_sets(env: list[str]) -> None:
    task = {**BASE, "env": {"A": "1", "B": "2"}}
    inspect = container(task)
    inspect["Config"]["Env"] = env
    assert found(task, inspect) == {}


def test_an_entrypoint_makes_the_engine_forget_the_images_command() -> None:
    task = {**BASE, "entrypoint": ["/my/entry"]}
    inspect = container(task)
    inspect["Config"]["Cmd"] = None
    assert found(task, inspect) == {}
    inspect["Config"]["Cmd"] = ["serve"]
    assert set(found(task, inspect)) == {"command"}


def test_name_and_image() -> None:
    inspect = container(BASE, Name="/other", Image="sha256:2")
    assert found(BASE, inspect) == {"name": ("other", "d-c-1"), "image_id": ("sha256:2", "sha256:1")}


def test_only_what_can_change_in_a_containers_life() -> None:
    task = {**BASE, "env": {"A": "1"}, "memory": "64m"}
    inspect = container({**BASE, "env": {"A": "2"}, "memory": "32m"})
    assert set(found(task, inspect)) == {"env", "memory"}
    assert set(found(task, inspect, live_only=True)) == {"memory"}


def test_the_engines_own_rules_are_no_drift() -> None:
    task = {**BASE, "memory": "64m", "privileged": True}
    inspect = container(task)
    inspect["HostConfig"]["MemorySwap"] = 128 << 20
    inspect["HostConfig"]["SecurityOpt"] = ["label=disable"]
    inspect["HostConfig"]["CapAdd"] = []
    inspect["HostConfig"]["NetworkMode"] = "bridge"
    assert found(task, inspect) == {}
    inspect["HostConfig"]["MemorySwap"] = 256 << 20
    assert set(found(task, inspect)) == {"memory_swap"}


@pytest.mark.parametrize(("option", "one", "other"), [("labels", {"a": ""}, {}), ("tmpfs", ["/a", "/b"], ["/a"])])
def test_an_empty_value_is_a_value(option: str, one: Any, other: Any) -> None:
    assert set(found({**BASE, option: one}, container({**BASE, option: other}))) == {option}
    assert set(found({**BASE, option: other}, container({**BASE, option: one}))) == {option}


def test_capabilities_are_the_same_with_and_without_prefix() -> None:
    task = {**BASE, "capabilities": ["net_admin"]}
    inspect = container(task)
    inspect["HostConfig"]["CapAdd"] = ["CAP_NET_ADMIN"]
    assert found(task, inspect) == {}


def test_networks_both_ways() -> None:
    task = {**BASE, "networks": [{"name": "a", "aliases": ["x"], "ipv4_address": "10.0.0.2"}, {"name": "b"}]}
    inspect = container(task)
    ends = inspect["NetworkSettings"]["Networks"]
    ends["a"] = {
        "IPAMConfig": {"IPv4Address": "10.0.0.2"},
        "Aliases": ["x", "f" * 12, "d-c-1"],
        "NetworkID": "1",
    }
    assert found(task, inspect, ids={"a": "1"}) == {}
    assert found(task, inspect, ids={"a": "2"}) == {"networks.a.id": ("1", "2")}
    ends["a"]["Aliases"] = ["y"]
    ends["a"]["IPAMConfig"] = None
    ends["c"] = ends.pop("b")
    assert found(task, inspect) == {
        "networks.a.ipv4_address": (None, "10.0.0.2"),
        "networks.a.aliases": (["y"], ["x"]),
        "networks.b": (None, "connected"),
        "networks.c": ("connected", None),
    }


def test_an_ipv6_address_is_the_same_in_any_writing() -> None:
    task = {**BASE, "networks": [{"name": "a", "ipv6_address": "FD00:0::1"}]}
    inspect = container(task)
    inspect["NetworkSettings"]["Networks"]["a"] = {"IPAMConfig": {"IPv6Address": "fd00::1"}}
    assert found(task, inspect) == {}


def test_a_mode_and_networks_together() -> None:
    task = {**BASE, "network_mode": "bridge", "networks": [{"name": "a"}]}
    inspect = container(task)
    inspect["NetworkSettings"]["Networks"] = {"bridge": {}, "a": {}}
    assert found(task, inspect) == {}


def test_what_an_engine_drops() -> None:
    task = {**BASE, "blkio_weight": 300, "memory": "64m"}
    inspect = container(task)
    assert dropped(parse_task(task, "c"), inspect) == {}
    inspect["HostConfig"]["BlkioWeight"] = 0
    assert dropped(parse_task(task, "c"), inspect) == {"blkio_weight": 0}


def test_a_request() -> None:
    task = {
        **BASE,
        "state": "started",
        "command": ["--port", 9000],
        "env": {"A": "1"},
        "networks": [{"name": "n", "aliases": ["s"]}, {"name": "m"}],
        "published_ports": ["10.1.2.3:9000:9000/tcp"],
        "volumes": ["/a:/b:ro", "/c"],
        "restart_policy": "on-failure",
        "restart_retries": 2,
    }
    request = create_request(parse_task(task, "c"), OLD)
    assert request == {
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "StdinOnce": False,
        "Cmd": ["--port", "9000"],
        "Env": ["A=1"],
        "ExposedPorts": {"9000/tcp": {}},
        "Image": "i:1",
        "Volumes": {"/c": {}},
        "HostConfig": {
            "Binds": ["/a:/b:ro"],
            "NetworkMode": "n",
            "PortBindings": {"9000/tcp": [{"HostIp": "10.1.2.3", "HostPort": "9000"}]},
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 2},
        },
        "NetworkingConfig": {"EndpointsConfig": {"n": {"Aliases": ["s"]}}},
    }
    assert later_networks(parse_task(task, "c"), OLD) == [{"name": "m"}]
    newer = create_request(parse_task(task, "c"), NEW)
    assert newer["NetworkingConfig"]["EndpointsConfig"] == {"n": {"Aliases": ["s"]}, "m": {}}
    assert later_networks(parse_task(task, "c"), NEW) == []


def test_nothing_is_asked_for_that_the_task_does_not_say() -> None:
    """Above all: no privileges."""
    assert create_request(parse_task(BASE, "c"), OLD) == {
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "StdinOnce": False,
        "Image": "i:1",
        "HostConfig": {},
    }


def test_an_endpoint() -> None:
    network = {"name": "n", "ipv6_address": "fd00::1", "links": ["a", "b:c"], "mac_address": "02-42-00-00-00-01"}
    request = create_request(parse_task({**BASE, "networks": [network]}, "c"), OLD)
    assert request["NetworkingConfig"]["EndpointsConfig"]["n"] == {
        "IPAMConfig": {"IPv6Address": "fd00::1"},
        "Links": ["a:a", "b:c"],
        "MacAddress": "02:42:00:00:00:01",
    }


def test_a_difference_as_it_is_told() -> None:
    assert Difference("env", ["A=1"], ["A=2"]).as_dict() == {"field": "env", "current": ["A=1"], "desired": ["A=2"]}


def test_the_table_has_each_option_once_in_order() -> None:
    names = [option.name for option in TABLE]
    assert names == sorted(set(names))
