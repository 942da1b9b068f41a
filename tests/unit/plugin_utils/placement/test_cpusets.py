# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUs of their own: never shared, whole cores first, and an error with host and counts where there are too few."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import cpusets
from ansible_collections.retail.profiles.plugins.plugin_utils.text import cpu_list

from ..world import World

SIBLINGS = {"cpus": 8, "cpu_cores": [[0, 4], [1, 5], [2, 6], [3, 7]]}
ONE = "containers: [{{name: a, image: i, hosts: h1, replicas: {0}, {1}}}]"


def test_lists_are_read_and_written_as_docker_has_them() -> None:
    assert cpu_list.numbers("0-3, 8,10-10") == [0, 1, 2, 3, 8, 10]
    assert cpu_list.text([10, 8, 3, 2, 1, 0]) == "0-3,8,10"
    for bad in ("", "a", "3-1", "1-", "-1", "1,,2", "²"):
        with pytest.raises(ValueError, match="is not a list of CPUs"):
            cpu_list.numbers(bad)


@given(st.sets(st.integers(0, 200), min_size=1))
def test_a_list_that_was_written_is_read_back(cpus: set[int]) -> None:
    assert cpu_list.numbers(cpu_list.text(cpus)) == sorted(cpus)


def test_each_cpu_is_a_core_of_its_own_as_long_as_there_are_enough() -> None:
    assert cpusets.deal("h", {"a": {"cpus": 2}, "b": {"cpus": 2}}, SIBLINGS) == {"a": "0-1", "b": "2-3"}


def test_siblings_are_used_core_by_core_where_cores_are_too_few() -> None:
    dealt = cpusets.deal("h", {name: {"cpus": 2} for name in "abc"}, SIBLINGS)
    assert dealt == {"a": "0,4", "b": "1,5", "c": "2,6"}


def test_auto_shares_whole_cores_evenly() -> None:
    assert cpusets.deal("h", {"a": {}, "b": {}}, SIBLINGS) == {"a": "0-1,4-5", "b": "2-3,6-7"}
    assert cpusets.deal("h", {"a": {}, "b": {}, "c": {}}, SIBLINGS) == {"a": "0,4", "b": "1,5", "c": "2,6"}
    many = cpusets.deal("h", {str(n): {} for n in range(8)}, SIBLINGS)
    assert sorted(map(int, many.values())) == list(range(8))


def test_a_list_of_the_profile_is_kept_and_its_cores_are_not_dealt() -> None:
    dealt = cpusets.deal("h", {"a": {}, "b": {"fixed": [0, 1]}, "c": {"cpus": 1}}, SIBLINGS)
    assert dealt == {"b": "0-1", "c": "2", "a": "3,7"}
    with pytest.raises(ProfileError, match=r"host h, field cpuset: b is to have the CPUs 8-9, but the host has 0-7"):
        cpusets.deal("h", {"b": {"fixed": [8, 9]}}, SIBLINGS)


@st.composite
def hosts(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    threads = draw(st.integers(1, 2))
    count = draw(st.integers(1, 8))
    cores = [[core + count * thread for thread in range(threads)] for core in range(count)]
    specs = st.one_of(st.just({}), st.integers(1, 6).map(lambda cpus: {"cpus": cpus}))
    wanted = draw(st.lists(specs, min_size=1, max_size=6))
    return {"cpus": count * threads, "cpu_cores": cores}, {f"r{n}": spec for n, spec in enumerate(wanted)}


@given(hosts())
def test_no_two_replicas_share_a_cpu(host: tuple[dict[str, Any], dict[str, dict[str, Any]]]) -> None:
    facts, wanted = host
    needed = sum(spec.get("cpus", 1) for spec in wanted.values())
    if needed > facts["cpus"]:
        with pytest.raises(ProfileError, match=rf"want {needed} CPUs of their own .* the host has {facts['cpus']}"):
            cpusets.deal("h", wanted, facts)
        return
    dealt = {name: cpu_list.numbers(text) for name, text in cpusets.deal("h", wanted, facts).items()}
    assert set(dealt) == set(wanted)
    used = [cpu for cpus in dealt.values() for cpu in cpus]
    assert len(used) == len(set(used))
    assert set(used) <= {cpu for core in facts["cpu_cores"] for cpu in core}
    assert all(len(dealt[name]) == spec["cpus"] for name, spec in wanted.items() if "cpus" in spec)
    assert len({len(dealt[name]) for name, spec in wanted.items() if not spec}) <= 1
    if needed <= len(facts["cpu_cores"]) and all(wanted.values()):
        assert max(used) < len(facts["cpu_cores"])  # a core each, its sibling idle


def test_the_plan_gives_each_host_its_own_sets(world: World) -> None:
    world.snapshot = {host: {"cpus": 4} for host in world.hosts}
    world.write("pinned", "containers: [{name: a, image: i, hosts: clients, replicas_per_host: 2, cpuset: {cpus: 2}}]")
    made = world.plan("pinned")["replicas"]
    assert [(r["host"], r["task"]["cpuset_cpus"]) for r in made.values()] == [
        (host, cpus) for host in ("h2", "h3", "h10") for cpus in ("0-1", "2-3")
    ]
    assert all("cpus" not in r["task"] for r in made.values())


@pytest.mark.parametrize("fields", ["cpuset: auto, cpus: 3", "cpuset: {cpus: 3}"])
def test_oversubscription_is_an_error_with_host_and_counts(world: World, fields: str) -> None:
    world.snapshot = {"h1": {"cpus": 8}}
    world.write("pinned", ONE.format(3, fields))
    with pytest.raises(
        ProfileError,
        match=r"host h1, field cpuset: 3 replicas want 9 CPUs of their own \(pinned-a-1 3, .*\), but the host has 8",
    ):
        world.plan("pinned")


def test_cpus_alone_is_a_limit(world: World) -> None:
    world.write("limited", ONE.format(1, "cpus: 1.5"))
    assert world.plan("limited")["replicas"]["limited-a-1"]["task"]["cpus"] == 1.5
    world.snapshot = {"h1": {"cpus": 4}}
    world.write("limited", ONE.format(1, "cpus: 1.5, cpuset: '0-1'"))
    task = world.plan("limited")["replicas"]["limited-a-1"]["task"]
    assert (task["cpus"], task["cpuset_cpus"]) == (1.5, "0-1")


@pytest.mark.parametrize(
    "fields,message",
    [
        ("cpuset: auto, cpus: 1.5", "a set has a whole number of CPUs, not 1.5"),
        ("cpuset: {cpus: 1}, cpus: 2", "give the number of CPUs once"),
        ("cpuset: some", "is not a list of CPUs"),
        ("cpuset: {cpu: 1}", "did you mean 'cpus'"),
        ("cpus: 0", "expected a number of CPUs"),
        ("docker: {cpuset_cpus: '0'}", "use the field 'cpuset'"),
    ],
)
def test_a_bad_cpuset_is_named(world: World, fields: str, message: str) -> None:
    world.snapshot = {"h1": {"cpus": 4}}
    world.write("bad", ONE.format(1, fields))
    with pytest.raises(ProfileError, match=message):
        world.plan("bad")
