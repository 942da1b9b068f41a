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
    from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_look
    from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Takes a search for stream density one look further; see the documentation of the module of this name."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        super().run(tmp, task_vars)
        _dummy, args = self.validate_argument_spec(argument_spec=density_look.OPTIONS)
        now = time.time()
        try:
            answer = density_look.look(
                RunDirectory(Path(str(args["run_dir"]))),
                density_look.options_of(args),
                now,
                applied=bool(args["applied"]),
                resume=bool(args["resume"]),
                problems=[str(problem) for problem in args["problems"]],
            )
        except ProfileError as error:
            raise AnsibleActionFail(shown.lines(error)) from error
        told = {"contention_max": float(args["contention_max"]), "run_dir": args["run_dir"]}
        return {"changed": False, **told, **answer.as_dict(now)}
