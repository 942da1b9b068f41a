# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Which replica runs on which host: deterministic, even, and explained.

A host is left out of a container's placement by a filter, and each filter says why; the hosts that are left are filled
in rounds, in natural order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import STATE_DIR
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import require
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.exclusive import Occupant, Uses, alone, conflict
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry, Profile, Render
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed, natural

NOTHING = Uses()


@dataclass(frozen=True)
class Inventory:
    """The hosts there are, and those that ``--limit`` allows. ``match`` resolves an inventory pattern."""

    hosts: Sequence[str]
    allowed: Collection[str]
    match: Callable[[str], Iterable[str]]


@dataclass(frozen=True)
class Settings:
    """What the caller sets for one plan, from play and command-line variables."""

    deployment: str
    state_dir: str = STATE_DIR
    env: Mapping[str, str] = field(default_factory=dict)
    replicas: Mapping[str, int] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    pull: str = "missing"
    target_device: str | None = None
    input_source: str | None = None
    render: bool | None = None


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
class Known:
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


@dataclass(frozen=True)
class Wish:
    """What one entry asks for. ``hosts`` are those that its pattern and ``--limit`` allow; ``limited`` the others."""

    entry: Entry
    pattern: str
    hosts: Sequence[str]
    limited: Sequence[str]
    total: int
    per_host: int | None
    most: int | None
    exclusive: Sequence[str]
    require: Mapping[str, Any]
    shared: bool

    def looks(self) -> bool:
        """Whether placing it depends on what the hosts are, or on which of them it runs."""
        return (
            bool(self.require)
            or (self.shared and len(self.hosts) > 1)
            or any(kind != "host" for kind in self.exclusive)
        )


def wishes(
    profile: Profile, inventory: Inventory, settings: Settings, render: Render, variables: Mapping[str, Any]
) -> list[Wish]:
    """What each entry asks for, in the order of the profile.

    Raises ProfileError for a pattern without hosts, and for a setting that names no container.
    """
    _check_settings(profile, settings)
    return [_wish(entry, inventory, settings, render, variables) for entry in profile.entries]


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


def place(wished: Sequence[Wish], deployment: str, known: Known | None = None) -> Placement:
    """Fill the hosts. Without ``known``, as if every host met what is required of it.

    What is exclusive chooses first, and of that what has the fewest hosts; all else follows in the order of the
    profile. A host that has not answered counts as one that meets the requirements: a fleet must not shrink only
    because a host is silent. Raises ProfileError for replicas that find no room.
    """
    sharing = any(wish.exclusive for wish in wished)
    occupied: dict[str, list[Occupant]] = {}
    slots: dict[str, list[Slot]] = {}
    left_out: dict[str, dict[str, list[str]]] = {}
    for wish in sorted(wished, key=lambda wish: (not wish.exclusive, len(wish.hosts) if wish.exclusive else 0)):
        name = wish.entry.name
        uses = {host: known.uses(wish.entry, host) for host in wish.hosts} if sharing and known else {}
        left_out[name] = _left_out(wish, known, uses, occupied)
        slots[name] = _fill(wish, deployment, left_out[name], uses)
        if sharing:
            for host in {slot.host for slot in slots[name]}:
                occupied.setdefault(host, []).append(Occupant(name, wish.exclusive, uses.get(host, NOTHING)))
    names = [wish.entry.name for wish in wished]
    return Placement(
        [slot for name in names for slot in slots[name]], {name: left_out[name] for name in names if left_out[name]}
    )


def _check_settings(profile: Profile, settings: Settings) -> None:
    names = [entry.name for entry in profile.entries]
    for variable, given in (("profile_replicas", settings.replicas), ("profile_place", settings.place)):
        for name in given:
            if name not in names:
                raise profile.entries[0].error(f"{variable} names {name!r}, but the profile has {', '.join(names)}")


def _wish(entry: Entry, inventory: Inventory, settings: Settings, render: Render, variables: Mapping[str, Any]) -> Wish:
    pattern, hosts, limited = _hosts(entry, inventory, settings, render, variables)
    total, per_host = entry.value("replicas", render, variables), entry.value("replicas_per_host", render, variables)
    if entry.name in settings.replicas:
        total, per_host = entry.parse("replicas", settings.replicas[entry.name]), None
    if total is not None and per_host is not None:
        raise entry.error("give replicas or replicas_per_host, not both", "replicas")
    return Wish(
        entry=entry,
        pattern=pattern,
        hosts=hosts,
        limited=limited,
        total=total or 1,
        per_host=per_host,
        most=entry.value("max_per_host", render, variables),
        exclusive=entry.value("exclusive", render, variables),
        require=entry.value("require", render, variables) or {},
        shared=entry.value("shared", render, variables),
    )


