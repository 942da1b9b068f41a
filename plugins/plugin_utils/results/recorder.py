# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recorder of a run: Ansible's task results in, a run directory out. The callback plugin only adapts to it."""

from __future__ import annotations

import base64
import binascii
import importlib.util
import json
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan, run_events
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.verdict import Verdict
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import Window, iso, window_of
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import search_of
from ansible_collections.retail.profiles.plugins.plugin_utils.results import (
    density_lines,
    judgement,
    live_progress,
    openmetrics,
    provenance,
    run_record,
    summary,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results.live_metrics import LiveMetrics
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import (
    RECORD,
    REPORT,
    RunDirectory,
    dumps_finite,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.text import listening, shown
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import listed, natural

if TYPE_CHECKING:
    from ansible_collections.retail.profiles.plugins.plugin_utils.results.live_server import LiveServer

PLAN = "profile_plan"
NEEDED = ("jmespath", "prometheus_client")
"""Packages without which results cannot be made."""
MOST_UNPACKED = 64 * 1024**2
"""Bytes that one call's samples may unpack to; a host hands over about 8 MiB a call."""
_LATEST = 4.0e9
"""A sample's time beyond this (year 2096) is none."""
_NOT_KEPT = ("data", "invocation", "plan", "diff", "container", "exception", "warnings", "deprecations")


class Screen(Protocol):
    """Where lines for a person go."""

    terminal: bool

    def show(self, text: str, kind: str = "plain") -> None:
        """Show text; ``kind`` is plain, progress, ok, degraded or failed."""

    def warn(self, text: str) -> None:
        """Show a warning."""

    def status(self, text: Callable[[int], str] | None) -> None:
        """On a terminal: keep a line with what this gives for a number of columns; ``None`` takes it away."""


@dataclass(frozen=True)
class TaskResult:
    """The result of one task on one host. ``action``: last part of the action's name; times in unix seconds."""

    action: str
    host: str
    task: str
    status: str
    start: float
    end: float
    result: Mapping[str, Any]

    @property
    def hidden(self) -> bool:
        return "censored" in self.result

    @property
    def state(self) -> str | None:
        arguments = (self.result.get("invocation") or {}).get("module_args") or {}
        state = arguments.get("state", self.result.get("state"))
        return state if isinstance(state, str) else None


@dataclass(frozen=True)
class _Served:
    """What is served while the run is measured, and by what."""

    server: LiveServer
    metrics: LiveMetrics

    def publish(self, run: _Active, windows: Sequence[Window], now: float) -> None:
        """Serve what has come by now."""
        said = {"run_id": run.run_id, "plan_id": run.fleet.plan_id, "profile": run.fleet.profile}
        identity = {**said, "deployment": run.fleet.deployment, "verdict": "running"}
        self.server.publish(openmetrics.latest(identity, windows, now, self.metrics.latest()))
        self.metrics.next_round()


@dataclass
class _Active:
    """The run that is being recorded."""

    plan: Mapping[str, Any]
    fleet: MeasuredPlan
    run_id: str
    directory: RunDirectory
    started: float
    live: live_progress.Live
    served: _Served | None
    controller: Mapping[str, Any]
    variables: Mapping[str, Any] = field(default_factory=dict)
    notes: str = ""
    pace: live_progress.Pace = field(default_factory=live_progress.Pace)
    offsets: dict[str, int] = field(default_factory=dict)
    finished: bool = False
    shown: bool = False
    judged: Verdict = run_record.NOT_FINISHED
    table: str = ""


class Recorder:
    """Takes outcomes in the order in which they come. Raises what goes wrong: the adapter hands it to `trouble`."""

    def __init__(self, screen: Screen, clock: Callable[[], float] = time.time) -> None:
        self._screen = screen
        self._clock = clock
        self._run: _Active | None = None

    def wants(self, action: str, status: str) -> bool:
        """Whether anything is made of such an outcome."""
        if action == PLAN:
            return True
        running = self._run is not None and not self._run.finished
        return running and (action in run_events.RELEVANT or status in ("failed", "unreachable"))

    def take(self, outcome: TaskResult) -> None:
        """Take the outcome of a task."""
        if outcome.action == PLAN:
            self._planned(outcome)
        elif self._run is not None and self.wants(outcome.action, outcome.status):
            if outcome.action in run_events.RELEVANT:
                self._relevant(self._run, outcome)
            else:
                self._keep(self._run, outcome, {"msg": str(outcome.result.get("msg", ""))[:2000]})

    def trouble(self, error: Exception) -> None:
        """Something went wrong in here: warned of at once, and the verdict will say it. Never raises."""
        text = judgement.told(error)
        self._screen.warn(f"retail.profiles.profile_metrics: {text}")
        run = self._run
        if run is None:
            return
        event = {"t": self._clock(), "action": run_events.RECORDER, "status": "failed", "result": {"msg": text}}
        try:
            run.directory.append_event(event)
        except (ProfileError, OSError, ValueError) as second:
            self._screen.warn(f"retail.profiles.profile_metrics: that could not be recorded either: {second}")

    def close(self) -> None:
        """The playbook has ended: finish a run that came to no verdict, and show the summary."""
        run = self._run
        if run is None or run.shown:
            return
        self._screen.status(None)
        if run.served is not None:
            run.served.server.close()
        if not run.finished:
            ended = judgement.conclude(run.directory, self._clock())
            run.finished, run.judged, run.table = True, ended.verdict, summary.table(ended.record)
            for trouble in ended.troubles:
                self._screen.warn(f"retail.profiles.profile_metrics: {trouble}")
        run.shown = True
        self._screen.show(run.table)
        for number, reason in enumerate(run.judged.reasons):
            self._screen.show(f"{'Reasons: ' if number == 0 else '         '}{shown.one_line(reason)}")
        self._screen.show(f"Verdict: {run.judged.verdict}", kind=run.judged.verdict)
        report = run.directory.path / REPORT
        written = report.is_file()
        self._screen.show(f"Report: {report}" if written else f"Results: {run.directory.path}, without a report")

    def interrupted(self) -> None:
        """The process ends, and its playbook had not: say what is left, and what removes it."""
        run = self._run
        if run is None or run.shown:
            return
        run.shown = True
        self._screen.status(None)
        hosts = listed(sorted(run.plan["hosts"], key=natural))
        self._screen.warn(
            f"run {run.run_id} was interrupted. What it has started may still be on {hosts}: stop_profile.yml "
            f"-e profile_deployment={run.fleet.deployment} removes it. What it has recorded is in {run.directory.path}"
        )

    def _planned(self, outcome: TaskResult) -> None:
        if outcome.hidden:
            self._screen.warn(
                "the plan's result is hidden by no_log: no results can be recorded; take no_log off the task"
            )
            return
        plan, path = outcome.result.get("plan"), outcome.result.get("run_dir")
        if outcome.status != "ok" or not isinstance(plan, Mapping) or not path:
            return
        fleet = measured_plan.of_plan(plan)
        if self._run is not None and self._run.directory.path == Path(str(path)):
            self._step(self._run, plan, fleet)
            return
        if self._run is not None:
            self.close()
        run = _Active(
            plan=plan,
            fleet=fleet,
            run_id=Path(str(path)).name,  # on hosts, a search that goes on has another
            directory=RunDirectory(Path(str(path))),
            started=outcome.end,
            live=live_progress.Live(fleet),
            served=self._serve(outcome, fleet),
            controller=provenance.describe(),
            variables=outcome.result.get("variables") or {},
            notes=str(outcome.result.get("notes") or ""),
        )
        run.directory.lay_events_aside()
        run.directory.create(plan, self._unfinished(run))
        self._run = run
        self._screen.show(
            f"Run {run.run_id}: {len(fleet.replicas)} replicas on {len(fleet.hosts)} hosts; results in {path}"
        )
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            raise ProfileError(
                f"Python on the controller has no {', '.join(missing)}; install with: pip install {' '.join(missing)}"
            )

    def _step(self, run: _Active, plan: Mapping[str, Any], fleet: MeasuredPlan) -> None:
        """The run goes on with another plan: a step of a search for stream density."""
        run.plan, run.fleet, run.live = plan, fleet, live_progress.Live(fleet)
        run.directory.create(plan, self._unfinished(run))

    def _searched(self, run: _Active, outcome: TaskResult) -> None:
        """Show the steps of a search that have ended, and what comes next."""
        run.directory.write_record(self._unfinished(run))
        if outcome.hidden or outcome.status not in ("ok", "retry"):
            return
        for search in outcome.result.get("searches") or ():
            self._screen.show(density_lines.line(search_of(search)), kind="progress")
        if not self._screen.terminal:
            return
        if outcome.result.get("done"):
            self._screen.status(None)
        else:
            said, figures = str(outcome.result.get("msg")), run.live.figures()
            self._screen.status(lambda columns: live_progress.step_line(said, figures, columns))

    def _keep(self, run: _Active, outcome: TaskResult, result: Mapping[str, Any]) -> None:
        run.directory.append_event(
            {
                "t": outcome.end,
                "start": outcome.start,
                "host": outcome.host,
                "action": outcome.action,
                "task": outcome.task,
                "status": run_events.status_of(outcome.action, outcome.state, outcome.result, outcome.status),
                "state": outcome.state,
                "result": dict(result),
            }
        )

    def _relevant(self, run: _Active, outcome: TaskResult) -> None:
        if outcome.action == run_events.VERDICT and ("verdict" in outcome.result or outcome.hidden):
            self._judged(run, outcome)
            return
        kept = {key: value for key, value in outcome.result.items() if key not in _NOT_KEPT}
        if outcome.action == run_events.STOCK:
            kept["replicas"] = run_events.from_stock(outcome.result)
        try:
            if outcome.action == run_events.MEASURE and outcome.result.get("data"):
                self._samples(run, outcome)
        finally:
            self._keep(run, outcome, kept)
            if outcome.action == run_events.MEASURE:
                status = run_events.status_of(outcome.action, outcome.state, outcome.result, outcome.status)
                run.live.heard(outcome.host, status not in run_events.BAD)
        if outcome.hidden:
            self._screen.warn(
                f"the result of task '{shown.neutral(outcome.task)}' on {outcome.host} is hidden by no_log and cannot"
                " be recorded: the verdict will be failed; take no_log off the task"
            )
        if outcome.action == run_events.WINDOW:
            self._progress(run, outcome)
        elif outcome.action == run_events.DENSITY:
            self._searched(run, outcome)
        elif outcome.action in (run_events.APPLY, run_events.STOCK):
            run.directory.write_record(self._unfinished(run))

    def _samples(self, run: _Active, outcome: TaskResult) -> None:
        """Append what a host collected; each byte of its samples file once, although a call may have been repeated.

        Samples are stored before anything looks at what they say.
        """
        raw = _unpacked(outcome)
        known = run.offsets.get(outcome.host, 0)
        end = outcome.result.get("offset")
        if isinstance(end, int):
            begin = end - len(raw)
            if begin > known:
                message = f"{begin - known} bytes of samples did not arrive (from byte {known} on)"
                self.trouble(ProfileError(message, host=outcome.host))
            raw = raw[max(0, known - begin) :] if begin >= 0 else raw
        samples = [_sample(text, outcome) for text in raw.decode("utf-8", "replace").split("\n") if text]
        run.directory.append_samples([dumps_finite(sample) for sample in samples])
        if isinstance(end, int):
            run.offsets[outcome.host] = max(known, end)
        self._logs(run, outcome.host, samples)
        for sample in samples:
            run.live.feed(sample)
            if run.served is not None:
                run.served.metrics.feed(sample)

    def _logs(self, run: _Active, host: str, samples: Sequence[Mapping[str, Any]]) -> None:
        """Append the log lines of the plan's replicas to their files."""
        logs: dict[str, list[str]] = {replica.name: [] for replica in run.fleet.replicas}
        for sample in samples:
            known = logs.get(str(sample.get("replica"))) if sample.get("type") == "log" else None
            if known is not None:
                known.append(f"{iso(float(sample['t']))} {sample.get('stream', '')} {sample.get('line', '')}")
        for replica, written in logs.items():
            if written:
                run.directory.append_log(host, replica, written)

    def _serve(self, outcome: TaskResult, plan: MeasuredPlan) -> _Served | None:
        """Serve what is measured, where that is asked for."""
        where = outcome.result.get("live")
        if not where:
            return None
        from ansible_collections.retail.profiles.plugins.plugin_utils.results.live_server import LiveServer

        try:
            server = LiveServer(listening.parse(str(where), "measure_live"))
        except ProfileError as error:  # it was free when the playbook began: the run itself is none the worse
            self._screen.warn(f"retail.profiles.profile_metrics: {error}; no live metrics are served")
            return None
        self._screen.show(f"Live metrics: {server.url}")
        return _Served(server, LiveMetrics(plan))

    def _progress(self, run: _Active, outcome: TaskResult) -> None:
        run.directory.write_record(self._unfinished(run))
        result = outcome.result
        windows = [window_of(window) for window in result.get("windows") or ()]
        if run.served is not None:
            run.served.publish(run, windows, outcome.end)
        if outcome.hidden or outcome.status not in ("ok", "retry"):
            return
        standing, figures = _standing(outcome, windows), run.live.figures()
        if not self._screen.terminal:
            if run.pace.due(standing.phase, outcome.end):
                self._screen.show(live_progress.line(standing, figures, outcome.end), kind="progress")
        elif result.get("done"):
            self._screen.status(None)
        else:
            self._screen.status(lambda columns: live_progress.line(standing, figures, self._clock(), columns))

    def _unfinished(self, run: _Active) -> dict[str, Any]:
        """The record of a run on its way: what its events say, no figures yet."""
        sketch = run_record.sketch(run.plan, run.directory.events(), run.directory.searches())
        return run_record.build(
            run.plan,
            sketch,
            run_record.NOT_FINISHED,
            run_id=run.run_id,
            started=run.started,
            now=self._clock(),
            controller=run.controller,
            variables=run.variables,
            notes=run.notes,
        )

    def _judged(self, run: _Active, outcome: TaskResult) -> None:
        """The run was judged, and all is written: what is left is to show it."""
        record = run.directory.read_json(RECORD)
        told = record if outcome.hidden else outcome.result
        if told["verdict"] == run_record.NOT_FINISHED.verdict:
            return
        run.judged = Verdict(str(told["verdict"]), tuple(map(str, told["reasons"])))
        run.table = summary.table(record)
        run.finished = True


def _standing(outcome: TaskResult, windows: Sequence[Window]) -> live_progress.Standing:
    """Where the measurement stands, from what profile_window answered."""
    result = outcome.result
    return live_progress.Standing(
        phase=str(result.get("phase")),
        seen=outcome.end,
        elapsed=float(result.get("elapsed") or 0.0),
        total=float(result.get("total") or 0.0),
        windows=tuple(window.span for window in windows if window.phase == live_progress.MEASURE),
    )


def _unpacked(outcome: TaskResult) -> bytes:
    """The samples of a call. Raises ProfileError where they cannot be unpacked, or would take too much memory."""
    inflate = zlib.decompressobj()
    try:
        packed = base64.b64decode(outcome.result["data"], validate=True)
        raw = inflate.decompress(packed, MOST_UNPACKED + 1)
    except (binascii.Error, zlib.error, TypeError, ValueError) as error:
        raise ProfileError(f"the collected samples cannot be unpacked: {error}", host=outcome.host) from error
    if len(raw) > MOST_UNPACKED:
        message = f"the collected samples cannot be unpacked: they are more than {MOST_UNPACKED // 1024**2} MiB"
        raise ProfileError(message, host=outcome.host)
    if not inflate.eof:
        raise ProfileError("the collected samples cannot be unpacked: their end is missing", host=outcome.host)
    return raw


def _sample(text: str, outcome: TaskResult) -> dict[str, Any]:
    """A sample with its host; what cannot be read is kept as it is."""
    try:
        data = json.loads(text, parse_constant=lambda constant: None)
    except (ValueError, RecursionError):
        data = None
    t = data.get("t") if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(t, (int, float)) or not 0.0 <= t < _LATEST:
        return {"host": outcome.host, "t": outcome.end, "type": "unreadable", "line": text}
    return {**data, "host": outcome.host}
