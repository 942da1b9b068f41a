# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_overview: the status of the fleet as one table."""

from __future__ import annotations

from typing import Any

from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.controller_action import ControllerAction
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import plain
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import status_table

OPTIONS: dict[str, Any] = {"registered": {"type": "str", "required": True}, "deployment": {"type": "str"}}


class ActionModule(ControllerAction):
    """Prints the table; see the documentation of the module of this name."""

    options = OPTIONS

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        hosts = [str(host) for host in task_vars["ansible_play_hosts_all"]]
        answers = {host: plain(task_vars["hostvars"][host].get(args["registered"]) or {}) for host in hosts}
        shown = status_table.overview(answers, args["deployment"] or None)
        if shown.table:
            Display().display(f"\n{shown.table}\n")
        if shown.as_desired:  # else the error says it
            Display().display(f"{shown.message[0].upper()}{shown.message[1:]}.")
        return {"changed": False, "table": shown.table, "msg": shown.message, "failed": not shown.as_desired}
