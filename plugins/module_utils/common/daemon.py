# SPDX-License-Identifier: GPL-3.0-or-later
"""Daemons: a process of its own by a double fork, detached from whoever starts it, and alone by a lock (flock).

Who runs as one has all that it needs imported before: once it runs, the archive that the module came in is gone.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401  # pylint: disable=unused-import  # sockets import it at their first use
import fcntl
import linecache  # noqa: F401  # pylint: disable=unused-import  # tracebacks import it at their first use
import os
import resource
import select
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from typing import Callable, NoReturn, Optional

#: seconds in which a daemon has to say how its start went
START_SECONDS = 20.0
#: descriptors that are looked at, to be closed
_DESCRIPTORS = 65536

Answer = Callable[[str], None]


def detach(work: Callable[[Answer], None], log: str = os.devnull, keep: Sequence[int] = ()) -> str:
    """Run *work* in a daemon; return what it answers its starter, or how it failed, or nothing.

    It keeps the descriptors *keep*, which are above 2, and what it prints goes to the file *log*.
    """
    reader, writer = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()  # else the child would have a copy of what is buffered
    child = os.fork()
    if child == 0:
        _in_child(work, log, keep, writer)
    os.close(writer)
    os.waitpid(child, 0)
    try:
        return _answered(reader)
    finally:
        os.close(reader)


def _answered(reader: int) -> str:
    end, answer = time.monotonic() + START_SECONDS, b""
    while True:
        ready, _w, _x = select.select([reader], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return f"nothing heard of it for {START_SECONDS:.0f} s"
        part = os.read(reader, 4096)
        if not part:
            return answer.decode("utf-8", "replace").strip()
        answer += part


def _in_child(work: Callable[[Answer], None], log: str, keep: Sequence[int], writer: int) -> NoReturn:
    """In the first child: a session of its own, and a child in it that can never get a terminal again."""
    try:
        os.setsid()
        if os.fork() == 0:
            _live(work, log, keep, writer)
    finally:
        os._exit(0)  # never back into the module


def _live(work: Callable[[Answer], None], log: str, keep: Sequence[int], writer: int) -> None:
    """The daemon, from its fork to its end."""
    writer = fcntl.fcntl(writer, fcntl.F_DUPFD_CLOEXEC, 3)  # out of the way of the standard streams
    starter = open(writer, "wb", buffering=0)  # noqa: SIM115

    def answer(words: str) -> None:
        with contextlib.suppress(OSError):  # the starter may be gone
            if not starter.closed:
                with starter:
                    starter.write(words.encode("utf-8", "replace")[:4000])

    try:
        _let_go(log, (*keep, writer))
        work(answer)
    except Exception as error:
        answer(" ".join(str(error).split()) or type(error).__name__)
        traceback.print_exc()
    finally:
        sys.stderr.flush()  # the process ends without any of Python's own endings


def _let_go(log: str, keep: Sequence[int]) -> None:
    """Drop what was inherited: directory, standard streams, descriptors but for *keep*, signal handlers."""
    os.chdir("/")
    os.umask(0o007)
    null = os.open(os.devnull, os.O_RDONLY)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o660)
    for target, source in ((0, null), (1, out), (2, out)):
        os.dup2(source, target)
    below, limit = 3, resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    for descriptor in sorted(keep):
        os.closerange(below, descriptor)
        below = descriptor + 1
    os.closerange(below, _DESCRIPTORS if limit == resource.RLIM_INFINITY else min(limit, _DESCRIPTORS))
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def take_lock(path: str) -> Optional[int]:
    """Lock the file *path*, which is made where it is missing: its descriptor; None where another process has it.

    Who holds it runs: however a process ends, its locks end with it. Raises OSError.
    """
    return _flocked(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660))


def is_locked(path: str) -> bool:
    """Whether a process holds the lock of the file *path*. Raises OSError where that cannot be looked at."""
    try:
        handle = _flocked(os.open(path, os.O_RDWR | os.O_CLOEXEC))
    except FileNotFoundError:
        return False
    if handle is not None:
        os.close(handle)
    return handle is None


def _flocked(handle: int) -> Optional[int]:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return handle
    except BlockingIOError:
        os.close(handle)
        return None
