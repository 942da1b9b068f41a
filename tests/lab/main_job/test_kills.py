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

import pytest

from .conftest import Fleet
from .test_two_users import ELSEWHERE

KILLS = int(os.environ.get("RETAIL_PROFILES_KILLS", "3"))
MANY = KILLS >= 50
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


@pytest.fixture
def killed(fleet: Fleet, foreign: str) -> Fleet:
    fleet.profile("killed", PROFILE)
    folder = fleet.home / "profiles" / "killed" / "folder"
    folder.mkdir()
    (folder / "data.txt").write_text("shipped\n" * 1000, encoding="utf-8")
    return fleet


def timed(fleet: Fleet, playbook: str, **variables: str) -> float:
    """Seconds that a whole playbook takes here."""
    start = time.monotonic()
    fleet.well(playbook, **variables)
    return time.monotonic() - start


def kill(fleet: Fleet, kind: signal.Signals, after: float, playbook: str, **variables: str) -> None:
    with fleet.start(playbook, **variables) as playing:
        with contextlib.suppress(subprocess.TimeoutExpired):
            playing.process.wait(timeout=after)
        playing.signal(kind)


def test_playbooks_that_are_killed_at_random_moments(killed: Fleet, foreign: str) -> None:
    draw = random.Random(SEED)
    deploys, stops = timed(killed, "deploy_profile", profile="killed"), timed(killed, "stop_profile")
    for number in range(KILLS):
        kind, part = SIGNALS[number % len(SIGNALS)], draw.uniform(0.1, 1.1)
        told = f"kill {number + 1} of {KILLS}: {kind.name} after {part:.2f} of the playbook (seed {SEED})"
        kill(killed, kind, part * deploys, "deploy_profile", profile="killed")
        if number % 2 == 0:
            again = killed.play("deploy_profile", profile="killed", profile_lock_wait=120)
            assert again.status == 0, f"{told}\n{again.output}"
            assert killed.well("deploy_profile", profile="killed").changed == 0, told
            kill(killed, kind, part * stops, "stop_profile")
        # Elsewhere nobody knows who is dead, and waits a minute to see.
        with killed.start("stop_profile", prefix=ELSEWHERE if MANY or kind is signal.SIGKILL else ()) as stop:
            done = stop.end()
        assert done.status == 0, f"{told}\n{done.output}"
        # No volume and no lease either.
        assert killed.leftovers() == {"h2": [foreign]}, told
