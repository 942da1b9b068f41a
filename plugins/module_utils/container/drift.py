# SPDX-License-Identifier: GPL-3.0-or-later
"""A task as the requests that the engine takes, and its drift: what a container differs in from it. Pure.

Both directions count: an option that the container does not follow, and a setting of it that neither the task nor its
image nor the engine's defaults explain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.container.option_values import dig, put
from ansible_collections.retail.profiles.plugins.module_utils.container.options import (
    ABSENT,
    ANY,
    CONFIG,
    HOST,
    LIVE,
    TABLE,
    EngineField,
    Situation,
    Values,
)

#: from this API version on, a container is created on all its networks at once
MANY_NETWORKS = (1, 44)

Inspect = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """One field in which a container is not what it should be."""

    field: str
    current: Any
    desired: Any

    def as_dict(self) -> dict[str, Any]:
        return {"field": self.field, "current": self.current, "desired": self.desired}


def differences(
    values: Values,
    inspect: Inspect,
    image: Mapping[str, Any],
    network_ids: Mapping[str, str],
    *,
    name: str,
    live_only: bool = False,
) -> list[Difference]:
    """All differences between a parsed task and an inspected container.

    *image* is the inspected image of the task, *network_ids* are ids by name. *live_only*: the container is known to be
    made from this very task, so only what can change in its life is compared. Secrets are not compared, and not shown.
    """
    inspect = secret_env.hidden(inspect, values.get("labels"))
    found = []
    if inspect.get("Name", "").lstrip("/") != name:
        found.append(Difference("name", inspect.get("Name", "").lstrip("/"), name))
    if image.get("Id") and inspect.get("Image") != image["Id"]:
        found.append(Difference("image_id", inspect.get("Image"), image["Id"]))
    situation = Situation(name, image.get("Config") or {})
    for option in TABLE:
        for field in option.fields:
            if live_only and not field.live:
                continue
            difference = _compare(option.name, field, values, inspect, situation)
            if difference is not None:
                found.append(difference)
    return found + networks(values, inspect, network_ids)


def dropped(values: Values, inspect: Inspect) -> dict[str, Any]:
    """What the engine did not take over from the task, by option, as it has it instead.

    *inspect* is that of a container just made or updated. An engine drops limits that its kernel cannot set: that must
    not count as drift for ever.
    """
    situation = Situation("", {})
    found = (_compare(option, field, values, inspect, situation) for option, field in LIVE.items())
    return {item.field: item.current for item in found if item is not None}


def _compare(
    option: str, field: EngineField, values: Values, inspect: Inspect, situation: Situation
) -> Optional[Difference]:
    expected = field.expect(values, field.send(values), situation)
    if expected is ANY:
        return None
    actual = dig(inspect, field.path)
    if field.same(expected, actual):
        return None
    # a tuple is a set of acceptable values: the first is the one to show
    return Difference(option, actual, expected[0] if isinstance(expected, tuple) else expected)


def networks(values: Values, inspect: Inspect, network_ids: Mapping[str, str]) -> list[Difference]:
    """The networks that a container is on, against those that it should be on."""
    wanted = {item["name"]: item for item in values.get("networks") or ()}
    mode = values.get("network_mode")
    actual: Mapping[str, Any] = dig(inspect, "NetworkSettings.Networks") or {}
    if mode in (None, "default", "bridge"):
        if mode is not None or not wanted:
            wanted = {"bridge": wanted.get("bridge", {}), **wanted}
    elif mode.startswith("container:"):
        wanted = {}
    else:
        wanted = {mode: wanted.get(mode, {}), **wanted}
    found = []
    for name in sorted({*wanted, *actual}):
        if name not in wanted:
            found.append(Difference(f"networks.{name}", "connected", None))
        elif name not in actual:
            found.append(Difference(f"networks.{name}", None, "connected"))
        else:
            found += _endpoint(name, wanted[name], actual[name], inspect, network_ids)
    return found


def _endpoint(
    name: str, wanted: Mapping[str, Any], actual: Mapping[str, Any], inspect: Inspect, network_ids: Mapping[str, str]
) -> list[Difference]:
    addresses = actual.get("IPAMConfig") or {}
    # Docker adds the short id and, from API 1.45 on, nothing
    own = {str(inspect.get("Id", ""))[:12], str(inspect.get("Name", "")).lstrip("/"), dig(inspect, "Config.Hostname")}
    pairs = [
        ("ipv4_address", wanted.get("ipv4_address"), addresses.get("IPv4Address")),
        ("ipv6_address", _address(wanted.get("ipv6_address")), _address(addresses.get("IPv6Address"))),
        (
            "aliases",
            sorted(set(wanted.get("aliases") or ()) - own),
            sorted(set(actual.get("Aliases") or ()) - own),
        ),
        (
            "links",
            sorted(link if ":" in link else f"{link}:{link}" for link in wanted.get("links") or ()),
            sorted(actual.get("Links") or ()),
        ),
    ]
    if wanted.get("mac_address"):
        pairs.append(("mac_address", wanted["mac_address"].replace("-", ":"), actual.get("MacAddress")))
    found = [
        Difference(f"networks.{name}.{key}", current or None, desired or None)
        for key, desired, current in pairs
        if (desired or None) != (current or None)
    ]
    # A network that was removed and made again has another id: a stopped container would not start on it.
    current_id, desired_id = actual.get("NetworkID"), network_ids.get(name)
    if current_id and desired_id and current_id != desired_id:
        found.append(Difference(f"networks.{name}.id", current_id, desired_id))
    return found


def _address(value: Any) -> Optional[str]:
    if not value:
        return None
    import ipaddress

    try:
        return ipaddress.ip_address(str(value)).compressed
    except ValueError:
        return str(value)


# -- requests


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


def update_request(values: Mapping[str, Any]) -> dict[str, Any]:
    """The body of ``POST /containers/{id}/update``: all limits of a parsed task, and none that it does not have.

    All of them, as the engine checks them against each other; what it is not told of, it keeps.
    """
    request: dict[str, Any] = {}
    for field in LIVE.values():
        sent = _updated(field, values)
        if sent is not ABSENT:
            put(request, field.path[len(HOST) :], sent)
    return request


def can_update(values: Mapping[str, Any], options: Iterable[str]) -> bool:
    """Whether an update brings these *options* of a container to a parsed task."""
    return all(option in LIVE and _updated(LIVE[option], values) is not ABSENT for option in options)


def _updated(field: EngineField, values: Mapping[str, Any]) -> Any:
    sent = field.send(values)
    return field.unset(values) if sent is ABSENT else sent


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
