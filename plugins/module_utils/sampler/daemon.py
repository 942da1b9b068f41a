# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""The sampler as a process of its own: detached from whoever starts it, alone by a lock, known by its pid file.

All that it needs is imported here, at the top: once it runs, the archive that the module came in is gone.
"""

from __future__ import annotations

import contextlib
import encodings.idna  # noqa: F401  # pylint: disable=unused-import  # sockets import it at their first use
import fcntl
import gc
import json
import linecache  # noqa: F401  # pylint: disable=unused-import  # tracebacks import it at their first use
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from typing import Any, NoReturn, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.sampler import kernel_text as text
from ansible_collections.retail.profiles.plugins.module_utils.sampler.cgroup import read_file
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config, RunFiles, Scrape, Watched
from ansible_collections.retail.profiles.plugins.module_utils.sampler.loop import Sampler
from ansible_collections.retail.profiles.plugins.module_utils.sampler.store import Store, last_times

START_SECONDS = 20.0
ALREADY_RUNS = "already runs"
ANSWER = 3  # descriptor on which the sampler tells its starter how it went


def load_config(files: RunFiles) -> Config:
    """The configuration in the run directory. Raises ProfileError."""
    try:
        data: dict[str, Any] = json.loads(read_file(files.config))
        replicas = tuple(
            Watched(
                item["name"],
                _scrape(item["prometheus"]),
                item["network"],
            )
            for item in data["replicas"]
        )
        return Config(data["interval"], data["deadline"], data["engine"], replicas)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProfileError(f"is no configuration of a sampler: {error}", file=files.config) from error


def _scrape(item: Optional[dict[str, Any]]) -> Optional[Scrape]:
    return Scrape(item["port"], item["path"], tuple(item["prefixes"])) if item else None


def process_start(pid: int) -> Optional[int]:
    """When process *pid* started (ticks since boot); None when there is none."""
    try:
        return text.start_time(read_file(f"/proc/{pid}/stat"))
    except OSError:
        return None


def is_alive(files: RunFiles) -> bool:
    """Whether a sampler holds the lock of this run."""
    try:
        descriptor = os.open(files.lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def recorded_pid(files: RunFiles) -> Optional[int]:
    """The pid in sampler.pid, if that very process still runs (a pid used again has another start time)."""
    try:
        pid, started = (int(word) for word in read_file(files.pid).split())
    except (OSError, ValueError):
        return None
    return pid if process_start(pid) == started else None


def start(files: RunFiles) -> tuple[Optional[int], str]:
    """Start a detached sampler for the run directory, configured by its config.json.

    Returns (pid, ""), or (None, ALREADY_RUNS) when another holds the lock. Raises ProfileError when none comes up.
    """
    reader, writer = os.pipe()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()  # else the child would have a copy of what is buffered
    child = os.fork()
    if child == 0:
        _detach(files, reader, writer)
    os.close(writer)
    answer = _read_answer(reader)
    os.close(reader)
    os.waitpid(child, 0)
    if answer.startswith("pid "):
        return int(answer[4:]), ""
    if answer == ALREADY_RUNS:
        return None, answer
    raise ProfileError(f"the sampler did not start: {answer or 'it ended without a word'}; see {files.log}")


def _read_answer(reader: int) -> str:
    end, answer = time.monotonic() + START_SECONDS, b""
    while True:
        ready, _w, _x = select.select([reader], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            return f"nothing heard of it for {START_SECONDS:.0f} s"
        part = os.read(reader, 4096)
        if not part:
            return answer.decode("utf-8", "replace").strip()
        answer += part


def _detach(files: RunFiles, reader: int, writer: int) -> NoReturn:
    """In the first child: a session of its own, and a child in it that can never get a terminal again."""
    code = 1
    try:
        os.close(reader)
        os.setsid()
        code = _live(files, writer) if os.fork() == 0 else 0
    finally:
        os._exit(code)  # never back into the module


def _live(files: RunFiles, writer: int) -> int:
    """The sampler's process, from its second fork to its end; its exit code."""
    try:
        _let_go(files, writer)
        writer = ANSWER
        lock = os.open(files.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _answer(writer, ALREADY_RUNS)
            return 0
        sampler = _prepare(files)
        _write_pid(files)
    except Exception as error:
        _answer(writer, " ".join(str(error).split()) or type(error).__name__)
        traceback.print_exc()
        sys.stderr.flush()
        return 1
    try:
        _answer(writer, f"pid {os.getpid()}")
        why = sampler.run()
        sys.stderr.write(f"{time.strftime('%FT%TZ', time.gmtime())} ended: {why}\n")
        return 0
    except Exception:
        traceback.print_exc()
        return 1
    finally:
        sys.stderr.flush()  # the process ends without any of Python's own endings
        with contextlib.suppress(OSError):
            os.unlink(files.pid)


def _let_go(files: RunFiles, writer: int) -> None:
    """Drop what was inherited: directory, descriptors, signal handlers. *writer* goes on as ANSWER."""
    os.chdir("/")
    os.umask(0o007)
    null = os.open(os.devnull, os.O_RDONLY)
    log = os.open(files.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o660)
    # First up, out of the way of the numbers that they go to.
    sources = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 10) for descriptor in (null, log, log, writer)]
    for target, source in zip((0, 1, 2, ANSWER), sources):
        os.dup2(source, target, inheritable=target < 3)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.closerange(ANSWER + 1, min(65536, hard if soft == resource.RLIM_INFINITY else soft))
    if soft != hard:
        # Seven descriptors a container and some connections: more than the usual 1024 for large hosts.
        most = 65536 if hard == resource.RLIM_INFINITY else min(hard, 65536)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGPIPE, signal.SIGALRM):
        signal.signal(number, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    gc.collect()
    gc.freeze()  # what the module brought along is never freed: not to be looked through again and again


def _prepare(files: RunFiles) -> Sampler:
    config = load_config(files)
    last, before = last_times(files.samples)
    store = Store(files.samples)
    wake, alarm = socket.socketpair()
    for end in (wake, alarm):
        end.setblocking(False)
    sampler = Sampler(config, store, wake, lambda: load_config(files), before)

    def on_term(_number: int, _frame: object) -> None:
        sampler.stop = True

    def on_hup(_number: int, _frame: object) -> None:
        sampler.reload = True

    signal.set_wakeup_fd(alarm.detach(), warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, on_term)
    signal.signal(signal.SIGINT, on_term)
    signal.signal(signal.SIGHUP, on_hup)
    if last is not None:
        now = time.time()
        store.add(
            {
                "t": now,
                "type": "absent",
                "subject": None,
                "metric": "samples",
                "reason": f"no samples for {max(0.0, now - last):.1f} s: the sampler had ended and was started again",
                "since": last,
            }
        )
    sampler.observe(event="start")
    store.flush()  # so that a gap is told even when it is killed at once
    return sampler


def _write_pid(files: RunFiles) -> None:
    temporary = f"{files.pid}.{os.getpid()}"
    with open(temporary, "wb") as file:
        file.write(f"{os.getpid()} {process_start(os.getpid())}\n".encode())
    os.replace(temporary, files.pid)


def _answer(writer: int, words: str) -> None:
    with contextlib.suppress(OSError):
        os.write(writer, words.encode("utf-8", "replace")[:4000])
        os.close(writer)
