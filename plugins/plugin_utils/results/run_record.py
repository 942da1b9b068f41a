# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""``run.json``: everything that is said of a run, built from its plan, events and samples. Pure.

The keys are a contract with other tools; ``docs/run.schema.json`` states it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import events as happened
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    ddsketch,
    measured_plan,
    observations,
    verdict,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.clock_offset import Offset
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.events import Event
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series, Span, added, cut
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import Summary
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.verdict import Judged, Verdict
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import iso

SCHEMA = "retail.profiles/run/1"
UNFINISHED = "the run has not come to its end"

# Which of the sampler's words explains the absence of which metric.
_EXPLAINED_BY: Mapping[str, tuple[str, ...]] = {
    "cpu_cores": ("cpu", "cgroup", "container"),
    "cpu_throttled_ratio": ("cpu_throttled", "throttle", "cgroup", "container"),
    "cpu_steal_cores": ("steal", "cpu"),
    "memory_working_set_bytes": ("memory", "memory_stat", "cgroup", "container"),
    "memory_used_bytes": ("memory", "mem", "meminfo"),
    "memory_available_bytes": ("memory", "mem", "meminfo"),
    "network_rx_bytes_per_second": ("network", "net", "container"),
    "network_tx_bytes_per_second": ("network", "net", "container"),
    "block_read_bytes_per_second": ("block_io", "blk", "disk", "cgroup", "container"),
    "block_write_bytes_per_second": ("block_io", "blk", "disk", "cgroup", "container"),
    "psi_cpu_percent": ("psi", "pressure"),
    "psi_memory_percent": ("psi", "pressure"),
    "psi_io_percent": ("psi", "pressure"),
    **dict.fromkeys(observations.OVMS_METRICS, ("prometheus", "container")),
}
_NOTHING = {
    "cpu_throttled_ratio": "no CPU quota: no scheduling period was counted",
    "inference_seconds": "no request was finished",
    "request_seconds": "no request was finished",
    "wait_seconds": "no request was finished",
}


@dataclass(frozen=True)
class Run:
    """Everything of a run in one place; what exports and the report are made from."""

    plan: MeasuredPlan
    snapshot: Mapping[str, Any]
    seen: Observations
    events: Sequence[Event]
    offsets: Mapping[str, Offset]
    windows: tuple[Judged, ...]

    @property
    def measure_spans(self) -> list[Span]:
        """The measure windows that figures are taken from: the valid ones; all, where none is."""
        spans = [judged.window.span for judged in self.windows if judged.window.phase == "measure"]
        valid = [judged.window.span for judged in self.windows if judged.window.phase == "measure" and judged.valid]
        return valid or spans


def load(plan: Mapping[str, Any], events: Sequence[Event], samples: Iterable[Mapping[str, Any]]) -> Run:
    """A run from what its directory holds. Raises ProfileError on a plan that is none."""
    fleet = measured_plan.of_plan(plan)
    offsets = happened.offsets(events)
    seen = observations.observe(fleet, samples, {host: offset.correction for host, offset in offsets.items()})
    windows = verdict.judge_windows(happened.decided_windows(events), fleet, seen, events)
    return Run(fleet, plan.get("snapshot") or {}, seen, events, offsets, windows)


def judge(run: Run) -> Verdict:
    """The verdict on a run."""
    return verdict.judge(run.plan, run.seen, run.events, run.windows)


def aggregate(run: Run, spans: Sequence[Span]) -> dict[str, Summary]:
    """Figures of all measured replicas together: frames per second as their sum, latency from all frames of all of
    them, errors as their number. Left out where no replica has them."""
    streams = [run.seen.replicas[replica.name] for replica in run.plan.measured]
    found: dict[str, Summary] = {}
    fps = [series["fps"] for series in streams if "fps" in series]
    if fps and spans:
        cells = [point for span in spans for point in added(fps, "fps", fps[0].unit, span).points]
        parts = [summary for series in fps if (summary := cut(series, spans)) is not None]
        whole = cut(Series("fps", fps[0].unit, "flow", points=tuple(cells)), spans)
        if whole is not None:
            found["fps"] = replace(whole, mean=sum(part.mean or 0.0 for part in parts))
    names = {name for series in streams for name, one in series.items() if one.kind == "sketch"}
    for name in sorted(names):
        told = [one for series in streams if (one := series.get(name)) is not None and one.kind == "sketch"]
        inside = [sketch for one in told for t, sketch in one.sketches if any(span.holds(t) for span in spans)]
        # Sketches of different accuracy cannot be added: then there is no figure for all of them together.
        if inside and len({sketch.relative_accuracy for sketch in inside if sketch.count}) <= 1:
            found[name] = ddsketch.merge(inside).summary(told[0].unit)
    counted = {r.name: n for r in run.plan.measured if (n := verdict.errors_counted(r, run.seen, spans)) is not None}
    seconds = sum(span.length for span in spans)
    if counted and seconds > 0.0:
        total = sum(counted.values())
        found["errors"] = Summary(unit="errors/s", n=len(counted), mean=total / seconds, total=total)
    return found


