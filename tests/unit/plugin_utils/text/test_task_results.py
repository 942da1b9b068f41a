# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.retail.profiles.plugins.plugin_utils.text import task_results


def test_the_first_line_is_one_that_says_something() -> None:
    assert task_results.first_line("\n  no  space left\nTraceback") == "no  space left"
    assert task_results.first_line(OSError("a\nb")) == "a"
    assert task_results.first_line(" \n") == ""


def test_one_line_keeps_all_words() -> None:
    assert task_results.one_line(" a\n b\tc ") == "a b c"


def test_who_is_to_blame_is_who_has_an_error() -> None:
    result = {"replicas": {"d-a-1": {"error": None}, "d-a-2": {"error": "exit code 3"}}}
    assert list(task_results.replicas(result)) == ["d-a-1", "d-a-2"]
    assert task_results.blamed(result) == {"d-a-2": {"error": "exit code 3"}}
    assert task_results.blamed({"replicas": None}) == task_results.blamed({"msg": "failed"}) == {}


def test_a_problem_has_a_place_as_far_as_it_is_known() -> None:
    result = {"problems": [{"container": "a", "field": "env", "message": "m"}, {"field": None, "message": "n"}]}
    assert list(task_results.problems(result)) == [({"container": "a", "field": "env"}, "m"), ({}, "n")]
    assert list(task_results.problems({"problems": None})) == []
