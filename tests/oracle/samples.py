# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The samples of a run's directory, read apart from the collection, and the series that they make."""

from __future__ import annotations

import functools
import gzip
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jmespath
from devices import DEVICES
from figures import Read, Series, flow, gauges, left_over, quotients, rates
from prometheus_client.parser import text_string_to_metric_families

Sample = Mapping[str, Any]


def number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if abs(found) <= 1e100 else None


def at(sample: Sample, *path: str | int) -> float | None:
    found: Any = sample
    for key in path:
        try:
            found = found[key]
        except (LookupError, TypeError):
            return None
    return number(found)


# -- what is read of a sample, by metric: (kind, value) or (kind, value, per, scale)

INNER_NET = re.compile(r"^(lo|docker\d+|br-[0-9a-f]{12}|veth.+|virbr.+)$")
INNER_DISK = re.compile(
    r"^(loop\d+|ram\d+|zram\d+|dm-\d+|md\d+|sr\d+|fd\d+|[shv]d[a-z]+\d+|xvd[a-z]+\d+|(nvme\d+n|mmcblk)\d+p\d+)$"
)


def outer(sample: Sample, group: str, index: int, inner: re.Pattern[str]) -> float | None:
    found = [at(values, index) for name, values in (sample.get(group) or {}).items() if not inner.match(name)]
    known = [value for value in found if value is not None]
    return sum(known) if known else None


