# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: what kept hosts from getting their images."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

_REGISTERED = {"images_sent": "sent", "images_resent": "resent", "images_received": "received"}


def images_unseeded(hostvars: Mapping[str, Mapping[str, Any]], hosts: Iterable[str]) -> list[str]:
    """``HOST: why`` for every host without its images; the role's registered results are read from *hostvars*."""
    # Ansible loads all of a collection's filters to find one: what one needs is imported when it is used.
    from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import image_seeding

    results = {host: {short: hostvars[host].get(name) or {} for name, short in _REGISTERED.items()} for host in hosts}
    return image_seeding.failures(results)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"images_unseeded": images_unseeded}
