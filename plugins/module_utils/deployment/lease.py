# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may write to a deployment on this host: one playbook at a time, by a lease that runs out after its owner died.

Time is this host's own, since its boot: the clocks of controllers do not count, and a boot ends every lease.
"""

from __future__ import annotations

import errno
import json
import os
import select
import shutil
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Callable, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.disk import replace_file
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.processes import locked

#: seconds that a lease lives after it was renewed last
TTL = 60.0
#: seconds between two looks at whether a call may go on
LOOK = 0.5
#: seconds that calls of a playbook which is gone may take to see that, and may still renew the lease
LAST_WORDS = 3.0
#: seconds that a call waits for the one before it to end, after it took the lease from it; less than a lease lives
PATIENCE = 45.0
STDOUT = 1


@dataclass(frozen=True)
class Moment:
    """*clock* is in seconds since this host's boot, which *boot* names; *wall* is UTC, for people alone."""

    boot: str
    clock: float
    wall: str


@dataclass(frozen=True)
class Lease:
    """Who holds a deployment on this host. *epoch* is another at every taking; *since* is when it was (UTC)."""

    deployment: str
    holder: str
    owner: str
    epoch: int
    since: str
    boot: str
    renewed: float

    def left(self, now: Moment) -> float:
        """Seconds until it runs out; not above 0 where it has."""
        return self.renewed + TTL - now.clock if self.boot == now.boot else 0.0

    def is_of(self, claim: Claim) -> bool:
        return (self.holder, self.epoch) == (claim.holder, claim.epoch)


@dataclass(frozen=True)
class Claim:
    """Who asks: *holder* is its process, ``CONTROLLER:PID:START``; *running*, if known, are all that are alive there.

    *epoch* is that of the lease that it has; None asks for a new one.
    """

    holder: str
    owner: str
    epoch: Optional[int] = None
    running: Optional[frozenset[str]] = None
    force: bool = False

    def beats(self, lease: Lease, now: Moment) -> bool:
        """It gets what *lease* was given for: that has run out, or its holder is known to be dead, or it is forced."""
        same_controller = lease.holder.partition(":")[0] == self.holder.partition(":")[0]
        dead = same_controller and self.running is not None and lease.holder not in self.running
        return dead or self.force or lease.holder == self.holder or lease.left(now) <= 0


def parse_claim(lease: Optional[Mapping[str, Any]]) -> Optional[Claim]:
    """Who asks; None where nobody said."""
    if not lease:
        return None
    running = None if lease.get("running") is None else frozenset(lease["running"])
    return Claim(lease["holder"], lease["owner"], lease.get("epoch"), running, bool(lease.get("force")))


def by_hand() -> Claim:
    """The claim of a call that was given none: it holds the deployment while it works."""
    return Claim(f"call:{os.getpid()}:{time.monotonic_ns()}", f"a call by hand on this host (process {os.getpid()})")


class Held(ProfileError):
    """Another holds the lease."""

    def __init__(self, lease: Lease, now: Moment) -> None:
        self.lease = lease
        super().__init__(
            f"deployment {lease.deployment} on this host is held by {lease.owner} since {lease.since}"
            f" (last seen {max(0.0, now.clock - lease.renewed):.0f} s ago): wait for it (-e profile_lock_wait=SECONDS);"
            f" if it is dead, its hold ends in {lease.left(now):.0f} s"
        )


class DiskFull(ProfileError):
    """There is no space left for a lease."""


class MustEnd(ProfileError):
    """The call that this is raised in has no business here any more."""


class Lost(MustEnd):
    """The lease that a call came with does not count any more."""

    def __init__(self, deployment: str, lease: Optional[Lease]) -> None:
        by = f"{lease.owner} has taken it over at {lease.since}" if lease else "another has taken it over and finished"
        super().__init__(
            f"deployment {deployment} on this host is not this playbook's any more: {by}; nothing more was done here"
        )


def decide(deployment: str, lease: Optional[Lease], claim: Claim, now: Moment) -> Lease:
    """The lease that *claim* gets, where *lease* is in the file. Raises Held or Lost.

    Who has the lease keeps it, also after it has run out, as long as nobody else took it.
    """
    if claim.epoch is not None:
        if lease is None or not lease.is_of(claim):
            raise Lost(deployment, lease)
        return replace(lease, boot=now.boot, renewed=now.clock)
    if lease is not None and not claim.beats(lease, now):
        raise Held(lease, now)
    # Microseconds since boot: another each time, although a lease that was given back leaves no trace.
    epoch = int(now.clock * 1_000_000)
    return Lease(deployment, claim.holder, claim.owner, epoch, now.wall, now.boot, now.clock)


