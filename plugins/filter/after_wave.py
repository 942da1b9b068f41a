# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: what is not to be started any more, after a wave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import wave_outcome


def after_wave(
    answer: Mapping[str, Any],
    hostvars: Mapping[str, Mapping[str, Any]],
    wave: int,
    registered: Iterable[str],
    before: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The outcome of a wave, see :class:`wave_outcome.WaveOutcome`: *registered* hold each host's results.

    *before*: what this filter told after the wave before.
    """
    plan, names = answer["plan"], list(registered)
    results = {host: [hostvars[host].get(name) or {} for name in names] for host in plan["hosts"]}
    return wave_outcome.after_wave(wave_outcome.outcome_of(before or {}), plan, int(wave), results).as_dict()


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"after_wave": after_wave}
