# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""Wait until a replica is ready, or say why it is not.

A probe is tried at once and then every 0.1 s, so readiness is seen within 250 ms. While a container of this host is
waited for, its state is looked at each time: one that exits fails at once.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.container.option_values import dig
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Probe
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine
from ansible_collections.retail.profiles.plugins.module_utils.readiness import grpc_probe
from ansible_collections.retail.profiles.plugins.module_utils.readiness.dials import DIALS, TRY_TIMEOUT

#: seconds between two tries
INTERVAL = 0.1
#: restarts by policy that are forgiven while a container is waited for
RESTARTS = 3
LOG_LINES = 10
#: how the engine writes the time of what has not happened
_NEVER = "0001-01-01T00:00:00Z"

Inspect = Mapping[str, Any]


class NotReady(ProfileError):
    """A replica is not ready; the text says what was asked, what answered, and the container's last log lines."""


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
            inspect = self._inspect(watched) if watched else None
            if inspect is not None:
                first_count = _restarts(inspect) if first_count is None else first_count
            reason = self._stopped(probe, inspect, first_count) if watched else None
            if reason is None:
                reason = self.attempt(probe, inspect)
                if reason is None:
                    return
            waited = self.clock.now() - started
            if waited >= probe.timeout:
                raise NotReady(f"not ready after {waited:.1f} s: {describe(probe)}: {reason}{self._tail(watched)}")
            self.clock.sleep(min(INTERVAL, max(0.0, probe.timeout - waited)))

    def ended(self, name: str) -> Optional[str]:
        """Why a container that nothing is asked of has failed: it ended, but not well. None where it did not."""
        state = (self._inspect(name) or {}).get("State") or {}
        if state.get("Status") not in ("exited", "dead", "restarting") or not state.get("ExitCode"):
            return None
        return f"exited with code {state['ExitCode']} as soon as it was started" + self._tail(name)

    def _inspect(self, name: str) -> Optional[Inspect]:
        return self.engine.inspect(name)

    def _stopped(self, probe: Probe, inspect: Optional[Inspect], first_count: Optional[int]) -> Optional[str]:
        """Why there is nothing to ask yet. Raises NotReady where there never will be."""
        name = probe.replica or "the container"
        if inspect is None:
            return "there is no such container"
        state = inspect.get("State") or {}
        if _restarts(inspect) - (first_count or 0) >= RESTARTS:
            raise NotReady(f"restarts again and again, last with exit code {state.get('ExitCode')}" + self._tail(name))
        if state.get("Status") in ("exited", "dead") and probe.kind != "exited":
            oom = " (out of memory)" if state.get("OOMKilled") else ""
            error = f": {state['Error']}" if state.get("Error") else ""
            raise NotReady(
                f"exited with code {state.get('ExitCode')}{oom} before it was ready{error}"
                + self._tail(inspect.get("Id") or name)
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
        if probe.kind in _OF_CONTAINER:
            if inspect is None:
                return "there is no such container"
            return _OF_CONTAINER[probe.kind](self, probe, inspect)
        address = probe.address
        if address is None:
            address = self.address_of(inspect) if inspect is not None else None
            if address is None:
                return "the container has no address"
        try:
            return DIALS[probe.kind](probe, address)
        except (OSError, grpc_probe.GrpcError) as error:
            return _words(error)

    def address_of(self, inspect: Inspect) -> Optional[str]:
        """Where the host reaches a container: its address on its first network."""
        mode = str(dig(inspect, "HostConfig.NetworkMode") or "")
        if mode == "host":
            return "127.0.0.1"
        if mode.startswith("container:"):
            other = self.engine.inspect(mode[len("container:") :])
            return self.address_of(other) if other is not None else None
        return container_address(inspect)

    def _tail(self, container: Optional[str]) -> str:
        """The last log lines, to be appended to an error."""
        if not container:
            return ""
        try:
            secrets = secret_env.Redactor(secret_env.values(self.engine.inspect(container) or {}).values())
            lines = [secrets.text(line) for line in self.engine.logs(container, tail=LOG_LINES).splitlines()]
        except EngineError as error:
            return f" (its log cannot be read: {error.message})"
        return "; its log ends:\n  " + "\n  ".join(lines) if lines else "; its log is empty"

    # -- probes of the container itself

    def _log(self, probe: Probe, inspect: Inspect) -> Optional[str]:
        # The log also has what earlier starts of the container wrote: only lines since the end of the last one count.
        # (StartedAt will not do: the engine notes it after the process runs, and has its first lines by then.)
        ended = fixed_time(str(dig(inspect, "State.FinishedAt") or _NEVER))
        try:
            text = self.engine.logs(str(inspect["Id"]), since=_seconds(ended), timestamps=True)
        except EngineError as error:
            raise NotReady(f"its log cannot be read, so no line can be waited for: {error.message}") from None
        for line in text.splitlines():
            stamp, _space, message = line.partition(" ")
            if stamp > ended and re.search(probe.pattern, message):
                return None
        return "no such line in its log"

    def _exec(self, probe: Probe, inspect: Inspect) -> Optional[str]:
        try:
            code, output = self.engine.execute(str(inspect["Id"]), probe.command, TRY_TIMEOUT)
        except EngineError as error:
            return error.message
        secrets = secret_env.Redactor(secret_env.values(inspect).values())
        said = secrets.text(output.strip().rpartition("\n")[2])
        return None if code == 0 else f"exit code {code}" + (f" ({said})" if said else "")

    def _healthy(self, probe: Probe, inspect: Inspect) -> Optional[str]:
        health = dig(inspect, "State.Health.Status")
        if not health or health == "none":
            raise NotReady("has no health check: the image brings none, and the profile gives none")
        return None if health == "healthy" else f"Docker says {health}"

    def _exited(self, probe: Probe, inspect: Inspect) -> Optional[str]:
        state = inspect.get("State") or {}
        if state.get("Status") not in ("exited", "dead"):
            return f"it is {state.get('Status')}"
        if state.get("ExitCode") != 0:
            raise NotReady(f"exited with code {state.get('ExitCode')}, not 0" + self._tail(str(inspect["Id"])))
        return None


_OF_CONTAINER: Mapping[str, Callable[[Waiter, Probe, Inspect], Optional[str]]] = {
    "log": Waiter._log,
    "exec": Waiter._exec,
    "healthy": Waiter._healthy,
    "exited": Waiter._exited,
}


def container_address(inspect: Inspect) -> Optional[str]:
    """A container's own address on its first network; None on the host network, or on none."""
    networks = dig(inspect, "NetworkSettings.Networks") or {}
    mode = dig(inspect, "HostConfig.NetworkMode")
    first = networks.get("bridge" if mode == "default" else mode)
    for network in [first, *networks.values()]:
        address = network and (network.get("IPAddress") or network.get("GlobalIPv6Address"))
        if address:
            return str(address)
    return None


def fixed_time(text: str) -> str:
    """Docker's time with all nine digits of the fraction, as its log has it, so that texts compare as times do."""
    whole, _dot, fraction = text.rstrip("Z").partition(".")
    return f"{whole}.{fraction:0<9}Z"


def _seconds(text: str) -> Optional[int]:
    """Whole seconds since 1970 of Docker's time; None for its "never"."""
    from calendar import timegm  # with the locale's names of days, which most calls need not load

    return None if text < "1970" else timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def _restarts(inspect: Inspect) -> int:
    return int(inspect.get("RestartCount") or 0)


def _words(error: Exception) -> str:
    if isinstance(error, (TimeoutError, socket.timeout)):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


def describe(probe: Probe) -> str:
    """What a probe asks, for an error."""
    place = probe.address or probe.replica or "the container"
    place = f"[{place}]:{probe.port}" if ":" in place else f"{place}:{probe.port}"
    return {
        "http": f"GET http://{place}{probe.path} wants {probe.status}",
        "tcp": f"connecting to {place}",
        "grpc": f"gRPC ServerReady at {place}",
        "rtsp": f"RTSP DESCRIBE rtsp://{place}{probe.path}",
        "ovms_models": f"models {', '.join(probe.models)} ready ({probe.protocol}) at {place}",
        "log": f"a log line that matches {probe.pattern!r}",
        "exec": f"exit code 0 of {' '.join(probe.command)} in the container",
        "healthy": "Docker's health check",
        "exited": "exit code 0",
    }[probe.kind]


# -- probes that dial: None if satisfied, else the reason; OSError and GrpcError are reasons too
