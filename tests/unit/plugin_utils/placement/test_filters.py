# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of placement, each by itself, and one more of them."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.placement import filters
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.exclusive import Occupant, Uses
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.filters import Candidate
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import PlanSettings, Wish, wishes

from ..world import World, render

GPU = Uses(frozenset({"/dev/dri"}), frozenset({8000}))
HOST = Candidate("h1", allowed=True, facts=None, uses=GPU, occupants=())


def wish(world: World, fields: str = "") -> Wish:
    world.write("p", f"containers: [{{name: a, image: i{fields}}}]")
    [found] = wishes(world.load("p"), world.inventory(), PlanSettings("p"), render, {})
    return found


def test_a_host_takes_what_no_filter_refuses(world: World) -> None:
    assert filters.refusal(wish(world), HOST) is None
    assert filters.refusal(wish(world), replace(HOST, taken=math.inf)) is None


def test_a_limit_leaves_a_host_out(world: World) -> None:
    assert filters.limited(wish(world), replace(HOST, allowed=False)) == "--limit"


def test_a_host_that_has_not_answered_counts_as_one_that_has_all(world: World) -> None:
    wanted = wish(world, ", require: {cpus: 8}")
    assert filters.requirements(wanted, HOST) is None
    assert filters.requirements(wanted, replace(HOST, facts={"cpus": 8})) is None
    assert filters.requirements(wanted, replace(HOST, facts={"cpus": 4})) == "require cpus 8: it has 4"


def test_what_it_shares_with_has_to_be_there(world: World) -> None:
    assert filters.together(wish(world), HOST) is None
    assert filters.together(wish(world), replace(HOST, lacks=["b"])) == "b, with which it shares, is not there"


@pytest.mark.parametrize(
    "own,theirs,reason",
    [
        ("", [], None),
        (", exclusive: true", [], "exclusive: b is there"),
        ("", ["host"], "exclusive: b has the host for itself"),
        ("", ["devices"], "exclusive devices: b uses /dev/dri/renderD128"),
        (", exclusive: host_ports", [], "exclusive host_ports: b uses 8000"),
    ],
)
def test_either_s_exclusive_holds_for_both(world: World, own: str, theirs: list[str], reason: str | None) -> None:
    there = Occupant("b", theirs, Uses(frozenset({"/dev/dri/renderD128"}), frozenset({8000})))
    assert filters.occupied(wish(world, own), replace(HOST, occupants=(there,))) == reason


def test_what_is_exclusive_is_alone_where_it_uses_something(world: World) -> None:
    devices = wish(world, ", exclusive: devices")
    assert filters.alone(devices, HOST) is None
    assert filters.alone(devices, replace(HOST, taken=1)) == "exclusive devices allows 1 on each"
    assert filters.alone(devices, replace(HOST, taken=1, uses=Uses())) is None


def test_a_host_is_full_at_max_per_host(world: World) -> None:
    two = wish(world, ", max_per_host: 2")
    reasons = [filters.max_per_host(two, replace(HOST, taken=taken)) for taken in (0, 1, 2, math.inf)]
    assert reasons == [None, None, *["max_per_host allows 2 on each"] * 2]


def test_the_first_filter_that_has_a_reason_decides(world: World) -> None:
    one = wish(world, ", exclusive: true, max_per_host: 1")
    assert filters.refusal(one, replace(HOST, taken=1)) == "exclusive allows 1 on each"
    assert filters.refusal(one, replace(HOST, taken=1, allowed=False)) == "--limit"


def test_one_more_filter_is_a_function_and_its_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def even(wish: Wish, host: Candidate) -> str | None:
        """Its number is odd."""
        return None if int(host.name[1:]) % 2 == 0 else "it is odd"

    monkeypatch.setattr(filters, "FILTERS", (*filters.FILTERS, even))
    world.write("p", "containers: [{name: a, image: i, replicas: 3}]")
    made = world.plan("p")
    assert made["left_out"] == {"a": {"it is odd": ["h1", "h3"]}}
    assert [replica["host"] for replica in made["replicas"].values()] == ["h2", "h10", "h2"]
