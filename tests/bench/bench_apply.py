# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What bringing a fleet to its plan costs: ours, the stock module in a loop, and the engines driven directly.

Runs on a lab that is up and prepared (make bench does that), one way after the other in each round, so that what else
the machine does falls on all of them:

    python tests/bench/bench_apply.py --inventory .lab/bench/inventory.yml --rounds 5 --output bench/latest.json

ours    whole processes of deploy_profile.yml (twice), status_profile.yml and stop_profile.yml: facts, plan, preflight
        and lease included
stock   whole processes of one play with one community.docker.docker_container task in a loop over the same arguments
engine  the time that 16 threads need for the same containers on the engines' own sockets, process start not counted
bare    whole processes of a play with one ansible.builtin.ping task: what Ansible itself takes for one call a host

Medians, their ratios, and every single time go into the output.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import yaml
from latest import LATEST, write

CHECKOUT = Path(__file__).resolve().parents[2]
PROFILE = CHECKOUT / "tests" / "bench" / "profiles" / "sleepers"
LAB_ENGINE = "unix:///run/retail-profiles-lab/docker.sock"
THREADS = 16
PLAYBOOKS = {
    "apply": "deploy_profile",
    "reapply": "deploy_profile",
    "status": "status_profile",
    "remove": "stop_profile",
}
STATES = {"apply": "started", "reapply": "started", "remove": "absent"}
PING = [{"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.ping": {}}]}]


@dataclass(frozen=True)
class Lab:
    """A lab's inventory, and a folder for what the rounds need."""

    inventory: Path
    folder: Path

    @property
    def name(self) -> str:
        return self.inventory.parent.name

    def play(self, playbook: Path | str, *args: str) -> float:
        """Seconds that a whole ansible-playbook process takes; ends the benchmark when it fails."""
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_STDOUT_CALLBACK": "default",
            "ANSIBLE_NOCOLOR": "1",
        }
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # all ways as Python works when nobody says otherwise
        start = time.monotonic()
        ended = subprocess.run(
            ["ansible-playbook", "-i", str(self.inventory), str(playbook), *args],
            cwd=CHECKOUT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if ended.returncode:
            sys.exit(f"{playbook} failed:\n{ended.stdout}")
        return time.monotonic() - start

    def ours(self, playbook: str, per_host: int) -> float:
        """One of our playbooks with the profile of this benchmark."""
        variables = {"profile": str(PROFILE), "profile_replicas": {"sleeper": per_host * len(self.hosts)}}
        return self.play(f"playbooks/{playbook}.yml", "-e", json.dumps(variables))

    @property
    def hosts(self) -> list[str]:
        children = yaml.safe_load(self.inventory.read_text(encoding="utf-8"))["all"]["children"]
        return sorted({host for group in children.values() for host in group["hosts"]})

    def tasks(self, per_host: int) -> dict[str, list[dict[str, Any]]]:
        """Each host's containers as docker_container arguments, from the plan."""
        file = self.folder / "plan.yml"
        variables = {"profile": str(PROFILE), "profile_replicas": {"sleeper": per_host * len(self.hosts)}}
        self.play("playbooks/plan_profile.yml", "-e", json.dumps({**variables, "as_playbook": str(file)}))
        plays = yaml.safe_load(file.read_text(encoding="utf-8"))
        found: dict[str, list[dict[str, Any]]] = {host: [] for host in self.hosts}
        for task in plays[-1]["tasks"]:
            found[task["when"].split("'")[1]].append(task["community.docker.docker_container"])
        return found

    def engines(self) -> dict[str, docker.APIClient]:
        """A connection to each host's own engine, past SSH."""
        outer = docker.APIClient(base_url=LAB_ENGINE)
        clients = {}
        for host in self.hosts:
            pid = outer.inspect_container(f"{self.name}-{host}")["State"]["Pid"]
            clients[host] = docker.APIClient(base_url=f"unix:///proc/{pid}/root/run/docker.sock", num_pools=THREADS)
        outer.close()
        return clients


def stock_playbook(tasks: dict[str, list[dict[str, Any]]], state: str) -> str:
    """A play of one docker_container task, in a loop over each host's containers."""
    options = sorted(next(iter(tasks.values()))[0])
    arguments = {option: "{{ item." + option + " }}" for option in options}
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars": {"containers": tasks},
        "tasks": [
            {
                "community.docker.docker_container": {**arguments, "state": state, "pull": "never"},
                "loop": "{{ containers[inventory_hostname] }}",
                "loop_control": {"label": "{{ item.name }}"},
            }
        ],
    }
    return yaml.safe_dump([play], sort_keys=False)


