# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conformance with community.docker.docker_container, option by option, on a real engine.

For every option: after our apply the stock module with the same arguments reports no change, and after the stock
module's run ours reports none. And drift in it is found both ways: another value, and the option left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Optional

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.container.options import LIVE, OPTIONS
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine

from .conftest import Deployment, stock


@dataclass(frozen=True)
class Case:
    """One option: a value, another value, what else it needs, and what the test cannot ask of this option or engine."""

    option: str
    value: Any
    other: Any = None
    also: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    left_out_is_seen: bool = True  # False: what the engine chooses when it is left out is its own affair
    needs: str = ""  # key of the engine's info
    network: bool = False

    def __str__(self) -> str:
        return f"{self.option}{'-' + self.label if self.label else ''}"


CASES = [
    Case("auto_remove", True),
    Case("blkio_weight", 300, 400, needs="BlkioWeight"),
    Case("cap_drop", ["NET_RAW", "MKNOD"], ["NET_RAW"]),
    Case("capabilities", ["NET_ADMIN"], ["NET_ADMIN", "NET_BROADCAST"]),
    Case("cgroup_parent", "/rpt-conformance", "/rpt-other"),
    Case("cgroupns_mode", "private", "host", left_out_is_seen=False),
    Case("command", ["sleep", "1000"], ["sleep", "2000"]),
    Case("command", "sleep 1000", ["sleep", "2000"], label="text"),
    Case("cpu_period", 50000, 60000, needs="CpuCfsPeriod"),
    Case("cpu_quota", 20000, 30000, needs="CpuCfsQuota"),
    Case("cpu_shares", 512, 256, needs="CPUShares"),
    Case("cpus", 0.5, 0.75, needs="CpuCfsQuota"),
    Case("cpuset_cpus", "0", "1", needs="CPUSet"),
    Case("cpuset_mems", "0", needs="CPUSet"),
    Case("detach", True, left_out_is_seen=False),
    Case("device_cgroup_rules", ["c 42:* rmw"], ["c 43:* rmw"]),
    Case("device_requests", [], left_out_is_seen=False),
    Case("devices", ["/dev/null:/dev/mynull:rw", "/dev/zero"], ["/dev/null:/dev/mynull:rw"]),
    Case("dns_opts", ["ndots:2"], ["ndots:3"]),
    Case("dns_search_domains", ["example.test"], ["other.test"]),
    Case("dns_servers", ["10.255.0.1", "10.255.0.2"], ["10.255.0.2", "10.255.0.1"]),
    Case("domainname", "example.test", "other.test"),
    Case("entrypoint", ["sh", "-c"], ["sh", "-e", "-c"], also={"command": ["sleep 1000"]}),
    Case("env", {"A": "1", "B": "x=y z"}, {"A": "1", "B": "x"}),
    Case("etc_hosts", {"server": "10.1.2.3", "other": "10.1.2.4"}, {"server": "10.1.2.4"}),
    Case("exposed_ports", ["9000", "9001/udp", "9100-9102"], ["9000"]),
    Case("groups", ["video", "1234"], ["video"]),
    Case(
        "healthcheck",
        {"test": ["CMD", "true"], "interval": "1m30s", "timeout": "5s", "retries": 4, "start_period": "2s"},
        {"test": ["CMD", "true"], "interval": "1m30s", "timeout": "6s", "retries": 4},
    ),
    Case("healthcheck", {"test": "true"}, {"test": "false"}, label="text"),
    Case("healthcheck", {"test": ["NONE"]}, {"test": ["CMD", "true"]}, label="none", left_out_is_seen=False),
    Case("hostname", "camera", "other", left_out_is_seen=False),
    Case("init", True, False),
    Case("interactive", True),
    Case("ipc_mode", "host", "none"),
    Case("labels", {}, left_out_is_seen=False, label="none"),
    Case("log_driver", "json-file", left_out_is_seen=False),
    Case("log_driver", "none", "json-file", label="other", left_out_is_seen=False),
    Case(
        "log_options",
        {"max-size": "1m", "max-file": "2"},
        {"max-size": "2m"},
        also={"log_driver": "json-file"},
        left_out_is_seen=True,
    ),
    Case("memory", "64m", "128m", needs="MemoryLimit"),
    Case("memory_reservation", "32m", "48m", needs="MemoryLimit"),
    Case("memory_swap", "256m", "512m", also={"memory": "64m"}, needs="SwapLimit"),
    Case(
        "memory_swap",
        "unlimited",
        "512m",
        also={"memory": "64m"},
        label="unlimited",
        needs="SwapLimit",
        left_out_is_seen=False,
    ),
    Case("memory_swappiness", 0, 10, label="zero", needs="MemoryLimit"),
    Case("memory_swappiness", 20, 10, needs="MemoryLimit"),
    Case(
        "mounts",
        [{"type": "bind", "source": "/etc", "target": "/x", "read_only": True}],
        [{"type": "bind", "source": "/etc", "target": "/x"}],
    ),
    Case(
        "mounts",
        [{"type": "tmpfs", "target": "/x", "tmpfs_size": "1m", "tmpfs_mode": "1770"}],
        [{"type": "tmpfs", "target": "/x"}],
        label="tmpfs",
    ),
    Case("mounts", [{"source": "{name}-m", "target": "/x"}], [{"source": "{name}-n", "target": "/x"}], label="volume"),
    Case("network_mode", "host", "none"),
    Case("network_mode", "none", "host", label="none"),
    Case("network_mode", "default", "host", label="default", left_out_is_seen=False),
    Case("network_mode", "bridge", "host", label="bridge", left_out_is_seen=False),
    Case("networks", [{"name": "{name}-net"}], [], network=True),
    Case(
        "networks",
        [{"name": "{name}-net", "aliases": ["server", "s"]}],
        [{"name": "{name}-net"}],
        network=True,
        label="aliases",
    ),
    Case(
        "networks",
        [{"name": "{name}-net", "ipv4_address": "172.31.251.7"}],
        [{"name": "{name}-net", "ipv4_address": "172.31.251.8"}],
        network=True,
        label="address",
    ),
    Case(
        "networks",
        [{"name": "{name}-net"}, {"name": "{name}-two"}],
        [{"name": "{name}-net"}],
        network=True,
        label="two",
    ),
    Case("oom_killer", True, needs="OomKillDisable", also={"memory": "64m"}),
    Case("oom_score_adj", 100, 200),
    Case("pid_mode", "host"),
    Case("pids_limit", 100, 200, needs="PidsLimit"),
    Case("publish_all_ports", True, also={"exposed_ports": ["9000"]}),
    Case("published_ports", ["127.0.0.1:38411:9000", "127.0.0.1:38412:9001/udp"], ["127.0.0.1:38413:9000"]),
    Case("published_ports", ["38414:9000"], ["38415:9000"], label="everywhere"),
    Case("published_ports", ["9000"], ["9001"], label="any"),
    Case("published_ports", ["127.0.0.1:38416-38418:9000-9002"], ["127.0.0.1:38416-38417:9000-9001"], label="range"),
    Case("read_only", True),
    Case("restart_policy", "unless-stopped", "always"),
    Case("restart_retries", 3, 4, also={"restart_policy": "on-failure"}),
    Case("runtime", "runc", left_out_is_seen=False),
    Case("security_opts", ["no-new-privileges"], ["seccomp=unconfined"]),
    Case("shm_size", "128m", "256m"),
    Case("stop_signal", "SIGINT", "SIGHUP"),
    Case("stop_timeout", 3, 4),
    Case("sysctls", {"net.ipv4.ip_local_port_range": "1024 65000"}, {"net.ipv4.ip_local_port_range": "2048 65000"}),
    Case("tmpfs", ["/x:size=1m,mode=1770", "/y"], ["/y"]),
    Case("tty", True),
    Case("ulimits", ["nofile:1000:1200", "nproc:500"], ["nofile:1000:1100"]),
    Case("user", "1234:1234", "1235"),
    Case("uts", "host"),
    Case("volumes", ["/etc:/x:ro", "/usr:/y"], ["/etc:/x"]),
    Case("volumes", ["{name}-v:/x"], ["{name}-w:/x"], label="named"),
    Case("volumes", ["/x"], ["/y"], label="anonymous"),
    Case("working_dir", "/tmp", "/usr"),
]

