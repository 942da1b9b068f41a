# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan, objectives, observations
from ansible_collections.retail.profiles.plugins.plugin_utils.density import observation, sequential_test
from ansible_collections.retail.profiles.plugins.plugin_utils.density.observation import Streams, Watched

from ..synthetic import T0, Fleet, make_plan

CLIENTS = Streams(("client",))
FPS = {"metric": "fps", "container": "client", "at_least": 25.0}


class Slow(Fleet):
    """The second client does half."""

    def fps(self, replica: str, second: float) -> float:
        return super().fps(replica, second) * (0.5 if replica == "ovms-client-2" else 1.0)


class Late(Fleet):
    """The second client tells nothing for 12 s."""

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        return sample.get("replica") != "ovms-client-2" or sample.get("type") != "log" or second > 12


class Mute(Fleet):
    """The second client falls silent after 20 s."""

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        return sample.get("replica") != "ovms-client-2" or sample.get("type") != "log" or second < 20


def watched(
    seconds: int,
    *objective: Mapping[str, Any],
    fleet: type[Fleet] = Fleet,
    streams: Streams = CLIENTS,
    warm: float = 8.0,
    steady: float | None = None,
) -> Watched:
    plan = {**make_plan(3, 2), "objectives": list(objective or (FPS,))}
    made = fleet(plan, warm=warm)
    order = [(second, host) for second in range(seconds) for host in plan["hosts"]]
    fed = [{**sample, "host": host} for second, host in order for sample in made.second(host, second)]
    measured = measured_plan.of_plan(plan)
    seen = observations.observe(measured, fed, {})
    return observation.watch(
        measured,
        seen,
        objectives.of_plan(measured),
        streams,
        since=T0,
        warmup_max=40.0,
        known=sequential_test.Noise(),
        steady=steady,
    )


def test_a_step_warms_up_and_then_has_windows_of_ten_seconds() -> None:
    assert watched(12).steady is None
    found = watched(42)
    assert found.steady is not None and 10.0 <= found.steady - T0 <= 20.0
    assert len(found.windows) == int((42 - 2 - (found.steady - T0)) / 10)
    window = found.windows[0]
    assert window.margin == pytest.approx(0.2, abs=0.03)
    assert window.worst == pytest.approx(window.margin, abs=0.03)
    assert window.throughput == pytest.approx(2 * 30.0 / 25.0, rel=0.03)


def test_the_warm_up_ends_at_its_maximum() -> None:
    found = watched(60, warm=100.0)
    assert found.steady == T0 + 40.0


def test_it_begins_when_every_stream_lives() -> None:
    found = watched(45, fleet=Late)
    assert found.steady is not None and found.steady - T0 >= 20.0


def test_the_slowest_stream_is_seen() -> None:
    window = watched(42, fleet=Slow).windows[0]
    assert window.worst == pytest.approx(-0.4, abs=0.03)
    assert window.margin == pytest.approx(-0.1, abs=0.03)


def test_the_objective_that_is_furthest_off_counts() -> None:
    late = {"metric": "latency_seconds", "container": "client", "statistic": "p50", "at_most": 0.01}
    window = watched(42, FPS, late).windows[0]
    assert window.margin == pytest.approx(1.0 - 0.0183 / 0.01, abs=0.1)
    assert window.throughput == pytest.approx(2.4, rel=0.03)
    assert watched(42, late).windows[0].throughput is None


def test_a_stream_may_be_one_of_several_in_a_container() -> None:
    window = watched(42, {**FPS, "at_least": 10.0}, streams=Streams(("client",), 2)).windows[0]
    assert window.margin == pytest.approx(0.5, abs=0.04)
    assert window.throughput == pytest.approx(6.0, rel=0.03)


def test_what_is_not_told_is_not_known() -> None:
    found = watched(60, fleet=Mute)
    assert found.unknown.startswith("replica ovms-client-2 on client2: no fps")
    p99 = {"metric": "fps", "container": "client", "statistic": "p99", "at_least": 1.0}
    assert watched(42, p99).unknown == "the p99 of fps is not carried by 10 values in 10 s"


def test_windows_are_as_long_as_a_percentile_of_latencies_needs() -> None:
    p99 = {"metric": "latency_seconds", "container": "client", "statistic": "p99", "at_most": 1.0}
    found = watched(62, p99)
    assert (found.length, len(found.windows)) == (20.0, 2)
    assert found.windows[0].margin == pytest.approx(0.95, abs=0.03)
    assert watched(62, {**p99, "statistic": "p50"}).length == 10.0


def test_it_tells_the_figures_of_a_step_and_its_worst_stream() -> None:
    (fps,) = watched(42, fleet=Slow).figures
    assert (fps.replica, fps.host) == ("ovms-client-2", "client2")
    assert fps.worst == pytest.approx(15.0, rel=0.03)
    assert fps.mean == pytest.approx(22.5, rel=0.03)


def test_a_step_that_is_steady_already_has_no_warm_up() -> None:
    assert watched(42, steady=T0 + 3.0).end == T0 + 33.0


def test_of_errors_none_may_come() -> None:
    none = {"metric": "errors", "container": "client", "statistic": "total", "at_most": 0}
    assert watched(42, none).windows[0].margin == 1.0
