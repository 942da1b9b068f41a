# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks and ports of a Compose file, as native ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.canonical import numbers, targets
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.forms import scalar
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.volumes import real_name
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.networks import HOST, JOINED, NONE
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

_LOCAL = "127.0.0.1"
#: the engine's own networks, on which no container knows another by name
_BRIDGES = ("bridge", "default")
_EVERYWHERE = ("", "0.0.0.0", "::")


@dataclass(frozen=True)
class Port:
    """A port of a service. ``published``: the host's port or range, '' for any free one; None where it is not."""

    target: int
    protocol: str = "tcp"
    published: str | None = None
    address: str = ""
    name: str | None = None

    def as_option(self) -> str:
        """For docker_container's ``published_ports``: on the loopback, where Compose would take every address."""
        address = _LOCAL if self.address in _EVERYWHERE else self.address
        bound = f"[{address}]" if ":" in address else address
        return f"{bound}:{self.published}:{self.target}/{self.protocol}"


def ports(value: Sequence[Mapping[str, Any]]) -> list[Port]:
    """``ports`` of a service. ValueError for what is none."""
    return [_port(item) for item in value]


def _port(item: Mapping[str, Any]) -> Port:
    published = item.get("published")
    (number,) = numbers(scalar(item["target"]))
    if published and published != "0":
        numbers(published)
    given = "" if published in (None, "0") else published
    return Port(number, item.get("protocol") or "tcp", given, item.get("host_ip", ""), item.get("name"))


def exposed(value: Sequence[str]) -> list[Port]:
    """``expose`` of a service. ValueError for what is no port."""
    written = (item.partition("/") for item in value)
    return [Port(port, protocol or "tcp") for range_, _slash, protocol in written for port in targets(range_)]


def named(found: Sequence[Port], known: Mapping[int, str]) -> dict[str, int]:
    """The TCP ports by name: the given one, else one that is ``known``, else the number."""
    made: dict[str, int] = {}
    for port in found:
        if port.protocol != "tcp" or port.target in made.values():
            continue
        name = re.sub(r"[^a-z0-9_.-]+", "-", (port.name or "").lower()).strip("-_.")
        made[known.get(port.target) or name or str(port.target)] = port.target
    return {**made, **{name: target for target, name in known.items() if target not in made.values()}}


def attachments(
    source: Source, service: str, value: Mapping[str, Any], declared: Mapping[str, Any], aliases: Sequence[str]
) -> list[Any]:
    """``networks`` or ``network_mode`` of a service. ``aliases``: further names of it."""
    label, path = f"services.{service}", ("services", service)
    mode = value.get("network_mode")
    if mode:
        written = scalar(mode)
        if written in (HOST, NONE):
            return [written]
        if written.startswith("service:"):
            return [f"{JOINED}{written.partition(':')[2]}"]
        if written.startswith(JOINED):
            return [written]
        if written in _BRIDGES:
            source.warn(f"{label}.network_mode {written} is ignored: it is on a network of the deployment", path)
        elif written in declared and not _is_external(declared[written]):
            why = f"of the hosts, which is not this file's own one: write networks: [{written}]"
            raise source.error(f"{label}.network_mode: {written!r} is a network {why}", (*path, "network_mode"))
        else:
            return [written]
    mac = {"mac_address": value["mac_address"]} if "mac_address" in value else {}
    items: Mapping[str, Any] = value.get("networks") or ({"default": None} if aliases or mac else {})
    # That of the service is its address on one of them.
    first = min(items, key=lambda name: (-((items[name] or {}).get("priority") or 0), name), default="")
    made: list[Any] = []
    for name, item in items.items():
        given: Mapping[str, Any] = item or {}
        entry: dict[str, Any] = {"name": real_network(name, declared), **(mac if name == first else {})}
        names = [*given.get("aliases", ()), *aliases]
        if names:
            entry["aliases"] = list(dict.fromkeys(names))
        for key in given:
            if key in ("ipv4_address", "ipv6_address", "mac_address"):
                entry[key] = given[key]
            elif key != "aliases" and not key.startswith("x-"):
                source.warn(f"{label}.networks.{name}.{key} is ignored: a profile cannot say it", (*path, "networks"))
        made.append(entry if len(entry) > 1 else entry["name"])
    return made


def real_network(name: str, declared: Mapping[str, Any]) -> str:
    """The name of a network in the profile."""
    return real_name(name, declared.get(name)) if _is_external(declared.get(name)) else name


def _is_external(network: Any) -> bool:
    return bool((network or {}).get("external"))


def of_the_hosts(services: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """The networks that services name as their ``network_mode``: they are the hosts' own."""
    modes = (str(service.get("network_mode") or HOST) for service in services.values())
    own = (HOST, NONE, *_BRIDGES)
    return {mode: {"external": True} for mode in modes if mode not in own and ":" not in mode}


def networks(source: Source, declared: Mapping[str, Any]) -> dict[str, Any] | None:
    """Top-level ``networks``; None where all are plain."""
    result: dict[str, Any] = {}
    for name, item in declared.items():
        network, path = item or {}, ("networks", name)
        if _is_external(network):
            result[real_network(name, declared)] = {"external": True}
            continue
        known: dict[str, Any] = {}
        for key, given in network.items():
            if given in (None, False, {}, []):
                continue
            if key == "driver_opts":
                known["driver_options"] = dict(given)
            elif key in ("driver", "internal", "enable_ipv6"):
                known[key] = given
            elif key == "ipam":
                known.update(_pools(source, name, given, (*path, key)))
            elif key != "external" and not key.startswith("x-"):
                source.warn(f"networks.{name}.{key} is ignored: a profile cannot say it", (*path, key))
        result[name] = known or None
    return result if any(result.values()) else None


def _pools(source: Source, name: str, ipam: Mapping[str, Any], path: Path) -> dict[str, Any]:
    label = f"networks.{name}.ipam"
    for key in ipam:
        if key != "config" and not (key == "driver" and ipam[key] == "default"):
            source.warn(f"{label}.{key} is ignored: a profile cannot say it", path)
    found: dict[str, list[Any]] = {}
    for pool in ipam.get("config") or []:
        for key, value in pool.items():
            if key in ("subnet", "gateway", "ip_range"):
                found.setdefault(key, []).append(value)
            else:
                source.warn(f"{label}.{key} is ignored: a profile cannot say it", path)
    return found
