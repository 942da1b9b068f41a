# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: transfers of images with the addresses of those that receive them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def images_routed(
    transfers: Iterable[Mapping[str, Any]], listeners: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """See :func:`image_seeding.routed`."""
    # Ansible loads all of a collection's filters to find one: what one needs is imported when it is used.
    from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import image_seeding

    return image_seeding.routed(transfers, listeners)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"images_routed": images_routed}
