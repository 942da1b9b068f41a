# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet with a virtual machine: Debian 13 with its own kernel and clock, systemd, cgroup v2 and AppArmor.

``h1`` is the machine, ``h2`` a host in a container, so that there is one which goes on. The machine may be emulated,
and slow. The tests stand in the order of its life: at first it has no Docker Engine.

``RETAIL_PROFILES_VM_LAB`` names a lab of this checkout that is up and stays so (``make lab-up LAB=NAME HOSTS=2
KINDS=vm,bookworm``). Without it the tests have one of their own.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from . import over_ssh
from .conftest import Engine, plain_configuration
from .main_job.conftest import Fleet
from .main_job.test_faults import window
from .main_job.test_hangs import left_on
from .over_ssh import addresses
from .test_lab import changed, links_of

pytestmark = pytest.mark.long

HERE = Path(__file__).resolve().parent
# Not root, but with sudo: which preparing hosts uses where it must, and anything by this option.
USER = {"ansible_user": "lab"}
SUDO = "--become"
HELD = 100_000_000
# What a slow machine does besides is not the matter here. Its sampler has time to keep its pace.
TIMES = {
    "measure_warmup_max": 20,
    "measure_duration": 30,
    "measure_interval": 2,
    "measure_poll": 5,
    "measure_contention_max": 100,
}
PROFILE = """
containers:
  - name: spinner
    image: retail/kserve-client:1
    build: ./images/kserve-client
    entrypoint: ./work.sh
    args: [spin]
    cpus: 0.2
    hosts: h1
  - name: holder
    image: retail/kserve-client:1
    entrypoint: ./work.sh
    args: [hold, "100000000"]
    env: {CACHED_MIB: "10"}
    hosts: h1
  - name: sink
    image: retail/kserve-client:1
    entrypoint: ./work.sh
    args: [sink]
    networks: [inner]
    ports: {data: 7000}
    hosts: h1
    ready: {tcp: data, timeout: 300s}
  - name: source
    image: retail/kserve-client:1
    entrypoint: ./work.sh
    args: [source]
    env:
      SINK: "{{ peers['sink'].address }}"
      PORT: "{{ peers['sink'].ports.data }}"
    networks: [inner]
    hosts: h1
    depends_on: [sink]
    metrics:
      sent_bytes_per_second: {log: sent, kind: counter, unit: bytes}
  - name: writer
    image: retail/kserve-client:1
    entrypoint: ./work.sh
    args: [write]
    docker: {user: root}
    volumes: ["written:/written"]
    hosts: h1
    metrics:
      written_bytes_per_second: {log: written, kind: counter, unit: bytes}
  - name: beside
    image: retail/kserve-client:1
    entrypoint: ./work.sh
    args: [hold, "0"]
    hosts: h2
"""
SLOW = """
containers:
  - name: slow
    image: retail/kserve-client:1
    entrypoint: [/bin/sh, -c]
    args: ["sleep 30 & wait; echo up; trap 'exit 0' TERM; while :; do echo '{\\"fps\\": 1}'; sleep 1 & wait $!; done"]
    hosts: h1,h2
    replicas_per_host: 1
    ready: {log: up, timeout: 300s}
    metrics: {fps: {log: fps}}
"""
STREAM = """
containers:
  - name: stream
    image: retail/kserve-client:1
    entrypoint: [/bin/sh, -c]
    args: ["trap 'exit 0' TERM; while :; do echo '{\\"fps\\": 1}'; sleep 1 & wait $!; done"]
    hosts: h1,h2
    replicas_per_host: 1
    metrics: {fps: {log: fps}}
"""
# Reads the counters of containers, named as arguments, until it is told to end; in the machine.
BY_HAND = """
import json, os, subprocess, sys, time
from pathlib import Path

FORMAT = "{{.Id}} {{.State.Pid}}"
found = {}
for name in sys.argv[1:]:
    told = subprocess.run(["docker", "inspect", "--format", FORMAT, name], capture_output=True, text=True, check=True)
    identity, process = told.stdout.split()
    found[name] = Path(f"/sys/fs/cgroup/system.slice/docker-{identity}.scope"), Path(f"/proc/{process}/net/dev")


def words(path):
    return dict(line.split(" ", 1) for line in path.read_text().splitlines())


with open("/tmp/by-hand.json", "w") as file:
    while not os.path.exists("/tmp/by-hand.end"):
        for name, (group, network) in found.items():
            written = sum(
                int(word.split("=")[1])
                for line in (group / "io.stat").read_text().splitlines()
                for word in line.split()
                if word.startswith("wbytes=")
            )
            sent = [line.split()[9] for line in network.read_text().splitlines() if "eth0:" in line]
            inactive = int(words(group / "memory.stat")["inactive_file"])
            row = {
                "name": name,
                "time": time.time(),
                "cpu": int(words(group / "cpu.stat")["usage_usec"]) * 1e-6,
                "memory": int((group / "memory.current").read_text()) - inactive,
                "written": written,
                "sent": int(sent[0]) if sent else 0,
            }
            file.write(json.dumps(row) + "\\n")
        file.flush()
        time.sleep(1)
"""


