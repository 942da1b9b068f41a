# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up runs whose clients ask for a load of their own."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan, offered_load
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import html_report, run_record, summary
from ansible_collections.retail.profiles.plugins.plugin_utils.text import yaml_document

from ..synthetic import RULES, Fleet, Play, make_plan

PlayOf = Callable[..., Play]
SHORT = WindowSettings(15.0, 20.0)
FIRST = "ovms-client-1"


def plan(clients: int = 2, **changes: Any) -> dict[str, Any]:
    """The clients' rules are those that the shipped profile has."""
    made = make_plan(hosts=3, clients=clients)
    profile = Path(__file__).parents[4] / "profiles" / "ovms" / "profile.yml"
    shipped = yaml_document.parse(profile.read_text(), "profile.yml").value
    rules = next(container["metrics"] for container in shipped["containers"] if container["name"] == "client")
    for name, replica in made["replicas"].items():
        if name.startswith("ovms-client"):
            replica["metrics"] = {**rules, **changes}
    return made


class Asking(Fleet):
    """Clients that ask for 30 frames a second and get them; what a test changes is in ``asked`` and ``dropping``."""

    asked: float | None = 30.0
    done: Mapping[str, float] = MappingProxyType({})
    dropping: Mapping[str, int] = MappingProxyType({})

    def fps(self, replica: str, second: float) -> float:
        return self.done.get(replica, 30.0)

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = super().replica(name, replica, t, second)
        for sample in found:
            if sample["type"] == "log":
                dropped = round(self.add(f"{name} dropped", self.dropping.get(name, 0)))
                load = {"asked": self.asked, "late": int(second), "dropped": dropped}
                sample["line"] = json.dumps({**json.loads(sample["line"]), **load})
        return found


class Overloaded(Asking):
    """720 frames a second asked, 13.8 done, the rest dropped."""

    asked = 720.0
    done = dict.fromkeys((FIRST, "ovms-client-2"), 13.8)
    dropping = dict.fromkeys((FIRST, "ovms-client-2"), 706)


def test_a_load_that_is_done_is_ok(play_of: PlayOf) -> None:
    record = play_of(Asking, plan()).whole(SHORT)
    assert (record["verdict"], record["reasons"]) == ("ok", [])
    assert record["metrics"][FIRST]["offered_per_second"]["mean"] == 30.0
    assert record["metrics"][FIRST]["late"]["total"] == pytest.approx(20)
    totals = record["totals"]
    assert (totals["offered_per_second"]["mean"], totals["offered_per_second"]["unit"]) == (60.0, "frames/s")
    assert (totals["late"]["total"], totals["dropped"]["total"]) == (pytest.approx(40), 0.0)


def test_an_overloaded_client_degrades_and_is_named(play_of: PlayOf) -> None:
    made = plan(clients=1)
    play = play_of(Overloaded, made)
    record = play.whole(SHORT)
    assert record["verdict"] == "degraded"
    assert record["reasons"] == [
        f"overloaded: replica {FIRST} on client1 asked 720 frames/s, 13.8 done, 14,120 dropped in 20 s"
    ]
    assert record["metrics"][FIRST]["dropped"]["total"] == pytest.approx(706 * 20)
    head, rows = summary.headings(record), summary.table_rows(record)
    cells = dict(zip(head, next(row for row in rows if row[0] == FIRST), strict=True))
    assert (cells["fps"], cells["asked/s"], cells["late"], cells["dropped"]) == ("13.8", "720.0", "20", "14120")
    page = html_report.html(record, run_record.load(play.plan, play.directory.events(), list(play.directory.samples())))
    assert all(title in page for title in ("Load asked", "Late", "Dropped"))
    assert "dropped" in "\n".join(play.screen.lines)


class Lost(Asking):
    """The first client is not seen from second 25 on."""

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        return sample.get("replica") != FIRST or second < 25


def test_a_client_that_was_lost_is_not_overloaded(play_of: PlayOf) -> None:
    record = play_of(Lost, plan()).whole(SHORT)
    assert record["verdict"] == "failed"
    assert "no sample for" in "\n".join(record["reasons"]) and "overloaded" not in "\n".join(record["reasons"])


class Uneven(Asking):
    done = MappingProxyType({"ovms-client-2": 24.0, "ovms-client-4": 15.0})


def test_of_several_the_worst_is_named_with_their_number(play_of: PlayOf) -> None:
    record = play_of(Uneven, plan(clients=4)).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert record["reasons"] == [
        "overloaded: 2 replicas; the worst, replica ovms-client-4 on client2 asked 30 frames/s, 15 done in 20 s"
    ]


class ClosedLoop(Asking):
    asked = None
    done = MappingProxyType({FIRST: 3.0})


