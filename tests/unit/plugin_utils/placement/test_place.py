# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placement: filters that say why, an even spread, and the same places in whatever order the hosts come."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import wishes
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.exclusive import shared_devices
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan, plan_text

from ..world import World, render

RENDER = {"devices": {"render": ["/dev/dri/renderD128"], "npu": []}}


def hosts(made: Mapping[str, Any], container: str) -> list[str]:
    return [r["host"] for r in made["replicas"].values() if r["container"] == container]


@pytest.fixture
def lab(world: World) -> World:
    """Four hosts that differ in all that can be required."""
    world.groups = {"any": ["h1", "h2", "h3", "h4"], "gpus": ["h2", "h4"]}
    world.snapshot = {
        "h1": {"arch": "x86_64", "memory_bytes": 4 << 30, "cpus": 4, "engine": {"version": "20.10.24+dfsg1"}},
        "h2": {"arch": "x86_64", "memory_bytes": 16 << 30, "cpus": 8, "engine": {"version": "24.0.7"}, **RENDER},
        "h3": {"arch": "aarch64", "memory_bytes": 8 << 30, "cpus": 8, "engine": None},
        "h4": {
            "arch": "x86_64",
            "memory_bytes": 8 << 30,
            "cpus": 16,
            "engine": {"version": "20.9.1"},
            "devices": {"render": ["/dev/dri/renderD128", "/dev/dri/renderD129"], "npu": ["/dev/accel/accel0"]},
        },
    }
    return world


@pytest.mark.parametrize(
    "require,taken,reason",
    [
        ("{arch: amd64}", ["h1", "h2", "h4"], "require arch x86_64: it is aarch64"),
        ("{arch: [arm64, riscv64]}", ["h3"], "require arch aarch64 or riscv64: it is x86_64"),
        ("{memory: 8g}", ["h2", "h3", "h4"], "require memory 8 GiB: it has 4 GiB"),
        ("{memory: 8.5 GiB}", ["h2"], "require memory 8.5 GiB: it has 8 GiB"),
        ("{cpus: 8}", ["h2", "h3", "h4"], "require cpus 8: it has 4"),
        ("{gpu: true}", ["h2", "h4"], "require gpu 1: it has none"),
        ("{gpu: 2}", ["h4"], "require gpu 2: it has 1"),
        ("{gpu: false}", ["h1", "h3"], "require no gpu: it has 1"),
        ("{npu: true}", ["h4"], "require npu 1: it has none"),
        ("{engine: '20.10'}", ["h1", "h2"], "require engine 20.10: it has 20.9.1"),
        ("{engine: 24}", ["h2"], "require engine 24: it has none"),
        ("{gpu: true, memory: 10g}", ["h2"], "require memory 10 GiB: it has 4 GiB; require gpu 1: it has none"),
    ],
)
def test_a_requirement_leaves_hosts_out_and_says_why(lab: World, require: str, taken: list[str], reason: str) -> None:
    lab.write("p", f"containers: [{{name: a, image: i, hosts: any, replicas_per_host: 1, require: {require}}}]")
    made = lab.plan("p")
    assert hosts(made, "a") == taken
    out = made["left_out"]["a"]
    assert reason in out
    assert sorted(host for members in out.values() for host in members) == sorted({*lab.hosts} - {*taken})
    assert f"Left out for a: {', '.join(out[reason])}: {reason}" in plan_text.text(made)
    assert f"any has 4 hosts, of which {len(taken)} can take it" in made["replicas"]["p-a-1"]["why"]


def test_where_no_host_meets_the_requirement_each_is_named_with_its_filter(lab: World) -> None:
    lab.write("p", "containers: [{name: a, image: i, hosts: any, require: {npu: 2}}]")
    with pytest.raises(
        ProfileError,
        match=r"container a, field hosts: 1 replica does not fit on the hosts of 'any': "
        r"h1, h2, h3: require npu 2: it has none; h4: require npu 2: it has 1",
    ):
        lab.plan("p")


