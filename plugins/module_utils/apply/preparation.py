# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""Prepare a host for its share: the record first, then networks, files, images and volumes; orphans go."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.apply import networks
from ansible_collections.retail.profiles.plugins.module_utils.apply.removal import remove_container, remove_path
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import (
    COLLECTION,
    COLLECTION_LABEL,
    DEPLOYMENT_LABEL,
)
from ansible_collections.retail.profiles.plugins.module_utils.container.drift import Difference
from ansible_collections.retail.profiles.plugins.module_utils.container.options import same
from ansible_collections.retail.profiles.plugins.module_utils.deployment import files
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Order, ReplicaTask, ShippedFile
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import (
    Record,
    StateDir,
    labelled,
    named_volumes,
    owns_container,
    owns_thing,
    planned,
)
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, Listed, listed

#: images that are looked at, or pulled, at the same time
_IMAGES_AT_ONCE = 4


class Ground:
    """What one call finds on the host and makes of it, before any replica. In check mode nothing is made.

    *old* is the record as it was found: it says what is ours. *record* is the one that the call has written.
    """

    def __init__(self, order: Order, engine: Engine) -> None:
        self.order = order
        self.deployment = order.name
        self.engine = engine
        self.state = StateDir(order.state_dir)
        problem = self.state.check()
        if problem:
            raise ProfileError(problem)
        self.old: Optional[Record] = self.state.load(self.deployment)
        self.record: Record = planned(self.old, order)
        self.containers: dict[str, Listed] = {}
        self.network_ids: dict[str, str] = {}
        self.rewritten: frozenset[str] = frozenset()
        self.images: dict[str, dict[str, Any]] = {}
        self.image_errors: dict[str, str] = {}
        self.pulled: list[str] = []
        self.found: list[Difference] = []
        self.removed: list[str] = []
        self.warnings: list[str] = []

    @cached_property
    def secret_key(self) -> bytes:
        """The key of this host and deployment for digests of secrets. In check mode none is made."""
        return self.state.secret_key(self.deployment, make=not self.order.check)

    @property
    def changed(self) -> bool:
        return bool(self.found or self.removed or self.pulled)

    def prepare(self) -> None:
        """Do all of it. Raises ProfileError for what concerns the whole host; images fail one by one."""
        stale = self._stale()
        self.containers = listed(self.engine.containers())
        self.save(self.record)
        self._networks()
        self._files(stale)
        self._images()
        self._volumes()
        self._orphans()

    def save(self, record: Record) -> None:
        """Make *record* the record of the deployment, written only where it says something new."""
        self.record = record
        if not self.order.check and record != self.state.load(self.deployment):
            self.state.save(record)

    def owns(self, item: Listed) -> bool:
        return owns_container(self.old, self.deployment, item.name, item.id, item.labels)

    # -- networks

    def _networks(self) -> None:
        share = self.order.share
        if not share.networks and not any(task.values.get("networks") for task in share.replicas):
            return
        existing = self.engine.networks()
        self.network_ids = {item["Name"]: item["Id"] for item in existing}
        for network in share.networks:
            networks.check_options(network)
            self.found += self._network(network, networks.find(existing, str(network["name"])))

    def _network(self, network: Mapping[str, Any], actual: Optional[Mapping[str, Any]]) -> list[Difference]:
        name = str(network["name"])
        if actual is None:
            found = [Difference(f"network {name}", None, "created")]
        else:
            recorded = self.old.networks if self.old is not None else None
            if not owns_thing(recorded, self.deployment, name, actual.get("Labels")):
                raise ProfileError(networks.FOREIGN, field=f"network {name}")
            found = networks.network_differences(network, actual)
        if found and not self.order.check:
            if actual is not None:
                networks.release(self.engine, name, self.owns)
                self.engine.remove_network(actual["Id"])
            self.network_ids[name] = self.engine.create_network(networks.create_request(network))
        return found

    # -- files, images, volumes

    def _stale(self) -> list[ShippedFile]:
        """Files to be written. Raises MissingFiles, before anything is made, where one of them did not come along."""
        stale = files.stale(self.order.share.files, seal=not self.order.check)
        missing = [item for item in stale if item.dest not in self.order.archives]
        if missing and not self.order.check:
            raise files.MissingFiles(missing)
        return stale

    def _files(self, stale: Sequence[ShippedFile]) -> None:
        self.rewritten = frozenset(item.dest for item in stale)
        if not self.order.check:
            files.install(stale, self.order.archives, self.state, self.deployment)
        self.found += [Difference(f"file {item.path}", None, item.sha256) for item in stale]

    def sweep_files(self) -> None:
        """Remove files of the deployment that neither this share nor any container on the host uses."""
        home = self.state.files(self.deployment)
        kept = [item.dest for item in self.order.share.files]
        if self.order.check or not files.unused(home, kept, ()):
            return
        mounted = [mount["Source"] for item in self.engine.containers() for mount in item.get("Mounts") or ()]
        for name in files.unused(home, kept, (source for source in mounted if source.startswith(home + "/"))):
            remains = remove_path(os.path.join(home, name))
            if remains:
                self.warnings.append(f"a file that is not used any more cannot be removed: {remains}")
            elif not name.startswith(".") and not name.endswith(files.SEAL):
                self.found.append(Difference(f"file {name}", "not used any more", None))
        left = [dest for dest in self.record.files if os.path.lexists(dest)]
        self.save(replace(self.record, files=tuple(left)))

    def _images(self) -> None:
        tasks = first_of_each_image(self.order.share.replicas)
        if len(tasks) == 1:
            self._image(tasks[0])
        elif tasks:
            with ThreadPoolExecutor(max_workers=_IMAGES_AT_ONCE) as pool:
                list(pool.map(self._image, tasks))

    def _image(self, task: ReplicaTask) -> None:
        name = task.image
        try:
            image = self.engine.image(name)
            wants_pull = task.pull == "always" or (image is None and task.pull == "missing")
            if wants_pull and self.order.check:
                self.pulled += [name] if image is None else []
            elif wants_pull:
                before, image = image, self._pulled(name)
                self.pulled += [name] if before is None or before["Id"] != image["Id"] else []
        except EngineError as error:
            self.image_errors[name] = missing_image(name, error.message)
            return
        if image is not None:
            self.images[name] = image
        elif task.pull == "never":
            self.image_errors[name] = missing_image(name, "its pull policy is never")

    def _pulled(self, name: str) -> dict[str, Any]:
        self.engine.pull(name)
        image = self.engine.image(name)
        if image is None:
            raise EngineError("it was pulled, and is gone again")
        return image

    def _volumes(self) -> None:
        labels = {COLLECTION_LABEL: COLLECTION, DEPLOYMENT_LABEL: self.deployment}
        volumes: dict[str, dict[str, Any]] = {}
        for task in self.order.share.replicas:
            volumes.update(named_volumes(task.values))
        for name, options in sorted(volumes.items()):
            actual = self.engine.volume(name)
            if actual is not None:
                self._keep_volume(name, options, actual)
            else:
                self.found.append(Difference(f"volume {name}", None, "created"))
                if not self.order.check:
                    made_with = {**options.get("Labels", {}), **labels}
                    self.engine.create_volume({"Name": name, **options, "Labels": made_with})

    def _keep_volume(self, name: str, options: Mapping[str, Any], actual: Mapping[str, Any]) -> None:
        """A volume of ours cannot become another without losing its data: that is not for us to decide."""
        wanted = {"Driver": options.get("Driver") or "local", "Options": options.get("DriverOpts") or {}}
        if labelled(actual.get("Labels"), self.deployment) and not same(
            wanted, {key: actual.get(key) for key in wanted}
        ):
            raise ProfileError(
                f"the volume has the driver {actual.get('Driver')} and the options {actual.get('Options') or {}} "
                "now: to make it anew, and lose what it holds, remove the deployment first (stop_profile.yml)",
                field=f"volume {name}",
            )

    # -- orphans

    def _orphans(self) -> None:
        """Containers of ours that the plan does not have on this host (any more)."""
        if self.order.expected is None:
            return
        orphans = [
            item
            for item in self.containers.values()
            if item.name not in self.order.expected and self.owns(item) and not self._renamed(item)
        ]
        self.removed = sorted(item.name for item in orphans)
        if orphans and not self.order.check:
            with ThreadPoolExecutor(max_workers=self.order.concurrency) as pool:
                list(pool.map(lambda item: remove_container(self.engine, item.id, item.state), orphans))
            for name in self.removed:
                del self.containers[name]
            kept = {name: made for name, made in self.record.replicas.items() if name not in self.removed}
            self.save(replace(self.record, replicas=kept))

    def _renamed(self, item: Listed) -> bool:
        """A replica of this share under another name: it is taken care of with its replica."""
        made = {made.id: name for name, made in (self.old.replicas if self.old else {}).items()}
        return made.get(item.id) in {task.name for task in self.order.share.replicas}


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
