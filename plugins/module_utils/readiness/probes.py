# SPDX-License-Identifier: GPL-3.0-or-later
"""Readiness probes: how those of each kind are asked (KINDS), and what they say of a replica that is not ready."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Optional
from urllib.parse import quote

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.container.option_values import dig
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine
from ansible_collections.retail.profiles.plugins.module_utils.readiness import grpc_probe

#: seconds that one try may take: a server that hangs once is asked again
TRY_TIMEOUT = 2.0
#: the same where a model has to generate for it
_BODY_TIMEOUT = 60.0
#: how long a TCP connection must stay open to count: Docker's proxy accepts, and closes when nobody listens behind it
TCP_HOLD = 0.05
#: bytes of a line, and of a description, that are read of an RTSP server's answer
_RTSP_LINE, _RTSP_BODY = 4096, 65536
LOG_LINES = 10

Inspect = Mapping[str, Any]


class NotReady(ProfileError):
    """A replica is not ready; the text says what was asked, what answered, and the container's last log lines."""


@dataclass(frozen=True)
class Probe:
    """One readiness condition: of *replica* on this host, or of whatever answers at *address*."""

    kind: str
    timeout: float = 60.0
    replica: Optional[str] = None
    address: Optional[str] = None
    port: int = 0
    path: str = "/"
    status: int = 200
    models: tuple[str, ...] = ()
    protocol: str = "grpc"
    pattern: str = ""
    command: tuple[str, ...] = ()
    body: str = ""


@dataclass(frozen=True)
class Kind:
    """*ask* gives None if a probe is satisfied, else the reason; NotReady where it never will be.

    *words* say what is asked, *needs* the field that it cannot do without: a port, where it goes over the network.
    """

    ask: Callable[[Engine, Probe, Inspect], Optional[str]]
    words: str
    needs: str = ""


def parse_probe(probe: Mapping[str, Any], container: str) -> Probe:
    """One probe of the plan."""
    given = {str(key): value for key, value in probe.items() if value is not None}
    kind: Any = given.get("kind")
    if kind not in KINDS:
        raise ProfileError(f"{kind!r} is none of {', '.join(KINDS)}", container=container, field="ready")
    needs = KINDS[kind].needs
    if needs and not given.get(needs):
        raise ProfileError(f"the {kind} probe needs a {needs}", container=container, field="ready")
    try:
        re.compile(str(given.get("pattern") or ""))
    except re.error as error:
        raise ProfileError(f"{given['pattern']!r} is not a regular expression: {error}", container=container) from None
    unknown = sorted(given.keys() - Probe.__dataclass_fields__)
    if unknown:
        raise ProfileError(f"the {kind} probe does not know {', '.join(unknown)}", container=container, field="ready")
    given["timeout"] = float(given.get("timeout", 60.0))
    given["port"] = int(given.get("port", 0))
    for several in ("models", "command"):
        given[several] = tuple(map(str, given.get(several, ())))
    return Probe(**given)


def describe(probe: Probe) -> str:
    """What a probe asks, for an error."""
    at = _place(probe.address or probe.replica or "the container", probe.port)
    several = {"models": ", ".join(probe.models), "command": " ".join(probe.command)}
    return KINDS[probe.kind].words.format(**{**vars(probe), **several}, at=at)


