# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The use case of profile_study: a study's file in, its runs made, its answers in words and files out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import planner, planner_input, run_comparison
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.study_runs import Play, StudyRuns, alone, read
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.search import find_profile
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import (
    RunDirectory,
    reserve,
    safe_name,
    stamp,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.study import (
    answers,
    design,
    outcomes,
    progress,
    study_page,
    texts,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.study.answers import Answers
from ansible_collections.retail.profiles.plugins.plugin_utils.study.progress import Progress
from ansible_collections.retail.profiles.plugins.plugin_utils.text import text_file, yaml_document

OPTIONS: dict[str, Any] = {
    "study": {"type": "path"},
    "resume": {"type": "path"},
    "results_dir": {"type": "path", "default": "results"},
}
PAGE, TABLE, DATA = "study.html", "study.csv", "answers.json"
ROLES = ("profile", "measure", "density")
"""Roles whose defaults are variables of the run."""
Render = Callable[[Any], Any]


def run_variables(task_vars: Mapping[str, Any]) -> set[str]:
    """The variables of a run: those of the roles, of the planner, and of the inventory."""
    roles = Path(__file__).resolve().parents[3] / "roles"
    defaults = [yaml.safe_load((roles / role / "defaults" / "main.yml").read_text("utf-8")) for role in ROLES]
    hostvars = task_vars["hostvars"]
    of_hosts = [untagged(list(hostvars.raw_get(host))) for host in hostvars]
    return {*planner.VARIABLES.values(), *task_vars, *(name for one in (*defaults, *of_hosts) for name in one)}


def asked(args: Mapping[str, Any], task_vars: Mapping[str, Any]) -> tuple[Progress, Path | None]:
    """The study that is asked for, and its folder where it goes on. Raises ProfileError."""
    if not task_vars["groups"].get("all"):
        raise ProfileError(planner.NO_HOSTS)
    folder = Path(os.path.expanduser(args["resume"])).absolute() if args["resume"] else None
    stored = read(folder) if folder else None
    if not args["study"]:
        if stored is None:
            raise ProfileError("no study is named: give its file with -e study=FILE")
        return stored, folder
    file = Path(os.path.expanduser(args["study"]))
    found = yaml_document.parse(text_file.text(file), str(file))
    try:
        shape, questions = design.parse(found.value, run_variables(task_vars))
    except ProfileError as error:
        raise ProfileError(str(error), file=str(file)) from error
    if stored is not None:
        return progress.resumed(stored, shape, questions, str(folder)), folder
    return Progress(shape, questions), None


def check(state: Progress, task_vars: Mapping[str, Any], render: Render) -> None:
    """Raise ProfileError for what would make every run fail."""
    planner.require_callback()
    run_comparison.require_packages()
    search = planner_input.search_path(render(task_vars.get("profile_path")) or (), str(task_vars["playbook_dir"]))
    find_profile(state.design.profile, search)


def given(state: Progress, task_vars: Mapping[str, Any], render: Render) -> dict[str, Any]:
    """Variables as they are without the study: those of which factors are keys, and the deployment's name.

    What a mapping holds stays unrendered, as hosts may render it each in its own way.
    """
    names = {name.partition(".")[0] for name in state.design.factors if "." in name} | {"profile_deployment"}
    known = {name: task_vars.get(name) for name in names}
    return {name: untagged(render(value) if isinstance(value, str) else value) for name, value in known.items()}


def begun(state: Progress, folder: Path | None, results_dir: str) -> Path:
    """The folder of a study: that in which it goes on, else a new one."""
    name = f"study-{safe_name(Path(state.design.profile).name)}-{stamp()}"
    return folder or reserve(Path(os.path.expanduser(results_dir)).absolute(), name)


def made(state: Progress, folder: Path, resumes: bool, play: Play, known: Mapping[str, Any], say: Any) -> Answers:
    """Make the runs that are left, and the answers' files. Raises ProfileError."""
    with alone(folder):
        if resumes:  # the process that was interrupted may have ended only now
            state = replace(state, runs=read(folder).runs)
        runs = StudyRuns(folder, play, known, say, standing=resumes and bool(state.left))
        state = runs.all(state)
        found = answers.answer(state, outcomes.read(state, folder))
    contents = {PAGE: study_page.html(found), TABLE: texts.csv_text(found), DATA: texts.json_text(found)}
    for name, content in contents.items():
        RunDirectory(folder).write(name, content)
    return found
