# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a deployment, and what is ours by it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.deployment import record as state
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, parse_order, parse_task
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import Made, Record, StateDir, planned

LABELS = {"retail.profiles.collection": "retail.profiles", "retail.profiles.deployment": "d"}
TASK = {"name": "d-a-1", "image": "i:1"}


def order(**params: Any) -> Order:
    return parse_order({"state": "present", "deployment": "d", "state_dir": "/s", **params})


def replica(**params: Any) -> dict[str, Any]:
    return {"replicas": [{"name": "d-a-1", "container": "a", "task": TASK, **params}]}


def test_a_plan_in_the_record() -> None:
    old = Record("d", "run-1", "plan-1", {"d-b-1": Made("2", "s")}, ("d-n",), ("v",), ("f",), ("run-1",))
    task = {**TASK, "labels": {"retail.profiles.spec": "abc"}, "volumes": ["w:/w", "/x:/y", "/z"]}
    share = {**replica(task=task), "networks": [{"name": "d-m"}]}
    new = planned(old, order(share=share, run_id="run-2"))
    bare = {"id": None, "spec": "", "request": "", "dropped": {}, "desired": {}, "ready": []}
    assert new.as_dict() == {
        "schema": "retail.profiles/record/1",
        "deployment": "d",
        "run_id": "run-2",
        "plan_id": "plan-1",
        "replicas": {
            "d-a-1": {**bare, "spec": "abc", "desired": {"image": "i:1"}},
            "d-b-1": {**bare, "id": "2", "spec": "s"},
        },
        "networks": ["d-m", "d-n"],
        "volumes": ["v", "w"],
        "files": ["f"],
        "runs": ["run-1", "run-2"],
    }
    assert state.record_from(json.loads(json.dumps(new.as_dict()))) == new
    assert planned(new, order(share=share, run_id="run-2")) == new


names = st.text(st.characters(codec="ascii", categories=["Ll", "Nd"]), min_size=1, max_size=8)


@given(st.dictionaries(names, st.builds(Made, st.none() | names, names, names)), st.lists(names, max_size=3))
def test_a_record_survives_being_written(replicas: dict[str, Made], some: list[str]) -> None:
    record = Record("d", None, "p", replicas, tuple(sorted(set(some))))
    assert state.record_from(json.loads(json.dumps(record.as_dict()))) == record


def test_the_volumes_of_a_task() -> None:
    values = parse_task(
        {
            "volumes": ["a:/a", "/b:/b", "/c", "/d:ro"],
            "volume_driver": "nfs",
            "mounts": [
                {"target": "/e", "source": "e", "labels": {"x": "y"}, "volume_driver": "l", "volume_options": {"o": 1}},
                {"target": "/f"},
                {"target": "/g", "type": "tmpfs"},
            ],
        },
        "a",
    )
    assert state.named_volumes(values) == {
        "a": {"Driver": "nfs"},
        "e": {"Driver": "l", "DriverOpts": {"o": "1"}, "Labels": {"x": "y"}},
    }


@pytest.mark.parametrize(
    ("record", "name", "identity", "labels", "ours"),
    [
        (Record("d", replicas={"d-a-1": Made()}), "d-a-1", "1", LABELS, True),
        (Record("d", replicas={"d-a-1": Made()}), "d-a-2", "1", LABELS, False),  # labels of an image
        (Record("d", replicas={"d-a-1": Made("1")}), "renamed", "1", LABELS, True),
        (Record("d", replicas={"d-a-1": Made()}), "d-a-1", "1", {}, False),
        (Record("d", replicas={"d-a-1": Made()}), "d-a-1", "1", None, False),
        (Record("d"), "d-a-1", "1", LABELS, False),
        (None, "d-a-1", "1", LABELS, True),
        (None, "d-a-1", "1", {**LABELS, "retail.profiles.replica": "d-a-1"}, True),
        (None, "d-a-2", "1", {**LABELS, "retail.profiles.replica": "d-a-1"}, False),
        (None, "other", "1", LABELS, False),
        (None, "e-a-1", "1", {**LABELS, "retail.profiles.deployment": "e"}, False),
    ],
)
def test_which_container_is_ours(
    record: Optional[Record], name: str, identity: str, labels: Optional[dict[str, str]], ours: bool
) -> None:
    assert state.owns_container(record, "d", name, identity, labels) is ours


def test_which_network_or_volume_is_ours() -> None:
    assert state.owns_thing(["d-n"], "d", "d-n", LABELS)
    assert not state.owns_thing(["d-n"], "d", "d-n", {})
    assert not state.owns_thing([], "d", "d-n", LABELS)
    assert state.owns_thing(None, "d", "d-n", LABELS)
    assert not state.owns_thing(None, "d", "n", LABELS)


def test_a_damaged_record_is_a_lost_one(tmp_path: Path) -> None:
    found = StateDir(str(tmp_path))
    assert found.load("d") is None
    found.save(Record("d", runs=("r",)))
    assert found.load("d") == Record("d", runs=("r",))
    path = tmp_path / "deployments" / "d" / "record.json"
    assert path.stat().st_mode & 0o777 == 0o660
    for text in ("", "[]", "{}", '{"deployment": "d", "replicas": 1}'):
        path.write_text(text)
        assert found.load("d") is None
    assert found.deployments() == ["d"]
    found.forget("d")
    assert found.deployments() == []


def test_the_state_directory_in_words(tmp_path: Path) -> None:
    assert StateDir(str(tmp_path)).check() is None
    assert "run prepare_hosts.yml" in str(StateDir(str(tmp_path / "none")).check())
