# SPDX-License-Identifier: GPL-3.0-or-later
"""One watched container: found, lost and found again; its counters, its log, its Prometheus endpoint, its files."""

from __future__ import annotations

import time
from typing import Any, Optional, Protocol

from ansible_collections.retail.profiles.plugins.module_utils.common.processes import start_time
from ansible_collections.retail.profiles.plugins.module_utils.devices.kinds import Devices
from ansible_collections.retail.profiles.plugins.module_utils.engine.http_response import HttpError
from ansible_collections.retail.profiles.plugins.module_utils.sampler import engine_requests
from ansible_collections.retail.profiles.plugins.module_utils.sampler.cgroup import (
    NO_BLOCK_IO,
    Counters,
    GoneError,
    Hierarchies,
)
from ansible_collections.retail.profiles.plugins.module_utils.sampler.config import Scrape, Watched
from ansible_collections.retail.profiles.plugins.module_utils.sampler.file_reads import FileReads
from ansible_collections.retail.profiles.plugins.module_utils.sampler.files import Archive, Pattern
from ansible_collections.retail.profiles.plugins.module_utils.sampler.http_client import Exchange, get
from ansible_collections.retail.profiles.plugins.module_utils.sampler.logs import LogDecoder, LogLine, RateCap
from ansible_collections.retail.profiles.plugins.module_utils.sampler.store import Before

INSPECT_SECONDS = 10.0
SCRAPE_SECONDS = 10.0
INSPECT_LIMIT = 4 << 20
SCRAPE_LIMIT = 4 << 20
TEXT_LIMIT = 512 << 10  # of what is kept of one scrape
ABSENT_AGAIN = 2.0  # seconds until a container that is not there is looked for again
LOG_AGAIN = 2.0  # seconds until a log that ended is followed again
LOG_REFUSED_AGAIN = 30.0
LAG_SECONDS = 2.0  # by which a log may be read late without a word

LOG_BURST_LINES, LOG_BURST_BYTES = 5000, 4 << 20
LOG_LINES_PER_SECOND, LOG_BYTES_PER_SECOND = 200, 64 << 10
TOO_FAST = (
    f"log lines dropped: faster than {LOG_LINES_PER_SECOND} lines or {LOG_BYTES_PER_SECOND // 1024} KiB a second"
    f" (after a burst of {LOG_BURST_LINES} lines or {LOG_BURST_BYTES >> 20} MiB)"
)


class Surroundings(Protocol):
    """What a replica needs of the loop that it lives in."""

    engine: str
    hierarchies: Hierarchies
    devices: Devices
    counts_block_io: bool

    def emit(self, record: dict[str, Any]) -> None:
        """Take a record."""

    def hide(self, secrets: tuple[str, ...]) -> None:
        """Keep these out of all records from now on."""

    def follow(self, exchange: Exchange) -> None:
        """Serve the exchange's socket."""

    def has_more(self, exchange: Exchange) -> bool:
        """Whether more of a log had come than was read of it at the last reading."""

    def owner_of_network(self, replica: ReplicaSampler, other: str) -> Optional[str]:
        """Who counts the network of container *other* (name or id): a replica's name; None when *replica* does."""

    def address_of(self, container: str) -> Optional[str]:
        """Address of a watched container, by name or id."""