def unix(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@dataclass(frozen=True)
class Lab:
    """The lab of these tests. It is brought up again to start a machine that has lost its power."""

    engine: Engine
    name: str

    def up(self) -> str:
        return self.engine.play("lab_up", self.name, lab_hosts=2, lab_kinds="vm,bookworm")

    def down(self) -> None:
        self.engine.play("lab_down", self.name)

    @property
    def inventory(self) -> Path:
        return self.engine.inventory(self.name)

    @property
    def machine(self) -> Path:
        """The folder of h1."""
        return self.engine.cache_dir / "engine" / "machines" / self.name / "h1"

    def processes(self) -> list[int]:
        """Those whose command line names the lab's machines."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes()
            except OSError:  # ended meanwhile
                continue
            if os.fsencode(self.machine.parent) in words and words.startswith(b"qemu"):
                found.append(int(folder.name))
        return found


@pytest.fixture(scope="module")
def lab(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    engine = Engine(
        checkout=checkout,
        config=plain_configuration(checkout, tmp_path_factory.mktemp("lab")),
        engine_dir=Path("/run/retail-profiles-lab"),
        cache_dir=Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retail-profiles",
        lab_dir=checkout / ".lab",
    )
    kept = os.environ.get("RETAIL_PROFILES_VM_LAB")
    made = Lab(engine, kept or f"vm-{os.getpid()}")
    links: set[str] = set()
    try:
        if not kept:
            made.up()
            links = links_of(addresses(made.inventory)["h1"])
        yield made
    finally:
        if not kept:
            made.down()
            assert made.processes() == []
            assert not made.machine.parent.exists()
            assert not links & set(os.listdir("/sys/class/net"))


@pytest.fixture(scope="module")
def user(lab: Lab, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """A user with the profiles of these tests. The image has its context with it: no other test need have built it."""
    made = Fleet(checkout, lab.inventory, tmp_path_factory.mktemp("vm"), patience=2400)
    made.profile("machine", PROFILE)
    folder = made.home / "profiles" / "machine"
    shutil.copytree(checkout / "profiles" / "ovms" / "images" / "kserve-client", folder / "images" / "kserve-client")
    shutil.copy(HERE / "main_job" / "truth" / "work.sh", folder)
    made.profile("slow", SLOW)
    made.profile("stream", STREAM)
    return made


@pytest.fixture
def fleet(user: Fleet, tmp_path: Path) -> Iterator[Fleet]:
    """The user with results of the test's own. What a test leaves on the hosts is stopped after it."""
    shutil.copytree(user.home / "profiles", tmp_path / "profiles")
    made = replace(user, home=tmp_path)
    yield made
    if left_on(made):
        made.well("stop_profile")


def back(fleet: Fleet) -> None:
    """Wait until the machine is there again, with its engine."""
    ready = ["ansible", "h1", "-m", "ansible.builtin.wait_for_connection", "-a", "timeout=1200"]
    subprocess.run(ready, cwd=fleet.home, env=fleet.environment, check=True, stdout=subprocess.DEVNULL)
    wait = "timeout 100 sh -c 'until docker info; do sleep 1; done' > /dev/null 2>&1"
    fleet.shell("h1", f"{wait} || {wait}")


def boot(fleet: Fleet) -> str:
    """Which of its lives the machine is in."""
    return fleet.shell("h1", "cat /proc/sys/kernel/random/boot_id")


def test_it_is_a_machine(user: Fleet) -> None:
    ask = "uname -r; cat /proc/1/comm; stat -fc %T /sys/fs/cgroup; hostname; . /etc/os-release; echo $VERSION_ID"
    told = user.shell("h1", ask)
    kernel, first, control_groups, name, release = told.splitlines()
    assert kernel != os.uname().release
    assert (first, control_groups, name, release) == ("systemd", "cgroup2fs", "h1", "13")
    assert user.shell("h1", "cat /sys/module/apparmor/parameters/enabled") == "Y"
    assert user.shell("h1", "ip route show default") == ""
    assert user.shell("h1", "sudo -u lab sudo id -un") == "root"


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    assert changed(lab.up()) == 0


def test_a_bare_machine_is_prepared_by_a_user_with_sudo(fleet: Fleet) -> None:
    """Its packages come from apt's cache: there is no way out."""
    take = "DEBIAN_FRONTEND=noninteractive apt-get -qq -y purge docker.io containerd runc python3-docker >&2"
    look = "command -v dockerd || echo none; systemctl is-active docker || true; touch /var/lib/apt/lists"
    told = over_ssh.shells(fleet.inventory, "h1", f"{take} && {{ {look}; }}", seconds=900)
    assert told["h1"].split() == ["none", "inactive"]
    fleet.well("prepare_hosts", profile="machine", **USER)
    assert fleet.shell("h1", "systemctl is-active docker; systemctl is-enabled docker").split() == ["active", "enabled"]
    assert fleet.shell("h1", "stat -c '%a %G' /var/lib/retail-profiles") == "2770 docker"
    assert fleet.well("prepare_hosts", profile="machine", **USER).changed == 0


@dataclass(frozen=True)
class Truth:
    """A run of the profile ``machine``, its window, and the counters that were read by hand in the machine."""

    record: dict[str, Any]
    output: str
    valid: bool
    start: float
    end: float
    by_hand: dict[str, np.ndarray]
    confined: set[str]

    def mean(self, name: str, metric: str) -> float:
        return float(self.record["metrics"][f"machine-{name}-1"][metric]["mean"])

    def rate(self, name: str, column: int) -> float:
        """A second, over what was read of the window: it may have begun before that."""
        rows = self.by_hand[f"machine-{name}-1"]
        start = max(self.start, rows[0, 0])
        assert start < self.end - 15.0 and self.end < rows[-1, 0]
        first, last = (np.interp(when, rows[:, 0], rows[:, column]) for when in (start, self.end))
        return float((last - first) / (self.end - start))

    def held(self, name: str) -> float:
        rows = self.by_hand[f"machine-{name}-1"]
        return float(rows[(rows[:, 0] > self.start) & (rows[:, 0] <= self.end), 2].mean())


COLUMNS = ("time", "cpu", "memory", "written", "sent")
CPU, MEMORY, WRITTEN, SENT = range(1, len(COLUMNS))


@contextmanager
def reading(fleet: Fleet, *names: str) -> Iterator[dict[str, np.ndarray]]:
    """Reads counters by hand meanwhile; by container, a row each second."""
    rows: dict[str, np.ndarray] = {}
    fleet.shell("h1", f"rm -f /tmp/by-hand.*; cat > /tmp/by-hand.py << 'END'\n{BY_HAND}\nEND")
    fleet.shell("h1", f"nohup python3 /tmp/by-hand.py {' '.join(names)} > /tmp/by-hand.log 2>&1 < /dev/null & true")
    try:
        yield rows
    finally:
        fleet.shell("h1", "touch /tmp/by-hand.end")
    told = [json.loads(line) for line in fleet.shell("h1", "cat /tmp/by-hand.json").splitlines()]
    for name in names:
        rows[name] = np.array([[float(row[key]) for key in COLUMNS] for row in told if row["name"] == name])


@pytest.fixture(scope="module")
def truth(user: Fleet) -> Truth:
    """A run whose containers do known amounts of work, by a user who is not root."""
    user.well("prepare_hosts", profile="machine", **USER)
    names = [f"machine-{name}-1" for name in ("spinner", "holder", "source", "writer")]
    with user.start("run_profile", profile="machine", profile_keep=True, **TIMES, **USER) as playing:
        playing.until("Start the sampler")
        with reading(user, *names) as rows:
            done = playing.end()
    profiles = user.shell("h1", "docker inspect --format '{{.AppArmorProfile}}' $(docker ps -q)")
    record = user.latest()
    user.well("stop_profile", **USER)
    assert left_on(user) == []
    [found] = [one for one in record["windows"] if one["phase"] == "measure"]
    return Truth(
        record, done.output, found["valid"], unix(found["start"]), unix(found["end"]), rows, set(profiles.split())
    )


def test_the_main_job(fleet: Fleet) -> None:
    done = fleet.play("run_profile", profile="stream", **TIMES, **USER)
    record = fleet.latest()
    assert record["verdict"] == "ok", (record["reasons"], done.output)
    assert record["metrics"]["stream-stream-1"]["fps"]["mean"] > 0.5
    assert left_on(fleet) == []


def test_work_is_measured_in_containers_that_apparmor_confines(truth: Truth) -> None:
    assert truth.valid, (truth.record["reasons"], truth.output)
    assert truth.confined == {"docker-default"}
    for metrics in truth.record["absent"].values():
        assert all(metrics.values()), "a metric is absent without a reason"


def test_cpu_is_what_the_control_group_says(truth: Truth) -> None:
    assert truth.mean("spinner", "cpu_cores") == pytest.approx(truth.rate("spinner", CPU), rel=0.05)
    assert truth.mean("spinner", "cpu_cores") == pytest.approx(0.2, rel=0.05)


def test_memory_is_what_the_control_group_says(truth: Truth) -> None:
    assert truth.mean("holder", "memory_working_set_bytes") == pytest.approx(truth.held("holder"), rel=0.05)
    assert truth.mean("holder", "memory_working_set_bytes") > HELD


def test_direct_writes_are_what_the_control_group_says(truth: Truth) -> None:
    counted = truth.mean("writer", "block_write_bytes_per_second")
    assert counted == pytest.approx(truth.rate("writer", WRITTEN), rel=0.05)
    assert counted == pytest.approx(truth.mean("writer", "written_bytes_per_second"), rel=0.1)
    assert truth.record["host_metrics"]["h1"]["block_write_bytes_per_second"]["mean"] > 0.95 * counted


def test_network_is_what_the_namespace_says(truth: Truth) -> None:
    sent = truth.mean("source", "network_tx_bytes_per_second")
    assert sent == pytest.approx(truth.rate("source", SENT), rel=0.05)
    assert truth.mean("sink", "network_rx_bytes_per_second") == pytest.approx(sent, rel=0.05)


@contextmanager
def wrong_clock(fleet: Fleet, ahead: int) -> Iterator[tuple[float, float]]:
    """A clock that is so many seconds ahead of what it was; the bounds of how far it then is ahead of ours."""
    fleet.shell("h1", f"date -s '+{ahead} seconds' > /dev/null")
    try:
        start = time.time()
        clock = float(fleet.shell("h1", "date +%s.%N"))
        yield clock - time.time(), clock - start
    finally:
        fleet.shell("h1", f"date -s '-{ahead} seconds' > /dev/null")


def test_a_clock_that_is_an_hour_ahead_is_refused(fleet: Fleet) -> None:
    with wrong_clock(fleet, 3600) as (low, high):
        done = fleet.play("deploy_profile", profile="stream")
        # Nothing was started. What stop removes are the folders that the question left.
        assert fleet.shell("h1", "docker ps -aq") == ""
    assert done.status != 0
    found = re.search(r"h1: clock: its clock is (\d+) s ahead of the controller's: synchronise both", done.output)
    assert found, done.output
    assert low - 60.0 < int(found[1]) < high + 1.0


def test_a_clock_that_is_some_seconds_ahead_is_put_right(fleet: Fleet) -> None:
    with wrong_clock(fleet, 20) as (low, high):
        done = fleet.play("run_profile", profile="stream", **TIMES)
    record = fleet.latest()
    assert record["verdict"] == "ok", (record["reasons"], done.output)
    clock = record["hosts"]["h1"]["clock"]
    assert clock["consistent"]
    assert clock["offset_low"] < high + 0.5
    assert clock["offset_high"] > low - 0.5
    assert low - 1.0 < clock["correction"] < high + 1.0
    assert left_on(fleet) == []


def test_a_machine_that_restarts_in_the_middle_of_a_deployment(fleet: Fleet) -> None:
    before = boot(fleet)
    with fleet.start("deploy_profile", SUDO, profile="slow", **USER) as playing:
        playing.until("Apply wave 1")
        running = "until docker ps --format '{{.Names}}' | grep -qx slow-slow-1; do sleep 0.5; done"
        fleet.shell("h1", f'timeout 100 sh -c "{running}"')
        fleet.shell("h1", "systemctl --no-block reboot")
        done = playing.end()
    assert done.status != 0
    assert re.search(r"Deployment slow failed: h1: .*unreachable", done.output), done.output

    back(fleet)
    assert boot(fleet) != before
    # It says how it is: the container has ended with the machine, and none of its restart policy brings it back.
    told = fleet.play("status_profile", SUDO, **USER)
    assert told.status == 2, told.output
    actual = fleet.shell("h1", "docker inspect --format '{{.State.Status}} ({{.State.ExitCode}})' slow-slow-1")
    assert actual.startswith("exited"), actual
    row = re.search(r"h1 +slow-slow-1 +\S+ +running +(exited \(\d+\))", told.output)
    assert row, told.output
    assert row[1] == actual

    fleet.well("deploy_profile", SUDO, profile="slow", **USER)
    assert fleet.well("deploy_profile", SUDO, profile="slow", **USER).changed == 0
    told = fleet.well("status_profile", SUDO, **USER)
    assert re.findall(r"^(h\d) .+ running +running +yes ", told.output, re.MULTILINE) == ["h1", "h2"], told.output
    fleet.well("stop_profile", SUDO, **USER)
    assert left_on(fleet) == []


def cut_power(lab: Lab) -> None:
    """As the lab's documentation says."""
    subprocess.run(["kill", "-9", lab.machine.joinpath("pid").read_text(encoding="ascii").strip()], check=True)


def test_a_machine_that_loses_its_power_in_the_middle_of_a_run(lab: Lab, fleet: Fleet) -> None:
    before = boot(fleet)
    with fleet.start("run_profile", profile="stream", **{**TIMES, "measure_duration": 60}) as playing:
        time.sleep(max(0.0, window(fleet, playing, 0) + 15.0 - time.time()))
        cut_power(lab)
        done = playing.end()
    record = fleet.latest()
    assert changed(lab.up()) > 0
    back(fleet)
    assert boot(fleet) != before
    assert done.status != 0
    assert record["verdict"] == "failed"
    first = r"host h1 could not be reached any more: it answered last at second \d+ of the measurement \(.+\)"
    assert re.fullmatch(first, record["reasons"][0]), record["reasons"]
    assert record["metrics"]["stream-stream-2"]["fps"]["mean"] > 0.5
    fleet.well("stop_profile")
    assert left_on(fleet) == []
