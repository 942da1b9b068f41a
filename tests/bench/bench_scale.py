# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host more costs the controller: time, processor and memory of asking N hosts and planning for them.

Runs on a lab that is up and prepared. The inventory of N hosts names the lab's hosts again and again, each name with
an SSH connection of its own, so that the controller has the work of N hosts; the lab's hosts share theirs.

    python tests/bench/bench_scale.py --inventory .lab/bench/inventory.yml --hosts 10 100 1000 --forks 20

Each run is a whole plan_profile.yml: start, SSH connections anew, a call on every host, the plan, its printing. "ping"
is a play with ansible.builtin.ping on the same inventory. Memory is the sum of what the playbook and its forks have
alone and their part of what they share (PSS), at its highest, looked at every half second.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
PROFILE = CHECKOUT / "tests" / "bench" / "profiles" / "sleepers"
PING = [{"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.ping": None}]}]


@dataclass(frozen=True)
class Cost:
    """Of one playbook: seconds, processor seconds of the controller, and MiB at the highest."""

    seconds: float
    processor: float
    memory: float


def inventory(lab: Path, number: int, folder: Path) -> Path:
    """An inventory of *number* hosts, which are those of the lab under other names."""
    known = yaml.safe_load(lab.read_text(encoding="utf-8").replace("{{ inventory_dir }}", str(lab.parent)))["all"]
    addresses = sorted(
        {host["ansible_host"] for group in known["children"].values() for host in group["hosts"].values()}
    )
    sockets = folder / "ssh"
    sockets.mkdir(exist_ok=True)
    hosts = {
        f"host{index}": {
            "ansible_host": addresses[index % len(addresses)],
            "ansible_control_path": f"{sockets}/{index}",
        }
        for index in range(number)
    }
    file = folder / f"inventory-{number}.yml"
    file.write_text(yaml.safe_dump({"all": {"vars": known["vars"], "hosts": hosts}}), encoding="utf-8")
    return file


def proportional(root: int) -> int:
    """Bytes that the playbook *root* and its forks have (PSS); processes that end meanwhile count nothing."""
    total = 0
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            if root in (int(entry.name), parent):
                lines = (entry / "smaps_rollup").read_text().splitlines()
                total += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
        except (OSError, StopIteration):
            continue
    return total


def play(playbook: Path, file: Path, forks: int, variables: dict[str, Any]) -> Cost:
    """Run a playbook that is to succeed."""
    command = ["ansible-playbook", "-i", str(file), "-f", str(forks), str(playbook), "-e", json.dumps(variables)]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
        "ANSIBLE_STDOUT_CALLBACK": "default",
        "ANSIBLE_NOCOLOR": "1",
    }
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        highest, ended = [0], threading.Event()

        def look() -> None:
            while not ended.wait(0.5):
                highest[0] = max(highest[0], proportional(process.pid))

        thread = threading.Thread(target=look)
        thread.start()
        status = process.wait()
        ended.set()
        thread.join()
        if status:
            output.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{output.read().decode(errors='replace')}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(round(time.monotonic() - begin, 1), round(processor, 1), round(highest[0] / 2**20, 1))


def main() -> None:
    """Measure for each number of hosts, and print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inventory", type=Path, required=True)
    parser.add_argument("--hosts", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--forks", type=int, nargs="+", default=[20])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ping = folder / "ping.yml"
        ping.write_text(yaml.safe_dump(PING), encoding="utf-8")
        for number in options.hosts:
            file = inventory(options.inventory.resolve(), number, folder)
            for forks in options.forks:
                variables = {"profile": str(PROFILE), "profile_replicas": {"sleeper": number}}
                found = {
                    "plan": asdict(play(CHECKOUT / "playbooks" / "plan_profile.yml", file, forks, variables)),
                    "ping": asdict(play(ping, file, forks, {})),
                }
                print(json.dumps({"hosts": number, "forks": forks, **found}), flush=True)
                for socket in (folder / "ssh").iterdir():
                    subprocess.run(
                        ["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "lab"], capture_output=True, check=False
                    )


if __name__ == "__main__":
    main()
