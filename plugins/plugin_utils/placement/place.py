# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which replica runs on which host: deterministic, even, and explained.

A host is left out of a container's placement by a filter, and each filter says why; the hosts that are left are filled
in rounds, in natural order.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.exclusive import Occupant, Uses
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.filters import Candidate, refusal
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import Wish
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed

NOTHING = Uses()


@dataclass(frozen=True)
class Slot:
    """One replica's place.

    ``index`` counts from 1 over the container's replicas. ``turn`` counts from 0 in the order of dealing, in which
    each host has its turn before one has its next.
    """

    replica: str
    container: str
    index: int
    host: str
    why: str
    turn: int


@dataclass(frozen=True)
class HostKnowledge:
    """What is known of the hosts: ``facts`` (None where a host has not answered), and what a container uses there."""

    facts: Callable[[str], Mapping[str, Any] | None]
    uses: Callable[[Entry, str], Uses]


@dataclass(frozen=True)
class Placement:
    """The slots of all containers, in the order of the profile.

    ``left_out``: container to reason to the hosts of its pattern that a filter left out for it.
    """

    slots: Sequence[Slot]
    left_out: Mapping[str, Mapping[str, Sequence[str]]]


def candidates(wished: Sequence[Wish], deployment: str) -> Placement | None:
    """A slot on every host that an entry may use, where placing depends on what hosts are; None where it does not."""
    if not any(wish.looks() for wish in wished):
        return None
    slots = [
        Slot(f"{deployment}-{wish.entry.name}-{at + 1}", wish.entry.name, at + 1, host, f"{wish.pattern} has it", at)
        for wish in wished
        for at, host in enumerate(wish.hosts)
    ]
    return Placement(slots, {})


def place(wished: Sequence[Wish], deployment: str, known: HostKnowledge | None = None) -> Placement:
    """Fill the hosts. Without ``known``, as if every host met what is required of it.

    What is exclusive chooses first, and of that what has the fewest hosts; all else follows in the order of the
    profile. What shares with another container comes after it. Raises ProfileError for replicas that find no room.
    """
    together = {wish.entry.name: wish.together for wish in wished}
    sharing = any(wish.exclusive for wish in wished)
    occupants: dict[str, list[Occupant]] = {}
    slots: dict[str, list[Slot]] = {}
    left_out: dict[str, dict[str, list[str]]] = {}
    for wish in sorted(wished, key=lambda wish: (_after(wish.entry.name, together), *_choosiness(wish))):
        name = wish.entry.name
        hosts = _hosts(wish, known, sharing, occupants, _lacking(wish, slots))
        left_out[name] = _left_out(wish, hosts)
        slots[name] = _fill(wish, deployment, hosts, left_out[name])
        if sharing:
            for host in hosts:
                if host.taken:
                    occupants.setdefault(host.name, []).append(Occupant(name, wish.exclusive, host.uses))
    names = [wish.entry.name for wish in wished]
    return Placement(
        [slot for name in names for slot in slots[name]], {name: left_out[name] for name in names if left_out[name]}
    )


def _choosiness(wish: Wish) -> tuple[bool, int]:
    return not wish.exclusive, len(wish.hosts) if wish.exclusive else 0


def _after(name: str, together: Mapping[str, Sequence[str]], seen: tuple[str, ...] = ()) -> int:
    """How many containers have to be placed before this one, each for the next one's sake."""
    others = [other for other in together[name] if other not in seen]
    return max((1 + _after(other, together, (*seen, name)) for other in others), default=0)


def _lacking(wish: Wish, slots: Mapping[str, Sequence[Slot]]) -> dict[str, list[str]]:
    """By host, what the container shares with and is not there; empty where no host has all of it."""
    there = {name: {slot.host for slot in slots.get(name, ())} for name in wish.together}
    lacking = {host: [name for name in there if host not in there[name]] for host in wish.hosts}
    return lacking if not all(lacking.values()) else {}


def _hosts(
    wish: Wish,
    known: HostKnowledge | None,
    sharing: bool,
    occupants: Mapping[str, Sequence[Occupant]],
    lacking: Mapping[str, Sequence[str]],
) -> list[Candidate]:
    """The hosts of a container's pattern as its filters see them, those first that ``--limit`` leaves out."""
    outside = [Candidate(name, False, None, NOTHING, ()) for name in wish.limited]
    return outside + [
        Candidate(
            name,
            True,
            known.facts(name) if known and wish.require else None,
            known.uses(wish.entry, name) if known and sharing else NOTHING,
            occupants.get(name, ()),
            lacks=lacking.get(name, ()),
        )
        for name in wish.hosts
    ]


