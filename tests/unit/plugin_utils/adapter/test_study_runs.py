# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of a study over playbooks that are played by a test: their order, what stays, what fails, what goes on."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import run_comparison, study, study_runs
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.study_runs import RUN, SEARCH, STOP, StudyRuns
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import PLAN
from ansible_collections.retail.profiles.plugins.plugin_utils.study import design
from ansible_collections.retail.profiles.plugins.plugin_utils.study.progress import Progress

from ..comparison.simulated import write_copy
from ..synthetic import Play as PlayedRun

VARIABLES = ("profile_env", "cpus")
LOADS: dict[str, Any] = {"profile": "ovms", "factors": {"profile_env.RATE": [5, 10]}, "repeats": 2}


class Interrupted(Exception):
    """What ends a study from outside."""


@dataclass
class Stage:
    """Plays playbooks: a run copies one that was played, with as many frames as RATE says."""

    of: Path
    folder: Path
    verdicts: Mapping[int, str] = field(default_factory=dict)
    breaks_at: int | None = None
    stop_status: int = 0
    played: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def play(self, name: str, variables: Mapping[str, Any], log: Path) -> int:
        turn = len(self.runs)
        self.played.append((name, dict(variables)))
        log.write_text(
            "[ERROR]: Task failed: Action failed: there is no\n  profile 'ovm'\nOrigin: x\n", encoding="utf-8"
        )
        if name == STOP:
            return self.stop_status
        if turn == self.breaks_at:
            write_copy(self.of, self.folder, f"ovms-{turn}", verdict="aborted")
            raise Interrupted
        verdict = self.verdicts.get(turn, "ok")
        if verdict == "none":
            return 4
        known = json.loads((self.of / "run.json").read_text(encoding="utf-8"))["totals"]
        totals = {**known, "fps": {**known["fps"], "mean": 10.0 * variables["profile_env"]["RATE"] + turn / 100.0}}
        reasons = [] if verdict == "ok" else [f"it was {verdict}"]
        write_copy(self.of, self.folder, f"ovms-{turn}", verdict=verdict, totals=totals, reasons=reasons)
        return 0 if verdict == "ok" else 2

    @property
    def runs(self) -> list[dict[str, Any]]:
        return [variables for name, variables in self.played if name != STOP]

    def go(self, state: Progress, standing: bool = False) -> Progress:
        given = {"profile_env": {"MODEL": "face"}, "profile_deployment": None}
        return StudyRuns(self.folder, self.play, given, self.said.append, standing=standing).all(state)


def begin(**changes: Any) -> Progress:
    return Progress(*design.parse({**LOADS, **changes}, VARIABLES))


@pytest.fixture
def stage(ready_run: PlayedRun, tmp_path: Path) -> Stage:
    folder = tmp_path / "study"
    folder.mkdir()
    return Stage(ready_run.path, folder)


def test_runs_are_made_in_the_order_of_the_design_with_their_variables(stage: Stage) -> None:
    state = stage.go(begin())
    assert [(run.block, run.combination) for run in state.runs] == state.design.order()
    rates = [state.design.combinations[number]["profile_env.RATE"] for _block, number in state.design.order()]
    assert [run["profile_env"] for run in stage.runs] == [{"MODEL": "face", "RATE": rate} for rate in rates]
    assert {run["profile_results_dir"] for run in stage.runs} == {str(stage.folder)}
    assert stage.runs[0]["profile_notes"] == f"study, block 1: profile_env.RATE={rates[0]}"
    assert study_runs.read(stage.folder) == state
    assert {run.run_id for run in state.runs} == {f"ovms-{turn}" for turn in range(4)}
    assert stage.said[0].startswith(f"Run 1 of 4: profile_env.RATE={rates[0]} (log: ")
    assert stage.said[1].startswith("  ok: ") and "left" in stage.said[1] and "left" not in stage.said[-1]


def test_what_is_deployed_stays_for_another_load_and_goes_at_the_end(stage: Stage) -> None:
    stage.go(begin())
    assert [run.get("profile_keep") for run in stage.runs] == [True, True, True, None]
    assert {name for name, _variables in stage.played} == {RUN}


def test_a_run_is_told_the_hosts_on_which_the_one_before_has_left_something(stage: Stage) -> None:
    stage.verdicts = {1: "failed"}
    stage.go(begin(repeats=3))
    hosts = list(json.loads((stage.of / PLAN).read_text(encoding="utf-8"))["hosts"])
    assert hosts
    # After the first; after the second, which failed, nothing is there; and so on.
    assert [run["profile_left_on"] for run in stage.runs] == [[], hosts, [], hosts, hosts, hosts]


