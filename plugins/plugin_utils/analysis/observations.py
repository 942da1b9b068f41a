# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Samples as hosts send them, turned into time series per replica and host.

Counters are stored as read and become rates here (`time_series.rates`); what could not be had keeps its reason.
Formulas: CPU in cores = Δusage / Δtime; throttled = Δthrottled periods / Δperiods;
working set = max(0, usage − inactive file); mean of an OVMS histogram = Δsum / Δcount of two scrapes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import metric_rules, time_series
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan, Replica, Rule
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric_rules import Extractor, Selector
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Reading, Series

NANO = 1e-9
MICRO = 1e-6

UNITS: Mapping[str, str] = {
    "cpu_cores": "cores",
    "cpu_throttled_ratio": "ratio",
    "memory_working_set_bytes": "bytes",
    "network_rx_bytes_per_second": "bytes/s",
    "network_tx_bytes_per_second": "bytes/s",
    "block_read_bytes_per_second": "bytes/s",
    "block_write_bytes_per_second": "bytes/s",
    "requests_per_second": "requests/s",
    "inference_seconds": "seconds",
    "request_seconds": "seconds",
    "wait_seconds": "seconds",
    "cpu_steal_cores": "cores",
    "memory_used_bytes": "bytes",
    "memory_available_bytes": "bytes",
    "psi_cpu_percent": "percent",
    "psi_memory_percent": "percent",
    "psi_io_percent": "percent",
}
CONTAINER_METRICS = (
    "cpu_cores",
    "cpu_throttled_ratio",
    "memory_working_set_bytes",
    "network_rx_bytes_per_second",
    "network_tx_bytes_per_second",
    "block_read_bytes_per_second",
    "block_write_bytes_per_second",
)
OVMS_METRICS = ("requests_per_second", "inference_seconds", "request_seconds", "wait_seconds")
HOST_METRICS = (
    "cpu_cores",
    "cpu_steal_cores",
    "memory_used_bytes",
    "memory_available_bytes",
    "network_rx_bytes_per_second",
    "network_tx_bytes_per_second",
    "block_read_bytes_per_second",
    "block_write_bytes_per_second",
    "psi_cpu_percent",
    "psi_memory_percent",
    "psi_io_percent",
)
OVMS_REQUESTS = Selector("ovms_requests_success", {"method": "ModelInfer"})
OVMS_TIMES: Mapping[str, str] = {
    "inference_seconds": "ovms_inference_time_us",
    "request_seconds": "ovms_request_time_us",
    "wait_seconds": "ovms_wait_for_infer_req_time_us",
}
_OVMS_NAMES = (OVMS_REQUESTS.name, *(f"{name}_{part}" for name in OVMS_TIMES.values() for part in ("sum", "count")))

# Interfaces and disks that carry what another one carries too: counting both would double it.
_INNER_INTERFACE = re.compile(r"^(lo|docker\d+|br-[0-9a-f]{12}|veth.+|virbr.+)$")
_INNER_DISK = re.compile(
    r"^(loop\d+|ram\d+|zram\d+|dm-\d+|md\d+|sr\d+|fd\d+|[shv]d[a-z]+\d+|xvd[a-z]+\d+|(nvme\d+n|mmcblk)\d+p\d+)$"
)


@dataclass(frozen=True)
class State:
    """An event of a container: ``up``, ``gone`` or ``restarted``, at ``t`` (unix seconds, controller's clock)."""

    t: float
    event: str
    started_at: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True)
class Observations:
    """All that the samples of a run say. Keys are replica or host names, then metric names."""

    replicas: Mapping[str, Mapping[str, Series]]
    hosts: Mapping[str, Mapping[str, Series]]
    absent: Mapping[str, Mapping[str, str]]
    states: Mapping[str, tuple[State, ...]]
    host_times: Mapping[str, tuple[float, ...]]
    replica_times: Mapping[str, tuple[float, ...]]
    told_times: Mapping[str, tuple[float, ...]]
    last_lines: Mapping[str, float]
    observer: Mapping[str, Mapping[str, float]]
    out_of_memory: Mapping[str, int]
    unreadable: int

    @property
    def start(self) -> float | None:
        return min((times[0] for times in self.host_times.values() if times), default=None)

    @property
    def end(self) -> float | None:
        return max((times[-1] for times in self.host_times.values() if times), default=None)


