# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""Drift: what differs between the task of a replica and the container that there is. Pure: no engine here.

Both directions count: an option of the task that the container does not follow, and a setting of the container that
neither the task nor its image nor the engine's defaults explain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.container.option_values import dig
from ansible_collections.retail.profiles.plugins.module_utils.container.options import (
    ANY,
    TABLE,
    Field,
    Situation,
    Values,
)

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

    *image* is the inspected image of the task (``Id``, ``Config``); *network_ids* are the ids of the networks there
    are, by name. *live_only*: the container is known to be made from this very task, so only what can change in its
    life is compared. Secrets are not compared here (see :func:`secret_env.differing`), and not shown.
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

    *inspect* is that of a container just made. An engine drops limits that its kernel cannot set, with no more than a
    warning: that must not count as drift for ever.
    """
    situation = Situation("", {})
    found = (
        _compare(option.name, field, values, inspect, situation)
        for option in TABLE
        for field in option.fields
        if field.live
    )
    return {item.field: item.current for item in found if item is not None}


def _compare(option: str, field: Field, values: Values, inspect: Inspect, situation: Situation) -> Optional[Difference]:
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
