# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait until a replica is ready, or say why it is not.

A probe is tried at once and then every 0.1 s; a container of this host that exits fails at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import (
    KINDS,
    Inspect,
    NotReady,
    Probe,
    describe,
    tail,
)

#: seconds between two tries
INTERVAL = 0.1
#: restarts by policy that are forgiven while a container is waited for
RESTARTS = 3


@dataclass(frozen=True)
class Clock:
    """Time, so that tests need none."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Waiter:
    """Waits for probes; safe to use from several threads."""

    def __init__(self, engine: Engine, clock: Optional[Clock] = None) -> None:
        self.engine = engine
        self.clock = clock or Clock()

    def wait(self, probe: Probe, replica: Optional[str] = None) -> None:
        """Return when *probe* is satisfied. *replica* is the container that is waited for, if it is on this host.

        Raises NotReady.
        """
        started = self.clock.now()
        watched = replica or probe.replica
        first_count: Optional[int] = None
        while True:
            self.engine.checkpoint()
            inspect = self.engine.inspect(watched) if watched else None
            if inspect is not None and first_count is None:
                first_count = _restarts(inspect)
            reason = self._stopped(probe, inspect, first_count) if watched else None
            if reason is None:
                reason = self.attempt(probe, inspect)
                if reason is None:
                    return
            waited = self.clock.now() - started
            if waited >= probe.timeout:
                end = tail(self.engine, watched) if watched else ""
                raise NotReady(f"not ready after {waited:.1f} s: {describe(probe)}: {reason}{end}")
            self.clock.sleep(min(INTERVAL, max(0.0, probe.timeout - waited)))

    def ended(self, name: str) -> Optional[str]:
        """Why a container that nothing is asked of has failed: it ended, but not well. None where it did not."""
        state = (self.engine.inspect(name) or {}).get("State") or {}
        if state.get("Status") not in ("exited", "dead", "restarting") or not state.get("ExitCode"):
            return None
        return f"exited with code {state['ExitCode']} as soon as it was started" + tail(self.engine, name)

    def _stopped(self, probe: Probe, inspect: Optional[Inspect], first_count: Optional[int]) -> Optional[str]:
        """Why there is nothing to ask yet. Raises NotReady where there never will be."""
        name = probe.replica or "the container"
        if inspect is None:
            return "there is no such container"
        state = inspect.get("State") or {}
        if _restarts(inspect) - (first_count or 0) >= RESTARTS:
            raise NotReady(
                f"restarts again and again, last with exit code {state.get('ExitCode')}" + tail(self.engine, name)
            )
        if state.get("Status") in ("exited", "dead") and probe.kind != "exited":
            oom = " (out of memory)" if state.get("OOMKilled") else ""
            error = f": {state['Error']}" if state.get("Error") else ""
            raise NotReady(
                f"exited with code {state.get('ExitCode')}{oom} before it was ready{error}"
                + tail(self.engine, inspect.get("Id") or name)
            )
        if state.get("Status") == "restarting":
            return f"restarting after exit code {state.get('ExitCode')}"
        return None

    def once(self, probe: Probe, inspect: Inspect) -> Optional[str]:
        """Ask once: None if *probe* is satisfied, else the reason. Raises ProfileError where it never will be."""
        status = (inspect.get("State") or {}).get("Status")
        return f"it is {status}" if probe.kind != "exited" and status != "running" else self.attempt(probe, inspect)

    def attempt(self, probe: Probe, inspect: Optional[Inspect]) -> Optional[str]:
        """Try once: None if satisfied, else the reason."""
        if inspect is None and not probe.port:
            return "there is no such container"
        return KINDS[probe.kind].ask(self.engine, probe, inspect or {})


def _restarts(inspect: Inspect) -> int:
    return int(inspect.get("RestartCount") or 0)
