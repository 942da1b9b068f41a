# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is measured is true: held against control group files read by hand, known amounts of work, and raw values."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import Fleet, Playing

CGROUPS = Path("/sys/fs/cgroup")
HELD = 200_000_000
FRAME = {"name": "data", "shape": [1, 3, 300, 300], "datatype": "FP32", "parameters": {"binary_data_size": 1_080_000}}
SERVED = 20
WINDOW = 45
HERE = Path(__file__).resolve().parent
RECOMPUTE = HERE.parents[1] / "oracle" / "recompute.py"
pytestmark = pytest.mark.measures


def unix(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def files_of(container: str, *names: str) -> Path:
    """A file of the control group of a container: the lab's hosts are containers of this machine."""
    found = [path for name in names for path in CGROUPS.glob(f"**/*{container}*/{name}")]
    assert found, f"no control group of {container} has {' or '.join(names)}"
    return found[0]


def words(text: str) -> dict[str, float]:
    return {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if len(line.split()) == 2}


@dataclass
class ByHand:
    """Reads control group files five times a second, until it is told to end."""

    containers: dict[str, str]
    cpu: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    memory: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._end = threading.Event()
        self._files = {
            name: (
                files_of(id_, "cpuacct.usage", "cpu.stat"),
                files_of(id_, "memory.usage_in_bytes", "memory.current"),
                files_of(id_, "memory.stat"),
            )
            for name, id_ in self.containers.items()
        }
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        while not self._end.wait(0.2):
            for name, (cpu, usage, stat) in self._files.items():
                text = cpu.read_text()
                used = words(text)["usage_usec"] * 1e-6 if cpu.name == "cpu.stat" else float(text) * 1e-9
                self.cpu.setdefault(name, []).append((time.time(), used))
                known = words(stat.read_text())
                inactive = known.get("total_inactive_file", known.get("inactive_file", 0.0))
                self.memory.setdefault(name, []).append((time.time(), float(usage.read_text()) - inactive))

    def end(self) -> None:
        self._end.set()
        self._thread.join()

    def cores(self, name: str, start: float, end: float) -> float:
        times, used = np.array(self.cpu[name]).T
        return float((np.interp(end, times, used) - np.interp(start, times, used)) / (end - start))

    def working_set(self, name: str, start: float, end: float) -> float:
        times, held = np.array(self.memory[name]).T
        return float(held[(times > start) & (times <= end)].mean())


@dataclass(frozen=True)
class Truth:
    """A run of the profile ``truth``: its record and directory, its only window, and what was read by hand."""

    record: dict[str, Any]
    folder: Path
    start: float
    end: float
    by_hand: ByHand

    def mean(self, replica: str, metric: str) -> float:
        return float(self.record["metrics"][f"truth-{replica}-1"][metric]["mean"])

    def lines(self, replica: str) -> list[dict[str, Any]]:
        """What a replica logged in the window, without the clock of its host: all hosts are on this machine."""
        host = self.record["containers"][replica]["host"]
        found = (self.folder / "logs" / host / f"{replica}.log").read_text(encoding="utf-8").splitlines()
        inside = [line for line in found if self.start < unix(line.split(" ", 1)[0]) <= self.end]
        return [json.loads(line[line.index("{") :]) for line in inside]


@pytest.fixture(scope="module")
def truth(prepared: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Truth]:
    """One run, during which control group files are read by hand."""
    user = Fleet(prepared.checkout, prepared.inventory, tmp_path_factory.mktemp("truth"))
    shutil.copytree(HERE / "truth", user.home / "profiles" / "truth")
    settings = {"measure_warmup_max": 10, "measure_duration": WINDOW, "profile_keep": True}
    with user.start("run_profile", profile="truth", **settings) as playing:
        playing.until("Start the sampler")
        ids = user.shells("h2,h3", "docker ps --no-trunc --format '{{.Names}} {{.ID}}'")
        found = dict(line.split() for text in ids.values() for line in text.splitlines())
        names = ("truth-spinner-1", "truth-holder-1", "truth-empty-1")
        by_hand = ByHand({name: found[name] for name in names})
        done = playing.end()
        by_hand.end()
    record = user.latest()
    [window] = [window for window in record["windows"] if window["phase"] == "measure"]
    assert window["valid"], (done.output, record["reasons"])
    folder = (user.home / "results" / "latest").resolve()
    yield Truth(record, folder, unix(window["start"]), unix(window["end"]), by_hand)
    user.well("stop_profile")


def test_cpu(truth: Truth) -> None:
    assert truth.mean("spinner", "cpu_cores") == pytest.approx(0.5, rel=0.03)
    assert truth.mean("spinner", "cpu_cores") == pytest.approx(
        truth.by_hand.cores("truth-spinner-1", truth.start, truth.end), rel=0.03
    )
    assert truth.mean("spinner", "cpu_throttled_ratio") > 0.9


def test_working_set(truth: Truth) -> None:
    holder, empty = (truth.mean(name, "memory_working_set_bytes") for name in ("holder", "empty"))
    assert holder - empty == pytest.approx(HELD, rel=0.03)
    for name, said in (("holder", holder), ("empty", empty)):
        by_hand = truth.by_hand.working_set(f"truth-{name}-1", truth.start, truth.end)
        assert said == pytest.approx(by_hand, rel=0.03)


def test_network(truth: Truth) -> None:
    sent = truth.mean("source", "sent_bytes_per_second")
    assert sent == pytest.approx(3_000_000, rel=0.03)
    assert truth.mean("source", "network_tx_bytes_per_second") == pytest.approx(sent, rel=0.03)
    assert truth.mean("sink", "network_rx_bytes_per_second") == pytest.approx(sent, rel=0.03)


def test_direct_writes(truth: Truth) -> None:
    """Of a container where the kernel counts them by control group; where it does not, the reason is said."""
    written = truth.mean("writer", "written_bytes_per_second")
    assert written == pytest.approx(4 * 2**20, rel=0.03)
    told = truth.record["metrics"]["truth-writer-1"].get("block_write_bytes_per_second")
    if told is None:
        reason = truth.record["absent"]["truth-writer-1"]["block_write_bytes_per_second"]
        assert "counts no block I/O" in reason
    else:
        assert told["mean"] == pytest.approx(written, rel=0.03)
    assert truth.record["host_metrics"]["h4"]["block_write_bytes_per_second"]["mean"] > 0.97 * written


def test_frames_a_second(truth: Truth) -> None:
    assert truth.record["totals"]["fps"]["mean"] == pytest.approx(3 * 60.0, rel=0.03)


def test_merged_percentiles_are_those_of_the_pooled_raw_values(truth: Truth) -> None:
    raw = [value for number in (1, 2, 3) for line in truth.lines(f"truth-timer-{number}") for value in line["raw"]]
    said = truth.record["totals"]["latency_seconds"]
    assert said["n"] == len(raw)
    for name, quantile in (("p50", 0.50), ("p95", 0.95), ("p99", 0.99)):
        assert said[name] == pytest.approx(np.quantile(raw, quantile, method="lower"), rel=0.01)


def test_every_figure_is_what_the_samples_say(truth: Truth) -> None:
    done = subprocess.run(
        [sys.executable, str(RECOMPUTE), str(truth.folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True)
class Loaded:
    """A run of ovms in two windows. h2load asked all the while; in the second the server stood still for 2 s."""

    record: dict[str, Any]
    asked_per_second: float


def windows_of(fleet: Fleet, playing: Playing) -> list[tuple[float, float]]:
    """The measure windows of the run that is on its way, as soon as they are decided."""
    while playing.process.poll() is None:
        found = [window for window in fleet.latest()["windows"] if window["phase"] == "measure"]
        if found:
            return [(unix(window["start"]), unix(window["end"])) for window in found]
        time.sleep(0.5)
    raise AssertionError("the run ended before its windows were decided")


@pytest.fixture(scope="module")
def loaded(prepared: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    if shutil.which("h2load") is None:
        pytest.skip("no h2load: as root, make setup-dev installs it")
    user = Fleet(prepared.checkout, prepared.inventory, tmp_path_factory.mktemp("loaded"))
    host = user.address("h1")
    body = user.home / "frame"
    header = json.dumps({"inputs": [FRAME]}).encode()
    body.write_bytes(header + bytes(1_080_000))
    url = f"http://{host}:8000/v2/models/face-detection/infer"
    told = ["-d", str(body), "-H", f"inference-header-content-length: {len(header)}"]
    h2load = ["h2load", "--h1", "-c", "1", "-m", "1", "--rps=10", "-D", str(2 * SERVED + 30), *told, url]
    settings = {"measure_warmup_max": 10, "measure_duration": SERVED, "measure_repeat": 2, "profile_keep": True}
    with user.start("run_profile", profile="ovms", **settings) as playing:
        playing.until("Start the sampler")
        with subprocess.Popen(h2load, stdout=subprocess.PIPE, text=True) as asking:
            _first, (start, _end) = windows_of(user, playing)
            time.sleep(max(0.0, start + SERVED / 4 - time.time()))
            user.shell("h1", "docker pause ovms-ovms-server-1; sleep 2; docker unpause ovms-ovms-server-1")
            done = playing.end()
            said, _nothing = asking.communicate()
    record = user.latest()
    assert all(window["valid"] for window in record["windows"] if window["phase"] == "measure"), done.output
    rate = re.search(r"finished in .*, ([0-9.]+) req/s", said)
    assert rate is not None and " 0 failed, 0 errored" in said, said
    yield Loaded(record, float(rate.group(1)))
    user.well("stop_profile")


def test_the_request_rate_is_what_clients_and_h2load_asked(loaded: Loaded) -> None:
    frames = loaded.record["totals"]["fps"]["mean"]
    assert frames == pytest.approx(3 * 15.0, rel=0.03)
    [server] = [name for name, c in loaded.record["containers"].items() if c["container"] == "ovms-server"]
    served = loaded.record["metrics"][server]["requests_per_second"]["mean"]
    assert served == pytest.approx(frames + loaded.asked_per_second, rel=0.03)


def test_a_stall_of_two_seconds_shows(loaded: Loaded) -> None:
    calm, stalled = (w["metrics"]["latency_seconds"] for w in loaded.record["windows"] if w["phase"] == "measure")
    assert calm["max"] < 1.5
    assert stalled["max"] >= 1.9
    assert stalled["p99"] >= 1.5
    assert stalled["p50"] < 0.5
