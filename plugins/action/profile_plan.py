# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_plan: nothing but the call of the planner."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import supported
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

supported.require()
with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.planner import OPTIONS, VARIABLES, Planner
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.variable_errors import by_variable
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Stage ``select`` names the hosts, ``prepare`` what they need, ``plan`` makes the plan from their facts."""

    _supports_check_mode = True
    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        if boolean(self._task.args.get("from_variables", False)):
            self._task.args = {**self._said(task_vars or {}), **self._task.args}
        try:
            _validation, args = self.validate_argument_spec(OPTIONS)
        except AnsibleActionFail as error:
            raise AnsibleActionFail(by_variable(error.message, untagged(self._task.args), VARIABLES)) from None
        try:
            planner = Planner(args, task_vars or {}, self._templar, self._task.check_mode)
            return {**result, "changed": False, **planner.result()}
        except ProfileError as error:
            raise AnsibleActionFail(shown.lines(error)) from None

    def _said(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Options that variables give. As arguments of the task, each would be a template to compile in each call."""
        said = {option: self._templar.template(task_vars.get(name)) for option, name in VARIABLES.items()}
        return {option: value for option, value in said.items() if value is not None and value != ""}
