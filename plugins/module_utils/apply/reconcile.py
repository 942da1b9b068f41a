# SPDX-License-Identifier: GPL-3.0-or-later
"""Observe a host, and decide (pure) what brings it to its order: a list of operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Callable, Optional, TypeVar

from ansible_collections.retail.profiles.plugins.module_utils.apply.operations import Kind, Operation, Verb
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import digest
from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import (
    Difference,
    can_update,
    create_request,
    differences,
)
from ansible_collections.retail.profiles.plugins.module_utils.container.options import same
from ansible_collections.retail.profiles.plugins.module_utils.deployment import files
from ansible_collections.retail.profiles.plugins.module_utils.deployment.lease import MustEnd
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, ReplicaTask, ShippedFile
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import (
    Made,
    Record,
    StateDir,
    labelled,
    named_volumes,
    owns_container,
    owns_thing,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, Listed, listed

#: options of docker_network -> field of the engine's network
_NETWORK_OPTIONS = {
    "driver": "Driver",
    "internal": "Internal",
    "attachable": "Attachable",
    "enable_ipv6": "EnableIPv6",
    "labels": "Labels",
    "driver_options": "Options",
}
_IPAM = {"subnet": "Subnet", "gateway": "Gateway", "iprange": "IPRange", "aux_addresses": "AuxiliaryAddresses"}

FOREIGN_NETWORK = (
    "a network of that name is on this host and is not ours: remove it, or choose another profile_deployment"
)
_MADE_ANEW = "another that is made now"
_FOREIGN = "a container of that name is on the host and is not ours: remove or rename it, or rename the deployment"
#: images that are looked at, or pulled, at the same time
IMAGES_AT_ONCE = 4
#: options that may name another container
_JOINING = ("network_mode", "ipc_mode", "pid_mode")

Inspect = Mapping[str, Any]
Item = TypeVar("Item")
Found = TypeVar("Found")


@dataclass(frozen=True)
class Images:
    """Images by name: those that are there as inspected, and why others are not and will not be."""

    found: Mapping[str, Inspect] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """One replica: what it is to be made from, and its container as inspected (None: there is none).

    *values* are its task's, with containers that it joins by their ids. *error*: why it cannot be looked at.
    """

    task: ReplicaTask
    values: Mapping[str, Any] = field(default_factory=dict)
    request: Mapping[str, Any] = field(default_factory=dict)
    inspect: Optional[Inspect] = None
    error: Optional[str] = None


@dataclass(frozen=True)
class Picture:
    """What a host has of what an order names; *stale*: files that are not as shipped."""

    order: Order
    record: Optional[Record] = None
    containers: Mapping[str, Listed] = field(default_factory=dict)
    networks: Mapping[str, Inspect] = field(default_factory=dict)
    images: Images = field(default_factory=Images)
    volumes: Mapping[str, Inspect] = field(default_factory=dict)
    stale: Sequence[ShippedFile] = ()
    unsealed: Mapping[str, str] = field(default_factory=dict)
    replicas: Sequence[Seen] = ()
    secret_key: bytes = b""

    def made(self, name: str) -> Made:
        """What the record has of a replica."""
        return (self.record.replicas if self.record else {}).get(name, Made())


def observe(order: Order, engine: Engine) -> Picture:
    """Look at all of it, at containers not for the state ``prepared``. Raises ProfileError for the whole host."""
    state = usable(order)
    share = order.share
    stale, unsealed = files.examine(share.files)
    containers = listed(engine.containers())
    record = state.load(order.name)
    networked = share.networks or any(task.values.get("networks") for task in share.replicas)
    picture = Picture(
        order=order,
        record=record,
        containers=containers,
        networks={item["Name"]: item for item in engine.networks()} if networked else {},
        images=look_at_images(share.replicas, engine),
        volumes={name: found for name in volumes_of(order) if (found := engine.volume(name)) is not None},
        stale=stale,
        unsealed=unsealed,
        secret_key=state.secret_key(order.name, make=False) if any(t.secrets for t in share.replicas) else b"",
    )
    if order.state == "prepared":
        return picture
    replicas = side_by_side(lambda task: _look(task, picture, engine), share.replicas, order.concurrency)
    return replace(picture, replicas=replicas)


def usable(order: Order) -> StateDir:
    state = StateDir(order.state_dir)
    problem = state.check()
    if problem:
        raise ProfileError(problem)
    return state


def side_by_side(work: Callable[[Item], Found], items: Sequence[Item], at_once: int) -> list[Found]:
    """What *work* makes of each item, so many at the same time."""
    if len(items) < 2:
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(len(items), at_once)) as pool:
        return list(pool.map(work, items))


def volumes_of(order: Order) -> dict[str, dict[str, Any]]:
    """The named volumes of a share, see :func:`named_volumes`."""
    found: dict[str, dict[str, Any]] = {}
    for task in order.share.replicas:
        found.update(named_volumes(task.values))
    return dict(sorted(found.items()))


# -- images


def look_at_images(tasks: Iterable[ReplicaTask], engine: Engine) -> Images:
    found: dict[str, Inspect] = {}
    errors: dict[str, str] = {}

    def look(task: ReplicaTask) -> None:
        try:
            image = engine.image(task.image)
        except EngineError as error:
            errors[task.image] = missing_image(task.image, error.message)
            return
        if image is not None:
            found[task.image] = image
        elif task.pull == "never":
            errors[task.image] = missing_image(task.image, "its pull policy is never")

    side_by_side(look, first_of_each_image(tasks), IMAGES_AT_ONCE)
    return Images(found, errors)


def first_of_each_image(tasks: Iterable[ReplicaTask]) -> list[ReplicaTask]:
    """One task for every image."""
    found: dict[str, ReplicaTask] = {}
    for task in tasks:
        found.setdefault(task.image, task)
    return list(found.values())


def missing_image(name: str, why: str) -> str:
    """One sentence for an image that is not there."""
    return (
        f"the image {name} is not on this host and cannot be had: {why}: "
        "build or seed it with prepare_hosts.yml, map it to another with profile_images, "
        "or check the name and the registry's login"
    )


# -- replicas


def _look(task: ReplicaTask, picture: Picture, engine: Engine) -> Seen:
    try:
        item = picture.containers.get(task.name)
        made = picture.made(task.name)
        if item is None and made.id is not None:
            # renamed by hand: still ours by its id
            item = next((other for other in picture.containers.values() if other.id == made.id), None)
        values = _with_ids(task.values, engine)
        inspect = engine.inspect(item.id) if item is not None else None
        return Seen(task, values, create_request(values, engine.api_version), inspect)
    except MustEnd:
        raise
    except ProfileError as error:
        return Seen(task, error=str(error))


def _with_ids(values: Mapping[str, Any], engine: Engine) -> Mapping[str, Any]:
    """*values* with the ids of containers that are joined, as the engine keeps them; names where there is none."""
    changes = {}
    for option, name in joined(values):
        other = engine.inspect(name)
        if other is not None:
            changes[option] = f"container:{other['Id']}"
    return {**values, **changes} if changes else values


def joined(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The options of a task that name another container, and that."""
    modes = [(option, str(values.get(option) or "").partition(":")) for option in _JOINING]
    return [(option, name) for option, (kind, colon, name) in modes if kind == "container" and colon]


