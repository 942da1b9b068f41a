# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown, task_results


def test_a_result_says_nothing_that_steers_a_terminal_and_keeps_its_data() -> None:
    raw = {
        "msg": "a\x1b[2J\nb",
        "data": "\x1b",
        "replicas": {"r": {"error": "\x07", "why": 1}},
        "problems": [{"message": "\r"}],
    }
    told = task_results.neutral({**raw, "warnings": ["\x9b" + "x" * 9000]})
    assert told["msg"] == "a\\x1b[2J\nb"
    assert told["data"] == "\x1b"
    assert told["replicas"] == {"r": {"error": "\\x07", "why": 1}}
    assert told["problems"] == [{"message": ""}]
    assert told["warnings"][0].startswith("\\x9bxxx") and len(told["warnings"][0]) == shown.LONGEST_LINE
    assert task_results.neutral({"replicas": [{"replica": "r"}], "problems": None}) == {
        "replicas": [{"replica": "r"}],
        "problems": None,
    }


def test_who_is_to_blame_is_who_has_an_error() -> None:
    result = {"replicas": {"d-a-1": {"error": None}, "d-a-2": {"error": "exit code 3"}}}
    assert list(task_results.replicas(result)) == ["d-a-1", "d-a-2"]
    assert task_results.blamed(result) == {"d-a-2": {"error": "exit code 3"}}
    assert task_results.blamed({"replicas": None}) == task_results.blamed({"msg": "failed"}) == {}


def test_a_problem_has_a_place_as_far_as_it_is_known() -> None:
    result = {"problems": [{"container": "a", "field": "env", "message": "m"}, {"field": None, "message": "n"}]}
    assert list(task_results.problems(result)) == [({"container": "a", "field": "env"}, "m"), ({}, "n")]
    assert list(task_results.problems({"problems": None})) == []


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        (
            "pyenv: python3.13: command not found\n\nNote: see 'pyenv help global'\n",
            "pyenv: python3.13: command not found",
        ),
        ("Traceback (most recent call last):\n  File\nImportError: no docker\n", "ImportError: no docker"),
    ],
)
def test_what_a_module_printed_that_answered_nothing_is_told(printed: str, told: str) -> None:
    answer = {"msg": "Task failed: Module result deserialization failed", "module_stderr": printed}
    assert task_results.message(answer) == f"Module result deserialization failed: {told}"
    assert task_results.message({**answer, "msg": f"it ended: {printed.split(chr(10))[-2]}"}).startswith("it ended: ")
    assert task_results.message({"msg": "busy", "module_stderr": ""}) == "busy"