@dataclass
class _Subject:
    """What has been read of one replica or host so far."""

    readings: dict[str, list[Reading]] = field(default_factory=lambda: defaultdict(list))
    sketches: dict[str, list[tuple[float, Sketch]]] = field(default_factory=lambda: defaultdict(list))
    absent: dict[str, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    life: int = 0
    identity: str = ""


class Observer:
    """Takes samples in the order in which each host wrote them and makes `Observations` of them."""

    def __init__(self, plan: MeasuredPlan, corrections: Mapping[str, float] | None = None) -> None:
        self._plan = plan
        self._corrections = corrections or {}
        self._replicas = {replica.name: _Subject() for replica in plan.replicas}
        self._hosts = {host: _Subject() for host in plan.hosts}
        self._extractors = {r.name: Extractor(r.rules, r.container) for r in plan.replicas if r.rules}
        self._ovms = {replica.name for replica in plan.replicas if replica.ovms}
        self._states: dict[str, list[State]] = defaultdict(list)
        self._last_lines: dict[str, float] = {}
        self._observer: dict[str, dict[str, float]] = {}
        self._unreadable = 0

    def feed(self, sample: Mapping[str, Any]) -> None:
        """Take one sample with its ``host``. What belongs to no replica or host of the plan is passed over."""
        host = str(sample.get("host"))
        t = metric_rules.number(sample.get("t"))
        if t is None:
            self._unreadable += 1
            return
        t -= self._corrections.get(host, 0.0)
        kind = sample.get("type")
        replica = self._replicas.get(str(sample.get("replica")))
        if kind == "host" and host in self._hosts:
            self._host(self._hosts[host], t, sample)
        elif kind == "observer":
            self._observer[host] = {
                k: v for k in ("cpu_seconds", "rss_bytes") if (v := metric_rules.number(sample.get(k))) is not None
            }
        elif kind == "absent":
            name = sample.get("subject")
            subject = self._hosts.get(host) if name is None else self._replicas.get(str(name))
            if subject is not None:
                subject.absent[str(sample.get("metric"))] = str(sample.get("reason"))
        elif replica is not None:
            if kind == "container":
                self._container(replica, t, sample)
            elif kind == "log":
                self._log(str(sample["replica"]), replica, t, str(sample.get("line", "")))
            elif kind == "prometheus":
                self._prometheus(str(sample["replica"]), replica, t, str(sample.get("text", "")))
            elif kind == "state":
                self._state(str(sample["replica"]), replica, t, sample)
        elif kind not in ("container", "host", "log", "prometheus", "state"):
            self._unreadable += 1

    def _state(self, name: str, subject: _Subject, t: float, sample: Mapping[str, Any]) -> None:
        code = sample.get("exit_code")
        started = sample.get("started_at")
        event = str(sample.get("event"))
        self._states[name].append(
            State(t, event, str(started) if started else None, code if isinstance(code, int) else None)
        )
        if event == "restarted":
            subject.life += 1

    @staticmethod
    def _read(subject: _Subject, metric: str, t: float, value: object, scale: float = 1.0) -> None:
        number = metric_rules.number(value)
        if number is not None:
            subject.readings[metric].append(Reading(t, number * scale, f"{subject.identity}/{subject.life}"))

    def _container(self, subject: _Subject, t: float, sample: Mapping[str, Any]) -> None:
        subject.identity = str(sample.get("id") or "")
        subject.times.append(t)
        self._read(subject, "cpu", t, sample.get("cpu_ns"), NANO)
        for key in ("periods", "throttled", "oom"):
            self._read(subject, key, t, sample.get(key))
        usage, inactive = (metric_rules.number(sample.get(key)) for key in ("mem_usage", "mem_inactive_file"))
        if usage is not None and inactive is not None:
            self._read(subject, "memory_working_set_bytes", t, max(0.0, usage - inactive))
        for group, keys in (("net", ("rx", "tx")), ("blk", ("read", "write"))):
            values = sample.get(group)
            if isinstance(values, Mapping):
                for key in keys:
                    self._read(subject, key, t, values.get(key))

    def _host(self, subject: _Subject, t: float, sample: Mapping[str, Any]) -> None:
        subject.times.append(t)
        cpu, memory = sample.get("cpu") or {}, sample.get("mem") or {}
        self._read(subject, "cpu", t, cpu.get("busy"))
        self._read(subject, "steal", t, cpu.get("steal"))
        total, available = (metric_rules.number(memory.get(key)) for key in ("total", "available"))
        if available is not None:
            self._read(subject, "memory_available_bytes", t, available)
            if total is not None:
                self._read(subject, "memory_used_bytes", t, total - available)
        for group, inner, keys in (("net", _INNER_INTERFACE, ("rx", "tx")), ("disk", _INNER_DISK, ("read", "write"))):
            devices = sample.get(group)
            if not isinstance(devices, Mapping):
                continue
            outer = [values for name, values in devices.items() if not inner.match(name) and len(values) >= 2]
            if outer:
                for index, key in enumerate(keys):
                    self._read(subject, key, t, sum(float(values[index]) for values in outer))
        pressure = sample.get("psi")
        for name in ("cpu", "memory", "io"):
            values = pressure.get(name) if isinstance(pressure, Mapping) else None
            if values:
                self._read(subject, f"psi_{name}_percent", t, values[0])

    def _keep(self, subject: _Subject, t: float, found: Iterable[tuple[Rule, float | Sketch]]) -> None:
        for rule, value in found:
            subject.told.append(t)
            if isinstance(value, Sketch):
                subject.sketches[f"rule {rule.metric}"].append((t, value))
            else:
                self._read(subject, f"rule {rule.metric}", t, value)

    def _log(self, name: str, subject: _Subject, t: float, line: str) -> None:
        self._last_lines[name] = t
        extractor = self._extractors.get(name)
        if extractor is not None:
            self._keep(subject, t, extractor.from_line(line))

    def _prometheus(self, name: str, subject: _Subject, t: float, text: str) -> None:
        extractor = self._extractors.get(name)
        if extractor is not None:
            self._keep(subject, t, extractor.from_scrape(text))
        if name in self._ovms:
            found = metric_rules.scrape(text, _OVMS_NAMES)
            self._read(subject, "ovms requests", t, metric_rules.pick(found, OVMS_REQUESTS))
            for source in OVMS_TIMES.values():
                for part in ("sum", "count"):
                    self._read(subject, f"{source}_{part}", t, metric_rules.pick(found, Selector(f"{source}_{part}")))

    def finish(self) -> Observations:
        """The series of everything that was fed."""
        replicas = {r.name: _replica_series(r, self._replicas[r.name]) for r in self._plan.replicas}
        hosts = {name: _host_series(subject) for name, subject in self._hosts.items()}
        everything = {**self._hosts, **self._replicas}
        return Observations(
            replicas=replicas,
            hosts=hosts,
            absent={name: dict(subject.absent) for name, subject in everything.items() if subject.absent},
            states={name: tuple(sorted(events, key=lambda e: e.t)) for name, events in self._states.items()},
            host_times={name: tuple(sorted(subject.times)) for name, subject in self._hosts.items()},
            replica_times={name: tuple(sorted(subject.times)) for name, subject in self._replicas.items()},
            told_times={name: tuple(sorted(subject.told)) for name, subject in self._replicas.items()},
            last_lines=dict(self._last_lines),
            observer=dict(self._observer),
            out_of_memory={name: _grown(subject.readings.get("oom", ())) for name, subject in self._replicas.items()},
            unreadable=self._unreadable,
        )


def observe(plan: MeasuredPlan, samples: Iterable[Mapping[str, Any]], corrections: Mapping[str, float]) -> Observations:
    """`Observations` of all samples at once."""
    observer = Observer(plan, corrections)
    for sample in samples:
        observer.feed(sample)
    return observer.finish()


def _grown(readings: Iterable[Reading]) -> int:
    """By how much a counter has grown, restarts left out."""
    return round(sum(point.value * point.weight for point in time_series.rates(readings)))


def _counter(name: str, readings: list[Reading]) -> Series:
    return Series(name, UNITS[name], "counter", points=time_series.rates(readings), raw=tuple(readings))


def _kept(found: Iterable[Series]) -> dict[str, Series]:
    return {one.name: one for one in found if one.points or one.sketches}


_CONTAINER_COUNTERS = {
    "cpu_cores": "cpu",
    "network_rx_bytes_per_second": "rx",
    "network_tx_bytes_per_second": "tx",
    "block_read_bytes_per_second": "read",
    "block_write_bytes_per_second": "write",
}
_HOST_COUNTERS = {**_CONTAINER_COUNTERS, "cpu_steal_cores": "steal"}


def _replica_series(replica: Replica, subject: _Subject) -> dict[str, Series]:
    readings = subject.readings
    found = [_counter(name, readings.get(key, [])) for name, key in _CONTAINER_COUNTERS.items()]
    throttled = time_series.ratios(readings.get("throttled", ()), readings.get("periods", ()))
    found.append(Series("cpu_throttled_ratio", UNITS["cpu_throttled_ratio"], "ratio", points=throttled))
    memory = time_series.gauges(readings.get("memory_working_set_bytes", ()))
    found.append(Series("memory_working_set_bytes", "bytes", "gauge", points=memory))
    if replica.ovms:
        found.append(_counter("requests_per_second", readings.get("ovms requests", [])))
        for name, source in OVMS_TIMES.items():
            means = time_series.ratios(readings.get(f"{source}_sum", ()), readings.get(f"{source}_count", ()), MICRO)
            found.append(Series(name, UNITS[name], "average", points=means))
    found.extend(_rule_series(rule, subject) for rule in replica.rules)
    return _kept(found)


def _rule_series(rule: Rule, subject: _Subject) -> Series:
    key = f"rule {rule.metric}"
    if rule.kind == "sketch":
        return Series(
            rule.metric, rule.unit, "sketch", sketches=tuple(sorted(subject.sketches.get(key, ()), key=lambda e: e[0]))
        )
    readings = subject.readings.get(key, [])
    if rule.kind == "counter":
        return Series(rule.metric, f"{rule.unit}/s", "counter", points=time_series.rates(readings), raw=tuple(readings))
    if rule.metric == "fps":
        return Series(rule.metric, rule.unit, "flow", points=time_series.flow(readings))
    return Series(rule.metric, rule.unit, "gauge", points=time_series.gauges(readings))


def _host_series(subject: _Subject) -> dict[str, Series]:
    found = [_counter(name, subject.readings.get(key, [])) for name, key in _HOST_COUNTERS.items()]
    for name in HOST_METRICS:
        if name not in _HOST_COUNTERS:
            found.append(Series(name, UNITS[name], "gauge", points=time_series.gauges(subject.readings.get(name, ()))))
    return _kept(found)
