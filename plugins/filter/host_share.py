# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: one host's share of a plan."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from typing import Any


def host_share(plan: Mapping[str, Any], host: str, wave: int | None = None, out: Container[str] = ()) -> dict[str, Any]:
    """The share of ``host`` in wave number ``wave`` (from 0), or in all waves, but for the replicas in ``out``."""
    # Ansible loads all of a collection's filters to find one: what one needs is imported when it is used.
    from ansible_collections.retail.profiles.plugins.plugin_utils.plan import share

    return share(plan, host, wave, out)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"host_share": host_share}
