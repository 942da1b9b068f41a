# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_compare: runs are read, compared, and what comes out is written."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import run_comparison
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Works on the controller alone; see the documentation of the module of this name."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result = super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(run_comparison.OPTIONS)
        try:
            made = run_comparison.compared(untagged(args), self._task.check_mode)
        except ProfileError as error:
            raise AnsibleActionFail(shown.lines(error)) from None
        Display().display(f"\n{shown.table(made.table)}\n")
        return {**result, **made.answer}
