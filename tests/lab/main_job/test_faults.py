# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What befalls a fleet while it is measured: such a run is never ok, and says what befell which host."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from typing import Any

import docker
import pytest
from docker.models.containers import Container

from .conftest import Fleet, Playing
from .test_failure import ENGINE, without

pytestmark = pytest.mark.measures

# A frame each 1/15 s that the peer on h1 sends back, over the network of the hosts.
PING = """
import os, socket, time
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.settimeout(1 / 15)
while True:
    frames, end = 0, time.monotonic() + 1
    while time.monotonic() < end:
        began = time.monotonic()
        try:
            peer.sendto(b"frame", (os.environ["PEER"], 8099))
            frames += len(peer.recv(9)) == 5
        except OSError:
            pass
        time.sleep(max(0.0, began + 1 / 15 - time.monotonic()))
    print('{"fps": %d}' % frames, flush=True)
"""
PONG = """
import socket
here = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
here.bind(("", 8099))
while True:
    here.sendto(*here.recvfrom(9))
"""
STREAM = """
  - name: stream
    image: retail/kserve-client:1
    entrypoint: [/bin/sh, -c]
    args: ["trap 'exit 0' TERM; while :; do echo '{\\"fps\\": 15}'; sleep 1 & wait $!; done"]
    hosts: h1,h2,h3
    replicas_per_host: 1
    metrics: {fps: {log: fps}}
"""
PROFILE = f"""
containers:{STREAM}
  - name: peer
    image: retail/kserve-client:1
    entrypoint: [python3, /work/pong.py]
    volumes: ["./pong.py:/work/pong.py:ro"]
    networks: [host]
    hosts: h1
  - name: far
    image: retail/kserve-client:1
    entrypoint: [python3, /work/ping.py]
    volumes: ["./ping.py:/work/ping.py:ro"]
    networks: [host]
    env: {{PEER: ADDRESS}}
    hosts: h3
    metrics: {{fps: {{log: fps}}}}
  - name: again
    image: retail/kserve-client:1
    entrypoint: [sleep, "1000"]
    docker: {{restart_policy: always}}
    hosts: h2
"""
LENGTH = 30
RUNS = "/var/lib/retail-profiles/runs"
FRAMES = "-p udp --dport 8099"


@contextmanager
def machine(host: str) -> Iterator[Container]:
    """A host of the lab as the container that it is: at once, where Ansible would take seconds."""
    with closing(docker.DockerClient(ENGINE)) as engine:
        yield engine.containers.get(f"{os.environ['RETAIL_PROFILES_LAB']}-{host}")


def do(host: str, command: str) -> None:
    with machine(host) as here:
        code, output = here.exec_run(["sh", "-c", command])
    assert code == 0, output


@contextmanager
def small_disk(host: str) -> Iterator[None]:
    """A host whose samples are on a disk of 1 MiB of their own."""
    do(host, f"mkdir -p {RUNS} && mount -t tmpfs -o size=1m,mode=2770 retail-test {RUNS}")
    try:
        yield
    finally:
        # The next sampler makes the folder as its user may use it.
        do(host, f"umount {RUNS} && rmdir --ignore-fail-on-non-empty {RUNS}")


def freeze(host: str, seconds: float) -> None:
    with machine(host) as here:
        here.pause()
        try:
            time.sleep(seconds)  # so long is the fault
        finally:
            here.unpause()


def window(fleet: Fleet, playing: Playing, number: int) -> float:
    """Start of a measure window, unix seconds, once it is known."""
    while playing.process.poll() is None:
        try:
            windows = [one for one in fleet.latest()["windows"] if one["phase"] == "measure"]
        except FileNotFoundError:
            windows = []
        if len(windows) > number:
            return datetime.fromisoformat(windows[number]["start"]).timestamp()
        time.sleep(0.2)
    raise AssertionError(f"ended without a window:\n{playing.end().output}")


def at_once(*faults: Callable[[], object]) -> None:
    with ThreadPoolExecutor(max_workers=len(faults)) as pool:
        for fault in [pool.submit(fault) for fault in faults]:
            fault.result()


