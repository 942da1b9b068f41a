# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The order of starting: waves from ``depends_on``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.retail.profiles.plugins.plugin_utils.profile import Profile


def waves(profile: Profile, depends_on: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The wave of each container, from 0: one more than the latest of what it depends on.

    Raises ProfileError for an unknown name and for a cycle, which it shows.
    """
    names = [entry.name for entry in profile.entries]
    for entry in profile.entries:
        for needed in depends_on[entry.name]:
            if needed not in names:
                raise entry.error(f"depends on {needed!r}, but the profile has {', '.join(names)}", "depends_on")
    numbers: dict[str, int] = {}
    for name in names:
        _number(profile, name, depends_on, numbers, ())
    return numbers


def _number(
    profile: Profile,
    name: str,
    depends_on: Mapping[str, Sequence[str]],
    numbers: dict[str, int],
    trail: tuple[str, ...],
) -> int:
    if name in trail:
        cycle = " -> ".join((*trail[trail.index(name) :], name))
        raise profile.entry(name).error(f"the containers depend on each other in a circle: {cycle}", "depends_on")
    if name not in numbers:
        needed = [_number(profile, other, depends_on, numbers, (*trail, name)) for other in depends_on[name]]
        numbers[name] = max(needed, default=-1) + 1
    return numbers[name]
