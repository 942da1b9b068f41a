# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of profile_logs: how long it asks a host, for what, and what becomes of the lines."""

from __future__ import annotations

import base64
import json
import time
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.retail.profiles.plugins.action import fleet_logs, profile_logs
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.logs.fleet_lines import FleetLines

START = 1_767_268_800.0


def read(now: float, *texts: str, alive: int = 0, more: bool = False) -> dict[str, Any]:
    """What a host answers at this time of its own."""
    lines = [[int(now * 1e9), "d-a-1", "stdout", text, 0] for text in texts]
    return {
        "replicas": ["d-a-1"],
        "alive": alive,
        "lines": base64.b64encode(zlib.compress(json.dumps(lines).encode())).decode(),
        "places": {"id": [int(now * 1e9), len(texts)]},
        "all_until": int(now * 1e9),
        "more": more,
        "unread": {},
        "clock": now,
    }


class Playing:
    """The action on a host that gives these answers, each after a quarter of a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        self.now, self.asked, self.shown = START, list[dict[str, Any]](), list[str]()
        self.fleet = FleetLines(folder / "lines.sqlite")
        self.fleet.expect(["h1"])
        self.answers: list[dict[str, Any] | BaseException] = []
        self.file = str(folder / "lines.sqlite")
        monkeypatch.setattr(time, "time", lambda: self.now)
        monkeypatch.setattr(time, "sleep", self._sleep)
        monkeypatch.setattr(profile_logs, "end_with_playbook", lambda: None)
        monkeypatch.setattr(profile_logs.ActionModule, "call_module", lambda _self, args, _vars: self._call(args))
        monkeypatch.setattr(profile_logs.Display, "display", lambda _self, text: self.shown.extend(text.split("\n")))
        monkeypatch.setattr(profile_logs.Display, "warning", lambda _self, text: self.shown.append(f"! {text}"))

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def _call(self, args: dict[str, Any]) -> dict[str, Any]:
        self.asked.append({key: value for key, value in args.items() if value} | {"at": self.now - START})
        self.now += 0.25
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def play(self, *answers: dict[str, Any] | BaseException, **args: Any) -> dict[str, Any]:
        self.answers = list(answers)
        action = profile_logs.ActionModule.__new__(profile_logs.ActionModule)
        action._task = SimpleNamespace(args={"file": self.file, **args})
        return action.answer(dict(action._task.args), {"inventory_hostname": "h1"})


@pytest.fixture
def playing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Playing:
    return Playing(monkeypatch, tmp_path)


def test_without_follow_it_reads_what_there_was_when_it_began(playing: Playing) -> None:
    answers = (read(START, "one", more=True), read(START + 1, "two", alive=1))
    assert playing.play(*answers, since="10m") == {"changed": False}
    clock = int(START * 1e9)
    assert playing.asked == [
        {"since": "10m", "at": 0.0},
        {"since": "10m", "at": 0.25, "places": {"id": [clock, 1]}, "until": clock},
    ]
    assert playing.shown == []
    assert [line.text for line in playing.fleet.take(None)] == ["one", "two"]


def test_with_follow_it_asks_once_a_second_until_no_container_runs(playing: Playing) -> None:
    answers = (read(START, "one", alive=1), read(START + 1, "two", alive=1), read(START + 2, "three"))
    playing.play(*answers, follow=True)
    assert [asked["at"] for asked in playing.asked] == [0.0, 1.0, 2.0]
    assert "until" not in playing.asked[-1]
    assert playing.shown == ["h1  d-a-1 | one", "h1  d-a-1 | two", "h1  d-a-1 | three"]
    assert list(playing.fleet.take(None)) == []


def test_a_host_whose_clock_is_off_is_put_right(playing: Playing) -> None:
    playing.play(read(START + 100, "one"))
    (line,) = playing.fleet.take(None)
    assert line.t_ns == pytest.approx(START * 1e9, abs=0.25e9)


def test_lines_are_kept_in_files_too(playing: Playing, tmp_path: Path) -> None:
    playing.play(read(START, "one"), to=str(tmp_path / "kept"))
    assert (tmp_path / "kept/h1/d-a-1.log").read_text() == "2026-01-01T12:00:00.000Z stdout one\n"


def test_a_host_that_does_not_answer_is_told_of_and_what_it_gave_stays(playing: Playing) -> None:
    answer = playing.play(read(START, "one", alive=1), AnsibleConnectionFailure("no route to host"), follow=True)
    assert answer == {"failed": True, "msg": "the logs of h1 could not be read: no route to host"}
    assert playing.shown == ["h1  d-a-1 | one", "! h1 is not followed any more: no route to host"]
    assert [end.silent for end in playing.fleet.hosts()] == ["no route to host"]


def test_a_host_that_refuses_is_told_of(playing: Playing) -> None:
    playing.play({"failed": True, "msg": "there is no Docker Engine"})
    assert [end.silent for end in playing.fleet.hosts()] == ["there is no Docker Engine"]
    assert playing.shown == []


def test_without_a_file_it_is_one_call(playing: Playing) -> None:
    answer = read(START, "one")
    assert playing.play(answer, file=None) == answer


@pytest.mark.parametrize("tail", ["-3", "x", "1.5"])
def test_a_number_of_lines_that_is_none_is_refused_once_for_all_hosts(tail: str) -> None:
    asked = {"since": None, "tail": tail, "grep": None, "follow": False}
    with pytest.raises(ProfileError, match=f"field tail: expected a number of lines from 0 on, not {tail}"):
        fleet_logs.ActionModule._begin(asked, ["h1"])
