# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""Probes that ask over the network: None if satisfied, else the reason; OSError and GrpcError are reasons, too."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Probe
from ansible_collections.retail.profiles.plugins.module_utils.readiness import grpc_probe

#: seconds that one try may take: a server that hangs once is asked again
TRY_TIMEOUT = 2.0
#: how long a TCP connection must stay open to count: Docker's proxy accepts, and closes when nobody listens behind it
TCP_HOLD = 0.05
#: bytes of a line, and of a description, that are read of an RTSP server's answer
_RTSP_LINE, _RTSP_BODY = 4096, 65536


def _http_status(address: str, port: int, path: str) -> int:
    import http.client

    connection = http.client.HTTPConnection(address, port, timeout=TRY_TIMEOUT)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP answer ({type(error).__name__})") from None
    finally:
        connection.close()


def _http(probe: Probe, address: str) -> Optional[str]:
    status = _http_status(address, probe.port, probe.path)
    return None if status == probe.status else f"answered {status}"


def _tcp(probe: Probe, address: str) -> Optional[str]:
    with socket.create_connection((address, probe.port), timeout=TRY_TIMEOUT) as connection:
        connection.settimeout(TCP_HOLD)
        try:
            closed = connection.recv(1, socket.MSG_PEEK) == b""
        except (TimeoutError, socket.timeout):
            closed = False
    return "the connection is closed at once: nobody listens behind the published port" if closed else None


def _grpc(probe: Probe, address: str) -> Optional[str]:
    return None if grpc_probe.server_ready(address, probe.port, TRY_TIMEOUT) else "the server says it is not ready"


def _rtsp(probe: Probe, address: str) -> Optional[str]:
    """DESCRIBE (RFC 2326, 10.2), for which the server prepares the stream: 200, and a description that has media."""
    import http.client

    host = f"[{address}]" if ":" in address else address
    request = f"DESCRIBE rtsp://{host}:{probe.port}{probe.path} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n"
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


def _ovms_models(probe: Probe, address: str) -> Optional[str]:
    for model in probe.models:
        try:
            if probe.protocol == "grpc":
                ready = grpc_probe.model_ready(address, probe.port, model, TRY_TIMEOUT)
            else:
                ready = _http_status(address, probe.port, f"/v2/models/{model}/ready") == 200
        except grpc_probe.GrpcError as error:
            return f"model {model}: {error}"
        if not ready:
            return f"model {model} is not ready"
    return None


DIALS: Mapping[str, Callable[[Probe, str], Optional[str]]] = {
    "http": _http,
    "tcp": _tcp,
    "grpc": _grpc,
    "rtsp": _rtsp,
    "ovms_models": _ovms_models,
}
