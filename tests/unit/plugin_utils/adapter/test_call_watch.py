# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import importlib
import signal
import subprocess
import time
from pathlib import Path

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.retail.profiles.plugins.action import profile_apply
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import call_watch
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.call_watch import watched
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.direct_action import DirectAction
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import call_limits
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.call_limits import Limit


@pytest.fixture
def told() -> list[str]:
    return []


def test_a_call_that_does_not_end_is_given_up_and_leaves_nothing(told: list[str]) -> None:
    message = r"no answer for 0 s, it was given up \(removing deployment d\): look whether the host hangs"
    limit = Limit("removing deployment d", 0.3)
    with (
        pytest.raises(AnsibleConnectionFailure, match=message),
        watched("h1", limit, told.append, lambda: told.append("reset")),
    ):
        child = subprocess.Popen(["sleep", "60"])
        child.wait()
    assert child.wait(timeout=10) == -signal.SIGTERM
    assert told == ["reset"]


def test_a_call_that_takes_long_says_so(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_watch, "PATIENCE", 0.05)
    end = time.monotonic() + 10
    with watched("h1", Limit("applying deployment d", 90), told.append, lambda: None):
        while len(told) < 2 and time.monotonic() < end:
            time.sleep(0.01)
    assert told[0] == "h1: applying deployment d, for 0 s so far (given up after 90 s)"
    assert len(told) >= 2


def test_a_host_that_cannot_be_reached_is_told_with_what_was_done(told: list[str]) -> None:
    limit = Limit("applying deployment d", 90)
    with pytest.raises(AnsibleConnectionFailure) as error, watched("h1", limit, told.append, lambda: None):
        raise AnsibleConnectionFailure("Failed to connect to the host via ssh:\nTimeout, server not responding.")
    said = "Failed to connect to the host via ssh: Timeout, server not responding. (applying deployment d, after 0 s)"
    assert str(error.value) == said


def test_a_timeout_of_the_user_stays(told: list[str]) -> None:
    class Theirs(BaseException):
        pass

    def on_alarm(_signal: int, _frame: object) -> None:
        raise Theirs

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        limit = Limit("applying deployment d", 0.01)
        with pytest.raises(Theirs), watched("h1", limit, told.append, lambda: None):
            signal.pause()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_nothing_is_left_of_a_call_that_ends(told: list[str]) -> None:
    before = signal.getsignal(signal.SIGALRM)
    with watched("h1", Limit("applying deployment d", 90), told.append, lambda: None):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 80
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
    assert signal.getsignal(signal.SIGALRM) is before
    assert told == []


ACTIONS = Path(profile_apply.__file__).parent


@pytest.mark.parametrize(
    "file", sorted(path.stem for path in ACTIONS.glob("*.py") if "DirectAction" in path.read_text())
)
def test_each_call_of_a_host_has_a_limit(file: str) -> None:
    action = importlib.import_module(f"{profile_apply.__name__.rpartition('.')[0]}.{file}").ActionModule
    assert action.limit is not DirectAction.limit


def test_what_reads_has_little_time() -> None:
    assert call_limits.of_logs() == Limit("reading logs", 60.0)
    assert call_limits.of_models(2).seconds == 180.0
