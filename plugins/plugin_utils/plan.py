# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Profile, inventory, settings and snapshot in; the plan out. Pure: no Docker, no SSH, no clock, no random numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils import endpoints, place, replica, waves
from ansible_collections.retail.profiles.plugins.plugin_utils.fleet import Fleet
from ansible_collections.retail.profiles.plugins.plugin_utils.order import natural
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import Profile, Render

SCHEMA = "retail.profiles/plan/1"


@dataclass(frozen=True)
class Shape:
    """What is decided before any host is asked: places, order, and who consumes whom."""

    slots: Sequence[place.Slot]
    waves: Mapping[str, int]
    depends_on: Mapping[str, Sequence[str]]
    consumes: Mapping[str, Sequence[str]]

    @property
    def hosts(self) -> list[str]:
        """The hosts that carry a replica, naturally sorted."""
        return sorted({slot.host for slot in self.slots}, key=natural)

    def of(self, container: str) -> list[place.Slot]:
        return [slot for slot in self.slots if slot.container == container]


def shape(
    profile: Profile, inventory: place.Inventory, settings: place.Settings, render: Render, variables: Mapping[str, Any]
) -> Shape:
    """Place the replicas and order them. Needs no facts of the hosts."""
    depends_on = {entry.name: entry.value("depends_on", render, variables) for entry in profile.entries}
    numbers = waves.waves(profile, depends_on)
    names = [entry.name for entry in profile.entries]
    consumes = {entry.name: endpoints.consumes(entry, depends_on[entry.name], names) for entry in profile.entries}
    return Shape(place.place(profile, inventory, settings, render, variables), numbers, depends_on, consumes)


def build(profile: Profile, shaped: Shape, settings: place.Settings, fleet: Fleet, render: Render) -> dict[str, Any]:
    """The plan (schema ``retail.profiles/plan/1``): plain data, byte-identical for the same input.

    Raises ProfileError for whatever cannot be planned, with file and line or host and container.
    """
    replicas = _replicas(profile, shaped, settings, fleet, render)
    hosts = {host: _host(host, [r for r in replicas if r.slot.host == host], settings, fleet) for host in shaped.hosts}
    plan = {
        "schema": SCHEMA,
        "profile": profile.name,
        "deployment": settings.deployment,
        "state_dir": settings.state_dir,
        "stand_ins": sorted({r.stand_in for r in replicas if r.stand_in}),
        "warnings": sorted({warning for r in replicas for warning in r.warnings}),
        "waves": _waves(replicas),
        "hosts": hosts,
        "replicas": {r.slot.replica: r.as_plan() for r in replicas},
    }
    snapshot = {host: fleet.snapshot.get(host, {}) for host in shaped.hosts}
    return {**plan, "plan_id": plan_id(plan), "snapshot": snapshot}


def plan_id(plan: Mapping[str, Any]) -> str:
    """SHA-256 of the plan without its snapshot: what is to be done, not what was seen."""
    return digest({key: value for key, value in plan.items() if key not in ("plan_id", "snapshot")})


def digest(value: Any) -> str:
    """SHA-256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def stored(text: str, file: str) -> dict[str, Any]:
    """A plan read back from a file. ProfileError when it is not one, or was changed by hand."""
    try:
        plan = json.loads(text)
    except ValueError as error:
        raise ProfileError(f"this is not JSON: {error}", file=file) from error
    if not isinstance(plan, dict) or plan.get("schema") != SCHEMA:
        raise ProfileError(f"this is not a stored plan: its schema is not {SCHEMA}", file=file)
    if plan.get("plan_id") != plan_id(plan):
        raise ProfileError(
            "the plan does not match its plan_id: it was changed after it was made; plan again instead", file=file
        )
    return plan


def _replicas(
    profile: Profile, shaped: Shape, settings: place.Settings, fleet: Fleet, render: Render
) -> list[replica.Replica]:
    points = {
        slot.replica: replica.endpoint(profile.entry(slot.container), slot, fleet, render) for slot in shaped.slots
    }
    dealt = {
        slot.replica: {name: endpoints.deal(slot, shaped.of(name)) for name in shaped.consumes[slot.container]}
        for slot in shaped.slots
    }
    wanted = {
        server.replica
        for consumer, servers in dealt.items()
        for server in servers.values()
        if not points[consumer].shares_network(points[server.replica])
    }
    published = endpoints.publish(points, wanted, fleet.address, fleet.taken_ports(settings.deployment))
    built: dict[str, replica.Replica] = {}
    for slot in sorted(shaped.slots, key=lambda slot: shaped.waves[slot.container]):
        entry = profile.entry(slot.container)
        me = points[slot.replica]
        peers = {
            name: endpoints.peer(me, points[server.replica], published, fleet.address)
            for name, server in dealt[slot.replica].items()
        }
        needs = [built[dealt[slot.replica][name].replica] for name in shaped.depends_on[slot.container]]
        built[slot.replica] = replica.build(
            entry,
            me,
            replica.Around(shaped.waves[slot.container], peers, needs, published.get(slot.replica, {})),
            settings,
            fleet,
            render,
        )
    return [built[slot.replica] for slot in shaped.slots]


def _waves(replicas: Sequence[replica.Replica]) -> list[list[str]]:
    count = max(r.wave for r in replicas) + 1
    return [[r.slot.replica for r in replicas if r.wave == number] for number in range(count)]


def _host(host: str, replicas: Sequence[replica.Replica], settings: place.Settings, fleet: Fleet) -> dict[str, Any]:
    networks = sorted({network for r in replicas for network in r.networks})
    files = {shipped.dest: shipped for r in replicas for shipped in r.files}
    paths: dict[str, Mapping[str, Any]] = {}
    for r in replicas:
        for check in r.paths:
            paths.setdefault(digest(check), check)
    return {
        "address": fleet.address_or_none(host),
        "networks": [replica.network_option(network, settings.deployment) for network in networks],
        "files": [files[dest].as_share() for dest in sorted(files)],
        "paths": list(paths.values()),
    }


def share(plan: Mapping[str, Any], host: str, wave: int | None = None) -> dict[str, Any]:
    """One host's share of one wave, or of all waves: the argument of profile_apply."""
    own = plan["hosts"].get(host, {"networks": [], "files": [], "paths": []})
    names = [name for number, members in enumerate(plan["waves"]) if wave in (None, number) for name in members]
    fields = ("container", "task", "pull", "ready", "reach")
    replicas = [
        {"name": name, **{field: plan["replicas"][name][field] for field in fields}}
        for name in names
        if plan["replicas"][name]["host"] == host
    ]
    needed = {volume.split(":")[0] for item in replicas for volume in item["task"].get("volumes", [])}
    files = [item for item in own["files"] if item["dest"] in needed]
    return {"networks": own["networks"], "files": files, "paths": own["paths"], "replicas": replicas}
