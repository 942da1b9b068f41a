# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan, observations
from ansible_collections.retail.profiles.plugins.plugin_utils.density import guard
from ansible_collections.retail.profiles.plugins.plugin_utils.density.guard import Left, Limits

from ..synthetic import T0, make_plan

GIB = 1024**3
PLAN = make_plan(2, 1)


def seen(**more: Any) -> observations.Observations:
    """Two hosts with half of all left, but for what ``client1`` is said to have."""
    usual = {"mem": {"total": 16 * GIB, "available": 8 * GIB}, "space": [50 * GIB, 100 * GIB], "psi": {"memory": [1.0]}}
    samples = [
        {"type": "host", "t": T0 + second, "host": host, **usual, **(more if host == "client1" else {})}
        for second in range(12)
        for host in PLAN["hosts"]
    ]
    return observations.observe(measured_plan.of_plan(PLAN), samples, {})


def gpu(used: int) -> dict[str, Any]:
    return {"devices": {"gpu": {"0000:03:00.0": {"memory_used_bytes": used, "memory_total_bytes": 16 * GIB}}}}


def danger(found: observations.Observations, hosts: list[str]) -> str | None:
    return guard.danger(guard.left(found, hosts, Limits()), found, hosts, Limits())


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, None),
        (
            {"mem": {"total": 16 * GIB, "available": GIB // 2}},
            "host client1 has 3.1 % of its memory left, and must keep 5 %",
        ),
        ({"space": [GIB, 100 * GIB]}, "host client1 has 1.0 % of its disk left, and must keep 2 %"),
        ({"psi": {"memory": [35.0]}}, "host client1 stalls 35 % of the time for want of memory, and may 20 %"),
        (gpu(8 * GIB), None),
        (
            gpu(16 * GIB - GIB // 4),
            "host client1 has 1.6 % of its memory of GPU 0000:03:00.0 left, and must keep 5 %",
        ),
        ({"mem": {}, "space": None, "psi": None}, None),  # what is not known is no danger
    ],
)
def test_a_host_that_runs_out_is_named(more: dict[str, Any], says: str | None) -> None:
    assert danger(seen(**more), list(PLAN["hosts"])) == says


def test_only_the_hosts_of_the_search_are_guarded() -> None:
    assert danger(seen(space=[0, GIB]), ["server"]) is None


def memory(percent: float, host: str = "h1") -> Left:
    return Left(host, "memory", percent, 5.0)


@pytest.mark.parametrize(
    ("before", "streams"),
    [
        ([(1, [memory(90.0)])], None),  # one number tells no slope
        ([(2, [memory(90.0)]), (2, [memory(80.0)])], None),
        ([(1, [memory(90.0)]), (2, [memory(85.0)])], 18),
        ([(1, [memory(90.0)]), (4, [memory(90.0)])], None),  # they take nothing
        ([(4, [memory(4.0)]), (2, [memory(50.0)])], 4),  # below it already
        ([(1, [memory(90.0), memory(80.0, "h2")]), (2, [memory(85.0), memory(60.0, "h2")])], 4),
        ([(1, []), (2, [memory(60.0, "h2")])], None),  # a host that had none before
    ],
)
def test_room_is_what_the_fullest_host_has(before: list[tuple[int, list[Left]]], streams: int | None) -> None:
    found = guard.room(before)
    assert (found and found.streams) == streams
    if found is not None:
        assert found.why.startswith("host h")
        assert "of its memory left with more" in found.why
