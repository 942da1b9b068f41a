# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processors of a host that others take while it is measured, in series and in made-up runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import cpu_others, measured_plan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_conditions import HostConditions
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import observe
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Point, Series
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings

from ..synthetic import T0, Fleet, Play, make_plan

PlayOf = Callable[..., Play]
SHORT = WindowSettings(15.0, 10.0)
SERVER, CLIENT = "ovms-ovms-server-1", "ovms-client-1"


class Busy(Fleet):
    """Others take so many cores of the first client's host."""

    cores, begin = 0.0, 0.0

    def neighbours(self, host: str, second: float) -> float:
        return self.cores if host == "client1" and second > self.begin else 0.0


def busy(taken: float, since: float = 0.0) -> type[Busy]:
    return type("Busy", (Busy,), {"cores": taken, "begin": since})


def test_others_above_the_limit_degrade_the_run_and_are_named(play_of: PlayOf) -> None:
    record = play_of(busy(0.7)).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert record["reasons"] == [
        "contention on client1: other processes took 0.7 of 2 cores (35 %) in the window, limit 10 %;"
        " processes waited for a processor in 12 % of the time"
    ]
    assert record["host_metrics"]["client1"]["cpu_others_cores"]["mean"] == pytest.approx(0.7, abs=0.02)
    assert record["host_metrics"]["server"]["cpu_others_cores"]["mean"] == pytest.approx(0.0, abs=0.05)


def test_others_below_the_limit_are_shown_and_judged_by_nobody(play_of: PlayOf) -> None:
    record = play_of(busy(0.15)).whole(SHORT)
    assert (record["verdict"], record["reasons"]) == ("ok", [])
    assert record["host_metrics"]["client1"]["cpu_others_cores"]["mean"] == pytest.approx(0.15, abs=0.02)


@pytest.mark.parametrize(("limit", "verdict"), [(5.0, "degraded"), (30.0, "degraded"), (40.0, "ok"), (100.0, "ok")])
def test_the_limit_is_the_runs(play_of: PlayOf, limit: float, verdict: str) -> None:
    play = play_of(busy(0.7))
    play.contention_max = limit
    record = play.whole(SHORT)
    assert record["verdict"] == verdict
    assert all(f"limit {limit:g} %" in reason for reason in record["reasons"])


def test_each_window_is_judged_by_itself_and_the_worst_is_named(play_of: PlayOf) -> None:
    record = play_of(busy(0.5, since=45.0)).whole(WindowSettings(15.0, 10.0, 4))
    assert record["verdict"] == "degraded"
    assert "other processes took 0.5 of 2 cores (25 %) in window 4, limit 10 %" in record["reasons"][0]


class Stolen(Fleet):
    def second(self, host: str, second: float) -> list[dict[str, Any]]:
        found = super().second(host, second)
        found[0]["cpu"]["steal"] += 0.3 * second if host == "client2" else 0.0
        return found


def test_what_the_hypervisor_steals_is_contention_too(play_of: PlayOf) -> None:
    record = play_of(Stolen).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert record["reasons"][0].startswith("contention on client2: the hypervisor took 0.3 of 2 cores (16 %)")


def test_a_host_that_runs_nothing_of_the_plan_is_not_judged(play_of: PlayOf) -> None:
    plan = make_plan(hosts=3, clients=1)
    plan["replicas"][CLIENT]["host"] = "client2"
    assert play_of(busy(1.5), plan).whole(SHORT)["verdict"] == "ok"


def test_without_the_cpu_of_each_replica_nothing_is_said_of_others(play_of: PlayOf) -> None:
    plan = make_plan(hosts=3, clients=2)
    plan["replicas"][CLIENT]["measured"] = False

    class Unmeasured(Busy):
        cores = 1.5

        def keep(self, sample: dict[str, Any], second: float) -> bool:
            return sample.get("replica") != CLIENT

    record = play_of(Unmeasured, plan).whole(SHORT)
    assert (record["verdict"], record["reasons"]) == ("ok", [])
    assert record["absent"]["client1"]["cpu_others_cores"] == (
        f"the CPU time of replica {CLIENT} on client1 is not known, as it is not measured"
    )
    assert "cpu_others_cores" in record["host_metrics"]["client2"]


