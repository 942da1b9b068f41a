# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What befell hosts of made-up runs, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_conditions import ClockJump, HostConditions
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings

from ..synthetic import T0, Fleet, Play

PlayOf = Callable[..., Play]
SHORT = WindowSettings(15.0, 10.0)
CLIENT = "ovms-client-1"


class Dying(Fleet):
    """The sampler of the first client's host writes nothing from ``dies`` on."""

    dies = 20.0

    def second(self, host: str, second: float) -> list[dict[str, Any]]:
        return super().second(host, second) if host != "client1" or second < self.dies else []


def dying(play_of: PlayOf, at: float) -> dict[str, Any]:
    play = play_of(type("Dying", (Dying,), {"dies": at}))
    play.answers["client1"] = {"died": True, "alive": False}
    return play.whole(SHORT)


@pytest.mark.parametrize(("at", "when"), [(20.0, r"at second \d of the measurement"), (12.0, "before the window")])
def test_a_sampler_that_died_is_said_before_what_it_cost(play_of: PlayOf, at: float, when: str) -> None:
    record = dying(play_of, at)
    assert record["verdict"] == "failed"
    assert re.fullmatch(f"host client1: its sampler died {when}", record["reasons"][0])
    assert any(reason.startswith("host client1: no sample ") for reason in record["reasons"])


def test_a_sampler_that_died_when_all_was_measured_degrades(play_of: PlayOf) -> None:
    record = dying(play_of, 1000.0)
    assert record["verdict"] == "degraded"
    assert record["reasons"] == ["host client1: its sampler died after the last window"]


class Told(Fleet):
    """A sampler tells why something is missing."""

    metric, reason, subject = "", "", None

    def second(self, host: str, second: float) -> list[dict[str, Any]]:
        found = super().second(host, second)
        if host == "client1" and second == 20:
            told = {"type": "absent", "subject": self.subject, "metric": self.metric, "reason": self.reason}
            found.append({"t": T0 + second, **told})
        return found


def told(metric: str, reason: str, subject: str | None = None) -> type[Told]:
    return type("Told", (Told,), {"metric": metric, "reason": reason, "subject": subject})


def test_a_disk_that_took_nothing_for_a_while_degrades(play_of: PlayOf) -> None:
    why = "the host's disk took nothing for 4 s, no record was lost: No space left on device"
    record = play_of(told("samples", why)).whole(SHORT)
    assert (record["verdict"], record["reasons"]) == ("degraded", [f"host client1: {why}"])


def test_a_disk_that_stays_full_is_known_from_who_collects(play_of: PlayOf) -> None:
    play = play_of(Dying)
    play.answers["client1"] = {"disk_full": True}
    record = play.whole(SHORT)
    assert record["verdict"] == "failed"
    assert "host client1: the disk of its samples was full" in record["reasons"]
    assert not any("sampler died" in reason for reason in record["reasons"])


@pytest.mark.parametrize(
    ("metric", "reason"),
    [
        ("container", "the engine cannot be asked: cannot connect to /var/run/docker.sock: Connection refused"),
        ("log", "cannot connect to /var/run/docker.sock: No such file or directory"),
    ],
)
def test_an_engine_that_was_gone_degrades(play_of: PlayOf, metric: str, reason: str) -> None:
    record = play_of(told(metric, reason, CLIENT)).whole(SHORT)
    assert (record["verdict"], record["reasons"]) == ("degraded", [f"host client1: its engine was gone: {reason}"])


class Set(Fleet):
    """The first client's host's clock is set at second 20, and the second's a little."""

    by: tuple[float, float] = (0.0, 0.0)

    def second(self, host: str, second: float) -> list[dict[str, Any]]:
        found = super().second(host, second)
        jump = {"client1": self.by[0], "client2": self.by[1]}.get(host, 0.0) if second >= 20 else 0.0
        return [{**sample, "t": sample["t"] + jump} for sample in found]


@pytest.mark.parametrize("jump", [3.25, 0.75, -1.5])
def test_a_clock_that_jumped_degrades_and_says_by_how_much(play_of: PlayOf, jump: float) -> None:
    record = play_of(type("Set", (Set,), {"by": (jump, 0.2)})).whole(SHORT)
    assert record["verdict"] in ("degraded", "failed")
    assert f"host client1: its clock jumped by {jump:+.1f} s" in record["reasons"]
    assert not any("client2: its clock" in reason for reason in record["reasons"])


def of(*clocks: tuple[float, float]) -> list[ClockJump]:
    conditions = HostConditions()
    for wall, monotonic in clocks:
        conditions.take(wall, {"type": "host", "mono": monotonic})
    return conditions.clock_jumps


def test_clocks_that_go_on_alike_have_not_jumped() -> None:
    assert of((100.0, 5.0), (101.0, 6.0), (105.2, 10.0), (106.0, 11.0)) == []
    assert of((100.0, 5.0), (101.0, 6.0), (101.0, 7.0), (102.0, 8.0)) == [ClockJump(101.0, -1.0)]


def test_another_boot_is_no_jump() -> None:
    assert of((100.0, 5000.0), (130.0, 3.0), (131.0, 4.0)) == []
