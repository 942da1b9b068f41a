# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a run, ``run.json``: everything that is said of it, built from its plan, events and samples. Pure.

The keys are a contract with other tools; ``docs/run.schema.json`` states it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    aggregates,
    bottleneck,
    bottleneck_scene,
    log_losses,
    measured_plan,
    metric_catalogue,
    objectives,
    observations,
    offered_load,
    run_events,
    served_devices,
    verdict,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.bottleneck import Bottleneck
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.clock_offset import Offset, corrections
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import (
    ACHIEVED,
    DROPPED,
    ERRORS,
    FPS,
    GENERATION_RATES,
    LATE,
    OFFERED,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Metric
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.objectives import Allowance
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.run_events import Event
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import Summary
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Series, Span, cut
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.verdict import Judged, Verdict
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import iso
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import Searches
from ansible_collections.retail.profiles.plugins.plugin_utils.results import density_record
from ansible_collections.retail.profiles.plugins.plugin_utils.results.density_look import step_samples
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import PLAN, RunDirectory

SCHEMA = "retail.profiles/run/1"
UNFINISHED = "the run has not come to its end"
NOT_FINISHED = Verdict("aborted", (UNFINISHED,))


@dataclass(frozen=True)
class Run:
    """Everything of a run in one place; what exports and the report are made from.

    ``searches``: of a run that searches for stream density.
    """

    plan: MeasuredPlan
    snapshot: Mapping[str, Any]
    seen: Observations
    events: Sequence[Event]
    offsets: Mapping[str, Offset]
    windows: tuple[Judged, ...]
    searches: Searches | None = None

    @property
    def allowance(self) -> Allowance | None:
        """How its objectives are held; None where it is no search."""
        return None if self.searches is None else density_record.allowance(self.searches, self.plan)

    @property
    def measure_spans(self) -> list[Span]:
        """The measure windows that figures are taken from: the valid ones; all, where none is."""
        spans = [judged.window.span for judged in self.windows if judged.window.phase == "measure"]
        valid = [judged.window.span for judged in self.windows if judged.window.phase == "measure" and judged.valid]
        return valid or spans


def load(
    plan: Mapping[str, Any],
    events: Sequence[Event],
    samples: Iterable[Mapping[str, Any]],
    searches: Searches | None = None,
) -> Run:
    """A run from what its directory holds. Raises ProfileError on a plan that is none."""
    fleet = measured_plan.of_plan(plan)
    offsets = run_events.offsets(events)
    seen = observations.observe(fleet, samples, corrections(offsets))
    windows = verdict.judge_windows(run_events.decided_windows(events), fleet, seen, events)
    return Run(fleet, plan.get("snapshot") or {}, seen, events, offsets, windows, searches)


def of_directory(directory: RunDirectory, plan: Mapping[str, Any] | None = None) -> Run:
    """A run from its directory; of a search for stream density the step that its figures are of. Raises ProfileError.

    ``plan``: where it is known already.
    """
    searches, events = directory.searches(), directory.events()
    last = searches.last_step if searches is not None else None
    samples = directory.samples()
    if last is not None:
        samples = step_samples(directory, last, corrections(run_events.offsets(events)))
    return load(directory.read_json(PLAN) if plan is None else plan, events, samples, searches)


def judge(run: Run) -> Verdict:
    """The verdict on a run, and on its search where it is one."""
    own = verdict.judge(run.plan, run.seen, run.events, run.windows, run.allowance)
    return own if run.searches is None else verdict.together(own, density_record.judge(run.searches))


def aggregate(run: Run, spans: Sequence[Span]) -> dict[str, Summary]:
    """Figures of all measured replicas together: frames per second, asked and done, as their sum, latency from all
    frames of all of them, errors and frames late or dropped as their number, of percentiles that came ready-made the
    smallest and the largest. Left out where no replica has them."""
    streams = [run.seen.replicas[replica.name] for replica in run.plan.measured]
    sketched = {name for series in streams for name, one in series.items() if one.kind == "sketch"}

    def of(name: str) -> list[Series]:
        return [series[name] for series in streams if name in series]

    ready_made = {name for series in streams for name, one in series.items() if one.kind == "quantile"}
    figures = [
        *((name, aggregates.flow(of(name), spans)) for name in (FPS.name, ACHIEVED.name)),
        *((name, aggregates.latency(of(name), spans)) for name in sorted(sketched)),
        *((name, aggregates.extremes(of(name), spans)) for name in sorted(ready_made)),
        (OFFERED.name, _offered(of(OFFERED.name), spans)),
        *((metric.name, aggregates.together(of(metric.name), spans)) for metric in GENERATION_RATES),
        *((metric.name, _counted(run, metric, spans)) for metric in (ERRORS, LATE, DROPPED)),
    ]
    return {name: summary for name, summary in figures if summary is not None}


def _offered(series: Sequence[Series], spans: Sequence[Span]) -> Summary | None:
    """What all clients were to ask for; ``n`` is the number of replicas that ask for a rate."""
    if not series:
        return None
    means = [summary.mean for one in series if (summary := cut(one, spans)) is not None and summary.mean is not None]
    return Summary(unit=series[0].unit, n=len(means), mean=sum(means)) if means else None


def _counted(run: Run, metric: Metric, spans: Sequence[Span]) -> Summary | None:
    """How many there were, and how many a second; ``n`` is the number of replicas that count them."""
    told = [offered_load.counted(replica, run.seen, metric.name, spans) for replica in run.plan.measured]
    counted = [number for number in told if number is not None]
    seconds = sum(span.length for span in spans)
    if not counted or seconds <= 0.0:
        return None
    total = sum(counted)
    return Summary(unit=f"{metric.unit}/s", n=len(counted), mean=total / seconds, total=total)


def bottleneck_of(run: Run) -> Bottleneck | None:
    """What limited the run; ``None`` where nothing was measured, or is not looked at yet."""
    spans = run.measure_spans
    if not spans or run.seen.start is None:
        return None
    return bottleneck.find(bottleneck_scene.gather(run.plan, run.snapshot, run.seen, spans))


def _figures(series: Mapping[str, Series], spans: Sequence[Span]) -> dict[str, Summary]:
    found = {name: cut(one, spans) for name, one in series.items()}
    return {name: summary for name, summary in found.items() if summary is not None}


def _absences(expected: Iterable[Metric], had: Iterable[str], told: Mapping[str, str]) -> dict[str, str]:
    """Each expected metric that is not there with its reason, and what else the sampler could not have."""
    present = set(had)
    found = {metric.name: _reason(metric, told) for metric in expected if metric.name not in present}
    others = {word: why for word, why in told.items() if word not in metric_catalogue.EXPLANATIONS | present}
    return {**others, **found}


def _reason(metric: Metric, told: Mapping[str, str]) -> str:
    """Why there is no such metric: what the sampler told under the nearest of its words."""
    words = (metric.name, *metric.explained_by)
    return next((told[word] for word in words if word in told), "") or metric.unexplained


def _device_figures(series: Iterable[Series], spans: Sequence[Span]) -> dict[str, dict[str, Summary]]:
    """By metric, then by device."""
    found: dict[str, dict[str, Summary]] = {}
    for one in series:
        summary = cut(one, spans)
        if summary is not None and one.instance is not None:
            found.setdefault(one.name, {})[one.instance] = summary
    return found


def _absent(run: Run, had: Mapping[str, Iterable[str]]) -> dict[str, dict[str, str]]:
    expected: dict[str, Iterable[Metric]] = {
        replica.name: (
            *metric_catalogue.built_in(replica.ovms),
            *(metric_catalogue.of_rule(rule.metric) for rule in replica.rules),
        )
        for replica in run.plan.replicas
    }
    expected.update(dict.fromkeys(run.plan.hosts, metric_catalogue.OF_HOSTS))
    found = {name: _absences(metrics, had[name], run.seen.absent.get(name, {})) for name, metrics in expected.items()}
    return {name: reasons for name, reasons in found.items() if reasons}


def _container(run: Run, name: str, applied: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    replica = next(replica for replica in run.plan.replicas if replica.name == name)
    known = applied.get(name, {})
    told = run.seen.model_devices.get(name, {})
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
        **({"models": served_devices.of_record(replica.models, told)} if replica.ovms else {}),
    }


def _host(run: Run, name: str, addresses: Mapping[str, Any], models: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    snapshot = run.snapshot.get(name) or {}
    offset = run.offsets.get(name)
    return {
        "address": (addresses.get(name) or {}).get("address"),
        "system": dict(snapshot.get("system") or {}),
        "models": models.get(name, {}),
        "engine": snapshot.get("engine"),
        "clock": offset.as_dict() if offset is not None else None,
        "observer": dict(run.seen.observer.get(name, {})) or None,
    }


def _unreadable(run: Run, spans: Sequence[Span]) -> list[str]:
    """What of the replicas' values could not be read."""
    return [
        words
        for replica in run.plan.measured
        for words in log_losses.warnings(
            f"replica {replica.name} on {replica.host}", run.seen.refused[replica.name], spans
        )
    ]


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
    variables: Mapping[str, Any] | None = None,
    notes: str = "",
) -> dict[str, Any]:
    """The record of a run at ``now`` (unix seconds) under a verdict; ``variables`` are those that shaped it."""
    applied = run_events.containers(run.events)
    models = run_events.models(run.events)
    spans = run.measure_spans
    figures: dict[str, dict[str, Summary]] = {}
    for names, series in ((run.plan.hosts, run.seen.hosts), ([r.name for r in run.plan.replicas], run.seen.replicas)):
        figures.update({name: _figures(series[name], spans) for name in names})
    of_devices = {name: _device_figures(series, spans) for name, series in run.seen.devices.items()}
    finished = judged.verdict != "aborted"
    limited = bottleneck_of(run)

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
        "objectives": [found.as_dict() for found in objectives.outcomes(run.plan, run.seen, spans, run.allowance)],
        "search": None if run.searches is None else density_record.as_dict(run.searches, run.plan),
        "bottleneck": limited.as_dict() if limited is not None else None,
        "started": iso(started),
        "finished": iso(now) if finished else None,
        "notes": notes,
        "variables": dict(variables or {}),
        "stand_ins": list(run.plan.stand_ins),
        "warnings": [*run.plan.warnings, *_unreadable(run, spans)],
        "hosts": {host: _host(run, host, plan.get("hosts") or {}, models) for host in run.plan.hosts},
        "containers": {replica.name: _container(run, replica.name, applied) for replica in run.plan.replicas},
        "windows": [_window(run, judged) for judged in run.windows],
        "metrics": told(replica.name for replica in run.plan.replicas),
        "host_metrics": told(run.plan.hosts),
        "device_metrics": {
            name: {metric: {device: s.as_dict() for device, s in told.items()} for metric, told in metrics.items()}
            for name, metrics in of_devices.items()
            if metrics
        },
        "absent": _absent(run, {name: (*figures[name], *of_devices[name]) for name in figures}) if spans else {},
        "totals": {name: summary.as_dict() for name, summary in aggregate(run, spans).items()} if spans else {},
        "controller": dict(controller),
    }


def unfinished(
    plan: Mapping[str, Any], *, run_id: str, started: float, now: float, controller: Mapping[str, Any]
) -> dict[str, Any]:
    """The record of a run of which nothing is known yet but its plan."""
    begun = sketch(plan, ())
    return build(plan, begun, NOT_FINISHED, run_id=run_id, started=started, now=now, controller=controller)


def sketch(plan: Mapping[str, Any], events: Sequence[Event], searches: Searches | None = None) -> Run:
    """A run on its way, from its events alone: no samples are read, and its windows are not judged yet."""
    run = load(plan, events, (), searches)
    return replace(run, windows=tuple(Judged(judged.window, ("not judged yet",)) for judged in run.windows))