def _figures(series: Mapping[str, Series], spans: Sequence[Span]) -> dict[str, Summary]:
    found = {name: cut(one, spans) for name, one in series.items()}
    return {name: summary for name, summary in found.items() if summary is not None}


def _absences(expected: Iterable[str], had: Iterable[str], told: Mapping[str, str]) -> dict[str, str]:
    """Each expected metric that is not there with its reason, and what else the sampler could not have."""
    present = set(had)
    found: dict[str, str] = {}
    for metric in expected:
        if metric in present:
            continue
        words = (metric, *_EXPLAINED_BY.get(metric, ("log", "container")))
        reason = next((told[word] for word in words if word in told), None)
        found[metric] = reason or _NOTHING.get(metric, "no sample in the measure window")
    explained = {word for words in _EXPLAINED_BY.values() for word in words}
    return {**{k: v for k, v in told.items() if k not in explained and k not in present}, **found}


def _absent(run: Run, figures: Mapping[str, Mapping[str, Summary]]) -> dict[str, dict[str, str]]:
    result = {}
    for replica in run.plan.replicas:
        expected = [
            *observations.CONTAINER_METRICS,
            *(observations.OVMS_METRICS if replica.ovms else ()),
            *(rule.metric for rule in replica.rules),
        ]
        result[replica.name] = _absences(expected, figures[replica.name], run.seen.absent.get(replica.name, {}))
    for host in run.plan.hosts:
        result[host] = _absences(observations.HOST_METRICS, figures[host], run.seen.absent.get(host, {}))
    return {name: reasons for name, reasons in result.items() if reasons}


def _container(run: Run, name: str, applied: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    replica = next(replica for replica in run.plan.replicas if replica.name == name)
    known = applied.get(name, {})
    states = run.seen.states.get(name, ())
    started = next((state.started_at for state in reversed(states) if state.started_at), None)
    code = states[-1].exit_code if states and states[-1].event == "gone" else None
    return {
        "container": replica.container,
        "host": replica.host,
        "image": replica.image,
        "image_id": known.get("image_id"),
        "address": replica.address or known.get("address"),
        "ports": dict(replica.ports),
        "started_at": started or known.get("started_at"),
        "exit_code": code if code is not None else known.get("exit_code"),
        "measured": replica.measured,
    }


def _host(run: Run, name: str, addresses: Mapping[str, Any]) -> dict[str, Any]:
    snapshot = run.snapshot.get(name) or {}
    offset = run.offsets.get(name)
    return {
        "address": (addresses.get(name) or {}).get("address"),
        "system": dict(snapshot.get("system") or {}),
        "engine": snapshot.get("engine"),
        "clock": offset.as_dict() if offset is not None else None,
        "observer": dict(run.seen.observer.get(name, {})) or None,
    }


def _window(run: Run, judged: Judged) -> dict[str, Any]:
    figures = aggregate(run, [judged.window.span])
    return {
        **judged.window.as_dict(),
        "valid": judged.valid,
        "reasons": [*judged.window.reasons, *judged.problems],
        "metrics": {name: summary.as_dict() for name, summary in figures.items()},
    }


def build(
    plan: Mapping[str, Any],
    run: Run,
    judged: Verdict,
    *,
    run_id: str,
    started: float,
    now: float,
    controller: Mapping[str, Any],
) -> dict[str, Any]:
    """The record of a run at ``now`` (unix seconds) under a verdict."""
    applied = happened.containers(run.events)
    spans = run.measure_spans
    figures: dict[str, dict[str, Summary]] = {}
    for names, series in ((run.plan.hosts, run.seen.hosts), ([r.name for r in run.plan.replicas], run.seen.replicas)):
        figures.update({name: _figures(series[name], spans) for name in names})
    finished = judged.verdict != "aborted"

    def told(names: Iterable[str]) -> dict[str, dict[str, Any]]:
        return {name: {metric: s.as_dict() for metric, s in figures[name].items()} for name in names}

    return {
        "schema": SCHEMA,
        "run_id": run_id,
        "plan_id": run.plan.plan_id,
        "profile": run.plan.profile,
        "deployment": run.plan.deployment,
        "verdict": judged.verdict,
        "reasons": list(judged.reasons),
        "started": iso(started),
        "finished": iso(now) if finished else None,
        "stand_ins": list(run.plan.stand_ins),
        "warnings": list(run.plan.warnings),
        "hosts": {host: _host(run, host, plan.get("hosts") or {}) for host in run.plan.hosts},
        "containers": {replica.name: _container(run, replica.name, applied) for replica in run.plan.replicas},
        "windows": [_window(run, judged) for judged in run.windows],
        "metrics": told(replica.name for replica in run.plan.replicas),
        "host_metrics": told(run.plan.hosts),
        "absent": _absent(run, figures) if spans else {},
        "totals": {name: summary.as_dict() for name, summary in aggregate(run, spans).items()} if spans else {},
        "controller": dict(controller),
    }


def sketch(plan: Mapping[str, Any], events: Sequence[Event]) -> Run:
    """A run on its way, from its events alone: no samples are read, and its windows are not judged yet."""
    run = load(plan, events, ())
    return replace(run, windows=tuple(Judged(judged.window, ("not judged yet",)) for judged in run.windows))
