# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole made-up runs, each broken in one way, and what is said of them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_record

from ..synthetic import T0, Fleet, Play, make_plan

PlayOf = Callable[..., Play]
SHORT = WindowSettings(15.0, 10.0)
CLIENT = "ovms-client-1"


def reasons(record: dict[str, Any]) -> str:
    return "\n".join(record["reasons"])


def test_a_run_without_a_flaw_is_ok(ready_run: Play) -> None:
    record = ready_run.record()
    assert (record["verdict"], record["reasons"]) == ("ok", [])
    assert all(window["valid"] for window in record["windows"])


def test_figures_of_a_run_are_those_that_went_in(ready_run: Play) -> None:
    record = ready_run.record()
    clients = [name for name in record["metrics"] if "client" in name]
    for name in clients:
        assert record["metrics"][name]["fps"]["mean"] == pytest.approx(30.0, rel=0.03)
        assert record["metrics"][name]["latency_seconds"]["p50"] == pytest.approx(0.0183, rel=0.08)
    assert record["metrics"]["ovms-ovms-server-1"]["requests_per_second"]["mean"] == pytest.approx(120.0)
    assert record["metrics"]["ovms-ovms-server-1"]["inference_seconds"]["mean"] == pytest.approx(0.012)
    assert record["totals"]["fps"]["mean"] == pytest.approx(sum(record["metrics"][n]["fps"]["mean"] for n in clients))
    assert record["totals"]["latency_seconds"]["n"] == sum(
        record["metrics"][n]["latency_seconds"]["n"] for n in clients
    )


def test_what_could_not_be_had_is_absent_with_its_reason_never_zero(ready_run: Play) -> None:
    record = ready_run.record()
    for name in record["containers"]:
        assert "kernel counts no block I/O" in record["absent"][name]["block_read_bytes_per_second"]
        assert "no CPU quota" in record["absent"][name]["cpu_throttled_ratio"]
        assert not set(record["absent"][name]) & set(record["metrics"][name])


class Dead(Fleet):
    """The first client is gone from second 25 on."""

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        return sample.get("replica") != CLIENT or second < 25

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        if name == CLIENT and second == 24:
            return [{"t": t, "type": "state", "replica": name, "event": "gone", "started_at": None, "exit_code": 137}]
        return super().replica(name, replica, t, second)


def test_a_lost_replica_fails_the_run_and_ends_it_early(play_of: PlayOf) -> None:
    play = play_of(Dead)
    record = play.whole(WindowSettings(15.0, 60.0))
    assert record["verdict"] == "failed"
    assert f"replica {CLIENT} on client1: ended with exit code 137 before the window was over" in reasons(record)
    assert record["containers"][CLIENT]["exit_code"] == 137
    assert not record["windows"][-1]["valid"]
    assert play.now < T0 + 60


class Silent(Fleet):
    """The first client lives, and logs nothing for seconds 20 to 27."""

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        return not (sample.get("replica") == CLIENT and sample["type"] == "log" and 20 <= second < 27)


def test_log_lines_that_stop_make_the_window_invalid(play_of: PlayOf) -> None:
    record = play_of(Silent).whole(SHORT)
    assert record["verdict"] == "failed"
    assert f"replica {CLIENT} on client1: no value of its metrics for" in reasons(record)


class HostGone(Fleet):
    """One host sends nothing from second 20 on."""

    def second(self, host: str, second: float) -> list[dict[str, Any]]:
        return super().second(host, second) if host != "client1" or second < 20 else []


def test_a_host_that_falls_silent_is_waited_for_in_vain_and_fails_the_run(play_of: PlayOf) -> None:
    record = play_of(HostGone).whole(SHORT)
    assert record["verdict"] == "failed"
    assert "host client1: no sample for" in reasons(record)


class HostNeverSeen(Fleet):
    """Of one host nothing is seen after the warm-up."""

    def second(self, host: str, second: float) -> list[dict[str, Any]]:
        return super().second(host, second) if host != "client1" or second < 8 else []


def test_what_follows_from_a_replica_that_was_not_seen_is_not_told(play_of: PlayOf) -> None:
    told = play_of(HostNeverSeen).whole(WindowSettings(15.0, 10.0))["reasons"]
    silent = [reason for reason in told if "client1" in reason and "in the window" in reason]
    assert silent == [
        "host client1: no sample in the window",
        f"replica {CLIENT} on client1: no sample in the window",
    ]
    assert not [reason for reason in told if "no value of" in reason or "no cpu_cores" in reason]


