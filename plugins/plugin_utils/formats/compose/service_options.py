# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What of a Compose service are options of docker_container."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import options
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.networks import Port
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import KEYS, Service, is_nothing
from ansible_collections.retail.profiles.plugins.plugin_utils.text import templates

_DEPLOY = ("replicas", "mode", "resources", "restart_policy", "placement")
_RESOURCES: Mapping[str, Mapping[str, str]] = {
    "limits": {"memory": "memory", "pids": "pids_limit"},
    "reservations": {"memory": "memory_reservation"},
}


def docker_options(service: Service, found: Sequence[Port], networks: Sequence[Any]) -> dict[str, Any]:
    """The options of a service. ProfileError, with the key, for a value that is not as Compose takes it."""
    made: dict[str, Any] = {}
    for key, item in service.value.items():
        if key in options.TABLE:
            made.update(_option(service, key, item))
        elif key not in KEYS and not key.startswith("x-"):
            service.warn(key, why="give it as secret_env" if key == "secrets" else "a profile cannot say it")
    for key, make in _SPECIAL.items():
        if key in service.value:
            made.update(service.read(key, partial(make, service.value[key])))
    made.update(service.read("deploy", lambda: _deploy(service)))
    published = [port for port in found if port.published is not None]
    if published and networks[:1] in (["host"], ["none"]):
        service.warn("ports", why=f"it is on the network mode {networks[0]}")
    elif published:
        made["published_ports"] = [port.as_option() for port in published]
        if any(port.as_option().startswith("127.0.0.1:") and port.address != "127.0.0.1" for port in published):
            service.source.warn(
                f"{service.label}.ports are published on 127.0.0.1 of their host, not on every address; "
                "containers that depend on it reach them from other hosts",
                service.at("ports"),
            )
    return made


def _option(service: Service, key: str, item: Any) -> dict[str, Any]:
    if key in ("ipc", "pid") and str(item).startswith("service:"):
        other = service.joined(key).partition(":")[2]
        return {options.TABLE[key][0]: templates.joined(("container:", options.replica_of(other)))}
    return options.option(service.source, key, item, service.label, service.at(key))


def _deploy(service: Service) -> dict[str, Any]:
    made: dict[str, Any] = {}
    deploy = service.value.get("deploy", {})
    for key, item in deploy.items():
        if key not in _DEPLOY and not key.startswith("x-") and not is_nothing(item):
            service.warn(f"deploy.{key}")
    policy = deploy.get("restart_policy")
    if policy:
        for key in policy:
            if key not in ("condition", "max_attempts"):
                service.warn(f"deploy.restart_policy.{key}")
        made.update(options.deploy_restart(policy))
    resources = deploy.get("resources") or {}
    for kind, names in _RESOURCES.items():
        made.update(_resources(service, resources.get(kind) or {}, names, kind))
    return made


def _resources(service: Service, given: Mapping[str, Any], names: Mapping[str, str], kind: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, item in given.items():
        if key in names:
            made[names[key]] = int(item) if key == "pids" else item
        elif key == "devices":
            made["device_requests"] = options.device_requests(item)
        elif not (key == "cpus" and kind == "limits"):
            service.warn(f"deploy.resources.{kind}.{key}")
    return made


def _logging(value: Mapping[str, Any]) -> dict[str, Any]:
    driver = {"log_driver": options.scalar(value["driver"])} if value.get("driver") else {}
    more = value.get("options")
    written = {"log_options": {name: options.scalar(item) for name, item in more.items()}} if more else {}
    return {**({"log_driver": "json-file"} if written and not driver else driver), **written}


def _gpus(value: Any) -> dict[str, Any]:
    return {"device_requests": options.device_requests(value if value != "all" else [{}])}


# Keys that become several options, or one that takes more than a conversion.
_SPECIAL: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "healthcheck": lambda value: {"healthcheck": options.healthcheck(value)},
    "restart": options.restart,
    "logging": _logging,
    "gpus": _gpus,
}
