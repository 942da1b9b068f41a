# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks killed at random moments: the next one converges, or stop_profile.yml leaves nothing.

RETAIL_PROFILES_KILLS is how many (make test-long: 50), RETAIL_PROFILES_KILLS_SEED from which the moments are drawn.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from .conftest import Fleet
from .test_two_users import ELSEWHERE, leases

KILLS = int(os.environ.get("RETAIL_PROFILES_KILLS", "5"))
SEED = int(os.environ.get("RETAIL_PROFILES_KILLS_SEED", "20261124"))
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
# Two waves over the fleet, with all that leaves something behind: networks, a volume in which root writes, a folder.
PROFILE = """
containers:
  - name: base
    image: retail/kserve-client:1
    entrypoint: [/bin/sh, -c]
    args: ["cp /shipped/data.txt /data/$HOSTNAME && echo up; trap 'exit 0' TERM; while :; do sleep 0.2; done"]
    docker: {user: root}
    volumes: ["./folder:/shipped:ro", "kept:/data"]
    hosts: all
    replicas_per_host: 2
    ready: {log: up}
  - name: above
    image: retail/kserve-client:1
    entrypoint: [/bin/sh, -c]
    args: ["trap 'exit 0' TERM; while :; do sleep 0.2; done"]
    networks: [own]
    depends_on: [base]
    hosts: all
    replicas_per_host: 2
"""
FOREIGN = "docker create --name foreign --label retail.profiles.collection=retail.profiles retail/kserve-client:1"
# Volumes are looked for, too.
VOLUMES = "docker volume ls -q --filter label=retail.profiles.collection"


@pytest.fixture
def killed(fleet: Fleet) -> Iterator[Fleet]:
    fleet.profile("killed", PROFILE)
    folder = fleet.home / "profiles" / "killed" / "folder"
    folder.mkdir()
    (folder / "data.txt").write_text("shipped\n" * 1000, encoding="utf-8")
    fleet.shell("h2", FOREIGN)
    yield fleet
    fleet.shell("h2", "docker rm -f foreign")


def left(fleet: Fleet) -> tuple[dict[str, list[str]], str]:
    return fleet.leftovers(), "".join(fleet.shells("all", VOLUMES).values())


def timed(fleet: Fleet) -> float:
    """Seconds that a whole playbook takes here."""
    start = time.monotonic()
    fleet.well("deploy_profile", profile="killed")
    took = time.monotonic() - start
    fleet.well("stop_profile")
    return took


def test_playbooks_that_are_killed_at_random_moments(killed: Fleet) -> None:
    draw = random.Random(SEED)
    whole = timed(killed)
    for number in range(KILLS):
        kind, after = SIGNALS[number % len(SIGNALS)], draw.uniform(0.1, 1.1) * whole
        told = f"kill {number + 1} of {KILLS}: {kind.name} after {after:.2f} s of {whole:.2f} s (seed {SEED})"
        with killed.start("deploy_profile", profile="killed") as playing:
            with contextlib.suppress(subprocess.TimeoutExpired):
                playing.process.wait(timeout=after)
            playing.signal(kind)
        if number % 2:
            with killed.start("stop_profile", prefix=ELSEWHERE) as stop:
                done = stop.end()
            assert done.status == 0, f"{told}\n{done.output}"
        else:
            again = killed.play("deploy_profile", profile="killed", profile_lock_wait=120)
            assert again.status == 0, f"{told}\n{again.output}"
            assert killed.well("deploy_profile", profile="killed").changed == 0, told
            killed.well("stop_profile")
        assert left(killed) == ({"h2": ["container foreign"]}, ""), told
        assert leases(killed) == set(), told
