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
from collections.abc import Sequence
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
    """One bind mount or volume. ``shipped`` is set when the source is a file of the profile."""

    source: str
    target: str
    mode: str
    shipped: ShippedFile | None = None

    def as_option(self) -> str:
        """The docker_container form, SOURCE:TARGET[:MODE]."""
        return ":".join(part for part in (self.source, self.target, self.mode) if part)

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
    path = entry.file(field, relative)
    if not path.is_file():
        raise entry.error(
            f"{relative!r} is not a file: list its files one by one, or give an absolute path on the host", field
        )
    data = _read(entry, field, path)
    digest = hashlib.sha256(data).hexdigest()
    mode = "0755" if executable or os.access(path, os.X_OK) else "0644"
    name = relative.removeprefix("./")
    return ShippedFile(name, digest, mode, f"{files_dir}/{digest}/{path.name}", data)


def _read(entry: Entry, field: str, path: Path) -> bytes:
    if path.stat().st_size > LARGEST_FILE:
        raise entry.error(
            f"{path.name!r} is larger than {LARGEST_FILE} bytes: put it on the hosts and give its absolute path", field
        )
    return path.read_bytes()


def mounts(entry: Entry, volumes: Sequence[str], shipper: Shipper) -> list[Mount]:
    """The mounts of ``volumes``. ProfileError for what is not SOURCE:TARGET[:MODE]."""
    return [_mount(entry, volume, shipper) for volume in volumes]


def _mount(entry: Entry, volume: str, shipper: Shipper) -> Mount:
    source, *rest = volume.split(":")
    if not source or len(rest) not in (1, 2) or not rest[0].startswith("/"):
        raise entry.error(f"{volume!r} is not SOURCE:TARGET or SOURCE:TARGET:MODE with an absolute TARGET", "volumes")
    target, mode = rest[0], rest[1] if len(rest) == 2 else ""
    if source.startswith("./"):
        shipped = shipper.ship(entry, "volumes", source)
        if "rw" in mode.split(","):
            raise entry.error(f"{volume!r}: a file of the profile is mounted read-only", "volumes")
        return Mount(shipped.dest, target, mode or "ro", shipped)
    if source.startswith((".", "~")):
        raise entry.error(
            f"{volume!r}: a source is ./FILE of the profile, an absolute path, or a volume's name", "volumes"
        )
    return Mount(source, target, mode)


def script(entry: Entry, entrypoint: Sequence[str], shipper: Shipper) -> tuple[list[str], list[Mount]]:
    """The entrypoint with a ``./`` script replaced by where it is mounted, and that mount."""
    if not entrypoint or not entrypoint[0].startswith("./"):
        return list(entrypoint), []
    shipped = shipper.ship(entry, "entrypoint", entrypoint[0], executable=True)
    target = f"{SCRIPT_ROOT}/{shipped.path}"
    return [target, *entrypoint[1:]], [Mount(shipped.dest, target, "ro", shipped)]


def path_checks(container: str, binds: Sequence[Mount]) -> list[dict[str, Any]]:
    """The host paths that must be there before the container starts."""
    return [
        {"path": mount.source, "container": container, "field": "volumes", "model": None}
        for mount in binds
        if mount.source.startswith("/") and mount.shipped is None
    ]