def test_what_could_not_be_removed_is_still_where_it_was(stage: Stage) -> None:
    stage.verdicts, stage.stop_status = {1: "failed"}, 2
    stage.go(begin())
    assert [bool(run["profile_left_on"]) for run in stage.runs] == [False, True, True, True]


def test_the_factor_that_is_named_as_the_load_is_one(stage: Stage) -> None:
    loads = {"factors": {"cpus": [1, 2], "profile_env.RATE": [5]}, "load": "cpus"}
    stage.go(begin(**loads))
    assert [run.get("profile_keep") for run in stage.runs] == [True, True, True, None]


def test_what_is_deployed_goes_where_more_than_the_load_differs(stage: Stage) -> None:
    state = begin(factors={"profile_env.RATE": [5], "cpus": [1, 2]}, repeats=3)
    stage.go(state)
    order = [number for _block, number in state.design.order()]
    expected = [one == other for one, other in zip(order, order[1:], strict=False)]
    assert [run.get("profile_keep") for run in stage.runs] == [*expected, None]


def test_a_run_that_fails_is_recorded_cleaned_up_and_the_others_go_on(stage: Stage) -> None:
    stage.verdicts = {1: "none", 2: "failed", 3: "missed"}
    state = stage.go(begin())
    assert [run.ending for run in state.runs] == ["done", "failed", "failed", "done"]
    assert [run.verdict for run in state.runs] == ["ok", "", "failed", "missed"]
    assert state.runs[1].reason == "there is no profile 'ovm'"
    assert state.runs[2].reason == "it was failed"
    assert [name for name, _variables in stage.played] == [RUN, RUN, STOP, RUN, STOP, RUN]


def test_what_cannot_be_removed_is_said(stage: Stage) -> None:
    stage.verdicts, stage.stop_status = {1: "none"}, 2
    stage.go(begin())
    assert "  What a run has left could not be removed: there is no profile 'ovm'" in stage.said


def test_an_interrupted_study_goes_on_where_it_stopped(stage: Stage) -> None:
    stage.breaks_at = 2
    with pytest.raises(Interrupted):
        stage.go(begin())
    state = study_runs.read(stage.folder)
    assert len(state.runs) == 2
    stage.breaks_at = None
    state = stage.go(state, standing=True)
    # What the broken run left is removed first; it is made again, and is none of the study's.
    assert [name for name, _variables in stage.played] == [RUN, RUN, RUN, STOP, RUN, RUN]
    assert [run.run_id for run in state.runs] == ["ovms-0", "ovms-1", "ovms-3", "ovms-4"]
    assert [(run.block, run.combination) for run in state.runs] == state.design.order()


def test_a_study_that_goes_on_has_what_the_interrupted_process_wrote_last(stage: Stage) -> None:
    state = begin()
    study_runs.write(stage.go(state), stage.folder)
    made = len(stage.runs)
    found = study.made(state, stage.folder, True, stage.play, {}, stage.said.append)
    assert len(stage.runs) == made
    assert found.verdict == "ok"


def test_a_study_of_density_plays_searches_and_nothing_stays(stage: Stage) -> None:
    stage.go(begin(response="density"))
    assert {name for name, _variables in stage.played} == {SEARCH}
    assert [run.get("profile_keep") for run in stage.runs] == [False, False, False, None]


def test_two_playbooks_do_not_work_on_one_study(stage: Stage) -> None:
    with study_runs.alone(stage.folder):
        second = study_runs.alone(stage.folder, patience=0.05)
        with pytest.raises(ProfileError, match="another playbook is at work on this study"):
            second.__enter__()
    with study_runs.alone(stage.folder):
        assert list(stage.folder.iterdir()) == []


def test_a_playbook_that_is_just_ending_is_waited_for(stage: Stage) -> None:
    with ExitStack() as ending:
        ending.enter_context(study_runs.alone(stage.folder))
        end = threading.Timer(0.1, ending.close)
        end.start()
        with study_runs.alone(stage.folder, patience=30.0):
            end.join()
            with pytest.raises(ProfileError, match="another playbook is at work on this study"):
                study_runs.alone(stage.folder, patience=0.05).__enter__()


