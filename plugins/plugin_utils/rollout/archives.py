# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Content on its way to a host: packed once for all hosts, small parcels in the call itself, large ones as files."""

from __future__ import annotations

import base64
import fcntl
import gzip
import io
import os
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from ansible_collections.retail.profiles.plugins.module_utils.common import file_tree
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.shipped_files import Source

#: bytes that may travel in the arguments of one call, all parcels together
INLINE = 256 * 1024
#: speed counts more than size: what is large is often compressed already
_LEVEL = 1


@dataclass(frozen=True)
class Parcel:
    """One file or folder for the place *dest*: a tar.gz, packed in *file*."""

    dest: str
    file: Path

    def inline(self) -> dict[str, str]:
        """The form in which it travels in the arguments of the module."""
        return {"dest": self.dest, "data": base64.b64encode(self.file.read_bytes()).decode()}


def parcels(
    files: Iterable[Mapping[str, Any]], wanted: Iterable[str], sources: Mapping[str, Source], workspace: Path
) -> list[Parcel]:
    """Pack those *files* of a share whose places are *wanted*.

    What is in the *workspace* already is taken from there; other processes may use it at the same time.
    Raises ProfileError for content that is not at hand, or is not what it was when the plan was made.
    """
    places = set(wanted)
    return [Parcel(item["dest"], _packed(item, sources, workspace)) for item in files if item["dest"] in places]


def split(found: Iterable[Parcel], room: int = INLINE) -> tuple[list[Parcel], list[Parcel]]:
    """The parcels that travel in the call, and the others: the smallest first, as long as there is room."""
    inline: list[Parcel] = []
    others: list[Parcel] = []
    for size, parcel in sorted(((parcel.file.stat().st_size, parcel) for parcel in found), key=_by_size):
        room -= size
        (inline if room >= 0 else others).append(parcel)
    return inline, others


def _by_size(pair: tuple[int, Parcel]) -> tuple[int, str]:
    return pair[0], pair[1].dest


def _packed(item: Mapping[str, Any], sources: Mapping[str, Source], workspace: Path) -> Path:
    digest = str(item["sha256"])
    target = workspace / f"{digest}{Path(item['dest']).parent.name[len(digest) :]}.tar.gz"
    with target.with_suffix(".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            source = sources.get(digest)
            if source is None:
                raise ProfileError(
                    "its content is not at hand on the controller: give it in 'sources'", file=str(item["path"])
                )
            _check(item, source)
            unfinished = target.with_suffix(".new")
            with unfinished.open("wb") as stream:
                pack(item, source, stream)
            unfinished.replace(target)
    return target


def _check(item: Mapping[str, Any], source: Source) -> None:
    if isinstance(source, bytes):
        return
    try:
        same = file_tree.digest_of(str(source), item["kind"]) == item["sha256"]
    except OSError as error:
        raise ProfileError(f"cannot be read: {error.strerror}", file=str(source)) from error
    if not same:
        raise ProfileError("it was changed after the plan was made: plan again", file=str(source))


def pack(item: Mapping[str, Any], source: Source, stream: BinaryIO) -> None:
    """Write a file or folder as tar.gz: the same bytes for the same content."""
    with (
        gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=_LEVEL, mtime=0, filename="") as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        if item["kind"] == file_tree.FILE:
            data = source if isinstance(source, bytes) else source.read_bytes()
            _add(archive, _member(os.path.basename(item["dest"]), item["mode"] == "0755"), data)
        elif isinstance(source, Path):
            for node in file_tree.nodes(str(source)):
                _add_node(archive, source, node)


def _add_node(archive: tarfile.TarFile, root: Path, node: file_tree.Node) -> None:
    member = _member(node.path, node.executable)
    if node.kind == file_tree.LINK:
        member.type, member.linkname = tarfile.SYMTYPE, node.content
        archive.addfile(member)
    elif node.kind == file_tree.DIRECTORY:
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(member)
    else:
        _add(archive, member, (root / node.path).read_bytes())


def _member(name: str, executable: bool) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.mode = 0o755 if executable else 0o644
    return member


def _add(archive: tarfile.TarFile, member: tarfile.TarInfo, data: bytes) -> None:
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))
