# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler's daemon: alone by a lock, known by its pid file, from its start to its end.

All that it needs is imported here, at the top: once it runs, the archive that the module came in is gone.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import signal
import socket
import sys
import time
from functools import partial
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.daemon import (
    Answer,
    detach,
    is_locked,
    take_lock,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.disk import replace_file
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.kernel_files import read_file
from ansible_collections.retail.profiles.plugins.module_utils.common.processes import running, start_time
from ansible_collections.retail.profiles.plugins.module_utils.devices.kinds import Devices
from ansible_collections.retail.profiles.plugins.module_utils.sampler.cgroup import Hierarchies
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config, RunFiles, Scrape, Watched
from ansible_collections.retail.profiles.plugins.module_utils.sampler.host import HostCounters
from ansible_collections.retail.profiles.plugins.module_utils.sampler.loop import Sampler
from ansible_collections.retail.profiles.plugins.module_utils.sampler.store import Store, last_times

ALREADY_RUNS = "already runs"
#: descriptors that it may open, where the host allows as many: seven a container, and some connections
DESCRIPTORS = 65536


def load_config(files: RunFiles) -> Config:
    """The configuration in the run directory. Raises ProfileError."""
    try:
        data: dict[str, Any] = json.loads(read_file(files.config))
        replicas = tuple(
            Watched(
                item["name"],
                _scrape(item["prometheus"]),
                item["network"],
                tuple(item["files"]),
            )
            for item in data["replicas"]
        )
        return Config(data["interval"], data["deadline"], data["engine"], replicas)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProfileError(f"is no configuration of a sampler: {error}", file=files.config) from error


def _scrape(item: Optional[dict[str, Any]]) -> Optional[Scrape]:
    return Scrape(item["port"], item["path"], tuple(item["prefixes"])) if item else None


def is_alive(files: RunFiles) -> bool:
    """Whether a sampler holds the lock of this run."""
    return is_locked(files.lock)


def has_died(files: RunFiles) -> bool:
    """Whether a sampler has ended and not cleared up behind itself, as all do that end by themselves or are told to."""
    return not is_alive(files) and os.path.exists(files.pid)


def recorded_pid(files: RunFiles) -> Optional[int]:
    """The pid in sampler.pid, if that very process still runs."""
    return running(files.pid)


def start(files: RunFiles) -> Optional[int]:
    """Start a sampler for the run directory, configured by its config.json: its pid; None when there is one already.

    Raises ProfileError when none comes up.
    """
    answer = detach(lambda tell: _live(files, tell), files.log)
    if answer.startswith("pid "):
        return int(answer[4:])
    if answer == ALREADY_RUNS:
        return None
    raise ProfileError(f"the sampler did not start: {answer or 'it ended without a word'}; see {files.log}")


def _live(files: RunFiles, tell: Answer) -> None:
    """The sampler's process, from its start to its end."""
    _allow_descriptors()
    gc.collect()
    gc.freeze()  # what the module brought along is never freed: not to be looked through again and again
    lock = take_lock(files.lock)
    if lock is None:
        tell(ALREADY_RUNS)
        return
    sampler = _prepare(files)
    pid = os.getpid()
    replace_file(files.pid, f"{pid} {start_time(pid)}\n".encode(), 0o660, durable=False)
    try:
        tell(f"pid {pid}")
        why = sampler.run()
        sys.stderr.write(f"{time.strftime('%FT%TZ', time.gmtime())} ended: {why}\n")
    finally:
        with contextlib.suppress(OSError):
            os.unlink(files.pid)
        os.close(lock)  # not left to the end of the process: a driver that does not answer may hold that up


def _allow_descriptors() -> None:
    """As many as the host allows: the usual 1024 are too few for large hosts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        most = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def _prepare(files: RunFiles) -> Sampler:
    config = load_config(files)
    last, before = last_times(files.samples)
    store = Store(files.samples)
    wake, alarm = socket.socketpair()
    for end in (wake, alarm):
        end.setblocking(False)
    load = partial(load_config, files)
    host = HostCounters(folder=files.directory)
    sampler = Sampler(config, store, wake, load, before, Hierarchies.of_this_host(), host, Devices())

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
    sampler.observe(event="start", machine=_machine())
    store.flush()  # so that a gap is told even when it is killed at once
    return sampler


def _machine() -> Optional[str]:
    """The boot id, which hosts share that are containers of one machine: /proc/stat tells them of all of it."""
    with contextlib.suppress(OSError):
        return read_file("/proc/sys/kernel/random/boot_id").decode().strip()
    return None
