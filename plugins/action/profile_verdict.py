# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import time
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import plain
    from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import run_events
    from ansible_collections.retail.profiles.plugins.plugin_utils.results import judgement
    from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Judges a run, and writes its files; see the documentation of the module of this name."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _dummy, args = self.validate_argument_spec(argument_spec={"run_dir": {"type": "path", "required": True}})
        now = time.time()
        asked = {
            "t": now,
            "start": now,
            "host": str((task_vars or {}).get("inventory_hostname")),
            "action": run_events.VERDICT,
            "task": str(plain(self._task.get_name())),
            "state": None,
        }
        try:
            judged = judgement.conclude(RunDirectory(Path(str(args["run_dir"]))), now, asked)
        except ProfileError as error:
            raise AnsibleActionFail(shown.lines(error)) from error
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