def kill_engine(fleet: Fleet, host: str) -> None:
    with without(fleet, host, "dockerd", "kill -9 $(cat /run/docker.pid)"):
        time.sleep(3)  # so long is the fault


def first_window() -> None:
    """A stream, a host, a disk and a way between hosts stand still for some seconds."""
    at_once(
        lambda: do("h1", "docker pause faults-stream-1; sleep 3.4; docker unpause faults-stream-1"),
        lambda: freeze("h2", 3.5),
        lambda: do("h3", f"dd if=/dev/zero of={RUNS}/filling bs=64k; sleep 5; rm {RUNS}/filling"),
        lambda: do("h3", f"iptables -I OUTPUT {FRAMES} -j DROP; sleep 3; iptables -D OUTPUT {FRAMES} -j DROP"),
    )


def second_window(fleet: Fleet) -> None:
    """What does not come back, or too late."""
    at_once(
        lambda: kill_engine(fleet, "h1"),
        lambda: do("h2", "kill -9 $(docker inspect -f '{{.State.Pid}}' faults-again-1)"),
        lambda: do("h3", f"kill -9 $(cut -d' ' -f1 {RUNS}/*/sampler.pid)"),
    )


@pytest.mark.long
def test_a_fleet_that_much_befalls_is_never_ok_and_each_host_says_what(fleet: Fleet) -> None:
    fleet.profile("faults", PROFILE.replace("ADDRESS", fleet.address("h1")), ping__py=PING, pong__py=PONG)
    times = {"measure_warmup_max": 0, "measure_duration": LENGTH, "measure_repeat": 2, "measure_poll": 3}
    with ExitStack() as end:
        end.enter_context(small_disk("h3"))
        # What others take of the processors is not this test's matter.
        playing = end.enter_context(fleet.start("run_profile", profile="faults", measure_contention_max=100, **times))
        window(fleet, playing, 0)
        first_window()
        time.sleep(max(0.0, window(fleet, playing, 1) + 2.0 - time.time()))
        second_window(fleet)
        done = playing.end()
        run: dict[str, Any] = fleet.latest()
        fleet.well("stop_profile")
    assert done.status != 0
    assert run["verdict"] == "failed"
    told = "\n".join(run["reasons"])
    assert [one["valid"] for one in run["windows"]] == [True, False], told
    for pattern in (
        r"replica faults-stream-1 on h1: a gap of \d\.\d s from second \d+ of window 1: about \d+ frames were due",
        r"replica faults-again-1 on h2: restarted \d times?, as its restart policy 'always' allows",
        r"host h2: no sample for \d\.\d s from second \d+ of window 1",
        r"host h3: the host's disk took nothing for \d+ s, no record was lost: (the disk|No space left)",
        r"replica faults-far-1 on h3: a gap of \d\.\d s from second \d+ of window 1",
        r"host h1: its engine was gone: .*cannot connect to /var/run/docker.sock",
        r"host h3: its sampler died at second \d+ of the measurement",
    ):
        assert re.search(pattern, told), f"{pattern}\n{told}"


def test_a_run_whose_processors_others_took_is_not_ok(fleet: Fleet) -> None:
    """What else runs on the machine takes its part of these two as well: they are at most so fast."""
    fleet.profile("burnt", f"containers:\n{STREAM.replace('h1,h2,h3', 'h1')}")
    burn = ["sh", "-c", "while :; do :; done"]
    with ExitStack() as end:
        for _core in range(2 * (os.cpu_count() or 1)):
            burner = end.enter_context(subprocess.Popen(burn))
            end.callback(burner.kill)
        fleet.well("run_profile", profile="burnt", measure_warmup_max=0, measure_duration=10, measure_contention_max=40)
    run = fleet.latest()
    assert run["verdict"] == "degraded"
    found = re.search(
        r"contention on h\d: other processes took (\d+\.\d) of (\d+) cores \(\d+ %\) in the window, limit 40 %",
        run["reasons"][0],
    )
    assert found, run["reasons"]
    assert float(found[1]) > 0.4 * float(found[2])
