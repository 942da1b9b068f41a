# SPDX-License-Identifier: GPL-3.0-or-later
"""A receiver of images: a process of its own that waits for one stream, loads it, passes it on, and ends.

All that it needs is imported here, at the top: once it runs, the archive that the module came in is gone.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.daemon import (
    Answer,
    detach,
    is_locked,
    take_lock,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.disk import (
    free_bytes,
    make_directories,
    write_atomically,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.processes import locked
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError
from ansible_collections.retail.profiles.plugins.module_utils.engine.archives import ImageEngine
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine
from ansible_collections.retail.profiles.plugins.module_utils.host.sockets import addresses
from ansible_collections.retail.profiles.plugins.module_utils.images import inventory
from ansible_collections.retail.profiles.plugins.module_utils.images.stream import (
    CONNECT_TIMEOUT,
    STALL_TIMEOUT,
    Branches,
    Reader,
    StreamError,
    admit,
    archive,
    header_from,
    relayed,
)

_FOLDER = "transfers"
_RUNS = "runs"


@dataclass(frozen=True)
class Expected:
    """An image that is to be there at the end: its name, and what it is (as :func:`inventory.described` has it)."""

    name: str
    image: Mapping[str, Any]


# -- one stream


def receive(
    listener: socket.socket, token: str, deadline: float, engine: ImageEngine, begun: Callable[[], None]
) -> dict[str, Any]:
    """Wait for who knows the token, load what comes, and pass it on.

    ``{"bytes": received, "lost": {name: why}}``. *deadline*: in time.monotonic(). *begun* is called when the stream
    begins. Raises ProfileError.
    """
    with _admitted(listener, token, deadline) as connection:
        begun()
        reader = Reader(connection)
        header = header_from(reader.frame())
        branches = Branches(header, token)
        stream = archive(header, relayed(reader, branches))
        try:
            _load(engine, stream)
        finally:
            with contextlib.suppress(StreamError):
                for _rest in stream:  # whatever became of our own load: the others get theirs
                    pass
            branches.close()
        return {"bytes": reader.bytes, "lost": branches.lost}


def _load(engine: ImageEngine, stream: Iterator[bytes]) -> None:
    try:
        engine.load(stream)
    except EngineError as error:
        root = str(engine.info().get("DockerRootDir") or "")
        free = free_bytes(root)
        room = "" if free is None else f" ({free >> 20} MiB are free in {root})"
        raise ProfileError(f"the engine could not load the images: {error}{room}") from None


def own_address(candidates: Sequence[str]) -> str:
    """The first of *candidates* that is an address of this host; loopback only if nothing else is given."""
    own = set(addresses())
    outside = [address for address in candidates if not address.startswith("127.") and address != "::1"]
    for address in outside or candidates:
        if address in own or not outside:
            return address
    given = f"the inventory's address is {', '.join(candidates)}" if candidates else "the inventory's does not resolve"
    raise ProfileError(
        f"no fleet address to receive images on: {given}, but the host's own are {', '.join(sorted(own)) or 'none'}: "
        "set the host variable profile_address to the one by which other hosts reach it"
    )


@contextlib.contextmanager
def _admitted(listener: socket.socket, token: str, deadline: float) -> Iterator[socket.socket]:
    """The first connection that knows the token; after it nobody is let in any more."""
    with listener:
        connection = _first(listener, token, deadline)
    with connection:
        connection.settimeout(STALL_TIMEOUT)
        yield connection


def _first(listener: socket.socket, token: str, deadline: float) -> socket.socket:
    refused = 0
    while True:
        listener.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            connection, _address = listener.accept()
        except (TimeoutError, socket.timeout):
            strangers = f" ({refused} connections without the token were refused)" if refused else ""
            raise StreamError(f"nothing came before the deadline{strangers}") from None
        except OSError as error:
            raise StreamError(f"cannot wait for the stream: {error.strerror}") from None
        connection.settimeout(CONNECT_TIMEOUT)
        if admit(connection, token):
            return connection
        connection.close()
        refused += 1


def verify(engine: Engine, expected: Sequence[Expected]) -> dict[str, str]:
    """The ids of what was loaded, by name. Raises ProfileError where it is not what was expected."""
    found: dict[str, str] = {}
    for item in expected:
        image = engine.image(item.name)
        described = inventory.described(image) if image is not None else None
        if described is None or not inventory.same(described, item.image):
            has = described["id"] if described else "nothing"
            raise StreamError(f"{item.name} should be {item.image['id']}, but the engine has {has} after loading it")
        found[item.name] = str(described["id"])
    return found


@contextlib.contextmanager
def all_or_nothing(engine: ImageEngine, names: Sequence[str]) -> Iterator[None]:
    """Where the work fails, none of *names* is left as a new image.

    An engine may have named an image before it unpacks it, and keep the name where that fails (26.1, with containerd's
    store): such an image can be inspected, but no container starts from it.
    """
    before = {name: _id(engine, name) for name in names}
    try:
        yield
    except ProfileError:
        with contextlib.suppress(EngineError):  # what went wrong first is what is told
            for name, had in before.items():
                if _id(engine, name) not in (None, had):
                    engine.remove_image(name)
        raise


def _id(engine: Engine, name: str) -> Optional[str]:
    image = engine.image(name)
    return None if image is None else str(image["Id"])


# -- the process


class Folder:
    """Where a receiver leaves its outcome: ``transfers/NAME`` of the state directory."""

    def __init__(self, state_dir: str, name: str) -> None:
        self.state_dir = state_dir
        self.path = os.path.join(state_dir, _FOLDER, name)
        self.lock = os.path.join(self.path, "lock")
        self.pid = os.path.join(self.path, "pid")
        self.begun = os.path.join(self.path, "begun")
        self.outcome = os.path.join(self.path, "outcome.json")

    def make(self) -> int:
        """Make it, and remove those of receivers that nobody asked any more; the descriptor of its lock, held."""
        parent = os.path.dirname(self.path)
        make_directories(self.state_dir, parent)
        with locked(parent):
            sweep(self.state_dir)
            make_directories(self.state_dir, self.path)
            try:
                descriptor = take_lock(self.lock)
            except OSError as error:
                raise ProfileError(f"cannot write {self.lock}: {error.strerror}") from None
        if descriptor is None:
            raise ProfileError(f"a receiver runs already: {self.path}")
        return descriptor

    def mark_begun(self) -> None:
        """Note that the stream has begun."""
        write_atomically(self.begun, b"", 0o660)

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(self.path))  # not empty: another's


def sweep(state_dir: str) -> list[str]:
    """Remove what receivers have left that run no more; the names."""
    parent = os.path.join(state_dir, _FOLDER)
    removed = []
    for name in sorted(os.listdir(parent)) if os.path.isdir(parent) else ():
        folder = Folder(state_dir, name)
        if not (os.access(folder.lock, os.R_OK | os.W_OK) and is_locked(folder.lock)):
            folder.remove()
            removed.append(name)
    return removed


def start(folder: Folder, work: Callable[[], Mapping[str, Any]], listener: socket.socket) -> None:
    """Run *work* in a detached process that holds the folder's lock, and writes what it answers as its outcome.

    The *listener* becomes that process's own. Raises ProfileError.
    """
    lock = folder.make()

    def live(tell: Answer) -> None:
        write_atomically(folder.pid, str(os.getpid()).encode(), 0o660)
        tell(_RUNS)
        write_atomically(folder.outcome, json.dumps(_outcome(work)).encode(), 0o660)

    answer = detach(live, keep=(lock, listener.fileno()))
    os.close(lock)
    listener.close()
    if answer != _RUNS:
        raise ProfileError(f"the receiver did not start: is there room in {folder.state_dir}?")


def _outcome(work: Callable[[], Mapping[str, Any]]) -> dict[str, Any]:
    try:
        return {**work(), "error": None}
    except ProfileError as error:
        return {"error": str(error)}
    except Exception as error:
        return {"error": f"the receiver failed ({type(error).__name__}: {error})"}


def collect(folder: Folder, timeout: float) -> Optional[dict[str, Any]]:
    """Wait until the receiver has ended, at most *timeout* seconds; its outcome. Nothing of it is left.

    One to which no stream has come is ended at once: the sender is through. None where there never was one.
    """
    if not os.path.isdir(folder.path):
        return None
    begun = os.path.exists(folder.begun)
    if not _ended(folder.lock, timeout if begun else 0.0):
        _kill(folder)
    try:
        with open(folder.outcome, encoding="utf-8") as stream:
            outcome: dict[str, Any] = json.load(stream)
    except (OSError, ValueError):
        why = f"it was not done after {timeout:.0f} s" if begun else "no host connected to send them"
        outcome = {"error": why}
    folder.remove()
    return outcome


def _ended(lock: str, timeout: float) -> bool:
    """Wait for the lock: it is free when the process has ended, however it did."""

    def give_up(_number: int, _frame: object) -> None:
        raise TimeoutError

    descriptor = os.open(lock, os.O_RDWR)
    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, timeout))
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    except TimeoutError:
        return False
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        os.close(descriptor)


def _kill(folder: Folder) -> None:
    """End a receiver whose lock is held: so the pid in its file is its own."""
    with contextlib.suppress(OSError, ValueError), open(folder.pid, encoding="ascii") as stream:
        os.kill(int(stream.read()), signal.SIGTERM)
    _ended(folder.lock, CONNECT_TIMEOUT)
