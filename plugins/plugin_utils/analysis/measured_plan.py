# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan as measuring sees it: its replicas, what is measured of them, and by which metric rules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container import option_values
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import shared_files
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import FPS, TOLD_METRICS
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.ovms_metrics import left_out
from ansible_collections.retail.profiles.plugins.plugin_utils.text import cpu_list, metric_sources
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural

_KNOWN_UNITS: Mapping[str, str] = {metric.name: metric.unit for metric in TOLD_METRICS}
UNITLESS = "1"
CFS_PERIOD = 100_000.0
"""Microseconds of a scheduling period where the container names none."""


@dataclass(frozen=True)
class Rule:
    """How one metric is had from what a container logs, exposes or writes; `metric_sources` has sources and kinds.

    ``file``: the path or pattern of the file that is read; ``row``: the first cell of its rows that count.
    """

    metric: str
    source: str
    expression: str
    kind: str
    unit: str
    required: bool = True
    file: str = ""
    row: str | None = None
    scale: float = 1.0

    @property
    def live(self) -> bool:
        """Whether it tells while the container runs, and not once at the end."""
        return not self.file


@dataclass(frozen=True)
class Limits:
    """What a container may use: cores by its quota, CPUs of its set, and memory; ``None`` where it has no limit."""

    quota: float | None = None
    cpu_set: int | None = None
    memory_bytes: int | None = None

    @property
    def cores(self) -> float | None:
        """The CPU time that it may use, by its quota or its set."""
        return min((limit for limit in (self.quota, self.cpu_set) if limit), default=None)


@dataclass(frozen=True)
class MeasuredReplica:
    """One replica of the plan. ``one_shot``: it is meant to end by itself with exit code 0 (readiness ``exited``).

    ``without``: metrics that it cannot have as it was planned, each with the reason. ``models``: what it serves, and
    the device that each was put on (None: the server's choice).
    """

    name: str
    container: str
    host: str
    image: str
    address: str | None
    ports: Mapping[str, int]
    measured: bool
    ovms: bool
    one_shot: bool
    restart_policy: str
    rules: tuple[Rule, ...]
    limits: Limits = Limits()
    without: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def restarts_by_policy(self) -> bool:
        return self.restart_policy not in ("", "no")

    @property
    def tells_at_end(self) -> bool:
        """Whether all that it tells is in files: it may end by itself, with exit code 0, when it is done."""
        return bool(self.rules) and not any(rule.live for rule in self.rules)

    @property
    def is_stream(self) -> bool:
        """Whether it tells of frames per second."""
        return any(rule.metric == FPS.name for rule in self.rules)

    @property
    def is_live_stream(self) -> bool:
        """Whether it tells of them while it runs."""
        return any(rule.metric == FPS.name and rule.live for rule in self.rules)


@dataclass(frozen=True)
class MeasuredPlan:
    """The plan, as far as results need it. ``objectives`` as they are declared; `objectives.of_plan` reads them."""

    plan_id: str
    profile: str
    deployment: str
    stand_ins: tuple[str, ...]
    warnings: tuple[str, ...]
    hosts: tuple[str, ...]
    replicas: tuple[MeasuredReplica, ...]
    objectives: tuple[Mapping[str, Any], ...] = ()

    @property
    def measured(self) -> tuple[MeasuredReplica, ...]:
        return tuple(replica for replica in self.replicas if replica.measured)

    @property
    def sample_types(self) -> list[str]:
        """The types of samples that the rules of what is measured are read from."""
        return sorted({metric_sources.SAMPLES[rule.source] for replica in self.measured for rule in replica.rules})

    def on(self, host: str) -> MeasuredPlan:
        """What of it is on one host."""
        return replace(self, hosts=(host,), replicas=tuple(one for one in self.replicas if one.host == host))

    def with_rules(self, wanted: Callable[[Rule], bool], *, ovms: bool) -> MeasuredPlan:
        """The plan with these rules alone, for a look: sketches of many clients take long to read.

        ``ovms``: whether model servers are still asked for their own metrics.
        """
        return replace(
            self,
            replicas=tuple(
                replace(one, ovms=one.ovms and ovms, rules=tuple(rule for rule in one.rules if wanted(rule)))
                for one in self.replicas
            ),
        )


