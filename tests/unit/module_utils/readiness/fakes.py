# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine that shows what a test says, and a clock that the test moves."""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import Probe
from ansible_collections.retail.profiles.plugins.module_utils.readiness.waiter import Clock, Waiter

RUNNING = {"Status": "running", "Running": True, "FinishedAt": "2026-01-31T10:00:00.5Z", "ExitCode": 0}


def shown(state: Optional[dict[str, Any]] = None, **more: Any) -> dict[str, Any]:
    return {
        "Id": "1",
        "Name": "/d-a-1",
        "State": {**RUNNING, **(state or {})},
        "HostConfig": {"NetworkMode": "host"},
        "NetworkSettings": {"Networks": {"host": {}}},
        "RestartCount": 0,
        **more,
    }


class FakeEngine:
    """Shows a container as the next of *states* says, and the last one ever after."""

    def __init__(self, *states: Optional[dict[str, Any]], log: str = "one\ntwo\n", **files: str) -> None:
        self.states, self.log, self.looked, self.files = list(states), log, 0, files

    def checkpoint(self) -> None:
        """This call may go on."""

    def inspect(self, _name: str) -> Optional[dict[str, Any]]:
        self.looked += 1
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def read(self, _name: str, path: str) -> Optional[str]:
        return self.files.get(path.rpartition("/")[2])

    def logs(self, _name: str, **options: Any) -> str:
        if self.log == "none":
            raise EngineError("configured logging driver does not support reading")
        return self.log


class FakeTime:
    def __init__(self) -> None:
        self.now, self.slept = 0.0, [0.0]

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept.append(seconds)

    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


def wait(engine: FakeEngine, probe: Probe, replica: Optional[str] = "d-a-1") -> FakeTime:
    time = FakeTime()
    Waiter(engine, time.clock()).wait(probe, replica)  # type: ignore[arg-type]
    return time
