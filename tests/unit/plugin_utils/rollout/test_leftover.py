# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run before has left: what stays for the next one, and what goes before it."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.names import DEPLOYMENT_LABEL, SPEC_LABEL
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.leftover import leaving

from ..world import plan_of

# A server with two clients, one on its own host, and one that needs nobody.
REPLICAS = {
    "server-1": ("h1", 0, []),
    "client-1": ("h1", 1, ["server-1"]),
    "client-2": ("h2", 1, ["server-1"]),
    "alone-1": ("h2", 0, []),
    "report-1": ("h2", 2, ["client-2"]),
}
HOSTS = ("h1", "h2")


def planned(replicas: dict[str, tuple[str, int, list[str]]], there: dict[str, dict[str, str]]) -> dict[str, Any]:
    """A plan whose replicas are made of ``as planned``; ``there``: by host, what containers on it are made of."""
    plan = plan_of(replicas)
    for replica in plan["replicas"].values():
        replica |= {"task": {"labels": {SPEC_LABEL: "as planned"}}, "metrics": {}}
    containers = {
        host: {
            name: {"labels": {DEPLOYMENT_LABEL: "d", SPEC_LABEL: spec}, "running": spec != "ended"}
            for name, spec in found.items()
        }
        for host, found in there.items()
    }
    return {**plan, "snapshot": {host: {"containers": containers.get(host, {})} for host in plan["hosts"]}}


def standing(**other: str) -> dict[str, dict[str, str]]:
    """All replicas as planned, but for those that are of something else, or have ``ended``."""
    found: dict[str, dict[str, str]] = {host: {} for host in HOSTS}
    for name, (host, _wave, _needs) in REPLICAS.items():
        found[host][name] = other.get(name.partition("-")[0] + name[-1], "as planned")
    return found


def test_nothing_goes_where_all_is_as_planned() -> None:
    assert leaving(planned(REPLICAS, standing()), HOSTS) == {}


@pytest.mark.parametrize(
    ("other", "stays"),
    [
        # A client that differs takes with it what depends on it, and not its server.
        ({"client2": "another rate"}, {"h2": ["alone-1"]}),
        ({"client1": "another rate"}, {"h1": ["server-1"]}),
        ({"alone1": "another rate"}, {"h2": ["client-2", "report-1"]}),
        # A server that is made anew leaves no client that had dialled the one before.
        ({"server1": "another quota"}, {"h1": [], "h2": ["alone-1"]}),
    ],
)
def test_what_differs_goes_with_what_depends_on_it(other: dict[str, str], stays: dict[str, list[str]]) -> None:
    found = leaving(planned(REPLICAS, standing(**other)), HOSTS)
    assert {host: sorted(names) for host, names in found.items()} == stays


def test_what_has_ended_is_made_anew_but_where_it_is_to_end() -> None:
    plan = planned(REPLICAS, standing(alone1="ended"))
    ended = plan["snapshot"]["h2"]["containers"]["alone-1"]
    ended["labels"][SPEC_LABEL] = "as planned"
    assert "alone-1" not in leaving(plan, HOSTS)["h2"]
    plan["replicas"]["alone-1"]["ready"] = [{"kind": "exited"}]
    assert leaving(plan, HOSTS) == {}


def test_what_tells_its_figures_in_files_is_made_anew_as_these_go_back_to_its_start() -> None:
    plan = planned(REPLICAS, standing())
    plan["replicas"]["client-2"]["metrics"] = {"fps": {"file": "/tmp/results/fps.log", "kind": "gauge"}}
    plan["replicas"]["client-1"]["metrics"] = {"fps": {"log": "fps", "kind": "gauge"}}
    assert leaving(plan, HOSTS) == {"h2": ["alone-1"]}


def test_replicas_that_are_too_many_go_and_those_that_come_take_nothing_with_them() -> None:
    more = {"h1": {**standing()["h1"], "client-3": "as planned"}, "h2": standing()["h2"]}
    assert leaving(planned(REPLICAS, more), HOSTS) == {"h1": ["server-1", "client-1"]}
    assert leaving(planned({**REPLICAS, "client-3": ("h1", 1, ["server-1"])}, standing()), HOSTS) == {}


def test_all_goes_from_a_host_that_is_not_used_any_more() -> None:
    fewer = {name: replica for name, replica in REPLICAS.items() if replica[0] == "h1"}
    assert leaving(planned(fewer, standing()), HOSTS) == {"h2": []}


def test_a_host_on_which_nothing_was_left_is_none_of_them() -> None:
    changed = planned(REPLICAS, standing(client1="another rate", client2="another rate"))
    assert set(leaving(changed, ["h1"])) == {"h1"}
    assert leaving(changed, []) == {}


def test_what_others_use_as_well_is_not_removed() -> None:
    plan = planned(REPLICAS, standing(server1="another quota"))
    plan["replicas"]["server-1"]["shared"] = True
    plan["snapshot"]["h1"]["containers"]["server-1"]["labels"][DEPLOYMENT_LABEL] = "server-1"
    assert leaving(plan, HOSTS) == {"h1": ["server-1"], "h2": ["alone-1"]}


def test_another_s_containers_are_none_of_it() -> None:
    plan = planned(REPLICAS, standing())
    plan["snapshot"]["h1"]["containers"]["database"] = {"labels": {}, "running": True}
    assert leaving(plan, HOSTS) == {}
