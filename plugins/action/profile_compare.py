# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_compare: runs are read, compared, and what comes out is written."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import run_comparison
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.controller_action import ControllerAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown


class ActionModule(ControllerAction):
    """Works on the controller alone; see the documentation of the module of this name."""

    options = run_comparison.OPTIONS
    variables = MappingProxyType(
        {"include_failed": "include_failed", "fail_on": "fail_on", "dest": "dest", "results_dir": "profile_results_dir"}
    )

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        made = run_comparison.compared(untagged(args), self._task.check_mode)
        Display().display(f"\n{shown.table(made.table)}\n")
        return made.answer
