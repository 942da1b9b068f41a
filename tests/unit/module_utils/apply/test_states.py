# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports as the module answers them."""

from __future__ import annotations

import json

from ansible_collections.retail.profiles.plugins.module_utils.apply.operations import ReplicaResult, Report
from ansible_collections.retail.profiles.plugins.module_utils.apply.states import result, summary
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import Difference


def test_a_result() -> None:
    outcome = ReplicaResult("d-a-1", "recreated", "1", diff=(Difference("env", ["A=1"], ["A=2"]),))
    found = result(Report(True, (outcome, ReplicaResult("d-a-2", "created", "2")), ("d-a-3",)))
    assert found["msg"] == "1 created, 1 recreated, 1 removed"
    assert not found["failed"]
    assert found["replicas"]["d-a-1"]["diff"] == [{"field": "env", "current": ["A=1"], "desired": ["A=2"]}]
    assert [item["before_header"] for item in found["diff"]] == ["d-a-1", "d-a-2", "d-a-3"]
    assert (found["diff"][0]["before"], found["diff"][0]["after"]) == ('env: ["A=1"]\n', 'env: ["A=2"]\n')
    assert found["diff"][1]["after"] == "exists: true\n"
    assert json.loads(json.dumps(found)) == found


def test_summaries() -> None:
    assert summary(Report()) == "nothing to do"
    assert summary(Report(changed=True)) == "prepared"
    one = Report(problems=({"container": "a", "field": "image", "message": "is not there"},))
    assert summary(one) == "a: is not there"
    assert one.failed
    two = Report(
        replicas=(ReplicaResult("d-a-1", "failed", error="d-a-1: x"), ReplicaResult("d-a-2", "not_ready", error="y"))
    )
    assert summary(two) == "2 problems: d-a-1: x; y"
    assert two.failed
    assert not two.changed
