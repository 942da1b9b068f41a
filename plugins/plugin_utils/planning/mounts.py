# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is mounted into a container: files of the profile, paths of the host, volumes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.planning.shipped_files import ShippedFile, Shipper
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry

SCRIPT_ROOT = "/profile"


@dataclass(frozen=True)
class Mount:
    """What is mounted at ``target``. ``shipped`` is set when the source is a file of the profile.

    ``mode`` is that of ``SOURCE:TARGET:MODE``. ``create``: the engine makes a source that is missing. ``driver`` is
    given for a volume that has one of its own; ``size`` (bytes) and ``permissions`` (octal) are of a tmpfs.
    """

    source: str
    target: str
    mode: str
    shipped: ShippedFile | None = None
    kind: str = "bind"
    create: bool = False
    external: bool = False
    driver: Mapping[str, Any] | None = None
    size: int | None = None
    permissions: str | None = None

    @property
    def as_volume(self) -> str | None:
        """For docker_container's ``volumes``, SOURCE:TARGET[:MODE]; None where that cannot say it."""
        if self.kind == "tmpfs" or self.driver is not None:
            return None
        return ":".join(part for part in (self.source, self.target, self.mode) if part)

    @property
    def as_mount(self) -> dict[str, Any] | None:
        """For docker_container's ``mounts``, where ``volumes`` cannot say it."""
        if self.as_volume is not None:
            return None
        flags = self.mode.split(",")
        option = {
            "type": self.kind,
            "target": self.target,
            "source": self.source or None,
            "read_only": "ro" in flags,
            "no_copy": True if "nocopy" in flags else None,
            "tmpfs_size": None if self.size is None else str(self.size),
            "tmpfs_mode": self.permissions,
            **(self.driver or {}),
        }
        return {key: value for key, value in option.items() if value is not None}

    def below(self, inside: str) -> str | None:
        """A path inside the container relative to this mount (``.``: the mount itself); None when it is not in it."""
        try:
            return str(PurePosixPath(inside).relative_to(self.target))
        except ValueError:
            return None


@dataclass(frozen=True)
class NamedVolumes:
    """The named volumes of a deployment; ``declared`` is the profile's own list of them, if it has one."""

    deployment: str
    declared: Mapping[str, Mapping[str, Any]] | None = None

    def mount(self, entry: Entry, name: str, target: str, mode: str) -> Mount:
        """The mount of a named volume. ProfileError for one that the profile's list does not have."""
        if self.declared is not None and name not in self.declared:
            raise entry.error(f"{name!r} is not in the profile's list of 'volumes', which has all of them", "volumes")
        volume = (self.declared or {}).get(name, {})
        if volume.get("external"):
            return Mount(name, target, mode, kind="volume", external=True)
        driver = {"volume_driver": volume.get("driver", "local"), "volume_options": volume.get("driver_options")}
        special = bool(driver["volume_options"]) or driver["volume_driver"] != "local"
        if special and not set(mode.split(",")) <= {"", "ro", "rw", "nocopy"}:
            raise entry.error(f"{mode!r} is not for {name!r}, which has a driver or options of its own", "volumes")
        return Mount(f"{self.deployment}-{name}", target, mode, kind="volume", driver=driver if special else None)


def mounts(entry: Entry, volumes: Sequence[Mapping[str, Any]], shipper: Shipper, named: NamedVolumes) -> list[Mount]:
    """The mounts of ``volumes`` (canonical). ProfileError for what is mounted twice."""
    made = [_mount(entry, volume, shipper, named) for volume in volumes]
    targets = [mount.target for mount in made]
    for target in targets:
        if targets.count(target) > 1:
            raise entry.error(f"{target} is mounted twice", "volumes")
    return made


def _mount(entry: Entry, volume: Mapping[str, Any], shipper: Shipper, named: NamedVolumes) -> Mount:
    if volume["type"] == "tmpfs":
        mode = "ro" if volume["read_only"] else ""
        return Mount("", volume["target"], mode, kind="tmpfs", size=volume.get("size"), permissions=volume.get("mode"))
    source, target, mode = volume["source"], volume["target"], volume["mode"]
    if volume["type"] == "volume":
        return named.mount(entry, source, target, mode)
    if source.startswith("./"):
        shipped = shipper.ship(entry, "volumes", source)
        flags = [flag for flag in mode.split(",") if flag not in ("", "ro", "rw")]
        return Mount(shipped.dest, target, ",".join(["ro", *flags]), shipped)
    return Mount(source, target, mode, create=volume.get("create", False))


def at(binds: Iterable[Mount], inside: str) -> Mount | None:
    """The mount in which a path inside the container lies; None when it lies in the image."""
    found = [mount for mount in binds if mount.below(inside) is not None]
    return max(found, key=lambda mount: len(PurePosixPath(mount.target).parts), default=None)


def script(entry: Entry, entrypoint: Sequence[str], shipper: Shipper) -> tuple[list[str], list[Mount]]:
    """The entrypoint with a ``./`` script replaced by where it is mounted, and that mount."""
    if not entrypoint or not entrypoint[0].startswith("./"):
        return list(entrypoint), []
    shipped = shipper.ship(entry, "entrypoint", entrypoint[0], executable=True)
    target = f"{SCRIPT_ROOT}/{shipped.path}"
    return [target, *entrypoint[1:]], [Mount(shipped.dest, target, "ro", shipped)]


def path_checks(container: str, binds: Sequence[Mount]) -> list[dict[str, Any]]:
    """The host paths and volumes that must be there before the container starts."""
    return [
        {
            "kind": "volume" if mount.external else "path",
            "path": mount.source,
            "container": container,
            "field": "volumes",
            "model": None,
        }
        for mount in binds
        if mount.external or (mount.source.startswith("/") and mount.shipped is None and not mount.create)
    ]
