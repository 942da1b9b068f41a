# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that is made again: what it was made with, held against what hosts have now. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import DEFAULTS
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import differences
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.differences import Difference
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.runs import ComparedRun


def image_ids(run: ComparedRun) -> dict[str, str]:
    """By replica, the image that it ran with; of one that never ran, that of the plan. Left out where none is known."""
    known = {name: container.get("image_id") for name, container in run.record["containers"].items()}
    ids = {name: known.get(name) or replica.get("image_id") for name, replica in run.plan["replicas"].items()}
    return {name: str(image_id) for name, image_id in ids.items() if image_id}


def models(run: ComparedRun) -> dict[str, dict[str, Any]]:
    """By host, the digests of its models by path; left out where the record has none."""
    return {host: dict(known["models"]) for host, known in run.record["hosts"].items() if known.get("models")}


def measuring(run: ComparedRun) -> dict[str, float]:
    """The variables by which the run was measured; empty where its record does not say it."""
    variables = run.record.get("variables") or {}
    return {name: variables[name] for name in DEFAULTS if name in variables}


def system_differences(run: ComparedRun, snapshots: Mapping[str, Mapping[str, Any]]) -> list[Difference]:
    """What differs of the hosts' systems from the record to their snapshots of now."""
    recorded = dict(_facts({host: known["system"] for host, known in run.record["hosts"].items()}))
    now = dict(_facts({host: snapshot.get("system") or {} for host, snapshot in snapshots.items()}))
    return differences.between([recorded], [now])


def _facts(systems: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[differences.Key, str]]:
    for host, system in systems.items():
        yield from differences.of_system(host, system)