def each(work: Callable[[str, dict[str, Any]], None], tasks: dict[str, list[dict[str, Any]]]) -> float:
    """Seconds for *work* on every container of every host, 16 at a time, dealt over the hosts."""
    longest = max(map(len, tasks.values()))
    jobs = [(host, items[index]) for index in range(longest) for host, items in tasks.items() if index < len(items)]
    start = time.monotonic()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda job: work(*job), jobs))
    return time.monotonic() - start


def engine_times(lab: Lab, tasks: dict[str, list[dict[str, Any]]]) -> dict[str, float]:
    """Seconds to create and start, and to remove, without anything of Ansible."""
    clients = lab.engines()

    def start(host: str, task: dict[str, Any]) -> None:
        config = clients[host].create_host_config(network_mode=task["network_mode"])
        clients[host].create_container(
            task["image"], name=task["name"], labels=task["labels"], environment=task["env"], host_config=config
        )
        clients[host].start(task["name"])

    def remove(host: str, task: dict[str, Any]) -> None:
        clients[host].remove_container(task["name"], force=True, v=True)

    try:
        return {"apply": each(start, tasks), "remove": each(remove, tasks)}
    finally:
        for client in clients.values():
            client.close()


def measure(lab: Lab, per_host: int, rounds: int) -> dict[str, Any]:
    """All times of all ways, and the ratios of their medians."""
    tasks = lab.tasks(per_host)
    ping = lab.folder / "ping.yml"
    ping.write_text(yaml.safe_dump(PING), encoding="utf-8")
    files = {state: lab.folder / f"{state}.yml" for state in STATES.values()}
    for state, file in files.items():
        file.write_text(stock_playbook(tasks, state), encoding="utf-8")
    times: dict[str, list[float]] = {}

    def note(way: str, values: Iterable[tuple[str, float]]) -> None:
        for step, seconds in values:
            times.setdefault(f"{way}_{step}", []).append(round(seconds, 3))
            print(f"  {per_host} a host, {way} {step}: {seconds:.2f} s", flush=True)

    for _round in range(rounds):
        note("ours", ((step, lab.ours(playbook, per_host)) for step, playbook in PLAYBOOKS.items()))
        note("stock", ((step, lab.play(files[state])) for step, state in STATES.items()))
        note("engine", engine_times(lab, tasks).items())
        note("bare", [("ping", lab.play(ping))])
    median = {name: statistics.median(values) for name, values in times.items()}
    ratios = {f"{step}_vs_stock": median[f"ours_{step}"] / median[f"stock_{step}"] for step in STATES}
    ratios["apply_vs_engine"] = median["ours_apply"] / median["engine_apply"]
    ratios["remove_vs_engine"] = median["ours_remove"] / median["engine_remove"]
    ratios["reapply_vs_ping"] = median["ours_reapply"] / median["bare_ping"]
    ratios["status_vs_ping"] = median["ours_status"] / median["bare_ping"]
    return {**{name: round(value, 3) for name, value in ratios.items()}, "medians": median, "seconds": times}


def main() -> None:
    """Measure for each number of containers a host, and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inventory", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--per-host", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--output", type=Path, default=LATEST)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        lab = Lab(options.inventory.resolve(), Path(folder))
        lab.play("playbooks/stop_profile.yml")  # the first round begins as the others do
        for per_host in options.per_host:
            found = measure(lab, per_host, options.rounds)
            write(options.output, {str(per_host): found})
            print(json.dumps({per_host: {key: found[key] for key in found if "_vs_" in key}}, indent=1))


if __name__ == "__main__":
    main()
