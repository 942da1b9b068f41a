# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""A task as the engine's create request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.container.option_values import put
from ansible_collections.retail.profiles.plugins.module_utils.container.options import ABSENT, CONFIG, TABLE

#: from this API version on, a container is created on all its networks at once
MANY_NETWORKS = (1, 44)


def create_request(values: Mapping[str, Any], api_version: tuple[int, ...]) -> dict[str, Any]:
    """The body of ``POST /containers/create`` for a parsed task (see :func:`tasks.parse_task`)."""
    request: dict[str, Any] = {
        "AttachStdin": False,
        "AttachStdout": False,
        "AttachStderr": False,
        "StdinOnce": False,
        "HostConfig": {},
    }
    for option in TABLE:
        for field in option.fields:
            sent = field.send(values)
            if sent is not ABSENT:
                put(request, field.path[len(CONFIG) :] if field.path.startswith(CONFIG) else field.path, sent)
    networks = values.get("networks") or []
    at_once = networks if api_version >= MANY_NETWORKS else networks[:1]
    if at_once:
        request["NetworkingConfig"] = {"EndpointsConfig": {item["name"]: endpoint(item) for item in at_once}}
    return request


def endpoint(network: Mapping[str, Any]) -> dict[str, Any]:
    """The engine's EndpointConfig for one entry of ``networks``."""
    result: dict[str, Any] = {}
    addresses = {
        name: network[key]
        for key, name in (("ipv4_address", "IPv4Address"), ("ipv6_address", "IPv6Address"))
        if network.get(key)
    }
    if addresses:
        result["IPAMConfig"] = addresses
    if network.get("aliases"):
        result["Aliases"] = list(network["aliases"])
    if network.get("links"):
        result["Links"] = [link if ":" in link else f"{link}:{link}" for link in network["links"]]
    if network.get("mac_address"):
        result["MacAddress"] = network["mac_address"].replace("-", ":")
    return result


def later_networks(values: Mapping[str, Any], api_version: tuple[int, ...]) -> list[dict[str, Any]]:
    """The networks that an old engine must be told of after the container is created, before it starts."""
    networks: list[dict[str, Any]] = list(values.get("networks") or [])
    return [] if api_version >= MANY_NETWORKS else networks[1:]