# -- decide


def decide(picture: Picture) -> list[Operation]:
    """All but :func:`pulls`, in the order in which it is done. Raises ProfileError for what nobody here may change."""
    prepare = [*_networks(picture), *_files(picture), *_volumes(picture), *_orphans(picture)]
    ids = {name: str(item["Id"]) for name, item in picture.networks.items()}
    ids.update({one.name: _MADE_ANEW for one in prepare if one.kind == "network"})
    return [*prepare, *(replica(picture, seen, ids) for seen in picture.replicas)]


def pulls(tasks: Iterable[ReplicaTask], images: Images) -> list[Operation]:
    """Images to be pulled, first of all: what a replica differs in shows only when its image is here."""
    found = []
    for task in first_of_each_image(tasks):
        name = task.image
        if name in images.errors:
            continue
        if name not in images.found:
            found.append(_create("image", name))
        elif task.pull == "always":
            found.append(Operation("update", "image", name, reason="is always pulled"))
    return found


# -- what replicas need


def _create(kind: Kind, name: str) -> Operation:
    return Operation("create", kind, name, (Difference(f"{kind} {name}", None, "created"),))


def _networks(picture: Picture) -> Iterator[Operation]:
    for network in picture.order.share.networks:
        check_network(network)
        name = str(network["name"])
        actual = picture.networks.get(name)
        if actual is None:
            yield _create("network", name)
            continue
        recorded = picture.record.networks if picture.record is not None else None
        if not owns_thing(recorded, picture.order.name, name, actual.get("Labels")):
            raise ProfileError(FOREIGN_NETWORK, field=f"network {name}")
        found = network_differences(network, actual)
        if found:
            yield Operation("recreate", "network", name, tuple(found))


