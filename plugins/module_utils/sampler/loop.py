# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler's event loop: one thread, one selector, a schedule that does not drift."""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.container.secret_env import Redactor
from ansible_collections.retail.profiles.plugins.module_utils.devices.kinds import Devices
from ansible_collections.retail.profiles.plugins.module_utils.sampler.cgroup import Hierarchies, block_io_is_counted
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Config
from ansible_collections.retail.profiles.plugins.module_utils.sampler.file_reads import READ_SECONDS
from ansible_collections.retail.profiles.plugins.module_utils.sampler.host import HostCounters
from ansible_collections.retail.profiles.plugins.module_utils.sampler.http_client import Exchange
from ansible_collections.retail.profiles.plugins.module_utils.sampler.replica import ReplicaSampler
from ansible_collections.retail.profiles.plugins.module_utils.sampler.store import Before, Store

LOG_SECONDS = 1.0  # between readings of the logs
LOG_ROUNDS = 4  # times READ_BYTES of one log at a reading; beyond that the engine waits, not the other containers
DRAIN_SECONDS = 0.3
FLUSH_BYTES = 1 << 20
MOST_TRACEBACKS = 20
MOST_READS = 16  # files that are read at once: an engine's socket has no place for many more


def next_tick(start: float, interval: float, now: float) -> float:
    """The first time of the schedule start, start + interval, … that is after *now* (monotonic seconds)."""
    return start + (int((now - start) / interval + 1e-9) + 1) * interval


