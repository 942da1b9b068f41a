# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import differences
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.runs import ComparedRun, read

from ..synthetic import MODELS, Play

Data = dict[str, Any]


@pytest.fixture
def changed(ready_run: Play) -> Callable[[Callable[[Data, Data], None]], list[str]]:
    """What differs from a run to the same one with something changed in its record and plan."""
    run = read(ready_run.path)

    def of(change: Callable[[Data, Data], None]) -> list[str]:
        record, plan = copy.deepcopy(dict(run.record)), copy.deepcopy(dict(run.plan))
        change(record, plan)
        other = ComparedRun(run.path, record, plan)
        found = differences.between(*([differences.facts(one.record, one.plan)] for one in (run, other)))
        return [f"{one.kind}: {one}" for one in found]

    return of


def test_a_run_does_not_differ_from_itself(changed: Any) -> None:
    assert changed(lambda record, plan: None) == []


def test_what_is_true_of_a_moment_is_no_difference(changed: Any) -> None:
    def busy(record: Data, plan: Data) -> None:
        record["hosts"]["server"]["system"]["load_before"] = [9.0, 9.0]
        record["hosts"]["server"]["clock"] = None

    assert changed(busy) == []


def test_systems_are_told_with_their_hosts(changed: Any) -> None:
    def upgrade(record: Data, plan: Data) -> None:
        for host in ("client1", "client2"):
            record["hosts"][host]["system"]["kernel"] = "6.1.0-20-amd64"
        record["hosts"]["server"]["system"]["governor"] = "performance"
        record["controller"]["collection"] = "9.9.9"

    found = changed(upgrade)
    assert found[:2] == [
        "system: client1, client2: kernel: 6.1.0-13-amd64 → 6.1.0-20-amd64",
        "system: server: governor: not known → performance",
    ]
    assert found[2].startswith("controller: collection: ") and found[2].endswith(" → 9.9.9")


def test_the_same_of_many_replicas_is_one_line(changed: Any) -> None:
    def other(record: Data, plan: Data) -> None:
        for name, replica in plan["replicas"].items():
            if replica["container"] == "client":
                replica["task"]["env"] = {"FPS": "30"}
                record["containers"][name]["image_id"] = "sha256:new"
        plan["replicas"]["ovms-ovms-server-1"]["task"]["cpus"] = 1.5

    found = changed(other)
    clients = "ovms-client-1, ovms-client-2 and 2 more"
    assert f"variables: {clients}: FPS: – → 30" in found
    assert "plan: ovms-ovms-server-1: cpus: – → 1.5" in found
    assert [line for line in found if line.startswith(f"images: {clients}: image_id: ")]
    assert len(found) == 3


def test_variables_and_models_are_compared_where_runs_record_them(changed: Any) -> None:
    def other(record: Data, plan: Data) -> None:
        record["variables"] = {"measure_duration": 60.0}
        record["hosts"]["server"]["models"] = {"/models/face-detection": "abc"}

    (path, before) = next(iter(MODELS.items()))
    assert changed(other) == [f"models: server: {path}: {before} → abc", "variables: measure_duration: – → 60.0"]


def test_runs_of_one_side_that_differ_among_themselves_are_told(ready_run: Play) -> None:
    run = read(ready_run.path)
    facts = differences.facts(run.record, run.plan)
    other = {**facts, ("system", "server", "kernel"): "new"}
    (found,) = differences.between([facts, other], [facts])
    assert found.within
    assert str(found) == "server: kernel: 6.1.0-14-amd64 | new → 6.1.0-14-amd64"
