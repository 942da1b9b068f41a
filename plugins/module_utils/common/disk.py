# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""Directories and files below the state directory: made for its group, and replaced as a whole."""

from __future__ import annotations

import os
import tempfile

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


def write_atomically(path: str, content: bytes, mode: int) -> None:
    """Replace *path* by *content*; nobody ever sees half of it."""
    try:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".new-")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
                os.fchmod(stream.fileno(), mode)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise ProfileError(f"cannot write {path}: {error.strerror}") from None
