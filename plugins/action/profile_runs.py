# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_runs: the runs of a results directory, listed and pruned."""

from __future__ import annotations

import os
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.controller_action import ControllerAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_list
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown

OPTIONS: dict[str, Any] = {
    "results_dir": {"type": "path", "default": "results"},
    "keep": {"type": "int"},
}


class ActionModule(ControllerAction):
    """Works on the controller alone; see the documentation of the module of this name."""

    options = OPTIONS
    variables = MappingProxyType({"results_dir": "profile_results_dir", "keep": "keep"})

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        folder, keep = Path(os.path.expanduser(args["results_dir"])).absolute(), args["keep"]
        if keep is not None and keep < 1:
            raise AnsibleActionFail(f"keep: expected a number of runs from 1 on, not {keep}")
        runs = run_list.runs_in(folder)
        gone = [] if keep is None else run_list.surplus(runs, keep)
        if gone and not self._task.check_mode:
            run_list.prune(folder, gone)
        left = [run for run in runs if run not in gone]
        Display().display(f"\n{shown.table(run_list.table(left)) if left else f'There are no runs in {folder}.'}\n")
        removed = [str(run.record["run_id"]) for run in gone]
        if removed:
            Display().display(f"{'Would remove' if self._task.check_mode else 'Removed'}: {', '.join(removed)}\n")
        return {"changed": bool(gone), "runs": [run.as_dict() for run in left], "removed": removed}