@pytest.mark.parametrize(
    "require,message",
    [
        ("{}", "expected at least one of arch, memory"),
        ("{gpus: 1}", "did you mean 'gpu'"),
        ("{memory: lots}", "is not a size such as 512m"),
        ("{engine: 20.10}", "write the version in quotes"),
        ("{engine: new}", "is not a version such as 20.10"),
        ("{cpus: 0}", "expected a whole number of at least 1"),
    ],
)
def test_a_bad_requirement_is_named(lab: World, require: str, message: str) -> None:
    lab.write("p", f"containers: [{{name: a, image: i, require: {require}}}]")
    with pytest.raises(ProfileError, match=rf"container a, field require: .*{message}"):
        lab.plan("p")


def test_hosts_are_asked_wherever_a_filter_looks_and_nowhere_else(lab: World) -> None:
    def asked(text: str) -> list[str]:
        lab.write("p", text)
        loaded = lab.load("p")
        return plan.shape(loaded, lab.inventory(), wishes.PlanSettings("p"), render, {}).hosts

    assert asked("containers: [{name: a, image: i, hosts: any}]") == ["h1"]
    assert asked("containers: [{name: a, image: i, hosts: any, exclusive: true}]") == ["h1"]
    assert asked("containers: [{name: a, image: i, hosts: any, require: {gpu: true}}]") == ["h1", "h2", "h3", "h4"]
    assert asked("containers: [{name: a, image: i, hosts: gpus, exclusive: [devices]}]") == ["h2", "h4"]


def test_a_silent_host_that_would_be_used_is_an_error_and_another_a_warning(lab: World) -> None:
    lab.write("p", "containers: [{name: a, image: i, hosts: any, replicas: 2, require: {arch: x86_64}}]")
    lab.silent = {"h4": "timed out"}
    made = lab.plan("p")
    assert hosts(made, "a") == ["h1", "h2"]
    assert made["warnings"] == ["host h4 could not be asked for its facts, and is not used: timed out"]
    assert set(made["snapshot"]) == set(made["hosts"]) == {"h1", "h2"}
    lab.silent = {}
    assert lab.plan("p")["plan_id"] == made["plan_id"]
    lab.silent = {"h1": "timed out"}
    with pytest.raises(ProfileError, match="host h1: could not be asked for its facts: timed out"):
        lab.plan("p")


def test_what_is_exclusive_has_its_host_for_itself(lab: World) -> None:
    lab.write(
        "p",
        "containers:\n"
        "  - {name: a, image: i, hosts: any, replicas_per_host: 1}\n"
        "  - {name: b, image: i, hosts: any, exclusive: true}\n"
        "  - {name: c, image: i, hosts: [h1], exclusive: true}\n",
    )
    made = lab.plan("p")
    assert hosts(made, "c") == ["h1"]  # it has the fewest hosts, so it chooses first
    assert hosts(made, "b") == ["h2"]
    assert hosts(made, "a") == ["h3", "h4"]
    assert made["left_out"] == {
        "a": {
            "exclusive: c has the host for itself": ["h1"],
            "exclusive: b has the host for itself": ["h2"],
        },
        "b": {"exclusive: c has the host for itself": ["h1"]},
    }
    assert list(made["replicas"]) == ["p-a-1", "p-a-2", "p-b-1", "p-c-1"]


def test_exclusive_allows_one_replica_a_host_of_its_own_kind(lab: World) -> None:
    lab.write("p", "containers: [{name: a, image: i, hosts: gpus, replicas: 3, exclusive: host}]")
    with pytest.raises(ProfileError, match=r"3 replicas do not fit .*'gpus': h2, h4: exclusive allows 1 on each"):
        lab.plan("p")


def test_exclusive_devices_are_shared_with_nobody(lab: World) -> None:
    lab.write(
        "p",
        "containers:\n"
        "  - {name: a, image: i, hosts: gpus, exclusive: devices, docker: {devices: ['/dev/dri/renderD128']}}\n"
        "  - {name: b, image: i, hosts: gpus, docker: {devices: ['/dev/dri:/dev/dri:rwm']}}\n"
        "  - {name: c, image: i, hosts: h2, docker: {devices: ['/dev/dri/renderD129']}}\n"
        "  - {name: d, image: i, hosts: h2}\n",
    )
    made = lab.plan("p")
    assert [hosts(made, name) for name in "abcd"] == [["h2"], ["h4"], ["h2"], ["h2"]]
    assert made["left_out"] == {"b": {"exclusive devices: a uses /dev/dri/renderD128": ["h2"]}}


