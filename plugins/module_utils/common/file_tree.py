# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a file or folder that a profile ships: the same on the controller and on a host.

What counts is content, the executable bit, names, and where symbolic links lead; not owners, times, or other bits.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

FILE, DIRECTORY, LINK = "file", "directory", "link"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Node:
    """One thing in a folder, by its *path* below it. *content*: SHA-256 of a file, target of a link, else empty."""

    path: str
    kind: str
    executable: bool = False
    content: str = ""
    size: int = 0


def nodes(root: str) -> list[Node]:
    """What is in the folder *root*, sorted by path.

    Raises ProfileError for a symbolic link that leads out of it, for what is neither file, folder nor link, and for
    what cannot be read.
    """
    return sorted((_node(root, path) for path in _paths(root)), key=lambda node: node.path)


def digest(found: Iterable[Node]) -> str:
    """SHA-256 (hex) over the manifest of a folder: a line of JSON for each node, in the order of their paths."""
    result = hashlib.sha256()
    for node in sorted(found, key=lambda node: node.path):
        result.update(json.dumps([node.path, node.kind, node.executable, node.content]).encode() + b"\n")
    return result.hexdigest()


def file_digest(path: str) -> str:
    """SHA-256 (hex) of a file's content. Raises OSError."""
    result = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            result.update(chunk)
    return result.hexdigest()


def digest_of(path: str, kind: str) -> str:
    """What a file or a folder is known by. Raises OSError and ProfileError."""
    return digest(nodes(path)) if kind == DIRECTORY else file_digest(path)


def fingerprint(path: str) -> str:
    """A digest of what the file system says of a file, or of all that is in a folder: it changes with any of it.

    Cheap, and only to be compared with one that was taken of the same place. Raises OSError.
    """
    result = hashlib.sha256()
    for name in ("", *sorted(_paths(path))):
        status = os.lstat(os.path.join(path, name) if name else path)
        seen = [name, status.st_mode, status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]
        result.update(json.dumps(seen).encode() + b"\n")
    return result.hexdigest()


def _paths(root: str) -> Iterator[str]:
    """Everything below *root*, by relative path; links are not followed. Raises OSError."""

    def fail(error: OSError) -> None:
        raise error

    if os.path.isdir(root):
        for folder, folders, names in os.walk(root, onerror=fail):
            for name in (*folders, *names):
                yield os.path.relpath(os.path.join(folder, name), root)


def _node(root: str, path: str) -> Node:
    full = os.path.join(root, path)
    status = os.lstat(full)
    if stat.S_ISLNK(status.st_mode):
        return Node(path, LINK, content=_link(root, path))
    if stat.S_ISDIR(status.st_mode):
        return Node(path, DIRECTORY)
    if not stat.S_ISREG(status.st_mode):
        raise ProfileError(
            "it is neither a file, a folder nor a symbolic link: such a thing cannot be shipped", file=full
        )
    try:
        return Node(path, FILE, bool(status.st_mode & stat.S_IXUSR), file_digest(full), status.st_size)
    except OSError as error:
        raise ProfileError(f"cannot be read: {error.strerror}", file=full) from None


def _link(root: str, path: str) -> str:
    full = os.path.join(root, path)
    target = os.readlink(full)
    home = os.path.realpath(root)
    # Of a link that leads nowhere realpath still says where that would be.
    if os.path.isabs(target) or os.path.commonpath([home, os.path.realpath(full)]) != home:
        raise ProfileError(f"the symbolic link leads out of the folder, to {target}: it cannot be shipped", file=full)
    return target
