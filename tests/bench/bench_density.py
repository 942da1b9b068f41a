# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for stream density against upstream's climb, on a model of a noisy machine.

    PYTHONPATH=.collections python tests/bench/bench_density.py

Exit status 1 where an answer lies above the capacity by more than 2 %, fewer than 97 % lie within max(1, 2 %) of the
truth, or the search takes a larger part of the climb's time than it may.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import latest

MOST_TIME = {4: 0.6, 16: 0.33, 64: 0.15, 256: 0.05}
LEAST_RIGHT = 0.97
MODEL = Path(__file__).resolve().parents[1] / "unit" / "plugin_utils" / "density" / "shared_capacity.py"


def _model() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shared_capacity", MODEL)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def main() -> int:
    """Run all, print the table, write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400, help="searches at each capacity")
    parser.add_argument("--climbs", type=int, default=40, help="climbs at each capacity")
    parser.add_argument("--output", type=Path, default=latest.LATEST)
    args = parser.parse_args()
    model = _model()
    good, record = True, {}
    print("streams  search s  climb s  part of the climb's time  within max(1, 2 %)  over by > 2 %")
    for truth, most_time in MOST_TIME.items():
        found = model.compared(truth, args.runs, args.climbs)
        fine = found.right >= LEAST_RIGHT and found.over == 0.0 and found.time_vs_linear <= most_time
        good = good and fine
        print(
            f"{truth:7d}  {found.seconds:8.0f}  {found.climb_seconds:7.0f}  {found.time_vs_linear:11.3f} (of"
            f" {most_time:g})      {found.right:17.1%}  {found.over:13.1%}{'' if fine else '  MISSED'}"
        )
        record[str(truth)] = {
            "time_vs_linear": round(found.time_vs_linear, 4),
            "right": round(found.right, 4),
            "over": round(found.over, 4),
        }
    latest.write(args.output, {"density": record})
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
