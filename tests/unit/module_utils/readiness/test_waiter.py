# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting for readiness, with an engine and a clock that the test moves."""

from __future__ import annotations

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.readiness import probes, waiter
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import NotReady, Probe
from ansible_collections.retail.profiles.plugins.module_utils.readiness.waiter import Waiter

from .fakes import FakeEngine, FakeTime, shown, wait


def test_a_try_and_the_pause_after_it_stay_within_the_promise() -> None:
    assert waiter.INTERVAL + probes.TCP_HOLD <= 0.25


def test_a_time_out_quotes_the_log() -> None:
    with pytest.raises(NotReady) as caught:
        wait(FakeEngine(shown({"Health": {"Status": "starting"}})), Probe("healthy", timeout=1.0))
    assert str(caught.value) == (
        "not ready after 1.0 s: Docker's health check: Docker says starting; its log ends:\n  one\n  two"
    )


def test_a_container_that_exits_fails_at_once() -> None:
    engine = FakeEngine(shown(), shown({"Status": "exited", "Running": False, "ExitCode": 3, "Error": "boom"}))
    time = FakeTime()
    with pytest.raises(NotReady, match=r"exited with code 3 before it was ready: boom; its log ends:\n  one\n  two"):
        Waiter(engine, time.clock()).wait(Probe("log", pattern="never", timeout=60), "d-a-1")  # type: ignore[arg-type]
    assert time.now == waiter.INTERVAL


def test_out_of_memory_is_told() -> None:
    engine = FakeEngine(shown({"Status": "exited", "ExitCode": 137, "OOMKilled": True}))
    with pytest.raises(NotReady, match=r"exited with code 137 \(out of memory\)"):
        wait(engine, Probe("log", pattern="never"))


def test_restarts_by_policy_are_forgiven_a_while() -> None:
    restarting = shown({"Status": "restarting", "ExitCode": 1}, RestartCount=1)
    log = "2026-01-31T10:00:01.000000000Z ready\n"
    wait(FakeEngine(shown(), restarting, shown(RestartCount=1), log=log), Probe("log", pattern="^ready$"))
    loop = [shown({"Status": "restarting", "ExitCode": 7}, RestartCount=count) for count in range(5)]
    with pytest.raises(NotReady, match="restarts again and again, last with exit code 7"):
        wait(FakeEngine(*loop), Probe("log", pattern="never"))


def test_a_container_that_is_not_there() -> None:
    with pytest.raises(NotReady, match="there is no such container"):
        wait(FakeEngine(None), Probe("exited", timeout=0.1))
