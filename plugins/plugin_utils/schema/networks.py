# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks as a profile declares them: those that a container is on, and the profile's own list."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    Invalid,
    Type,
    boolean,
    list_of,
    mapping_of,
    maybe_empty,
    record,
    scalar,
    short,
    text,
    typed,
)

#: what is no network of Docker's: a container on one of them is on no other
HOST, NONE, JOINED = "host", "none", "container:"
_NETWORK_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]*"
_MAC = r"([0-9a-fA-F]{2}[:-]){5}[0-9a-fA-F]{2}"


def stands_alone(network: str) -> bool:
    """Whether this is ``host``, ``none`` or ``container:NAME``."""
    return network in (HOST, NONE) or network.startswith(JOINED)


@typed(type="string", pattern=f"^{_NETWORK_NAME}$", **{"not": {"enum": [HOST, NONE]}})
def network_name(value: Any) -> str:
    """The name of a network."""
    if not isinstance(value, str) or not re.fullmatch(_NETWORK_NAME, value) or stands_alone(value):
        raise ValueError(f"{value!r} is no name of a network: letters, digits, '.', '_' and '-' only")
    return value


@typed(type="string", pattern=f"^({JOINED})?{_NETWORK_NAME}$")
def _attached(value: Any) -> str:
    """The name of a network, or what stands in place of one."""
    if not isinstance(value, str) or not re.fullmatch(f"({JOINED})?{_NETWORK_NAME}", value):
        raise ValueError(
            f"{value!r} is neither host, none, container:NAME nor the name of a network: "
            "letters, digits, '.', '_' and '-' only"
        )
    return value


def _ip(make: Callable[[str], Any], what: str, **schema: Any) -> Type:
    """An address, or a subnet, in its usual spelling."""

    def parse(value: Any) -> str:
        try:
            return str(make(text(value)))
        except ValueError as error:
            raise ValueError(f"{value!r} is not {what}: {error}") from error

    return Type(parse, {"type": "string", **schema})


_ipv4 = _ip(ipaddress.IPv4Address, "an IPv4 address", format="ipv4")
_ipv6 = _ip(ipaddress.IPv6Address, "an IPv6 address", format="ipv6")
_address = _ip(ipaddress.ip_address, "an IP address")
_subnet = _ip(ipaddress.ip_network, "a subnet such as 172.30.0.0/24", pattern="/\\d+$")


@typed(type="string", pattern=f"^{_MAC}$")
def _mac(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(_MAC, value):
        raise ValueError(f"{value!r} is not a MAC address such as 02:42:ac:11:00:02")
    return value.lower().replace("-", ":")


ATTACHMENT_FIELDS: tuple[Field, ...] = (
    Field("name", _attached, "The network.", "name: inference", required=True),
    Field(
        "aliases",
        list_of(text),
        "Names of the container on it, beside its own and its replica's.",
        "aliases: [server]",
        default=[],
    ),
    Field("ipv4_address", _ipv4, "Its address; the network needs a `subnet`.", "ipv4_address: 172.30.0.10"),
    Field("ipv6_address", _ipv6, "Its IPv6 address.", 'ipv6_address: "fd00:30::10"'),
    Field("mac_address", _mac, "Its MAC address.", 'mac_address: "02:42:ac:1e:00:0a"'),
)
_ATTACHMENTS = list_of(short("name", _attached, record(ATTACHMENT_FIELDS)))


def _attachments(value: Any) -> list[dict[str, Any]]:
    attachments: list[dict[str, Any]] = _ATTACHMENTS(value)
    names = [item["name"] for item in attachments]
    for index, item in enumerate(attachments):
        name = item["name"]
        if names.index(name) != index:
            raise Invalid(f"the network {name!r} stands here twice", (index,))
        if stands_alone(name) and len(names) > 1:
            raise Invalid(f"{name} stands alone: a container on it is on no other network", (index,))
        if stands_alone(name) and (item["aliases"] or len(item) > 2):
            raise Invalid(f"{name} takes neither aliases nor addresses", (index,))
    return attachments


#: the networks that a container is on
ATTACHMENTS = Type(_attachments, _ATTACHMENTS.schema)

NETWORK_FIELDS: tuple[Field, ...] = (
    Field("driver", text, "Network driver.", "driver: macvlan", default="bridge"),
    Field(
        "driver_options",
        mapping_of(scalar),
        "Options of the driver.",
        "driver_options: {com.docker.network.driver.mtu: 9000}",
    ),
    Field("internal", boolean, "Whether it leads nowhere but to its containers.", "internal: true", default=False),
    Field("enable_ipv6", boolean, "Whether it has IPv6, too.", "enable_ipv6: true", default=False),
    Field(
        "subnet",
        list_of(_subnet),
        "Its subnet on each host; with IPv6 two.",
        "subnet: 172.30.0.0/24",
        unset="Docker chooses",
    ),
    Field("gateway", list_of(_address), "The host's address in each subnet.", "gateway: 172.30.0.1"),
    Field(
        "ip_range",
        list_of(_subnet),
        "The part of each subnet from which containers without `ipv4_address` get theirs.",
        "ip_range: 172.30.0.128/25",
    ),
    Field(
        "external",
        boolean,
        "Whether it is on the hosts already, under this very name; it is not removed then.",
        "external: true",
        default=False,
    ),
)


def _check_network(network: dict[str, Any]) -> None:
    plain = {"driver": "bridge", "internal": False, "enable_ipv6": False, "external": True}
    if network["external"] and network != plain:
        raise ValueError("an external network takes nothing else: it is there already")
    subnets = [ipaddress.ip_network(item) for item in network.get("subnet", ())]
    for gateway in network.get("gateway", ()):
        if not any(ipaddress.ip_address(gateway) in subnet for subnet in subnets):
            raise Invalid(f"the gateway {gateway} is in no subnet of the network", ("gateway",))
    for ip_range in network.get("ip_range", ()):
        if not any(_within(ip_range, subnet) for subnet in subnets):
            raise Invalid(f"the range {ip_range} is in no subnet of the network", ("ip_range",))
    if any(subnet.version == 6 for subnet in subnets) and not network["enable_ipv6"]:
        raise Invalid("an IPv6 subnet needs enable_ipv6: true", ("subnet",))


def _within(ip_range: str, subnet: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    inner = ipaddress.ip_network(ip_range)
    return inner.version == subnet.version and inner.prefixlen >= subnet.prefixlen and inner[0] in subnet


def pools(network: Mapping[str, Any]) -> list[dict[str, str]]:
    """docker_network's ``ipam_config``: each subnet with the gateway and the range that lie in it."""

    def first(items: Sequence[str], subnet: str) -> str | None:
        inside = ipaddress.ip_network(subnet)
        return next((item for item in items if ipaddress.ip_network(item)[0] in inside), None)

    found = (
        {
            "subnet": subnet,
            "gateway": first(network.get("gateway", ()), subnet),
            "iprange": first(network.get("ip_range", ()), subnet),
        }
        for subnet in network.get("subnet", ())
    )
    return [{key: value for key, value in pool.items() if value is not None} for pool in found]


NETWORKS = mapping_of(maybe_empty(record(NETWORK_FIELDS, _check_network)), network_name)
