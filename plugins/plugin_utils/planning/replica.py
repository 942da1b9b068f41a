# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""One replica of the plan: its docker_container task and all that goes with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import (
    COLLECTION,
    COLLECTION_LABEL,
    CONTAINER_LABEL,
    DEPLOYMENT_LABEL,
    REPLICA_LABEL,
    SECRETS_LABEL,
    SPEC_LABEL,
    digest,
    is_shared,
)
from ansible_collections.retail.profiles.plugins.module_utils.container import option_values
from ansible_collections.retail.profiles.plugins.module_utils.container.options import ALIASES
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import shared_containers
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.exclusive import Uses
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.fleet import (
    Fleet,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.place import Settings, Slot
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import (
    endpoints,
    environment,
    hardware,
    model_server,
    mounts,
    probes,
    shipped_files,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.networks import Attachment, Networks
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry, Profile, Render
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import host_paths
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.fields import RESERVED
from ansible_collections.retail.profiles.plugins.plugin_utils.text.command_line import is_ovms

Value = Callable[[str], Any]
Made = TypeVar("Made")
# The fields that Contents is made of.
_CONTENTS = ("image", "entrypoint", "args", "volumes", "ports")


@dataclass(frozen=True)
class Around:
    """What surrounds a replica: its wave, peers, the replicas it depends on, its published ports and its own CPUs."""

    wave: int
    peers: Mapping[str, endpoints.Peer]
    needs: Sequence[Replica]
    published: Mapping[str, int]
    cpuset: str | None = None


@dataclass(frozen=True)
class Replica:
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
    files: Sequence[shipped_files.ShippedFile]
    paths: Sequence[Mapping[str, Any]]
    stand_in: str | None
    asked: hardware.Wanted
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
            "ovms": is_ovms(self.image),
        }


@dataclass(frozen=True)
class Contents:
    """What is in a container, apart from where it runs: nothing of it differs between replicas without templates."""

    image: str
    entrypoint: Sequence[str]
    args: Sequence[str]
    volumes: Sequence[str]
    other_mounts: Sequence[Mapping[str, Any]]
    served: model_server.Models | None
    files: Sequence[shipped_files.ShippedFile]
    paths: Sequence[Mapping[str, Any]]
    prometheus: Mapping[str, Any] | None
    devices: tuple[str, ...]
    warnings: Sequence[str]


@dataclass(frozen=True)
class Wired:
    """What the networks of a replica are to docker_container, which of them are made, and which must be there."""

    options: Mapping[str, Any]
    made: Sequence[Mapping[str, Any]]
    found: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Belongings:
    """What a deployment has on hosts: its own, or that of a shared replica, which is a deployment of its own."""

    deployment: str
    named: mounts.NamedVolumes
    networks: Networks
    shipper: shipped_files.Shipper
    wires: dict[str, Wired] = field(default_factory=dict)


class Builder:
    """Builds the replicas of one plan. What is the same for all replicas of a container is made once."""

    def __init__(self, profile: Profile, settings: Settings, fleet: Fleet, render: Render) -> None:
        self.profile = profile
        self._belongings: dict[str, Belongings] = {}
        self.settings = settings
        self.fleet = fleet
        self.render = render
        self.hardware = hardware.Hardware(fleet)
        self._made: dict[tuple[str, Callable[..., Any], tuple[str | None, ...]], Any] = {}

    def endpoint(self, entry: Entry, slot: Slot) -> endpoints.Endpoint:
        """What the replica listens on, from the fields that need no peers."""
        value = self._values(entry, slot, {})
        networks = self._of(slot).networks
        attachments = self._once(entry, ("networks",), self._attachments, value, networks.deployment)
        networks.check_addresses(entry, slot, attachments)
        return endpoints.Endpoint(slot, attachments, value("ports"), "host_ports" in value("exclusive"))

    def uses(self, entry: Entry, host: str) -> Uses:
        """The devices and host ports that a replica of the container takes on a host, as far as fields say."""
        slot = Slot(f"{self.settings.deployment}-{entry.name}-1", entry.name, 1, host, "", 0)
        value = self._values(entry, slot, {})
        asked = self._once(entry, ("image", *hardware.FIELDS), self._asked, value)
        models: tuple[str, ...] = ()
        if not any("peers" in repr(entry.raw.get(name)) for name in _CONTENTS):  # which are not known before placement
            device = self.hardware.name_inside(asked.target_device, host)
            value = self._values(entry, slot, {}, device)
            mine = self._of(slot).deployment
            models = self._once(entry, _CONTENTS, self._contents, value, mine, device).devices
        options = value("docker")
        devices = [str(device).partition(":")[0] for device in options.get("devices", [])]
        devices += self.hardware.grant(asked, models, host).nodes
        published = option_values.ports(options.get("published_ports", []))
        bound = {int(item["HostPort"]) for items in published.values() for item in items if item["HostPort"]}
        return Uses(frozenset(devices), frozenset({*value("ports").values(), *bound}))

    def cpuset(self, entry: Entry, slot: Slot) -> Mapping[str, Any] | None:
        """The field ``cpuset``, with the size that ``cpus`` gives; None where the replica has no CPUs of its own."""
        value = self._values(entry, slot, {})
        spec: dict[str, Any] | None = value("cpuset")
        number = value("cpus")
        if spec is None or "fixed" in spec or number is None:
            return spec
        if "cpus" in spec:
            raise entry.error("give the number of CPUs once: in cpuset, or in cpus with cpuset: auto", "cpus")
        if not isinstance(number, int):
            raise entry.error(f"a set has a whole number of CPUs, not {number:g}", "cpus")
        return {"cpus": number}

    def build(self, entry: Entry, me: endpoints.Endpoint, around: Around) -> Replica:
        """The planned replica. Raises ProfileError for a field that cannot be rendered or is not valid."""
        slot, fleet = me.slot, self.fleet
        mine, known = self._of(slot), _as_known(entry, me)
        value = self._values(entry, known.slot, around.peers)
        asked = self._once(entry, ("image", *hardware.FIELDS), self._asked, value)
        device = self.hardware.name_inside(asked.target_device, slot.host)
        value = self._values(entry, known.slot, around.peers, device)
        contents = self._once(entry, _CONTENTS, self._contents, value, mine.deployment, device)
        given = self.hardware.grant(asked, contents.devices, slot.host)
        mapped = self.settings.images.get(contents.image, contents.image)
        wired = _wired(mine, entry, known)
        extra = self._once(entry, ("docker",), _docker, value)
        env = given.over(self._once(entry, ("env_file", "env"), self._environment, value))
        task = {
            "name": slot.replica,
            "image": mapped,
            "state": "started",
            **({"entrypoint": contents.entrypoint} if contents.entrypoint else {}),
            **({"command": contents.args} if contents.args else {}),
            "env": env.values,
            **_volumes(contents.volumes, given.volumes),
            **({"mounts": contents.other_mounts} if contents.other_mounts else {}),
            **_joined(entry, me, wired.options, around.needs, self.profile),
            **_cpu_options(value("cpus"), value("cpuset"), around.cpuset),
            **extra,
            **({} if me.joins else _etc_hosts(around.peers, extra.get("etc_hosts") or {})),
            **given.options(extra),
            **_published(me, around.published, fleet, extra.get("published_ports", [])),
            "labels": {
                **extra.get("labels", {}),
                **_labels(known.slot, mine.deployment),
                **_secret_label(env.secrets),
            },
        }
        task["labels"][SPEC_LABEL] = spec_hash(task)
        stand_in = fleet.stand_in_for(slot.host, mapped)
        return Replica(
            slot=slot,
            endpoint=me,
            wave=around.wave,
            image=contents.image,
            task=task,
            env_from=env.sources,
            secrets=env.secrets,
            pull=self.settings.pull,
            image_id=fleet.image_id(slot.host, mapped),
            address=fleet.address(slot.host, slot.container) if around.published else _host_address(me, fleet),
            ports=dict(me.ports) if me.on_host_network else dict(around.published),
            measured=value("measured"),
            peers=around.peers,
            depends_on=[needed.slot.replica for needed in around.needs],
            ready=probes.own(entry, value("ready"), slot.replica, me.ports, contents.served),
            reach=_reach(me, around),
            prometheus=contents.prometheus,
            metrics=value("metrics"),
            networks=wired.made,
            files=contents.files,
            paths=[*contents.paths, *wired.found, *given.path_checks(slot.container)],
            stand_in=f"{mapped} for {stand_in}" if stand_in else None,
            asked=asked,
            problems=given.problems(slot.host, slot.container),
            warnings=[
                *_warnings(me),
                *mine.networks.check_reach(entry, me, around.published, list(around.peers.values())),
                *env.warnings,
                *(f"{slot.replica}: {warning}" for warning in contents.warnings),
            ],
        )

    def _of(self, slot: Slot) -> Belongings:
        """What the deployment of a replica has."""
        deployment = shared_containers.owner(slot, self.settings.deployment)
        if deployment not in self._belongings:
            self._belongings[deployment] = Belongings(
                deployment,
                mounts.NamedVolumes(deployment, self.profile.volumes),
                Networks(deployment, self.profile.networks),
                shipped_files.Shipper(f"{self.settings.state_dir}/deployments/{deployment}/files"),
            )
        return self._belongings[deployment]

    def _values(
        self, entry: Entry, slot: Slot, peers: Mapping[str, endpoints.Peer], device: str | None = None
    ) -> Value:
        """A function from a field's name to its value for one replica; gathers variables only if a template asks."""
        variables: dict[str, Any] = {}

        def value(name: str) -> Any:
            if not variables and name in entry.templated:
                variables.update(_variables(slot, self.fleet, peers, device))
                if "host_paths" in entry.templates:
                    variables["host_paths"] = host_paths.of_host(
                        variables, self.settings.env, self.settings.state_dir, self.render
                    )
            return entry.value(name, self.render, variables)

        return value

    def _once(
        self, entry: Entry, names: Sequence[str], make: Callable[..., Made], value: Value, *more: str | None
    ) -> Made:
        """``make(entry, value, *more)``, which reads the fields ``names``.

        Made once for the same ``more`` where none of these fields holds a template.
        """
        if not entry.templated.isdisjoint(names):
            return make(entry, value, *more)
        key = (entry.name, make, more)
        if key not in self._made:
            self._made[key] = make(entry, value, *more)
        made: Made = self._made[key]
        return made

    def _asked(self, entry: Entry, value: Value) -> hardware.Wanted:
        return hardware.wanted(entry, self.settings, value, is_ovms(value("image")))

    def _contents(self, entry: Entry, value: Value, deployment: str, device: str | None) -> Contents:
        mine = self._belongings[deployment]
        image, args = value("image"), value("args")
        entrypoint, script = mounts.script(entry, value("entrypoint"), mine.shipper)
        binds = [*mounts.mounts(entry, value("volumes"), mine.shipper, mine.named), *script]
        served: model_server.Models | None = None
        own_devices: tuple[str, ...] = ()
        warnings: list[str] = []
        if is_ovms(image):
            args, binds = model_server.on_device(entry, args, binds, device)
            served = model_server.models(entry, args, binds)
        if served and device is None:
            own_devices, warnings = hardware.own_devices(served.devices)
        return Contents(
            image=image,
            entrypoint=entrypoint,
            args=args,
            volumes=[bind.as_volume for bind in binds if bind.as_volume],
            other_mounts=[bind.as_mount for bind in binds if bind.as_mount],
            served=served,
            files=[bind.shipped for bind in binds if bind.shipped],
            paths=[*mounts.path_checks(entry.name, binds), *model_server.model_checks(entry, served, binds)],
            prometheus=model_server.scrape_target(image, args, value("ports")),
            devices=own_devices,
            warnings=warnings,
        )

    def _attachments(self, entry: Entry, value: Value, deployment: str) -> tuple[Attachment, ...]:
        return self._belongings[deployment].networks.attachments(entry, value("networks"))

    def _environment(self, entry: Entry, value: Value) -> environment.Environment:
        return environment.collect(entry, value("env_file"), value("env"), value("secret_env"), self.settings.env)


def _wired(mine: Belongings, entry: Entry, me: endpoints.Endpoint) -> Wired:
    """The networks of a replica; worked out once where the field holds no template."""
    wired = mine.wires.get(entry.name)
    if wired is None or "networks" in entry.templated:
        wired = Wired(mine.networks.as_options(me), mine.networks.to_make(me), mine.networks.to_find(me))
        mine.wires[entry.name] = wired
    return wired


def _joined(
    entry: Entry, me: endpoints.Endpoint, options: Mapping[str, Any], needs: Sequence[Replica], profile: Profile
) -> Mapping[str, Any]:
    """The options of its networks; where that is the network of a container of the profile, by its replica's name."""
    if me.joins not in {other.name for other in profile.entries}:
        return options
    server = next((need.slot.replica for need in needs if need.slot.container == me.joins), None)
    if server is None:
        first = f"it joins the network of {me.joins}, which must run first: add depends_on: [{me.joins}]"
        raise entry.error(first, "networks")
    return {**options, "network_mode": f"container:{server}"}


def _reach(me: endpoints.Endpoint, around: Around) -> list[dict[str, Any]]:
    """The probes by which this replica's host sees what the replica depends on."""
    return [
        probe
        for needed in around.needs
        for probe in probes.reach(
            needed.ready,
            needed.endpoint.ports,
            around.peers[needed.slot.container],
            me.shares_network(needed.endpoint),
        )
    ]


def _variables(slot: Slot, fleet: Fleet, peers: Mapping[str, endpoints.Peer], device: str | None) -> dict[str, Any]:
    replica = {"name": slot.replica, "container": slot.container, "index": slot.index, "host": slot.host}
    if device is not None:
        replica["device"] = device
    dialled = {name: peer.as_variable() for name, peer in peers.items()}
    return {**fleet.variables.get(slot.host, {}), "replica": replica, "peers": dialled}


def _volumes(own: Sequence[str], given: Sequence[str]) -> dict[str, Any]:
    """The container's own, and those given with its hardware where it has nothing at their target."""
    targets = {volume.split(":")[1] for volume in own} if given else set()
    volumes = [*own, *(volume for volume in given if volume.split(":")[1] not in targets)]
    return {"volumes": volumes} if volumes else {}


def _published(
    me: endpoints.Endpoint, published: Mapping[str, int], fleet: Fleet, extra: Sequence[str]
) -> dict[str, Any]:
    """Ours on the fleet address alone, beside those that the profile itself publishes."""
    if not published:
        return {}
    address = fleet.address(me.slot.host, me.slot.container)
    bound = f"[{address}]" if ":" in address else address
    ours = dict.fromkeys(f"{bound}:{port}:{me.ports[name]}/tcp" for name, port in published.items())
    return {"published_ports": [*ours, *extra]}


def _cpu_options(number: float | None, spec: Mapping[str, Any] | None, own: str | None) -> dict[str, Any]:
    """The set; and a limit where ``cpus`` is not the size of the set."""
    limited = number is not None and (spec is None or "fixed" in spec)
    return {**({"cpuset_cpus": own} if own else {}), **({"cpus": number} if limited else {})}


def _etc_hosts(peers: Mapping[str, endpoints.Peer], own: Mapping[str, str]) -> dict[str, Any]:
    """Servers on other hosts are known by their container's name too; the profile's ``own`` names stand above."""
    hosts = {name: peer.address for name, peer in peers.items() if peer.address != peer.replica} | dict(own)
    return {"etc_hosts": hosts} if hosts else {}


def _docker(entry: Entry, value: Value) -> dict[str, Any]:
    """The options passed through, by their proper names."""
    options: dict[str, Any] = value("docker")
    for option in options:
        proper = ALIASES.get(option, option)
        if proper in RESERVED:
            instead = f"use the field {RESERVED[proper]!r}" if RESERVED[proper] else "the plan sets it"
            raise entry.error(f"docker.{option} cannot be given: {instead}", "docker", (option,))
    for label in options.get("labels") or {}:
        if label.startswith(f"{COLLECTION}."):
            raise entry.error(f"docker.labels: {label} is a label that the plan sets", "docker", ("labels", label))
    named = {ALIASES.get(option, option): value for option, value in options.items()}
    # What the plan adds to is to be of the same types.
    own = {option: option_values.mapping(named[option]) for option in ("labels", "etc_hosts") if named.get(option)}
    return {**named, **own}


def _as_known(entry: Entry, me: endpoints.Endpoint) -> endpoints.Endpoint:
    """A shared replica as every deployment knows it, whatever its container is called in this profile."""
    return replace(me, slot=replace(me.slot, container=entry.origin[1])) if is_shared(me.slot.replica) else me


def _labels(slot: Slot, deployment: str) -> dict[str, str]:
    return {
        COLLECTION_LABEL: COLLECTION,
        DEPLOYMENT_LABEL: deployment,
        CONTAINER_LABEL: slot.container,
        REPLICA_LABEL: slot.replica,
    }


def _secret_label(secrets: Sequence[str]) -> dict[str, str]:
    """The names of a container's secrets: who reads its logs takes their values from it, to keep them out."""
    return {SECRETS_LABEL: " ".join(sorted(secrets))} if secrets else {}


def spec_hash(task: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of a task's canonical JSON, but for the label that holds this hash."""
    labels = {label: value for label, value in task["labels"].items() if label != SPEC_LABEL}
    return digest({**task, "labels": labels})


def _host_address(me: endpoints.Endpoint, fleet: Fleet) -> str | None:
    return fleet.address_or_none(me.slot.host) if me.on_host_network and me.ports else None


def _warnings(me: endpoints.Endpoint) -> list[str]:
    if me.on_host_network and me.ports:
        return [
            f"{me.slot.replica} is on the host network of {me.slot.host}: it binds its ports on every address it likes"
        ]
    return []
