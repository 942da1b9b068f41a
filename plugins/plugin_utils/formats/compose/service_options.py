# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a Compose service are options of docker_container."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import options
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.forms import scalar
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.networks import Port
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import KEYS, Service, is_nothing
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.networks import JOINED

_DEPLOY = ("replicas", "mode", "resources", "restart_policy", "placement")
_RESOURCES: Mapping[str, Mapping[str, str]] = {
    "limits": {"memory": "memory", "pids": "pids_limit"},
    "reservations": {"memory": "memory_reservation"},
}
#: without these a service would be another one, and an engine knows nothing of them
_NEEDED = {
    "models": "it needs a runner of models, which is not an engine's: start the model as a service of its own",
    "provider": "a program beside the engine makes this service: name an image, or leave the service out",
    "use_api_socket": "mount the engine's socket yourself where the service is to have it",
}


def refuse(service: Service) -> None:
    """ProfileError for what an engine knows nothing of, and without which the service would be another one."""
    for key in service.value:
        if key in _NEEDED:
            raise service.error(key, _NEEDED[key])


def docker_options(service: Service, found: Sequence[Port], networks: Sequence[Any]) -> dict[str, Any]:
    """The options of a service. ProfileError, with the key, for a value that is not as Compose takes it."""
    made: dict[str, Any] = {}
    for key, item in service.value.items():
        if key in options.TABLE:
            made.update(_option(service, key, item))
        elif key not in KEYS and not key.startswith("x-"):
            service.warn(key)
    for key, make in _SPECIAL.items():
        if key in service.value:
            made.update(service.read(key, partial(make, service.value[key])))
    _warn_of_addresses(service)
    if "blkio_config" in service.value:
        made.update(service.read("blkio_config", lambda: _blkio(service)))
    if "volumes_from" in service.value:
        made["volumes_from"] = [_volumes_from(service, written) for written in service.value["volumes_from"]]
    made.update(service.read("deploy", lambda: _deploy(service)))
    requests = service.read("gpus", lambda: _requests(service))
    made.update({"device_requests": requests} if requests else {})
    made.update(_published(service, found, networks))
    return made


def _warn_of_addresses(service: Service) -> None:
    known: dict[str, str] = {}
    for item in service.value.get("extra_hosts", ()):
        name, _sign, address = item.partition("=")
        if known.setdefault(name, address) != address:
            at = service.at("extra_hosts")
            service.source.warn(f"{service.label}.extra_hosts: {name} has several addresses: {address} is taken", at)


def _published(service: Service, found: Sequence[Port], networks: Sequence[Any]) -> dict[str, Any]:
    published = [port for port in found if port.published is not None]
    if published and networks[:1] in (["host"], ["none"]):
        service.warn("ports", why=f"it is on the network mode {networks[0]}")
        return {}
    if any(port.as_option().startswith("127.0.0.1:") and port.address != "127.0.0.1" for port in published):
        service.source.warn(
            f"{service.label}.ports are published on 127.0.0.1 of their host, not on every address; "
            "containers that depend on it reach them from other hosts",
            service.at("ports"),
        )
    return {"published_ports": [port.as_option() for port in published]} if published else {}


def _option(service: Service, key: str, item: Any) -> dict[str, Any]:
    if key in ("ipc", "pid") and str(item).startswith("service:"):
        other = service.joined(key).partition(":")[2]
        return {options.TABLE[key][0]: f"{JOINED}{other}"}
    return options.option(service.source, key, item, service.label, service.at(key))


def _volumes_from(service: Service, written: str) -> str:
    """``SERVICE[:MODE]``, or ``container:NAME[:MODE]``."""
    name, colon, mode = written.partition(":")
    if name == "container" and colon:
        return mode
    return f"{service.file.names.get(name, name)}{colon}{mode}"


def _requests(service: Service) -> list[dict[str, Any]]:
    """Devices that are asked for: by their names, as GPUs, and as reservations."""
    resources = (service.value.get("deploy") or {}).get("resources") or {}
    return [
        *options.cdi_request(service.value.get("devices", ())),
        *options.device_requests(service.value.get("gpus", ()), ("gpu",)),
        *options.device_requests((resources.get("reservations") or {}).get("devices") or ()),
    ]


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
        elif (kind, key) not in (("limits", "cpus"), ("reservations", "devices")):
            service.warn(f"deploy.resources.{kind}.{key}")
    return made


def _logging(value: Mapping[str, Any]) -> dict[str, Any]:
    driver = {"log_driver": scalar(value["driver"])} if value.get("driver") else {}
    more = value.get("options")
    written = {"log_options": {key: "" if item is None else scalar(item) for key, item in more.items()}} if more else {}
    return {**({"log_driver": "json-file"} if written and not driver else driver), **written}


_RATES = ("device_read_bps", "device_read_iops", "device_write_bps", "device_write_iops")


def _blkio(service: Service) -> dict[str, Any]:
    value = service.value["blkio_config"]
    if "weight_device" in value:
        service.warn("blkio_config.weight_device")
    weight = {"blkio_weight": int(value["weight"])} if value.get("weight") else {}
    return {**weight, **{key: value[key] for key in _RATES if value.get(key)}}


# Keys that become several options, or one that takes more than a conversion.
_SPECIAL: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "healthcheck": lambda value: {"healthcheck": options.healthcheck(value)},
    "restart": options.restart,
    "logging": _logging,
}
