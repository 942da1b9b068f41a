# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import run_events


def measured(host: str, state: str, status: str = "ok", **result: Any) -> dict[str, Any]:
    event = {"t": 110.0, "start": 100.0, "host": host, "action": "profile_measure", "state": state, "status": status}
    return {**event, "result": result}


def test_a_host_is_asked_after_the_waiting() -> None:
    assert run_events.asked_since(measured("a", "collected")) == 100.0
    assert run_events.asked_since(measured("a", "collected", asked_at=109.5)) == 109.5
    assert run_events.asked_since(measured("a", "collected", asked_at=200.0)) == 100.0
    events = [measured("a", "collected", asked_at=109.0, clock=209.5), measured("b", "collected", clock=209.5)]
    offsets = run_events.offsets(events)
    assert (offsets["a"].correction, offsets["a"].spread) == (100.0, 1.0)
    assert (offsets["b"].correction, offsets["b"].spread) == (104.5, 10.0)


def test_collecting_goes_on_where_it_ended() -> None:
    events = [
        measured("a", "started", pid=1),
        measured("a", "collected", offset=10),
        measured("b", "collected", offset=99),
        measured("a", "collected", offset=25),
        measured("a", "collected", "failed", msg="no answer"),
    ]
    assert [run_events.collected(events, host) for host in ("a", "b", "c")] == [25, 99, 0]


@pytest.mark.parametrize(
    ("last", "ended"),
    [
        (measured("b", "stopped", offset=9, more=False), True),
        (measured("b", "stopped", offset=9, more=True), False),
        (measured("b", "stopped", "unreachable"), False),
        (measured("b", "collected", offset=9), False),
        (measured("c", "stopped", offset=9), False),
    ],
)
def test_samplers_have_ended_when_all_of_each_has_come(last: dict[str, Any], ended: bool) -> None:
    events = [measured("a", "collected"), measured("a", "stopped", more=False), last]
    assert run_events.samplers_ended(events, ["a", "b"]) == ended


def test_models_are_told_once_however_often_a_sampler_is_told_of_more_replicas() -> None:
    events = [
        measured("h1", "started", models={"/m/a": "1", "/m/b": "2"}),
        measured("h2", "started", status="failed", models={"/m/a": "3"}),
        measured("h1", "started", models={}),
        measured("h2", "started"),
    ]
    assert run_events.models(events) == {"h1": {"/m/a": "1", "/m/b": "2"}, "h2": {}}
