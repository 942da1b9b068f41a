# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reaches whom, at which address and port."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import is_shared
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.place import Slot
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry, Profile
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.networks import JOINED, stands_alone

# peers['NAME'] or peers.NAME in the text of an entry, where quotes may be escaped.
_KEY = r"(?:\s*\[\s*\\?['\"]([^'\"\\]*)\\?['\"]\s*\]|\.(\w+))"
_PEERS = re.compile(rf"(?<![\w.])peers{_KEY}")
_PEER_PORTS = re.compile(rf"(?<![\w.])peers{_KEY}(?:\.ports|\s*\[\s*\\?['\"]ports\\?['\"]\s*\]){_KEY}")
#: what templates may ask of a mapping, beside its keys
_METHODS = frozenset(("get", "items", "keys", "values"))


@dataclass(frozen=True)
class Endpoint:
    """What a replica listens on. ``attachments`` are its networks as it is on each; ``ports`` its own, by name.

    ``fixed``: its ports on the host are these, too, and no others. ``together``: the containers whose network,
    namespaces or volumes it shares. ``networks`` are the names of its networks in the profile, ``joins`` the container
    on whose network it is (``container:NAME``).
    """

    slot: Slot
    attachments: tuple[Mapping[str, Any], ...]
    ports: Mapping[str, int]
    fixed: bool = False
    together: Sequence[str] = ()
    networks: tuple[str, ...] = field(init=False)
    joins: str | None = field(init=False)
    is_shared: bool = field(init=False)

    def __post_init__(self) -> None:
        # Asked for again and again: for every replica, and for every pair that talks.
        networks = tuple([item["name"] for item in self.attachments])
        first = networks[0]
        object.__setattr__(self, "networks", networks)
        object.__setattr__(self, "joins", first[len(JOINED) :] if first.startswith(JOINED) else None)
        object.__setattr__(self, "is_shared", is_shared(self.slot.replica))

    def shares_network(self, other: Endpoint) -> bool:
        """Whether the two reach each other past the host: never one that is shared, whose networks are its own."""
        if self.slot.host != other.slot.host or self.is_shared or other.is_shared:
            return False
        if self.joins == other.slot.container:
            return True
        return any(network in other.networks and not stands_alone(network) for network in self.networks)

    @property
    def on_host_network(self) -> bool:
        return self.networks == ("host",)


@dataclass(frozen=True)
class Peer:
    """How one consumer dials one server replica."""

    replica: str
    host: str
    address: str
    ports: Mapping[str, int]
    local: bool

    def as_variable(self) -> dict[str, Any]:
        """What a profile sees as ``peers[CONTAINER]``."""
        return {"replica": self.replica, "host": self.host, "address": self.address, "ports": dict(self.ports)}


def consumes(entry: Entry, depends_on: Sequence[str], names: Sequence[str]) -> list[str]:
    """The containers that an entry talks to: those it depends on, and those whose ``peers[...]`` it mentions."""
    mentioned = {name for pair in _PEERS.findall(entry.templates) for name in pair} | set(depends_on)
    return [name for name in names if name != entry.name and name in mentioned]


def check_peers(profile: Profile) -> None:
    """Raise ProfileError for a template that names a peer, or a port of a peer, that the profile does not have."""
    entries = {entry.name: entry for entry in profile.entries}
    for entry in profile.entries:
        for where, text in entry.templates_of.items():
            for name in filter(None, (name for pair in _PEERS.findall(text) for name in pair)):
                if name == entry.name:
                    raise entry.error(
                        f"peers names {name!r}, which is this container itself: its peers are others", where
                    )
                if name not in entries and name not in _METHODS:
                    raise entry.error(f"peers names {name!r}, but the profile has {', '.join(entries)}", where)
            for quoted, plain, quoted_port, plain_port in _PEER_PORTS.findall(text):
                name, port = quoted or plain, quoted_port or plain_port
                ports = entries[name].raw.get("ports") if name in entries else None
                known = ports if isinstance(ports, Mapping) else {}
                fixed = name in entries and "ports" not in entries[name].templated
                if fixed and port not in known and port not in _METHODS:
                    has = f"its ports are {', '.join(known)}" if known else "it names no ports"
                    raise entry.error(f"peers names the port {port!r} of {name}, but {has}", where)


