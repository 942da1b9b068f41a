# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""One replica of the plan: its docker_container task and all that goes with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils import endpoints, envfile, mounts, ovms, probes
from ansible_collections.retail.profiles.plugins.plugin_utils.fleet import LABEL_DEPLOYMENT, Fleet
from ansible_collections.retail.profiles.plugins.plugin_utils.place import Settings, Slot
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import Entry, Render

COLLECTION = "retail.profiles"
DEFAULT_NETWORK = "default"
# What the planner itself sets: a profile gives these by its own fields.
RESERVED = {
    "name": "name",
    "image": "image",
    "entrypoint": "entrypoint",
    "command": "args",
    "env": "env",
    "env_file": "env_file",
    "volumes": "volumes",
    "networks": "networks",
    "network_mode": "networks",
    "etc_hosts": None,
    "state": None,
    "pull": None,
    "labels": None,
}


@dataclass(frozen=True)
class Around:
    """What surrounds a replica: its wave, its peers, the replicas it depends on, and its published ports."""

    wave: int
    peers: Mapping[str, endpoints.Peer]
    needs: Sequence[Replica]
    published: Mapping[str, int]


@dataclass(frozen=True)
class Replica:
    """A planned replica, before it becomes plain data."""

    slot: Slot
    endpoint: endpoints.Endpoint
    wave: int
    image: str
    task: Mapping[str, Any]
    pull: str
    image_id: str | None
    address: str | None
    ports: Mapping[str, int]
    measured: bool
    peers: Mapping[str, endpoints.Peer]
    depends_on: Sequence[str]
    ready: list[dict[str, Any]]
    reach: list[dict[str, Any]]
    prometheus: Mapping[str, Any] | None
    metrics: Mapping[str, Any]
    networks: Sequence[str]
    files: Sequence[mounts.ShippedFile]
    paths: Sequence[Mapping[str, Any]]
    stand_in: str | None
    warnings: Sequence[str] = field(default_factory=list)

    def as_plan(self) -> dict[str, Any]:
        """The replica's part of plan.json."""
        return {
            "container": self.slot.container,
            "host": self.slot.host,
            "index": self.slot.index,
            "wave": self.wave,
            "why": self.slot.why,
            "image": self.image,
            "image_id": self.image_id,
            "address": self.address,
            "ports": dict(self.ports),
            "measured": self.measured,
            "depends_on": list(self.depends_on),
            "peers": {name: peer.as_variable() for name, peer in self.peers.items()},
            "task": dict(self.task),
            "pull": self.pull,
            "ready": self.ready,
            "reach": self.reach,
            "prometheus": dict(self.prometheus) if self.prometheus else None,
            "metrics": dict(self.metrics),
            "ovms": ovms.is_ovms(self.image),
        }


def endpoint(entry: Entry, slot: Slot, fleet: Fleet, render: Render) -> endpoints.Endpoint:
    """What the replica listens on, from the fields that need no peers."""
    variables = _variables(slot, fleet, {})
    networks = tuple(entry.value("networks", render, variables)) or (DEFAULT_NETWORK,)
    if len(networks) > 1 and set(networks) & set(endpoints.ALONE):
        raise entry.error("host and none stand alone: a container on one of them is on no other network", "networks")
    return endpoints.Endpoint(slot, networks, entry.value("ports", render, variables))


