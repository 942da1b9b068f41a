# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What cannot be compared is refused in one sentence that says what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import runs

from ..synthetic import Play
from .simulated import write_copy


def test_a_directory_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"empty: this is not the directory of a run: it has no run\.json"):
        (tmp_path / "empty").mkdir()
        runs.read(tmp_path / "empty")
    with pytest.raises(ProfileError, match="it is not there, or no directory"):
        runs.read(tmp_path / "gone")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run.json").write_text(json.dumps({"schema": "something/2"}))
    with pytest.raises(ProfileError, match=r"its schema is 'something/2', not 'retail\.profiles/run/1'"):
        runs.read(tmp_path / "other")


def test_a_side_without_runs() -> None:
    with pytest.raises(ProfileError, match="b names no run"):
        runs.read_group("b", [], False)


@pytest.mark.parametrize("verdict", ["degraded", "missed", "failed", "aborted"])
def test_a_run_that_is_not_ok_is_taken_only_where_that_is_said(ready_run: Play, tmp_path: Path, verdict: str) -> None:
    path = write_copy(ready_run.path, tmp_path, "run-2", verdict=verdict)
    with pytest.raises(ProfileError, match=f"a: the verdict of run run-2 is {verdict}.*-e include_failed=true"):
        runs.read_group("a", [str(path)], False)
    assert runs.read_group("a", [str(path)], True)[0].run_id == "run-2"


def test_runs_of_other_profiles_and_the_same_run_twice(ready_run: Play, tmp_path: Path) -> None:
    first = runs.read(write_copy(ready_run.path, tmp_path, "run-1"))
    other = runs.read(write_copy(ready_run.path, tmp_path, "run-2", profile="gst"))
    with pytest.raises(ProfileError, match="b: run run-2 is of the profile gst, and run-1 of ovms"):
        runs.check_groups({"a": [first], "b": [other]})
    (tmp_path / "latest").symlink_to("run-1")
    again = runs.read(tmp_path / "latest")
    with pytest.raises(ProfileError, match="run run-1 stands in a and in b: a run counts once"):
        runs.check_groups({"a": [first], "b": [again]})
    with pytest.raises(ProfileError, match="run run-1 stands twice in a"):
        runs.check_groups({"a": [first, again]})
