# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_study: the runs of a study are made, and what it answers is written."""

from __future__ import annotations

import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ansible import context
from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import study, study_runs
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.controller_action import ControllerAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.playbook_end import end_with_playbook
    from ansible_collections.retail.profiles.plugins.plugin_utils.study import texts


class ActionModule(ControllerAction):
    """Works on the controller alone; see the documentation of the module of this name."""

    options = study.OPTIONS
    variables = MappingProxyType({"study": "study", "resume": "resume", "results_dir": "profile_results_dir"})

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        show, render, args = Display().display, self._templar.template, untagged(args)
        state, resumed = study.asked(args, task_vars)
        study.check(state, task_vars, render)
        study_runs.check_prompts(context.CLIARGS)
        if self._task.check_mode:
            show(f"\n{texts.order(state)}\n")
            return {"changed": False, "msg": f"would make {len(state.left)} runs"}
        folder = study.begun(state, resumed, args["results_dir"])
        show(f"\nStudy {folder.name}: {texts.size(state)}; results in {folder}")
        if state.left:
            show(f"Should it be interrupted: -e resume={folder} goes on, and removes what the broken run has left")
        end_with_playbook()
        playbooks = study_runs.Playbooks(sys.argv, context.CLIARGS["args"], Path(str(task_vars["playbook_dir"])))
        known = study.given(state, task_vars, render)
        found = study.made(state, folder, resumed is not None, playbooks.play, known, show)
        show(f"\n{texts.table(found)}\n\nPage: {folder / study.PAGE}")
        return {
            "changed": False,
            "failed": found.verdict != "ok",
            "verdict": found.verdict,
            "msg": f"{found.verdict}: {found.headline}",
            "study_dir": str(folder),
            "files": [str(folder / name) for name in (study.PAGE, study.TABLE, study.DATA)],
        }
