# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sampler of one run is told, the files of its run directory, and the checks on both."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

SHORTEST_INTERVAL = 0.05
_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")


@dataclass(frozen=True)
class Scrape:
    """A Prometheus endpoint inside a container: *port* there, and the *path*.

    *prefixes*: only samples whose name begins with one of these are kept.
    """

    port: int
    path: str
    prefixes: tuple[str, ...] = ("ovms_",)


@dataclass(frozen=True)
class Watched:
    """A container to watch. *network*: own, host, none or container:NAME; with own the engine is asked.

    *files*: paths in it, or patterns of such, that are read when it ends and at the end of the measurement.
    """

    name: str
    prometheus: Optional[Scrape] = None
    network: str = "own"
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Config:
    """*interval* and *deadline* in seconds; *engine* is the path of the engine's socket."""

    interval: float
    deadline: float
    engine: str
    replicas: tuple[Watched, ...]

    def to_json(self) -> str:
        """For config.json."""
        return json.dumps(asdict(self), indent=1, sort_keys=True) + "\n"


@dataclass(frozen=True)
class RunFiles:
    """The files of one run's sampler, all in *directory*."""

    directory: str

    @property
    def config(self) -> str:
        return os.path.join(self.directory, "config.json")

    @property
    def samples(self) -> str:
        return os.path.join(self.directory, "samples.jsonl")

    @property
    def pid(self) -> str:
        return os.path.join(self.directory, "sampler.pid")

    @property
    def lock(self) -> str:
        return os.path.join(self.directory, "sampler.lock")

    @property
    def log(self) -> str:
        return os.path.join(self.directory, "sampler.log")


def run_files(state_dir: str, run_id: str) -> RunFiles:
    """Where the run *run_id* is kept. Raises ProfileError for an id that could lead elsewhere."""
    if not _RUN_ID.fullmatch(run_id):
        raise ProfileError(
            f"{run_id!r} is no run id: letters, digits, '.', '_' and '-' only, and it begins with a letter or digit",
            field="run_id",
        )
    if not os.path.isabs(state_dir):
        raise ProfileError(f"{state_dir!r} is not an absolute path", field="state_dir")
    return RunFiles(os.path.join(state_dir, "runs", run_id))


def socket_of(docker_host: str) -> str:
    """Path of the engine's socket. Raises ProfileError for anything but ``unix://``."""
    if docker_host.startswith("unix://") and len(docker_host) > len("unix://"):
        return "/" + docker_host[len("unix://") :].lstrip("/")
    raise ProfileError(
        f"{docker_host!r}: the sampler reads the engine's own socket on its host; give unix:///path/of/docker.sock",
        field="docker_host",
    )


def check_times(interval: float, deadline: float) -> None:
    """Raise ProfileError for times that make no sense."""
    if not interval >= SHORTEST_INTERVAL:
        raise ProfileError(f"must be at least {SHORTEST_INTERVAL} seconds, is {interval}", field="interval")
    if not deadline > 0:
        raise ProfileError(f"must be above 0 seconds, is {deadline}", field="deadline")


def watched(items: Sequence[Mapping[str, Any]]) -> tuple[Watched, ...]:
    """The module's *replicas* as values. Raises ProfileError for names that are no container's, or twice there."""
    result: dict[str, Watched] = {}
    for item in items:
        name = str(item["name"])
        if not _NAME.fullmatch(name):
            raise ProfileError(f"{name!r} is no name of a container", field="replicas")
        if name in result:
            raise ProfileError("is given twice", container=name, field="replicas")
        network = str(item.get("network") or "own")
        if network not in ("own", "host", "none") and not re.fullmatch(r"container:.+", network):
            raise ProfileError(
                f"{network!r} is none of own, host, none, container:NAME", container=name, field="replicas.network"
            )
        result[name] = Watched(name, _scrape(item.get("prometheus"), name), network, _files(item.get("files"), name))
    return tuple(result.values())


def _scrape(item: Optional[Mapping[str, Any]], name: str) -> Optional[Scrape]:
    if not item:
        return None
    port, path = int(item["port"]), str(item.get("path") or "/metrics")
    if not 0 < port < 65536:
        raise ProfileError(f"{port} is no port", container=name, field="replicas.prometheus.port")
    if not path.startswith("/") or re.search(r"[\s\x00-\x1f\x7f]", path):
        raise ProfileError(f"{path!r} is no path", container=name, field="replicas.prometheus.path")
    prefixes = tuple(str(prefix) for prefix in item.get("prefixes") or ("ovms_",))
    if not all(prefixes):
        raise ProfileError("an empty prefix keeps everything", container=name, field="replicas.prometheus.prefixes")
    return Scrape(port, path, prefixes)


def _files(items: Optional[Sequence[str]], name: str) -> tuple[str, ...]:
    for path in items or ():
        if not re.fullmatch(r"/+[^/*?\[\0][^*?\[/\0]*(/[^\0]*)?", path) or ".." in path.split("/"):
            raise ProfileError(f"{path!r} is no absolute path", container=name, field="replicas.files")
    return tuple(items or ())
