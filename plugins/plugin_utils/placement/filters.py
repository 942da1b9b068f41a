# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of placement: each says why a host does not take a container, or no more replicas of it.

A filter is a function and its line in FILTERS. The first that has a reason decides, and its words stand in the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.placement import exclusive, require
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.exclusive import Occupant, Uses
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import Wish
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed


@dataclass
class Candidate:
    """A host as a filter sees it for one container.

    ``allowed``: by ``--limit``. ``facts``: None where it has not answered, or nothing is required of it. ``uses``: what
    the container takes on it. ``occupants``: the containers that are there. ``lacks``: those that the container shares
    something with, and that are not there. ``taken``: how many replicas of this one.
    """

    name: str
    allowed: bool
    facts: Mapping[str, Any] | None
    uses: Uses
    occupants: Sequence[Occupant]
    taken: float = 0
    lacks: Sequence[str] = ()


Filter = Callable[[Wish, Candidate], "str | None"]


def limited(wish: Wish, host: Candidate) -> str | None:
    """``--limit`` leaves it out."""
    return None if host.allowed else "--limit"


def requirements(wish: Wish, host: Candidate) -> str | None:
    """It lacks something of ``require``. A silent host counts as one that has all: a fleet must not shrink by that."""
    return None if host.facts is None else require.unmet(wish.require, host.facts)


def occupied(wish: Wish, host: Candidate) -> str | None:
    """A container that is there shares too little with this one, by the ``exclusive`` of either."""
    conflicts = (exclusive.conflict(wish.exclusive, host.uses, there) for there in host.occupants)
    return next(filter(None, conflicts), None)


def together(wish: Wish, host: Candidate) -> str | None:
    """What it shares its network, namespaces or volumes with is elsewhere."""
    return f"{listed(host.lacks)}, with which it shares, is not there" if host.lacks else None


def alone(wish: Wish, host: Candidate) -> str | None:
    """Replicas of an ``exclusive`` container do not share with each other either."""
    kind = exclusive.alone(wish.exclusive, host.uses) if host.taken else None
    return kind and f"{kind} allows 1 on each"


def max_per_host(wish: Wish, host: Candidate) -> str | None:
    """It has as many as ``max_per_host`` allows."""
    return f"max_per_host allows {wish.most} on each" if wish.most is not None and host.taken >= wish.most else None


#: in the order in which they are asked
FILTERS: tuple[Filter, ...] = (limited, requirements, together, occupied, alone, max_per_host)


def refusal(wish: Wish, host: Candidate) -> str | None:
    """Why the host takes no replica of the container, or no further one; None where it takes one."""
    for reason_of in FILTERS:
        if reason := reason_of(wish, host):
            return reason
    return None