def _left_out(wish: Wish, hosts: Sequence[Candidate]) -> dict[str, list[str]]:
    """The hosts that take no replica, by reason."""
    reasons: dict[str, list[str]] = {}
    for host in hosts:
        if reason := refusal(wish, host):
            reasons.setdefault(reason, []).append(host.name)
    return reasons


def _fill(wish: Wish, deployment: str, hosts: Sequence[Candidate], left_out: Mapping[str, Sequence[str]]) -> list[Slot]:
    """Deal the replicas to the hosts that are not left out. ProfileError where they find no room."""
    out = {name for names in left_out.values() for name in names}
    taking = [host for host in hosts if host.name not in out]
    total = wish.total if wish.per_host is None else wish.per_host * len(taking)
    bounds = {host.name: reason for host in taking if (reason := refusal(wish, replace(host, taken=math.inf)))}
    if wish.by_host is not None:
        return _fill_each(wish, deployment, taking, left_out)
    turns = list(islice(_rounds(wish, taking, bounds), total))
    short = any(host.taken < (wish.per_host or 0) for host in taking)
    if not taking or short or len(turns) < total:
        raise _no_room(wish, taking, bounds, left_out)
    why = _why(wish, len(taking))
    # Numbered host by host where each host has its own number, so that a host more at the end renames nothing.
    order = sorted(range(total), key=lambda turn: (turn % len(taking), turn)) if wish.per_host else range(total)
    return [
        Slot(f"{deployment}-{wish.entry.name}-{index}", wish.entry.name, index, turns[turn], why, turn)
        for index, turn in enumerate(order, start=1)
    ]


def _fill_each(
    wish: Wish, deployment: str, hosts: Sequence[Candidate], left_out: Mapping[str, Sequence[str]]
) -> list[Slot]:
    """Give each host its own number of replicas. A replica's number tells its host, so that one more on a host renames
    none on others."""
    if not hosts:
        raise _no_room(wish, hosts, {}, left_out)
    slots = []
    for place, host in enumerate(hosts):
        count = (wish.by_host or {}).get(host.name, wish.per_host or 0)
        for turn in range(place, place + count * len(hosts), len(hosts)):
            reason = refusal(wish, host)
            if reason:
                raise _no_room(wish, hosts, {host.name: reason}, left_out)
            host.taken += 1
            why = f"{count} streams on this host"
            slots.append(
                Slot(f"{deployment}-{wish.entry.name}-{turn + 1}", wish.entry.name, turn + 1, host.name, why, turn)
            )
    return sorted(slots, key=lambda slot: slot.index)


def _rounds(wish: Wish, hosts: Sequence[Candidate], bounds: Mapping[str, str]) -> Iterator[str]:
    """Hosts in the order in which they are filled: each takes one before one takes its next.

    ``bounds``: those that do not take any number of replicas, with the reason.
    """
    while hosts:
        for host in hosts:
            host.taken += 1
            yield host.name
        hosts = [host for host in hosts if host.name not in bounds or refusal(wish, host) is None]


def _why(wish: Wish, taking: int) -> str:
    there = len(wish.hosts) + len(wish.limited)
    hosts = f"{wish.pattern} has {there} host{'' if there == 1 else 's'}"
    if taking < there:
        hosts += f", of which {taking} can take it"
    if wish.per_host is not None:
        return f"{hosts}; {wish.per_host} on each"
    return f"{hosts}; {wish.total} in all" + (", dealt evenly" if wish.total > 1 else "")


def _no_room(
    wish: Wish, taking: Sequence[Candidate], bounds: Mapping[str, str], left_out: Mapping[str, Sequence[str]]
) -> ProfileError:
    """All hosts of the pattern, each with the filter that keeps it from taking more."""
    reasons: dict[str, list[str]] = {}
    for name, reason in bounds.items():
        reasons.setdefault(reason, []).append(name)
    reasons |= {reason: list(hosts) for reason, hosts in left_out.items()}
    told = "; ".join(f"{listed(hosts)}: {reason}" for reason, hosts in reasons.items())
    number = wish.per_host or wish.total
    replicas = f"{number} replica{' does' if number == 1 else 's do'} not fit"
    return wish.entry.error(
        f"{replicas} on {'each of ' if wish.per_host else ''}the hosts of {wish.pattern!r}: {told}",
        "max_per_host" if taking and wish.most else "hosts",
    )