def less(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one - other


Formula = tuple[str, Callable[[Sample], float | None]]
HOST: dict[str, Formula] = {
    "cpu_cores": ("rate", lambda s: at(s, "cpu", "busy")),
    "cpu_steal_cores": ("rate", lambda s: at(s, "cpu", "steal")),
    "memory_used_bytes": ("gauge", lambda s: less(at(s, "mem", "total"), at(s, "mem", "available"))),
    "disk_available_bytes": ("gauge", lambda s: at(s, "space", 0)),
    "disk_size_bytes": ("gauge", lambda s: at(s, "space", 1)),
    "memory_available_bytes": ("gauge", lambda s: at(s, "mem", "available")),
    "network_rx_bytes_per_second": ("rate", lambda s: outer(s, "net", 0, INNER_NET)),
    "network_tx_bytes_per_second": ("rate", lambda s: outer(s, "net", 1, INNER_NET)),
    "block_read_bytes_per_second": ("rate", lambda s: outer(s, "disk", 0, INNER_DISK)),
    "block_write_bytes_per_second": ("rate", lambda s: outer(s, "disk", 1, INNER_DISK)),
    "psi_cpu_percent": ("gauge", lambda s: at(s, "psi", "cpu", 0)),
    "psi_memory_percent": ("gauge", lambda s: at(s, "psi", "memory", 0)),
    "psi_io_percent": ("gauge", lambda s: at(s, "psi", "io", 0)),
}


def working_set(sample: Sample) -> float | None:
    found = less(at(sample, "mem_usage"), at(sample, "mem_inactive_file"))
    return None if found is None else max(0.0, found)


CONTAINER: dict[str, Formula] = {
    "cpu_cores": ("rate", lambda s: None if (ns := at(s, "cpu_ns")) is None else ns * 1e-9),
    "memory_working_set_bytes": ("gauge", working_set),
    "network_rx_bytes_per_second": ("rate", lambda s: at(s, "net", "rx")),
    "network_tx_bytes_per_second": ("rate", lambda s: at(s, "net", "tx")),
    "block_read_bytes_per_second": ("rate", lambda s: at(s, "blk", "read")),
    "block_write_bytes_per_second": ("rate", lambda s: at(s, "blk", "write")),
}
QUOTIENTS: dict[str, tuple[Callable[[Sample], float | None], Callable[[Sample], float | None]]] = {
    "cpu_throttled_ratio": (lambda s: at(s, "throttled"), lambda s: at(s, "periods")),
}


@functools.lru_cache(maxsize=4)
def exposed(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    found: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        try:
            for family in text_string_to_metric_families(line + "\n"):
                for sample in family.samples:
                    found[sample.name].append((sample.labels, sample.value))
        except (ValueError, LookupError, ArithmeticError):
            continue
    return found


def total_of(text: str, name: str, **labels: str) -> float | None:
    found = [
        value for known, value in exposed(text)[name] if all(known.get(key) == label for key, label in labels.items())
    ]
    return math.fsum(found) if found else None


def asked(text: str, names: tuple[str, ...]) -> float | None:
    """The sum of what these families have, without probes."""
    found = [value for name in names for labels, value in exposed(text)[name] if labels.get("method") not in PROBES]
    return math.fsum(found) if found else None


#: methods by which is asked what a server has: no load
PROBES = ("ModelReady", "ModelMetadata", "GetModelStatus", "GetModelMetadata")
OVMS_SUMS: dict[str, tuple[str, tuple[str, ...]]] = {
    "requests_per_second": ("rate", ("ovms_requests_success", "ovms_requests_accepted")),
    "requests_failed_per_second": ("rate", ("ovms_requests_fail", "ovms_requests_rejected")),
    "current_requests": ("gauge", ("ovms_current_requests",)),
    "inference_streams": ("gauge", ("ovms_streams",)),
    "infer_request_queue_size": ("gauge", ("ovms_infer_req_queue_size",)),
    "infer_requests_active": ("gauge", ("ovms_infer_req_active",)),
    "graph_requests_per_second": ("rate", ("ovms_requests_accepted",)),
    "graph_rejected_per_second": ("rate", ("ovms_requests_rejected",)),
    "graph_responses_per_second": ("rate", ("ovms_responses",)),
    "graph_errors_per_second": ("rate", ("ovms_graph_error",)),
    "current_graphs": ("gauge", ("ovms_current_graphs",)),
}
OVMS_MEANS = {
    "graph_processing_seconds": "ovms_graph_processing_time_us",
    "graph_latency_seconds": "ovms_graph_request_latency_us",
    "inference_seconds": "ovms_inference_time_us",
    "wait_seconds": "ovms_wait_for_infer_req_time_us",
    "request_seconds": "ovms_request_time_us",
}

# -- a run


def unix(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def corrections(events: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """By host, what its clock is ahead: the middle of what all calls allow, unless that holds 0."""
    low: dict[str, float] = defaultdict(lambda: -math.inf)
    high: dict[str, float] = defaultdict(lambda: math.inf)
    for event in events:
        result = event.get("result") or {}
        clock = number(result.get("clock"))
        if event.get("action") == "profile_measure" and clock is not None:
            begun = number(result.get("asked_at")) or float(event["start"])
            low[event["host"]] = max(low[event["host"]], clock - float(event["t"]))
            high[event["host"]] = min(high[event["host"]], clock - begun)
    return {host: 0.0 if low[host] <= 0.0 <= high[host] else (low[host] + high[host]) / 2.0 for host in low}


class Run:
    """What a run's directory holds, and the series that its samples make."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        self.plan = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        events = [json.loads(line) for line in (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()]
        self.corrections = corrections(events)
        with gzip.open(folder / "samples.jsonl.gz", "rt", encoding="utf-8") as lines:
            self.samples = [json.loads(line) for line in lines]
        if (folder / "search.json").exists():
            self.samples = self._of_step()
        measured = [window for window in self.record["windows"] if window["phase"] == "measure"]
        valid = [window for window in measured if window["valid"]]
        self.spans = [(unix(window["start"]), unix(window["end"])) for window in valid or measured]
        self.series: dict[str, dict[str, Series]] = {}
        self.devices: dict[str, dict[str, dict[str, Series]]] = {}
        self._read()

    def _of_step(self) -> list[Sample]:
        """Of a search for stream density: the samples of the step that was measured last, and on which machine hosts
        are."""
        state = json.loads((self.folder / "search.json").read_text(encoding="utf-8"))
        begun = [step for one in state["searches"] for step in one["steps"] if step["began"] is not None]
        step = max([one for one in begun if one["step"]["windows"]] or begun, key=lambda one: one["asked"])
        packed = (self.folder / "samples.jsonl.gz").read_bytes()[step["position"] :]
        mine = [json.loads(line) for line in gzip.decompress(packed).decode().splitlines()]
        known = [sample for sample in self.samples if sample.get("machine")]
        since = {host: step["began"] + ahead for host, ahead in self.corrections.items()}
        return [*known, *(one for one in mine if one["t"] >= since.get(one["host"], step["began"]))]

    def _read(self) -> None:
        read: dict[str, dict[str, list[Read]]] = defaultdict(lambda: defaultdict(list))
        sketches: dict[str, dict[str, list[tuple[float, dict[str, Any]]]]] = defaultdict(lambda: defaultdict(list))
        lives: Counter[str] = Counter()
        ids: dict[str, str] = {}
        machines: dict[str, str] = {}
        starts: Counter[str] = Counter()
        on: dict[tuple[str, str, str], list[Read]] = defaultdict(list)

        def take(subject: str, metric: str, t: float, value: float | None, life: str = "") -> None:
            if value is not None:
                read[subject][metric].append((t, value, life))

        for sample in self.samples:
            t = number(sample.get("t"))
            if t is None:
                continue
            t -= self.corrections.get(sample["host"], 0.0)
            kind, replica = sample.get("type"), sample.get("replica")
            starts[sample["host"]] += kind == "observer" and sample.get("event") == "start"
            if kind == "host":
                for metric, (_kind, value) in HOST.items():
                    take(sample["host"], metric, t, value(sample))
                take(sample["host"], "busy", t, less(at(sample, "cpu", "busy"), at(sample, "cpu", "irq")))
                for metric, device, value in counted(sample):
                    on[sample["host"], metric, device].append((t, value, str(starts[sample["host"]])))
            if kind == "observer":
                take(sample["host"], "sampler", t, at(sample, "cpu_seconds"))
                machines[sample["host"]] = sample.get("machine") or machines.get(sample["host"]) or sample["host"]
            if replica not in self.plan["replicas"]:
                continue
            if kind == "state":
                lives[replica] += sample.get("event") == "restarted"
            if kind == "container":
                ids[replica] = str(sample.get("id") or "")
            life = f"{ids.get(replica, '')}/{lives[replica]}"
            if kind == "container":
                for metric, device, value in counted(sample):
                    on[replica, metric, device].append((t, value, f"{life}/{starts[sample['host']]}"))
                for metric, (_kind, value) in CONTAINER.items():
                    take(replica, metric, t, value(sample), life)
                for metric, pair in QUOTIENTS.items():
                    for name, value in zip((metric, f"{metric} per"), pair, strict=True):
                        take(replica, name, t, value(sample), life)
            elif kind == "prometheus" and self.plan["replicas"][replica].get("ovms"):
                text = sample["text"]
                for metric, (_kind, names) in OVMS_SUMS.items():
                    take(replica, metric, t, asked(text, names), life)
                for metric, name in OVMS_MEANS.items():
                    take(replica, metric, t, total_of(text, f"{name}_sum"), life)
                    take(replica, f"{metric} per", t, total_of(text, f"{name}_count"), life)
            for metric, rule in (self.plan["replicas"][replica].get("metrics") or {}).items():
                found = told(rule, sample)
                if isinstance(found, dict):
                    sketches[replica][metric].append((t, found))
                else:
                    take(replica, f"rule {metric}", t, found, life)
        for (subject, metric, device), values in on.items():
            made_of = self._made(DEVICES[metric][1], values)
            if not made_of.empty:
                self.devices.setdefault(subject, {}).setdefault(metric, {})[device] = made_of
        for host in self.plan["hosts"]:
            self.series[host] = {m: self._made(kind, read[host][m]) for m, (kind, _value) in HOST.items()}
        for replica, planned in self.plan["replicas"].items():
            mine = read[replica]
            made = {m: self._made(kind, mine[m]) for m, (kind, _value) in CONTAINER.items()}
            made |= {m: Series("ratio", quotients(mine[m], mine[f"{m} per"], 1.0)) for m in QUOTIENTS}
            if planned.get("ovms"):
                made |= {m: self._made(kind, mine[m]) for m, (kind, _names) in OVMS_SUMS.items()}
                made |= {m: Series("average", quotients(mine[m], mine[f"{m} per"], 1e-6)) for m in OVMS_MEANS}
            for metric, rule in (planned.get("metrics") or {}).items():
                made[metric] = self._of_rule(metric, rule, mine[f"rule {metric}"], sketches[replica][metric])
            self.series[replica] = {metric: one for metric, one in made.items() if not one.empty}
        for host in self.plan["hosts"]:
            own = machines.get(host, host)
            together = [other for other in self.plan["hosts"] if machines.get(other, other) == own]
            mine = [name for name, planned in self.plan["replicas"].items() if planned["host"] in together]
            containers = [self.series[name].get("cpu_cores") for name in mine]
            if None not in containers:
                taken = [one.points for one in containers if one] + [rates(read[o]["sampler"]) for o in together]
                self.series[host]["cpu_others_cores"] = Series("rate", left_over(rates(read[host]["busy"]), taken))

    @staticmethod
    def _made(kind: str, read: list[Read]) -> Series:
        return Series(kind, rates(read) if kind == "rate" else gauges(read))

    @staticmethod
    def _of_rule(
        metric: str,
        rule: Mapping[str, Any],
        read: list[Read],
        sketches: list[tuple[float, dict[str, Any]]],
    ) -> Series:
        kind = rule.get("kind") or "gauge"
        if kind == "sketch":
            return Series("sketch", sketches=sorted(sketches, key=lambda item: item[0]))
        if kind == "counter":
            derived = metric.endswith(("_per_second", "_cores"))
            raw = [] if derived else sorted((t, value) for t, value, _life in read)
            return Series("rate" if derived else "counter", rates(read), raw)
        return Series(*(("flow", flow(read)) if metric in ("fps", "achieved_per_second") else ("gauge", gauges(read))))


def counted(sample: Sample) -> list[tuple[str, str, float]]:
    """Metric, device and value of all that a sample tells of devices."""
    found = []
    for metric, (kind, _how, counters, scale) in DEVICES.items():
        for device, said in ((sample.get("devices") or {}).get(kind) or {}).items():
            values = [value for name in counters if (value := at(said, name)) is not None]
            if len(values) == len(counters):
                found.append((metric, device, sum(values) * scale))
    return found


def told(rule: Mapping[str, Any], sample: Sample) -> float | dict[str, Any] | None:
    """What a rule finds in a sample."""
    kind = sample.get("type")
    if rule.get("log") is not None and kind == "log":
        try:
            found = jmespath.search(rule["log"], json.loads(sample["line"]))
        except ValueError:
            return None
        return found if isinstance(found, dict) and "bins" in found else number(found)
    if rule.get("regex") is not None and kind == "log":
        match = re.search(rule["regex"], sample["line"])
        return number(match.group(1)) if match else None
    if rule.get("prometheus") is not None and kind == "prometheus":
        name, _brace, labels = rule["prometheus"].partition("{")
        return total_of(sample["text"], name, **dict(re.findall(r'(\w+)="([^"]*)"', labels)))
    return None
