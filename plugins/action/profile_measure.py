# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_measure: asks the host, when it is time and for what is not here yet."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.module_utils.calls.measure import argument_spec
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.direct_action import Call, DirectAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.playbook_end import end_with_playbook
    from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import run_events
    from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory
    from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import call_limits


class ActionModule(DirectAction):
    """Waits here and not on the host: waiting has no task of its own."""

    call = Call("profile_measure", "calls.measure", {"argument_spec": argument_spec()})

    def limit(self, args: dict[str, Any], task_vars: dict[str, Any]) -> call_limits.Limit:
        return call_limits.of_measure(args, self.engine_timeout(task_vars))

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        end_with_playbook()
        run_dir, at = args.pop("run_dir", None), args.pop("at", None)
        if run_dir is not None and "offset" not in args:
            events = RunDirectory(Path(str(run_dir))).events()
            args["offset"] = run_events.collected(events, task_vars["inventory_hostname"])
        if at is not None:
            time.sleep(max(0.0, float(at) - time.time()))
        asked_at = time.time()
        return {**self.call_module(args, task_vars), "asked_at": asked_at}