def test_answers_are_written_beside_the_runs_and_groups_can_be_compared(stage: Stage) -> None:
    found = study.made(begin(), stage.folder, False, stage.play, {}, stage.said.append)
    assert found.verdict == "ok"
    assert all((stage.folder / name).is_file() for name in (study.PAGE, study.TABLE, study.DATA))
    sides = {side: f"{stage.folder}#profile_env.RATE={rate}" for side, rate in (("a", 10), ("b", 5))}
    defaults = {name: option.get("default") for name, option in run_comparison.OPTIONS.items()}
    answer = run_comparison.compared({**defaults, **sides, "metrics": "fps"}, True).answer
    assert answer["verdicts"] == {"fps": "changed, worse"}
    assert run_comparison.paths(f"{stage.folder}#1") == run_comparison.paths(f"{stage.folder}#profile_env.RATE=5")
    with pytest.raises(ProfileError, match="there is no combination 3"):
        run_comparison.paths(f"{stage.folder}#3")
    with pytest.raises(ProfileError, match="this is not the folder of a study: it has no"):
        run_comparison.paths(f"{stage.of}#1")


def test_other_keys_of_a_variable_are_as_the_inventory_has_them() -> None:
    variables = {"profile_env": {"A": "{{ own }}"}, "profile_place": "{{ places }}", "cpus": 4}
    factors = {"profile_env.RATE": [1], "profile_place.client": ["h1"], "cpus": [1]}
    state = Progress(*design.parse({"profile": "p", "factors": factors}, (*VARIABLES, "profile_place")))
    known = study.given(state, variables, lambda value: {"server": "h2"} if value == "{{ places }}" else value)
    assert known == {
        "profile_env": {"A": "{{ own }}"},
        "profile_place": {"server": "h2"},
        "profile_deployment": None,
    }
    assert state.design.run_variables(0, known)["profile_place"] == {"server": "h2", "client": "h1"}


def test_a_playbook_is_played_with_the_options_of_the_study_s(tmp_path: Path) -> None:
    (tmp_path / "run_profile.yml").touch()
    words = ["/bin/ansible-playbook", "-i", "hosts.ini", "study_profile.yml", "-e", "study=load.yml", "--forks=5"]
    playbooks = study_runs.Playbooks(words, ("study_profile.yml",), tmp_path)
    options = ["-i", "hosts.ini", "-e", "study=load.yml", "--forks=5", "-e", "@/tmp/v.json"]
    assert playbooks.command(RUN, "/tmp/v.json") == [
        sys.executable,
        words[0],
        str(tmp_path / "run_profile.yml"),
        *options,
    ]
    assert playbooks.command(STOP, "/tmp/v.json")[2] == "retail.profiles.stop_profile"


def test_its_output_is_in_the_log_and_its_status_is_told(tmp_path: Path) -> None:
    script = tmp_path / "playbook.py"
    script.write_text("import json, sys\nprint(json.load(open(sys.argv[-1][1:])))\nsys.exit(3)\n", encoding="utf-8")
    playbooks = study_runs.Playbooks([str(script)], (), tmp_path)
    assert playbooks.play(RUN, {"cpus": 2}, tmp_path / "log") == 3
    assert (tmp_path / "log").read_text(encoding="utf-8") == "{'cpus': 2}\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"ask_pass": True}, "-k asks for a password"),
        ({"become_ask_pass": True}, "-K asks"),
        ({"ask_vault_pass": True}, "-J asks"),
        ({"vault_ids": ["dev@prompt"]}, "--vault-id asks"),
    ],
)
def test_nobody_can_be_asked_for_a_password(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        study_runs.check_prompts(options)
    study_runs.check_prompts({"ask_pass": False, "vault_ids": ["dev@file"]})


def test_a_playbook_that_says_nothing_is_told_by_its_status(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert study_runs.said_in("PLAY RECAP", 250, log) == f"its playbook ended with status 250: see {log}"
    short = "TASK [Judge the run] ***\nfatal: [h1]: FAILED! => failed: h2: it\nended\n    0.1 s  Judge the run\n"
    assert study_runs.said_in(short, 2, log) == "failed: h2: it ended"


def test_a_signal_for_another_thread_ends_the_wait_for_a_playbook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(_number: int, _frame: Any) -> None:
        raise Interrupted

    def tell() -> None:
        time.sleep(0.3)
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)

    monkeypatch.setattr(study_runs.Playbooks, "command", lambda *_given: ["sleep", "5"])
    before = signal.signal(signal.SIGUSR1, told)
    threading.Thread(target=tell).start()
    began = time.monotonic()
    try:
        with pytest.raises(Interrupted):
            study_runs.Playbooks([], [], tmp_path).play("run_profile", {}, tmp_path / "log")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert time.monotonic() - began < 4.0
