# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which containers of its networks a replica knows by name, though they are on other hosts.

On one host Docker's own DNS tells the names of a network; it ends at the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.retail.profiles.plugins.plugin_utils.placement.place import Slot
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import dialling
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.endpoints import Endpoint, Peer, deal
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Profile
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.networks import stands_alone
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed


@dataclass(frozen=True)
class Known:
    """By replica: the servers that it dials by name, beside those that it says it uses; and what it does not know."""

    servers: dict[str, dict[str, Slot]] = field(default_factory=dict)
    remarks: dict[str, list[str]] = field(default_factory=dict)


def known(
    profile: Profile,
    points: Mapping[str, Endpoint],
    in_turn: Mapping[str, Sequence[Slot]],
    consumes: Mapping[str, Sequence[str]],
) -> Known:
    """What each replica knows. ``in_turn``: the slots of each container; ``consumes``: what each says it uses."""
    result = Known()
    here = {(point.slot.container, point.slot.host) for point in points.values()}
    if len({host for _container, host in here}) < 2:
        return result
    said = {entry.name: dialling.words(entry) for entry in profile.entries}
    dialled: dict[tuple[str, str], bool] = {}
    for me in points.values():
        mine = me.slot.container
        unknown: list[str] = []
        for other in in_turn:
            if other == mine or other in consumes[mine] or (other, me.slot.host) in here:
                continue
            server = points[in_turn[other][0].replica]
            shared = _shared_networks(profile, me, server)
            if not shared:
                continue
            if (mine, other) not in dialled:
                dialled[mine, other] = any(dialling.dials(said[mine], name) for name in names(server, shared))
            if dialled[mine, other]:
                if reason := _out_of_reach(profile, server):
                    where = _hosts(in_turn[other])
                    text = f"{me.slot.replica} dials {other} by its name, but that is on {where} and {reason}"
                    result.remarks.setdefault(me.slot.replica, []).append(text)
                else:
                    result.servers.setdefault(me.slot.replica, {})[other] = deal(me, in_turn[other])
            elif server.ports:
                unknown.append(other)
        if unknown:
            result.remarks.setdefault(me.slot.replica, []).append(_unknown(me, unknown, in_turn))
    return result


def names(server: Endpoint, networks: Sequence[str]) -> list[str]:
    """The names of a container on these networks."""
    aliases = [alias for item in server.attachments if item["name"] in networks for alias in item["aliases"]]
    return list(dict.fromkeys([server.slot.container, *aliases]))


def addresses(me: Endpoint, peers: Mapping[str, Peer], points: Mapping[str, Endpoint]) -> dict[str, str]:
    """The address of each peer that Docker's DNS does not tell, by each of its names on the networks of both."""
    result: dict[str, str] = {}
    for peer in peers.values():
        if peer.address != peer.replica:
            for name in names(points[peer.replica], me.networks):
                result.setdefault(name, peer.address)
    return result


def moved(me: Endpoint, server: Endpoint, peer: Peer) -> list[str]:
    """A warning for each port that is another on the server's host, where it is dialled by name and its own number."""
    return [
        f"{me.slot.replica} dials {server.slot.container} by its name, but its port {port} is {peer.ports[label]} on "
        f"{peer.host}: dial peers[{server.slot.container!r}].ports, or keep what has that port on another host"
        for label, port in server.ports.items()
        if peer.ports.get(label, port) != port
    ]


def _shared_networks(profile: Profile, me: Endpoint, server: Endpoint) -> list[str]:
    """The networks of both that end at their host; a shared replica has its own."""
    if me.is_shared or server.is_shared:
        return []
    return [
        name for name in me.networks if name in server.networks and not stands_alone(name) and not _spans(profile, name)
    ]


def _spans(profile: Profile, network: str) -> bool:
    """Whether a network may be one over several hosts, with a DNS of its own."""
    declared = (profile.networks or {}).get(network) or {}
    return bool(declared.get("external")) or declared.get("driver", "bridge") != "bridge"


def _out_of_reach(profile: Profile, server: Endpoint) -> str | None:
    """Why a container cannot be dialled from other hosts; None where it can."""
    if not server.ports:
        return f"names no port: add ports to {server.slot.container}, or keep both on one host"
    if all(((profile.networks or {}).get(name) or {}).get("internal") for name in server.networks):
        return "its networks are internal: keep both on one host, or put it on a network that is not internal, too"
    return None


def _unknown(me: Endpoint, containers: Sequence[str], in_turn: Mapping[str, Sequence[Slot]]) -> str:
    slots = [slot for name in containers for slot in in_turn[name]]
    return (
        f"{me.slot.replica} does not know by name {listed(containers)} of its network, on {_hosts(slots)}: "
        f"add depends_on: [{', '.join(containers)}] to {me.slot.container} if it dials them"
    )


def _hosts(slots: Sequence[Slot]) -> str:
    return listed(list(dict.fromkeys(slot.host for slot in slots)))
