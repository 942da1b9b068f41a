# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_apply: runs the module, and sends it the files that the host lacks."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
    from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import argument_spec
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.direct_action import Call, DirectAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import plain
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.playbook_end import end_with_playbook
    from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import clock_offset
    from ansible_collections.retail.profiles.plugins.plugin_utils.planning import shipped_files
    from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import archives, call_limits, wave_arguments
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown

_SENDS = ("prepared", "present")


class ActionModule(DirectAction):
    """Small files known to be missing go with the call; the rest when the module answers that it needs it."""

    _supports_async = False
    call = Call("profile_apply", "calls.apply", {"argument_spec": argument_spec()})

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        end_with_playbook()
        if "wave" in args:
            due = self._due(args.pop("wave"), task_vars)
            if due is None:
                return {"skipped": True, "skip_reason": "the host has nothing to do in this wave"}
            args = {**due, **args}
        sources, known = args.pop("sources", None), args.pop("missing", None)
        state = args.get("state", "present")
        args.setdefault("engine_timeout", self.engine_timeout(task_vars))
        sends = state in _SENDS and not self._task.check_mode
        called_at = time.time()
        try:
            found, _large = archives.split(self._packed(args, sources, known or ()) if sends else ())
            answer = self._call(args, found, (), task_vars)
            if sends and answer.get("missing"):
                small, large = archives.split(self._packed(args, sources, answer["missing"]))
                answer = self._call(args, [*found, *small], large, task_vars)
        except ProfileError as error:
            raise AnsibleActionFail(shown.lines(error)) from None
        return self._timed(answer, called_at) if state == "checked" else answer

    def _timed(self, answer: dict[str, Any], called_at: float) -> dict[str, Any]:
        """The answer, with what is wrong with the host's clock: it was read between both ends of the call."""
        if "clock" not in answer:
            return answer
        message = clock_offset.wrong(clock_offset.TimedCall(called_at, time.time(), float(answer["clock"])))
        if message is None:
            return answer
        problem = {"container": None, "field": "clock", "message": message}
        said = f"{answer['msg']}; {message}" if answer["failed"] else message
        return {**answer, "failed": True, "converged": False, "problems": [problem, *answer["problems"]], "msg": said}

    def limit(self, args: dict[str, Any], task_vars: dict[str, Any]) -> call_limits.Limit:
        return call_limits.of_apply(args)

    def _due(self, wave: Any, task_vars: dict[str, Any]) -> dict[str, Any] | None:
        answer = task_vars.get("profile_answer", {})
        if "plan" not in answer or not str(wave).isdigit():
            raise AnsibleActionFail(f"wave={wave} is no number, or the role profile has not planned in this play")
        stays = boolean(self._templar.template(task_vars.get("profile_begins_run", False)))
        said = [task_vars.get(f"profile_{name}", {}) for name in ("checked", "rechecked", "outcome")]
        rollout = wave_arguments.RolloutState(answer, *said, stays=stays)
        return wave_arguments.arguments(rollout, int(wave), task_vars["inventory_hostname"])

    def _packed(self, args: dict[str, Any], sources: Any, wanted: Iterable[str]) -> list[archives.Parcel]:
        """Packed for all hosts in the folder that Ansible has for this playbook, and removes with its end."""
        if not wanted:
            return []
        share = plain(args.get("share") or {})
        files = [item for one in (share, *share.get("shared", ())) for item in one.get("files") or ()]
        content = shipped_files.of_data(plain(sources or {}))
        return archives.parcels(files, map(str, wanted), content, Path(constants.DEFAULT_LOCAL_TMP))

    def _call(
        self,
        args: dict[str, Any],
        inline: Iterable[archives.Parcel],
        large: Iterable[archives.Parcel],
        task_vars: dict[str, Any],
    ) -> dict[str, Any]:
        packed = [parcel.inline() for parcel in inline]
        for parcel in large:
            with self.watched(call_limits.of_files(parcel.file.stat().st_size), task_vars):
                packed.append({"dest": parcel.dest, "file": self._sent(parcel)})
        return self.call_module({**args, **({"archives": packed} if packed else {})}, task_vars)

    def _sent(self, parcel: archives.Parcel) -> str:
        """Transfer a parcel to a temporary folder on the host; its path there."""
        shell = self._connection._shell
        if shell.tmpdir is None:
            self._make_tmp_path()
        remote: str = shell.join_path(shell.tmpdir, parcel.file.name)
        self._transfer_file(str(parcel.file), remote)
        self._fixup_perms2((shell.tmpdir, remote))
        return remote