def deal(consumer: Endpoint, servers: Sequence[Slot]) -> Slot:
    """The server replica of one consumer: consumers go round the servers, both in the order of their turns.

    One that shares its server's network, namespaces or volumes takes one on its own host, of the same number where
    there is one. Raises ProfileError where there is none.
    """
    slot, name = consumer.slot, servers[0].container
    if name not in (consumer.joins, *consumer.together):
        return servers[slot.turn % len(servers)]
    here = [server for server in servers if server.host == slot.host]
    if not here:
        joins = consumer.joins == name
        what = "join the network" if joins else "share namespaces or volumes"
        raise ProfileError(
            f"{slot.replica} is to {what} of {name}, of which no replica is on this host: "
            "give both the same hosts and replicas",
            host=slot.host,
            container=slot.container,
            field="networks" if joins else "docker",
        )
    return next((server for server in here if server.index == slot.index), here[slot.turn % len(here)])


def publish(
    endpoints: Mapping[str, Endpoint],
    wanted: set[str],
    address: Callable[[str, str], str],
    taken: Mapping[str, Mapping[tuple[str, int], str]],
    running: Callable[[str, str], Mapping[int, int]],
) -> dict[str, dict[str, int]]:
    """The published port of each port of the replicas in ``wanted``: replica to {name: port}.

    The first choice is the container's own port; where another replica of the plan has it on that host, the
    next free one. Shared replicas choose first, and keep the ports that they publish where they run: ``running`` of
    host and replica. ``taken`` holds the (address, port) pairs on which others listen, with who does, by host. Raises
    ProfileError when the first choice is taken by something that is not of this deployment.
    """
    hosts: dict[str, _HostPorts] = {}
    for name, endpoint in endpoints.items():
        if endpoint.on_host_network or (endpoint.fixed and name in wanted):
            host = hosts.setdefault(endpoint.slot.host, _HostPorts())
            for port in endpoint.ports.values():
                host.mine.setdefault(port, endpoint.slot.replica)
    result: dict[str, dict[str, int]] = {}
    for name, endpoint in sorted(endpoints.items(), key=lambda item: not item[1].is_shared):
        if name in wanted and not endpoint.on_host_network:
            slot = endpoint.slot
            host = hosts.setdefault(slot.host, _HostPorts())
            if not host.address:
                host.address = address(slot.host, slot.container)
                here = (host.address, "0.0.0.0", "::")
                others = taken.get(slot.host, {}).items()
                host.others = {port: who for (where, port), who in others if where in here}
            labels = {port: label for label, port in endpoint.ports.items()}
            kept = running(slot.host, name) if endpoint.is_shared else {}
            chosen = {port: host.take(kept.get(port, port), slot, label) for port, label in labels.items()}
            result[name] = {label: chosen[port] for label, port in endpoint.ports.items()}
    return result


@dataclass
class _HostPorts:
    """The ports of one host's fleet address: ``mine`` those of the plan by replica, ``others`` of something else."""

    address: str = ""
    mine: dict[int, str] = field(default_factory=dict)
    others: dict[int, str] = field(default_factory=dict)
    _next: dict[int, int] = field(default_factory=dict)

    def take(self, first: int, slot: Slot, label: str) -> int:
        """The first choice, else the next free port."""
        if first in self.others and first not in self.mine:
            used = f"port {first} is in use on {self.address} by {self.others[first]}"
            raise _no_port(slot, label, f"{used}: stop that, or give another")
        if self.mine.get(first) == slot.replica:
            return first
        port = self._next.get(first, first)
        while port in self.mine or port in self.others:
            port += 1
        if port > 65535:
            raise _no_port(slot, label, f"no free port from {first} on is left on {self.address}")
        self.mine[port] = slot.replica
        self._next[first] = port + 1
        return port


def _no_port(slot: Slot, label: str, message: str) -> ProfileError:
    return ProfileError(message, host=slot.host, container=slot.container, field=f"ports.{label}")


def peer(
    consumer: Endpoint, server: Endpoint, published: Mapping[str, Mapping[str, int]], address: Callable[[str, str], str]
) -> Peer:
    """How ``consumer`` dials ``server``: by Docker name on a shared network, else at the server's fleet address.

    On the server's own network it is at home.

    Two on the network of one host need no address of it.
    """
    slot = server.slot
    if consumer.shares_network(server):
        joined = consumer.joins == slot.container
        return Peer(slot.replica, slot.host, "127.0.0.1" if joined else slot.replica, server.ports, True)
    if consumer.on_host_network and server.on_host_network and slot.host == consumer.slot.host:
        return Peer(slot.replica, slot.host, "127.0.0.1", server.ports, True)
    ports = server.ports if server.on_host_network else published.get(slot.replica, {})
    return Peer(slot.replica, slot.host, address(slot.host, slot.container), ports, slot.host == consumer.slot.host)