def _files(picture: Picture) -> Iterator[Operation]:
    for item in picture.stale:
        yield Operation("create", "file", item.dest, (Difference(f"file {item.path}", None, item.sha256),))


def _volumes(picture: Picture) -> Iterator[Operation]:
    for name, options in volumes_of(picture.order).items():
        actual = picture.volumes.get(name)
        if actual is None:
            yield _create("volume", name)
        elif labelled(actual.get("Labels"), picture.order.name):
            _check_volume(name, options, actual)


def _check_volume(name: str, options: Mapping[str, Any], actual: Inspect) -> None:
    """A volume of ours does not become another and lose its data."""
    wanted = {"Driver": options.get("Driver") or "local", "Options": options.get("DriverOpts") or {}}
    if not same(wanted, {key: actual.get(key) for key in wanted}):
        raise ProfileError(
            f"the volume has the driver {actual.get('Driver')} and the options {actual.get('Options') or {}} "
            "now: to make it anew, and lose what it holds, remove the deployment first (stop_profile.yml)",
            field=f"volume {name}",
        )


def _orphans(picture: Picture) -> Iterator[Operation]:
    expected = picture.order.expected
    own = {task.name for task in picture.order.share.replicas}
    renamed = {picture.made(name).id for name in own}  # they are taken care of with their replicas
    for name, item in sorted(picture.containers.items()):
        if expected is not None and name not in expected and item.id not in renamed and owns(picture, item):
            yield Operation("remove", "container", name, reason="does not belong on this host")


def owns(picture: Picture, item: Listed) -> bool:
    return owns_container(picture.record, picture.order.name, item.name, item.id, item.labels)


# -- replicas


def replica(picture: Picture, seen: Seen, network_ids: Mapping[str, str]) -> Operation:
    """What is to be done to one replica. *network_ids*: by name, as they will be."""
    name, inspect = seen.task.name, seen.inspect
    error = seen.error or picture.images.errors.get(seen.task.image)
    if error:
        return Operation("refuse", "container", name, reason=error)
    if inspect is None:
        return Operation("create", "container", name, reason="is not there")
    labels = (inspect.get("Config") or {}).get("Labels")
    if not owns_container(picture.record, picture.order.name, inspect["Name"].lstrip("/"), inspect["Id"], labels):
        return Operation("refuse", "container", name, reason=_FOREIGN)
    found = tuple(_differences(picture, seen, inspect, network_ids))
    return Operation(verb_of(inspect, found, seen.values), "container", name, found)


def verb_of(inspect: Inspect, found: Sequence[Difference], values: Mapping[str, Any]) -> Verb:
    """What to do with a container of ours in which *found* differs."""
    state = inspect.get("State") or {}
    if state.get("Dead") or state.get("Status") in ("removing", "dead"):
        return "recreate"
    if found:
        return "update" if can_update(values, (item.field for item in found)) else "recreate"
    if state.get("Paused"):
        return "unpause"
    # a container that its restart policy is just bringing back counts as running: starting it would be refused
    return "keep" if state.get("Running") or state.get("Restarting") else "start"


