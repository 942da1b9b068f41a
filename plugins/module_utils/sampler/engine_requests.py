# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sampler asks the engine: the requests, and the answers as values."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Optional
from urllib.parse import quote, urlencode

from ansible_collections.retail.profiles.plugins.module_utils.common.names import is_secret_file
from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.engine.http_response import refusal
from ansible_collections.retail.profiles.plugins.module_utils.sampler import http_client

LOG_HISTORY_LINES = 2000


@dataclass(frozen=True)
class ContainerSeen:
    """A container as the engine describes it. *pid* is 0 and *exit_code* counts while it does not run.

    *secrets*: the values of its secret variables; *secret_files*: the paths of its secret files.
    """

    id: str
    pid: int
    status: str
    started_at: str
    exit_code: int
    tty: bool
    network_mode: str
    address: Optional[str]
    secrets: tuple[str, ...] = field(default=(), repr=False)
    secret_files: tuple[str, ...] = ()

    @property
    def running(self) -> bool:
        """True while its process lives; a container that waits to be restarted has none."""
        return self.pid > 0

    @property
    def never_started(self) -> bool:
        """True before the first start."""
        return self.status == "created" or self.started_at.startswith("0001-")


def inspect_request(name: str) -> bytes:
    """Ask for one container. No API version in the path: every engine answers in its own newest."""
    return http_client.get(f"/containers/{quote(name, safe='')}/json")


def logs_request(container_id: str, since_ns: Optional[int]) -> bytes:
    """Follow a container's output from *since_ns* (unix nanoseconds), or from its last LOG_HISTORY_LINES lines on."""
    options = {"follow": "1", "stdout": "1", "stderr": "1", "timestamps": "1"}
    if since_ns is None:
        options["tail"] = str(LOG_HISTORY_LINES)
    else:
        options["since"] = f"{since_ns // 1_000_000_000}.{since_ns % 1_000_000_000:09d}"
    return http_client.get(f"/containers/{quote(container_id, safe='')}/logs?{urlencode(options)}")


def archive_request(container_id: str, path: str) -> bytes:
    """Ask for what is at a path of a container, as a tar archive."""
    return http_client.get(f"/containers/{quote(container_id, safe='')}/archive?{urlencode({'path': path})}")


def parse_inspect(body: bytes) -> ContainerSeen:
    """The engine's answer as a value. Raises ValueError when it is not what the engine documents."""
    try:
        data = json.loads(body)
        state, network = data["State"], data.get("NetworkSettings") or {}
        return ContainerSeen(
            id=str(data["Id"]),
            pid=int(state.get("Pid") or 0),
            status=str(state.get("Status") or ""),
            started_at=str(state.get("StartedAt") or ""),
            exit_code=int(state.get("ExitCode") or 0),
            tty=bool((data.get("Config") or {}).get("Tty")),
            network_mode=str((data.get("HostConfig") or {}).get("NetworkMode") or "default"),
            address=_address(network.get("Networks") or {}),
            secrets=tuple(secret_env.values(data).values()),
            secret_files=tuple(filter(is_secret_file, secret_env.names((data.get("Config") or {}).get("Labels")))),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the engine's description of the container lacks {error}") from error


def _address(networks: dict[str, Any]) -> Optional[str]:
    """The first address on any network (by name), IPv4 before IPv6."""
    for key in ("IPAddress", "GlobalIPv6Address"):
        for name in sorted(networks):
            address = (networks[name] or {}).get(key)
            if address:
                return str(address)
    return None


def message(status: Optional[int], body: bytes) -> str:
    """An error answer of the engine, in one line."""
    return f"the engine answered {status}: {' '.join(refusal(body).split())[:300]}"


def keep_lines(body: bytes, prefixes: tuple[bytes, ...]) -> str:
    """Of a Prometheus text the sample lines that begin with one of *prefixes*."""
    kept = [line for line in body.splitlines() if line.startswith(prefixes)]
    return b"\n".join(kept).decode("utf-8", "replace") + ("\n" if kept else "")
