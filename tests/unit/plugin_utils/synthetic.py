# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A made-up run: the plan, the samples and the task results of a fleet, fed through the recorder as Ansible would."""

from __future__ import annotations

import base64
import json
import random
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings, iso
from ansible_collections.retail.profiles.plugins.plugin_utils.results import judgement, poll
from ansible_collections.retail.profiles.plugins.plugin_utils.results.recorder import Recorder, TaskResult
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RunDirectory

T0 = 1_770_000_000.0
RULES = {
    "fps": {"log": "fps", "kind": "gauge", "unit": "fps", "required": True},
    "latency_seconds": {"log": "latency", "kind": "sketch", "unit": "seconds", "required": True},
    "errors": {"log": "errors", "kind": "counter", "unit": "errors", "required": True},
}
GPUS, NPU = ("0000:00:02.0", "0000:03:00.0"), "0000:00:0b.0"
MODELS = {"/models/face-detection": "25db35e4" * 8}
STAND_IN = "retail/ovms-stand-in:1 for openvino/model_server"


def host_names(hosts: int) -> list[str]:
    return ["server", *(f"client{number}" for number in range(1, hosts))]


def make_plan(hosts: int = 4, clients: int = 4) -> dict[str, Any]:
    """The ovms profile: a server on the first host, clients dealt over the others."""
    names = host_names(hosts)
    others = names[1:] or names
    replicas: dict[str, Any] = {
        "ovms-ovms-server-1": {
            "container": "ovms-server",
            "host": names[0],
            "image": "openvino/model_server:2025.4",
            "address": "10.99.0.10",
            "ports": {"grpc": 9000, "rest": 8000},
            "measured": True,
            "ready": [{"kind": "ovms_models"}],
            "task": {"name": "ovms-ovms-server-1", "restart_policy": "no"},
            "metrics": {},
            "prometheus": {"port": 8000, "path": "/metrics"},
            "ovms": True,
        }
    }
    for number in range(1, clients + 1):
        name = f"ovms-client-{number}"
        replicas[name] = {
            "container": "client",
            "host": others[(number - 1) % len(others)],
            "image": "retail/kserve-client:1",
            "address": None,
            "ports": {},
            "measured": True,
            "ready": [],
            "task": {"name": name},
            "metrics": RULES,
            "prometheus": None,
            "ovms": False,
        }
    return {
        "schema": "retail.profiles/plan/1",
        "plan_id": "3f9d" * 16,
        "profile": "ovms",
        "deployment": "ovms",
        "stand_ins": [STAND_IN],
        "warnings": [],
        "waves": [["ovms-ovms-server-1"], [name for name in replicas if "client" in name]],
        "hosts": {name: {"address": f"10.99.0.{10 + i}"} for i, name in enumerate(names)},
        "replicas": replicas,
        "snapshot": {
            name: {
                "cpus": 2,
                "engine": {"version": "20.10.24", "cgroup_version": "2", "storage_driver": "overlay2"},
                "system": {
                    "cpu_model": "Intel(R) Xeon(R) Processor @ 2.60GHz",
                    "cpus": 2,
                    "memory_bytes": 8 * 1024**3,
                    "kernel": "6.1.0-13-amd64" if i else "6.1.0-14-amd64",
                    "governor": {"absent": "no cpufreq on this machine"},
                },
            }
            for i, name in enumerate(names)
        },
    }


@dataclass
class Screen:
    """Collects what is shown."""

    terminal: bool = False
    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    statuses: list[Callable[[int], str] | None] = field(default_factory=list)

    def show(self, text: str, kind: str = "plain") -> None:
        self.lines.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def status(self, text: Callable[[int], str] | None) -> None:
        self.statuses.append(text)


