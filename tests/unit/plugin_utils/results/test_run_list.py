# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_list
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import reserve

from ..synthetic import Play

OBJECTIVES = [{"state": "met"}, {"state": "missed"}]


def add(folder: Path, name: str, second: int, **changes: Any) -> Path:
    """A run's directory as far as a list needs it."""
    record = {
        "schema": "retail.profiles/run/1",
        "run_id": name,
        "profile": "ovms",
        "verdict": "ok",
        "started": f"2026-07-01T10:00:{second:02}.000Z",
        "finished": f"2026-07-01T10:01:{second:02}.000Z",
        "metrics": {},
        "totals": {"fps": {"mean": 45.0}, "latency_seconds": {"p50": 0.016, "p99": 0.192}},
        **changes,
    }
    path = folder / name
    (path / "files" / "abc").mkdir(parents=True)
    (path / "files" / "abc" / "config.json").write_text("{}")
    (path / "run.json").write_text(json.dumps(record))
    return path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Three runs, and what is no run: a comparison, a file, a folder of the user's, and a link."""
    for second, name in enumerate(("run-a", "run-b", "run-c")):
        add(tmp_path, name, second, notes=f"the {name}\nof today", objectives=OBJECTIVES if second else [])
    (tmp_path / "comparison-1").mkdir()
    (tmp_path / "comparison-1" / "comparison.json").write_text("{}")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "run.json").write_text(json.dumps({"schema": "mine/1", "run_id": "x"}))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "run.json").write_text("{")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "latest").symlink_to("run-c")
    return tmp_path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_runs_are_listed_the_newest_first(results: Path) -> None:
    lines = run_list.table(run_list.runs_in(results)).splitlines()
    assert [line.split()[0] for line in lines] == ["RUN", "run-c", "run-b", "run-a"]
    cells = [cell.strip() for cell in lines[1].split("  ") if cell]
    assert cells[:4] == ["run-c", "ovms", "2026-07-01 10:00:02", "ok"]
    assert cells[4:] == ["1 of 2 met", "45 fps, p99 192 ms", "the run-c of today"]


def test_a_list_of_a_real_run(ready_run: Play) -> None:
    (run,) = run_list.runs_in(ready_run.path.parent)
    told = run.as_dict()
    assert (told["run_id"], told["profile"], told["verdict"]) == (ready_run.run_id, "ovms", "ok")
    assert told["headline"].startswith("120 fps, p99 ")


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({"totals": {"latency_seconds": {"p50": 0.016, "p99": None}}}, "p50 16 ms"),
        ({"totals": {}, "metrics": {"r": {"cpu_cores": {"mean": 1.5}}, "s": {}}}, "1.5 cores"),
        ({"totals": {}}, "-"),
    ],
)
def test_a_headline_is_of_what_there_is(tmp_path: Path, changes: dict[str, Any], headline: str) -> None:
    add(tmp_path, "run", 0, **changes)
    assert run_list.runs_in(tmp_path)[0].headline == headline


def test_pruning_keeps_the_newest_and_all_that_is_no_run(results: Path) -> None:
    before = names(results)
    run_list.prune(results, run_list.surplus(run_list.runs_in(results), 1))
    assert before - names(results) == {"run-a", "run-b"}
    assert (results / "latest").resolve() == results / "run-c"


def test_latest_stays_right(results: Path) -> None:
    runs = run_list.runs_in(results)
    run_list.prune(results, runs[:1])
    assert (results / "latest").readlink() == Path("run-b")
    run_list.prune(results, runs[1:])
    assert not (results / "latest").is_symlink()
    assert names(results) == {"comparison-1", "mine", "broken", "notes.txt"}


def test_a_run_that_may_be_going_on_is_kept(results: Path) -> None:
    going = add(results, "run-0", 0, started="2026-06-01T00:00:00.000Z", finished=None, verdict="aborted")
    runs = run_list.runs_in(results)
    assert runs[-1].path == going
    assert going not in [run.path for run in run_list.surplus(runs, 1)]
    for path in going.iterdir():
        os.utime(path, (1.0, 1.0))
    assert going in [run.path for run in run_list.surplus(runs, 1)]


def test_what_cannot_be_removed_is_said(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(run_list.shutil, "rmtree", refuse)
    with pytest.raises(ProfileError, match="run-a: cannot be removed: Permission denied"):
        run_list.prune(results, run_list.surplus(run_list.runs_in(results), 2))
    assert (results / "run-a" / "run.json").is_file()


def test_two_runs_of_one_second_have_two_names(tmp_path: Path) -> None:
    made = [reserve(tmp_path / "results", "ovms-20260701T100000Z-3f9d3f9d").name for _time in range(3)]
    assert made == [f"ovms-20260701T100000Z-3f9d3f9d{behind}" for behind in ("", "-2", "-3")]
    (tmp_path / "file").write_text("")
    with pytest.raises(ProfileError, match="cannot be made"):
        reserve(tmp_path / "file", "run")


def play(results: Path, collections: Path, checkout: Path, *extra: str) -> subprocess.CompletedProcess[str]:
    playbook, where = str(checkout / "playbooks" / "runs.yml"), f"profile_results_dir={results}"
    return subprocess.run(
        ["ansible-playbook", "-i", "localhost,", playbook, "-e", where, *extra],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections), "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_playbook_lists_and_prunes(results: Path, collections: Path, checkout: Path) -> None:
    shown = play(results, collections, checkout, "-e", "keep=2", "--check")
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert "Would remove: run-a" in shown.stdout and (results / "run-a").is_dir()
    pruned = play(results, collections, checkout, "-e", "keep=2")
    assert "Removed: run-a" in pruned.stdout and not (results / "run-a").exists()
    assert [line.split()[0] for line in pruned.stdout.splitlines() if line.startswith("run-")] == ["run-c", "run-b"]
    wrong = play(results, collections, checkout, "-e", "keep=0")
    assert wrong.returncode != 0
    assert "keep: expected a number of runs from 1 on, not 0" in wrong.stdout + wrong.stderr
