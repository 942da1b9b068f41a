# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A replica of the plan: what surrounds it, what its fields say once they are rendered, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import is_shared
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.place import Slot
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import (
    endpoints,
    hardware,
    model_server,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.environment import Environment
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.mounts import NamedVolumes
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.networks import Networks
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.shipped_files import ShippedFile, Shipper
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.text.command_line import Server

Value = Callable[[str], Any]


@dataclass(frozen=True)
class Around:
    """What surrounds a replica: its wave, peers, the replicas it depends on, its published ports and its own CPUs.

    ``names``: addresses of others by names that Docker does not know on its host. ``remarks``: warnings of these.
    """

    wave: int
    peers: Mapping[str, endpoints.Peer]
    needs: Sequence[PlannedReplica]
    published: Mapping[str, int]
    cpuset: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    remarks: Sequence[str] = ()


@dataclass(frozen=True)
class Contents:
    """What is in a container, apart from where it runs: nothing of it differs between replicas without templates."""

    image: str
    entrypoint: Sequence[str]
    args: Sequence[str]
    volumes: Sequence[str]
    other_mounts: Sequence[Mapping[str, Any]]
    server: Server | None
    served: model_server.Served | None
    files: Sequence[ShippedFile]
    paths: Sequence[Mapping[str, Any]]
    prometheus: Mapping[str, Any] | None
    models: Mapping[str, str | None]
    devices: tuple[str, ...]
    warnings: Sequence[str]


@dataclass(frozen=True)
class Wired:
    """What the networks of a replica are to docker_container, which of them are made, and which must be there."""

    options: Mapping[str, Any]
    made: Sequence[Mapping[str, Any]]
    found: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Owner:
    """The deployment to which a replica belongs, and what it has on hosts. A shared replica is one of its own."""

    deployment: str
    named: NamedVolumes
    networks: Networks
    shipper: Shipper
    wires: dict[str, Wired] = field(default_factory=dict)


@dataclass(frozen=True)
class Rendered:
    """A replica with its fields rendered, and what they come to on its host.

    ``value`` gives the other fields. ``identity`` is its slot as every deployment knows it: another than the plan's for
    a shared replica alone. ``asked`` and ``given`` are of hardware; ``image`` is the one that runs, whatever stands in
    ``contents``; ``docker`` are options passed through.
    """

    entry: Entry
    endpoint: endpoints.Endpoint
    around: Around
    identity: Slot
    owner: Owner
    value: Value
    asked: hardware.Wanted
    given: hardware.Grant
    contents: Contents
    image: str
    env: Environment
    wired: Wired
    docker: Mapping[str, Any]
    address: str | None


@dataclass(frozen=True)
class PlannedReplica:
    """A planned replica, before it becomes plain data."""

    slot: Slot
    endpoint: endpoints.Endpoint
    wave: int
    image: str
    task: Mapping[str, Any]
    env_from: Mapping[str, str]
    secrets: Sequence[str]
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
    networks: Sequence[Mapping[str, Any]]
    files: Sequence[ShippedFile]
    paths: Sequence[Mapping[str, Any]]
    stand_in: str | None
    asked: hardware.Wanted
    ovms: bool
    models: Mapping[str, str | None]
    problems: Sequence[ProfileError] = field(default_factory=list)
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
            "shared": is_shared(self.slot.replica),
            "depends_on": list(self.depends_on),
            "peers": {name: peer.as_variable() for name, peer in self.peers.items()},
            "task": self.task,
            "env_from": self.env_from,
            "files": [shipped.dest for shipped in self.files],
            "secrets": self.secrets,
            "pull": self.pull,
            "ready": self.ready,
            "reach": self.reach,
            "prometheus": self.prometheus,
            "metrics": self.metrics,
            "target_device": self.asked.target_device,
            "input_source": self.asked.input_source,
            "ovms": self.ovms,
            "models": dict(self.models),
        }