class NoFrames(Fleet):
    def fps(self, replica: str, second: float) -> float:
        return 0.0 if replica == CLIENT else super().fps(replica, second)


def test_a_stream_that_finishes_nothing_fails_the_run(play_of: PlayOf) -> None:
    record = play_of(NoFrames).whole(SHORT)
    assert record["verdict"] == "failed"
    assert f"replica {CLIENT} on client1: finished no frame in the window" in reasons(record)
    assert record["metrics"][CLIENT]["fps"]["mean"] == 0.0


class Failing(Fleet):
    def errors_in(self, replica: str, second: float) -> int:
        return 2 if replica == CLIENT and second > 15 else 0


def test_errors_of_clients_degrade_with_their_rate(play_of: PlayOf) -> None:
    record = play_of(Failing).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert record["reasons"][0].startswith("20 errors in 10 s of measurement (2/s)")
    assert record["totals"]["errors"]["total"] == pytest.approx(20)
    assert record["metrics"][CLIENT]["errors"]["total"] == pytest.approx(20)


class Restarted(Fleet):
    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = super().replica(name, replica, t, second)
        if name == CLIENT and second == 20:
            gone = {"t": t, "type": "state", "replica": name, "event": "gone", "started_at": None, "exit_code": 1}
            again = {"t": t + 1, "type": "state", "replica": name, "event": "restarted", "started_at": None}
            found += [gone, {**again, "exit_code": None}]
        return found


@pytest.mark.parametrize(("policy", "verdict"), [("on-failure", "degraded"), ("no", "failed"), (None, "failed")])
def test_a_restart_degrades_within_its_policy_and_fails_without(
    play_of: PlayOf, policy: str | None, verdict: str
) -> None:
    plan = make_plan(hosts=3, clients=2)
    if policy:
        plan["replicas"][CLIENT]["task"]["restart_policy"] = policy
    record = play_of(Restarted, plan).whole(SHORT)
    assert record["verdict"] == verdict
    assert f"replica {CLIENT} on client1: restarted 1 time" in reasons(record)


@pytest.mark.parametrize(("required", "verdict"), [(True, "failed"), (False, "degraded")])
def test_a_metric_that_never_comes(play_of: PlayOf, required: bool, verdict: str) -> None:
    plan = make_plan(hosts=3, clients=2)
    rule = {"log": "depth", "kind": "gauge", "unit": "frames", "required": required}
    plan["replicas"][CLIENT]["metrics"] = {**plan["replicas"][CLIENT]["metrics"], "depth": rule}
    record = play_of(Fleet, plan).whole(SHORT)
    assert record["verdict"] == verdict
    assert "depth" in reasons(record)
    assert record["absent"][CLIENT]["depth"] == "no sample in the measure window"


class NoScrapes(Fleet):
    def keep(self, sample: dict[str, Any], second: float) -> bool:
        return sample["type"] != "prometheus"


def test_a_server_without_metrics_degrades(play_of: PlayOf) -> None:
    record = play_of(NoScrapes).whole(SHORT)
    assert record["verdict"] == "degraded"
    assert "replica ovms-ovms-server-1 on server: no requests_per_second" in reasons(record)


class ShortOfMemory(Fleet):
    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = super().replica(name, replica, t, second)
        for sample in found:
            if sample["type"] == "container" and name == CLIENT:
                sample["oom"] = 2 if second > 20 else 0
        return found


def test_memory_that_ran_out_degrades(play_of: PlayOf) -> None:
    record = play_of(ShortOfMemory).whole(SHORT)
    assert record["reasons"] == [f"replica {CLIENT} on client1: ran out of memory 2 times"]


def test_a_clock_that_is_off_is_corrected_and_recorded(play_of: PlayOf) -> None:
    play = play_of()
    play.fleet.clock_offsets = {"client1": 3600.0, "client2": -20.0}
    record = play.whole(SHORT)
    assert record["verdict"] == "ok"
    assert record["hosts"]["client1"]["clock"]["correction"] == pytest.approx(3600.0, abs=0.3)
    assert record["hosts"]["server"]["clock"]["correction"] == 0.0
    assert record["metrics"][CLIENT]["fps"]["mean"] == pytest.approx(30.0, rel=0.05)


