# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What two replicas of one host cannot both have: a port of it, the last one of a range, a MAC address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container import option_values
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.replica import PlannedReplica
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Profile

_EVERYWHERE = ("", "0.0.0.0", "::")
_ONE_A_HOST = "allow one on each host with max_per_host: 1 (in Compose deploy.placement.max_replicas_per_node: 1)"
#: where a replica's ports and addresses may be written
_FIELDS = ("docker", "ports", "networks")
_APART = "give them different ones, or keep them on different hosts"


@dataclass(frozen=True)
class _Port:
    """A port of a host, or one of several that are free to choose: on one of its addresses, or on all of them."""

    address: str
    numbers: range
    protocol: str
    published: bool = True

    @property
    def number(self) -> int:
        """The one port; 0 where there are several to choose from."""
        return self.numbers[0] if len(self.numbers) == 1 else 0

    @property
    def written(self) -> str:
        first, last = self.numbers[0], self.numbers[-1]
        return str(first) if self.number else f"{first}-{last}"

    def lies_in(self, other: _Port) -> bool:
        """Whether this one is taken from the other's."""
        at_one_place = self.address == other.address or {self.address, other.address} & {*_EVERYWHERE}
        inside = other.numbers[0] <= self.numbers[0] and self.numbers[-1] <= other.numbers[-1]
        return bool(at_one_place and inside and self.protocol == other.protocol)


class _Held:
    """The ports that are wanted of one host, each with the replicas that want it."""

    def __init__(self) -> None:
        self._holders: dict[_Port, list[PlannedReplica]] = {}
        self._near: dict[int, list[_Port]] = {}

    def add(self, port: _Port, made: PlannedReplica) -> None:
        if port not in self._holders:
            self._near.setdefault(port.number, []).append(port)
        self._holders.setdefault(port, []).append(made)

    def too_many(self, port: _Port) -> tuple[_Port, list[PlannedReplica]] | None:
        """The ports from which this one is taken, and who wants one of them, where these are more than there are."""
        for wide in [*self._near.get(port.number, ()), *(self._near.get(0, ()) if port.number else ())]:
            if port.lies_in(wide):
                inside = self._near[wide.number] if wide.number else self._holders
                there = [holder for one in inside if one.lies_in(wide) for holder in self._holders[one]]
                if len(there) > len(wide.numbers):
                    return wide, there
        return None


def check(profile: Profile, replicas: Sequence[PlannedReplica]) -> None:
    """Raise ProfileError that names both."""
    ports: dict[str, _Held] = {}
    addresses: dict[tuple[str, str], PlannedReplica] = {}
    for made in replicas:
        host = made.slot.host
        for port in dict.fromkeys(_ports(made)):
            held = ports.setdefault(host, _Held())
            held.add(port, made)
            if (found := held.too_many(port)) and found[1][0] is not made:
                raise _both(profile, found[1][0], made, *_of_port(*found))
        macs = [item.get("mac_address") for item in made.endpoint.attachments] + [made.task.get("mac_address")]
        for mac in filter(None, macs):
            holder = addresses.setdefault((host, str(mac).lower()), made)
            if holder is not made:
                raise _both(profile, holder, made, f"the MAC address {mac}", _ONE_A_HOST)


def _of_port(port: _Port, holders: Sequence[PlannedReplica]) -> tuple[str, str]:
    """What the holders of a port cannot all have, and what helps where they are replicas of one container."""
    where = f"of {port.address or 'every address'}"
    if len(port.numbers) > 1:
        said = f"one of the ports {port.written} {where}, which are {len(port.numbers)} for {len(holders)} replicas"
        return said, "give a range that has a port for each, or allow fewer on each host with max_per_host"
    ranges = ", or give a range of ports such as 7070-7079:80" if port.published else ""
    return f"port {port.written} {where}", f"{_ONE_A_HOST}{ranges}"


def _both(profile: Profile, one: PlannedReplica, other: PlannedReplica, what: str, alike: str) -> ProfileError:
    """The error of two replicas that want the same on their host; ``alike``: what helps those of one container."""
    mend = alike if one.slot.container == other.slot.container else _APART
    entry = profile.entry(other.slot.container)
    return entry.error(
        f"{one.slot.replica} and {other.slot.replica} cannot both have {what} on {other.slot.host}: {mend}",
        next((field for field in _FIELDS if field in entry.raw), None),
    )


def _ports(made: PlannedReplica) -> Iterator[_Port]:
    """The ports of the host that a replica cannot do without; of a range the engine takes one that is free."""
    if made.endpoint.on_host_network:
        numbers = made.endpoint.ports.values()
        yield from (_Port("", range(number, number + 1), "tcp", published=False) for number in numbers)
    for inside, bindings in option_values.ports(made.task.get("published_ports", [])).items():
        for binding in bindings:
            first, _dash, last = binding["HostPort"].partition("-")
            if first.isdigit() and first != "0":
                numbers_of = range(int(first), int(last or first) + 1)
                yield _Port(binding["HostIp"], numbers_of, inside.rpartition("/")[2])
