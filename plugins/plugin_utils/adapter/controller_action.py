# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the actions have in common that work on the controller alone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.variable_errors import by_variable, not_a_text
from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown


class ControllerAction(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """An action without a call to a host.

    *options* is the specification of its arguments, *needed* what some of them need beside them, *variables* the
    variable of each of those that a playbook takes from one.
    """

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    options: dict[str, Any]
    needed: tuple[tuple[str, str, list[str]], ...] = ()
    variables: Mapping[str, str] = MappingProxyType({})

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        args = self.arguments(task_vars or {})
        try:
            return {**result, **self.answer(args, task_vars or {})}
        except ProfileError as error:
            raise AnsibleActionFail(shown.lines(error)) from None

    def arguments(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        """Those of the task, with their defaults. Raises AnsibleActionFail, which says the variable's name."""
        if message := not_a_text(self._task.args, self.options, self.variables):
            raise AnsibleActionFail(message)
        try:
            _validation, args = self.validate_argument_spec(self.options, required_if=list(self.needed))
        except AnsibleActionFail as error:
            given = untagged(self._task.args)
            raise AnsibleActionFail(by_variable(error.message, given, self.variables)) from None
        return dict(args)

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """The result of the task with these arguments. Raises ProfileError."""
        raise NotImplementedError
