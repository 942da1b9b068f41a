# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of the fleet as a table."""

from __future__ import annotations

from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.status_table import HEADER, overview


def item(name: str, **changes: Any) -> dict[str, Any]:
    usual = {"replica": name, "image": "i:1", "desired": "running", "actual": "running", "ready": True, "reason": None}
    return {**usual, "restarts": 0, "drift": [], "as_desired": True, **changes}


def test_all_as_desired() -> None:
    shown = overview(
        {"h10": {"replicas": [item("d-a-10"), item("d-a-2", ready=None)]}, "h9": {"replicas": [item("d-a-1")]}}
    )
    header, *rows = shown.table.splitlines()
    assert header.split() == list(HEADER)
    assert [row.split()[:2] for row in rows] == [["h9", "d-a-1"], ["h10", "d-a-2"], ["h10", "d-a-10"]]
    assert [row.split()[5] for row in rows] == ["yes", "-", "yes"]
    assert (shown.message, shown.as_desired) == ("3 of 3 replicas are as desired", True)
    starts = {line.index("i:1") for line in rows}
    assert starts == {header.index("IMAGE")}


def test_what_is_not_as_desired_is_told_below() -> None:
    drift = [
        {"field": "memory", "current": 1, "desired": None},
        {"field": "memory", "current": 2, "desired": "x" * 99},
        {"field": "cpus", "current": 1_500_000_000, "desired": 2_000_000_000},
    ]
    wrong = item("d-a-1", as_desired=False, ready=False, reason="answered 503", drift=drift, restarts=4)
    shown = overview({"h1": {"replicas": [wrong, item("d-a-2")]}})
    lines = shown.table.splitlines()
    assert lines[1].split()[-4:] == ["no", "4", "memory,", "cpus"]
    assert lines[3:] == [
        "! d-a-1 on h1: not ready: answered 503",
        "! d-a-1 on h1: memory is 1, should be nothing",
        f"! d-a-1 on h1: memory is 2, should be {'x' * 39}…",
        "! d-a-1 on h1: cpus is 1.5, should be 2.0",
    ]
    assert (shown.message, shown.as_desired) == ("1 of 2 replicas are as desired", False)


def test_hosts_that_do_not_answer_are_rows() -> None:
    answers = {
        "h1": {"unreachable": True, "msg": "Task failed: Failed to connect\nand more"},
        "h2": {"msg": "there is no Docker Engine"},
        "h3": {"replicas": []},
    }
    shown = overview(answers)
    lines = shown.table.splitlines()
    assert [line.split() for line in lines[1:3]] == [["h1", "?", "unreachable"], ["h2", "?", "no", "answer"]]
    assert lines[3:] == ["! h1: Failed to connect", "! h2: there is no Docker Engine"]
    assert shown.message == "nothing of the collection is on the hosts that answered; 2 of 3 hosts could not be asked"
    assert not shown.as_desired


def test_nothing_is_there() -> None:
    anything = overview({"h1": {"replicas": []}})
    assert (anything.message, anything.as_desired) == ("nothing of the collection is on these hosts", True)
    named = overview({"h1": {"replicas": []}}, "ovms")
    assert (named.table, named.message, named.as_desired) == (
        "",
        "nothing of the deployment ovms is on these hosts",
        False,
    )


def test_what_is_known_of_a_record_is_said_as_it_is() -> None:
    drift = [{"field": "record", "current": None, "desired": "its record is lost: stop_profile.yml removes it"}]
    older = [
        {"field": "record", "current": "made by an earlier version", "desired": "deploy again to know what is desired"}
    ]
    items = [item("d-a-1", as_desired=False, drift=drift), item("d-a-2", as_desired=False, drift=older)]
    assert overview({"h1": {"replicas": items}}).table.splitlines()[3:] == [
        "! d-a-1 on h1: its record is lost: stop_profile.yml removes it",
        "! d-a-2 on h1: made by an earlier version: deploy again to know what is desired",
    ]


def test_what_a_host_says_steers_no_terminal() -> None:
    answers = {
        "h1": {"replicas": [item("d-\x1b[2Ja-1", reason="\x9b" + "x" * 9000, ready=False, as_desired=False)]},
        "h2": {"msg": "\x07"},
    }
    assert all(line.isprintable() and len(line) < 5000 for line in overview(answers).table.splitlines())
