# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is asked in a wave."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import argument_spec
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.host_share import remaining, share
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.wave_arguments import RolloutState, arguments

from ..world import plan_of

LEASE = {"holder": "here:1:1", "owner": "someone", "epoch": 3}
PLAN = plan_of({"server": ("h1", 0, []), "client": ("h2", 1, ["server"]), "other": ("h1", 1, [])})
PLAN |= {"plan_id": "abc", "state_dir": "/state"}


def answer(plan: dict[str, Any] = PLAN, **more: Any) -> dict[str, Any]:
    """Of the planner: a server in the first wave on h1, then on h1 something else and on h2 a client."""
    return {"plan": plan, **remaining(plan, ()), "unchecked": [], "sources": {}, "run_id": None, **more}


def call(state: RolloutState, wave: int, host: str) -> dict[str, Any]:
    found = arguments(state, wave, host)
    assert found is not None
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [replica["name"] for replica in found["share"]["replicas"]]


def test_a_call_carries_the_hosts_own_share_of_the_wave() -> None:
    checked = {"lease": LEASE, "missing": ["a"]}
    assert arguments(RolloutState(answer(sources={"x": {}}), checked), 0, "h1") == {
        "deployment": "d",
        "plan_id": "abc",
        "state_dir": "/state",
        "lease": LEASE,
        "release": False,
        "expected": ["server", "other"],
        "share": share(PLAN, "h1", 0),
        "sources": {"x": {}},
        "missing": ["a"],
    }
    assert arguments(RolloutState(answer(), checked), 0, "h2") is None


def test_every_option_is_one_of_the_module() -> None:
    assert set(call(RolloutState(answer(run_id="r"), {"lease": LEASE}), 0, "h1")) < set(argument_spec())


def test_shared_replicas_alone_are_something_to_do() -> None:
    replicas = {name: {**replica, "shared": True} for name, replica in PLAN["replicas"].items()}
    plan = {**PLAN, "replicas": replicas}
    assert [part["replicas"][0]["name"] for part in call(RolloutState(answer(plan)), 0, "h1")["share"]["shared"]] == [
        "server"
    ]


def test_a_host_that_stands_has_nothing_to_do() -> None:
    standing = answer(**remaining(PLAN, ["h1"]))
    assert arguments(RolloutState(standing), 0, "h1") is None
    assert arguments(RolloutState(standing), 1, "h1") is None
    assert names(call(RolloutState(standing), 1, "h2")) == ["client"]


def test_the_lease_is_given_back_in_a_hosts_last_wave_unless_a_run_goes_on() -> None:
    nothing = {"out": []}
    assert [call(RolloutState(answer(), outcome=nothing), wave, "h1")["release"] for wave in (0, 1)] == [False, True]
    assert not call(RolloutState(answer(), outcome=nothing, stays=True), 1, "h1")["release"]


def test_what_failed_before_is_left_out() -> None:
    outcome = {"out": ["other"]}
    assert arguments(RolloutState(answer(), outcome=outcome), 1, "h1") is None
    assert names(call(RolloutState(answer(), outcome=outcome), 1, "h2")) == ["client"]
    assert names(call(RolloutState(answer(), outcome={"out": []}), 1, "h1")) == ["other"]


def test_the_first_wave_that_is_due_knows_nothing_of_an_earlier_play() -> None:
    assert names(call(RolloutState(answer(due=[1]), outcome={"out": ["other"]}), 1, "h1")) == ["other"]


@pytest.mark.parametrize(("unchecked", "lease"), [(["h1"], LEASE), ([], None)])
def test_a_host_that_was_asked_again_has_the_lease_of_that(unchecked: list[str], lease: Any) -> None:
    known = RolloutState(answer(unchecked=unchecked), {"missing": ["a"]}, {"lease": LEASE, "missing": ["b"]})
    assert call(known, 0, "h1").get("lease") == lease
    assert call(known, 0, "h1")["missing"] == ["a", "b"]
