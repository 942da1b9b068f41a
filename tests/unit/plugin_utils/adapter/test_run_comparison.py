# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""profile_compare's use case over directories, and the playbook compare_runs.yml over it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import run_comparison

from ..comparison.simulated import write_copy
from ..synthetic import Play


@pytest.fixture
def results(ready_run: Play, tmp_path: Path) -> Path:
    """Runs a-1, a-2, b-1 and b-2; those of b have half the frames."""
    totals = ready_run.directory.read_json("run.json")["totals"]
    for side, fps in (("a", 120.0), ("b", 60.0)):
        for number in (1, 2):
            changed = {**totals, "fps": {**totals["fps"], "mean": fps + number / 100.0}}
            write_copy(ready_run.path, tmp_path / "results", f"{side}-{number}", totals=changed)
    return tmp_path / "results"


def arguments(results: Path, **changes: Any) -> dict[str, Any]:
    defaults = {name: option.get("default") for name, option in run_comparison.OPTIONS.items()}
    sides = {side: [str(results / f"{side}-{number}") for number in (1, 2)] for side in ("a", "b")}
    return {**defaults, "results_dir": str(results), **sides, **changes}


@pytest.mark.parametrize("said", ["x,y", "[x,y]", "[x, 'y']", ["x", "y"], '["x","y",]'])
def test_names_are_understood_as_the_command_line_gives_them(said: Any) -> None:
    assert run_comparison.names(said) == ["x", "y"]


def test_names_that_are_none() -> None:
    assert run_comparison.names("") == run_comparison.names("[]") == []
    with pytest.raises(ProfileError, match="expected a list of names, not 3"):
        run_comparison.names(3)


def test_patterns_stand_for_what_matches(results: Path) -> None:
    found = run_comparison.paths(str(results / "a-*"))
    assert found == [str(results / "a-1"), str(results / "a-2")]
    with pytest.raises(ProfileError, match="no directory matches this pattern"):
        run_comparison.paths(str(results / "c-*"))


def test_it_writes_three_files_into_a_new_folder(results: Path) -> None:
    first, second = (run_comparison.compared(arguments(results), False).answer["files"] for _time in range(2))
    assert [Path(file).name for file in first] == ["comparison.html", "comparison.csv", "comparison.json"]
    assert all(Path(file).is_file() for file in (*first, *second))
    assert not set(first) & set(second)
    assert Path(first[0]).parent.parent == results


def test_check_mode_writes_nothing(results: Path) -> None:
    before = sorted(results.iterdir())
    answer = run_comparison.compared(arguments(results), True).answer
    assert answer["files"] == [] and answer["verdicts"]["fps"] == "changed, worse"
    assert sorted(results.iterdir()) == before


def test_it_fails_where_that_is_asked(results: Path) -> None:
    worse = run_comparison.compared(arguments(results, fail_on="worse"), True).answer
    assert worse["failed"]
    assert worse["msg"].startswith("fail_on=worse: fps -50.0 % (changed, worse)")
    swapped = arguments(results)
    better = {**swapped, "a": swapped["b"], "b": swapped["a"]}
    assert not run_comparison.compared({**better, "fail_on": "worse"}, True).answer["failed"]
    assert run_comparison.compared({**better, "fail_on": "changed"}, True).answer["failed"]


def test_one_run_is_too_few_to_fail_on(results: Path) -> None:
    one = arguments(results, a=[str(results / "a-1")], fail_on="worse")
    with pytest.raises(ProfileError, match="fail_on=worse takes at least 2 runs of a and of b"):
        run_comparison.compared(one, True)


def test_missing_packages_are_named_where_they_are_needed(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ProfileError, match=r"no scipy, numpy.*install with: pip install scipy numpy"):
        run_comparison.compared(arguments(results), True)
    one = arguments(results, a=[str(results / "a-1")])
    assert "no significance is claimed" in run_comparison.compared(one, True).answer["headline"]


def play(results: Path, collections: Path, checkout: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1"}
    playbook = str(checkout / "playbooks" / "compare_runs.yml")
    return subprocess.run(
        ["ansible-playbook", "-i", "localhost,", playbook, *extra],
        cwd=results.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_playbook_compares_and_its_status_says_what_was_asked(
    results: Path, collections: Path, checkout: Path
) -> None:
    sides = ("-e", "a=[results/a-1,results/a-2]", "-e", "b=results/b-*")
    done = play(results, collections, checkout, *sides)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The set-ups do not differ." in done.stdout
    page = next(line for line in done.stdout.splitlines() if line.startswith("Page: ")).removeprefix("Page: ")
    assert Path(page).is_file()
    failing = play(results, collections, checkout, *sides, "-e", "fail_on=worse", "-e", "metrics=fps,errors")
    assert failing.returncode != 0
    assert "fail_on=worse: fps -50.0 % (changed, worse)" in failing.stdout + failing.stderr
    wrong = play(results, collections, checkout, "-e", "a=results/gone", "-e", "b=results/b-1")
    assert wrong.returncode != 0
    assert "results/gone: this is not the directory of a run" in wrong.stdout + wrong.stderr
    assert "Traceback" not in wrong.stdout + wrong.stderr
