# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Which replica runs on which host: deterministic, even, and explained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.order import natural
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import Entry, Profile, Render


@dataclass(frozen=True)
class Inventory:
    """The hosts there are, and those that ``--limit`` allows. ``match`` resolves an inventory pattern."""

    hosts: Sequence[str]
    allowed: Sequence[str]
    match: Callable[[str], Iterable[str]]


@dataclass(frozen=True)
class Settings:
    """What the caller sets for one plan, from play and command-line variables."""

    deployment: str
    state_dir: str = "/var/lib/retail-profiles"
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
    """One replica's place. ``index`` counts from 1 over the container's replicas."""

    replica: str
    container: str
    index: int
    host: str
    why: str


def place(
    profile: Profile, inventory: Inventory, settings: Settings, render: Render, variables: Mapping[str, Any]
) -> list[Slot]:
    """The slots of all containers, in the order of the profile.

    Raises ProfileError for a pattern without hosts, for replicas that find no room, and for a setting that
    names no container.
    """
    _check_settings(profile, settings)
    slots: list[Slot] = []
    for entry in profile.entries:
        slots.extend(_place_entry(entry, inventory, settings, render, variables))
    return slots


def _check_settings(profile: Profile, settings: Settings) -> None:
    names = [entry.name for entry in profile.entries]
    for variable, given in (("profile_replicas", settings.replicas), ("profile_place", settings.place)):
        for name in given:
            if name not in names:
                raise profile.entries[0].error(f"{variable} names {name!r}, but the profile has {', '.join(names)}")


def _place_entry(
    entry: Entry, inventory: Inventory, settings: Settings, render: Render, variables: Mapping[str, Any]
) -> list[Slot]:
    pattern, hosts = _hosts(entry, inventory, settings, render, variables)
    total, explanation = _count(entry, hosts, settings, render, variables)
    most = entry.value("max_per_host", render, variables)
    if most is not None and total > most * len(hosts):
        raise entry.error(
            f"{total} replicas do not fit on {len(hosts)} hosts of {pattern!r} with max_per_host {most}: "
            f"each of {', '.join(hosts)} is full",
            "max_per_host",
        )
    return [
        Slot(
            replica=f"{settings.deployment}-{entry.name}-{index}",
            container=entry.name,
            index=index,
            host=hosts[(index - 1) % len(hosts)],
            why=f"{pattern} has {len(hosts)} host{'s' if len(hosts) > 1 else ''}; {explanation}",
        )
        for index in range(1, total + 1)
    ]


def _hosts(
    entry: Entry, inventory: Inventory, settings: Settings, render: Render, variables: Mapping[str, Any]
) -> tuple[str, list[str]]:
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
    hosts = [host for host in matched if host in set(inventory.allowed)]
    if not hosts:
        raise entry.error(f"--limit leaves out every host of the pattern {pattern!r} ({', '.join(matched)})", "hosts")
    return pattern, hosts


def _count(
    entry: Entry, hosts: Sequence[str], settings: Settings, render: Render, variables: Mapping[str, Any]
) -> tuple[int, str]:
    total = entry.value("replicas", render, variables)
    per_host = entry.value("replicas_per_host", render, variables)
    if entry.name in settings.replicas:
        total, per_host = entry.parse("replicas", settings.replicas[entry.name]), None
    if total is not None and per_host is not None:
        raise entry.error("give replicas or replicas_per_host, not both", "replicas")
    if per_host is not None:
        return per_host * len(hosts), f"{per_host} on each"
    total = total or 1
    return total, f"{total} in all" + (", dealt evenly" if total > 1 else "")