def _hosts(
    entry: Entry, inventory: Inventory, settings: Settings, render: Render, variables: Mapping[str, Any]
) -> tuple[str, list[str], list[str]]:
    """The pattern, its hosts, and those of its hosts that ``--limit`` leaves out."""
    pattern = settings.place.get(entry.name) or entry.value("hosts", render, variables)
    matched = sorted(set(inventory.match(pattern)), key=natural)
    if not matched and len(inventory.hosts) == 1:
        # The whole profile runs on the only machine there is; --limit never causes that.
        matched = list(inventory.hosts)
    if not matched:
        raise entry.error(
            f"the pattern {pattern!r} matches no host of the inventory: add hosts to it, "
            f'or place the container with -e \'{{"profile_place": {{"{entry.name}": "PATTERN"}}}}\'',
            "hosts",
        )
    hosts = [host for host in matched if host in inventory.allowed]
    if not hosts:
        raise entry.error(f"--limit leaves out every host of the pattern {pattern!r} ({listed(matched)})", "hosts")
    return pattern, hosts, [host for host in matched if host not in inventory.allowed]


def _left_out(
    wish: Wish, known: Known | None, uses: Mapping[str, Uses], occupied: Mapping[str, Sequence[Occupant]]
) -> dict[str, list[str]]:
    """The hosts that a filter leaves out, by reason."""
    reasons: dict[str, list[str]] = {"--limit": list(wish.limited)} if wish.limited else {}
    for host in wish.hosts:
        facts = known.facts(host) if known and wish.require else None
        reason = None if facts is None else require.unmet(wish.require, facts)
        conflicts = (conflict(wish.exclusive, uses.get(host, NOTHING), there) for there in occupied.get(host, ()))
        reason = reason or next(filter(None, conflicts), None)
        if reason:
            reasons.setdefault(reason, []).append(host)
    return reasons


def _fill(wish: Wish, deployment: str, left_out: Mapping[str, Sequence[str]], uses: Mapping[str, Uses]) -> list[Slot]:
    out = {host for hosts in left_out.values() for host in hosts}
    rooms = {host: _room(wish, uses.get(host, NOTHING)) for host in wish.hosts if host not in out}
    total = wish.total if wish.per_host is None else wish.per_host * len(rooms)
    turns = list(islice(_rounds({host: most for host, (most, _filter) in rooms.items()}), total))
    short = any(most is not None and most < (wish.per_host or 0) for most, _filter in rooms.values())
    if not rooms or short or len(turns) < total:
        raise _no_room(wish, rooms, left_out)
    why = _why(wish, len(rooms))
    # Numbered host by host where each host has its own number, so that a host more at the end renames nothing.
    order = sorted(range(total), key=lambda turn: (turn % len(rooms), turn)) if wish.per_host else range(total)
    return [
        Slot(f"{deployment}-{wish.entry.name}-{index}", wish.entry.name, index, turns[turn], why, turn)
        for index, turn in enumerate(order, start=1)
    ]


def _room(wish: Wish, uses: Uses) -> tuple[int | None, str]:
    """How many replicas a host can carry (None: any number), and the filter that says so."""
    if only := alone(wish.exclusive, uses):
        return 1, only
    return wish.most, "max_per_host"


def _rounds(rooms: Mapping[str, int | None]) -> Iterator[str]:
    """Hosts in the order in which they are filled: each takes one before one takes its next."""
    taken = 0
    open_hosts = list(rooms)
    while open_hosts:
        yield from open_hosts
        taken += 1
        open_hosts = [host for host in open_hosts if (most := rooms[host]) is None or most > taken]


def _why(wish: Wish, taking: int) -> str:
    there = len(wish.hosts) + len(wish.limited)
    hosts = f"{wish.pattern} has {there} host{'' if there == 1 else 's'}"
    if taking < there:
        hosts += f", of which {taking} can take it"
    if wish.per_host is not None:
        return f"{hosts}; {wish.per_host} on each"
    return f"{hosts}; {wish.total} in all" + (", dealt evenly" if wish.total > 1 else "")


def _no_room(
    wish: Wish, rooms: Mapping[str, tuple[int | None, str]], left_out: Mapping[str, Sequence[str]]
) -> ProfileError:
    """All hosts of the pattern, each with the filter that keeps it from taking more."""
    filters: dict[str, list[str]] = {}
    for host, (most, reason) in rooms.items():
        if most is not None:
            filters.setdefault(f"{reason} allows {most} on each", []).append(host)
    filters |= {reason: list(hosts) for reason, hosts in left_out.items()}
    told = "; ".join(f"{listed(hosts)}: {reason}" for reason, hosts in filters.items())
    number = wish.per_host or wish.total
    replicas = f"{number} replica{' does' if number == 1 else 's do'} not fit"
    return wish.entry.error(
        f"{replicas} on {'each of ' if wish.per_host else ''}the hosts of {wish.pattern!r}: {told}",
        "max_per_host" if rooms and wish.most else "hosts",
    )