def rule_of(metric: str, data: Mapping[str, Any], container: str = "") -> Rule:
    """The rule of one metric. Raises ProfileError that names the metric and what is wrong."""
    try:
        source = metric_sources.source_of(data)
    except ValueError as error:
        raise ProfileError(str(error), container=container or None, field=f"metrics.{metric}") from error
    unit = str(data.get("unit") or UNITLESS)
    return Rule(
        metric=metric,
        source=source.name,
        expression=str(data[source.key]),
        kind=metric_sources.kind_of(data),
        unit=_KNOWN_UNITS.get(metric, unit) if unit == UNITLESS else unit,
        required=bool(data.get("required", True)),
        file=str(data.get(metric_sources.FILE) or ""),
        row=data.get("row"),
        scale=float(data.get("scale") or 1.0),
    )


def _limits(task: Mapping[str, Any]) -> Limits:
    """From the docker options of a replica; an option that is 0 or empty sets no limit."""
    cpus, quota, period = (float(task.get(key) or 0.0) for key in ("cpus", "cpu_quota", "cpu_period"))
    own, memory = str(task.get("cpuset_cpus") or ""), task.get("memory")
    return Limits(
        quota=cpus or (quota / (period or CFS_PERIOD) if quota > 0.0 else None),
        cpu_set=len(cpu_list.numbers(own)) if own else None,
        memory_bytes=(option_values.size(memory) or None) if memory else None,
    )


def _replica(name: str, data: Mapping[str, Any], untellable: Mapping[str, str]) -> MeasuredReplica:
    task = data.get("task") or {}
    container = str(data.get("container", name))
    return MeasuredReplica(
        name=name,
        container=container,
        host=str(data["host"]),
        # What ran, which is a stand-in's or a mirror's where the image map names one.
        image=str(task.get("image") or data.get("image", "")),
        address=data.get("address"),
        ports=dict(data.get("ports") or {}),
        measured=bool(data.get("measured", True)),
        ovms=bool(data.get("ovms", False)),
        one_shot=any(probe.get("kind") == "exited" for probe in data.get("ready") or []),
        restart_policy=str(task.get("restart_policy") or ""),
        rules=tuple(rule_of(metric, rule, container) for metric, rule in sorted((data.get("metrics") or {}).items())),
        limits=_limits(task),
        models=dict(data.get("models") or {}),
        without={**(left_out(data.get("prometheus")) if data.get("ovms", False) else {}), **untellable},
    )


def of_plan(plan: Mapping[str, Any]) -> MeasuredPlan:
    """Read a plan as ``plan.json`` holds it. Raises ProfileError on what is not a plan."""
    missing = [key for key in ("plan_id", "profile", "deployment", "replicas") if key not in plan]
    if missing:
        raise ProfileError(f"this is not a plan: {', '.join(missing)} missing", file="plan.json")
    untellable = shared_files.untellable(plan["replicas"])
    replicas = [_replica(name, data, untellable.get(name, {})) for name, data in plan["replicas"].items()]
    hosts = set(plan.get("hosts") or {}) | {replica.host for replica in replicas}
    return MeasuredPlan(
        plan_id=str(plan["plan_id"]),
        profile=str(plan["profile"]),
        deployment=str(plan["deployment"]),
        stand_ins=tuple(plan.get("stand_ins") or ()),
        warnings=tuple(plan.get("warnings") or ()),
        hosts=tuple(sorted(hosts, key=natural)),
        replicas=tuple(sorted(replicas, key=lambda replica: natural(replica.name))),
        objectives=tuple(plan.get("objectives") or ()),
    )
