# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at the run of a search for stream density: its samples are read, its state goes on and to disk."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    bottleneck,
    bottleneck_scene,
    contention,
    measured_plan,
    objectives,
    observations,
    run_events,
    window_validity,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.clock_offset import corrections
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import FPS, OFFERED
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import MeasuredPlan
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import Window
from ansible_collections.retail.profiles.plugins.plugin_utils.density import advance, guard, observation, search
from ansible_collections.retail.profiles.plugins.plugin_utils.density.advance import Look
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Settings
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import (
    Searches,
    SearchState,
    StepState,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import (
    PLAN,
    SEARCH,
    RunDirectory,
    pretty,
)


@dataclass(frozen=True)
class Options:
    """How a search goes about it. ``warmup_max``: seconds after which a step counts as steady."""

    settings: Settings = field(default_factory=Settings)
    limits: guard.Limits = field(default_factory=guard.Limits)
    warmup_max: float = 60.0


_USUAL = Options()
OPTIONS: dict[str, Any] = {
    "run_dir": {"type": "path", "required": True},
    "applied": {"type": "bool", "default": False},
    "resume": {"type": "bool", "default": False},
    "problems": {"type": "list", "elements": "str", "default": []},
    "least": {"type": "int", "default": _USUAL.settings.least},
    "most": {"type": "int"},
    "steps_max": {"type": "int", "default": _USUAL.settings.most_steps},
    "seconds_max": {"type": "float", "default": _USUAL.settings.most_seconds},
    "resolution": {"type": "float", "default": _USUAL.settings.resolution},
    "hold": {"type": "float", "default": _USUAL.settings.hold_windows * observation.WINDOW},
    "warmup_max": {"type": "float", "default": _USUAL.warmup_max},
    "memory_min": {"type": "float", "default": _USUAL.limits.memory_min},
    "disk_min": {"type": "float", "default": _USUAL.limits.disk_min},
    "pressure_max": {"type": "float", "default": _USUAL.limits.pressure_max},
    "contention_max": {"type": "float", "default": contention.LIMIT},
}
"""Arguments of the module ``profile_density``."""
BOUNDS = {
    "least": (1.0, math.inf),
    "steps_max": (1.0, math.inf),
    "seconds_max": (1.0, math.inf),
    "resolution": (0.0, 1.0),
    "hold": (observation.WINDOW, math.inf),
    "warmup_max": (15.0, math.inf),
    "memory_min": (0.0, 100.0),
    "disk_min": (0.0, 100.0),
    "pressure_max": (0.0, 100.0),
}
"""Of those that are numbers, the least and the most."""
BEFORE = ("state", "absent", "observer")
"""Types of samples that say of a container, or of a host, what it still is in a later step."""


def check_bounds(args: Mapping[str, Any]) -> None:
    """Raise ProfileError for one of these arguments that is out of its bounds."""
    for name, (lowest, highest) in BOUNDS.items():
        if name in args and not lowest <= args[name] <= highest:
            side = f"below the least, {lowest:g}" if args[name] < lowest else f"above the most, {highest:g}"
            raise ProfileError(f"density_{name}: {args[name]:g} is {side}")


def options_of(args: Mapping[str, Any]) -> Options:
    """The options that the module's arguments give. Raises ProfileError for one out of its bounds."""
    check_bounds(args)
    settings = Settings(
        least=int(args["least"]),
        most=int(args["most"] or _USUAL.settings.most),
        most_steps=int(args["steps_max"]),
        most_seconds=float(args["seconds_max"]),
        resolution=float(args["resolution"]),
        hold_windows=math.ceil(args["hold"] / observation.WINDOW),
    )
    limits = guard.Limits(float(args["memory_min"]), float(args["disk_min"]), float(args["pressure_max"]))
    return Options(settings, limits, float(args["warmup_max"]))


@dataclass(frozen=True)
class Answer:
    """The searches after a look. ``ended``: those whose step ended with it; ``next_look``: unix seconds."""

    searches: Searches
    ended: tuple[SearchState, ...]
    windows: tuple[Window, ...]
    next_look: float

    @property
    def change(self) -> bool:
        """Whether streams are to be started or stopped."""
        return any(one.starting is not None for one in self.searches.searches)

    def as_dict(self, now: float) -> dict[str, Any]:
        """As the module answers it at ``now`` (unix seconds)."""
        return {
            "done": self.searches.ended,
            "change": self.change,
            "fewer": self.fewer,
            "streams": self.streams,
            "windows": [window.as_dict() for window in self.windows],
            "searches": [one.as_dict() for one in self.ended],
            "next_look": round(self.next_look, 3),
            "next_poll": round(self.next_look - now, 3),
            "msg": "; ".join(_said(one) for one in self.searches.searches),
        }

    @property
    def fewer(self) -> bool:
        """Whether streams are to be stopped."""
        starting = [one.steps for one in self.searches.searches if one.starting is not None and len(one.steps) > 1]
        return any(steps[-1].step.streams < steps[-2].step.streams for steps in starting)

    @property
    def streams(self) -> int | dict[str, int]:
        """How many there are to be: of the whole fleet, or by host."""
        counts = {one.host: one.current.step.streams for one in self.searches.searches if one.current is not None}
        return counts[""] if set(counts) == {""} else counts


def look(
    directory: RunDirectory,
    options: Options,
    now: float,
    *,
    applied: bool = False,
    resume: bool = False,
    problems: Sequence[str] = (),
) -> Answer:
    """Look at a run at ``now`` (unix seconds), write what its searches are now, and say what comes next.

    ``applied``: the streams that were wanted have been started, but for ``problems``. ``resume``: the search was
    interrupted, and nothing runs any more. Raises ProfileError.
    """
    plan = directory.read_json(PLAN)
    known = directory.searches() or begin(plan, options.settings)
    state = _applied(known, now, problems) if applied or problems else known
    if resume:
        state = replace(state, searches=tuple(advance.interrupted(one) for one in state.searches))
    events = directory.events()
    run = _Run(directory, plan, measured_plan.of_plan(plan), corrections(run_events.offsets(events)), options, now)
    looked = replace(state, searches=tuple(run.looked(state, one) for one in state.searches))
    position = directory.samples_end()
    decided = replace(
        looked,
        searches=tuple(
            advance.decided(one, state.settings, now, position, guard.room(_left_before(one)), anew=resume)
            for one in looked.searches
        ),
    )
    directory.write(SEARCH, pretty(decided.as_dict()))
    ended = tuple(
        after
        for before, after in zip(known.searches, decided.searches, strict=True)
        if len(after.ended_steps) > len(before.ended_steps) or before.ending != after.ending
    )
    times = [at for one in decided.searches if (at := advance.next_look(one)) is not None]
    return Answer(decided, ended, _windows(decided), max(now, min(times, default=now)))


def begin(plan: Mapping[str, Any], settings: Settings) -> Searches:
    """The searches of a plan before their first step. Raises ProfileError where it says not what a stream is."""
    streams = plan.get("streams")
    if not streams:
        raise ProfileError("the plan does not say what a stream is: it was not made with a number of streams")
    hosts = streams.get("hosts") or {"": 0}
    searches = tuple(SearchState(host) for host in hosts)
    return Searches(tuple(streams["containers"]), streams["env"], settings, searches)


def _applied(state: Searches, now: float, problems: Sequence[str]) -> Searches:
    why = "; ".join(problems)
    changed = (
        advance.not_started(one, why, now) if why and one.starting is not None else advance.started(one, now)
        for one in state.searches
    )
    return replace(state, searches=tuple(changed))


def _said(state: SearchState) -> str:
    """Where a search stands, in a line."""
    where = f"{state.host}: " if state.host else ""
    current = state.current
    if state.ending is not None or current is None:
        return f"{where}{state.ending}: {state.reason}"
    return f"{where}{current.step.streams} streams ({current.why})"


def _left_before(state: SearchState) -> list[tuple[int, Sequence[guard.Left]]]:
    return [(one.step.streams, one.left) for one in state.steps if one.left]


def _windows(state: Searches) -> tuple[Window, ...]:
    """The windows of the step that the run's figures are of."""
    last = state.last_step
    if last is None or last.began is None or last.steady is None or last.end is None or last.end <= last.steady:
        return ()
    warmup = Window("warmup", Span(last.began, last.steady), (f"{last.step.streams} streams",))
    measure = Window("measure", Span(last.steady, last.end))
    return (warmup, measure) if last.steady > last.began else (measure,)


@dataclass(frozen=True)
class _Run:
    """What a look has before it."""

    directory: RunDirectory
    plan: Mapping[str, Any]
    measured: MeasuredPlan
    corrections: Mapping[str, float]
    options: Options
    now: float

    def looked(self, state: Searches, one: SearchState) -> SearchState:
        """A search with what there is to see of its step."""
        current = one.running
        if current is None or current.began is None:
            return one
        whole = self.measured.on(one.host) if one.host else self.measured
        wanted = objectives.of_plan(whole)
        metrics = {FPS.name, OFFERED.name, *(objective.metric for objective in wanted)}
        plan = whole.with_rules(lambda rule: rule.metric in metrics, ovms=True)
        seen = self._seen(plan, current, _types(plan))
        watched = observation.watch(
            plan,
            seen,
            wanted,
            observation.Streams(state.containers, current.step.streams if state.env is not None else 1),
            since=current.began,
            warmup_max=self.options.warmup_max,
            known=search.noise_of(one.plain),
            steady=current.steady,
        )
        left = guard.left(seen, plan.hosts, self.options.limits)
        found = Look(
            watched,
            self.now,
            window_validity.lost(whole, seen),
            guard.danger(left, seen, plan.hosts, self.options.limits),
            lambda: self._clients(whole, current, watched),
        )
        return advance.looked(one.with_current(left=tuple(left)), found, state.settings)

    def _seen(self, plan: MeasuredPlan, step: StepState, types: Sequence[str]) -> Observations:
        samples = step_samples(self.directory, step, self.corrections, types)
        return observations.observe(plan, samples, self.corrections)

    def _clients(self, plan: MeasuredPlan, step: StepState, watched: observation.Watched) -> str | None:
        """What of the clients limits a step, if something of theirs does."""
        if watched.steady is None or watched.end is None:
            return None
        seen = self._seen(plan, step, ())
        spans = [Span(watched.steady, watched.end)]
        found = bottleneck.find(bottleneck_scene.gather(plan, self.plan.get("snapshot") or {}, seen, spans))
        return found.conclusion if found.found is not None and found.found.side == "client" else None


def _types(plan: MeasuredPlan) -> tuple[str, ...]:
    scraped = {"prometheus"} if any(one.ovms for one in plan.measured) else set()
    return ("host", "container", *BEFORE, *sorted({*plan.sample_types, *scraped}))


def step_samples(
    directory: RunDirectory, step: StepState, corrections: Mapping[str, float], types: Sequence[str] = ()
) -> Iterator[dict[str, Any]]:
    """The samples of a step, and what was said before of containers that ran already."""
    yield from _still_true(directory.samples(BEFORE, end=step.position))
    began = step.began if step.began is not None else step.asked
    early: list[dict[str, Any]] = []
    for sample in directory.samples(types, begin=step.position):
        t = sample.get("t")
        since = began + corrections.get(str(sample.get("host")), 0.0)
        if isinstance(t, (int, float)) and t < since:
            if sample.get("type") in BEFORE:
                early.append(sample)
            continue
        if early:
            yield from _still_true(early)
            early = []
        yield sample
    yield from _still_true(early)


def _still_true(samples: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Of what was said before a step the last of each: a container that was made anew for it has not been restarted.

    Of what samplers say of themselves that is which machine a host is on: they say it when they begin.
    """
    last = {
        (one.get("host"), one.get("replica"), one.get("subject"), one.get("metric")): one
        for one in samples
        if one.get("type") != "observer" or one.get("machine")
    }
    for one in last.values():
        yield {**one, "event": "up"} if one.get("event") == "restarted" else one
