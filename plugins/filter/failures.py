# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: what went wrong on which host, in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import wave_outcome


def failures(hostvars: Mapping[str, Mapping[str, Any]], hosts: Iterable[str], registered: str) -> list[str]:
    """``HOST: message`` for every host whose registered result tells of a failure."""
    found: list[str] = []
    for host in hosts:
        found += wave_outcome.failures(host, hostvars[host].get(registered) or {})
    return found


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"failures": failures}