def test_exclusive_devices_are_those_of_the_target_device_too(lab: World) -> None:
    lab.write(
        "p",
        "containers:\n"
        "  - {name: a, image: i, hosts: gpus, exclusive: devices, target_device: GPU}\n"
        "  - {name: b, image: i, hosts: gpus, replicas: 2, target_device: CPU, exclusive: devices}\n"
        "  - {name: c, image: i, hosts: h4, target_device: GPU.0, env: {A: \"{{ peers['b'].host }}\"}}\n"
        "  - {name: d, image: i, hosts: gpus, target_device: GPU.0}\n",
    )
    made = lab.plan("p")
    assert [hosts(made, name) for name in "abcd"] == [["h2"], ["h2", "h4"], ["h4"], ["h4"]]
    with pytest.raises(ProfileError, match="h4: exclusive devices allows 1 on each; h2: exclusive devices: a uses"):
        lab.plan("p", target_device="GPU", replicas={"b": 3})


def test_devices_are_shared_by_path_or_by_folder() -> None:
    assert shared_devices(["/dev/dri"], ["/dev/dri/renderD128", "/dev/accel/accel0"]) == ["/dev/dri/renderD128"]
    assert shared_devices(["/dev/video1"], ["/dev/video10", "/dev/video"]) == []


def test_exclusive_host_ports_keep_their_numbers(lab: World) -> None:
    lab.write(
        "p",
        "containers:\n"
        "  - {name: moves, image: i, hosts: h1, replicas: 2, ports: {web: 8000}}\n"
        "  - {name: fixed, image: i, hosts: any, ports: {web: 8001}, exclusive: [host_ports]}\n"
        "  - {name: user, image: i, hosts: h3, replicas: 3, depends_on: [moves, fixed]}\n",
    )
    made = lab.plan("p")["replicas"]
    # The second of two that may move goes past the port that may not.
    assert [made[f"p-moves-{n}"]["ports"]["web"] for n in (1, 2)] == [8000, 8002]
    assert (made["p-fixed-1"]["host"], made["p-fixed-1"]["ports"]["web"]) == ("h1", 8001)


def test_two_on_the_host_network_with_one_port_are_refused_or_kept_apart(lab: World) -> None:
    text = (
        "containers:\n"
        "  - {{name: a, image: i, hosts: gpus, networks: [host], ports: {{web: 8000}}{extra}}}\n"
        "  - {{name: b, image: i, hosts: gpus, networks: [host], ports: {{web: 8000}}}}\n"
    )
    lab.write("p", text.format(extra=""))
    with pytest.raises(
        ProfileError,
        match=r"yml:3, container b, field ports: p-a-1 and p-b-1 cannot both have port 8000 of every address on h2",
    ):
        lab.plan("p")
    lab.write("p", text.format(extra=", exclusive: [host_ports]"))
    made = lab.plan("p")
    assert (hosts(made, "a"), hosts(made, "b")) == (["h2"], ["h4"])


def test_limit_leaves_hosts_out_and_is_told(lab: World) -> None:
    lab.allowed = ["h2", "h3"]
    lab.write("p", "containers: [{name: a, image: i, hosts: any, replicas_per_host: 1}]")
    made = lab.plan("p")
    assert hosts(made, "a") == ["h2", "h3"]
    assert made["left_out"] == {"a": {"--limit": ["h1", "h4"]}}


def test_place_and_replicas_of_the_command_line_replace_the_profiles(lab: World) -> None:
    lab.write("p", "containers: [{name: a, image: i, hosts: h1, replicas_per_host: 1, require: {gpu: true}}]")
    made = lab.plan("p", place={"a": "any"}, replicas={"a": 3})
    assert hosts(made, "a") == ["h2", "h4", "h2"]


