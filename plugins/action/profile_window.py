# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.controller_action import ControllerAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import contention
    from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
    from ansible_collections.retail.profiles.plugins.plugin_utils.results.poll import look
    from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory

OPTIONS: dict[str, t.Any] = {
    "run_dir": {"type": "path", "required": True},
    "warmup_max": {"type": "float", "default": 60.0},
    "duration": {"type": "float", "default": 30.0},
    "repeat": {"type": "int", "default": 1},
    "contention_max": {"type": "float", "default": contention.LIMIT},
    "poll": {"type": "float", "default": 5.0},
}


class ActionModule(ControllerAction):
    """Says where the measurement of a run stands; see the documentation of the module of this name."""

    options = OPTIONS

    def answer(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        for name, least in (("warmup_max", 0), ("duration", 1), ("repeat", 1), ("contention_max", 0)):
            if args[name] < least:
                raise AnsibleActionFail(f"{name}: {args[name]:g} is below the least, {least}")
        settings = WindowSettings(
            float(args["warmup_max"]), float(args["duration"]), int(args["repeat"]), float(args["poll"])
        )
        now = time.time()
        progress = look(RunDirectory(Path(str(args["run_dir"]))), settings, now)
        next_look = round(now + progress.next_poll, 3)
        more = {"run_dir": args["run_dir"], "next_look": next_look, "contention_max": float(args["contention_max"])}
        return {"changed": False, **more, **progress.as_dict()}
