# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profile, inventory, settings and snapshot in; the plan out. Pure: no Docker, no SSH, no clock, no random numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import SPEC_LABEL, digest
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import (
    cpusets,
    place,
    shared_containers,
    waves,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.fleet import Fleet
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import Inventory, PlanSettings, wishes
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import (
    collisions,
    dialling,
    endpoints,
    hardware,
    known_names,
    undefined,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.builder import Builder
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.replica import Around, PlannedReplica
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.shipped_files import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.task import limits, spec_hash
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Profile, Render
from ansible_collections.retail.profiles.plugins.plugin_utils.text import json_text
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural

SCHEMA = "retail.profiles/plan/1"
#: bytes of a stored plan: one with as many replicas as there may be has about half of it
LARGEST = 64 * 1024 * 1024
_SEEN = ("plan_id", "snapshot", "warnings", "left_out")
Item = TypeVar("Item")
Key = TypeVar("Key")


@dataclass(frozen=True)
class Shape:
    """Places, order, and who consumes whom. ``left_out`` is as ``place.Placement`` has it.

    ``tentative``: the slots are all that there may be, since the hosts have not been asked yet.
    """

    slots: Sequence[place.Slot]
    left_out: Mapping[str, Mapping[str, Sequence[str]]]
    waves: Mapping[str, int]
    depends_on: Mapping[str, Sequence[str]]
    consumes: Mapping[str, Sequence[str]]
    tentative: bool = False

    @cached_property
    def hosts(self) -> list[str]:
        """The hosts that carry a replica, naturally sorted."""
        return sorted({slot.host for slot in self.slots}, key=natural)

    @cached_property
    def by_container(self) -> Mapping[str, Sequence[place.Slot]]:
        """The slots of each container, in order."""
        return grouped(self.slots, lambda slot: slot.container)

    @cached_property
    def in_turn(self) -> Mapping[str, Sequence[place.Slot]]:
        """The slots of each container in the order in which they are dealt with."""
        return {name: sorted(slots, key=lambda slot: slot.turn) for name, slots in self.by_container.items()}


def shape(
    profile: Profile,
    inventory: Inventory,
    settings: PlanSettings,
    render: Render,
    variables: Mapping[str, Any],
    fleet: Fleet | None = None,
) -> Shape:
    """Place the replicas and order them.

    Without ``fleet``, before any host is asked: where placing depends on the hosts, every container then has a slot on
    each host that it may use, so that these are the hosts to ask.
    """
    endpoints.check_peers(profile)
    depends_on = {entry.name: entry.value("depends_on", render, variables) for entry in profile.entries}
    numbers = waves.waves(profile, depends_on)
    names = [entry.name for entry in profile.entries]
    consumes = {entry.name: endpoints.consumes(entry, depends_on[entry.name], names) for entry in profile.entries}
    wished = wishes(profile, inventory, settings, render, variables)
    known = place.HostKnowledge(fleet.snapshot.get, Builder(profile, settings, fleet, render).uses) if fleet else None
    before = None if fleet else place.candidates(wished, settings.deployment)
    placement = before or place.place(wished, settings.deployment, known)
    slots = shared_containers.placed(placement, wished, fleet)
    shared_containers.check(slots, consumes, profile)
    return Shape(slots, placement.left_out, numbers, depends_on, consumes, tentative=before is not None)


@dataclass(frozen=True)
class Planned:
    """A plan, and where on the controller the content of its files is, by digest."""

    plan: dict[str, Any]
    sources: Mapping[str, Source]


def build(profile: Profile, shaped: Shape, settings: PlanSettings, fleet: Fleet, render: Render) -> dict[str, Any]:
    """The plan alone, see :func:`make`."""
    return make(profile, shaped, settings, fleet, render).plan


def make(profile: Profile, shaped: Shape, settings: PlanSettings, fleet: Fleet, render: Render) -> Planned:
    """The plan (schema ``retail.profiles/plan/1``): plain data, byte-identical for the same input.

    Raises ProfileError for whatever cannot be planned, with file and line or host and container.
    """
    unused = _unused(shaped, fleet)
    replicas = planned(profile, shaped, settings, fleet, render)
    problems = list(dict.fromkeys(str(problem) for made in replicas for problem in made.problems))
    if problems:
        raise ProfileError("; ".join(problems))
    hardware.check_settings(settings, [made.asked for made in replicas])
    on = grouped(replicas, lambda r: r.slot.host)
    plan = {
        "schema": SCHEMA,
        "profile": profile.name,
        "deployment": settings.deployment,
        "state_dir": settings.state_dir,
        "stand_ins": sorted({r.stand_in for r in replicas if r.stand_in}),
        "warnings": _warnings(profile, replicas, unused),
        "left_out": {name: {why: list(hosts) for why, hosts in out.items()} for name, out in shaped.left_out.items()},
        "objectives": list(profile.objectives if settings.objectives is None else settings.objectives),
        "streams": None
        if settings.streams is None
        else settings.streams.as_plan((slot.container, slot.host) for slot in shaped.slots),
        "waves": _waves(replicas),
        "hosts": {host: _host(host, on[host], settings, fleet) for host in shaped.hosts},
        "replicas": {r.slot.replica: r.as_plan() for r in replicas},
    }
    snapshot = {host: fleet.snapshot.get(host, {}) for host in shaped.hosts}
    sources = {shipped.sha256: shipped.source for r in replicas for shipped in r.files}
    return Planned({**plan, "plan_id": plan_id(plan), "snapshot": snapshot}, sources)


def _warnings(profile: Profile, replicas: Sequence[PlannedReplica], unused: Sequence[str]) -> list[str]:
    """What a person should know: of hosts, of the file in its order, of replicas in theirs."""
    own = (warning for made in replicas for warning in made.warnings)
    return list(dict.fromkeys([*unused, *profile.warnings, *own, *dialling.warnings(replicas)]))


def _unused(shaped: Shape, fleet: Fleet) -> list[str]:
    """A warning for each host that has not answered and is not needed.

    Raises ProfileError for those that are: a fleet that shrinks in silence falsifies what is measured on it.
    """
    used = set(shaped.hosts)
    if needed := {host: why for host, why in fleet.silent.items() if host in used}:
        raise unanswered(needed)
    return [
        f"host {host} could not be asked for its facts, and is not used: {why}" for host, why in fleet.silent.items()
    ]


def unanswered(silent: Mapping[str, str]) -> ProfileError:
    """The error of hosts that are needed and have not answered."""
    errors = [ProfileError(f"could not be asked for its facts: {why}", host=host) for host, why in silent.items()]
    return ProfileError("; ".join(map(str, errors)))


def plan_id(plan: Mapping[str, Any]) -> str:
    """SHA-256 of the plan without its snapshot and remarks: what is to be done, not what was seen.

    Each task counts by its spec hash and its limits, and the lines on which its variables are written do not count.
    """
    done = {key: value for key, value in plan.items() if key not in _SEEN}
    tasks = {
        name: {**item, "task": [task["labels"][SPEC_LABEL], limits(task)], "env_from": None}
        for name, item in plan["replicas"].items()
        for task in (item["task"],)
    }
    return digest({**done, "replicas": tasks})


def _is_whole(plan: Mapping[str, Any]) -> bool:
    """Whether a stored plan is as it was made."""
    tasks = [item["task"] for item in plan["replicas"].values()]
    specs_hold = all(task["labels"][SPEC_LABEL] == spec_hash(task) for task in tasks)
    return specs_hold and plan["plan_id"] == plan_id(plan)


def stored(text: str, file: str) -> dict[str, Any]:
    """A plan read back from a file. ProfileError when it is not one, or was changed by hand."""
    try:
        plan = json_text.parse(text)
    except json.JSONDecodeError as error:
        raise ProfileError(f"this is not JSON: {error.msg}", file=file, line=error.lineno) from error
    except ValueError as error:
        raise ProfileError(f"this is not JSON: {error}", file=file) from error
    if not isinstance(plan, dict) or plan.get("schema") != SCHEMA:
        raise ProfileError(f"this is not a stored plan: its schema is not {SCHEMA}", file=file)
    try:
        whole = _is_whole(plan)
    except (KeyError, TypeError, AttributeError):
        whole = False
    if not whole:
        raise ProfileError(
            "the plan does not match its plan_id: it was changed after it was made; plan again instead", file=file
        )
    return plan


def planned(
    profile: Profile, shaped: Shape, settings: PlanSettings, fleet: Fleet, render: Render
) -> list[PlannedReplica]:
    """The replicas in the order of the profile, whatever hardware their hosts lack for them."""
    builder = Builder(profile, settings, fleet, render)
    try:
        return _planned(profile, shaped, builder, settings, fleet)
    except ProfileError as error:
        if undefined.is_undefined(error):
            first = {slot.container: slot for slot in reversed(shaped.slots)}
            named = ((profile.entry(name), builder.variables(first[name])) for name in reversed(first))
            raise undefined.told(named, render) or error from error
        raise


def _planned(
    profile: Profile, shaped: Shape, builder: Builder, settings: PlanSettings, fleet: Fleet
) -> list[PlannedReplica]:
    points = {slot.replica: builder.endpoint(profile.entry(slot.container), slot) for slot in shaped.slots}
    dealt = {
        name: {other: endpoints.deal(point, shaped.in_turn[other]) for other in shaped.consumes[point.slot.container]}
        for name, point in points.items()
    }
    named = known_names.known(profile, points, shaped.in_turn, shaped.consumes)
    for name, servers in named.servers.items():
        dealt[name] |= servers
    wanted = {
        server.replica
        for consumer, servers in dealt.items()
        for server in servers.values()
        if not points[consumer].shares_network(points[server.replica])
    }
    own_cpus = _cpusets(profile, shaped, builder, fleet)
    common = {name for name, point in points.items() if point.is_shared}
    taken = fleet.taken_ports({settings.deployment, *common})
    published = endpoints.publish(points, wanted | common, fleet.address, taken, fleet.published)
    built: dict[str, PlannedReplica] = {}
    for slot in sorted(shaped.slots, key=lambda slot: shaped.waves[slot.container]):
        entry = profile.entry(slot.container)
        me = points[slot.replica]
        peers = {
            name: endpoints.peer(me, points[server.replica], published, fleet.address)
            for name, server in dealt[slot.replica].items()
        }
        needs = [built[dealt[slot.replica][name].replica] for name in shaped.depends_on[slot.container]]
        remarks = [
            text
            for name in named.servers.get(slot.replica, ())
            for text in known_names.moved(me, points[peers[name].replica], peers[name])
        ]
        around = Around(
            wave=shaped.waves[slot.container],
            peers=peers,
            needs=needs,
            published=published.get(slot.replica, {}),
            cpuset=own_cpus.get(slot.replica),
            names=known_names.addresses(me, peers, points),
            remarks=[*named.remarks.get(slot.replica, ()), *remarks],
        )
        built[slot.replica] = builder.build(entry, me, around)
    made = [built[slot.replica] for slot in shaped.slots]
    collisions.check(profile, made)
    return made


def _cpusets(profile: Profile, shaped: Shape, builder: Builder, fleet: Fleet) -> dict[str, str]:
    """The CPUs of each replica that is to have its own."""
    wanted: dict[str, dict[str, Mapping[str, Any]]] = {}
    for slot in shaped.slots:
        entry = profile.entry(slot.container)
        if entry.raw.get("cpuset") is not None and (spec := builder.cpuset(entry, slot)) is not None:
            wanted.setdefault(slot.host, {})[slot.replica] = spec
    return {
        name: cpus
        for host, specs in wanted.items()
        for name, cpus in cpusets.deal(host, specs, fleet.snapshot.get(host, {})).items()
    }


def _waves(replicas: Sequence[PlannedReplica]) -> list[list[str]]:
    by_wave = grouped(replicas, lambda r: r.wave)
    return [[r.slot.replica for r in by_wave.get(number, ())] for number in range(max(by_wave) + 1)]


def _host(host: str, replicas: Sequence[PlannedReplica], settings: PlanSettings, fleet: Fleet) -> dict[str, Any]:
    networks = {network["name"]: network for r in replicas for network in r.networks}
    files = {shipped.dest: shipped for r in replicas for shipped in r.files}
    paths: dict[str, Mapping[str, Any]] = {}
    for r in replicas:
        for check in r.paths:
            paths.setdefault(repr(check), check)
    return {
        "address": fleet.address_or_none(host),
        "networks": [networks[name] for name in sorted(networks)],
        "files": [files[dest].as_plan() for dest in sorted(files)],
        "paths": list(paths.values()),
        "replicas": [r.slot.replica for r in sorted(replicas, key=lambda r: r.wave)],
    }


def grouped(items: Iterable[Item], key: Callable[[Item], Key]) -> dict[Key, list[Item]]:
    """The items by key, in the order in which they come."""
    groups: dict[Key, list[Item]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
