# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments of profile_apply to an order."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, parse_order, parse_task

TASK = {"name": "d-a-1", "image": "i:1"}


def order(**params: Any) -> Order:
    return parse_order({"state": "present", "deployment": "d", "state_dir": "/s", **params})


def replica(**params: Any) -> dict[str, Any]:
    return {"replicas": [{"name": "d-a-1", "container": "a", "task": TASK, **params}]}


def test_an_order() -> None:
    probe = {"kind": "http", "port": "80", "replica": "d-a-1", "timeout": "5", "path": None}
    found = order(share=replica(ready=[probe], pull=None), expected=["d-a-1"], state_dir="/s/")
    (task,) = found.share.replicas
    assert (task.name, task.image, task.pull, task.spec) == ("d-a-1", "i:1", "missing", "")
    (parsed,) = task.ready
    assert (parsed.kind, parsed.port, parsed.timeout, parsed.path) == ("http", 80, 5.0, "/")
    assert found.expected == frozenset({"d-a-1"})
    assert found.state_dir == "/s"


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({"deployment": "../d"}, "field deployment: '../d' is not a name"),
        ({"run_id": "a/b"}, "field run_id: 'a/b' is not a name"),
        ({"deployment": None}, "name a deployment"),
        ({"state": "absent", "deployment": None}, "name a deployment"),
        ({"share": replica(task={**TASK, "colour": 1})}, "the option colour of docker_container is not known"),
        ({"share": replica(task={**TASK, "memory": "lots"})}, "container a, field memory: 'lots' is not a size"),
        ({"share": replica(task={**TASK, "state": "absent"})}, "field state: 'absent' is none of started"),
        ({"share": replica(task={**TASK, "detach": False})}, "always runs detached"),
        ({"share": replica(task={**TASK, "restart_policy": "often"})}, "is none of no, on-failure"),
        ({"share": replica(task={**TASK, "name": "other"})}, "names the container other, not d-a-1"),
        ({"share": replica(task={"name": "d-a-1"})}, "container a, field image: has no image"),
        ({"share": replica(pull="daily")}, "'daily' is none of missing"),
        ({"share": replica(ready=[{"kind": "magic"}])}, "'magic' is none of http"),
        ({"share": replica(ready=[{"kind": "tcp"}])}, "the tcp probe needs a port"),
        ({"share": replica(ready=[{"kind": "log", "pattern": "("}])}, "not a regular expression"),
        ({"share": replica(ready=[{"kind": "exited", "colour": 1}])}, "the exited probe does not know colour"),
    ],
)
def test_bad_arguments(params: dict[str, Any], why: str) -> None:
    with pytest.raises(ProfileError) as caught:
        order(**params)
    assert why in str(caught.value)


def test_the_way_out_is_named() -> None:
    with pytest.raises(ProfileError, match=r"container a, field links: .*profile_apply_with=docker_container"):
        order(share=replica(task={**TASK, "links": ["x"]}))


def test_other_names_of_options() -> None:
    assert parse_task({"ports": ["80"], "log_opt": {"a": 1}, "exposed": ["81"]}, "a") == {
        "published_ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": ""}]},
        "log_options": {"a": "1"},
        "exposed_ports": ["81/tcp"],
    }