class Sampler:
    """Everything a running sampler holds. `run` returns why it ended.

    *wake*: a non-blocking socket that becomes readable on a signal; *stop* and *reload* are then looked at.
    *load* reads the configuration again.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        wake: socket.socket,
        load: Callable[[], Config],
        before: dict[str, Before],
        hierarchies: Hierarchies,
        host: HostCounters,
        devices: Devices,
    ) -> None:
        self.stop = False
        self.reload = False
        self.hierarchies = hierarchies
        self.counts_block_io = block_io_is_counted(self.hierarchies)
        self._wake = wake
        self._load = load
        self._store = store
        self._redactor = Redactor()
        self._selector = selectors.DefaultSelector()
        self._selector.register(wake, selectors.EVENT_READ)
        self._logs = selectors.DefaultSelector()
        self._logs_at = 0.0
        self._unread: set[Exchange] = set()
        self._served: dict[Exchange, selectors.BaseSelector] = {}
        self._host = host
        self.devices = devices
        self._told: set[tuple[str, str]] = set()
        self._lost_told = 0
        self._stuck: Optional[tuple[float, str]] = None  # since when the disk takes nothing (monotonic), and why
        self._tracebacks = 0
        self._ticked = 0.0
        self._replicas: dict[str, ReplicaSampler] = {}
        self._claims: dict[str, str] = {}
        self._before = before
        self._page = os.sysconf("SC_PAGE_SIZE")
        self._configure(config)

    def _configure(self, config: Config) -> None:
        self._config = config
        self.engine = config.engine
        self._start = time.monotonic()
        self._deadline = self._start + config.deadline
        wanted = {watched.name: watched for watched in config.replicas}
        for name in list(self._replicas):
            if wanted.get(name) != self._replicas[name].watched:
                self._replicas.pop(name).close()
        for name, watched in wanted.items():
            if name not in self._replicas:
                self._replicas[name] = ReplicaSampler(watched, self, self._before.pop(name, Before()))

    # What replicas ask of their surroundings

    def emit(self, record: dict[str, Any]) -> None:
        """Take a record. No secret of a container that has been seen is in what is stored of it."""
        self._store.add(self._redactor.record(record))
        if self._store.pending > FLUSH_BYTES and self._store.error is None:
            self._store.flush()

    def hide(self, secrets: tuple[str, ...]) -> None:
        """Keep these out of all records from now on."""
        self._redactor.add(secrets)

    def follow(self, exchange: Exchange) -> None:
        """Serve an exchange's socket until it ends."""

        def forget() -> None:
            self._served.pop(exchange).unregister(exchange.socket)

        exchange.before_close = forget
        self._served[exchange] = self._selector
        self._selector.register(exchange.socket, selectors.EVENT_WRITE, exchange)

    def has_more(self, exchange: Exchange) -> bool:
        """Whether more of a log had come than was read of it at the last reading."""
        return exchange in self._unread

    def owner_of_network(self, replica: ReplicaSampler, other: str) -> Optional[str]:
        """Who counts the network of container *other*: itself where it is watched, else the first that shares it."""
        for name, candidate in self._replicas.items():
            if candidate is not replica and _is(candidate, other):
                return name
        owner = self._claims.setdefault(other, replica.name)
        if owner not in self._replicas:
            owner = self._claims[other] = replica.name
        return None if owner == replica.name else owner

    def address_of(self, container: str) -> Optional[str]:
        """Address of a watched container, by name or id."""
        for replica in self._replicas.values():
            if _is(replica, container) and replica.seen is not None:
                return replica.seen.address
        return None

    # The loop

    def run(self) -> str:
        """Sample until told to stop, or the deadline, or the file is full; every record is in the file then."""
        due = self._start
        while True:
            now = time.monotonic()
            if self.stop:
                why = "stopped"
                break
            if self.reload:
                self.reload = False
                self._reconfigure()
                due = self._start
            if now >= due:
                self._tick(now)
                if now >= self._deadline or self._store.full:
                    why = "deadline" if now >= self._deadline else "the samples file has its greatest length"
                    break
                due = next_tick(self._start, self._config.interval, time.monotonic())
            self._serve(max(0.0, due - time.monotonic()))
        self._finish(why)
        return why

    def _reconfigure(self) -> None:
        try:
            self._configure(self._load())
        except Exception as error:
            self._complain(error)

    def _serve(self, timeout: float) -> None:
        """Wait for what is ready, at most *timeout* seconds, and move it on."""
        for key, _events in self._selector.select(timeout):
            if key.data is None:
                self._wake.recv(4096)
            else:
                self._move(key.data)

    def _serve_logs(self) -> bool:
        """Take what has come in of the logs, one piece of each; whether there was any."""
        ready = self._ready_logs()
        for exchange in ready:
            self._move(exchange)
        return bool(ready)

    def _ready_logs(self) -> set[Exchange]:
        return {key.data for key, _events in self._logs.select(0)}

    def _move(self, exchange: Exchange) -> None:
        if exchange.ended:
            return  # by what was ready before it
        try:
            sending = exchange.sending
            exchange.on_ready()
            if sending and not exchange.sending and not exchange.ended:
                self._selector.unregister(exchange.socket)
                self._served[exchange] = self._logs if exchange.patient else self._selector
                self._served[exchange].register(exchange.socket, selectors.EVENT_READ, exchange)
        except Exception as error:
            self._complain(error)
            with contextlib.suppress(Exception):  # its owner may fail a second time
                exchange.end(f"the sampler failed: {error}")

    def _tick(self, now: float) -> None:
        self._ticked = now
        for exchange in list(self._served):
            if exchange.expires is not None and now > exchange.expires:
                exchange.end("no answer in time")
        if now - self._logs_at >= LOG_SECONDS * 0.99:
            self._logs_at = now
            for _round in range(LOG_ROUNDS):
                if not self._serve_logs():
                    break
            self._unread = self._ready_logs()
        self._read_host(now)
        for replica in list(self._replicas.values()):
            try:
                replica.tick(now)
            except Exception as error:
                self._complain(error)
        self.observe()
        self._look_at_disk(now)
        self._store.flush()

    def _look_at_disk(self, now: float) -> None:
        """Say that the disk took nothing for a while, and what that cost, once it takes more."""
        if self._store.error is not None:
            since = self._stuck[0] if self._stuck is not None else now - self._config.interval
            self._stuck = (since, self._store.error)
            return
        if self._store.lost > self._lost_told:
            lost, self._lost_told = self._store.lost - self._lost_told, self._store.lost
            self._absent("samples", f"{lost} records lost while the host's disk took no more")
        elif self._stuck is not None:
            since, why = self._stuck
            self._absent("samples", f"the host's disk took nothing for {now - since:.0f} s, no record was lost: {why}")
        self._stuck = None

    def _read_host(self, now: float) -> None:
        # The monotonic clock tells where the wall clock was set.
        clocks = {"t": time.time(), "mono": round(time.monotonic(), 6)}
        self.emit({"type": "host", **clocks, **self._host.read(), "devices": self.devices.read(now)})
        # psi_cpu, psi_memory and psi_io are one to the reader
        of_host = ((metric.partition("_")[0], why) for metric, why in self._host.absent.items())
        for metric, why in (*of_host, *self.devices.absent.items()):
            if (metric, why) not in self._told:
                self._told.add((metric, why))
                self._absent(metric, why)

    def _absent(self, metric: str, why: str) -> None:
        self.emit({"t": time.time(), "type": "absent", "subject": None, "metric": metric, "reason": why})

    def observe(self, **more: Any) -> None:
        """Record what the sampler itself cost so far: CPU seconds of this process, and its resident memory."""
        with open("/proc/self/statm", "rb") as file:
            rss = int(file.read().split()[1]) * self._page
        record = {"t": time.time(), "type": "observer", "cpu_seconds": round(time.process_time(), 6), "rss_bytes": rss}
        self.emit({**record, **more})

    def _complain(self, error: Exception) -> None:
        self._tracebacks += 1
        if self._tracebacks <= MOST_TRACEBACKS:
            traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
            sys.stderr.flush()

    def _finish(self, why: str) -> None:
        now = time.monotonic()
        end = now + DRAIN_SECONDS
        if now - self._ticked > self._config.interval / 2:  # else the last samples are fresh enough
            self._tick(now)
        while time.monotonic() < end and self._serve_logs():  # what the engine has already sent of them
            pass
        self._unread = self._ready_logs()
        self._read_files()
        for replica in self._replicas.values():
            replica.close()
        self._store.flush()
        self._look_at_disk(time.monotonic())
        self.observe(event="end", reason=why)
        self._store.flush()
        self._host.close()
        self.devices.close()
        self._selector.close()
        self._logs.close()

    def _read_files(self) -> None:
        """Read the files of all containers: the measurement has ended."""
        end = time.monotonic() + READ_SECONDS
        for replica in self._replicas.values():
            replica.read_files(time.monotonic())
            self._serve_reads(MOST_READS, end)
        self._serve_reads(0, end)

    def _serve_reads(self, most: int, end: float) -> None:
        """Wait until at most so many files are still being read."""
        while sum(replica.files.pending for replica in self._replicas.values()) > most and time.monotonic() < end:
            self._serve(max(0.0, end - time.monotonic()))


def _is(replica: ReplicaSampler, other: str) -> bool:
    """Whether *other* (a name, an id, or the beginning of one) is the replica's container."""
    if replica.name == other.lstrip("/"):
        return True
    return len(other) >= 12 and replica.seen is not None and replica.seen.id.startswith(other)