def test_replicas_on_each_host_are_numbered_host_by_host_and_dealt_in_turns(lab: World) -> None:
    lab.write(
        "p",
        "containers:\n"
        "  - {name: s, image: i, hosts: any, replicas_per_host: 2, networks: [n], ports: {web: 80}}\n"
        "  - {name: c, image: i, hosts: any, replicas_per_host: 4, networks: [n], depends_on: [s]}\n",
    )
    made = lab.plan("p")
    assert hosts(made, "s") == ["h1", "h1", "h2", "h2", "h3", "h3", "h4", "h4"]
    for replica in made["replicas"].values():
        if replica["container"] == "c":  # a server on the client's own host, each server as often as the other
            assert made["replicas"][replica["peers"]["s"]["replica"]]["host"] == replica["host"]
    dealt = Counter(r["peers"]["s"]["replica"] for r in made["replicas"].values() if r["container"] == "c")
    assert set(dealt.values()) == {2}


@pytest.mark.parametrize(("servers", "clients"), [(2, 11), (3, 10), (7, 100), (5, 3)])
def test_consumers_are_dealt_evenly_over_many_servers_that_share_hosts(lab: World, servers: int, clients: int) -> None:
    lab.write(
        "p",
        "containers:\n"
        f"  - {{name: s, image: i, hosts: gpus, replicas: {servers}, ports: {{grpc: 9000, rest: 8000}}}}\n"
        f"  - {{name: c, image: i, hosts: [h1, h3], replicas: {clients}, depends_on: [s]}}\n",
    )
    made = lab.plan("p")["replicas"]
    consumers = [r for r in made.values() if r["container"] == "c"]
    dealt = Counter(r["peers"]["s"]["replica"] for r in consumers)
    assert max(dealt.values()) - min(dealt.get(f"p-s-{n}", 0) for n in range(1, servers + 1)) <= 1
    bound = Counter(
        ":".join(item.split(":")[:2]) for r in made.values() for item in r["task"].get("published_ports", [])
    )
    assert set(bound.values()) == {1}  # no address and port twice
    for replica in consumers:
        server = made[replica["peers"]["s"]["replica"]]
        assert replica["peers"]["s"] == {
            "replica": replica["peers"]["s"]["replica"],
            "host": server["host"],
            "address": lab.address(server["host"]),
            "ports": server["ports"],
        }
        assert replica["task"]["etc_hosts"] == {"s": lab.address(server["host"])}


# -- what holds for every fleet and every wish

FACTS = st.fixed_dictionaries(
    {
        "arch": st.sampled_from(["x86_64", "aarch64"]),
        "memory_bytes": st.sampled_from([4 << 30, 8 << 30]),
        "devices": st.sampled_from([{"render": [], "npu": []}, {"render": ["/dev/dri/renderD128"], "npu": []}]),
    }
)
ENTRY = st.fixed_dictionaries(
    {"image": st.just("i"), "hosts": st.sampled_from(["all", "even", "odd"])},
    optional={
        "max_per_host": st.integers(1, 3),
        "exclusive": st.sampled_from([True, ["devices"], ["host_ports"]]),
        "require": st.sampled_from([{"gpu": True}, {"arch": "x86_64"}, {"memory": "8g"}]),
        "docker": st.just({"devices": ["/dev/dri/renderD128"]}),
        "ports": st.sampled_from([{"web": 8000}, {"web": 8001}]),
    },
)
COUNT = st.one_of(
    st.integers(1, 9).map(lambda count: {"replicas": count}),
    st.integers(1, 2).map(lambda count: {"replicas_per_host": count}),
)


@st.composite
def fleets(draw: st.DrawFn) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    number = draw(st.integers(1, 7))
    facts = {f"n{at + 1 if at % 2 else at + 8}": draw(FACTS) for at in range(number)}
    entries = [
        {"name": name, **draw(ENTRY), **draw(COUNT)} for name in draw(st.sampled_from([["a"], ["b", "a"], list("cab")]))
    ]
    return facts, entries


