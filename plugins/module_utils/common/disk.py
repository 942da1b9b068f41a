# SPDX-License-Identifier: GPL-3.0-or-later
"""Directories and files below the state directory: made for its group, and replaced as a whole."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

DIRECTORY_MODE = 0o2770


def listing(path: str) -> list[str]:
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def make_directories(root: str, path: str) -> None:
    """Make *path* below the existing *root*; whoever is in the group of *root* may write in it."""
    missing = []
    while path != root and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for directory in reversed(missing):
        try:
            os.mkdir(directory)
            os.chmod(directory, DIRECTORY_MODE)  # not subject to the umask
        except FileExistsError:
            pass
        except OSError as error:
            raise ProfileError(f"cannot make {directory}: {error.strerror}") from None


def free_bytes(path: str) -> Optional[int]:
    """Bytes that are free where *path* is or will be, without the reserve; None where that cannot be seen."""
    while path and not os.path.exists(path):
        path = os.path.dirname(path)
    try:
        found = os.statvfs(path)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize


def replace_file(path: str, content: bytes, mode: Optional[int] = None, durable: bool = True) -> None:
    """Write *path* atomically: who reads it sees the old content or the new, never a part. Raises OSError.

    Without a *mode* the umask decides. *durable*: after a power cut, too (fsync).
    """
    temporary = os.path.join(os.path.dirname(path), f".new-{os.urandom(6).hex()}")
    try:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666 if mode is None else mode)
        with os.fdopen(handle, "wb") as stream:
            if mode is not None:
                os.fchmod(handle, mode)  # not subject to the umask
            stream.write(content)
            if durable:
                stream.flush()
                os.fsync(handle)
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def write_atomically(path: str, content: bytes, mode: int) -> None:
    """:func:`replace_file`, and ProfileError where that fails."""
    try:
        replace_file(path, content, mode)
    except OSError as error:
        raise ProfileError(f"cannot write {path}: {error.strerror}") from None