def _differences(
    picture: Picture, seen: Seen, inspect: Inspect, network_ids: Mapping[str, str]
) -> Iterator[Difference]:
    task, made = seen.task, picture.made(seen.task.name)
    image = picture.images.found.get(task.image)
    if image is None:
        yield Difference("image_id", inspect.get("Image"), f"{task.image}, to be pulled")
        return
    known = made.id == inspect["Id"] and made.request == made_from(picture.images, seen, picture.secret_key)
    for item in differences(seen.values, inspect, image, network_ids, name=task.name, live_only=known):
        if not known or made.dropped.get(item.field, item) != item.current:
            yield item
    for secret, current, desired in secret_env.differing(task.secrets, inspect, known):
        yield Difference(f"secret_env.{secret}", current, desired)
    for path in mounts_any(seen.values, (item.dest for item in picture.stale)):
        yield Difference(f"file {path}", "changed", "as shipped")


def mounts_any(values: Mapping[str, Any], paths: Iterable[str]) -> list[str]:
    """Those of *paths* (shipped files) that a task mounts."""
    sources = {item.partition(":")[0] for item in values.get("volumes") or ()}
    sources |= {mount.get("Source") for mount in values.get("mounts") or ()}
    return sorted(sources & set(paths))


def made_from(images: Images, seen: Seen, secret_key: bytes) -> str:
    secrets = secret_env.digest(seen.task.secrets, secret_key) if seen.task.secrets else ""
    return request_hash(seen.request, image_id(images, seen.task), secrets)


def request_hash(request: Mapping[str, Any], image: Optional[str], secrets: str = "") -> str:
    """The digest of a create request without secrets, its image, and the digest of its secrets."""
    return digest([request, image, secrets] if secrets else [request, image])


def image_id(images: Images, task: ReplicaTask) -> Optional[str]:
    image = images.found.get(task.image)
    return str(image["Id"]) if image is not None else None


# -- networks


def check_network(network: Mapping[str, Any]) -> None:
    """Raises ProfileError that names an option of docker_network that is not known here."""
    for option in network:
        if option not in {"name", "state", "ipam_config", "ipam_driver", *_NETWORK_OPTIONS}:
            raise ProfileError(
                f"the option {option} of docker_network is not known to profile_apply: "
                "remove it, or use profile_apply_with=docker_container",
                field=f"networks {network.get('name')}",
            )


def network_request(network: Mapping[str, Any]) -> dict[str, Any]:
    """The body of ``POST /networks/create`` for docker_network arguments."""
    request: dict[str, Any] = {"Name": network["name"], "Driver": "bridge"}
    for option, key in _NETWORK_OPTIONS.items():
        if network.get(option) is not None:
            request[key] = network[option]
    if network.get("ipam_config") or network.get("ipam_driver"):
        request["IPAM"] = {
            "Driver": network.get("ipam_driver") or "default",
            "Config": [_pool(item) for item in network.get("ipam_config") or ()],
        }
    return request


def _pool(item: Mapping[str, Any]) -> dict[str, Any]:
    return {_IPAM[key]: value for key, value in item.items() if value is not None and key in _IPAM}


def network_differences(network: Mapping[str, Any], actual: Mapping[str, Any]) -> list[Difference]:
    """What differs between docker_network arguments and a network of the engine."""
    found = []
    for option, key in _NETWORK_OPTIONS.items():
        desired, current = network.get(option), actual.get(key)
        if option == "driver":
            desired = desired or "bridge"
        elif option == "driver_options":
            # Engines add options of their own.
            desired, current = desired or {}, {key: (current or {}).get(key) for key in desired or {}}
        if not same(desired, current):
            found.append(Difference(f"{network['name']}.{option}", current, desired))
    pools = [_pool(item) for item in network.get("ipam_config") or ()]
    if pools:
        current = [
            {key: item.get(key) for key in pool}
            for pool, item in zip(pools, (actual.get("IPAM") or {}).get("Config") or ())
        ]
        if not same(pools, current):
            found.append(Difference(f"{network['name']}.ipam_config", current, pools))
    return found
