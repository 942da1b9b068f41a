# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Files that a profile ships and paths of the host that it mounts."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.profile import Entry

LARGEST_FILE = 1024 * 1024
SCRIPT_ROOT = "/profile"


@dataclass(frozen=True)
class ShippedFile:
    """A file of the profile as it will lie on a host; ``dest`` holds its content's hash."""

    path: str
    sha256: str
    mode: str
    dest: str
    data: bytes

    def containing(self, data: bytes) -> ShippedFile:
        """A file of the same name with other content."""
        digest = hashlib.sha256(data).hexdigest()
        home, name = self.dest.rsplit("/", 2)[0], self.dest.rpartition("/")[2]
        return replace(self, sha256=digest, dest=f"{home}/{digest}/{name}", data=data)

    @cached_property
    def as_share(self) -> dict[str, str]:
        """The form in which it travels in a plan: content is base64 of zlib."""
        content = base64.b64encode(zlib.compress(self.data, 9)).decode("ascii")
        return {"path": self.path, "sha256": self.sha256, "mode": self.mode, "dest": self.dest, "content": content}


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

    def host_path(self, inside: str) -> str | None:
        """Where a path inside the container lies on the host; None when it is not below this bind mount."""
        if not self.source.startswith("/"):
            return None
        try:
            relative = PurePosixPath(inside).relative_to(self.target)
        except ValueError:
            return None
        return str(PurePosixPath(self.source) / relative)


@dataclass(frozen=True)
class Shipper:
    """Ships files of the profile to ``files_dir`` on the hosts, and reads each of them once for all replicas."""

    files_dir: str
    _shipped: dict[tuple[Path, str, bool], ShippedFile] = field(default_factory=dict, init=False, repr=False)

    def ship(self, entry: Entry, field: str, relative: str, executable: bool = False) -> ShippedFile:
        """A file of the profile. ProfileError when it leads out, is missing, or is too large."""
        key = (entry.origins[field].root, relative, executable)
        if key not in self._shipped:
            self._shipped[key] = _ship(entry, field, relative, self.files_dir, executable)
        return self._shipped[key]


def _ship(entry: Entry, field: str, relative: str, files_dir: str, executable: bool) -> ShippedFile:
    name = relative.removeprefix("./")
    generated = entry.generated(field, relative)
    if generated is not None:
        digest = hashlib.sha256(generated).hexdigest()
        return ShippedFile(name, digest, "0644", f"{files_dir}/{digest}/{name.rpartition('/')[2]}", generated)
    path = entry.file(field, relative)
    if not path.is_file():
        raise entry.error(
            f"{relative!r} is not a file: list its files one by one, or give an absolute path on the host", field
        )
    data = _read(entry, field, path)
    digest = hashlib.sha256(data).hexdigest()
    mode = "0755" if executable or os.access(path, os.X_OK) else "0644"
    return ShippedFile(name, digest, mode, f"{files_dir}/{digest}/{path.name}", data)


def _read(entry: Entry, field: str, path: Path) -> bytes:
    if path.stat().st_size > LARGEST_FILE:
        raise entry.error(
            f"{path.name!r} is larger than {LARGEST_FILE} bytes: put it on the hosts and give its absolute path", field
        )
    return path.read_bytes()


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
        return Mount(shipped.dest, target, mode or "ro", shipped)
    return Mount(source, target, mode, create=volume.get("create", False))


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
