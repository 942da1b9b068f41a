# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is asked in a wave, from what the role ``profile`` knows.

As arguments of a task these would be thirty templates, which Ansible compiles for each host and wave anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.host_share import share


@dataclass(frozen=True)
class RolloutState:
    """Variables of the role: the planner's answer, what the host answered to being asked, and the waves before.

    ``answer``: of profile_plan. ``checked``, ``rechecked``: of profile_apply, the second where it was asked again.
    ``outcome``: of the filter after_wave; empty before the first wave. ``stays``: whether a run goes on with the hosts.
    """

    answer: Mapping[str, Any]
    checked: Mapping[str, Any] = field(default_factory=dict)
    rechecked: Mapping[str, Any] = field(default_factory=dict)
    outcome: Mapping[str, Any] = field(default_factory=dict)
    stays: bool = False


def arguments(state: RolloutState, wave: int, host: str) -> dict[str, Any] | None:
    """The options of profile_apply that bring *host* to its part of *wave*; None where it has nothing to do in it."""
    answer, plan = state.answer, state.answer["plan"]
    if host not in answer["ends"]:
        return None
    # What failed in the waves before, and what depends on it, is left out.
    out = frozenset(() if wave == answer["due"][0] else state.outcome.get("out", ()))
    due = share(plan, host, wave, out)
    if not due["replicas"] and not due["shared"]:
        return None
    again = state.rechecked if host in answer["unchecked"] else {}
    found = {
        "deployment": plan["deployment"],
        "run_id": answer["run_id"],
        "plan_id": plan["plan_id"],
        "state_dir": plan["state_dir"],
        "lease": state.checked.get("lease") or again.get("lease"),
        # A run goes on with the hosts: it gives them back when it has measured.
        "release": wave == answer["ends"][host] and not state.stays,
        "expected": plan["hosts"][host]["replicas"],
        "share": due,
        "sources": answer["sources"],
        "missing": [*state.checked.get("missing", ()), *state.rechecked.get("missing", ())],
    }
    return {option: value for option, value in found.items() if value is not None}