class Fleet:
    """Samples of all hosts, second by second. ``hooks`` may be overridden to break something."""

    def __init__(self, plan: dict[str, Any], seed: int = 7, noise: float = 0.02, warm: float = 8.0) -> None:
        self.plan = plan
        self.random = random.Random(seed)
        self.noise = noise
        self.warm = warm
        self.clock_offsets: dict[str, float] = {}
        self.errors: dict[str, int] = {}
        self.frames: dict[str, float] = {}
        self.used: dict[str, float] = {}

    def load(self, second: float) -> float:
        """Throughput relative to the steady state: a ramp, then 1."""
        return min(1.0, 0.35 + 0.65 * second / self.warm) if self.warm else 1.0

    def fps(self, replica: str, second: float) -> float:
        return 30.0 * self.load(second) * (1.0 + self.random.gauss(0.0, self.noise))

    def errors_in(self, replica: str, second: float) -> int:
        return 0

    def neighbours(self, host: str, second: float) -> float:
        """Cores that others take."""
        return 0.0

    def keep(self, sample: dict[str, Any], second: float) -> bool:
        """Whether a sample is there at all."""
        return True

    def add(self, key: str, amount: float) -> float:
        self.used[key] = self.used.get(key, 1e6) + amount
        return self.used[key]

    def devices(self, host: str, load: float) -> dict[str, Any]:
        """Counters of a host's devices; the server has two packages, two GPUs and an NPU."""
        packages = ("package-0", "package-1") if host == "server" else ("package-0",)
        found: dict[str, Any] = {
            "rapl": {
                name: {"package_uj": round(self.add(f"{host} {name}", (20e6 + 5e6 * number) * load))}
                for number, name in enumerate(packages)
            }
        }
        if host == "server":
            found["npu"] = {NPU: {"busy_ns": round(self.add(NPU, 0.3e9 * load)), "memory_used_bytes": 1 << 28}}
            found["gpu"] = {
                gpu: {**self.engines(f"{host} {gpu}", load * (1 + number)), "power_watts": 15.0 + 30.0 * number}
                for number, gpu in enumerate(GPUS)
            }
        return found

    def engines(self, whose: str, load: float) -> dict[str, int]:
        """Busy time of a GPU's engines: render a fifth of the time, video two fifths."""
        shares = {"render_busy_ns": 0.2, "video_busy_ns": 0.4}
        return {name: round(self.add(f"{whose} {name}", share * load * 1e9)) for name, share in shares.items()}

    def second(self, host: str, second: float) -> list[dict[str, Any]]:
        """The samples of one host at T0 + second."""
        t = T0 + second + self.clock_offsets.get(host, 0.0)
        load = self.load(second)
        busy = self.random.uniform(0.9, 1.1) * load
        mine = [one for one in self.plan["replicas"].values() if one["host"] == host]
        interrupts = max(0.0, busy - load * sum(0.9 if one["ovms"] else 0.2 for one in mine))
        samples: list[dict[str, Any]] = [
            {
                "t": t,
                "type": "host",
                "mono": 5000.0 + second,
                "cpu": {
                    "busy": self.add(f"{host} busy", busy + self.neighbours(host, second)),
                    "total": self.add(f"{host} total", 2.0),
                    "steal": self.add(f"{host} steal", 0.01),
                    "irq": self.add(f"{host} irq", interrupts),
                },
                "mem": {"total": 8 * 1024**3, "available": 6 * 1024**3 - int(1e8 * load)},
                "net": {
                    "eth0": [self.add(f"{host} rx", 2e6 * load), self.add(f"{host} tx", 1e6 * load)],
                    "docker0": [9e9, 9e9],
                    "lo": [7e9, 7e9],
                },
                "disk": {
                    "sda": [self.add(f"{host} read", 4096 * 3), self.add(f"{host} write", 4096 * 20)],
                    "sda1": [5e9, 5e9],
                },
                "psi": {"cpu": [12.5 * load], "memory": [0.0], "io": [0.3]},
                "devices": self.devices(host, load),
            }
        ]
        for name, replica in self.plan["replicas"].items():
            if replica["host"] == host:
                samples += self.replica(name, replica, t, second)
        return [sample for sample in samples if self.keep(sample, second)]

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        cores = (0.9 if replica["ovms"] else 0.2) * self.load(second) * self.random.uniform(0.95, 1.05)
        found: list[dict[str, Any]] = []
        if second == 0:
            found.append(
                {"t": t, "type": "state", "replica": name, "event": "up", "started_at": iso(T0 - 20), "exit_code": None}
            )
            found.append(
                {
                    "t": t,
                    "type": "absent",
                    "subject": name,
                    "metric": "block_io",
                    "reason": "the kernel counts no block I/O by control group on this host",
                }
            )
        found.append(
            {
                "t": t,
                "type": "container",
                "replica": name,
                "id": f"id-{name}",
                "cpu_ns": int(self.add(f"{name} cpu", cores) * 1e9),
                "periods": 0,
                "throttled": 0,
                "mem_usage": 300 * 1024**2,
                "mem_inactive_file": 20 * 1024**2,
                "mem_anon": 200 * 1024**2,
                "mem_file": 80 * 1024**2,
                "oom": 0,
                "net": {"rx": self.add(f"{name} rx", 2.7e6), "tx": self.add(f"{name} tx", 4e4)},
                "blk": None,
            }
        )
        if replica["ovms"]:
            found[-1]["devices"] = {"gpu": {GPUS[0]: self.engines(name, 0.5 * self.load(second))}}
            requests = self.add("requests", 120.0 * self.load(second))
            text = (
                "# TYPE ovms_requests_success counter\n"
                f'ovms_requests_success{{interface="gRPC",method="ModelInfer",name="face-detection"}} {requests}\n'
                f'ovms_requests_success{{interface="gRPC",method="ModelReady",name="face-detection"}} {second}\n'
                f'ovms_inference_time_us_sum{{name="face-detection",version="1"}} {requests * 12000.0}\n'
                f'ovms_inference_time_us_count{{name="face-detection",version="1"}} {requests}\n'
                f'ovms_inference_time_us_bucket{{name="face-detection",version="1",le="10"}} 0\n'
            )
            found.append({"t": t, "type": "prometheus", "replica": name, "text": text})
        if replica["metrics"] and second >= 1:
            frames = self.fps(name, second)
            self.errors[name] = self.errors.get(name, 0) + self.errors_in(name, second)
            values = [self.random.lognormvariate(-4.0, 0.35) for _dummy in range(max(0, round(frames)))]
            line = {"fps": frames, "latency": as_logged(ddsketch.of_values(values)), "errors": self.errors[name]}
            found.append({"t": t - 0.2, "type": "log", "replica": name, "stream": "stdout", "line": json.dumps(line)})
        return found


