# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Samples as hosts send them, turned into time series per replica and host.

Counters are stored as read and become rates here (`time_series.rates`); what could not be had keeps its reason.
Which metrics there are, and how each is read, `metric_catalogue` says.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    cpu_others,
    metric_catalogue,
    prometheus_text,
    served_devices,
    time_series,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import CONTAINER_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ddsketch import Sketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.device_metrics import (
    CONTAINER_DEVICE_METRICS,
    DEVICE_METRICS,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_conditions import TAKEN, HostConditions
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.host_metrics import CPU_OTHERS, HOST_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.log_losses import LogLoss, Refused, Unreadable
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import (
    MeasuredPlan,
    MeasuredReplica,
    Rule,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric_rules import Extractor
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ovms_metrics import OVMS_METRICS, SCRAPED_NAMES
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.samples import number, value_at
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Reading, Series
from ansible_collections.retail.profiles.plugins.plugin_utils.text import metric_sources
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural

_OUT_OF_MEMORY = value_at("oom")
_NAMED_AS_RATES = ("_per_second", "_cores")
"""A rule's counter that is named so is exported as the rate that it is named after."""
_TYPES = frozenset(("container", "host", "state", *metric_sources.SAMPLES.values()))
"""The types of samples that are of a replica or a host."""


@dataclass(frozen=True)
class State:
    """An event of a container: ``up``, ``gone`` or ``restarted``, at ``t`` (unix seconds, controller's clock)."""

    t: float
    event: str
    started_at: str | None = None
    exit_code: int | None = None


@dataclass(frozen=True)
class Observations:
    """All that the samples of a run say. Keys are replica or host names, then metric names.

    ``devices``: by replica or host, a series for each metric of each of its devices. ``model_devices``: by replica,
    where its log says that models are.
    """

    replicas: Mapping[str, Mapping[str, Series]]
    hosts: Mapping[str, Mapping[str, Series]]
    devices: Mapping[str, tuple[Series, ...]]
    absent: Mapping[str, Mapping[str, str]]
    states: Mapping[str, tuple[State, ...]]
    host_times: Mapping[str, tuple[float, ...]]
    replica_times: Mapping[str, tuple[float, ...]]
    told_times: Mapping[str, tuple[float, ...]]
    last_lines: Mapping[str, float]
    observer: Mapping[str, Mapping[str, float]]
    out_of_memory: Mapping[str, int]
    conditions: Mapping[str, HostConditions]
    log_losses: Mapping[str, LogLoss]
    refused: Mapping[str, Mapping[str, Refused]]
    unreadable: int
    model_devices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def start(self) -> float | None:
        return min((times[0] for times in self.host_times.values() if times), default=None)

    @property
    def end(self) -> float | None:
        return max((times[-1] for times in self.host_times.values() if times), default=None)


@dataclass
class _Subject:
    """What has been read of one replica or host so far. ``files``: by metric and file, when it was read, and values."""

    readings: dict[str, list[Reading]] = field(default_factory=lambda: defaultdict(list))
    sketches: dict[str, list[tuple[float, Sketch]]] = field(default_factory=lambda: defaultdict(list))
    files: dict[str, dict[str, tuple[float, list[float | Sketch]]]] = field(default_factory=lambda: defaultdict(dict))
    absent: dict[str, str] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)
    refused: dict[str, list[tuple[float, Unreadable]]] = field(default_factory=lambda: defaultdict(list))
    life: int = 0
    identity: str = ""
    devices: dict[tuple[str, str], _Subject] = field(default_factory=lambda: defaultdict(_Subject))


class Observer:
    """Takes samples in the order in which each host wrote them and makes `Observations` of them."""

    def __init__(self, plan: MeasuredPlan, corrections: Mapping[str, float] | None = None) -> None:
        self._plan = plan
        self._corrections = corrections or {}
        self._replicas = {replica.name: _Subject(absent=dict(replica.without)) for replica in plan.replicas}
        self._planned = {replica.name: replica for replica in plan.replicas}
        self._hosts = {host: _Subject() for host in plan.hosts}
        self._extractors = {r.name: Extractor(r.rules, r.container) for r in plan.replicas if r.rules}
        self._ovms = {replica.name for replica in plan.replicas if replica.ovms}
        self._states: dict[str, list[State]] = defaultdict(list)
        self._last_lines: dict[str, float] = {}
        self._observer: dict[str, dict[str, float]] = {}
        self._starts: Counter[str] = Counter()
        self._conditions = {host: HostConditions() for host in plan.hosts}
        self._log_losses = {replica.name: LogLoss() for replica in plan.replicas}
        self._model_devices: dict[str, dict[str, str]] = defaultdict(dict)
        self._unreadable = 0

    def feed(self, sample: Mapping[str, Any]) -> None:
        """Take one sample with its ``host``. What belongs to no replica or host of the plan is passed over."""
        host = str(sample.get("host"))
        t = number(sample.get("t"))
        if t is None:
            self._unreadable += 1
            return
        t -= self._corrections.get(host, 0.0)
        kind = str(sample.get("type"))
        replica = self._replicas.get(str(sample.get("replica")))
        if kind in TAKEN and host in self._conditions:
            self._conditions[host].take(t, sample)
        if kind == "host" and host in self._hosts:
            self._host(self._hosts[host], t, sample)
        elif kind == "observer":
            self._starts[host] += sample.get("event") == "start"
            self._observer[host] = {
                k: v for k in ("cpu_seconds", "rss_bytes") if (v := number(sample.get(k))) is not None
            }
        elif kind == "absent":
            name = sample.get("subject")
            subject = self._hosts.get(host) if name is None else self._replicas.get(str(name))
            if subject is not None:
                self._absent(subject, self._planned.get(str(name)), sample)
            if name is not None and subject is not None and sample.get("metric") == "log":
                self._log_losses[str(name)].take(t, sample)
        elif replica is not None:
            name = str(sample["replica"])
            if kind == "container":
                self._container(replica, t, sample)
            elif kind == "state":
                self._state(name, replica, t, sample)
            elif kind == metric_sources.FILE:
                self._file(name, replica, t, sample)
            else:
                self._told(name, replica, t, sample)
        elif kind not in _TYPES:
            self._unreadable += 1

    @staticmethod
    def _absent(subject: _Subject, replica: MeasuredReplica | None, sample: Mapping[str, Any]) -> None:
        """Take why something is missing; of a file, for the metrics that it was to tell."""
        word, reason = str(sample.get("metric")), str(sample.get("reason"))
        rules = [rule for rule in replica.rules if rule.file] if replica is not None else []
        of_file = [rule for rule in rules if word == f"{metric_sources.FILE} {rule.file}"]
        if replica is None or not of_file:
            subject.absent[word] = reason
        for rule in of_file:
            if replica is not None and rule.metric not in {**subject.files, **replica.without}:
                subject.absent[rule.metric] = _of_file(replica, rule.file, reason)

    def _file(self, name: str, subject: _Subject, t: float, sample: Mapping[str, Any]) -> None:
        """Take the text of a file; what was read of it before is replaced."""
        if name not in self._extractors:
            return
        file, replica = str(sample.get("file")), self._planned[name]
        for rule, told in self._extractors[name].read_file(sample):
            if rule.metric in replica.without:
                continue
            if not isinstance(told, str):
                subject.files[rule.metric][file] = (t, told)
            elif rule.metric not in subject.files:
                subject.absent[rule.metric] = _of_file(replica, file, told)

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
    def _read(subject: _Subject, key: str, t: float, value: float | None) -> None:
        if value is not None:
            subject.readings[key].append(Reading(t, value, f"{subject.identity}/{subject.life}"))

    def _measured(self, subject: _Subject, t: float, metrics: Iterable[Metric], sample: Mapping[str, Any]) -> None:
        """Take what a sample holds of these metrics."""
        for metric in metrics:
            for key, read in ((metric.name, metric.value), (_denominator(metric.name), metric.per)):
                if read is not None:
                    self._read(subject, key, t, read(sample))

    def _of_devices(self, subject: _Subject, t: float, metrics: Iterable[Metric], sample: Mapping[str, Any]) -> None:
        """Take what a sample holds of these metrics of devices, `{kind: {instance: counters}}`.

        The sampler adds up some of these counters itself, so that a start of it begins them anew.
        """
        of_kinds = _mapping(sample.get("devices"))
        life = f"{subject.identity}/{subject.life}/{self._starts[str(sample.get('host'))]}"
        for metric in metrics:
            kind = str(metric.device)
            for instance, counters in _mapping(of_kinds.get(kind)).items():
                device = subject.devices[kind, str(instance)]
                device.identity = life
                self._measured(device, t, (metric,), _mapping(counters))

    def _container(self, subject: _Subject, t: float, sample: Mapping[str, Any]) -> None:
        subject.identity = str(sample.get("id") or "")
        subject.times.append(t)
        self._read(subject, "oom", t, _OUT_OF_MEMORY(sample))
        self._measured(subject, t, CONTAINER_METRICS, sample)
        self._of_devices(subject, t, CONTAINER_DEVICE_METRICS, sample)

    def _host(self, subject: _Subject, t: float, sample: Mapping[str, Any]) -> None:
        subject.times.append(t)
        self._measured(subject, t, HOST_METRICS, sample)
        self._of_devices(subject, t, DEVICE_METRICS, sample)

    def _told(self, name: str, subject: _Subject, t: float, sample: Mapping[str, Any]) -> None:
        """Take what a container has logged or exposed."""
        if sample.get("type") == "log":
            self._last_lines[name] = t
            self._log_losses[name].take(t, sample)
            if name in self._ovms:
                found_on = served_devices.told(str(sample.get("line")), self._planned[name].models)
                self._model_devices[name].update([found_on] if found_on else [])
        for rule, value in self._extractors[name].told(sample) if name in self._extractors else ():
            if isinstance(value, Unreadable):
                subject.refused[rule.metric].append((t, value))
                continue
            subject.told.append(t)
            if isinstance(value, Sketch):
                subject.sketches[_of_rule(rule.metric)].append((t, value))
            else:
                self._read(subject, _of_rule(rule.metric), t, value)
        if sample.get("type") == "prometheus" and name in self._ovms:
            found = prometheus_text.scrape(str(sample.get("text", "")), SCRAPED_NAMES)
            self._measured(subject, t, OVMS_METRICS, found)

    def _host_series(self, name: str, replicas: Mapping[str, Mapping[str, Series]]) -> dict[str, Series]:
        subject = self._hosts[name]
        found = {metric.name: _metric_series(metric, subject) for metric in HOST_METRICS}
        others = cpu_others.series_of(name, self._plan, self._conditions, replicas)
        if isinstance(others, Series):
            found[others.name] = others
        else:
            subject.absent[CPU_OTHERS.name] = others
        return _kept(found.values())

    def finish(self) -> Observations:
        """The series of everything that was fed."""
        replicas = {r.name: _replica_series(r, self._replicas[r.name]) for r in self._plan.replicas}
        hosts = {name: self._host_series(name, replicas) for name in self._hosts}
        everything = {**self._hosts, **self._replicas}
        return Observations(
            replicas=replicas,
            hosts=hosts,
            devices={
                **{name: _device_series(subject, DEVICE_METRICS) for name, subject in self._hosts.items()},
                **{name: _device_series(subject, CONTAINER_DEVICE_METRICS) for name, subject in self._replicas.items()},
            },
            absent={name: dict(subject.absent) for name, subject in everything.items() if subject.absent},
            states={name: tuple(sorted(events, key=lambda e: e.t)) for name, events in self._states.items()},
            host_times={name: tuple(sorted(subject.times)) for name, subject in self._hosts.items()},
            replica_times={name: tuple(sorted(subject.times)) for name, subject in self._replicas.items()},
            told_times={name: tuple(sorted(subject.told)) for name, subject in self._replicas.items()},
            last_lines=dict(self._last_lines),
            observer=dict(self._observer),
            out_of_memory={name: _grown(subject.readings.get("oom", ())) for name, subject in self._replicas.items()},
            conditions=self._conditions,
            log_losses=self._log_losses,
            refused={name: _refused(subject) for name, subject in self._replicas.items()},
            unreadable=self._unreadable,
            model_devices={name: found for name, found in self._model_devices.items() if found},
        )


def observe(plan: MeasuredPlan, samples: Iterable[Mapping[str, Any]], corrections: Mapping[str, float]) -> Observations:
    """`Observations` of all samples at once."""
    observer = Observer(plan, corrections)
    for sample in samples:
        observer.feed(sample)
    return observer.finish()


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _grown(readings: Iterable[Reading]) -> int:
    """By how much a counter has grown, restarts left out."""
    return round(sum(point.value * point.weight for point in time_series.rates(readings)))


def _refused(subject: _Subject) -> dict[str, Refused]:
    """Of each rule that found what is no value, that and when it found one."""
    found = {}
    for metric, values in subject.refused.items():
        key = _of_rule(metric)
        read = [*(reading.t for reading in subject.readings[key]), *(t for t, _dummy in subject.sketches[key])]
        found[metric] = Refused(tuple(values), tuple(read))
    return found


def _denominator(name: str) -> str:
    return f"{name} per"


def _of_file(replica: MeasuredReplica, file: str, reason: str) -> str:
    return f"{file} in container {replica.name} on host {replica.host}: {reason}"


def _of_rule(metric: str) -> str:
    return f"rule {metric}"


def _kept(found: Iterable[Series]) -> dict[str, Series]:
    return {one.name: one for one in found if one.points or one.sketches}


def _replica_series(replica: MeasuredReplica, subject: _Subject) -> dict[str, Series]:
    found = [_metric_series(metric, subject) for metric in metric_catalogue.built_in(replica.ovms)]
    found.extend(_rule_series(rule, subject) for rule in replica.rules)
    return _kept(found)


def _device_series(subject: _Subject, metrics: Iterable[Metric]) -> tuple[Series, ...]:
    """Series in the catalogue's order, and of each metric in the natural order of its devices."""
    found = [
        _metric_series(metric, device, instance)
        for metric in metrics
        for (kind, instance), device in sorted(subject.devices.items(), key=lambda entry: natural(entry[0][1]))
        if kind == metric.device
    ]
    return tuple(series for series in found if series.points)


def _metric_series(metric: Metric, subject: _Subject, instance: str | None = None) -> Series:
    """The series of a metric of the catalogue."""
    readings = subject.readings.get(metric.name, ())
    if metric.kind == "rate":
        points = time_series.rates(readings)
    elif metric.kind == "gauge":
        points = time_series.gauges(readings)
    else:
        points = time_series.ratios(readings, subject.readings.get(_denominator(metric.name), ()), metric.scale)
    return Series(metric.name, metric.unit, metric.kind, points=points, instance=instance)


def _of_one_accuracy(told: Sequence[tuple[float, Sketch]]) -> tuple[tuple[float, Sketch], ...]:
    """Sketches in order of time, without those whose accuracy is not that of most: they cannot be added to the rest."""
    common = Counter(sketch.relative_accuracy for _dummy, sketch in told if sketch.count).most_common(1)
    kept = [(t, sketch) for t, sketch in told if not sketch.count or sketch.relative_accuracy == common[0][0]]
    return tuple(sorted(kept, key=lambda entry: entry[0]))


def _rule_series(rule: Rule, subject: _Subject) -> Series:
    """The series of a rule of the profile."""
    if rule.file:
        return _file_series(rule, subject)
    name, readings = rule.metric, subject.readings.get(_of_rule(rule.metric), [])
    if rule.kind == "sketch":
        return Series(
            name, rule.unit, "sketch", sketches=_of_one_accuracy(subject.sketches.get(_of_rule(rule.metric), ()))
        )
    if rule.kind == "counter":
        points = time_series.rates(readings)
        if name.endswith(_NAMED_AS_RATES):
            return Series(name, f"{rule.unit}/s", "rate", points=points)
        return Series(name, f"{rule.unit}/s", "counter", points=points, raw=tuple(readings))
    if rule.kind == "quantile":
        return Series(name, rule.unit, "quantile", points=time_series.gauges(readings))
    if metric_catalogue.of_rule(name).kind == "flow":
        return Series(name, rule.unit, "flow", points=time_series.flow(readings))
    return Series(name, rule.unit, "gauge", points=time_series.gauges(readings))


def _file_series(rule: Rule, subject: _Subject) -> Series:
    """What files tell of a run as a whole."""
    told = [(t, value) for t, values in subject.files.get(rule.metric, {}).values() for value in values]
    if rule.kind == "sketch":
        sketches = _of_one_accuracy([(t, value) for t, value in told if isinstance(value, Sketch)])
        return Series(rule.metric, rule.unit, "sketch", sketches=sketches, whole=True)
    readings = [Reading(t, value) for t, value in told if not isinstance(value, Sketch)]
    return Series(rule.metric, rule.unit, rule.kind, points=time_series.gauges(readings), whole=True)
