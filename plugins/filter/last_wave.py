# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: the last wave of a plan in which a host has something to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.aftermath import last_wave


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"last_wave": last_wave}
