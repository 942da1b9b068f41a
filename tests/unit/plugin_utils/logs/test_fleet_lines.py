# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of all hosts in one order, whoever gave them when."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.logs.fleet_lines import (
    PATIENCE,
    FleetLine,
    FleetLines,
    HostEnd,
)

SECOND = 1_000_000_000


def add(fleet: FleetLines, host: str, all_until: int, *times: int, replica: str = "") -> None:
    name = replica or f"{host}-a"
    lines = [FleetLine(time * SECOND, host, name, "stdout", f"{host} {time}") for time in times]
    fleet.add(host, {"replicas": [name], "unread": {}}, lines, all_until * SECOND)


@pytest.fixture
def fleet(tmp_path: Path) -> FleetLines:
    made = FleetLines(tmp_path / "lines.sqlite")
    made.expect(["h1", "h2"])
    return made


def taken(fleet: FleetLines, now: float | None) -> list[str]:
    return [line.text for line in fleet.take(now)]


def test_all_lines_are_in_order_of_time(fleet: FleetLines) -> None:
    add(fleet, "h2", 10, 3, 5, 9)
    add(fleet, "h1", 10, 1, 4, 8)
    assert taken(fleet, None) == ["h1 1", "h2 3", "h1 4", "h2 5", "h1 8", "h2 9"]
    assert taken(fleet, None) == []


def test_lines_of_one_moment_stay_in_the_order_in_which_they_were_read(fleet: FleetLines) -> None:
    lines = [FleetLine(SECOND, "h1", "h1-a", "stdout", text) for text in "zay"]
    fleet.add("h1", {"replicas": ["h1-a"], "unread": {}}, lines, SECOND)
    assert taken(fleet, None) == ["z", "a", "y"]


def test_a_line_waits_until_no_host_can_give_an_earlier_one(fleet: FleetLines) -> None:
    add(fleet, "h1", 103, 101, 102)
    assert taken(fleet, 103) == []
    add(fleet, "h2", 102, 100)
    assert taken(fleet, 103) == ["h2 100", "h1 101"]
    fleet.end("h2")
    assert taken(fleet, 103) == ["h1 102"]


def test_nobody_waits_longer_than_this_for_a_host_that_is_silent(fleet: FleetLines) -> None:
    add(fleet, "h1", 103, 101, 102)
    assert taken(fleet, 102 + PATIENCE) == ["h1 101"]
    assert taken(fleet, 102.5 + PATIENCE) == ["h1 102"]
    add(fleet, "h2", 110, 100)
    assert taken(fleet, 110) == ["h2 100"]


def test_when_all_have_ended_nothing_is_waited_for(fleet: FleetLines) -> None:
    add(fleet, "h1", 50, 101)
    fleet.end("h1")
    fleet.end("h2")
    assert taken(fleet, 102) == ["h1 101"]


def test_lines_that_are_not_taken_to_the_end_are_not_lost(fleet: FleetLines) -> None:
    add(fleet, "h1", 10, 1, 2)
    begun = fleet.take(None)
    assert next(begun).text == "h1 1"
    begun.close()  # type: ignore[attr-defined]
    assert taken(fleet, None) == ["h1 1", "h1 2"]


def test_hosts_replicas_and_what_went_wrong_with_them(fleet: FleetLines) -> None:
    fleet.add("h1", {"replicas": ["a", "b"], "unread": {"b": "no driver"}}, [], 1)
    fleet.end("h1")
    fleet.end("h2", "no route to host")
    assert fleet.replicas() == [("h1", "a"), ("h1", "b")]
    assert fleet.unread() == [("h1", "b", "no driver")]
    assert fleet.hosts() == [HostEnd("h1", None, 2), HostEnd("h2", "no route to host", 0)]
    fleet.add("h1", {"replicas": ["b"], "unread": {}}, [], 2)
    assert fleet.unread() == []