def test_a_closed_loop_asks_for_no_rate_and_is_not_judged(play_of: PlayOf) -> None:
    record = play_of(ClosedLoop, plan()).whole(SHORT)
    assert (record["verdict"], record["reasons"]) == ("ok", [])
    assert record["absent"][FIRST]["offered_per_second"] == "the client told of no rate of its own"
    assert "offered_per_second" not in record["totals"]
    assert "asked/s" not in summary.headings(record)


class DroppingLoop(ClosedLoop):
    dropping = MappingProxyType({FIRST: 1})


def test_a_client_that_drops_is_overloaded_whatever_it_asks(play_of: PlayOf) -> None:
    record = play_of(DroppingLoop, plan()).whole(SHORT)
    assert record["reasons"] == [f"overloaded: replica {FIRST} on client1 3 done, 20 dropped in 20 s"]


@pytest.mark.parametrize(("done", "verdict"), [(29.71, "ok"), (29.69, "degraded")])
def test_the_limit_is_99_percent(play_of: PlayOf, done: float, verdict: str) -> None:
    class Close(Asking):
        pass

    Close.done = {FIRST: done}
    assert play_of(Close, plan()).whole(SHORT)["verdict"] == verdict


def test_frames_on_their_way_at_the_windows_ends_are_not_missing(play_of: PlayOf) -> None:
    class Slow(Asking):
        asked = 1.0
        done = dict.fromkeys((FIRST, "ovms-client-2"), 0.95)

    assert play_of(Slow, plan()).whole(SHORT)["verdict"] == "ok"


def test_what_a_client_counts_in_words_of_its_own_is_achieved(play_of: PlayOf) -> None:
    """A client that tells of no frames: its counter of requests is the achieved load."""
    made = plan(achieved_per_second={"log": "late", "kind": "counter", "unit": "requests"})
    for replica in made["replicas"].values():
        replica["metrics"].pop("fps", None)
    record = play_of(Asking, made).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert "asked 30 frames/s, 1 done in 20 s" in record["reasons"][0]


@pytest.mark.parametrize(("missing", "overloaded"), [(2.6, False), (3.2, True)])
def test_what_is_asked_in_a_moment_may_be_on_its_way(missing: float, overloaded: bool) -> None:
    [replica, *_others] = measured_plan.of_plan(plan()).measured
    load = offered_load.Load(replica, 10.0, "frames/s", 15.0, 15.0 - missing / 10.0, 0.0)
    assert load.overloaded == overloaded


def test_without_rules_of_load_the_table_is_as_it_was(ready_run: Play) -> None:
    assert set(RULES) == {"fps", "latency_seconds", "errors"}
    assert summary.headings(ready_run.record()) == (
        "replica",
        "host",
        "fps",
        "p50 ms",
        "p99 ms",
        "errors",
        "cpu cores",
        "memory MiB",
    )


class Draining(Asking):
    """15 frames a second asked; a backlog is worked off at 15.5 until second 38."""

    asked = 15.0

    def fps(self, replica: str, second: float) -> float:
        return 15.5 if second < 38 else 15.0


def test_a_backlog_does_not_belong_to_the_window(play_of: PlayOf) -> None:
    play = play_of(Draining, plan())
    record = play.whole(WindowSettings(60.0, 20.0))
    assert (record["verdict"], record["reasons"]) == ("ok", [])
    assert record["metrics"][FIRST]["fps"]["mean"] == pytest.approx(15.0, rel=0.001)
    assert record["windows"][0]["reasons"][0].startswith("steady after 55 s: change +0.0%")


def test_a_backlog_at_the_maximum_is_told(play_of: PlayOf) -> None:
    record = play_of(Draining, plan()).whole(WindowSettings(20.0, 15.0))
    told = "ended at its maximum of 20 s: a backlog drains: 31.0 done where 30.0 a second were asked"
    assert record["windows"][0]["reasons"] == [told]


@pytest.mark.parametrize(("done", "overloaded"), [(29.0, False), (26.0, True)])
def test_a_tools_figure_of_its_whole_run_has_the_last_answers_in_its_time(
    tmp_path: Path, done: float, overloaded: bool
) -> None:
    class Reporting(Fleet):
        """Clients that leave a report, and say nothing else."""

        def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
            found = [sample for sample in super().replica(name, replica, t, second) if sample["type"] != "log"]
            if name.startswith("ovms-client"):
                text = json.dumps({"asked": 30.0, "done": done})
                found.append({"t": t, "type": "file", "replica": name, "path": "/r", "file": "/r", "text": text})
            return found

    made = make_plan(hosts=3, clients=2)
    for name, replica in made["replicas"].items():
        if name.startswith("ovms-client"):
            of_report = {"file": "/r", "unit": "requests/s"}
            replica["metrics"] = {
                "offered_per_second": {**of_report, "json": "asked"},
                "achieved_per_second": {**of_report, "json": "done"},
            }
    record = Play(tmp_path, made, Reporting(made)).whole(SHORT)
    assert any(reason.startswith("overloaded") for reason in record["reasons"]) == overloaded
    assert record["totals"]["achieved_per_second"]["mean"] == 2 * done
