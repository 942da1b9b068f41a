# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_overview: the status of the fleet as one table."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import plain
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import status_table


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Prints the table; see the documentation of the module of this name."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, args = self.validate_argument_spec(
            {"registered": {"type": "str", "required": True}, "deployment": {"type": "str"}}
        )
        variables = task_vars or {}
        hosts = [str(host) for host in variables["ansible_play_hosts_all"]]
        answers = {host: plain(variables["hostvars"][host].get(args["registered"]) or {}) for host in hosts}
        shown = status_table.overview(answers, args["deployment"] or None)
        if shown.table:
            Display().display(f"\n{shown.table}\n")
        return {"changed": False, "table": shown.table, "msg": shown.message, "failed": not shown.as_desired}
