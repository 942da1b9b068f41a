# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to read who uses the GPUs of a host: CPU time a reading, and the share of one core at 1 Hz.

Needs no GPU: the processes are those of a tree that it makes, each container with one client of a GPU that works.

    PYTHONPATH=.collections python tests/bench/bench_devices.py --containers 50 --processes 5 --descriptors 100

Exit status 1 when it is more than half of the 1 % of one core that a sampler may cost with 50 containers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from ansible_collections.retail.profiles.plugins.module_utils.devices.drm_clients import DrmClients

BUDGET_SECONDS = 0.005
GPU = "0000:00:02.0"
FDINFO = (
    "pos:\t0\nflags:\t02100002\nmnt_id:\t26\nino:\t284\ndrm-driver:\ti915\ndrm-client-id:\t{client}\ndrm-pdev:\t"
    + GPU
    + "\n"
    + "".join(f"drm-{what}-system0:\t6044 KiB\n" for what in ("total", "shared", "active", "resident", "purgeable"))
    + "drm-engine-render:\t{busy} ns\ndrm-engine-copy:\t0 ns\ndrm-engine-video:\t{busy} ns\n"
    + "drm-engine-capacity-video:\t2\ndrm-engine-video-enhance:\t0 ns\n"
)


def make_process(proc: Path, pid: int, container: int, descriptors: int) -> None:
    """A process, of a container above 0, whose descriptors are of no GPU."""
    for name in ("fd", "fdinfo"):
        (proc / str(pid) / name).mkdir(parents=True)
    (proc / str(pid) / "exe").symlink_to("/usr/bin/something")
    group = f"docker-{container:064x}.scope" if container else "cron.service"
    (proc / str(pid) / "cgroup").write_text(f"0::/system.slice/{group}\n")
    for number in range(descriptors):
        (proc / str(pid) / "fd" / str(number)).symlink_to(f"socket:[{number}]")


def work(clients: dict[int, Path], busy: int) -> None:
    """Let all clients have been busy for so many nanoseconds."""
    for client, fdinfo in clients.items():
        fdinfo.write_text(FDINFO.format(client=client, busy=busy))


def main() -> int:
    """Make the tree, read it once a made-up second, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--containers", type=int, default=50)
    parser.add_argument("--processes", type=int, default=5, help="of a container")
    parser.add_argument("--descriptors", type=int, default=100, help="of a process")
    parser.add_argument("--others", type=int, default=250, help="processes of no container, with 30 descriptors each")
    parser.add_argument("--readings", type=int, default=120)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        proc, clients = Path(folder), {}
        for number in range(options.others):
            make_process(proc, 1 + number, 0, 30)
        for container in range(1, options.containers + 1):
            for number in range(options.processes):
                pid = 10000 + container * options.processes + number
                make_process(proc, pid, container, options.descriptors - 1)
                if number == 0:
                    (proc / f"{pid}/fd/500").symlink_to("/dev/dri/renderD128")
                    clients[pid] = proc / f"{pid}/fdinfo/500"
        reader = DrmClients({"card0": GPU, "renderD128": GPU}, folder)
        costs = []
        for reading in range(options.readings):
            work(clients, reading * 250_000_000)
            began = time.process_time()
            reader.read(1000.0 + reading)
            reader.of_containers()
            costs.append(time.process_time() - began)
        found = len(reader.containers)
        reader.close()
    steady = costs[len(costs) // 4 :]
    mean = sum(steady) / len(steady)
    print(f"containers {options.containers}, of which {found} use the GPU")
    print(f"the first ten readings {', '.join(f'{cost * 1e3:.1f}' for cost in costs[:10])} ms")
    print(f"then {mean * 1e3:.2f} ms a reading, at most {max(steady) * 1e3:.2f} ms = {mean:.2%} of one core at 1 Hz")
    if found != options.containers:
        raise SystemExit("not all containers were found")
    return 0 if mean <= BUDGET_SECONDS * max(1.0, options.containers / 50) else 1


if __name__ == "__main__":
    sys.exit(main())
