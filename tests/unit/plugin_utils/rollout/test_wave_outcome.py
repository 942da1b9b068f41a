# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What failed in a wave, and what is not started because of it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.host_share import remaining, share
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.leftover import standing
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.wave_outcome import (
    WaveOutcome,
    after_wave,
    dependants,
    last_wave,
    outcome_of,
)

from ..world import plan_of

# Two servers, a client of each, and one that needs nobody; on h3 something that needs a client.
PLAN = plan_of(
    {
        "server-1": ("h1", 0, []),
        "server-2": ("h2", 0, []),
        "client-1": ("h2", 1, ["server-1"]),
        "client-2": ("h3", 1, ["server-2"]),
        "alone-1": ("h3", 1, []),
        "report-1": ("h3", 2, ["client-1"]),
    }
)


def after(before: dict[str, Any], plan: dict[str, Any], wave: int, results: dict[str, Any]) -> dict[str, Any]:
    """As the filter tells it to the playbooks."""
    return after_wave(outcome_of(before), plan, wave, results).as_dict()


def fine(*names: str) -> list[dict[str, Any]]:
    return [{"replicas": {name: {"error": None} for name in names}}]


def bad(name: str) -> list[dict[str, Any]]:
    return [{"failed": True, "replicas": {name: {"error": f"{name}: exited"}}, "problems": []}]


def test_what_depends_on_a_failed_replica_is_out_and_nothing_else() -> None:
    found = after({}, PLAN, 0, {"h1": bad("server-1"), "h2": fine("server-2")})
    assert found["failures"] == ["h1: server-1: exited"]
    assert found["failed"] == ["server-1"]
    assert found["blocked"] == ["client-1", "report-1"]
    assert found["done"] == ["h1"]
    assert [item["name"] for item in share(PLAN, "h2", 1, found["out"])["replicas"]] == []
    assert [item["name"] for item in share(PLAN, "h3", 1, found["out"])["replicas"]] == ["client-2", "alone-1"]
    later = after(found, PLAN, 1, {"h3": fine("client-2", "alone-1"), "h1": bad("server-1")})  # h1 has no part
    assert {key: later[key] for key in ("failures", "out")} == {key: found[key] for key in ("failures", "out")}


def test_a_host_that_does_not_answer_is_left_alone_with_all_that_it_had_to_run() -> None:
    gone = [{"unreachable": True, "msg": "no route\nto it"}]
    found = after({}, PLAN, 0, {"h1": fine("server-1"), "h2": gone})
    assert found["failures"] == ["h2: unreachable: no route"]
    assert (found["gone"], found["failed"], found["blocked"]) == (
        ["h2"],
        ["client-1", "server-2"],
        ["client-2", "report-1"],
    )


def test_a_call_that_failed_as_a_whole_is_all_of_its_replicas() -> None:
    for answer in ({"failed": True, "msg": "no engine"}, {"msg": "no engine"}, {"exception": "x", "msg": "no engine"}):
        found = after({}, PLAN, 0, {"h1": [answer], "h2": fine("server-2")})
        assert found["failures"] == ["h1: no engine"]
        assert found["failed"] == ["server-1"]
        assert found["done"] == []
    problem = {"problems": [{"container": "c", "field": "image", "message": "is not there"}], "replicas": {}}
    assert after({}, PLAN, 0, {"h1": [problem]})["failures"] == ["h1: c, image: is not there"]


def test_the_playbooks_get_lists_in_order() -> None:
    outcome = WaveOutcome(("h2: b", "h1: a"), frozenset("ba"), frozenset("dc"), frozenset(["h2"]), frozenset(["h1"]))
    assert outcome.as_dict() == {
        "failures": ["h2: b", "h1: a"],
        "failed": ["a", "b"],
        "blocked": ["c", "d"],
        "out": ["a", "b", "c", "d"],
        "gone": ["h2"],
        "done": ["h1"],
    }


def test_stock_tasks_are_blamed_one_by_one() -> None:
    items = [
        {"profile_replica": {"name": "client-2"}, "failed": True, "msg": "no such image"},
        {"profile_replica": {"name": "alone-1"}, "failed": False},
    ]
    found = after({}, PLAN, 1, {"h3": [{"failed": True, "results": items}, *fine("alone-1")]})
    assert found["failures"] == ["h3: client-2: no such image"]
    assert found["failed"] == ["client-2"]


def test_the_last_wave_and_what_was_there_before() -> None:
    assert [last_wave(PLAN, host) for host in ("h1", "h2", "h3", "h9")] == [0, 1, 2, -1]
    label = "retail.profiles.deployment"
    containers = {
        "client-2": {"labels": {label: "d"}},
        "alone-1": {"labels": {label: "other"}},
        "gone-1": {"labels": {label: "d"}},
        "report-1": {},
    }
    seen = {**PLAN, "snapshot": {"h3": {"containers": containers}}}
    assert standing(seen, "h3") == ["client-2"]
    assert standing(seen, "h1") == []
    assert standing(PLAN, "h3") == []


@st.composite
def plans(draw: st.DrawFn) -> dict[str, Any]:
    replicas: dict[str, tuple[str, int, list[str]]] = {}
    for number in range(draw(st.integers(1, 12))):
        needs = draw(st.lists(st.sampled_from(sorted(replicas)), max_size=3, unique=True)) if replicas else []
        wave = max((replicas[name][1] for name in needs), default=-1) + 1
        replicas[f"r-{number}"] = (draw(st.sampled_from(["h1", "h2", "h3"])), wave, needs)
    return plan_of(replicas)


@given(plans(), st.data())
def test_out_is_closed_and_no_larger_than_it_must_be(plan: dict[str, Any], data: st.DataObject) -> None:
    failed = set(data.draw(st.lists(st.sampled_from(sorted(plan["replicas"])), unique=True)))
    blocked = dependants(plan, failed)
    assert not blocked & failed
    for name, replica in plan["replicas"].items():
        needs_one = bool((failed | blocked) & set(replica["depends_on"]))
        assert (name in blocked) == (needs_one and name not in failed)


@given(plans(), st.data())
def test_every_replica_is_started_or_told_of(plan: dict[str, Any], data: st.DataObject) -> None:
    """Through all waves with failures at random: each replica was asked for, or is out, and never both."""
    outcome, asked = WaveOutcome(), set()
    for wave in range(len(plan["waves"])):
        results = {}
        for host in plan["hosts"]:
            names = [item["name"] for item in share(plan, host, wave, outcome.out)["replicas"]]
            assert not asked & set(names)
            asked |= set(names)
            wrong = data.draw(st.sampled_from(["fine", "one", "gone"]))
            if names and wrong == "one":
                results[host] = bad(names[0])
            elif names and wrong == "gone":
                results[host] = [{"unreachable": True, "msg": "x"}]
            else:
                results[host] = fine(*names)
        outcome = after_wave(outcome, plan, wave, results)
        assert outcome_of(outcome.as_dict()) == outcome
    assert asked | outcome.out == set(plan["replicas"])
    assert not asked & outcome.blocked
    assert bool(outcome.failures) == bool(outcome.failed)


@given(plans(), st.sets(st.sampled_from(["h1", "h2", "h3"])))
def test_what_remains_is_all_but_what_stands(plan: dict[str, Any], converged: set[str]) -> None:
    found = remaining(plan, converged)
    left = {(replica["wave"], replica["host"]) for replica in plan["replicas"].values()}
    left = {(wave, host) for wave, host in left if host not in converged}
    assert found["due"] == sorted({wave for wave, _host in left})
    assert found["ends"] == {host: last_wave(plan, host) for _wave, host in left}