def this_moment() -> Moment:
    """Now, on this host."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as stream:
        boot = stream.read().strip()
    return Moment(boot, time.clock_gettime(time.CLOCK_BOOTTIME), time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()))


@dataclass(frozen=True)
class Leases:
    """The leases of this host: ``leases/DEPLOYMENT/lease.json`` in the state directory *root*.

    Every look at a lease, and what follows from it, is under the lock of the folder ``leases``; whoever works on a
    deployment is alone by the lock of its own folder. Raises ProfileError where something cannot be written.
    """

    root: str
    clock: Callable[[], Moment] = field(default=this_moment)

    def folder(self, deployment: str = "") -> str:
        return os.path.join(self.root, "leases", deployment).rstrip("/")

    def names(self) -> list[str]:
        """Deployments of which there is a lease."""
        return sorted(os.listdir(self.folder())) if os.path.isdir(self.folder()) else []

    def read(self, deployment: str) -> Optional[Lease]:
        """The lease of a deployment; None where there is none, or none that can be read (a power cut ended it)."""
        try:
            with open(self._path(deployment), encoding="utf-8") as stream:
                return Lease(**json.load(stream))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        except OSError as error:
            raise ProfileError(f"cannot be read: {error.strerror}", file=self._path(deployment)) from None

    def obtain(self, deployment: str, claim: Claim) -> Lease:
        """Take the lease, or renew the one that *claim* has. Raises Held or Lost."""
        _make(self.folder())
        with locked(self.folder()):
            lease = decide(deployment, self.read(deployment), claim, self.clock())
            _make(self.folder(deployment))
            path = self._path(deployment)
            with _told(path):  # power cuts do not count: a boot ends the lease
                replace_file(path, json.dumps(asdict(lease)).encode(), 0o660, durable=False)
            return lease

    def check(self, deployment: str, claim: Claim) -> None:
        """Raises Lost where the lease that *claim* has does not count any more."""
        lease = self.read(deployment)
        if lease is None or not lease.is_of(claim):
            raise Lost(deployment, lease)

    def give_back(self, deployment: str, claim: Claim) -> None:
        """Remove the lease that *claim* has, if it still has it."""
        if os.path.isdir(self.folder(deployment)):
            with locked(self.folder()), suppress(Lost):
                self.check(deployment, claim)
                shutil.rmtree(self.folder(deployment))

    def outlast(self, deployment: str, claim: Claim, wait: float) -> None:
        """Wait until *claim* can have the lease: *wait* seconds, or as long as its holder gives no sign of life.

        Raises Held.
        """
        begun, seen, alive = self.clock().clock, self.read(deployment), False
        while True:
            now, lease = self.clock(), self.read(deployment)
            try:
                decide(deployment, lease, claim, now)
                return
            except Held:
                alive = alive or (lease != seen and now.clock - begun > LAST_WORDS)
                seen = lease
                if alive and now.clock - begun >= wait:
                    raise
            time.sleep(0.25)

    def _path(self, deployment: str) -> str:
        return os.path.join(self.folder(deployment), "lease.json")


def _make(folder: str) -> None:
    """A folder in which the group may write, too."""
    if not os.path.isdir(folder):
        with _told(folder):
            os.makedirs(folder, exist_ok=True)
            os.chmod(folder, 0o2770)  # not subject to the umask


@contextmanager
def _told(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        kind = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else ProfileError
        raise kind(f"cannot be written: {error.strerror}", file=path) from None


class Work:
    """A call that works on *deployment* under the lease that *claim* has.

    It may still be running when it should not: it has lost the lease, or its controller is gone. So it looks at
    :meth:`checkpoint` before each write and while it waits; and the next call begins only when it has ended.
    """

    def __init__(self, leases: Leases, deployment: str, claim: Claim, release: bool = False) -> None:
        self.leases, self.deployment, self.claim = leases, deployment, claim
        #: whether the lease is given back at the end
        self.release = release
        self._over: Optional[MustEnd] = None
        self._done = threading.Event()

    @property
    def must_end(self) -> bool:
        """Whether the lease is lost, or the controller gone."""
        return self._over is not None or abandoned(STDOUT)

    def checkpoint(self) -> None:
        """Raises MustEnd if the call must end here."""
        if self._over is not None:
            raise self._over

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Meanwhile the lease is renewed, and looked at."""
        thread = threading.Thread(target=self._look_after, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            thread.join()

    def _look_after(self) -> None:
        renewed = time.monotonic()
        while not self._done.wait(LOOK):
            try:
                self.leases.check(self.deployment, self.claim)
                if abandoned(STDOUT):
                    raise MustEnd("the controller is gone")
                if time.monotonic() - renewed > TTL / 4:
                    renewed = time.monotonic()
                    self.leases.obtain(self.deployment, self.claim)
            except MustEnd as error:
                self._over = error
                return
            except ProfileError:
                continue  # a full disk does not end the work: the lease is still there, if it is not renewed


def abandoned(handle: int) -> bool:
    """Whether *handle* is a pipe or socket that nobody reads any more."""
    poll = select.poll()
    poll.register(handle, 0)  # errors and hang-ups are told without being asked for
    return any(event & (select.POLLERR | select.POLLHUP) for _handle, event in poll.poll(0))


@contextmanager
def working(leases: Leases, deployment: str, claim: Claim, release: bool = False) -> Iterator[Work]:
    """Work on *deployment* under its lease, alone; with *release* it is given back at the end.

    Raises Held or Lost, or ProfileError where the call of the former holder does not end.
    """
    mine = replace(claim, epoch=leases.obtain(deployment, claim).epoch)
    work = Work(leases, deployment, mine, release)
    try:
        with locked(leases.folder(deployment), PATIENCE):
            leases.check(deployment, mine)
            yield work
    finally:
        if work.release:
            leases.give_back(deployment, mine)
        elif not work.must_end:  # where nobody is there any more, that is no sign of life
            with suppress(ProfileError):
                leases.obtain(deployment, mine)  # it lives its full time from here on