#: options without a case, and why
WITHOUT_CASE = {
    "device_read_bps": "needs a block device",
    "device_read_iops": "needs a block device",
    "device_write_bps": "needs a block device",
    "device_write_iops": "needs a block device",
    "image": "every case has it; another image: test_apply",
    "name": "every case has it; a renamed container: test_apply",
    "privileged": "not every engine may run privileged containers; its drift: unit tests",
    "state": "always started",
    "storage_opts": "needs a storage driver with quotas",
    "userns_mode": "needs an engine with user namespaces",
    "volume_driver": "needs a volume plugin",
    "volumes_from": "test_apply",
}


def _filled(value: Any, deployment: Deployment) -> Any:
    """*value* with the deployment's name in place of ``{name}``."""
    if isinstance(value, str):
        return value.replace("{name}", deployment.name)
    if isinstance(value, list):
        return [_filled(item, deployment) for item in value]
    return {key: _filled(item, deployment) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.fixture(scope="module")
def info(engine: Any) -> dict[str, Any]:
    found: dict[str, Any] = engine.info()
    return found


def _task(case: Case, deployment: Deployment, value: Any) -> dict[str, Any]:
    if case.option == "labels":
        return deployment.task()
    return deployment.task(**{**case.also, case.option: _filled(value, deployment)})


def _networks(case: Case, deployment: Deployment) -> list[dict[str, Any]]:
    if not case.network:
        return []
    return [deployment.network(ipam_config=[{"subnet": "172.31.251.0/24"}]), deployment.network("two")]


def _only(result: dict[str, Any]) -> dict[str, Any]:
    (outcome,) = result["replicas"].values()
    found: dict[str, Any] = outcome
    return found


#: another value that an update brings, where the option is left out: whether an update can take it away
IN_PLACE = {
    "blkio_weight": False,
    "cpu_period": False,
    "cpu_quota": False,
    "cpu_shares": False,
    "cpus": False,
    "cpuset_cpus": False,
    "cpuset_mems": False,
    "memory": False,
    "memory_reservation": False,
    "memory_swap": True,  # what the engine chooses for the memory
    "pids_limit": True,
    "restart_policy": True,
    "restart_retries": True,
}


def _skip_unless(case: Case, info: dict[str, Any]) -> None:
    if case.needs and not info.get(case.needs):
        # This engine drops the value, so the stock module sees a change for ever.
        pytest.skip(f"this engine does not limit that ({case.needs})")


def test_every_limit_is_known() -> None:
    assert set(IN_PLACE) == set(LIVE)


@pytest.mark.parametrize("case", [case for case in CASES if case.option in IN_PLACE], ids=str)
def test_a_limit_is_changed_in_place_as_by_the_stock_module(
    case: Case, deployment: Deployment, info: dict[str, Any], engine: Engine
) -> None:
    """Another value, and then none: an update where the engine can, and then neither of us finds a difference."""
    _skip_unless(case, info)
    made = _only(deployment.present(_task(case, deployment, case.value)))
    for value, in_place in ((case.other, True), (None, IN_PLACE[case.option])):
        if (value is None and not case.left_out_is_seen) or (value is None and case.other is None):
            continue
        before = engine.inspect(made["id"])
        task = _task(case, deployment, value)
        done = _only(deployment.present(task))
        assert done["status"] == ("updated" if in_place else "recreated"), done
        assert case.option in {item["field"] for item in done["diff"]}
        after = engine.inspect(task["name"])
        assert before is not None and after is not None
        if in_place:
            assert (after["Id"], after["State"]["Pid"]) == (before["Id"], before["State"]["Pid"])
        assert not stock("docker_container", **task, _ansible_check_mode=True)["changed"]
        again = deployment.present(task)
        assert (_only(again)["status"], again["changed"]) == ("unchanged", False), _only(again)["diff"]
        made = done


def test_every_option_has_a_case() -> None:
    assert {case.option for case in CASES} | set(WITHOUT_CASE) == set(OPTIONS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_stock_module_agrees_with_us(case: Case, deployment: Deployment, info: dict[str, Any]) -> None:
    _skip_unless(case, info)
    task = _task(case, deployment, case.value)
    made = deployment.present(task, networks=_networks(case, deployment))
    assert _only(made)["status"] == "created", made["msg"]
    result = stock("docker_container", **task, _ansible_check_mode=True, _ansible_diff=True)
    assert not result["changed"], result["diff"]
    again = deployment.present(task, networks=_networks(case, deployment))
    assert _only(again)["status"] == "unchanged", _only(again)["diff"]
    assert not again["changed"], again["prepared"]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_we_agree_with_the_stock_module(case: Case, deployment: Deployment, info: dict[str, Any]) -> None:
    _skip_unless(case, info)
    task = _task(case, deployment, case.value)
    replica, networks = deployment.replica(task), _networks(case, deployment)
    deployment.call("prepared", replica, networks=networks)
    assert stock("docker_container", **task)["changed"]
    ours = _only(deployment.call("present", replica, networks=networks, check=True))
    assert ours["status"] == "unchanged", ours["diff"]

    def drift(value: Optional[Any]) -> set[str]:
        task = _task(case, deployment, value)
        ours = _only(deployment.call("present", deployment.replica(task), networks=networks, check=True))
        return {item["field"].split(".")[0] for item in ours["diff"]}

    if case.other is not None:
        assert case.option in drift(case.other)
    if case.left_out_is_seen:
        assert case.option in drift(None)
