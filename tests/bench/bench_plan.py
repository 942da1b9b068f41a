# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What planning costs: seconds and peak memory of a plan of 10,000 replicas on 1,000 hosts, and templating beside it.

    PYTHONPATH=.collections python tests/bench/bench_plan.py

Each figure is taken in a process of its own: loading, placing and planning, without Ansible's start and without asking
any host. Exit status 1 when planning without templates takes longer than 2 s or more than 300 MB.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.placement import wishes
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.fleet import Fleet
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import load
from ansible_collections.retail.profiles.plugins.plugin_utils.rollout import host_share

BUDGET_SECONDS = 2.0
BUDGET_BYTES = 300e6
PROFILE = """
containers:
  - name: server
    image: openvino/model_server:2025.4
    env_file: server.env
    args: [--config_path, /config/config.json, --port, 9000, --rest_port, 8000, --metrics_enable]
    volumes: ["./config.json:/config/config.json:ro", "/var/lib/retail-profiles/models:/models:ro"]
    networks: [inference]
    ports: {grpc: 9000, rest: 8000}
    hosts: %(servers)s
    replicas_per_host: 1
    ready: {ovms_models: all, timeout: 60s}
  - name: client
    image: retail/kserve-client:1
    entrypoint: ./client.sh
    args: [--model, face-detection, --streams, 2]
    env_file: client.env
    env: %(env)s
    networks: [inference]
    replicas: %(clients)s
    depends_on: [server]
    metrics:
      fps: {log: fps, unit: fps}
      latency_seconds: {log: latency, kind: sketch, unit: seconds}
"""
PLAIN = '{MODEL: face-detection, DURATION: "0"}'
TEMPLATES = (
    "{GRPC_ADDRESS: \"{{ peers['server'].address }}\", GRPC_PORT: \"{{ peers['server'].ports.grpc }}\", "
    'STREAM: "{{ replica.index }}"}'
)
LAYOUTS = {"a server on every host": "all", "20 servers": "servers"}


def write(folder: Path, servers: str, clients: int, env: str) -> Path:
    """The profile and the files beside it."""
    models = [{"config": {"name": f"model-{n}", "base_path": f"/models/model-{n}"}} for n in range(3)]
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_config_list": models}), encoding="utf-8")
    (folder / "client.sh").write_text('#!/bin/sh\nexec client "$@"\n', encoding="utf-8")
    (folder / "server.env").write_text("LOG_LEVEL=INFO\nTARGET_DEVICE=CPU\n", encoding="utf-8")
    (folder / "client.env").write_text("BATCH=1\nRATE=30\n", encoding="utf-8")
    (folder / "profile.yml").write_text(
        PROFILE % {"servers": servers, "clients": clients, "env": env}, encoding="utf-8"
    )
    return folder / "profile.yml"


def fleet(hosts: list[str]) -> Fleet:
    """Variables and snapshots of the size that real ones have."""
    listening = [{"address": "0.0.0.0", "port": port, "protocol": "tcp"} for port in (22, 111, 631)]
    images = {f"retail/image-{n}:1": {"id": f"sha256:{n:064x}", "labels": {}, "digests": []} for n in range(10)}
    variables: dict[str, dict[str, Any]] = {}
    snapshot: dict[str, dict[str, Any]] = {}
    dialled: dict[str, list[str]] = {}
    for number, host in enumerate(hosts):
        address = f"10.1.{number // 250}.{number % 250 + 1}"
        variables[host] = {"ansible_host": address, **{f"variable_{n}": n for n in range(40)}}
        snapshot[host] = {
            "addresses": [address, "172.17.0.1"],
            "arch": "x86_64",
            "cpus": 32,
            "memory_bytes": 64 << 30,
            "listening": listening,
            "images": images,
            "containers": {},
            "devices": {"render": ["/dev/dri/renderD128"], "accel": [], "video": [], "render_gid": 992},
        }
        dialled[host] = [address]
    return Fleet(variables, snapshot, dialled)


