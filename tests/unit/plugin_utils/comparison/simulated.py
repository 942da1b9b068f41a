# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up runs for comparisons: the record and plan of one that was played, with figures of the test's."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.runs import ComparedRun, read

#: by key, a usual value, and the standard deviation of its logarithm from run to run, as 4 runs of the profile ovms on
#: a lab of 4 hosts had it
MEASURED: dict[str, tuple[float, float]] = {
    "fps": (45.0, 0.0004),
    "latency_seconds.p50": (0.0160, 0.068),
    "latency_seconds.p99": (0.195, 0.044),
    "ovms-server:cpu_cores": (0.522, 0.023),
    "ovms-server:inference_seconds": (0.0102, 0.0187),
    "ovms-server:request_seconds": (0.0131, 0.0258),
}
SLOWER = {key: 1.05 if key != "fps" else 1.0 / 1.05 for key in MEASURED}
"""By which a slowdown of 5 % multiplies each."""


def run_with(base: ComparedRun, number: int, figures: Mapping[str, float]) -> ComparedRun:
    """A run of its own with these figures by key: of all replicas together, or of the replicas of a container."""
    changed = copy.deepcopy({key: base.record[key] for key in ("totals", "metrics")})
    record = {**base.record, **changed, "run_id": f"ovms-{number}"}
    for key, value in figures.items():
        container, _colon, name = key.rpartition(":")
        metric, _dot, statistic = name.partition(".")
        if not container:
            record["totals"].setdefault(metric, {"unit": "x"})[statistic or "mean"] = value
        for replica, known in record["containers"].items():
            if known["container"] == container:
                record["metrics"][replica].setdefault(metric, {"unit": "x"})[statistic or "mean"] = value
    return ComparedRun(base.path.with_name(f"run-{number}"), record, base.plan)


def write_copy(of: Path, folder: Path, name: str, **changes: Any) -> Path:
    """A copy of a run's record and plan under another name, with other values of the record."""
    run = read(of)
    target = folder / name
    target.mkdir(parents=True)
    (target / "run.json").write_text(json.dumps({**run.record, "run_id": name, **changes}))
    (target / "plan.json").write_text(json.dumps(run.plan))
    return target
