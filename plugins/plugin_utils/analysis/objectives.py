# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objectives: what a run must reach, and whether it did. Met, missed, or not known; what is not known is not met."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import aggregates, metric_catalogue
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import (
    MeasuredPlan,
    MeasuredReplica,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.observations import Observations
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import (
    PERCENTILES,
    Summary,
    samples_needed,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Span, cut

State = Literal["met", "missed", "not known"]
FLOWS = ("flow", "rate", "counter")
"""Kinds that tell how much a stream does: of several streams in one container the sum."""


@dataclass(frozen=True)
class Objective:
    """One objective. ``bound`` is in the metric's unit; ``at_least`` tells from which side it bounds."""

    metric: str
    container: str
    statistic: str
    over_all: bool
    at_least: bool
    bound: float
    tolerance: float = 0.0

    @property
    def limit(self) -> float:
        """The bound with its tolerance: what is held against the figures."""
        slack = self.tolerance * abs(self.bound)
        return self.bound - slack if self.at_least else self.bound + slack

    def holds(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit

    def margin(self, value: float) -> float | None:
        """By which part of the limit a value is on the good side of it; None where the limit is zero."""
        if not self.limit:
            return None
        ratio = value / self.limit
        return ratio - 1.0 if self.at_least == (self.limit > 0.0) else 1.0 - ratio

    def worse(self, one: float, other: float) -> bool:
        return one < other if self.at_least else one > other

    def __str__(self) -> str:
        who = "all replicas of" if self.over_all else "each replica of"
        side = "at least" if self.at_least else "at most"
        slack = f" (less {self.tolerance:.3g} of it)" if self.tolerance else ""
        return f"{self.statistic} {self.metric} over {who} {self.container}: {side} {self.bound:g}{slack}"


@dataclass(frozen=True)
class Outcome:
    """What became of an objective. ``worst``: the replica that is furthest from it, or that has no figure.

    ``margin``: the part of the limit by which ``value`` is on its good side, negative on the other; None where it is
    not known or the limit is zero. ``why``: why it is not known. ``mean``: over streams, where that is held against the
    limit.
    """

    objective: Objective
    state: State
    value: float | None = None
    unit: str = ""
    worst: MeasuredReplica | None = None
    margin: float | None = None
    why: str = ""
    mean: float | None = None

    def __str__(self) -> str:
        where = f" (replica {self.worst.name} on {self.worst.host})" if self.worst is not None else ""
        if self.value is None:
            return f"objective {self.state}: {self.objective}{where}: {self.why}"
        mean = "" if self.mean is None else f"{self.mean:.4g} {self.unit} in the mean, at worst "
        return f"objective {self.state}: {self.objective}; it is {mean}{self.value:.4g} {self.unit}{where}"

    def as_dict(self) -> dict[str, Any]:
        """The outcome as ``run.json`` holds it."""
        objective = self.objective
        return {
            "metric": objective.metric,
            "container": objective.container,
            "statistic": objective.statistic,
            "over": "all" if objective.over_all else "each",
            "at_least" if objective.at_least else "at_most": objective.bound,
            "tolerance": objective.tolerance,
            "state": self.state,
            "value": self.value,
            "unit": self.unit,
            "worst": None if self.worst is None else {"replica": self.worst.name, "host": self.worst.host},
            "margin": self.margin,
            "mean": self.mean,
            "why": self.why or None,
        }


@dataclass(frozen=True)
class Allowance:
    """How a search for stream density holds an objective over ``each``: the mean over streams must hold the limit.

    ``worst``: the part of the limit by which a stream may be on its bad side all the same. ``inside``: how many streams
    a replica has, by its name; one where it is not named. ``decides``: whether the verdict is theirs; it is not
    where what was measured last is a step that did not pass, and so no answer.
    """

    worst: float = 0.0
    inside: Mapping[str, int] = field(default_factory=dict)
    decides: bool = True


def metrics_of(replica: MeasuredReplica) -> set[str]:
    """The metrics that a replica can have."""
    built_in = metric_catalogue.built_in(replica.ovms)
    return {metric.name for metric in built_in} | {rule.metric for rule in replica.rules}


def of_plan(plan: MeasuredPlan) -> tuple[Objective, ...]:
    """The objectives of a plan. Raises ProfileError for one that names what the plan has not."""
    return tuple(_objective(item, f"objectives.{index}", plan) for index, item in enumerate(plan.objectives))


def _objective(item: Mapping[str, Any], field: str, plan: MeasuredPlan) -> Objective:
    able = {replica.container: metrics_of(replica) for replica in plan.measured}
    metric, container = str(item["metric"]), item.get("container")
    having = sorted(name for name, metrics in able.items() if metric in metrics)
    if container is None:
        if len(having) != 1:
            found = f"{', '.join(having)} have it: say which with container" if having else _none_has(able)
            raise ProfileError(f"the metric {metric!r} is not of one measured container alone: {found}", field=field)
        container = having[0]
    if container not in able:
        raise ProfileError(
            f"there is no measured container {container!r}; there are {', '.join(sorted(able))}", field=field
        )
    if container not in having:
        known = ", ".join(sorted(able[container]))
        raise ProfileError(f"it has no metric {metric!r}; it has {known}", container=container, field=field)
    at_least = item.get("at_least") is not None
    made = Objective(
        metric=metric,
        container=str(container),
        statistic=str(item.get("statistic") or "mean"),
        over_all=item.get("over") == "all",
        at_least=at_least,
        bound=float(item["at_least"] if at_least else item["at_most"]),
        tolerance=float(item.get("tolerance") or 0.0),
    )
    _check_statistic(made, _kind(made, plan), field)
    return made


def _none_has(able: Mapping[str, set[str]]) -> str:
    known = sorted(set().union(*able.values()))
    return f"none has it; they have {', '.join(known)}" if known else "the plan measures no container"


def _kind(objective: Objective, plan: MeasuredPlan) -> str:
    """The kind of the series of an objective's metric."""
    replica = next(replica for replica in plan.measured if replica.container == objective.container)
    rule = next((rule for rule in replica.rules if rule.metric == objective.metric), None)
    if rule is not None and rule.kind != "gauge":
        return rule.kind
    return metric_catalogue.of_rule(objective.metric).kind


def _check_statistic(objective: Objective, kind: str, field: str) -> None:
    """Raise ProfileError where the kind of the metric has no such statistic."""
    wrong = _wrong_statistic(objective, kind)
    if wrong is not None:
        raise ProfileError(wrong, container=objective.container, field=field)


def _wrong_statistic(objective: Objective, kind: str) -> str | None:
    metric, statistic = objective.metric, objective.statistic
    if statistic == "total" and kind not in ("counter", "rate"):
        return f"only what is counted has a total: {metric} is a {kind}"
    if kind == "average" and statistic != "mean":
        return f"of {metric} the server tells nothing but the mean"
    if kind == "quantile" and statistic not in ("min", "max"):
        return f"{metric} is a percentile that comes ready-made: take statistic: max, or min"
    if objective.over_all and kind not in (*aggregates.SUMMED, "sketch", "quantile"):
        return f"{metric} is a {kind}, which has no figure over all replicas: take over: each"
    if objective.over_all and kind in ("gauge", "rate", "counter") and statistic not in ("mean", "total"):
        return f"over all replicas a {kind} has its mean and its total alone, no {statistic}"
    return None


def check_windows(objectives: Sequence[Objective], plan: MeasuredPlan, seconds: float, interval: float) -> None:
    """Raise ProfileError for a percentile that the windows cannot carry.

    ``seconds``: of all windows together, ``interval`` between values. How many values a sketch will hold is not known
    before the run.
    """
    values = int(seconds / interval + 1e-9)
    for index, objective in enumerate(objectives):
        needed = samples_needed(PERCENTILES[objective.statistic]) if objective.statistic in PERCENTILES else 0
        if _kind(objective, plan) != "sketch" and needed > values:
            raise ProfileError(
                f"the {objective.statistic} of {objective.metric} needs {needed} values, and windows of {seconds:g} s"
                f" hold about {values}: measure for at least {needed * interval:.0f} s (measure_duration,"
                " measure_repeat), or take another statistic",
                container=objective.container,
                field=f"objectives.{index}",
            )


def outcome(
    objective: Objective,
    plan: MeasuredPlan,
    seen: Observations,
    spans: Sequence[Span],
    allowance: Allowance | None = None,
) -> Outcome:
    """Whether an objective is met in the spans taken together.

    Of ``each`` replica the worst one counts, and one without a figure leaves it unknown; one that misses it decides.
    With an ``allowance`` the mean over streams counts, and of what many values carry that of all of them together.
    """
    if not spans:
        return Outcome(objective, "not known", why="nothing was measured")
    replicas = [replica for replica in plan.measured if replica.container == objective.container]
    if objective.over_all or (allowance is not None and _kind(objective, plan) == "sketch"):
        return _over_all(objective, replicas, seen, spans)
    judged = list(_each(objective, replicas, seen, spans, allowance or Allowance()))
    unknown = next((found for found in judged if found.value is None), None)
    worst: Outcome | None = None
    for found in judged:
        if found.value is None:
            continue
        if worst is None or worst.value is None or objective.worse(found.value, worst.value):
            worst = found
    if worst is not None and allowance is not None:
        worst = _in_the_mean(worst, judged, allowance)
    if worst is None or (unknown is not None and worst.state == "met"):
        return unknown or Outcome(objective, "not known", why="the plan has no replica of it")
    return worst


def _in_the_mean(worst: Outcome, judged: Sequence[Outcome], allowance: Allowance) -> Outcome:
    """The outcome of the worst stream, in the light of the mean over all."""
    mean = statistics.fmean(found.value for found in judged if found.value is not None)
    near = worst.state == "met" or (worst.margin is not None and worst.margin >= -allowance.worst)
    return replace(worst, state="met" if near and worst.objective.holds(mean) else "missed", mean=mean)


def _each(
    objective: Objective,
    replicas: Sequence[MeasuredReplica],
    seen: Observations,
    spans: Sequence[Span],
    allowance: Allowance,
) -> Iterator[Outcome]:
    for replica in replicas:
        series = seen.replicas.get(replica.name, {}).get(objective.metric)
        summary = cut(series, spans) if series is not None else None
        why = seen.absent.get(replica.name, {}).get(objective.metric, "")
        divided = series is not None and series.kind in FLOWS
        yield _outcome(objective, summary, replica, why, allowance.inside.get(replica.name, 1) if divided else 1)


def _over_all(
    objective: Objective, replicas: Sequence[MeasuredReplica], seen: Observations, spans: Sequence[Span]
) -> Outcome:
    told = []
    for replica in replicas:
        series = seen.replicas.get(replica.name, {}).get(objective.metric)
        if series is None or cut(series, spans) is None:
            return _outcome(objective, None, replica, seen.absent.get(replica.name, {}).get(objective.metric, ""))
        told.append(series)
    return _outcome(objective, aggregates.together(told, spans), None, "")


def _outcome(
    objective: Objective, summary: Summary | None, replica: MeasuredReplica | None, why: str, streams: int = 1
) -> Outcome:
    if summary is None:
        return Outcome(objective, "not known", worst=replica, why=why or "no figure in the windows")
    value = getattr(summary, objective.statistic)
    if value is None:
        return Outcome(
            objective, "not known", worst=replica, unit=summary.unit, why=f"{summary.n} values do not carry it"
        )
    value /= streams
    unit = summary.unit.removesuffix("/s") if objective.statistic == "total" else summary.unit
    state: State = "met" if objective.holds(value) else "missed"
    return Outcome(objective, state, value, unit, replica, objective.margin(value))


def outcomes(
    plan: MeasuredPlan, seen: Observations, spans: Sequence[Span], allowance: Allowance | None = None
) -> tuple[Outcome, ...]:
    """What became of all objectives of the plan, those that are not met first."""
    order = {"missed": 0, "not known": 1, "met": 2}
    found = [outcome(objective, plan, seen, spans, allowance) for objective in of_plan(plan)]
    return tuple(sorted(found, key=lambda each: order[each.state]))
