# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: the replicas of a plan that were on a host before it was applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.leftover import standing


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"standing": standing}
