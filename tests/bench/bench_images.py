# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Seeding an image to every host of a lab: the role images against ``docker save | ssh docker load`` in parallel.

Builds an image of about 300 MB (half of it random, half compressible) on the lab's engine, and gives it to all hosts
of the inventory in turns by both ways, removing it from the hosts in between; then a second image that differs in one
layer of 2 MB. The role's time is that of the whole ``ansible-playbook``. Prints medians, their ratio and the bytes that
each host got as JSON, and adds the ratio to the benchmarks' record:

    make lab-up HOSTS=4 LAB=bench
    python tests/bench/bench_images.py --inventory .lab/bench/inventory.yml --rounds 3
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from latest import LATEST, write

MIB = 1 << 20
BASE = "debian:bookworm-slim"
LAYERS_MIB = (110, 110, 2)
PLAY = [
    {
        "hosts": "all",
        "gather_facts": False,
        "tasks": [{"ansible.builtin.include_role": {"name": "retail.profiles.images"}}],
    }
]


def run(*command: str, **more: Any) -> str:
    """Run a command that must end well; what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


class Fleet:
    """The hosts of a lab, and the engine that images are sent from."""

    def __init__(self, inventory: Path, work: Path) -> None:
        self.inventory = inventory
        self.work = work
        listing = json.loads(run("ansible-inventory", "-i", str(inventory), "--list"))
        self.variables: dict[str, Any] = listing["_meta"]["hostvars"]
        self.hosts = sorted(self.variables)
        first = self.variables[self.hosts[0]]
        self.engine = first["images_docker_host"]
        key, known_hosts = inventory.parent / "id_ed25519", inventory.parent / "known_hosts"
        # Connections stay open, as Ansible's do.
        self.ssh = (
            f"ssh -i {key} -o UserKnownHostsFile={known_hosts} -o GlobalKnownHostsFile=/dev/null -o IdentitiesOnly=yes "
            f"-o ControlMaster=auto -o ControlPersist=60 -o ControlPath={work}/%h"
        )

    def shell(self, command: str) -> None:
        """Run a shell command on all hosts at the same time."""
        lines = [
            f"{self.ssh} {self.variables[host]['ansible_user']}@{self.variables[host]['ansible_host']} '{command}' &"
            for host in self.hosts
        ]
        run("bash", "-c", "\n".join([*lines, "wait"]))

    def by_ssh(self, image: str) -> None:
        """The usual way: a save, a connection and a load for each host, all at once."""
        lines = [
            f"docker -H {self.engine} save {image} | {self.ssh} "
            f"{self.variables[host]['ansible_user']}@{self.variables[host]['ansible_host']} docker load -q & pids+=($!)"
            for host in self.hosts
        ]
        run(
            "bash",
            "-c",
            "\n".join(["set -o pipefail", "pids=()", *lines, 'for pid in "${pids[@]}"; do wait $pid || exit 1; done']),
        )

    def by_role(self, image: str) -> dict[str, int]:
        """Our way; the bytes that each host got."""
        playbook, values = self.work / "seed.yml", self.work / "values.json"
        playbook.write_text(json.dumps(PLAY))
        values.write_text(json.dumps({"images_list": [{"image": image, "build": None, "hosts": self.hosts}]}))
        output = run("ansible-playbook", "-v", "-i", str(self.inventory), str(playbook), "-e", f"@{values}")
        return {host: int(count) for host, count in re.findall(r'changed: \[(\S+)\] => \{"bytes": (\d+)', output)}

    def ids(self, image: str) -> set[str]:
        """The ids by which the hosts know an image."""
        found = set()
        for host in self.hosts:
            target = f"{self.variables[host]['ansible_user']}@{self.variables[host]['ansible_host']}"
            found.add(run(*self.ssh.split(), target, f"docker image inspect -f {{{{.Id}}}} {image}").strip())
        return found


def build(fleet: Fleet, image: str, layers: list[bytes]) -> str:
    """An image with a layer for each content; its id."""
    context = fleet.work / "context"
    context.mkdir(exist_ok=True)
    lines = [f"FROM {BASE}"]
    for index, content in enumerate(layers):
        (context / f"layer{index}").write_bytes(content)
        lines.append(f"COPY layer{index} /data/")
    (context / "Dockerfile").write_text("\n".join(lines) + "\n")
    run(
        "docker",
        "-H",
        fleet.engine,
        "build",
        "-q",
        "-t",
        image,
        str(context),
        env={**os.environ, "DOCKER_BUILDKIT": "0"},
    )
    return run("docker", "-H", fleet.engine, "image", "inspect", "-f", "{{.Id}}", image).strip()


def content(source: random.Random, mib: int) -> bytes:
    """Half random, half compressible."""
    return b"".join(source.randbytes(MIB) if part % 2 else source.randbytes(1024) * 1024 for part in range(mib))


def timed(work: Callable[[str], Any], image: str) -> tuple[float, Any]:
    started = time.monotonic()
    result = work(image)
    return time.monotonic() - started, result


def main() -> int:
    """Build, measure in turns, print, clean up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inventory", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=LATEST)
    options = parser.parse_args()
    tag = uuid.uuid4().hex[:8]
    first, second = f"retail/bench-{tag}:1", f"retail/bench-{tag}:2"
    with tempfile.TemporaryDirectory(prefix="retail-bench-") as folder:
        fleet = Fleet(options.inventory.resolve(), Path(folder))
        source = random.Random(tag)
        layers = [content(source, mib) for mib in LAYERS_MIB]
        ids = {
            first: build(fleet, first, layers),
            second: build(fleet, second, [*layers[:-1], content(source, LAYERS_MIB[-1])]),
        }
        size = int(run("docker", "-H", fleet.engine, "image", "inspect", "-f", "{{.Size}}", first))
        forget = f"docker image rm -f {first} {second} >/dev/null 2>&1"
        ways: dict[str, list[float]] = {
            "role": [],
            "save_load": [],
            "role_changed_layer": [],
            "save_load_changed_layer": [],
        }
        received: dict[str, dict[str, int]] = {}
        try:
            for number in range(options.rounds):
                for name in ("role", "save_load") if number % 2 else ("save_load", "role"):
                    fleet.shell(forget)
                    for image, kind in ((first, name), (second, f"{name}_changed_layer")):
                        seconds, result = timed(fleet.by_role if name == "role" else fleet.by_ssh, image)
                        ways[kind].append(round(seconds, 2))
                        received.update({kind: result} if result else {})
                        if fleet.ids(image) != {ids[image]}:
                            raise SystemExit(f"{kind}: not every host has {image} as {ids[image]}")
        finally:
            fleet.shell(forget)
            run("docker", "-H", fleet.engine, "image", "rm", "-f", first, second)
    medians = {kind: statistics.median(seconds) for kind, seconds in ways.items()}
    result = {
        "hosts": len(fleet.hosts),
        "image_bytes": size,
        "seconds": ways,
        "medians": medians,
        "bytes_received": received,
        "images_vs_save_load": round(medians["role"] / medians["save_load"], 3),
        "changed_layer_vs_save_load": round(medians["role_changed_layer"] / medians["save_load_changed_layer"], 3),
    }
    print(json.dumps(result, indent=1))
    write(options.output, {"images_vs_save_load": result["images_vs_save_load"], "images": result})
    return 0 if result["images_vs_save_load"] < 1 else 1


if __name__ == "__main__":
    sys.exit(main())
