# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the replicas of a plan: renders their fields, makes their tasks, and gathers what goes with these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from ansible_collections.retail.profiles.plugins.module_utils.common.names import is_shared
from ansible_collections.retail.profiles.plugins.module_utils.container import option_values
from ansible_collections.retail.profiles.plugins.plugin_utils.placement import shared_containers, together
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.exclusive import Uses
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.fleet import Fleet
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.place import Slot
from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import PlanSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import (
    endpoints,
    environment,
    hardware,
    model_server,
    mounts,
    probes,
    secrets,
    shipped_files,
    task,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.networks import Attachment, Networks
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.replica import (
    Around,
    Contents,
    Owner,
    PlannedReplica,
    Rendered,
    Value,
    Wired,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry, Profile, Render
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import host_paths
from ansible_collections.retail.profiles.plugins.plugin_utils.text import command_line

Made = TypeVar("Made")
# The fields that Contents is made of.
_CONTENTS = ("image", "server", "entrypoint", "args", "volumes", "ports")
# So many models are named in an error.
_SHOWN = 5
# Those that say which hardware is asked for.
_ASKED = ("image", "server", *hardware.FIELDS)


class Builder:
    """Builds the replicas of one plan. What is the same for all replicas of a container is made once."""

    def __init__(self, profile: Profile, settings: PlanSettings, fleet: Fleet, render: Render) -> None:
        self.profile = profile
        self._names = frozenset(entry.name for entry in profile.entries)
        self._together = {entry.name: together.of(entry, self._names) for entry in profile.entries}
        self._owners: dict[str, Owner] = {}
        self.settings = settings
        self.fleet = fleet
        self.render = render
        self.hardware = hardware.Hardware(fleet)
        self._made: dict[tuple[str, Callable[..., Any], tuple[str | None, ...]], Any] = {}

    def endpoint(self, entry: Entry, slot: Slot) -> endpoints.Endpoint:
        """What the replica listens on, from the fields that need no peers."""
        value = self._values(entry, slot, {})
        networks = self._owner(slot).networks
        attachments = self._once(entry, ("networks",), self._attachments, value, networks.deployment)
        networks.check_addresses(entry, slot, attachments)
        fixed, shares = "host_ports" in value("exclusive"), self._together[entry.name]
        return endpoints.Endpoint(slot, attachments, value("ports"), fixed, shares)

    def uses(self, entry: Entry, host: str) -> Uses:
        """The devices and host ports that a replica of the container takes on a host, as far as fields say."""
        slot = Slot(f"{self.settings.deployment}-{entry.name}-1", entry.name, 1, host, "", 0)
        value = self._values(entry, slot, {})
        asked = self._once(entry, _ASKED, self._asked, value)
        models: tuple[str, ...] = ()
        if not any("peers" in repr(entry.raw.get(name)) for name in _CONTENTS):  # which are not known before placement
            device = self.hardware.name_inside(asked.target_device, host)
            value = self._values(entry, slot, {}, device)
            owner = self._owner(slot).deployment
            models = self._once(entry, _CONTENTS, self._contents, value, owner, device).devices
        options = value("docker")
        devices = [str(device).partition(":")[0] for device in options.get("devices", [])]
        devices += self.hardware.grant(asked, models, host).nodes
        published = option_values.ports(options.get("published_ports", []))
        bound = {int(item["HostPort"]) for items in published.values() for item in items if item["HostPort"].isdigit()}
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

    def build(self, entry: Entry, endpoint: endpoints.Endpoint, around: Around) -> PlannedReplica:
        """The planned replica. Raises ProfileError for a field that cannot be rendered or is not valid."""
        rendered = self._render(entry, endpoint, around)
        made = task.task(rendered)
        secrets.check_places(entry, rendered.env.secrets, made)
        return self._replica(rendered, made)

    def _render(self, entry: Entry, endpoint: endpoints.Endpoint, around: Around) -> Rendered:
        """What the fields say of one replica, and what they come to on its host."""
        host, fleet = endpoint.slot.host, self.fleet
        owner, identity = self._owner(endpoint.slot), _identity(entry, endpoint.slot)
        # The target device is asked for first: the other fields may name it as it is called in the container.
        asked = self._once(entry, _ASKED, self._asked, self._values(entry, identity, around.peers))
        device = self.hardware.name_inside(asked.target_device, host)
        value = self._values(entry, identity, around.peers, device)
        contents = self._once(entry, _CONTENTS, self._contents, value, owner.deployment, device)
        given = self.hardware.grant(asked, contents.devices, host)
        wired = _wired(owner, entry, endpoint, identity)
        return Rendered(
            entry=entry,
            endpoint=endpoint,
            around=around,
            identity=identity,
            owner=owner,
            value=value,
            asked=asked,
            given=given,
            contents=contents,
            image=self.settings.images.get(contents.image, contents.image),
            docker=together.as_replicas(
                self._once(entry, ("docker",), task.passed_through, value),
                lambda name: self._beside(entry, around, name, "it shares namespaces or volumes of", "docker"),
            ),
            env=given.over(
                self._once(entry, ("env_file", "env"), self._environment, value, self._counted_on(endpoint.slot))
            ),
            wired=self._joined(entry, endpoint, wired, around),
            address=fleet.address(host, entry.name) if around.published else _host_address(endpoint, fleet),
        )

    def _replica(self, rendered: Rendered, made: dict[str, Any]) -> PlannedReplica:
        """The replica with its task, and what is checked, shipped and waited for on its host."""
        entry, endpoint, around = rendered.entry, rendered.endpoint, rendered.around
        slot, value, contents, given = endpoint.slot, rendered.value, rendered.contents, rendered.given
        model_server.check_metrics(entry, value("metrics"), contents.prometheus)
        stand_in = self.fleet.stand_in_for(slot.host, rendered.image)
        return PlannedReplica(
            slot=slot,
            endpoint=endpoint,
            wave=around.wave,
            image=contents.image,
            task=made,
            env_from=rendered.env.sources,
            secrets=rendered.env.secrets,
            pull=value("pull") or self.settings.pull,
            image_id=self.fleet.image_id(slot.host, rendered.image),
            address=rendered.address,
            ports=dict(endpoint.ports) if endpoint.on_host_network else dict(around.published),
            measured=value("measured"),
            peers=around.peers,
            depends_on=[needed.slot.replica for needed in around.needs],
            ready=probes.own(entry, value("ready"), slot.replica, endpoint.ports, contents.served),
            reach=_reach(rendered),
            prometheus=contents.prometheus,
            metrics=value("metrics"),
            networks=rendered.wired.made,
            files=contents.files,
            paths=[*contents.paths, *rendered.wired.found, *given.path_checks(slot.container)],
            stand_in=f"{rendered.image} for {stand_in}" if stand_in else None,
            ovms=contents.server is not None,
            models=contents.models,
            asked=rendered.asked,
            problems=[entry.error(_asked_by(rendered, *what), what[0], host=slot.host) for what in given.missing],
            warnings=[
                *_warnings(endpoint),
                *rendered.owner.networks.check_reach(entry, endpoint, around.published, list(around.peers.values())),
                *around.remarks,
                *rendered.env.warnings,
                *_open_keys(rendered),
                *_not_shared(rendered),
                *(f"{slot.replica}: {warning}" for warning in contents.warnings),
            ],
        )

    def _owner(self, slot: Slot) -> Owner:
        """The deployment to which a replica belongs."""
        deployment = shared_containers.owner(slot, self.settings.deployment)
        if deployment not in self._owners:
            self._owners[deployment] = Owner(
                deployment,
                mounts.NamedVolumes(deployment, self.profile.volumes),
                Networks(deployment, self.profile.networks),
                shipped_files.Shipper(f"{self.settings.state_dir}/deployments/{deployment}/files"),
            )
        return self._owners[deployment]

    def variables(self, slot: Slot) -> Mapping[str, Any]:
        """What templates of a replica know before it is known whom it dials."""
        return {**_variables(slot, self.fleet, {}, None), "host_paths": {}}

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
                        variables,
                        self.settings.interpolated,
                        self.settings.state_dir,
                        self.render,
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
        # Arguments may name the device that is asked for here: they are looked at as they are written.
        entrypoint, args = (_as_written(entry.raw.get(name)) for name in ("entrypoint", "args"))
        server = command_line.server(value("image"), entrypoint, args, value("server"))
        return hardware.wanted(entry, self.settings, value, server is not None)

    def _contents(self, entry: Entry, value: Value, deployment: str, device: str | None) -> Contents:
        owner = self._owners[deployment]
        image, args = value("image"), value("args")
        entrypoint, script = mounts.script(entry, value("entrypoint"), owner.shipper)
        binds = [*mounts.mounts(entry, value("volumes"), owner.shipper, owner.named), *script]
        served: model_server.Served | None = None
        own_devices: tuple[str, ...] = ()
        warnings = [*_unsplit(value("entrypoint"), args), *_not_mounted(entry, value("entrypoint")[1:], args)]
        paths: list[dict[str, Any]] = []
        server = command_line.server(image, entrypoint, args, value("server"))
        if server is not None:
            model_server.check(entry, server, (entrypoint, args), binds)
            model_server.check_ready(entry, server, value("ready"))
            model_server.check_ports(entry, server, value("ports"))
            served = model_server.models(server, binds)
            paths = model_server.model_checks(entry, server, served, binds)
            (entrypoint, args), binds, elsewhere = model_server.on_device(
                entry, server, (entrypoint, args), binds, device
            )
            warnings += elsewhere
            warnings += model_server.warnings(served, binds)
        if served is not None:
            own_devices, unknown = hardware.own_devices(served.devices_beside(device))
            warnings += unknown
        return Contents(
            image=image,
            entrypoint=entrypoint,
            args=args,
            volumes=[bind.as_volume for bind in binds if bind.as_volume],
            other_mounts=[bind.as_mount for bind in binds if bind.as_mount],
            server=server,
            served=served,
            files=[bind.shipped for bind in binds if bind.shipped],
            paths=[*mounts.path_checks(entry.name, binds), *paths],
            prometheus=model_server.scrape_target(server, binds, value("ports")),
            models=served.planned(device) if served else {},
            devices=own_devices,
            warnings=warnings,
        )

    def _attachments(self, entry: Entry, value: Value, deployment: str) -> tuple[Attachment, ...]:
        return self._owners[deployment].networks.attachments(entry, value("networks"))

    def _counted_on(self, slot: Slot) -> str:
        """The host whose streams are counted by themselves; empty where all are counted together."""
        streams = self.settings.streams
        return slot.host if streams is not None and streams.hosts is not None else ""

    def _environment(self, entry: Entry, value: Value, host: str) -> environment.Environment:
        streams = self.settings.streams.variables(entry.name, host) if self.settings.streams is not None else {}
        own, settings = value("env"), self.settings
        above = settings.env
        if entry.own_env and not settings.env_wins:
            above = {name: given for name, given in settings.env.items() if name not in own}
        secret = [*value("secret_env"), *value("secret_files")]
        return environment.collect(entry, value("env_file"), own, secret, above, streams, settings.interpolated)

    def _joined(self, entry: Entry, endpoint: endpoints.Endpoint, wired: Wired, around: Around) -> Wired:
        """Its networks; where that is the network of a container of the profile, by the name of a replica of it."""
        if endpoint.joins is None:
            return wired
        server = self._beside(entry, around, endpoint.joins, "it joins the network of", "networks")
        return replace(wired, options={**wired.options, "network_mode": f"container:{server}"})

    def _beside(self, entry: Entry, around: Around, name: str, shares: str, field: str) -> str:
        """Docker's name of the container that a replica shares with; of one that is not the profile's its own."""
        if name not in self._names:
            return name
        server = next((need.slot.replica for need in around.needs if need.slot.container == name), None)
        if server is None:
            raise entry.error(f"{shares} {name}, which must run first: add depends_on: [{name}]", field)
        return server


def _unsplit(entrypoint: Sequence[str], args: Sequence[str]) -> list[str]:
    """A warning where a command is a list of one word that holds blanks: Docker takes it for the name of a program."""
    field, words = ("entrypoint", entrypoint) if entrypoint else ("args", args)
    whole = words[0].split() if words and (entrypoint or len(words) == 1) else []
    if len(whole) < 2 or whole[0].startswith(("-", "./")):
        return []
    return [f"{field}: {words[0]!r} is one word: write [{', '.join(whole)}], or all as one text without the brackets"]


def _not_mounted(entry: Entry, entrypoint: Sequence[str], args: Sequence[str]) -> list[str]:
    """A warning for each file of a profile of our own that a command names, and the container does not have."""
    return [
        f"{field}: {word} is not mounted, although the profile has it: only the first word of an entrypoint is; "
        f"add it to volumes, {word}:/PATH:ro, and name that path"
        for field, words in (("entrypoint", entrypoint), ("args", args))
        for word in words
        if word.startswith("./") and not entry.is_foreign(field) and entry.has_file(field, word)
    ]


def _as_written(raw: Any) -> list[str]:
    """The words of a field as far as they are written in it."""
    return [str(word) for word in (raw if isinstance(raw, list) else [raw] if raw is not None else [])]


def _identity(entry: Entry, slot: Slot) -> Slot:
    """The slot of a shared replica as every deployment knows it, whatever its container is called in this profile."""
    return replace(slot, container=entry.origin[1]) if is_shared(slot.replica) else slot


def _not_shared(rendered: Rendered) -> list[str]:
    """A warning where a container joins the IPC namespace of one that does not say that it may be joined."""
    joined = str(rendered.docker.get("ipc_mode") or "").partition("container:")[2]
    return [
        f"{rendered.endpoint.slot.replica}: engines keep the IPC namespace of {joined} for itself unless it has "
        f"ipc_mode: shareable (in Compose ipc: shareable)"
        for need in rendered.around.needs
        if need.slot.replica == joined and need.task.get("ipc_mode") not in ("shareable", "host")
    ]


def _asked_by(rendered: Rendered, field: str, missing: str) -> str:
    """What a host lacks; and where models ask for it and not the field, which."""
    served, device = rendered.contents.served, rendered.asked.target_device
    if field != "target_device" or served is None or device is not None:
        return missing
    named = [
        f"{one.name} is put on {one.device} by {one.graph_path or served.source}"
        for one in served.servables
        if one.device
    ]
    return "; ".join([missing, *named[:_SHOWN]])


def _open_keys(rendered: Rendered) -> list[str]:
    """A warning for each key of a model server that stands in the open."""
    keys = [name for name in model_server.SECRETS if name in rendered.env.values] if rendered.contents.server else []
    where = f"{rendered.endpoint.slot.replica}"
    return [f"{where}: {name} is a key, and stands in the plan: give it in secret_env" for name in keys]


def _wired(owner: Owner, entry: Entry, endpoint: endpoints.Endpoint, identity: Slot) -> Wired:
    """The networks of a replica; worked out once where the field holds no template."""
    wired = owner.wires.get(entry.name)
    if wired is None or "networks" in entry.templated:
        known, networks = replace(endpoint, slot=identity), owner.networks
        wired = Wired(networks.as_options(known), networks.to_make(known), networks.to_find(known))
        owner.wires[entry.name] = wired
    return wired


def _reach(rendered: Rendered) -> list[dict[str, Any]]:
    """The probes by which this replica's host sees what the replica depends on."""
    around, endpoint, contents = rendered.around, rendered.endpoint, rendered.contents
    texts = [*rendered.env.values.values(), *contents.entrypoint, *contents.args] if around.needs else []
    return [
        probe
        for needed in around.needs
        for probe in probes.reach(
            needed.ready,
            needed.endpoint.ports,
            around.peers[needed.slot.container],
            endpoint.shares_network(needed.endpoint),
            texts,
        )
    ]


def _variables(slot: Slot, fleet: Fleet, peers: Mapping[str, endpoints.Peer], device: str | None) -> dict[str, Any]:
    replica = {"name": slot.replica, "container": slot.container, "index": slot.index, "host": slot.host}
    if device is not None:
        replica["device"] = device
    dialled = {name: peer.as_variable() for name, peer in peers.items()}
    return {**fleet.variables.get(slot.host, {}), "replica": replica, "peers": dialled}


def _host_address(endpoint: endpoints.Endpoint, fleet: Fleet) -> str | None:
    return fleet.address_or_none(endpoint.slot.host) if endpoint.on_host_network and endpoint.ports else None


def _warnings(endpoint: endpoints.Endpoint) -> list[str]:
    if not (endpoint.on_host_network and endpoint.ports):
        return []
    slot = endpoint.slot
    return [f"{slot.replica} is on the host network of {slot.host}: it binds its ports on every address it likes"]