def as_logged(sketch: ddsketch.Sketch) -> dict[str, Any]:
    return {
        "relative_accuracy": sketch.relative_accuracy,
        "count": sketch.count,
        "sum": sketch.total,
        "min": sketch.minimum,
        "max": sketch.maximum,
        "zero_count": sketch.zero_count,
        "bins": {str(index): count for index, count in sketch.bins.items()},
    }


def pack(raw: bytes) -> str:
    return base64.b64encode(zlib.compress(raw)).decode()


class Play:
    """Plays a run over the recorder: plan, apply, start, look and collect, stop, remove, verdict."""

    def __init__(
        self, root: Path, plan: dict[str, Any] | None = None, fleet: Fleet | None = None, terminal: bool = False
    ) -> None:
        self.plan = plan or make_plan()
        self.fleet = fleet or Fleet(self.plan)
        self.hosts = list(self.plan["hosts"])
        self.now = T0 - 30.0
        self.screen = Screen(terminal)
        self.recorder = Recorder(self.screen, clock=lambda: self.now)
        self.run_id = "ovms-20260202T024000Z-3f9d3f9d"
        self.path = root / self.run_id
        self.live: str | None = None
        self.said: dict[str, Any] = {}  # what else profile_plan answers: variables and notes
        self.offsets = dict.fromkeys(self.hosts, 0)
        self.sampled = dict.fromkeys(self.hosts, 0)
        self.answers: dict[str, dict[str, Any]] = {}  # what calls of a host's sampler answer beside samples
        self.contention_max: float | None = None

    @property
    def directory(self) -> RunDirectory:
        return RunDirectory(self.path)

    def task(
        self,
        action: str,
        host: str,
        result: dict[str, Any],
        *,
        status: str = "ok",
        state: str | None = None,
        took: float = 0.4,
    ) -> None:
        start = self.now
        self.now += took
        if state is not None:
            result = {**result, "invocation": {"module_args": {"state": state}}}
        self.recorder.take(TaskResult(action, host, f"Task {action}", status, start, self.now, result))

    def begin(self) -> None:
        where = {"run_id": self.run_id, "run_dir": str(self.path), "live": self.live, **self.said}
        self.task("profile_plan", self.hosts[0], {"plan": self.plan, **where})

    def apply(self, failing: dict[str, str] | None = None) -> None:
        for host in self.hosts:
            replicas = {
                name: {
                    "id": f"id-{name}",
                    "image_id": "sha256:" + "ab" * 32,
                    "status": "failed" if name in (failing or {}) else "created",
                    "ready": name not in (failing or {}),
                    "started_at": iso(self.now),
                    "exit_code": None,
                    "address": "172.18.0.2",
                    "error": (failing or {}).get(name),
                }
                for name, replica in self.plan["replicas"].items()
                if replica["host"] == host
            }
            failed = any(replica["error"] for replica in replicas.values())
            result = {
                "changed": True,
                "replicas": replicas,
                "problems": [],
                "msg": "1 replica failed" if failed else "done",
            }
            self.task("profile_apply", host, result, status="failed" if failed else "ok", state="present")

    def start(self) -> None:
        self.now = T0 - 0.4 * len(self.hosts) - 0.05  # the windows begin at T0 then
        for host in self.hosts:
            self.call(host, "started", b"")

    def call(self, host: str, state: str, raw: bytes) -> None:
        self.offsets[host] += len(raw)
        clock = self.now + 0.2 + self.fleet.clock_offsets.get(host, 0.0)
        result: dict[str, Any] = {"changed": False, "clock": clock, "alive": True}
        if state == "started":
            result.update(pid=4711, models=dict(MODELS) if host == "server" else {})
        else:
            result.update(data=pack(raw), offset=self.offsets[host], **self.answers.get(host, {}))
        self.task("profile_measure", host, result, state=state)

    def new_samples(self, host: str) -> bytes:
        lines = []
        while T0 + self.sampled[host] <= self.now:
            lines += [json.dumps(sample) for sample in self.fleet.second(host, float(self.sampled[host]))]
            self.sampled[host] += 1
        return "".join(f"{line}\n" for line in lines).encode()

    def collect(self, state: str = "collected") -> None:
        now = self.now
        for host in self.hosts:
            self.now = now
            self.call(host, state, self.new_samples(host))

    def measure(self, settings: WindowSettings = WindowSettings(40.0, 30.0), limit: int = 60) -> None:  # noqa: B008 - frozen
        state = "collected"
        for _dummy in range(limit):
            self.collect(state)
            progress = poll.look(self.directory, settings, self.now)
            limit = {} if self.contention_max is None else {"contention_max": self.contention_max}
            self.task("profile_window", self.hosts[0], {**progress.as_dict(), **limit}, took=0.05)
            if progress.done:
                return
            state = "stopped" if progress.final else "collected"
            self.now += progress.next_poll
        raise AssertionError("the measurement does not come to its end")

    def remove(self, failing: dict[str, str] | None = None) -> None:
        for host in self.hosts:
            error = (failing or {}).get(host)
            result = {"changed": True, "replicas": {}, "removed": [], "msg": error or "removed"}
            self.task("profile_apply", host, result, status="failed" if error else "ok", state="absent")

    def verdict(self) -> None:
        """As the action does: it judges and writes, and the recorder sees its answer."""
        asked = {"t": self.now, "start": self.now, "host": self.hosts[0], "action": "profile_verdict", "task": "Judge"}
        judged = judgement.conclude(self.directory, self.now, asked).verdict
        status = "failed" if judged.not_reached else "ok"
        answer = {"verdict": judged.verdict, "reasons": list(judged.reasons)}
        self.task("profile_verdict", self.hosts[0], answer, status=status)

    def whole(self, settings: WindowSettings = WindowSettings(40.0, 30.0)) -> dict[str, Any]:  # noqa: B008 - frozen
        """Everything, as it should go; the final record."""
        self.begin()
        self.apply()
        self.start()
        self.measure(settings)
        self.collect("stopped")
        self.remove()
        self.verdict()
        self.recorder.close()
        return self.record()

    def record(self) -> dict[str, Any]:
        return self.directory.read_json("run.json")