def fleet_world(factory: pytest.TempPathFactory, facts: Mapping[str, Any], entries: list[dict[str, Any]]) -> World:
    names = sorted(facts)
    groups = {"everyone": names, "even": names[::2], "odd": names[1::2] or names}
    made = World(factory.mktemp("profiles"), groups, snapshot=dict(facts))
    made.write("p", yaml.safe_dump({"containers": entries}))
    return made


def outcome(world: World) -> dict[str, Any] | str:
    try:
        return world.plan("p")
    except ProfileError as error:
        return str(error)


def met(require: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    checks = {
        "gpu": bool(facts["devices"]["render"]),
        "arch": facts["arch"] == "x86_64",
        "memory": facts["memory_bytes"] >= 8 << 30,
    }
    return all(checks[kind] for kind in require)


def apart(some: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two replicas may not be on one host."""
    kinds = [kind for entry in (some, other) for kind in ([entry.get("exclusive")] if entry.get("exclusive") else [])]
    both_devices = "docker" in some and "docker" in other
    both_ports = "ports" in some and some.get("ports") == other.get("ports")
    return True in kinds or (["devices"] in kinds and both_devices) or (["host_ports"] in kinds and both_ports)


@settings(max_examples=80, deadline=None)
@given(fleets(), st.randoms(use_true_random=False))
def test_the_plan_is_the_same_in_whatever_order_the_hosts_come(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[dict[str, Any], list[dict[str, Any]]], random: Any
) -> None:
    facts, entries = case
    world = fleet_world(tmp_path_factory, facts, entries)
    first = outcome(world)
    world.groups = {name: random.sample(members, len(members)) for name, members in reversed(world.groups.items())}
    world.snapshot = dict(reversed(world.snapshot.items()))
    assert json.dumps(outcome(world)) == json.dumps(first)


@settings(max_examples=150, deadline=None)
@given(fleets())
def test_the_spread_is_even_and_no_filter_is_violated(
    tmp_path_factory: pytest.TempPathFactory, case: tuple[dict[str, Any], list[dict[str, Any]]]
) -> None:
    facts, entries = case
    world = fleet_world(tmp_path_factory, facts, entries)
    made = outcome(world)
    if isinstance(made, str):
        assert "not fit on" in made
        assert any(host in made for host in facts)
        return
    placed = Counter((r["container"], r["host"]) for r in made["replicas"].values())
    for entry in entries:
        name = entry["name"]
        out = {host for members in made["left_out"].get(name, {}).values() for host in members}
        pattern = world.groups.get(entry["hosts"], list(facts))
        counts = {host: placed[name, host] for host in pattern if host not in out}
        assert sum(counts.values()) == entry.get("replicas", entry.get("replicas_per_host", 0) * len(counts))
        cap = 1 if apart(entry, entry) else entry.get("max_per_host", 99)
        assert max(counts.values()) <= cap
        assert max(counts.values()) - min(counts.values()) <= 1
        for host in pattern:
            assert met(entry.get("require", {}), facts[host]) or (host in out and not placed[name, host])
        for host in out:
            taken = [other for other in entries if placed[other["name"], host] and apart(entry, other)]
            assert taken or not met(entry.get("require", {}), facts[host])
    for host in facts:
        there = [entry for entry in entries if placed[entry["name"], host]]
        for at, some in enumerate(there):
            assert not any(apart(some, other) for other in there[at + 1 :])


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 4), COUNT)
def test_a_host_more_at_the_end_renames_and_moves_nothing(
    tmp_path_factory: pytest.TempPathFactory, before: int, more: int, count: dict[str, int]
) -> None:
    if count.get("replicas", 0) > before:
        count = {"replicas": before}
    facts = {f"n{at}": {} for at in range(1, before + more + 1)}
    world = fleet_world(tmp_path_factory, facts, [{"name": "a", "image": "i", **count}])
    after = world.plan("p")["replicas"]
    world.groups = {"everyone": [f"n{at}" for at in range(1, before + 1)]}
    earlier = world.plan("p")["replicas"]
    assert {name: r["host"] for name, r in earlier.items()} == {name: after[name]["host"] for name in earlier}
