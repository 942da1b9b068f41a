# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and folders of a profile at their content-addressed places on the host.

A place is ``FILES/ADDRESS/NAME``. ``FILES/ADDRESS.seal`` holds the fingerprint that it had when its content was last
seen to be right, so that content is only read again where something was touched.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterable, Mapping
from typing import IO, Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common import file_tree
from ansible_collections.retail.profiles.plugins.module_utils.common.disk import (
    DIRECTORY_MODE,
    make_directories,
    write_atomically,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.deployment.order import Archive, ShippedFile
from ansible_collections.retail.profiles.plugins.module_utils.deployment.record import StateDir

#: what the name of a seal ends in
SEAL = ".seal"
_STAGING = ".new-"


class MissingFiles(ProfileError):
    """Files of the profile that are not on this host and did not come with the call. ``dests``: their places."""

    def __init__(self, items: Iterable[ShippedFile]) -> None:
        self.dests = sorted(item.dest for item in items)
        names = ", ".join(sorted({item.path for item in items}))
        super().__init__(f"files of the profile are not on this host and were not sent: {names}", field="files")


def stale(files: Iterable[ShippedFile]) -> list[ShippedFile]:
    """Those that are missing on the host, or are not what they should be."""
    return examine(files)[0]


def examine(files: Iterable[ShippedFile]) -> tuple[list[ShippedFile], dict[str, str]]:
    """Those that are stale; and of those that are right and not sealed (any more) the seals, by place."""
    wrong, unsealed = [], {}
    for item in files:
        try:
            fingerprint = file_tree.fingerprint(item.dest)
            if _sealed(item.dest) == fingerprint:
                continue
            right = _has_its_mode(item) and file_tree.digest_of(item.dest, item.kind) == item.sha256
        except (OSError, ProfileError):
            right = False
        if right:
            unsealed[item.dest] = fingerprint
        else:
            wrong.append(item)
    return wrong, unsealed


def _has_its_mode(item: ShippedFile) -> bool:
    return item.kind != file_tree.FILE or stat.S_IMODE(os.stat(item.dest).st_mode) == item.mode


def _sealed(dest: str) -> Optional[str]:
    try:
        with open(os.path.dirname(dest) + SEAL, encoding="ascii") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError):
        return None


def seal(dest: str, fingerprint: str) -> None:
    """Note that the content of a place is right."""
    write_atomically(os.path.dirname(dest) + SEAL, fingerprint.encode(), 0o660)


def install(items: Iterable[ShippedFile], archives: Mapping[str, Archive], state: StateDir, deployment: str) -> None:
    """Put files in their places, each from its archive (by place). Nobody ever sees half of one.

    Raises ProfileError for a damaged or wrong archive, a place not of the deployment, and what cannot be written.
    """
    home = state.files(deployment)
    for item in items:
        if os.path.normpath(item.dest) != item.dest or os.path.dirname(os.path.dirname(item.dest)) != home:
            raise ProfileError(f"its place on the host, {item.dest}, is not in a folder of {home}", file=item.path)
        make_directories(state.root, os.path.dirname(item.dest))
        try:
            _install(item, archives[item.dest], home)
        except OSError as error:
            raise ProfileError(f"cannot be written to {item.dest}: {error.strerror or error}", file=item.path) from None


def _install(item: ShippedFile, archive: Archive, home: str) -> None:
    staging = tempfile.mkdtemp(dir=home, prefix=_STAGING)
    try:
        os.chmod(staging, DIRECTORY_MODE)  # a later user of the group may have to remove it
        fresh = os.path.join(staging, "new")
        with _opened(item, archive) as stream:
            unpack(stream, fresh, item)
        try:
            found = file_tree.digest_of(fresh, item.kind)
        except ProfileError as error:
            raise ProfileError(f"arrived damaged: {error.message}", file=item.path) from None
        if found != item.sha256:
            raise ProfileError(f"arrived with the digest {found}, not {item.sha256}", file=item.path)
        if os.path.lexists(item.dest):
            os.rename(item.dest, os.path.join(staging, "old"))
        os.rename(fresh, item.dest)
        seal(item.dest, file_tree.fingerprint(item.dest))
    finally:
        shutil.rmtree(staging, ignore_errors=True)  # what stays is swept with the next apply


def _opened(item: ShippedFile, archive: Archive) -> IO[bytes]:
    if archive.file is not None:
        return open(archive.file, "rb")
    try:
        return io.BytesIO(base64.b64decode(archive.data or "", validate=True))
    except ValueError as error:
        raise ProfileError(f"arrived damaged: {error}", file=item.path) from None


def unpack(stream: IO[bytes], path: str, item: ShippedFile) -> None:
    """Make *path* from a tar.gz: a folder, or the one file in it. Raises ProfileError for what is not ours."""
    import tarfile  # only a host that lacks something needs it
    import zlib

    links = []
    if item.kind == file_tree.DIRECTORY:
        _make_folder(path)
    try:
        with tarfile.open(fileobj=stream, mode="r|gz") as archive:
            for member in archive:
                name = os.path.normpath(member.name)
                if item.kind == file_tree.FILE and name != os.path.basename(item.dest):
                    raise ProfileError(f"arrived with {member.name!r} in it", file=item.path)
                if os.path.isabs(name) or name.split(os.sep)[0] == os.pardir:
                    raise ProfileError(f"arrived with {member.name!r} in it, which leads out", file=item.path)
                place = path if item.kind == file_tree.FILE else os.path.join(path, name)
                if member.isdir():
                    _make_folder(place)
                elif member.issym():
                    links.append((member.linkname, place))
                elif member.isreg():
                    _write(archive.extractfile(member), place, bool(member.mode & stat.S_IXUSR))
                else:
                    raise ProfileError(f"arrived with {member.name!r} in it, which is no file", file=item.path)
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ProfileError(f"arrived damaged: {error}", file=item.path) from None
    for target, place in links:  # last: nothing is ever written through one
        os.symlink(target, place)


def _make_folder(path: str) -> None:
    if not os.path.isdir(path):
        os.mkdir(path)
    # Containers under any user may read it, whoever is in the group may remove it.
    os.chmod(path, 0o2775)


def _write(source: Any, path: str, executable: bool) -> None:
    with open(path, "xb") as stream:
        shutil.copyfileobj(source, stream, 1 << 20)
        os.fchmod(stream.fileno(), 0o755 if executable else 0o644)


def unused(home: str, kept: Iterable[str], mounted: Iterable[str]) -> list[str]:
    """Entries of *home*, the files of a deployment, in which no *kept* and no *mounted* place is."""
    needed = {os.path.relpath(path, home).split(os.sep)[0] for path in (*kept, *mounted)}
    names = os.listdir(home) if os.path.isdir(home) else []
    return sorted(name for name in names if name.removesuffix(SEAL) not in needed)
