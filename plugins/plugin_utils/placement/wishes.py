# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a profile wishes for, container by container: how many replicas, on which hosts of the inventory."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import STATE_DIR
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import together
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry, Profile, Render
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed, natural

#: of one container, and of a plan
MOST_REPLICAS = 10_000
MOST_IN_ALL = 20_000


@dataclass(frozen=True)
class Inventory:
    """The hosts there are, and those that ``--limit`` allows. ``match`` resolves an inventory pattern."""

    hosts: Sequence[str]
    allowed: Collection[str]
    match: Callable[[str], Iterable[str]]


@dataclass(frozen=True)
class Streams:
    """So many streams of each of these containers: its replicas, or what its variable ``env`` says to each of them.

    ``hosts``: they are counted on each host by itself, and there are so many on these; None: on all hosts together.
    """

    number: int
    containers: tuple[str, ...]
    env: str | None = None
    hosts: Mapping[str, int] | None = None

    def are_replicas(self, container: str) -> bool:
        return self.env is None and container in self.containers

    def on(self, host: str) -> int:
        """How many there are for what runs on a host."""
        return self.number if self.hosts is None else self.hosts.get(host, self.number)

    def variables(self, container: str, host: str) -> dict[str, str]:
        """What they say to a container on a host."""
        return {self.env: str(self.on(host))} if self.env is not None and container in self.containers else {}

    def as_plan(self, slots: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """As the plan holds them, whose replicas are of these containers on these hosts."""
        used = sorted({host for container, host in slots if container in self.containers}, key=natural)
        hosts = None if self.hosts is None else {host: self.on(host) for host in used}
        return {"number": self.number, "containers": list(self.containers), "env": self.env, "hosts": hosts}


@dataclass(frozen=True)
class PlanSettings:
    """What the caller sets for one plan, from play and command-line variables."""

    deployment: str
    state_dir: str = STATE_DIR
    env: Mapping[str, str] = field(default_factory=dict)
    env_wins: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)
    replicas: Mapping[str, int] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    pull: str = "missing"
    target_device: str | None = None
    input_source: str | None = None
    render: bool | None = None
    objectives: Sequence[Mapping[str, Any]] | None = None
    streams: Streams | None = None

    @property
    def interpolated(self) -> dict[str, str]:
        """What files of the profile may be written with: ``profile_variables`` above ``profile_env``."""
        return {**self.env, **self.variables}


@dataclass(frozen=True)
class Wish:
    """What one entry asks for. ``hosts`` are those that its pattern and ``--limit`` allow; ``limited`` the others.

    ``by_host``: the number of replicas on hosts that have another than ``per_host``. ``together``: the containers whose
    network, namespaces or volumes it shares.
    """

    entry: Entry
    pattern: str
    hosts: Sequence[str]
    limited: Sequence[str]
    total: int
    per_host: int | None
    by_host: Mapping[str, int] | None
    most: int | None
    exclusive: Sequence[str]
    require: Mapping[str, Any]
    shared: bool
    together: Sequence[str]

    def looks(self) -> bool:
        """Whether placing it depends on what the hosts are, or on which of them it runs."""
        return (
            bool(self.require)
            or (self.shared and len(self.hosts) > 1)
            or any(kind != "host" for kind in self.exclusive)
        )


def wishes(
    profile: Profile, inventory: Inventory, settings: PlanSettings, render: Render, variables: Mapping[str, Any]
) -> list[Wish]:
    """What each entry asks for, in the order of the profile.

    Raises ProfileError for a pattern without hosts, and for a setting that names no container.
    """
    _check_settings(profile, settings)
    names = [entry.name for entry in profile.entries]
    wished = [_wish(entry, inventory, settings, render, variables, names) for entry in profile.entries]
    _check_numbers(wished)
    return wished


def _check_numbers(wished: Sequence[Wish]) -> None:
    in_all = 0
    for wish in wished:
        number = wish.total if wish.per_host is None else wish.per_host * len(wish.hosts)
        in_all += number
        field = "replicas" if wish.per_host is None else "replicas_per_host"
        if number > MOST_REPLICAS:
            shown = str(number) if number < 10**15 else "so many"
            raise wish.entry.error(f"{shown} replicas are more than the {MOST_REPLICAS} that are planned", field)
        if in_all > MOST_IN_ALL:
            raise wish.entry.error(f"with these, {in_all} replicas are more than the {MOST_IN_ALL} of a plan", field)


def _check_settings(profile: Profile, settings: PlanSettings) -> None:
    names = [entry.name for entry in profile.entries]
    for variable, given in (("profile_replicas", settings.replicas), ("profile_place", settings.place)):
        for name in given:
            if name not in names:
                raise _unknown(variable, name, names)
    for name in settings.streams.containers if settings.streams is not None else ():
        if name not in names:
            raise _unknown("density", name, names)


def _unknown(variable: str, name: str, names: Sequence[str]) -> ProfileError:
    near = difflib.get_close_matches(name, names, n=1)
    hint = f": did you mean {near[0]!r}?" if near else ""
    return ProfileError(f"{variable} names {name!r}, but the profile has {', '.join(names)}{hint}")


def _wish(
    entry: Entry,
    inventory: Inventory,
    settings: PlanSettings,
    render: Render,
    variables: Mapping[str, Any],
    names: Collection[str],
) -> Wish:
    pattern, hosts, limited = _hosts(entry, inventory, settings, render, variables)
    total, per_host = entry.value("replicas", render, variables), entry.value("replicas_per_host", render, variables)
    by_host: Mapping[str, int] | None = None
    streams = settings.streams
    if streams is not None and streams.are_replicas(entry.name):
        total, per_host = (streams.number, None) if streams.hosts is None else (None, streams.number)
        by_host = streams.hosts
    elif entry.name in settings.replicas:
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
        by_host=by_host,
        most=entry.value("max_per_host", render, variables),
        exclusive=entry.value("exclusive", render, variables),
        require=entry.value("require", render, variables) or {},
        shared=entry.value("shared", render, variables),
        together=together.of(entry, names),
    )


def _hosts(
    entry: Entry, inventory: Inventory, settings: PlanSettings, render: Render, variables: Mapping[str, Any]
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
