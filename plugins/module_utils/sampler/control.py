# SPDX-License-Identifier: GPL-3.0-or-later
"""The three states of the measurement on a host: a sampler runs; what is new of its samples; it has ended."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.disk import replace_file
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.processes import stop
from ansible_collections.retail.profiles.plugins.module_utils.sampler import daemon
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config, RunFiles

CHUNK_BYTES = 8 << 20
END_SECONDS = 15.0
POLL_SECONDS = 0.05
LEVEL = 1  # zlib's fastest: the host that compresses is the host that is measured


@dataclass(frozen=True)
class Chunk:
    """Whole lines of the samples file; *offset* is where the next begin, *more* whether there are any by now."""

    data: bytes
    offset: int
    more: bool


def started(files: RunFiles, config: Config, check: bool) -> dict[str, Any]:
    """See that a sampler with this configuration runs. Raises ProfileError.

    One that runs and is configured otherwise is told to read its configuration again.
    """
    alive = daemon.is_alive(files)
    same = alive and _same_config(files, config)
    if check or same:
        return {"changed": not same, "pid": daemon.recorded_pid(files) if alive else None}
    _make_directory(files)
    _write_config(files, config)
    if alive:
        pid = _reload(files)
        if pid is not None:
            return {"changed": True, "pid": pid}
    new = daemon.start(files)
    return {"changed": new is not None, "pid": new if new is not None else daemon.recorded_pid(files)}


def collected(files: RunFiles, offset: int, limit: int = CHUNK_BYTES) -> dict[str, Any]:
    """What is in the samples file from *offset* on. Raises ProfileError."""
    alive, died = daemon.is_alive(files), daemon.has_died(files)
    # After that it is read: a sampler found dead has written all that it will.
    chunk = read_chunk(files.samples, offset, limit)
    if chunk is None:
        if not os.path.isdir(files.directory):
            raise ProfileError(
                f"there are no samples of this run in {files.directory}: state=started comes first", field="run_id"
            )
        chunk = Chunk(b"", 0, False)
    return {"changed": False, **_packed(chunk), "alive": alive, "died": died, "disk_full": _disk_full(files)}


def stopped(files: RunFiles, offset: int, check: bool, limit: int = CHUNK_BYTES) -> dict[str, Any]:
    """See that no sampler runs; then like `collected`. Where none ever ran there is nothing to do."""
    alive, died = daemon.is_alive(files), daemon.has_died(files)
    full = _disk_full(files)
    read_chunk(files.samples, offset, limit)  # a wrong offset is told before anything is ended
    if alive and not check:
        _end(files)
    chunk = read_chunk(files.samples, offset, limit) or Chunk(b"", offset, False)
    return {"changed": alive, **_packed(chunk), "alive": alive and check, "died": died, "disk_full": full}


def _disk_full(files: RunFiles) -> bool:
    """Whether the disk of the samples has no block left for the user who measures; a sampler cannot write that."""
    with contextlib.suppress(OSError):
        disk = os.statvfs(files.directory)
        return disk.f_blocks > 0 and (disk.f_bavail if os.geteuid() else disk.f_bfree) == 0
    return False


def _packed(chunk: Chunk) -> dict[str, Any]:
    data = base64.b64encode(zlib.compress(chunk.data, LEVEL)).decode("ascii")
    return {"data": data, "offset": chunk.offset, "more": chunk.more}


def read_chunk(path: str, offset: int, limit: int) -> Optional[Chunk]:
    """Whole lines of *path* from *offset* on, at most *limit* bytes, but at least one; None without the file.

    Raises ProfileError for an offset that is not where a line begins, and for a file that cannot be read.
    """
    if offset < 0:
        raise ProfileError(f"must not be below 0, is {offset}", field="offset")
    try:
        with open(path, "rb", buffering=0) as file:
            return _chunk(file.fileno(), path, offset, limit)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProfileError(f"cannot be read: {error.strerror}", file=path) from error


def _chunk(descriptor: int, path: str, offset: int, limit: int) -> Chunk:
    size = os.fstat(descriptor).st_size
    if offset > size or (offset > 0 and os.pread(descriptor, 1, offset - 1) != b"\n"):
        raise ProfileError(
            f"no line of {path} ({size} bytes) begins at {offset}; give the offset that the call before returned",
            field="offset",
        )
    data, end = b"", -1
    while end < 0:
        part = os.pread(descriptor, limit, offset + len(data))
        if not part:
            return Chunk(b"", offset, False)
        data += part
        end = data.rfind(b"\n")
    return Chunk(data[: end + 1], offset + end + 1, offset + len(data) < size)


def _same_config(files: RunFiles, config: Config) -> bool:
    with contextlib.suppress(ProfileError):
        return daemon.load_config(files) == config
    return False


def _make_directory(files: RunFiles) -> None:
    runs = os.path.dirname(files.directory)
    state_dir = os.path.dirname(runs)
    if not os.path.isdir(state_dir):
        raise ProfileError(
            f"the state directory {state_dir} is not there: run prepare_hosts.yml, which makes it, or give another",
            field="state_dir",
        )
    before = os.umask(0o007)  # as in the state directory: its group may read and write, others nothing
    try:
        os.makedirs(files.directory, mode=0o770, exist_ok=True)
        if not os.access(files.directory, os.W_OK | os.X_OK):
            raise ProfileError(f"no permission to write in {files.directory}", field="state_dir")
    except OSError as error:
        raise ProfileError(f"cannot make {files.directory}: {error.strerror}", field="state_dir") from error
    finally:
        os.umask(before)


def _write_config(files: RunFiles, config: Config) -> None:
    try:
        replace_file(files.config, config.to_json().encode(), 0o660, durable=False)
    except OSError as error:
        raise ProfileError(f"cannot be written: {error.strerror}", file=files.config) from error


@contextlib.contextmanager
def _permitted(files: RunFiles) -> Iterator[None]:
    """Turn a signal that is not allowed into ProfileError."""
    try:
        yield
    except PermissionError:
        raise ProfileError(
            f"no permission to signal the sampler, process {daemon.recorded_pid(files)}:"
            " it was started by another user; connect as that user"
        ) from None


def _reload(files: RunFiles) -> Optional[int]:
    """Tell the sampler to read its configuration again: its pid; None when it has just ended."""
    pid = daemon.recorded_pid(files)
    if pid is not None:
        try:
            with _permitted(files):
                os.kill(pid, signal.SIGHUP)
        except ProcessLookupError:
            return None
    return pid


def _end(files: RunFiles) -> None:
    """End the living sampler: ask, wait, and kill it only if it does not answer. Raises ProfileError."""
    end = time.monotonic() + 2 * END_SECONDS
    while daemon.is_alive(files):
        with _permitted(files), contextlib.suppress(TimeoutError):
            stop(files.pid, END_SECONDS)
        if time.monotonic() > end:
            raise ProfileError(f"the sampler of {files.directory} does not end; its lock is held by another process")
        time.sleep(POLL_SECONDS)
