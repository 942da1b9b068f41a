# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of profile_apply: what it makes of a host's clock."""

from __future__ import annotations

import time
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.action import profile_apply
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.direct_action import DirectAction

MEMORY = {"container": "a", "field": "memory", "message": "too much"}
GOOD = {"failed": False, "msg": "nothing to do", "problems": [], "converged": True}


class Task:
    check_mode = False


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the action answers for a host that answers so after some seconds, with its clock."""

    def of(after: float, clock: float, told: dict[str, Any], state: str = "checked") -> dict[str, Any]:
        now = [1000.0]

        def call(_action: Any, args: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
            assert args == {"state": state, "engine_timeout": 240}
            now[0] += after
            return {**told, "clock": clock}

        monkeypatch.setattr(time, "time", lambda: now[0])
        monkeypatch.setattr(profile_apply, "end_with_playbook", lambda: None)
        monkeypatch.setattr(DirectAction, "call_module", call)
        monkeypatch.setattr(DirectAction, "engine_timeout", lambda _action, task_vars: task_vars["timeout"])
        action = profile_apply.ActionModule.__new__(profile_apply.ActionModule)
        action._task = Task()
        found: dict[str, Any] = action.answer({"state": state}, {"timeout": 240})
        return found

    return of


def test_a_slow_answer_is_no_wrong_clock(answer: Any) -> None:
    assert answer(90.0, 1086.0, GOOD) == {**GOOD, "clock": 1086.0}


def test_a_wrong_clock_is_told_with_what_else_is_wrong(answer: Any) -> None:
    message = "its clock is 3600 s behind the controller's: synchronise both"
    found = answer(1.0, 1000.0 - 3600.0, GOOD)
    assert (found["failed"], found["converged"], found["msg"]) == (True, False, message)
    assert [(item["container"], item["field"]) for item in found["problems"]] == [(None, "clock")]
    found = answer(1.0, 1000.0 - 3600.0, {**GOOD, "failed": True, "msg": "a: too much", "problems": [MEMORY]})
    assert {(item["container"], item["field"]) for item in found["problems"]} == {(None, "clock"), ("a", "memory")}
    assert found["msg"] == f"a: too much; {message}"


def test_only_a_host_that_is_asked_is_compared(answer: Any) -> None:
    assert answer(1.0, 0.0, GOOD, state="released") == {**GOOD, "clock": 0.0}
