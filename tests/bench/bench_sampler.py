# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sampler costs: CPU time per container and tick, and the share of one core at 50 containers and 1 Hz.

Runs on a real engine (DOCKER_HOST), with containers that sleep and, unless --quiet, log a line a second:

    PYTHONPATH=.collections python tests/bench/bench_sampler.py --containers 50 --seconds 30 --interval 1

The budget is 1 % of one core for 50 containers at 1 Hz: 200 µs a container and tick, the host's own part included.
Exit status 1 when the budget is exceeded.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import sys
import tempfile
import time
import uuid
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import latest

from ansible_collections.retail.profiles.plugins.module_utils.sampler import control
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config, run_files, watched

BUDGET_SECONDS = 0.01 / 50
LOGS = 'while :; do echo \'{"fps": 14.97, "errors": 0, "latency": {"bins": [1, 2, 3, 4, 5, 6]}}\'; sleep 1; done'


def measure(names: list[str], seconds: float, interval: float, engine: str) -> tuple[float, int, int, int]:
    """CPU seconds, ticks, resident bytes and bytes written while the sampler watches these containers.

    What starting costs is left out: the first observer record is where counting begins.
    """
    with tempfile.TemporaryDirectory() as state_dir:
        files = run_files(state_dir, "bench")
        config = Config(interval, seconds + 600, engine, watched([{"name": name} for name in names]))
        control.started(files, config, check=False)
        try:
            time.sleep(seconds)
        finally:
            result = control.stopped(files, 0, check=False, limit=1 << 30)
        data = zlib.decompress(base64.b64decode(result["data"]))
    records: list[dict[str, Any]] = [json.loads(line) for line in data.splitlines()]
    costs = [r for r in records if r["type"] == "observer" and "event" not in r][2:]
    seen = {r["replica"] for r in records if r["type"] == "container"}
    if seen != set(names):
        raise SystemExit(f"no samples of {', '.join(sorted(set(names) - seen))}")
    return costs[-1]["cpu_seconds"] - costs[0]["cpu_seconds"], len(costs) - 1, costs[-1]["rss_bytes"], len(data)


def main() -> int:
    """Start the containers, measure with none and with all of them, print, and clean up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--containers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--interval", type=float, default=1.0)
    parser.add_argument("--image", default="debian:bookworm-slim")
    parser.add_argument("--output", type=Path, default=latest.LATEST)
    parser.add_argument("--quiet", action="store_true", help="containers that log nothing")
    options = parser.parse_args()
    import docker

    address = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    client, engine = docker.APIClient(base_url=address), urlparse(address).path
    prefix = f"bench-sampler-{uuid.uuid4().hex[:6]}"
    host_config = client.create_host_config(network_mode="none")
    command = ["sleep", "100000"] if options.quiet else ["sh", "-c", LOGS]
    names: list[str] = []
    try:
        for number in range(options.containers):
            name = f"{prefix}-{number + 1}"
            client.create_container(options.image, command, name=name, host_config=host_config)
            names.append(name)
            client.start(name)
        alone, ticks_alone, _rss, _size = measure([], min(options.seconds, 10), options.interval, engine)
        cpu, ticks, rss, size = measure(names, options.seconds, options.interval, engine)
    finally:
        for name in names:
            client.remove_container(name, force=True)
    host = alone / ticks_alone
    whole = cpu / ticks
    per_container = whole / len(names)
    print(f"containers {len(names)}, interval {options.interval} s, ticks {ticks}")
    print(f"host part            {host * 1e6:8.0f} µs a tick")
    print(f"all                  {whole * 1e6:8.0f} µs a tick = {whole / options.interval:.2%} of one core")
    print(f"a container and tick {per_container * 1e6:8.0f} µs (budget {BUDGET_SECONDS * 1e6:.0f} µs)")
    print(f"without the host     {(whole - host) / len(names) * 1e6:8.0f} µs")
    print(f"memory {rss / 2**20:.1f} MiB, written {size / ticks / 1024:.1f} KiB a tick")
    share = round(whole / options.interval, 5)
    latest.write(options.output, {"sampler": {"containers": len(names), "share_of_core": share}})
    return 0 if per_container <= BUDGET_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
