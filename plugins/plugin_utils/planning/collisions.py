# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What two replicas of one host cannot both have: a port that is published there, a MAC address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container import option_values
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.replica import PlannedReplica
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Profile

_EVERYWHERE = ("", "0.0.0.0", "::")


@dataclass(frozen=True)
class _Port:
    """A port of a host: on one of its addresses, or on all of them."""

    address: str
    number: str
    protocol: str

    def meets(self, other: _Port) -> bool:
        return self.address == other.address or self.address in _EVERYWHERE or other.address in _EVERYWHERE


def check(profile: Profile, replicas: Sequence[PlannedReplica]) -> None:
    """Raise ProfileError that names both."""
    ports: dict[tuple[str, str, str], list[tuple[_Port, PlannedReplica]]] = {}
    addresses: dict[tuple[str, str], PlannedReplica] = {}
    for made in replicas:
        host = made.slot.host
        for port in _ports(made):
            holders = ports.setdefault((host, port.number, port.protocol), [])
            for held, holder in holders:
                if port.meets(held) and holder is not made:
                    raise _both(profile, holder, made, f"port {port.number} of {port.address or 'every address'}")
            holders.append((port, made))
        macs = [item.get("mac_address") for item in made.endpoint.attachments] + [made.task.get("mac_address")]
        for mac in filter(None, macs):
            holder = addresses.setdefault((host, str(mac).lower()), made)
            if holder is not made:
                raise _both(profile, holder, made, f"the address {mac}")


def _both(profile: Profile, one: PlannedReplica, other: PlannedReplica, what: str) -> ProfileError:
    """The error of two replicas that want the same on their host."""
    if one.slot.container == other.slot.container:
        mend = (
            "allow one on each host with max_per_host: 1 (in Compose deploy.placement.max_replicas_per_node: 1), "
            "or give a range of ports such as 7070-7079:80"
        )
    else:
        mend = "give them different ones, or keep them on different hosts"
    entry = profile.entry(other.slot.container)
    return entry.error(
        f"{one.slot.replica} and {other.slot.replica} cannot both have {what} on {other.slot.host}: {mend}",
        "docker" if "docker" in entry.raw else "ports",
    )


def _ports(made: PlannedReplica) -> Iterator[_Port]:
    """The ports of the host that a replica cannot do without; of a range the engine takes one that is free."""
    if made.endpoint.on_host_network:
        yield from (_Port("", str(number), "tcp") for number in made.endpoint.ports.values())
    for inside, bindings in option_values.ports(made.task.get("published_ports", [])).items():
        for binding in bindings:
            if binding["HostPort"].isdigit():
                yield _Port(binding["HostIp"], binding["HostPort"], inside.rpartition("/")[2])
