# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""The lock of a folder: one process at a time works in it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError


@contextmanager
def locked(folder: str, patience: float = float("inf")) -> Iterator[None]:
    """Hold the lock of a folder. Raises ProfileError when it was not to be had in *patience* seconds."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise ProfileError(f"cannot be locked: {error.strerror}", file=folder) from None
    try:
        wait_for_lock(handle, folder, patience)
        yield
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)  # a child that was forked meanwhile has the handle too
        os.close(handle)


def wait_for_lock(handle: int, folder: str, patience: float) -> None:
    """Lock an open folder. Raises ProfileError when that was not to be had in *patience* seconds."""
    end = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > end:
                raise ProfileError("another call still works here and does not end: try again", file=folder) from None
        time.sleep(0.02)
