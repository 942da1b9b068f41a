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
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import plain
    from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import run_events
    from ansible_collections.retail.profiles.plugins.plugin_utils.results import judgement
    from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown

OPTIONS: dict[str, t.Any] = {"run_dir": {"type": "path", "required": True}}


class ActionModule(ControllerAction):
    """Judges a run, and writes its files; see the documentation of the module of this name."""

    _supports_check_mode = False
    options = OPTIONS

    def answer(self, args: dict[str, t.Any], task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        now = time.time()
        asked = {
            "t": now,
            "start": now,
            "host": str(task_vars.get("inventory_hostname")),
            "action": run_events.VERDICT,
            "task": str(plain(self._task.get_name())),
            "state": None,
        }
        judged = judgement.conclude(RunDirectory(Path(str(args["run_dir"]))), now, asked)
        verdict = judged.verdict
        reasons = [shown.one_line(reason) for reason in verdict.reasons]
        return {
            "changed": False,
            "failed": verdict.not_reached,
            "verdict": verdict.verdict,
            "reasons": list(verdict.reasons),
            "msg": f"{verdict.verdict}: {'; '.join(reasons)}" if reasons else verdict.verdict,
            **({"warnings": [shown.one_line(trouble) for trouble in judged.troubles]} if judged.troubles else {}),
        }
