# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
    from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import verdict
    from ansible_collections.retail.profiles.plugins.plugin_utils.results import run_directory, run_record


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Judges a run from its directory; see the documentation of the module of this name."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _dummy, args = self.validate_argument_spec(argument_spec={"run_dir": {"type": "path", "required": True}})
        directory = run_directory.RunDirectory(Path(str(args["run_dir"])))
        try:
            run = run_record.of_directory(directory)
        except ProfileError as error:
            raise AnsibleActionFail(str(error)) from error
        judged = run_record.judge(run)
        failed = judged.verdict in verdict.NOT_REACHED
        msg = f"{judged.verdict}: {'; '.join(judged.reasons)}" if judged.reasons else judged.verdict
        return {
            "changed": False,
            "failed": failed,
            "verdict": judged.verdict,
            "reasons": list(judged.reasons),
            "msg": msg,
        }
