# SPDX-License-Identifier: GPL-3.0-or-later
"""The snapshot of a host: what planning has to know of it, and what a run records."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.names import LABEL
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import StateDir
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, listed
from ansible_collections.retail.profiles.plugins.module_utils.host import devices, sockets, system


def snapshot(state_dir: str, engine: Optional[Engine], engine_error: Optional[str] = None) -> dict[str, Any]:
    """Everything about this host; without an *engine*, why there is none."""
    files = system.Files()
    cpus = os.sched_getaffinity(0)
    result: dict[str, Any] = {
        "hostname": socket.gethostname(),
        "arch": os.uname().machine,
        "cpus": len(cpus),
        "cpu_cores": system.cpu_cores(files, cpus),
        "memory_bytes": system.memory_bytes(),
        "addresses": sockets.addresses(),
        "python": ".".join(map(str, sys.version_info[:3])),
        "state_dir": state(state_dir),
        "listening": [vars(port) for port in sockets.listening()],
        "devices": devices.devices(files),
        "system": system.describe(files),
        "engine": None,
        "images": {},
        "containers": {},
        "networks": {},
    }
    if engine is not None:
        info, version = engine.info(), engine.version()
        result["engine"] = engine_facts(info, version)
        result["images"] = images(engine.images())
        result["containers"] = containers(engine.containers())
        result["networks"] = {item["Name"]: {"labels": ours(item.get("Labels"))} for item in engine.networks()}
        result["system"]["engine"] = components(info, version)
    else:
        result["engine_error"] = engine_error
        result["system"]["engine"] = system.absent(engine_error or "there is no engine")
    result["time"] = time.time()  # last: it is compared with the controller's clock on return
    return result


def state(path: str) -> dict[str, Any]:
    """The state directory as it is."""
    return {"path": path, "exists": os.path.isdir(path), "writable": StateDir(path).check() is None}


def ours(labels: Optional[Mapping[str, str]]) -> dict[str, str]:
    """Those labels that are the collection's."""
    return {key: value for key, value in sorted((labels or {}).items()) if key.startswith(LABEL)}


def engine_facts(info: Mapping[str, Any], version: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "version": version.get("Version"),
        "api": version.get("ApiVersion"),
        **_drivers(info),
        "root_dir": info.get("DockerRootDir"),
        "rootless": any("rootless" in option for option in info.get("SecurityOptions") or ()),
    }


def _drivers(info: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "storage_driver": info.get("Driver"),
        "cgroup_version": str(info.get("CgroupVersion") or "1"),
        "cgroup_driver": info.get("CgroupDriver"),
    }


def components(info: Mapping[str, Any], version: Mapping[str, Any]) -> dict[str, Any]:
    """Versions of the engine and what it is made of."""
    found = {item["Name"]: item.get("Version") for item in version.get("Components") or ()}
    return {
        "docker": version.get("Version"),
        **{name: found.get(name) or system.absent("the engine does not say") for name in ("containerd", "runc")},
        **_drivers(info),
        "default_runtime": info.get("DefaultRuntime"),
        "logging_driver": info.get("LoggingDriver"),
    }


def images(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Tagged images by name, with the digests that registries know them by."""
    return {
        tag: {"id": item["Id"], "labels": ours(item.get("Labels")), "digests": item.get("RepoDigests") or []}
        for item in found
        for tag in item.get("RepoTags") or ()
        if tag != "<none>:<none>"
    }


def containers(found: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        item.name: {
            "id": item.id,
            "labels": ours(item.labels),
            "image": item.image,
            "running": item.state == "running",
            "published": [vars(port) for port in item.published],
        }
        for item in listed(found).values()
    }
