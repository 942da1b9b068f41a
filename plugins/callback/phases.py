# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: phases
type: stdout
short_description: One line for each phase of a playbook, with its time
version_added: 0.1.0
author:
  - the retail.profiles authors (@retail-profiles)
description:
  - Shows one line for each phase of a playbook when it has ended, with the seconds that it took and on how many hosts
    it changed something. A phase is what a role, or a file of tasks that it includes, does under one name.
  - What failed, what could not be reached, warnings, messages of C(ansible.builtin.debug) and what actions print by
    themselves are shown in full, as the default callback does it. Skipped tasks, included files and the tries of what
    is tried again are not shown.
  - Where a message says all that there is to say - one of this collection, of C(ansible.builtin.fail) or
    C(ansible.builtin.assert), or that a host is unreachable - it is told once, as it is, without the result and the
    place of the task in its file.
  - With C(-v), C(--check) or C(--diff) it is the default callback.
  - The last line says how long the playbook took, and what it changed; where something failed there is the usual recap.
extends_documentation_fragment:
  - ansible.builtin.default_callback
  - ansible.builtin.result_format_callback
requirements:
  - to be set as C(stdout_callback) in the configuration
"""

EXAMPLES = r"""
ansible.cfg: |
  [defaults]
  stdout_callback = retail.profiles.phases
"""

import time
import typing as t

from ansible import constants as C
from ansible import context
from ansible.plugins.callback.default import CallbackModule as Default

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import plain

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.task_phase import phase_of
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown
    from ansible_collections.retail.profiles.plugins.plugin_utils.text.phase_lines import PhaseLines

_OURS = "retail.profiles."
_MESSAGES = {name for word in ("fail", "assert") for name in (word, f"ansible.builtin.{word}")}


class CallbackModule(Default):  # type: ignore[misc]  # ansible-core has no types
    """The default callback without what goes well."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "retail.profiles.phases"

    def __init__(self) -> None:
        super().__init__()
        self._lines = PhaseLines(time.monotonic())

    @property
    def _quiet(self) -> bool:
        return not (self._display.verbosity or context.CLIARGS.get("check") or context.CLIARGS.get("diff"))

    def _show(self, line: str | None) -> None:
        if line is not None:
            self._display.display(line)

    def v2_playbook_on_play_start(self, play: t.Any) -> None:
        if self._quiet:
            self._play = play
        else:
            super().v2_playbook_on_play_start(play)

    def _task_start(self, task: t.Any, prefix: str | None = None) -> None:
        if not self._quiet:
            super()._task_start(task, prefix)
            return
        # As the default callback keeps them, for what may fail.
        self._task_type_cache[task._uuid] = prefix or "TASK"
        self._last_task_name = str(task.get_name()).strip()
        self._show(self._lines.task(phase_of(task), time.monotonic()))

    def v2_playbook_on_include(self, included_file: t.Any) -> None:
        if not self._quiet:
            super().v2_playbook_on_include(included_file)

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._ok(result, super().v2_runner_on_ok)

    def v2_runner_item_on_ok(self, result: t.Any) -> None:
        self._ok(result, super().v2_runner_item_on_ok)

    def _ok(self, result: t.Any, shown: t.Callable[[t.Any], None]) -> None:
        if not self._quiet:
            shown(result)
            return
        self._lines.worked(str(plain(result.host.get_name())), bool(result.result.get("changed")))
        self._handle_warnings_and_exception(result)
        if plain(result.task.action) in ("debug", "ansible.builtin.debug"):
            self._clean_results(result.result, result.task.action)
            message = result.result.get("msg")
            lines = message if isinstance(message, list) else [message]
            told = all(isinstance(line, str) for line in lines)
            self._display.display("\n".join(map(str, lines)) if told else self._dump_results(result.result))

    def v2_runner_on_skipped(self, result: t.Any) -> None:
        self._skipped(result, super().v2_runner_on_skipped)

    def v2_runner_item_on_skipped(self, result: t.Any) -> None:
        self._skipped(result, super().v2_runner_item_on_skipped)

    def _skipped(self, result: t.Any, shown: t.Callable[[t.Any], None]) -> None:
        if self._quiet:
            self._handle_warnings_and_exception(result)
        else:
            shown(result)

    def v2_runner_retry(self, result: t.Any) -> None:
        if not self._quiet:
            super().v2_runner_retry(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        action = str(plain(result.task.action))
        if not (self._quiet and (action.startswith(_OURS) or action in _MESSAGES) and self._told(result, "FAILED")):
            super().v2_runner_on_failed(result, ignore_errors)
        elif ignore_errors:
            self._display.display("...ignoring", color=C.COLOR_SKIP)

    def v2_runner_on_unreachable(self, result: t.Any) -> None:
        if not (self._quiet and self._told(result, "UNREACHABLE")):
            super().v2_runner_on_unreachable(result)
        elif result.task.ignore_unreachable:
            self._display.display("...ignoring", color=C.COLOR_SKIP)

    def _told(self, result: t.Any, word: str) -> bool:
        """Tells what went wrong by its message alone, if it has one and is not of a loop."""
        message = plain(result.result.get("msg"))
        if not message or not isinstance(message, str) or result.task.loop:
            return False
        if self._last_task_banner != result.task._uuid:
            self._print_task_banner(result.task)
        result.result.pop("exception", None)  # Ansible makes another text with the same message of it
        self._handle_warnings_and_exception(result)
        self._display.display(
            f"fatal: [{self.host_label(result)}]: {word}! => {shown.table(message.removeprefix('Task failed: '))}",
            color=C.COLOR_ERROR if word == "FAILED" else C.COLOR_UNREACHABLE,
            stderr=self.get_option("display_failed_stderr"),
        )
        return True

    def v2_playbook_on_stats(self, stats: t.Any) -> None:
        if not self._quiet:
            super().v2_playbook_on_stats(stats)
            return
        self._show(self._lines.end(time.monotonic()))
        if stats.failures or stats.dark or (stats.custom and self.get_option("show_custom_stats")):
            super().v2_playbook_on_stats(stats)
        else:
            self._show(self._lines.total(len(stats.processed), time.monotonic()))
