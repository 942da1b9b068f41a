# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: the token of one receiver of images."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any


def image_token(secret: str, trail: Iterable[str]) -> str:
    """See :func:`image_seeding.token`."""
    # Ansible loads all of a collection's filters to find one: what one needs is imported when it is used.
    from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import image_seeding

    return image_seeding.token(secret, trail)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"image_token": image_token}
