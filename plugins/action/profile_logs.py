# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action plugin of retail.profiles.profile_logs: asks the host, again and again where its logs are followed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.utils.display import Display

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.cached_bytecode import cached_bytecode

with cached_bytecode():
    from ansible_collections.retail.profiles.plugins.module_utils.calls.logs import argument_spec, lines_of
    from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import log_display
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.direct_action import Call, DirectAction
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.playbook_end import end_with_playbook
    from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.clock_offset import TimedCall, intersect
    from ansible_collections.retail.profiles.plugins.plugin_utils.logs.fleet_lines import FleetLine, FleetLines
    from ansible_collections.retail.profiles.plugins.plugin_utils.logs.log_text import Files
    from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import call_limits
    from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown

#: seconds between the beginnings of two calls while logs are followed
EVERY = 1.0
_CLOCK_CALLS = 60


class ActionModule(DirectAction):
    """Puts the lines where those of the other hosts are, and shows what is due; see the module of this name."""

    call = Call("profile_logs", "calls.logs", {"argument_spec": argument_spec()})

    def limit(self, args: dict[str, Any], task_vars: dict[str, Any]) -> call_limits.Limit:
        return call_limits.of_logs()

    def answer(self, args: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        _validation, args = self.validate_argument_spec(argument_spec())
        file = args.pop("file")
        if file is None:
            return self.call_module(args, task_vars)
        with log_display.undisturbed():
            end_with_playbook()
        host, fleet = str(task_vars["inventory_hostname"]), FleetLines(Path(file))
        follow, to, timestamps = args.pop("follow"), args.pop("to"), args.pop("timestamps")
        files = Files(Path(to).absolute()) if to else None

        def take(lines: list[FleetLine]) -> None:
            if files is not None:
                files.write(lines)
            if follow:
                log_display.show(fleet, time.time(), timestamps)

        try:
            self._collect(host, fleet, args, task_vars, take, follow)
        except (AnsibleError, ProfileError) as error:
            fleet.end(host, str(error))
            take([])
            if follow:
                Display().warning(f"{host} is not followed any more: {shown.one_line(error)}")
            return {"failed": True, "msg": f"the logs of {host} could not be read: {error}"}
        fleet.end(host)
        take([])
        return {"changed": False}

    def _collect(
        self,
        host: str,
        fleet: FleetLines,
        args: dict[str, Any],
        task_vars: dict[str, Any],
        take: Callable[[list[FleetLine]], None],
        follow: bool,
    ) -> None:
        """Take lines until there are none left; with *follow*, until no container is left to write any."""
        clocks: deque[TimedCall] = deque(maxlen=_CLOCK_CALLS)
        while True:
            start = time.time()
            answer = self.call_module(args, task_vars)
            if answer.get("failed"):
                raise AnsibleActionFail(shown.lines(answer.get("msg")))
            clocks.append(TimedCall(start, time.time(), float(answer["clock"])))
            lines, all_until = _in_our_time(host, answer, clocks)
            fleet.add(host, answer, lines, all_until)
            take(lines)
            if not follow:
                # Whoever writes faster than can be read is not followed by mistake.
                args["until"] = args["until"] or int(float(answer["clock"]) * 1e9)
            args["places"] = {**args["places"], **answer["places"]}
            if not answer["more"]:
                if not (follow and answer["alive"]):
                    return
                time.sleep(max(0.0, start + EVERY - time.time()))


def _in_our_time(host: str, answer: Mapping[str, Any], clocks: deque[TimedCall]) -> tuple[list[FleetLine], int]:
    """The lines, and until when there are no others, by the controller's clock where the host's is known to differ."""
    offset = intersect(clocks)
    ahead = int((offset.correction if offset else 0.0) * 1e9)
    lines = [FleetLine(t_ns - ahead, host, *rest) for t_ns, *rest in lines_of(answer["lines"])]
    return lines, int(answer["all_until"]) - ahead
