# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: the replicas of a plan that are measured on one host."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")  # the labels that may follow choose on the controller
_WITHOUT_OWN = ("host", "none")


def host_replicas(plan: Mapping[str, Any], host: str) -> list[dict[str, Any]]:
    """The measured replicas of ``host`` as ``profile_measure`` takes them, in the plan's order of names.

    None of a host that the plan does not use.
    """
    names = sorted(plan["hosts"].get(host, {}).get("replicas", ()))
    return [
        {
            "name": name,
            "prometheus": _prometheus(replica),
            "network": _network(replica["task"]),
            "files": sorted(
                {str(rule["file"]) for rule in (replica.get("metrics") or {}).values() if rule.get("file")}
            ),
        }
        for name, replica in ((name, plan["replicas"][name]) for name in names)
        if replica.get("measured", True)
    ]


def _prometheus(replica: Mapping[str, Any]) -> dict[str, Any] | None:
    target = replica.get("prometheus")
    if not target:
        return None
    rules = (str(rule["prometheus"]) for rule in (replica.get("metrics") or {}).values() if rule.get("prometheus"))
    names = {match.group() for rule in rules if (match := _METRIC_NAME.match(rule.strip()))}
    return {"port": target["port"], "path": target.get("path") or "/metrics", "prefixes": sorted({"ovms_", *names})}


def _network(task: Mapping[str, Any]) -> str:
    mode = str(task.get("network_mode") or "")
    return mode if mode in _WITHOUT_OWN or mode.startswith("container:") else "own"


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"host_replicas": host_replicas}
