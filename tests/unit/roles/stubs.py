# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules of a host would answer, for the playbook of `test_playbook`. The hosts' clocks are 100 s ahead."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plugin_utils.synthetic import T0, Fleet, pack

AHEAD = 100.0
SECONDS = 9


def _plan(folder: Path) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads((folder / "plan.json").read_text())
    return plan


def profile_plan(arguments: Mapping[str, Any], host: str, folder: Path) -> dict[str, Any]:
    run_dir = str(folder / "results" / "run-1")
    said = {"live": arguments.get("live"), "repeats": arguments.get("repeats")}
    return {"plan": _plan(folder), "run_id": "run-1", "run_dir": run_dir, **said}


def profile_apply(arguments: Mapping[str, Any], host: str, folder: Path) -> dict[str, Any]:
    broken = host == "client1" and (folder / "broken").exists()
    answer = {"status": "failed", "error": "no such image"} if broken else {"status": "created", "error": None}
    replicas = {
        name: {"id": "1", "image_id": "sha256:12", **answer}
        for name, replica in _plan(folder)["replicas"].items()
        if replica["host"] == host and arguments["state"] == "present"
    }
    return {"changed": True, "replicas": replicas, "problems": [], "removed": [], **_invocation(arguments)}


def profile_measure(arguments: Mapping[str, Any], host: str, folder: Path) -> dict[str, Any]:
    now = time.time()
    marker = folder / f"started-{host}"
    if arguments["state"] == "started":
        marker.write_text(str(now))
        return {"pid": 1, "clock": now + AHEAD, **_invocation(arguments)}
    # The samples of the seconds after the start are made up at once: nobody has to wait for them.
    fleet = Fleet(_plan(folder), warm=0.0)
    started = float(marker.read_text())
    raw = b""
    for second in range(SECONDS + 4):
        for sample in fleet.second(host, float(second)):
            sample["t"] += started + AHEAD - T0
            raw += json.dumps(sample).encode() + b"\n"
    return {"data": pack(raw), "offset": len(raw), "clock": now + AHEAD, "alive": True, **_invocation(arguments)}


def _invocation(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {"invocation": {"module_args": {"state": str(arguments["state"])}}}