def _place(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def tail(engine: Engine, container: str) -> str:
    """The last log lines of a container, to be appended to an error."""
    try:
        secrets = _hide(engine, engine.inspect(container) or {})
        lines = [secrets.text(line) for line in engine.logs(container, tail=LOG_LINES).splitlines()]
    except EngineError as error:
        return f" (its log cannot be read: {error.message})"
    return "; its log ends:\n  " + "\n  ".join(lines) if lines else "; its log is empty"


def _hide(engine: Engine, inspect: Inspect) -> secret_env.Redactor:
    return secret_env.Redactor(secret_env.values(inspect, lambda path: engine.read(str(inspect["Id"]), path)).values())


# -- probes that ask over the network


def _dialled(dial: Callable[[Probe, str, Inspect], Optional[str]], words: str) -> Kind:
    """A kind that asks at the probe's address, else at its container's; OSError and GrpcError are reasons, too."""

    def ask(engine: Engine, probe: Probe, inspect: Inspect) -> Optional[str]:
        address = probe.address or address_of(engine, inspect)
        if address is None:
            return "the container has no address"
        try:
            return dial(probe, address, inspect)
        except (TimeoutError, socket.timeout):
            return "no answer in time"
        except (OSError, grpc_probe.GrpcError) as error:
            return getattr(error, "strerror", None) or str(error) or type(error).__name__

    return Kind(ask, words, "port")


def address_of(engine: Engine, inspect: Inspect) -> Optional[str]:
    """Where the host reaches a container: its address on its first network."""
    mode = str(dig(inspect, "HostConfig.NetworkMode") or "")
    if mode == "host":
        return "127.0.0.1"
    if mode.startswith("container:"):
        other = engine.inspect(mode[len("container:") :])
        return address_of(engine, other) if other is not None else None
    return container_address(inspect)


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


def _http_status(address: str, port: int, path: str, body: str = "", key: str = "") -> int:
    import http.client

    connection = http.client.HTTPConnection(address, port, timeout=_BODY_TIMEOUT if body else TRY_TIMEOUT)
    headers = {"Connection": "close", "Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    try:
        connection.request("POST" if body else "GET", path, body or None, headers if body else {})
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP answer ({type(error).__name__})") from None
    finally:
        connection.close()


def _http(probe: Probe, address: str, inspect: Inspect) -> Optional[str]:
    env = dict(item.partition("=")[::2] for item in dig(inspect, "Config.Env") or ())
    status = _http_status(address, probe.port, probe.path, probe.body, env.get("API_KEY", ""))
    return None if status == probe.status else f"answered {status}"


def _tcp(probe: Probe, address: str, inspect: Inspect) -> Optional[str]:
    with socket.create_connection((address, probe.port), timeout=TRY_TIMEOUT) as connection:
        connection.settimeout(TCP_HOLD)
        try:
            closed = connection.recv(1, socket.MSG_PEEK) == b""
        except (TimeoutError, socket.timeout):
            closed = False
    return "the connection is closed at once: nobody listens behind the published port" if closed else None


def _grpc(probe: Probe, address: str, inspect: Inspect) -> Optional[str]:
    return None if grpc_probe.server_ready(address, probe.port, TRY_TIMEOUT) else "the server says it is not ready"


def _rtsp(probe: Probe, address: str, inspect: Inspect) -> Optional[str]:
    """DESCRIBE (RFC 2326, 10.2), for which the server prepares the stream: 200, and a description that has media."""
    import http.client

    url = f"rtsp://{_place(address, probe.port)}{probe.path}"
    request = f"DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
    with socket.create_connection((address, probe.port), timeout=TRY_TIMEOUT) as connection:
        connection.sendall(request.encode("utf-8"))
        with connection.makefile("rb") as answer:
            version, _space, status = answer.readline(_RTSP_LINE).decode("utf-8", "replace").strip().partition(" ")
            if not version.startswith("RTSP/"):
                return "no RTSP answer"
            if not status.startswith("200"):
                return f"answered {status}"
            try:
                length = int(http.client.parse_headers(answer).get("Content-Length", "0"))  # the headers are HTTP's
            except (http.client.HTTPException, ValueError):
                return "no RTSP answer"
            description = answer.read(max(0, min(length, _RTSP_BODY)))
    return None if re.search(rb"^m=", description, re.MULTILINE) else "the description has no media"


def _ovms_models(probe: Probe, address: str, inspect: Inspect) -> Optional[str]:
    for model in probe.models:
        try:
            if probe.protocol == "grpc":
                ready = grpc_probe.model_ready(address, probe.port, model, TRY_TIMEOUT)
            else:
                ready = _http_status(address, probe.port, f"/v2/models/{quote(model, '')}/ready") == 200
        except grpc_probe.GrpcError as error:
            return f"model {model}: {error}"
        if not ready:
            return f"model {model} is not ready"
    return None


# -- probes of the container itself


def _log(engine: Engine, probe: Probe, inspect: Inspect) -> Optional[str]:
    # The log also has what earlier starts of the container wrote: only lines since the end of the last one count.
    # (StartedAt will not do: the engine notes it after the process runs, and has its first lines by then.)
    ended = fixed_time(str(dig(inspect, "State.FinishedAt") or ""))
    try:
        text = engine.logs(str(inspect["Id"]), since=_seconds(ended), timestamps=True)
    except EngineError as error:
        raise NotReady(f"its log cannot be read, so no line can be waited for: {error.message}") from None
    for line in text.splitlines():
        stamp, _space, message = line.partition(" ")
        if stamp > ended and re.search(probe.pattern, message):
            return None
    return "no such line in its log"


def _exec(engine: Engine, probe: Probe, inspect: Inspect) -> Optional[str]:
    try:
        code, output = engine.execute(str(inspect["Id"]), probe.command, TRY_TIMEOUT)
        secrets = _hide(engine, inspect)
    except EngineError as error:
        return error.message
    said = secrets.text(output.strip().rpartition("\n")[2])
    return None if code == 0 else f"exit code {code}" + (f" ({said})" if said else "")


def _healthy(engine: Engine, probe: Probe, inspect: Inspect) -> Optional[str]:
    health = dig(inspect, "State.Health.Status")
    if not health or health == "none":
        raise NotReady("has no health check: the image brings none, and the profile gives none")
    return None if health == "healthy" else f"Docker says {health}"


def _exited(engine: Engine, probe: Probe, inspect: Inspect) -> Optional[str]:
    state = inspect.get("State") or {}
    if state.get("Status") not in ("exited", "dead"):
        return f"it is {state.get('Status')}"
    if state.get("ExitCode") != 0:
        raise NotReady(f"exited with code {state.get('ExitCode')}, not 0" + tail(engine, str(inspect["Id"])))
    return None


def fixed_time(text: str) -> str:
    """Docker's time with all nine digits of the fraction, as its log has it, so that texts compare as times do."""
    whole, _dot, fraction = text.rstrip("Z").partition(".")
    return f"{whole}.{fraction:0<9}Z"


def _seconds(text: str) -> Optional[int]:
    """Whole seconds since 1970 of Docker's time; None for "never", which it writes as the year 1."""
    from calendar import timegm  # with the locale's names of days, which most calls need not load

    return None if text < "1970" else timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


KINDS: Mapping[str, Kind] = {
    "http": _dialled(_http, "GET http://{at}{path} wants {status}"),
    "tcp": _dialled(_tcp, "connecting to {at}"),
    "grpc": _dialled(_grpc, "gRPC ServerReady at {at}"),
    "rtsp": _dialled(_rtsp, "RTSP DESCRIBE rtsp://{at}{path}"),
    "ovms_models": _dialled(_ovms_models, "models {models} ready ({protocol}) at {at}"),
    "generates": _dialled(_http, "a token of {models} from http://{at}{path}"),
    "log": Kind(_log, "a log line that matches {pattern!r}"),
    "exec": Kind(_exec, "exit code 0 of {command} in the container", "command"),
    "healthy": Kind(_healthy, "Docker's health check"),
    "exited": Kind(_exited, "exit code 0"),
}
