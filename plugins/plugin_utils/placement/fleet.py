# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plan knows of the hosts: their variables, their snapshot, and their address on the fleet's network."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import DEPLOYMENT_LABEL, STAND_IN_LABEL


@cache
def _tagged(image: str) -> str:
    return image if ":" in image.rpartition("/")[2] or "@" in image else f"{image}:latest"


@dataclass(frozen=True)
class Fleet:
    """``variables``: each host's variables. ``snapshot``: each host's facts.

    ``dialled``: the addresses that ``profile_address`` or ``ansible_host`` resolve to, by host. ``silent``: why a host
    that was asked has no snapshot.
    """

    variables: Mapping[str, Mapping[str, Any]]
    snapshot: Mapping[str, Mapping[str, Any]]
    dialled: Mapping[str, Sequence[str]]
    silent: Mapping[str, str] = field(default_factory=dict)
    _addresses: dict[str, str | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def unseen(cls, variables: Mapping[str, Mapping[str, Any]], dialled: Mapping[str, Sequence[str]]) -> Fleet:
        """A fleet that has not been asked yet: its hosts have the inventory's addresses, and nothing on them."""
        return cls(variables, {host: {"addresses": list(own)} for host, own in dialled.items()}, dialled)

    def address(self, host: str, container: str | None = None) -> str:
        """The host's fleet address.

        Raises ProfileError when what the inventory gives is not an address of that host by which others reach it.
        """
        if address := self.address_or_none(host):
            return address
        dialled = list(self.dialled.get(host, ()))
        own = set(self.snapshot.get(host, {}).get("addresses", []))
        seen = (
            f"the inventory's address is {', '.join(dialled)}"
            if dialled
            else "the inventory's address does not resolve"
        )
        raise ProfileError(
            f"no fleet address: {seen}, but the host's own are {', '.join(sorted(own)) or 'none'}: "
            "set the host variable profile_address to the one by which other hosts reach it",
            host=host,
            container=container,
        )

    def address_or_none(self, host: str) -> str | None:
        """The fleet address, where no one needs it to be there."""
        if host not in self._addresses:
            own = self.snapshot.get(host, {}).get("addresses", [])
            usable = (a for a in self.dialled.get(host, ()) if a in own and not ipaddress.ip_address(a).is_loopback)
            self._addresses[host] = next(usable, None)
        return self._addresses[host]

    def has_shared(self, host: str, replica: str) -> bool:
        """Whether there is the container of a shared replica on a host, running or not."""
        container = self.snapshot.get(host, {}).get("containers", {}).get(replica, {})
        return bool(container.get("labels", {}).get(DEPLOYMENT_LABEL) == replica)

    def published(self, host: str, replica: str) -> dict[int, int]:
        """The host's port for each TCP port that a shared replica publishes where it runs."""
        if not self.has_shared(host, replica):
            return {}
        ports = self.snapshot[host]["containers"][replica].get("published", [])
        return {item["target"]: item["port"] for item in ports if item["protocol"] == "tcp"}

    def taken_ports(self, deployments: Collection[str]) -> dict[str, dict[tuple[str, int], str]]:
        """(address, port) on which others than these deployments listen over TCP, with who does, by host."""
        result = {}
        for host, facts in self.snapshot.items():
            holders = {
                (published["address"], published["port"]): (name, container.get("labels", {}).get(DEPLOYMENT_LABEL))
                for name, container in facts.get("containers", {}).items()
                for published in container.get("published", [])
            }
            listening = {
                (socket["address"], socket["port"])
                for socket in facts.get("listening", [])
                if socket.get("protocol", "tcp") == "tcp"
            }
            result[host] = {
                place: _holder(*holders.get(place, ("", None)))
                for place in listening
                if holders.get(place, ("", None))[1] not in deployments
            }
        return result

    def image_id(self, host: str, image: str) -> str | None:
        """The id of an image on a host; None when it is not there."""
        found = self._image(host, image)
        return str(found["id"]) if found else None

    def stand_in_for(self, host: str, image: str) -> str | None:
        """What the image on this host stands in for; None for a real one."""
        found = self._image(host, image)
        value = (found or {}).get("labels", {}).get(STAND_IN_LABEL)
        return str(value) if value else None

    def _image(self, host: str, image: str) -> Mapping[str, Any] | None:
        images = self.snapshot.get(host, {}).get("images", {})
        found: Mapping[str, Any] | None = images.get(_tagged(image))
        return found


def _holder(container: str, deployment: str | None) -> str:
    """Who holds a port."""
    if not container:
        return "something else"
    return f"the container {container}" + (f" of the deployment {deployment}" if deployment else "")
