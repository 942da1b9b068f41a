# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of profile_measure: when it asks a host, and for what."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.action import profile_measure
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The arguments with which hosts are asked; the clock stands at 1000 but for the sleeping."""
    found: list[dict[str, Any]] = []
    now = [1000.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def call(_action: Any, args: dict[str, Any], _task_vars: dict[str, Any]) -> dict[str, Any]:
        found.append(args)
        now[0] += 0.25
        return {"offset": 40}

    monkeypatch.setattr(time, "time", lambda: now[0])
    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(profile_measure, "end_with_playbook", lambda: None)
    monkeypatch.setattr(profile_measure.ActionModule, "call_module", call)
    return found


def answer(**args: Any) -> dict[str, Any]:
    action = profile_measure.ActionModule.__new__(profile_measure.ActionModule)
    return action.answer(args, {"inventory_hostname": "h1"})


def test_it_waits_here_until_it_is_time(asked: list[dict[str, Any]]) -> None:
    assert answer(state="collected", at=1005.5) == {"offset": 40, "asked_at": 1005.5}
    assert answer(state="collected", at=1000.0) == {"offset": 40, "asked_at": 1005.75}
    assert answer(state="collected") == {"offset": 40, "asked_at": 1006.0}
    assert asked == [{"state": "collected"}] * 3


def test_it_asks_for_what_is_not_recorded_yet(asked: list[dict[str, Any]], tmp_path: Path) -> None:
    answer(state="collected", run_dir=str(tmp_path))
    for host, offset in (("h1", 17), ("h2", 99), ("h1", 33)):
        event = {"action": "profile_measure", "host": host, "state": "collected", "result": {"offset": offset}}
        RunDirectory(tmp_path).append_event(event)
    answer(state="stopped", run_dir=str(tmp_path))
    answer(state="stopped", run_dir=str(tmp_path), offset=5)
    assert [args["offset"] for args in asked] == [0, 33, 5]
