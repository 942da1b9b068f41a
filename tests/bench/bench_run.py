# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run takes beside its windows: run_profile.yml against deploying and removing the same containers.

Runs on a lab that is up and prepared (make bench does that), one way after the other in each round, so that what else
the machine does falls on all of them:

    python tests/bench/bench_run.py --inventory .lab/bench/inventory.yml --rounds 5 --output bench/latest.json

run       a whole process of run_profile.yml with one container a host and no warm-up, less the length of its window
deploy    whole processes of deploy_profile.yml and stop_profile.yml with the same containers

Medians, their ratio, and every single time go into the output, with the processor seconds of the controller.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import tempfile
from pathlib import Path
from typing import Any

from bench_apply import Lab
from latest import LATEST, write

WINDOW = 20.0
#: the sleepers that the lab was prepared for, one a host, and measured
PROFILE = {
    "containers": [{"name": "sleeper", "image": "retail/sleeper:1", "networks": ["host"], "replicas_per_host": 1}]
}


def processor() -> float:
    """Processor seconds of all that this process has waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(lab: Lab, rounds: int) -> dict[str, Any]:
    """Seconds and processor seconds of both ways, and the ratio of their medians."""
    profile = lab.folder / "sleepers" / "profile.yml"
    profile.parent.mkdir()
    profile.write_text(json.dumps(PROFILE), encoding="utf-8")
    run = {"measure_warmup_max": 0, "measure_duration": WINDOW, "profile_results_dir": str(lab.folder / "results")}
    ways: dict[str, dict[str, dict[str, Any]]] = {
        "run": {"run_profile": run},
        "deploy": {"deploy_profile": {}, "stop_profile": {}},
    }
    times: dict[str, list[float]] = {}
    for _round in range(rounds):
        for way, playbooks in ways.items():
            begun, seconds = processor(), 0.0
            for playbook, more in playbooks.items():
                variables = {"profile": str(profile.parent), **more}
                seconds += lab.play(f"playbooks/{playbook}.yml", "-e", json.dumps(variables))
            seconds -= WINDOW if way == "run" else 0.0
            times.setdefault(f"{way}_seconds", []).append(round(seconds, 3))
            times.setdefault(f"{way}_processor", []).append(round(processor() - begun, 3))
            print(f"  {way}: {seconds:.2f} s, {times[f'{way}_processor'][-1]:.2f} s of the processor", flush=True)
    median = {name: statistics.median(values) for name, values in times.items()}
    ratio = median["run_seconds"] / median["deploy_seconds"]
    print(f"  a run takes {ratio:.2f} times as long as deploying and removing, its window left out", flush=True)
    return {"run_vs_deploy": round(ratio, 3), "medians": median, "seconds": times}


def main() -> None:
    """Measure, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inventory", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, default=LATEST)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write(given.output, {"run": measure(Lab(given.inventory.resolve(), Path(folder)), given.rounds)})


if __name__ == "__main__":
    main()
