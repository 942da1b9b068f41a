# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_plan: nothing but the call of the planner."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import supported
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

supported.require()
with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.controller_action import ControllerAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.planner import OPTIONS, VARIABLES, Planner


class ActionModule(ControllerAction):
    """Stage ``select`` names the hosts, ``prepare`` what they need, ``plan`` makes the plan from their facts."""

    options = OPTIONS
    variables = VARIABLES

    def arguments(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        if boolean(self._task.args.get("from_variables", False)):
            self._task.args = {**self._said(task_vars), **self._task.args}
        return super().arguments(task_vars)

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        return {"changed": False, **Planner(args, task_vars, self._templar, self._task.check_mode).result()}

    def _said(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Options that variables give. As arguments of the task, each would be a template to compile in each call."""
        said = {option: self._templar.template(task_vars.get(name)) for option, name in VARIABLES.items()}
        return {option: value for option, value in said.items() if value is not None and value != ""}
