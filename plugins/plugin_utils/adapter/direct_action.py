# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of an action to its module on a host: straight to the host's Python where that can be, else Ansible's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import ENGINE_TIMEOUT
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import direct_call, supported
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.call_watch import watched
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.keep_alive import keep_alive, reset
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import plain
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.call_limits import Limit
from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown, task_results


@dataclass(frozen=True)
class Call:
    """A module by its name, the one of module_utils that answers for it, and what its arguments are checked with."""

    module: str
    entry: str
    checks: Mapping[str, Any]


class DirectAction(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """An action that calls its module. *call* is to be set."""

    _supports_async = True
    call: Call

    def __init_subclass__(cls) -> None:
        supported.require()
        # Ansible loads an action before it forks: the workers of all hosts inherit what is packed here.
        direct_call.pack(cls.call.entry)

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        return task_results.neutral(self.answer(dict(self._task.args), task_vars or {}))

    def cleanup(self, force: bool = False) -> None:
        # A host that is gone takes no clean-up either: that would be told instead of what it was asked.
        with suppress(AnsibleConnectionFailure):
            super().cleanup(force)

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """The result of the task with these arguments."""
        return self.call_module(args, task_vars)

    def engine_timeout(self, task_vars: Mapping[str, Any]) -> Any:
        """The variable profile_engine_timeout."""
        return self._templar.template(task_vars.get("profile_engine_timeout", ENGINE_TIMEOUT))

    def limit(self, args: dict[str, Any], task_vars: dict[str, Any]) -> Limit:
        """How long the call may take, and what it does."""
        raise NotImplementedError

    @contextmanager
    def watched(self, limit: Limit, task_vars: Mapping[str, Any]) -> Iterator[None]:
        """Something that is asked of the host: it ends, and says it where it takes long."""
        keep_alive(self._connection)
        host = str(self._task.delegate_to or task_vars.get("inventory_hostname"))
        with watched(host, limit, self._display.display, lambda: reset(self._connection)):
            yield

    def call_module(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """The result of the module with these arguments."""
        try:
            limit = self.limit(args, task_vars)
        except ProfileError as error:
            raise AnsibleActionFail(shown.lines(error)) from None
        with self.watched(limit, task_vars):
            return self._call_module(args, task_vars)

    def _call_module(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        python = self._python(args, task_vars)
        if python is not None:
            return self._direct(python, args)
        answer: dict[str, Any] = self._execute_module(
            module_name=f"retail.profiles.{self.call.module}",
            module_args=args,
            task_vars=task_vars,
            wrap_async=bool(self._task.async_val),
        )
        return answer

    def _python(self, args: dict[str, Any], task_vars: dict[str, Any]) -> str | None:
        """The host's Python, where the call can go straight to it; None where it takes Ansible's own way.

        That is: where Ansible has yet to find Python, would keep files, or must mask what is secret.
        """
        state_dir = str(args.get("state_dir", "/"))
        if args.get("secrets") or self._task.async_val or set("~$") & set(state_dir):
            return None
        if not self._connection.is_pipelining_enabled():
            return None
        if self._task.delegate_to:
            task_vars = task_vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to, {})
        setting = constants.config.get_config_value("INTERPRETER_PYTHON", variables=task_vars)
        python = str(self._templar.template(setting))
        if python.startswith("auto"):
            python = str(task_vars.get("ansible_facts", {}).get("discovered_interpreter_python", ""))
        return python if python.startswith("/") else None

    def _direct(self, python: str, args: dict[str, Any]) -> dict[str, Any]:
        """Call the module's own code past Ansible's archive; the arguments are checked here instead of there."""
        checked = ArgumentSpecValidator(**self.call.checks).validate(plain(args))
        if checked.error_messages:
            raise AnsibleActionFail("; ".join(checked.error_messages))
        params = checked.validated_parameters
        command = f"{self._compute_environment_string()} {python}".strip()

        def run(compiled: bool) -> Any:
            script = direct_call.script(self.call.entry, params, self._task.check_mode, self._task.diff, compiled)
            return self._low_level_execute_command(command, in_data=script)

        ended = run(compiled=True)
        if ended["rc"] == direct_call.OTHER_PYTHON:
            ended = run(compiled=False)
        spec = self.call.checks["argument_spec"]
        said = {name: value for name, value in params.items() if not spec[name].get("no_log")}
        answer = direct_call.result(self.call.module, ended["rc"], ended["stdout"], ended["stderr"])
        return {"invocation": {"module_args": said}, **answer}
