# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's own ``HostConfig`` as options of docker_container."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.docker_options import HOST_CONFIG
from ansible_collections.retail.profiles.plugins.plugin_utils.text import cpu_list
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

# What the launcher forced, or what has a place of its own.
_FORCED = {"networkmode": "host", "ipcmode": "host"}
_ELSEWHERE = {
    "binds": "write it under Volumes",
    "mounts": "write it under Volumes",
    "portbindings": "the container is on the network of the host",
    "publishallports": "the container is on the network of the host",
    "volumedriver": "write the volume under Volumes",
}


def options(source: Source, value: Any, path: Path) -> dict[str, Any]:
    """The options; what has none is warned of. Keys are taken in any case, as Go writes and reads them."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise source.error(f"HostConfig is a mapping, not {value!r}", path)
    result: dict[str, Any] = {}
    for key, item in _flat(value).items():
        where, name = (*path, key), key.lower()
        if item is None or item == [] or item == {}:
            continue
        if name in _FORCED:
            if item != _FORCED[name]:
                source.warn(f"HostConfig.{key} {item!r} is ignored: upstream forced {_FORCED[name]!r}", where)
        elif name in _ELSEWHERE:
            source.warn(f"HostConfig.{key} is ignored: {_ELSEWHERE[name]}", where)
        elif name in _OWN:
            try:
                result.update(_OWN[name](item))
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise source.error(f"HostConfig.{key} is not as the engine takes it: {error!r}", where) from error
        elif name in HOST_CONFIG:
            result[HOST_CONFIG[name]] = item
        else:
            source.warn(f"HostConfig.{key} is ignored: a profile cannot say it", where)
    return result


def _flat(value: Mapping[str, Any]) -> dict[str, Any]:
    """Go's embedded ``Resources`` may stand as a mapping of their own."""
    inner = [item for key, item in value.items() if key.lower() == "resources" and isinstance(item, Mapping)]
    outer = {key: item for key, item in value.items() if key.lower() != "resources"}
    return {**{key: item for mapping in inner for key, item in mapping.items()}, **outer}


def _lower(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key.lower(): value for key, value in item.items()}


def _devices(items: list[Mapping[str, Any]]) -> dict[str, Any]:
    written = []
    for item in map(_lower, items):
        host = item["pathonhost"]
        written.append(f"{host}:{item.get('pathincontainer') or host}:{item.get('cgrouppermissions') or 'rwm'}")
    return {"devices": written}


def _requests(items: list[Mapping[str, Any]]) -> dict[str, Any]:
    names = {"driver": "driver", "count": "count", "deviceids": "device_ids", "capabilities": "capabilities"}
    return {
        "device_requests": [
            {names[key]: value for key, value in _lower(item).items() if key in names and value} for item in items
        ]
    }


def _ulimits(items: list[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "ulimits": [f"{item['name']}:{item['soft']}:{item.get('hard', item['soft'])}" for item in map(_lower, items)]
    }


def _restart(item: Mapping[str, Any]) -> dict[str, Any]:
    policy = _lower(item)
    retries = {"restart_retries": policy["maximumretrycount"]} if policy.get("maximumretrycount") else {}
    return {"restart_policy": policy["name"], **retries} if policy.get("name") else {}


def _logging(item: Mapping[str, Any]) -> dict[str, Any]:
    config = _lower(item)
    options = {"log_options": dict(config["config"])} if config.get("config") else {}
    return {"log_driver": config["type"], **options} if config.get("type") else {}


def _cpuset(value: Any) -> dict[str, Any]:
    if value == "":
        return {}
    cpu_list.numbers(str(value))
    return {"cpuset_cpus": str(value)}


_OWN: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "devices": _devices,
    "devicerequests": _requests,
    "ulimits": _ulimits,
    "restartpolicy": _restart,
    "logconfig": _logging,
    "cpusetcpus": _cpuset,
    "nanocpus": lambda value: {"cpus": int(value) / 1e9},
    "sysctls": lambda value: {"sysctls": dict(value)},
    "storageopt": lambda value: {"storage_opts": dict(value)},
    "tmpfs": lambda value: {"tmpfs": [f"{path}:{more}" if more else path for path, more in value.items()]},
    "extrahosts": lambda value: {"etc_hosts": dict(item.replace("=", ":", 1).split(":", 1) for item in value)},
}