def test_a_clock_that_was_set_during_the_run_invalidates_it(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.apply()
    play.start()
    play.fleet.clock_offsets = {"client1": 5.0}
    play.measure(SHORT)
    play.verdict()
    assert "host client1: its clock was set by" in reasons(play.record())
    assert play.record()["verdict"] == "failed"


def test_a_replica_that_never_became_ready_fails_the_run(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.apply(failing={CLIENT: "not ready after 60 s:\nport 9000 refuses"})
    play.remove()
    play.verdict()
    record = play.record()
    assert record["verdict"] == "failed"
    assert record["reasons"] == [
        f"replica {CLIENT} on client1: failed: not ready after 60 s: port 9000 refuses",
        "nothing was measured: no window was reached",
    ]


def test_a_failure_counts_although_the_task_says_failed_when_false(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    problem = {"container": "client", "field": "image", "message": "no such image"}
    play.task("profile_apply", "client1", {"replicas": {}, "problems": [problem], "msg": "1 problem"}, state="checked")
    play.task("profile_apply", "client2", {"msg": "no engine"}, state="checked")
    play.verdict()
    assert play.record()["reasons"][:2] == [
        "client1, container client, field image: no such image",
        "profile_apply on client2: no engine",
    ]


def test_a_clean_up_that_fails_fails_the_run(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.apply()
    play.start()
    play.measure(SHORT)
    play.collect("stopped")
    play.remove(failing={"client2": "ovms-client-2 will not die"})
    play.verdict()
    assert play.record()["verdict"] == "failed"
    assert play.record()["reasons"] == ["clean-up incomplete: profile_apply on client2: ovms-client-2 will not die"]


def test_a_host_that_was_left_out_of_the_clean_up_fails_the_run(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.apply()
    play.start()
    play.measure(SHORT)
    play.collect("stopped")
    play.hosts = ["server", "client1"]
    play.remove()
    play.verdict()
    assert play.record()["reasons"] == [
        "clean-up incomplete: nothing was removed on client2: stop_profile.yml removes what is left there"
    ]


def test_a_clean_up_that_was_not_asked_for_is_not_missed(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.apply()
    play.start()
    play.measure(SHORT)
    play.collect("stopped")
    play.verdict()
    assert play.record()["verdict"] == "ok"


@pytest.mark.parametrize(("error", "verdict"), [(None, "ok"), ("client-9 will not die", "failed")])
def test_what_a_run_before_has_left_on_another_host_is_no_clean_up_of_this_one(
    play_of: PlayOf, error: str | None, verdict: str
) -> None:
    play = play_of()
    play.begin()
    play.task("profile_apply", "server", {"replicas": {}, "problems": []}, state="prepared")
    removed = {"replicas": {}, "removed": [], "msg": error or "removed"}
    play.task("profile_apply", "client9", removed, status="failed" if error else "ok", state="absent")
    play.apply()
    play.start()
    play.measure(SHORT)
    play.collect("stopped")
    play.verdict()
    assert play.record()["verdict"] == verdict
    assert play.record()["reasons"] == ([f"clean-up incomplete: profile_apply on client9: {error}"] if error else [])


def test_an_unreachable_host_fails_the_run(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.task("profile_apply", "client1", {"msg": "no route", "unreachable": True}, status="unreachable")
    play.task("setup", "client2", {"msg": "timed out", "unreachable": True}, status="unreachable")
    play.verdict()
    assert "profile_apply on client1: the host cannot be reached: no route" in reasons(play.record())
    assert "setup on client2: the host cannot be reached: timed out" in reasons(play.record())


def cut_off(play: Play, host: str, begin: float, end: float) -> None:
    """See that a host is not reached between two seconds of the run; what it samples meanwhile stays there."""
    call = play.call

    def cut(name: str, state: str, raw: bytes) -> None:
        if name != host or not T0 + begin <= play.now < T0 + end:
            call(name, state, lost.pop(name, b"") + raw)
            return
        lost[name] = lost.get(name, b"") + raw
        play.task("profile_measure", name, {"msg": "no route", "unreachable": True}, status="unreachable", took=5.0)

    lost: dict[str, bytes] = {}
    play.call = cut  # type: ignore[method-assign]


def test_that_a_host_could_not_be_reached_any_more_is_said_first(play_of: PlayOf) -> None:
    play = play_of()
    cut_off(play, "client2", 19, 1e6)
    record = play.whole(SHORT)
    assert record["verdict"] == "failed"
    first = "host client2 could not be reached any more: it answered last at second "
    assert record["reasons"][0].startswith(first)
    assert record["reasons"][0].endswith(" of the measurement (no route)")
    assert any("client2: no sample" in reason for reason in record["reasons"][1:])


def test_a_host_that_was_not_reached_for_a_while_costs_nothing_that_is_there(play_of: PlayOf) -> None:
    play = play_of()
    cut_off(play, "client2", 5, 25)
    assert play.whole()["verdict"] == "ok"


def test_a_host_that_was_not_reached_for_a_while_is_said_first_where_a_run_fails(play_of: PlayOf) -> None:
    play = play_of()
    play.fleet.keep = lambda sample, second: not (sample.get("replica") == "ovms-client-2" and second > 8)
    cut_off(play, "client2", 5, 25)
    record = play.whole()
    assert record["verdict"] == "failed"
    assert record["reasons"][0].startswith("host client2 could not be reached for a while, after it had answered ")


def test_a_sampler_that_does_not_start_fails_the_run(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    play.apply()
    play.task("profile_measure", "client1", {"msg": "state_dir is not writable", "clock": play.now}, state="started")
    play.task("profile_measure", "client2", {"msg": "no such run", "clock": play.now}, state="stopped")
    play.verdict()
    text = reasons(play.record())
    assert "profile_measure on client1: state_dir is not writable" in text
    assert "no such run" not in text


def test_a_replica_that_is_not_measured_does_not_count(play_of: PlayOf) -> None:
    plan = make_plan(hosts=3, clients=2)
    plan["replicas"][CLIENT]["measured"] = False
    record = play_of(Dead, plan).whole(SHORT)
    assert record["verdict"] == "ok"
    assert CLIENT in record["containers"]
    assert record["totals"]["fps"]["mean"] == pytest.approx(30.0, rel=0.05)


def test_windows_are_judged_one_by_one(play_of: PlayOf) -> None:
    record = play_of(Silent).whole(WindowSettings(15.0, 15.0, 2))
    assert [window["valid"] for window in record["windows"]] == [True, False, True]
    assert record["reasons"] == [f"window 1: replica {CLIENT} on client1: no value of its metrics for 8.0 s"]
    # Figures are those of the valid window alone.
    assert record["metrics"][CLIENT]["fps"]["n"] <= 16


class Missing(Fleet):
    """Everything that one subject tells in an interval is missing."""

    subject, begin, length = "", 0.0, 0.0

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        inside = self.begin <= second < self.begin + self.length
        mine = sample.get("replica") == self.subject or (sample["type"] == "host" and self.subject == "host")
        return not (inside and mine)


@settings(max_examples=12, deadline=None)
@given(
    subject=st.sampled_from([CLIENT, "ovms-client-2", "ovms-ovms-server-1", "host"]),
    begin=st.integers(16, 28),
    length=st.integers(0, 14),
)
def test_never_ok_with_missing_data(subject: str, begin: int, length: int) -> None:
    plan = make_plan(hosts=2, clients=2)
    fleet = Missing(plan, warm=0.0)
    fleet.subject, fleet.begin, fleet.length = subject, float(begin), float(length)
    with tempfile.TemporaryDirectory() as folder:
        play = Play(Path(folder), plan, fleet)
        play.begin()
        play.apply()
        play.start()
        play.measure(WindowSettings(15.0, 20.0))
        play.collect("stopped")
        run = run_record.load(plan, play.directory.events(), play.directory.samples())
    judged = run_record.judge(run)
    window = run.windows[-1]
    start, end = window.window.span.start - T0, window.window.span.end - T0
    missing = min(end, begin + length) - max(start, begin)
    if missing >= 6:
        assert judged.verdict == "failed"
        assert not window.valid
    if missing >= 4 and subject != "ovms-ovms-server-1":
        assert judged.verdict != "ok"
    if missing <= 1:
        assert judged.verdict == "ok"
