# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.fleet_logs: the frame around profile_logs on all hosts."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ansible import constants, context
from ansible.errors import AnsibleActionFail
from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
    from ansible_collections.retail.profiles.plugins.module_utils.logs import host_logs, since
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import log_display
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.controller_action import ControllerAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.logs import log_text
    from ansible_collections.retail.profiles.plugins.plugin_utils.logs.fleet_lines import FleetLines

OPTIONS: dict[str, Any] = {
    "state": {"type": "str", "choices": ["begun", "ended"], "required": True},
    "file": {"type": "path"},
    "since": {"type": "str"},
    "tail": {"type": "str"},
    "grep": {"type": "str"},
    "follow": {"type": "bool", "default": False},
    "timestamps": {"type": "bool", "default": False},
    "asked": {"type": "str"},
    "containers": {"type": "list", "elements": "str", "default": []},
    "to": {"type": "path"},
}
_TAKEN = ("since", "tail", "grep", "follow", "timestamps", "to")


class ActionModule(ControllerAction):
    """Begins and ends the database of lines; see the documentation of the module of this name."""

    options = OPTIONS
    variables = MappingProxyType({"containers": "container", **{name: name for name in _TAKEN}})
    needed = (("state", "ended", ["file"]),)

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        hosts = [str(host) for host in task_vars["ansible_play_hosts_all"]]
        if args["state"] == "begun":
            return self._begin(args, hosts)
        return self._end(args, hosts)

    @staticmethod
    def _begin(args: dict[str, Any], hosts: list[str]) -> dict[str, Any]:
        since.parse(args["since"], time.time())
        host_logs.pattern_of(args["grep"])
        if args["tail"] and not args["tail"].isdecimal():
            raise ProfileError(f"expected a number of lines from 0 on, not {args['tail']}", field="tail")
        forks = int(context.CLIARGS.get("forks") or constants.DEFAULT_FORKS)
        if args["follow"] and forks < len(hosts):
            raise AnsibleActionFail(
                f"{len(hosts)} hosts are followed at the same time, and Ansible may work on {forks} only: "
                f"give -f {len(hosts)}, or set forks in ansible.cfg"
            )
        # In Ansible's own temporary folder: it goes with the playbook, however that ends.
        file = Path(tempfile.mkdtemp(prefix="logs-", dir=constants.DEFAULT_LOCAL_TMP)) / "lines.sqlite"
        FleetLines(file).expect(hosts)
        return {"changed": False, "file": str(file)}

    @staticmethod
    def _end(args: dict[str, Any], hosts: list[str]) -> dict[str, Any]:
        fleet = FleetLines(Path(args["file"]))
        log_display.show(fleet, None, args["timestamps"])
        ends, unread = fleet.hosts(), fleet.unread()
        shutil.rmtree(Path(args["file"]).parent)
        problems = log_text.problems(ends, unread, args["asked"])
        count = sum(end.replicas for end in ends)
        message = "; ".join(problems) or f"the logs of {count} replicas on {len(hosts)} hosts"
        if not (count or problems):
            Display().display("Nothing of the collection is on these hosts: there are no logs.")
        return {"changed": False, "failed": bool(problems), "msg": message}
