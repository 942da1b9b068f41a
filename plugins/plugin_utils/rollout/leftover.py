# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was on the hosts before a plan is applied, by its snapshot: what stays, and what is removed first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.names import DEPLOYMENT_LABEL, SPEC_LABEL
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout.wave_outcome import dependants
from ansible_collections.retail.profiles.plugins.plugin_utils.text.metric_sources import FILE

Plan = Mapping[str, Any]


def standing(plan: Plan, host: str) -> list[str]:
    """The replicas of the plan that were on the host before the rollout."""
    there = _there(plan, host)
    return [name for name in _own(plan, host) if name in there]


def leaving(plan: Plan, left_on: Iterable[str]) -> dict[str, list[str]]:
    """By host on which something is to be removed before the plan is applied, the replicas that stay there.

    ``left_on``: the hosts that the run before has used. A replica stays where it is as the plan wants it, and so is all
    that it depends on: a client of a server that is made anew begins anew. Nothing stays on a host that is not used any
    more.
    """
    changed = {name for name in plan["replicas"] if not _goes_on(plan, name)}
    changed |= dependants(plan, changed)
    found = {}
    for host in left_on:
        # A shared one is never removed here: others may use it.
        stays = [name for name in _own(plan, host) if name not in changed or plan["replicas"][name]["shared"]]
        if host not in plan["hosts"] or _there(plan, host) - set(stays):
            found[host] = stays
    return found


def _goes_on(plan: Plan, name: str) -> bool:
    """Whether a replica is there, made of what the plan makes it of, and does its part of the next run as it is.

    That is not one that has ended, unless it was to end; nor one whose files tell of all the time since it started.
    """
    replica = plan["replicas"][name]
    container = _containers(plan, replica["host"]).get(name)
    if container is None or container["labels"].get(SPEC_LABEL) != replica["task"]["labels"][SPEC_LABEL]:
        return False
    if any(FILE in rule for rule in (replica["metrics"] or {}).values()):
        return False
    return container["running"] or any(probe["kind"] == "exited" for probe in replica["ready"])


def _own(plan: Plan, host: str) -> Iterable[str]:
    names: Iterable[str] = plan["hosts"].get(host, {}).get("replicas", ())
    return names


def _there(plan: Plan, host: str) -> set[str]:
    """The containers of the deployment on a host."""
    containers = _containers(plan, host).items()
    return {name for name, item in containers if item.get("labels", {}).get(DEPLOYMENT_LABEL) == plan["deployment"]}


def _containers(plan: Plan, host: str) -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = (plan.get("snapshot") or {}).get(host, {}).get("containers") or {}
    return found
