# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of this host: one at a time works in a folder, by its lock (flock); others are known by a pid file.

A pid file holds "PID STARTTIME": a number is used again.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Optional

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


def start_time(pid: int, proc: str = "/proc") -> Optional[str]:
    """Field 22 of /proc/PID/stat, in ticks since boot; None for a process that is gone, or was not yet reaped."""
    try:
        with open(f"{proc}/{pid}/stat", encoding="ascii", errors="replace") as stream:
            fields = stream.read().rpartition(")")[2].split()  # its name may hold blanks and parentheses
    except OSError:
        return None
    return None if len(fields) < 20 or fields[0] in ("Z", "X") else fields[19]


def running(pid_file: str) -> Optional[int]:
    """The process that *pid_file* names; None where it is no more."""
    try:
        with open(pid_file, encoding="ascii") as stream:
            pid, started = stream.read().split()[:2]
        return int(pid) if start_time(int(pid)) == started else None
    except (OSError, ValueError):
        return None


def stop(pid_file: str, grace: float) -> bool:
    """End the process that *pid_file* names; whether there was one.

    SIGTERM, and SIGKILL after *grace* seconds. Raises OSError where that is not allowed, or does not help.
    """
    pid = running(pid_file)
    if pid is None:
        return False
    started = start_time(pid)
    for number in (signal.SIGTERM, signal.SIGKILL):
        end = time.monotonic() + grace
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        while start_time(pid) == started:
            if time.monotonic() > end:
                break
            time.sleep(0.02)
        else:
            return True
    raise TimeoutError(f"process {pid} does not end")
