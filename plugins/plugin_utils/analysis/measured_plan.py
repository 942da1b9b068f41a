# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What results need to know of a plan: its replicas, what is measured of them, and by which rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural

SOURCES = ("log", "regex", "prometheus")
KINDS = ("gauge", "counter", "sketch")
KNOWN_UNITS: Mapping[str, str] = {"fps": "fps", "latency_seconds": "seconds", "errors": "errors"}
UNITLESS = "1"


@dataclass(frozen=True)
class Rule:
    """How one metric is had from what a container logs or exposes; ``source`` is one of ``SOURCES``."""

    metric: str
    source: str
    expression: str
    kind: str
    unit: str
    required: bool = True


@dataclass(frozen=True)
class Replica:
    """One replica of the plan. ``one_shot``: it is meant to end by itself with exit code 0 (readiness ``exited``)."""

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

    @property
    def restarts_by_policy(self) -> bool:
        return self.restart_policy not in ("", "no")


@dataclass(frozen=True)
class MeasuredPlan:
    """The plan, as far as results need it."""

    plan_id: str
    profile: str
    deployment: str
    stand_ins: tuple[str, ...]
    warnings: tuple[str, ...]
    hosts: tuple[str, ...]
    replicas: tuple[Replica, ...]

    @property
    def measured(self) -> tuple[Replica, ...]:
        return tuple(replica for replica in self.replicas if replica.measured)


def rule_of(metric: str, data: Mapping[str, Any]) -> Rule:
    """The rule of one metric. Raises ProfileError that names the metric and what is wrong."""
    sources = [source for source in SOURCES if data.get(source) is not None]
    if len(sources) != 1:
        raise ProfileError(f"expected exactly one of {', '.join(SOURCES)}", field=f"metrics.{metric}")
    kind = str(data.get("kind") or "gauge")
    if kind not in KINDS:
        raise ProfileError(f"kind '{kind}' is not one of {', '.join(KINDS)}", field=f"metrics.{metric}")
    unit = str(data.get("unit") or UNITLESS)
    return Rule(
        metric=metric,
        source=sources[0],
        expression=str(data[sources[0]]),
        kind=kind,
        unit=KNOWN_UNITS.get(metric, unit) if unit == UNITLESS else unit,
        required=bool(data.get("required", True)),
    )


def _replica(name: str, data: Mapping[str, Any]) -> Replica:
    task = data.get("task") or {}
    return Replica(
        name=name,
        container=str(data.get("container", name)),
        host=str(data["host"]),
        # What ran, which is a stand-in's or a mirror's where the image map names one.
        image=str(task.get("image") or data.get("image", "")),
        address=data.get("address"),
        ports=dict(data.get("ports") or {}),
        measured=bool(data.get("measured", True)),
        ovms=bool(data.get("ovms", False)),
        one_shot=any(probe.get("kind") == "exited" for probe in data.get("ready") or []),
        restart_policy=str(task.get("restart_policy") or ""),
        rules=tuple(rule_of(metric, rule) for metric, rule in sorted((data.get("metrics") or {}).items())),
    )


def of_plan(plan: Mapping[str, Any]) -> MeasuredPlan:
    """Read a plan as ``plan.json`` holds it. Raises ProfileError on what is not a plan."""
    missing = [key for key in ("plan_id", "profile", "deployment", "replicas") if key not in plan]
    if missing:
        raise ProfileError(f"this is not a plan: {', '.join(missing)} missing", file="plan.json")
    replicas = [_replica(name, data) for name, data in plan["replicas"].items()]
    hosts = set(plan.get("hosts") or {}) | {replica.host for replica in replicas}
    return MeasuredPlan(
        plan_id=str(plan["plan_id"]),
        profile=str(plan["profile"]),
        deployment=str(plan["deployment"]),
        stand_ins=tuple(plan.get("stand_ins") or ()),
        warnings=tuple(plan.get("warnings") or ()),
        hosts=tuple(sorted(hosts, key=natural)),
        replicas=tuple(sorted(replicas, key=lambda replica: natural(replica.name))),
    )
