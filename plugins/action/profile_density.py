# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.controller_action import ControllerAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_look
    from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory


class ActionModule(ControllerAction):
    """Takes a search for stream density one look further; see the documentation of the module of this name."""

    options = density_look.OPTIONS

    def answer(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        now = time.time()
        answer = density_look.look(
            RunDirectory(Path(str(args["run_dir"]))),
            density_look.options_of(args),
            now,
            applied=bool(args["applied"]),
            resume=bool(args["resume"]),
            problems=[str(problem) for problem in args["problems"]],
        )
        told = {"contention_max": float(args["contention_max"]), "run_dir": args["run_dir"]}
        return {"changed": False, **told, **answer.as_dict(now)}