def build(
    entry: Entry, me: endpoints.Endpoint, around: Around, settings: Settings, fleet: Fleet, render: Render
) -> Replica:
    """The planned replica. Raises ProfileError for a field that cannot be rendered or is not valid."""
    slot = me.slot
    variables = _variables(slot, fleet, {name: peer.as_variable() for name, peer in around.peers.items()})

    def value(name: str) -> Any:
        return entry.value(name, render, variables)

    image = value("image")
    mapped = settings.images.get(image, image)
    args = value("args")
    files_dir = f"{settings.state_dir}/deployments/{settings.deployment}/files"
    entrypoint, script = mounts.script(entry, value("entrypoint"), files_dir)
    binds = [*mounts.mounts(entry, value("volumes"), files_dir), *script]
    served = ovms.models(entry, args, binds) if ovms.is_ovms(image) else None
    networks = [network_name(network, settings.deployment) for network in me.networks if network not in endpoints.ALONE]
    extra = _docker(entry, value("docker"))
    task = {
        "name": slot.replica,
        "image": mapped,
        "state": "started",
        **({"entrypoint": entrypoint} if entrypoint else {}),
        **({"command": args} if args else {}),
        "env": _env(entry, value("env_file"), value("env"), settings),
        **({"volumes": [bind.as_option() for bind in binds]} if binds else {}),
        **_network_options(me, networks),
        **_etc_hosts(around.peers),
        **extra,
        **_published(me, around.published, fleet, extra.get("published_ports", [])),
        "labels": _labels(slot, settings),
    }
    task["labels"]["retail.profiles.spec"] = _spec_hash(task)
    own_ready = probes.own(entry, value("ready"), slot.replica, me.ports, served)
    scraped = ovms.scrape_target(image, args, me.ports)
    stand_in = fleet.stand_in_for(slot.host, mapped)
    return Replica(
        slot=slot,
        endpoint=me,
        wave=around.wave,
        image=image,
        task=task,
        pull=settings.pull,
        image_id=fleet.image_id(slot.host, mapped),
        address=fleet.address(slot.host, slot.container) if around.published else _host_address(me, fleet),
        ports=dict(me.ports) if me.on_host_network else dict(around.published),
        measured=value("measured"),
        peers=around.peers,
        depends_on=[needed.slot.replica for needed in around.needs],
        ready=own_ready,
        reach=[
            probe
            for needed in around.needs
            for probe in probes.reach(
                needed.ready,
                needed.endpoint.ports,
                around.peers[needed.slot.container],
                me.shares_network(needed.endpoint),
            )
        ],
        prometheus=scraped,
        metrics=value("metrics"),
        networks=networks,
        files=[bind.shipped for bind in binds if bind.shipped],
        paths=[*mounts.path_checks(slot.container, binds), *ovms.model_checks(slot.container, served, binds)],
        stand_in=f"{mapped} for {stand_in}" if stand_in else None,
        warnings=_warnings(me),
    )


def network_name(network: str, deployment: str) -> str:
    """The Docker name of a deployment's network."""
    return f"{deployment}-{network}"


def network_option(network: str, deployment: str) -> dict[str, Any]:
    """docker_network arguments of one network of a deployment."""
    labels = {"retail.profiles.collection": COLLECTION, LABEL_DEPLOYMENT: deployment}
    return {"name": network, "driver": "bridge", "labels": labels}


def _variables(slot: Slot, fleet: Fleet, peers: Mapping[str, Any]) -> dict[str, Any]:
    replica = {"name": slot.replica, "container": slot.container, "index": slot.index, "host": slot.host}
    return {**fleet.variables.get(slot.host, {}), "replica": replica, "peers": dict(peers)}


def _env(entry: Entry, env_files: Sequence[str], env: Mapping[str, str], settings: Settings) -> dict[str, str]:
    result: dict[str, str] = {}
    for relative in env_files:
        path = entry.file("env_file", relative)
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise entry.error(f"{relative!r} cannot be read: {error}", "env_file") from error
        result.update(envfile.parse(content, str(path)))
    return {**result, **env, **settings.env}


def _network_options(me: endpoints.Endpoint, networks: Sequence[str]) -> dict[str, Any]:
    if not networks:
        return {"network_mode": me.networks[0]}
    return {"networks": [{"name": network, "aliases": [me.slot.container]} for network in networks]}


def _published(
    me: endpoints.Endpoint, published: Mapping[str, int], fleet: Fleet, extra: Sequence[str]
) -> dict[str, Any]:
    """Ours on the fleet address alone, beside those that the profile itself publishes."""
    if not published:
        return {}
    address = fleet.address(me.slot.host, me.slot.container)
    bound = f"[{address}]" if ":" in address else address
    return {
        "published_ports": [f"{bound}:{port}:{me.ports[name]}/tcp" for name, port in published.items()] + list(extra)
    }


def _etc_hosts(peers: Mapping[str, endpoints.Peer]) -> dict[str, Any]:
    """Servers on other hosts are known by their container's name too."""
    hosts = {name: peer.address for name, peer in peers.items() if peer.address != peer.replica}
    return {"etc_hosts": hosts} if hosts else {}


def _docker(entry: Entry, options: Mapping[str, Any]) -> dict[str, Any]:
    for option in options:
        if option in RESERVED:
            instead = f"use the field {RESERVED[option]!r}" if RESERVED[option] else "the plan sets it"
            raise entry.error(f"docker.{option} cannot be given: {instead}", "docker")
    return dict(options)


def _labels(slot: Slot, settings: Settings) -> dict[str, str]:
    return {
        "retail.profiles.collection": COLLECTION,
        LABEL_DEPLOYMENT: settings.deployment,
        "retail.profiles.container": slot.container,
        "retail.profiles.replica": slot.replica,
    }


def _spec_hash(task: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(task, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _host_address(me: endpoints.Endpoint, fleet: Fleet) -> str | None:
    return fleet.address_or_none(me.slot.host) if me.on_host_network and me.ports else None


def _warnings(me: endpoints.Endpoint) -> list[str]:
    if me.on_host_network and me.ports:
        return [
            f"{me.slot.replica} is on the host network of {me.slot.host}: it binds its ports on every address it likes"
        ]
    return []
