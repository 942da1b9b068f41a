# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of a deployment in the plan: what Docker is told of them, and the addresses that are asked for."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.names import (
    COLLECTION,
    COLLECTION_LABEL,
    DEPLOYMENT_LABEL,
    SPEC_LABEL,
    digest,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.place import Slot
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.endpoints import Endpoint, Peer
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import networks

DEFAULT_NETWORK = "default"
Attachment = Mapping[str, Any]


@dataclass(frozen=True)
class Networks:
    """The networks of a deployment; ``declared`` is the profile's own list of them, if it has one."""

    deployment: str
    declared: Mapping[str, Mapping[str, Any]] | None = None
    _addresses: dict[tuple[str, str, str], str] = field(default_factory=dict, init=False, repr=False)

    def attachments(self, entry: Entry, written: Sequence[Attachment]) -> tuple[Attachment, ...]:
        """What a container is on. ProfileError for a network that the profile's list does not have."""
        for item in written:
            name = item["name"]
            if not networks.stands_alone(name) and self._of(name) is None:
                raise entry.error(
                    f"{name!r} is not in the profile's list of 'networks', which has all of them: "
                    f"{', '.join(self.declared or ())}",
                    "networks",
                )
        return tuple(written) or ({"name": DEFAULT_NETWORK, "aliases": []},)

    def check_addresses(self, entry: Entry, slot: Slot, attachments: Sequence[Attachment]) -> None:
        """Raise ProfileError for an address that a replica cannot have."""
        for item in attachments:
            for key in ("ipv4_address", "ipv6_address"):
                if key in item:
                    self._check_address(entry, slot, item["name"], item[key])

    def _check_address(self, entry: Entry, slot: Slot, name: str, address: str) -> None:
        network = self._of(name) or {}
        if not network.get("external"):
            self._check_subnet(entry, name, address, network)
        holder = self._addresses.setdefault((slot.host, name, address), slot.replica)
        if holder != slot.replica:
            raise entry.error(
                f"{slot.replica} and {holder} have the address {address} on the network {name} of {slot.host}: "
                "give each replica its own, for instance with {{ replica.index }}",
                "networks",
            )

    def _check_subnet(self, entry: Entry, name: str, address: str, network: Mapping[str, Any]) -> None:
        subnets = [ipaddress.ip_network(item) for item in network.get("subnet", ())]
        if not subnets:
            raise entry.error(
                f"the address {address} needs a subnet: give the network {name} one in the profile's own 'networks'",
                "networks",
            )
        wanted = ipaddress.ip_address(address)
        subnet = next((item for item in subnets if wanted in item), None)
        if subnet is None:
            raise entry.error(
                f"the address {address} is not in the subnet {', '.join(map(str, subnets))} of the network {name}",
                "networks",
            )
        # Without a gateway of its own Docker gives the host the first address.
        gateways = network.get("gateway") or [str(item[1]) for item in subnets if item.num_addresses > 2]
        if address in gateways or wanted in (subnet[0], subnet[-1]):
            raise entry.error(
                f"the address {address} of the network {name} is the host's own or the subnet's first or last",
                "networks",
            )

    def check_reach(
        self, entry: Entry, point: Endpoint, published: Mapping[str, int], peers: Sequence[Peer]
    ) -> list[str]:
        """Warnings for peers that a replica does not reach; ProfileError where others are to reach it and cannot."""
        if published and point.joins:
            raise entry.error(
                f"containers elsewhere use {point.slot.replica}, which has no network of its own: "
                f"give its ports to {point.joins}, and let them use that",
                "networks",
            )
        if any(name != networks.NONE and not (self._of(name) or {}).get("internal") for name in point.networks):
            return []
        if published:
            raise entry.error(
                f"containers on other networks or hosts use {point.slot.replica}, but {', '.join(point.networks)} "
                "leads nowhere: put it on a network that is not internal, too",
                "networks",
            )
        return [
            f"{point.slot.replica} does not reach {peer.replica} at {peer.address}: {', '.join(point.networks)} leads "
            "nowhere"
            for peer in peers
            if peer.address != peer.replica
        ]

    def docker_name(self, name: str) -> str:
        """The name by which Docker knows a network."""
        return name if (self._of(name) or {}).get("external") else f"{self.deployment}-{name}"

    def as_options(self, point: Endpoint) -> dict[str, Any]:
        """The docker_container options of a replica's networks."""
        if networks.stands_alone(point.networks[0]):
            return {"network_mode": point.networks[0]}
        return {
            "networks": [
                {
                    **item,
                    "name": self.docker_name(item["name"]),
                    "aliases": list(dict.fromkeys([point.slot.container, *item["aliases"]])),
                }
                for item in point.attachments
            ]
        }

    def to_make(self, point: Endpoint) -> list[dict[str, Any]]:
        """The docker_network options of those networks of a replica that the deployment makes."""
        return [self._option(name) for name in point.networks if self._is_ours(name)]

    def to_find(self, point: Endpoint) -> list[dict[str, Any]]:
        """What must be on the host before the replica starts."""
        return [
            {"kind": "network", "path": name, "container": point.slot.container, "field": "networks", "model": None}
            for name in point.networks
            if not networks.stands_alone(name) and not self._is_ours(name)
        ]

    def _of(self, name: str) -> Mapping[str, Any] | None:
        """What the profile says of a network; None where it has a list without it."""
        return {} if self.declared is None else self.declared.get(name, {} if name == DEFAULT_NETWORK else None)

    def _is_ours(self, name: str) -> bool:
        return not networks.stands_alone(name) and not (self._of(name) or {}).get("external")

    def _option(self, name: str) -> dict[str, Any]:
        network = self._of(name) or {}
        special = {
            "driver_options": network.get("driver_options"),
            "internal": network.get("internal") or None,
            "enable_ipv6": network.get("enable_ipv6") or None,
            "ipam_config": networks.pools(network) or None,
        }
        option = {
            "name": self.docker_name(name),
            "driver": network.get("driver", "bridge"),
            **{key: value for key, value in special.items() if value is not None},
        }
        labels = {COLLECTION_LABEL: COLLECTION, DEPLOYMENT_LABEL: self.deployment}
        if any(value is not None for value in special.values()):
            # Engines add options and subnets of their own: this tells one that the profile no longer has.
            labels[SPEC_LABEL] = digest(option)
        return {**option, "labels": labels}
