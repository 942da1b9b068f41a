# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders that a profile ships: what the plan says of them, and where on the controller their content is.

The plan holds digests only. Content is at its *source*: in the profile's folder, or, of what was made for the plan, in
memory; a run keeps a copy of all of it in its directory.
"""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.retail.profiles.plugins.module_utils.common import file_tree
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text import text_file

if TYPE_CHECKING:
    from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry

LARGEST = 100 * 1024 * 1024
Source = Path | bytes


@dataclass(frozen=True)
class ShippedFile:
    """A file or folder (``kind``) of the profile as it will lie on a host; ``dest`` holds its digest.

    ``holds``: the paths that are in a folder.
    """

    path: str
    kind: str
    sha256: str
    mode: str
    size: int
    dest: str
    source: Source = field(repr=False, compare=False)
    holds: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    _content: dict[str, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    def read(self, inside: str = ".") -> bytes:
        """What is written in it, read once; of a folder, in the file *inside*. Raises ProfileError."""
        if isinstance(self.source, bytes):
            return self.source
        if inside not in self._content:
            path = self.source / inside if self.kind == file_tree.DIRECTORY else self.source
            self._content[inside] = text_file.content(path)
        return self._content[inside]

    def containing(self, data: bytes, inside: str = ".") -> ShippedFile:
        """A file of the same name, or of that of the file *inside*, with other content."""
        home, name = self.dest.rsplit("/", 2)[0], self.dest.rpartition("/")[2]
        path = self.path if self.kind == file_tree.FILE else f"{self.path}/{inside}"
        name = name if self.kind == file_tree.FILE else inside.rpartition("/")[2]
        digest = hashlib.sha256(data).hexdigest()
        dest = f"{home}/{address(digest, self.mode)}/{name}"
        return replace(self, path=path, kind=file_tree.FILE, sha256=digest, size=len(data), dest=dest, source=data)

    def as_plan(self) -> dict[str, Any]:
        """What the plan says of it."""
        return {name: getattr(self, name) for name in ("path", "kind", "sha256", "mode", "size", "dest")}


def address(digest: str, mode: str) -> str:
    """The folder on a host in which content lies: a file may be there with and without the executable bit."""
    return f"{digest}-x" if mode == "0755" else digest


@dataclass(frozen=True)
class Shipper:
    """Ships files of the profile to ``files_dir`` on the hosts, and reads each of them once for all replicas."""

    files_dir: str
    _shipped: dict[tuple[Path, str, bool], ShippedFile] = field(default_factory=dict, init=False, repr=False)

    def ship(self, entry: Entry, field: str, relative: str, executable: bool = False) -> ShippedFile:
        """A file or folder of the profile.

        ProfileError when it leads out, is missing, is too large, or holds what cannot be shipped.
        """
        key = (entry.origins[field].root, relative, executable)
        if key not in self._shipped:
            self._shipped[key] = self._read(entry, field, relative, executable)
        return self._shipped[key]

    def _read(self, entry: Entry, field: str, relative: str, executable: bool) -> ShippedFile:
        name = relative.removeprefix("./").rstrip("/")
        generated = entry.generated(field, relative)
        if generated is not None:
            digest, base = hashlib.sha256(generated).hexdigest(), name.rpartition("/")[2]
            dest = f"{self.files_dir}/{digest}/{base}"
            return ShippedFile(name, file_tree.FILE, digest, "0644", len(generated), dest, generated)
        path = entry.file(field, relative)
        kind = file_tree.DIRECTORY if path.is_dir() else file_tree.FILE
        if executable and kind != file_tree.FILE:
            raise entry.error(f"{relative!r} is not a file: it cannot be run", field)
        size = _size(entry, field, path, kind)
        if size > LARGEST:
            raise entry.error(
                f"{relative!r} has {size} bytes, and {LARGEST} is the most that is shipped: "
                "put it on the hosts and give its absolute path, or use a volume",
                field,
            )
        found, digest = _looked_at(entry, field, path, kind)
        mode = "0755" if executable or (kind == file_tree.FILE and os.access(path, os.X_OK)) else "0644"
        dest = f"{self.files_dir}/{address(digest, mode)}/{path.name}"
        holds = frozenset(node.path for node in found)
        return ShippedFile(name or path.name, kind, digest, mode, size, dest, path, holds)


def _size(entry: Entry, field: str, path: Path, kind: str) -> int:
    """The bytes of a file, or of all files in a folder, without reading any."""
    try:
        if kind == file_tree.FILE:
            return path.stat().st_size
        found = (os.lstat(os.path.join(parent, name)) for parent, _folders, names in os.walk(path) for name in names)
        return sum(status.st_size for status in found if stat.S_ISREG(status.st_mode))
    except OSError as error:
        raise entry.error(f"{path} cannot be read: {error.strerror}", field) from error


def _looked_at(entry: Entry, field: str, path: Path, kind: str) -> tuple[list[file_tree.Node], str]:
    """What is in a folder (nothing in a file), and the digest."""
    try:
        if kind == file_tree.FILE:
            return [], file_tree.file_digest(str(path))
        found = file_tree.nodes(str(path))
        return found, file_tree.digest(found)
    except OSError as error:
        raise entry.error(f"{path} cannot be read: {error.strerror}", field) from error
    except ProfileError as error:
        raise entry.error(str(error), field) from error


# -- the content of a plan's files, by digest


def as_data(sources: Mapping[str, Source]) -> dict[str, dict[str, str]]:
    """Sources as plain data: ``{"path": ...}``, or ``{"content": ...}`` in Base64."""
    return {
        digest: {"content": base64.b64encode(source).decode()} if isinstance(source, bytes) else {"path": str(source)}
        for digest, source in sorted(sources.items())
    }


def of_data(sources: Mapping[str, Mapping[str, str]]) -> dict[str, Source]:
    """The sources that :func:`as_data` has made plain data of."""
    return {
        digest: base64.b64decode(item["content"]) if "content" in item else Path(item["path"])
        for digest, item in sources.items()
    }


def files_of(plan: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """All files and folders of a plan, by digest."""
    return {item["sha256"]: item for host in plan["hosts"].values() for item in host["files"]}


def kept(plan: Mapping[str, Any], folder: Path) -> dict[str, Source]:
    """The sources of a stored plan, in the folder where its run has kept them. ProfileError where one is not there."""
    sources: dict[str, Source] = {}
    for digest, item in files_of(plan).items():
        if not (folder / digest).exists():
            raise ProfileError(
                f"the content of {item['path']} is not there: keep the folder {folder.name} of a run beside its plan",
                file=str(folder / digest),
            )
        sources[digest] = folder / digest
    return sources


def keep(sources: Mapping[str, Source], folder: Path) -> dict[str, Source]:
    """Copy all content into *folder*, by digest; where it is now. Raises ProfileError."""
    for digest, source in sources.items():
        copy(source, folder / digest)
    return {digest: folder / digest for digest in sources}


def copy(source: Source, target: Path) -> None:
    """Copy a file or folder, with executable bits and links. Raises ProfileError."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            target.write_bytes(source)
        elif source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(source, target)
    except (OSError, shutil.Error) as error:
        raise ProfileError(f"cannot be written: {error}", file=str(target)) from error
