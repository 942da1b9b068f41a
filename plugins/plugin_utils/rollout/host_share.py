# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each host has to run of a plan: the argument ``share`` of profile_apply."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.names import DEPLOYMENT_LABEL, digest


def share_id(plan: Mapping[str, Any], host: str) -> str:
    """Digest of a host's share of all waves."""
    return digest(share(plan, host))


def share(plan: Mapping[str, Any], host: str, wave: int | None = None, out: Container[str] = ()) -> dict[str, Any]:
    """One host's share of one wave, or of all waves, but for replicas in *out*: the argument of profile_apply."""
    own = plan["hosts"].get(host, {"networks": [], "files": [], "paths": [], "replicas": []})
    due = [name for name in own["replicas"] if wave in (None, plan["replicas"][name]["wave"])]
    names = [name for name in due if name not in out]
    common = [name for name in names if plan["replicas"][name]["shared"]]
    mine = [name for name in names if not plan["replicas"][name]["shared"]]
    return {
        **_belonging(plan, own, plan["deployment"], mine),
        "paths": own["paths"],
        "shared": [_belonging(plan, own, name, [name]) for name in common],
    }


def remaining(plan: Mapping[str, Any], converged: Container[str]) -> dict[str, Any]:
    """What is to be applied, leaving out hosts that are *converged*.

    ``due``: the waves (from 0) in which something is to be done. ``ends``: by host, its last wave.
    """
    waves = {
        host: {int(plan["replicas"][name]["wave"]) for name in own["replicas"]}
        for host, own in plan["hosts"].items()
        if own["replicas"] and host not in converged
    }
    return {"due": sorted(set().union(*waves.values())), "ends": {host: max(due) for host, due in waves.items()}}


def _belonging(
    plan: Mapping[str, Any], own: Mapping[str, Any], deployment: str, names: Sequence[str]
) -> dict[str, Any]:
    """Replicas of a host with the networks of their deployment, and the files that they mount."""
    fields = ("container", "task", "pull", "ready", "reach")
    replicas = [{"name": name, **{field: plan["replicas"][name][field] for field in fields}} for name in names]
    needed = {dest for name in names for dest in plan["replicas"][name]["files"]}
    return {
        "networks": [item for item in own["networks"] if item["labels"][DEPLOYMENT_LABEL] == deployment],
        "files": [item for item in own["files"] if item["dest"] in needed],
        "replicas": replicas,
    }
