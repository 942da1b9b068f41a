# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers that deployments share: names, and what a plan may hold of them.

The plan of a shared replica must come out the same for every deployment that uses it. So it is named after the profile
in which it is written, and all that it depends on is shared, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.retail.profiles.plugins.module_utils.common.names import SHARED, is_shared
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.fleet import Fleet
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.place import Placement, Slot
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import Wish
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry, Profile
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import field_types


def deployment(value: str) -> str:
    """The name of a deployment. ValueError where it is not one, or that of a shared replica."""
    name: str = field_types.name(value)
    if is_shared(name):
        raise ValueError(f"the deployment {name!r}: names that begin with {SHARED!r} are those of shared containers")
    return name


def owner(slot: Slot, deployment: str) -> str:
    """The deployment to which all of a replica belongs: a shared one is a deployment of its own."""
    return slot.replica if is_shared(slot.replica) else deployment


def placed(placement: Placement, wished: Sequence[Wish], fleet: Fleet | None) -> Sequence[Slot]:
    """The slots, those of shared containers with the names that they have in every deployment, and where they run.

    Raises ProfileError where two containers of the profile would be the same shared one.
    """
    stems: dict[str, str] = {}
    for wish in wished:
        if wish.shared:
            stem = _stem(wish.entry)
            if stem in stems.values():
                raise wish.entry.error(
                    f"another container of this profile is the shared {stem}, too: set shared: false in one of them",
                    "shared",
                )
            stems[wish.entry.name] = stem
    if not stems:
        return placement.slots
    usable = {wish.entry.name: _usable(wish, placement) for wish in wished if wish.shared}
    slots = []
    for slot in placement.slots:
        if slot.container in stems:
            slot = replace(slot, replica=f"{stems[slot.container]}-{slot.index}")
            slot = _where_it_runs(slot, usable[slot.container], fleet) if fleet else slot
        slots.append(slot)
    return slots


def _usable(wish: Wish, placement: Placement) -> list[str]:
    out = {host for hosts in placement.left_out.get(wish.entry.name, {}).values() for host in hosts}
    return [host for host in wish.hosts if host not in out]


def _where_it_runs(slot: Slot, usable: Sequence[str], fleet: Fleet) -> Slot:
    """The slot on the host where another deployment has started the replica already."""
    there = [host for host in usable if fleet.has_shared(host, slot.replica)]
    if not there or slot.host in there:
        return slot
    return replace(slot, host=there[0], why=f"{slot.why}; it is on {there[0]} already")


def _stem(entry: Entry) -> str:
    profile, container = entry.origin
    try:
        field_types.name(profile)
    except ValueError as error:
        raise entry.error(f"a shared container is named after its profile's folder: {error}", "shared") from error
    return f"{SHARED}{profile}-{container}"


def check(slots: Sequence[Slot], consumes: Mapping[str, Sequence[str]], profile: Profile) -> None:
    """Raise ProfileError for a shared container that uses one that is not."""
    own = {slot.container for slot in slots if is_shared(slot.replica)}
    for name in consumes:
        others = [other for other in consumes[name] if name in own and other not in own]
        if others:
            raise profile.entry(name).error(
                f"it uses {', '.join(others)}, which every deployment has for itself: "
                "share that, too, or do not share this",
                "shared",
            )