class ReplicaSampler:
    """State of one watched container. `tick` is called at each interval; all else happens when sockets are ready."""

    def __init__(self, watched: Watched, around: Surroundings, past: Before) -> None:
        self.watched = watched
        self.name = watched.name
        self.seen: Optional[engine_requests.ContainerSeen] = None
        self._around = around
        self._counters: Optional[Counters] = None
        self._up = False
        self._started_before = past.started_at
        self._process: Optional[str] = None  # start time of the container's process, where files do not tell its end
        self._told: dict[str, str] = {}
        self._inspecting: Optional[Exchange] = None
        self._inspect_at = 0.0
        self._inspect_body: list[bytes] = []
        self._hidden = ""  # the container whose secret files are known
        self._log: Optional[Exchange] = None
        self._log_at = 0.0
        # A sample's time is a float: a microsecond more, so that the last line is not taken a second time.
        self._log_last_ns = None if past.last_log is None else int(past.last_log * 1e9) + 1000
        self._log_from_ns = 0
        self._log_wanted = False
        self._decoder = LogDecoder(False)
        self._cap = RateCap(LOG_BURST_LINES, LOG_BURST_BYTES, LOG_LINES_PER_SECOND, LOG_BYTES_PER_SECOND)
        self._scraping: Optional[Exchange] = None
        self._scrape_at = 0.0
        self._prefixes = tuple(prefix.encode() for prefix in watched.prometheus.prefixes) if watched.prometheus else ()
        self._scrape_body: list[bytes] = []
        self.files = FileReads(
            watched.files, around, lambda kind, **fields: self._emit(kind, replica=self.name, **fields), self.absent
        )

    # What is missing, and why

    def absent(self, metric: str, reason: str) -> None:
        """Record that *metric* cannot be had; the same reason is told once."""
        if self._told.get(metric) != reason:
            self._told[metric] = reason
            self._emit("absent", subject=self.name, metric=metric, reason=reason)

    def _emit(self, kind: str, t: Optional[float] = None, **fields: Any) -> None:
        self._around.emit({"t": time.time() if t is None else t, "type": kind, **fields})

    # The interval

    def tick(self, now: float) -> None:
        """Read the counters, and begin what is due (*now*: monotonic seconds)."""
        if self._up:
            try:
                self._read_counters()
            except GoneError:
                self._lost(now)
        if self._inspecting is None and self._inspect_at <= now and not self._watching:
            self._inspect(now)
        if self._log_wanted and self.seen is not None and self._log is None and self._log_at <= now:
            self._follow_log(now, self.seen)
        if self._up and self.seen is not None and self.watched.prometheus is not None and self._scraping is None:
            self._scrape(now, self.seen, self.watched.prometheus)
        lines, size = self._cap.take_dropped()
        if lines:
            why = f"{lines} {TOO_FAST}"
            self._emit("absent", subject=self.name, metric="log", reason=why, dropped_lines=lines, dropped_bytes=size)
        self._tell_lag()

    @property
    def _watching(self) -> bool:
        return self._up and self._counters is not None

    def _read_counters(self) -> None:
        if self._counters is None or self.seen is None:
            return
        t = time.time()
        if not self._counters.readable:
            self._check_process(self.seen.pid)
        fields = self._counters.read(self._around.counts_block_io)
        why = self._network_counted_elsewhere(self.seen)
        if why is not None:
            fields["net"] = None
            self.absent("network", why)
        devices = self._around.devices.of_container(self.seen.id)
        if devices:
            fields["devices"] = devices
        self._around.emit({"t": t, "type": "container", "replica": self.name, "id": self.seen.id, **fields})
        if fields["blk"] is not None:
            self._around.counts_block_io = self._around.counts_block_io or self._counters.block_seen
        elif "block_io" not in self._counters.absent:
            self.absent("block_io", NO_BLOCK_IO)
        if fields["net"] is None and self._counters.has_network and why is None:
            self.absent("network", "has no network interface but the loopback")
        for metric, reason in self._counters.absent.items():
            self.absent(metric, reason)

    def _check_process(self, pid: int) -> None:
        started = start_time(pid, self._around.hierarchies.proc)
        self._process = self._process or started
        if started is None or started != self._process:
            raise GoneError

    def _lost(self, now: float) -> None:
        """Its process is gone: the engine is asked, at once, what became of it."""
        self._let_go_counters()
        self._inspect_at = now

    def _let_go_counters(self) -> None:
        if self._counters is not None:
            self._counters.close()
            self._counters = None
        self._process = None

    # The engine's view

    def _inspect(self, now: float) -> None:
        self._inspect_at = now + ABSENT_AGAIN
        self._inspect_body = []
        try:
            self._inspecting = Exchange(
                self._around.engine,
                engine_requests.inspect_request(self.name),
                self._inspect_body.append,
                self._inspected,
                expires=now + INSPECT_SECONDS,
                limit=INSPECT_LIMIT,
            )
        except (HttpError, OSError) as error:
            self.absent("container", f"the engine cannot be asked: {error}")
            return
        self._around.follow(self._inspecting)

    def _inspected(self, status: Optional[int], error: Optional[str], body: bytes) -> None:
        self._inspecting = None
        if error is not None:
            self.absent("container", f"the engine cannot be asked: {error}")
            return
        if status == 404:
            self._is_gone(None)
            self.files.gone()
            self.absent("container", "no such container on this host")
            return
        if status != 200:
            self.absent("container", engine_requests.message(status, body))
            return
        try:
            seen = engine_requests.parse_inspect(b"".join(self._inspect_body))
        except ValueError as wrong:
            self.absent("container", str(wrong))
            return
        self._around.hide(seen.secrets)
        self._hide_files(seen, seen.secret_files if seen.id != self._hidden else ())

    def _hide_files(self, seen: engine_requests.ContainerSeen, paths: tuple[str, ...]) -> None:
        """Keep what is in these files of it out of all records, one file after the other, before there is a record."""
        if not paths:
            self._hidden = seen.id
            self._look_at(seen)
            return
        archive = Archive(Pattern(paths[0]), since=0.0)

        def ended(status: Optional[int], error: Optional[str], body: bytes) -> None:
            self._inspecting = None
            why = error or (engine_requests.message(status, body) if status not in (200, 404) else None)
            why = why or next(iter(archive.refused.values()), None)
            if why is not None:
                self.absent("container", f"its secret file {paths[0]} cannot be read, to be kept out of records: {why}")
                return
            self._around.hide(tuple(data.decode("utf-8", "replace") for data in archive.found.values()))
            self._hide_files(seen, paths[1:])

        try:
            self._inspecting = Exchange(
                self._around.engine,
                engine_requests.archive_request(seen.id, paths[0]),
                archive.feed,
                ended,
                expires=time.monotonic() + INSPECT_SECONDS,
                limit=INSPECT_LIMIT,
            )
        except (HttpError, OSError) as error:
            self.absent("container", f"the engine cannot be asked: {error}")
            return
        self._around.follow(self._inspecting)

    def _look_at(self, seen: engine_requests.ContainerSeen) -> None:
        if seen.running:
            self._is_up(seen)
        elif seen.never_started:
            self.absent("container", "was created, and not yet started")
        else:
            self._is_gone(seen)

    def _is_up(self, seen: engine_requests.ContainerSeen) -> None:
        before = self.seen
        if before is not None and before.id != seen.id:
            self._log_last_ns = None
        same = before is not None and (before.id, before.started_at) == (seen.id, seen.started_at)
        try:
            counters = self._open_counters(seen)
        except GoneError:
            # The engine has not yet noticed that the process ended; the next look will tell.
            self._inspect_at = 0.0
            return
        self._counters = counters
        self.seen = seen
        self._told.pop("container", None)
        if not (same and self._up):
            known = before.started_at if before is not None else self._started_before
            event = "up" if known in (None, seen.started_at) else "restarted"
            self._up = True
            self._log_wanted, self._log_at = True, 0.0
            self._emit("state", replica=self.name, event=event, started_at=seen.started_at, exit_code=None)
        for metric, reason in counters.absent.items():
            self.absent(metric, reason)

    def _open_counters(self, seen: engine_requests.ContainerSeen) -> Counters:
        self._let_go_counters()
        mode = self._mode(seen)
        if mode == "host":
            self.absent("network", "is on the host's network: the host's own counters have its traffic")
        elif mode == "none":
            self.absent("network", "has no network")
        own = mode not in ("host", "none")
        return Counters(self._around.hierarchies, seen.id, seen.pid, own_network=own)

    def _mode(self, seen: engine_requests.ContainerSeen) -> str:
        return seen.network_mode if self.watched.network == "own" else self.watched.network

    def _network_counted_elsewhere(self, seen: engine_requests.ContainerSeen) -> Optional[str]:
        # Asked at each reading: the other container may come to be known after this one.
        mode = self._mode(seen)
        if mode.startswith("container:"):
            owner = self._around.owner_of_network(self, mode[len("container:") :])
            if owner is not None:
                return f"shares the network of {owner}, which counts it"
        return None

    def _is_gone(self, seen: Optional[engine_requests.ContainerSeen]) -> None:
        self._let_go_counters()
        changed = seen is not None and (
            self.seen is None or (self.seen.id, self.seen.started_at) != (seen.id, seen.started_at)
        )
        if self._up or changed:
            last = seen or self.seen
            self._emit(
                "state",
                replica=self.name,
                event="gone",
                started_at=None if last is None else last.started_at,
                exit_code=None if seen is None else seen.exit_code,
            )
        self._up = False
        self.seen = seen or self.seen
        if seen is not None:
            self.files.begin(seen, time.monotonic())  # it may be removed at any time
        if changed:
            self._log_wanted = True  # it ran and ended unseen: its log is read once, to its end

    # The log

    def _follow_log(self, now: float, seen: engine_requests.ContainerSeen) -> None:
        self._log_at = now + LOG_AGAIN
        self._log_from_ns = self._log_last_ns or 0
        self._decoder = LogDecoder(seen.tty)
        try:
            self._log = Exchange(
                self._around.engine,
                engine_requests.logs_request(seen.id, self._log_last_ns),
                lambda data: self._take_lines(self._decoder.feed(data)),
                self._log_ended,
                patient=True,
            )
        except (HttpError, OSError) as error:
            self.absent("log", str(error))
            return
        self._around.follow(self._log)

    def _take_lines(self, lines: list[LogLine]) -> None:
        now = time.monotonic()
        for line in lines:
            if line.stream == "engine":
                self.absent("log", f"the engine ended the log: {line.text[:300]}")
                continue
            if line.t_ns is not None and line.t_ns <= self._log_from_ns:
                continue  # the engine begins with the last line that is already here
            if self._cap.allows(len(line.text), now):
                record: dict[str, Any] = {"replica": self.name, "stream": line.stream, "line": line.text}
                if line.cut:
                    record.update(truncated=True, cut_bytes=line.cut)
                self._emit("log", None if line.t_ns is None else line.t_ns / 1e9, **record)
            if line.t_ns is not None:
                self._log_last_ns = max(line.t_ns, self._log_last_ns or 0)

    def _tell_lag(self) -> None:
        """Say how late the log is read, where it is written faster than it is read."""
        if self._log is None or self._decoder.at_ns is None or not self._around.has_more(self._log):
            return
        lag = round(time.time() - self._decoder.at_ns / 1e9, 3)
        if lag > LAG_SECONDS:
            why = f"the log is read {lag:.0f} s late: it is written faster than the sampler reads"
            self._emit("absent", subject=self.name, metric="log", reason=why, lag=lag)

    def _log_ended(self, status: Optional[int], error: Optional[str], body: bytes) -> None:
        self._take_lines(self._decoder.end())
        self._log = None
        self._log_at = time.monotonic() + LOG_AGAIN
        if error is not None:
            self.absent("log", error)
        elif status != 200:
            self._log_at += LOG_REFUSED_AGAIN
            self.absent("log", engine_requests.message(status, body))
        elif not self._up:
            self._log_wanted = False
        else:
            # A log ends with its container, or with the engine: both are seen by asking at once.
            self._inspect_at = self._log_at = 0.0

    # The Prometheus endpoint

    def _scrape(self, now: float, seen: engine_requests.ContainerSeen, target: Scrape) -> None:
        host = self._scrape_address(seen)
        if host is None:
            self.absent("prometheus", "the container has no address that the host could ask")
            return
        self._scrape_at = time.time()
        self._scrape_body = []
        shown = f"[{host}]" if ":" in host else host
        try:
            self._scraping = Exchange(
                (host, target.port),
                get(target.path, f"{shown}:{target.port}"),
                self._scrape_body.append,
                self._scraped,
                expires=now + SCRAPE_SECONDS,
                limit=SCRAPE_LIMIT,
            )
        except (HttpError, OSError) as error:
            self.absent("prometheus", str(error))
            return
        self._around.follow(self._scraping)

    def _scrape_address(self, seen: engine_requests.ContainerSeen) -> Optional[str]:
        mode = self._mode(seen)
        if mode == "host":
            return "127.0.0.1"
        if mode.startswith("container:"):
            return self._around.address_of(mode[len("container:") :])
        return seen.address

    def _scraped(self, status: Optional[int], error: Optional[str], body: bytes) -> None:
        self._scraping = None
        if error is not None:
            self.absent("prometheus", error)
            return
        if status != 200:
            self.absent("prometheus", f"the endpoint answered {status}")
            return
        kept = engine_requests.keep_lines(b"".join(self._scrape_body), self._prefixes)
        self._scrape_body = []
        if len(kept) > TEXT_LIMIT:
            self.absent("prometheus", f"the endpoint has more than {TEXT_LIMIT >> 10} KiB of samples")
            return
        if not kept:
            self.absent("prometheus", "the endpoint has no sample whose name is asked for")
            return
        self._told.pop("prometheus", None)
        self._emit("prometheus", self._scrape_at, replica=self.name, text=kept)

    def read_files(self, now: float) -> None:
        """Begin to read its files: the measurement ends (*now*: monotonic seconds)."""
        if self.seen is not None and (self._up or not self.seen.running):  # else it was removed
            self.files.begin(self.seen, now)

    def close(self) -> None:
        """Let go of everything; what the log still holds is recorded."""
        self.files.end()
        self._let_go_counters()
        if self._log is not None:
            self._tell_lag()
            self._log.abandon()
            self._take_lines(self._decoder.end())
        for exchange in (self._inspecting, self._scraping):
            if exchange is not None:
                exchange.abandon()
