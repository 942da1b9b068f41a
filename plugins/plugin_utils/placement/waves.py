# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order of starting: waves from ``depends_on``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Profile


def waves(profile: Profile, depends_on: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """The wave of each container, from 0: one more than the latest of what it depends on.

    Raises ProfileError for an unknown name and for a cycle, which it shows.
    """
    names = {entry.name: None for entry in profile.entries}
    for entry in profile.entries:
        for needed in depends_on[entry.name]:
            if needed not in names:
                raise entry.error(f"depends on {needed!r}, but the profile has {', '.join(names)}", "depends_on")
    numbers: dict[str, int] = {}
    try:
        for name in TopologicalSorter(depends_on).static_order():
            numbers[name] = max((numbers[needed] for needed in depends_on[name]), default=-1) + 1
    except CycleError as error:
        cycle: list[str] = error.args[1][::-1]
        raise profile.entry(cycle[0]).error(
            f"the containers depend on each other in a circle: {' -> '.join(cycle)}", "depends_on"
        ) from error
    return numbers
