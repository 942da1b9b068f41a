# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: who gets which images from whom."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def images_seeding(
    hostvars: Mapping[str, Mapping[str, Any]],
    hosts: Iterable[str],
    wanted: Iterable[Mapping[str, Any]],
    builder: Mapping[str, Any],
    registered: str,
) -> dict[str, Any]:
    """What image_seeding.plan answers, with the inventory's ``addresses`` of each host that lacks something."""
    # Ansible loads all of a collection's filters to find one: what one needs is imported when it is used.
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import untagged
    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.planner_input import resolved
    from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import image_seeding

    found = {host: (hostvars[host].get(registered) or {}).get("engine") for host in hosts}
    facts = {host: untagged(engine) for host, engine in found.items() if engine}
    planned = image_seeding.plan(untagged(list(wanted)), untagged(builder), facts)
    for host, item in planned["hosts"].items():
        own = hostvars[host]
        item["addresses"] = resolved(str(own.get("profile_address") or own.get("ansible_host") or host))
    return planned


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"images_seeding": images_seeding}