class OneMachine(Fleet):
    """All hosts are containers of one machine, whose processors each of them sees."""

    def second(self, host: str, second: float) -> list[dict[str, Any]]:
        found = super().second(host, second)
        found[0]["cpu"].update(busy=second * (0.9 + 2 * 0.2 + self.others), total=second * 4.0, irq=0.0)
        if second == 0:
            found.append({"t": found[0]["t"], "type": "observer", "event": "start", "machine": "boot-1"})
        return found

    others = 0.0


@pytest.mark.parametrize("others", [0.1, 1.2])
def test_hosts_of_one_machine_take_nothing_from_each_other(play_of: PlayOf, others: float) -> None:
    play = play_of(type("Shared", (OneMachine,), {"others": others, "warm": 0.0}))
    play.fleet.warm = 0.0
    record = play.whole(SHORT)
    for host in ("server", "client1", "client2"):
        assert record["host_metrics"][host]["cpu_others_cores"]["mean"] == pytest.approx(others, abs=0.03)
    if others < 0.4:
        assert record["reasons"] == []
    else:
        assert record["reasons"] == [
            "contention on client1, client2 and server (one machine): other processes took 1.2 of 4 cores (30 %) in the"
            " window, limit 10 %; processes waited for a processor in 12 % of the time"
        ]


def series(points: list[tuple[float, float, float]]) -> Mapping[str, Series]:
    told = tuple(Point(start, end, value, weight=end - start) for start, end, value in points)
    return {"cpu_cores": Series("cpu_cores", "cores", "rate", points=told)}


def others(
    replicas: Mapping[str, Mapping[str, Series]], busy: float = 2.0, sampler: float = 0.0, seconds: int = 10
) -> list[tuple[float, float]]:
    """End and value of the points of the metric, on a host that is busy all the time."""
    plan = measured_plan.of_plan(make_plan(hosts=1, clients=len(replicas) - 1))
    conditions = HostConditions()
    for t in range(seconds + 1):
        conditions.take(float(t), {"type": "host", "cpu": {"busy": busy * t, "irq": 0.0, "total": 4.0 * t}})
        conditions.take(float(t), {"type": "observer", "cpu_seconds": sampler * t})
    found = cpu_others.series_of("server", plan, {"server": conditions}, replicas)
    assert isinstance(found, Series)
    return [(point.end, pytest.approx(point.value)) for point in found.points]


def test_the_samplers_own_load_is_not_others() -> None:
    whole = series([(0.0, 10.0, 0.5)])
    assert others({SERVER: whole}, sampler=0.25) == [(float(t), 1.25) for t in range(1, 11)]


def test_more_than_the_host_was_busy_with_is_no_load_below_zero() -> None:
    assert others({SERVER: series([(0.0, 10.0, 3.0)])}) == [(float(t), 0.0) for t in range(1, 11)]


def test_a_container_that_ended_or_came_later_takes_nothing_then() -> None:
    early, late = series([(0.0, 4.0, 1.0)]), series([(6.0, 10.0, 0.5)])
    told = others({SERVER: early, CLIENT: late})
    assert told == [
        *((float(t), 1.0) for t in range(1, 5)),
        (5.0, 2.0),
        (6.0, 2.0),
        *((float(t), 1.5) for t in range(7, 11)),
    ]


def test_in_a_gap_of_a_containers_samples_nothing_is_said() -> None:
    told = others({SERVER: series([(0.0, 4.0, 1.0), (6.0, 10.0, 1.0)])})
    assert [t for t, _value in told] == [1.0, 2.0, 3.0, 4.0, 7.0, 8.0, 9.0, 10.0]


def test_samples_of_a_container_and_its_host_need_not_be_of_the_same_moment() -> None:
    points = [(t + 0.3, t + 1.3, 1.0 + (t % 2)) for t in range(10)]
    told = others({SERVER: series(points)}, busy=2.5)
    assert told[4] == (5.0, 2.5 - (0.3 * 2.0 + 0.7 * 1.0))


def test_an_older_samplers_records_give_no_such_metric() -> None:
    plan = measured_plan.of_plan(make_plan(hosts=1, clients=0))
    cpu = [{"host": "server", "t": T0 + t, "type": "host", "cpu": {"busy": t, "total": 2 * t}} for t in range(9)]
    mine = [{"host": "server", "t": T0 + t, "type": "container", "replica": SERVER, "cpu_ns": t} for t in range(9)]
    seen = observe(plan, [*cpu, *mine], {})
    assert "cpu_others_cores" not in seen.hosts["server"]
    assert "cpu_cores" in seen.hosts["server"]