def ansible_templates() -> Callable[[Any, Mapping[str, Any]], Any]:
    """Ansible's own rendering, as the action does it."""
    from ansible.parsing.dataloader import DataLoader
    from ansible.template import Templar

    from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import planner_input

    return planner_input.renderer(Templar(loader=DataLoader()))


def no_templates(value: Any, _variables: Mapping[str, Any]) -> Any:
    raise ValueError(f"{value!r} is a template")


def once(options: argparse.Namespace) -> dict[str, float]:
    """Load, place, plan and share out; seconds of wall clock and of processor, and bytes."""
    hosts = [f"edge-{number}" for number in range(1, options.hosts + 1)]
    groups = {"all": hosts, "servers": hosts[:20]}
    render = ansible_templates() if options.templates else no_templates
    servers = LAYOUTS[options.layout]
    clients = options.replicas - len(groups[servers])
    with tempfile.TemporaryDirectory() as folder:
        file = write(Path(folder) / "bench", servers, clients, TEMPLATES if options.templates else PLAIN)
        known = fleet(hosts)
        inventory = wishes.Inventory(hosts, frozenset(hosts), lambda pattern: groups[pattern])
        settings = wishes.PlanSettings("bench")
        begin, used = time.perf_counter(), time.process_time()
        loaded = load.load(file, [], render, {})
        shaped = plan.shape(loaded, inventory, settings, render, {}, known)
        made = plan.build(loaded, shaped, settings, known, render)
        seconds, processor = time.perf_counter() - begin, time.process_time() - used
    used = time.process_time()
    parts = [host_share.share(made, host, wave) for host in hosts for wave in (0, 1)]
    sharing = time.process_time() - used
    planned = sum(len(share["replicas"]) for share in parts)
    if {len(made["replicas"]), planned} != {options.replicas} or len(made["hosts"]) != options.hosts:
        raise SystemExit("this is not the plan that was asked for")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {"seconds": seconds, "processor_seconds": processor, "share_seconds": sharing, "bytes": peak}


def medians(options: argparse.Namespace, *arguments: str) -> dict[str, float]:
    """The median of each figure over fresh processes."""
    command = [sys.executable, __file__, *arguments]
    runs = [json.loads(subprocess.check_output(command)) for _time in range(options.times)]
    return {figure: statistics.median(run[figure] for run in runs) for figure in runs[0]}


def main() -> int:
    """Measure each layout, and templating on a tenth of it; print the figures, and compare them with the budget."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hosts", type=int, default=1000)
    parser.add_argument("--replicas", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--layout", choices=LAYOUTS, help="measure this one once, and print JSON")
    parser.add_argument("--templates", action="store_true", help="with three templates a client, by Ansible")
    options = parser.parse_args()
    if options.layout:
        print(json.dumps(once(options)))
        return 0
    good = True
    for templates in (False, True):
        hosts, replicas = (
            (max(20, options.hosts // 10), options.replicas // 10) if templates else (options.hosts, options.replicas)
        )
        for layout in LAYOUTS:
            size = ["--hosts", str(hosts), "--replicas", str(replicas)]
            found = medians(options, "--layout", layout, *size, *(["--templates"] if templates else []))
            kind = "three templates a client" if templates else "no templates"
            print(
                f"{hosts} hosts, {replicas} replicas, {layout}, {kind}: "
                f"{found['seconds']:.2f} s (processor {found['processor_seconds']:.2f} s, "
                f"{found['processor_seconds'] / replicas * 1e6:.0f} µs a replica), {found['bytes'] / 1e6:.0f} MB; "
                f"all shares {found['share_seconds']:.2f} s",
                flush=True,
            )
            good &= templates or (found["seconds"] < BUDGET_SECONDS and found["bytes"] < BUDGET_BYTES)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
