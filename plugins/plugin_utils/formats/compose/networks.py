# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Networks and ports of a Compose file, as native ones."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.options import replica_of, scalar, texts
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.volumes import real_name
from ansible_collections.retail.profiles.plugins.plugin_utils.text import templates
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
_LOCAL = "127.0.0.1"
_EVERYWHERE = ("", "0.0.0.0", "::")
_MOST_PORTS = 1000


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


def ports(source: Source, label: str, value: Any, path: Path) -> list[Port]:
    """``ports`` of a service. ProfileError for what is none."""
    made: list[Port] = []
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        try:
            made += _long(item) if isinstance(item, Mapping) else _short(scalar(item))
        except ValueError as error:
            raise source.error(f"{label}.ports: {error}", (*path, index)) from error
    return made


def exposed(source: Source, label: str, value: Any, path: Path) -> list[Port]:
    """``expose`` of a service."""
    try:
        written = (item.partition("/") for item in texts(value))
        return [Port(port, protocol or "tcp") for numbers, _slash, protocol in written for port in _numbers(numbers)]
    except ValueError as error:
        raise source.error(f"{label}.expose: {error}", path) from error


def _short(written: str) -> list[Port]:
    """``[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]``, with ranges."""
    front, _slash, protocol = written.partition("/")
    before, _colon, target = front.rpartition(":")
    address, _colon, published = before.rpartition(":") if ":" in before else ("", "", before)
    address = address.strip("[]")
    if address not in _EVERYWHERE:
        try:
            ipaddress.ip_address(address)
        except ValueError as error:
            raise ValueError(f"{written!r}: {address!r} is not an IP address") from error
    return _spread(_numbers(target), published, protocol or "tcp", address, None)


def _long(item: Mapping[str, Any]) -> list[Port]:
    published = item.get("published")
    return _spread(
        _numbers(scalar(item.get("target", ""))),
        "" if published is None else scalar(published),
        scalar(item.get("protocol") or "tcp"),
        scalar(item.get("host_ip") or ""),
        item.get("name"),
    )


def _spread(targets: Sequence[int], published: str, protocol: str, address: str, name: Any) -> list[Port]:
    outside = _numbers(published) if published else []
    if len(targets) == 1:
        return [Port(targets[0], protocol, str(outside[0]) if len(outside) == 1 else published, address, name)]
    if outside and len(outside) != len(targets):
        raise ValueError(f"{len(targets)} ports cannot be published as {published!r}")
    hosts = [str(port) for port in outside] or [""] * len(targets)
    return [Port(target, protocol, host, address) for target, host in zip(targets, hosts, strict=True)]


def _numbers(written: str) -> list[int]:
    match = _RANGE.fullmatch(written)
    numbers = range(int(match[1]), int(match[2] or match[1]) + 1) if match else range(0)
    if not numbers or not 0 < numbers[0] <= numbers[-1] < 65536 or len(numbers) > _MOST_PORTS:
        raise ValueError(f"{written!r} is not a port or a range of ports")
    return list(numbers)


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
        if written in ("host", "none"):
            return [written]
        if written.startswith("service:"):
            return [templates.joined(("container:", replica_of(written.partition(":")[2])))]
        if written.startswith("container:"):
            return [written]
        source.warn(f"{label}.network_mode {written} is ignored: it is on a network of the deployment", path)
    networks = value.get("networks") or {}
    items = networks if isinstance(networks, Mapping) else dict.fromkeys(texts(networks))
    items = items or ({"default": None} if aliases else {})
    made: list[Any] = []
    for name, item in items.items():
        given = item if isinstance(item, Mapping) else {}
        entry: dict[str, Any] = {"name": real_network(name, declared)}
        names = [*(texts(given["aliases"]) if given.get("aliases") else []), *aliases]
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
    return isinstance(network, Mapping) and network.get("external") not in (None, False, "false")


def networks(source: Source, declared: Mapping[str, Any]) -> dict[str, Any] | None:
    """Top-level ``networks``; None where all are plain."""
    result: dict[str, Any] = {}
    for name, item in declared.items():
        network, path = item or {}, ("networks", name)
        if _is_external(network):
            result[real_network(name, declared)] = {"external": True}
            continue
        if not isinstance(network, Mapping):
            raise source.error(f"networks.{name} is a mapping, not {network!r}", path)
        known: dict[str, Any] = {}
        for key, given in network.items():
            if given in (None, False, "false", {}, []):
                continue
            if key == "driver_opts":
                if not isinstance(given, Mapping):
                    raise source.error(f"networks.{name}.driver_opts is a mapping, not {given!r}", (*path, key))
                known["driver_options"] = dict(given)
            elif key in ("driver", "internal", "enable_ipv6"):
                known[key] = given
            elif key == "ipam":
                known.update(_pools(source, name, given, (*path, key)))
            elif key != "external" and not key.startswith("x-"):
                source.warn(f"networks.{name}.{key} is ignored: a profile cannot say it", (*path, key))
        result[name] = known or None
    return result if any(result.values()) else None


def _pools(source: Source, name: str, ipam: Any, path: Path) -> dict[str, Any]:
    label = f"networks.{name}.ipam"
    if not isinstance(ipam, Mapping):
        raise source.error(f"{label} is a mapping, not {ipam!r}", path)
    pools = ipam.get("config") or []
    if not isinstance(pools, list) or not all(isinstance(pool, Mapping) for pool in pools):
        raise source.error(f"{label}.config is a list of mappings, not {pools!r}", path)
    for key in ipam:
        if key != "config" and not (key == "driver" and ipam[key] == "default"):
            source.warn(f"{label}.{key} is ignored: a profile cannot say it", path)
    found: dict[str, list[Any]] = {}
    for pool in pools:
        for key, value in pool.items():
            if key in ("subnet", "gateway", "ip_range"):
                found.setdefault(key, []).append(value)
            else:
                source.warn(f"{label}.{key} is ignored: a profile cannot say it", path)
    return found
