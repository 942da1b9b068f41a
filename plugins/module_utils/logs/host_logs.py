# SPDX-License-Identifier: GPL-3.0-or-later
"""The log lines of our containers on this host, from a place in each log on; bounded, and without secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Optional, Union

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import (
    CONTAINER_LABEL,
    DEPLOYMENT_LABEL,
    SECRETS_LABEL,
)
from ansible_collections.retail.profiles.plugins.module_utils.container import secret_env
from ansible_collections.retail.profiles.plugins.module_utils.engine import archives
from ansible_collections.retail.profiles.plugins.module_utils.engine.api import EngineError, quoted
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine, Listed, listed, reachable
from ansible_collections.retail.profiles.plugins.module_utils.sampler.logs import LogDecoder, LogLine

#: what one call reads of all logs together, and of one log at least
CALL_BYTES = 16 << 20
LEAST_BYTES = 256 << 10
#: a line is stamped a moment before it can be read
LATE_NS = 200_000_000
_ALIVE = ("running", "restarting", "paused")
_AT_ONCE = 16


@dataclass(frozen=True)
class Place:
    """Where to go on in a log: at this time (unix nanoseconds), after so many lines that have it."""

    t_ns: int
    taken: int = 0


@dataclass(frozen=True)
class Wanted:
    """Which lines. *places* are by container id; where one has none, *since_ns* and *tail* say where it begins."""

    deployment: Optional[str] = None
    containers: tuple[str, ...] = ()
    since_ns: int = 0
    until_ns: Optional[int] = None
    tail: Optional[int] = None
    pattern: Optional[re.Pattern[str]] = None
    places: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """A line of a replica; *cut* is the number of bytes that it had beyond what is kept."""

    t_ns: int
    replica: str
    stream: str
    text: str
    cut: int


@dataclass(frozen=True)
class Read:
    """What was read of one log. *all_until_ns*: no line before this time is left; *more*: there are some after it."""

    lines: tuple[Line, ...]
    place: Place
    all_until_ns: int
    more: bool


class LogEngine(Engine):
    """An engine whose logs are read in pieces."""

    def log(self, container: str, query: Mapping[str, Any]) -> Iterator[bytes]:
        """The log of a container, in pieces as they come. Raises EngineError."""
        return archives.get(self._api, f"/containers/{quoted(container)}/logs", "read logs", query)


def connect(timeout: int) -> LogEngine:
    """As :func:`client.connect`."""
    return LogEngine(reachable(None), timeout)


def chosen(containers: Iterable[Listed], wanted: Wanted) -> list[Listed]:
    """Those that are ours and asked for: by the container's name in the profile, or the replica's."""
    found = []
    for item in containers:
        deployment = item.labels.get(DEPLOYMENT_LABEL)
        if deployment is None or wanted.deployment not in (None, deployment):
            continue
        if not wanted.containers or {item.name, item.labels.get(CONTAINER_LABEL)} & set(wanted.containers):
            found.append(item)
    return sorted(found, key=lambda item: item.name)


def read(engine: LogEngine, wanted: Wanted, now_ns: int) -> dict[str, Any]:
    """The lines of this host, and where the next call goes on; *now_ns* is the host's clock."""
    there = listed(engine.containers()).values()
    found = chosen(there, wanted)
    # A container may write what is another's secret.
    secret = [item.id for item in there if item.labels.get(SECRETS_LABEL)]
    budget = max(LEAST_BYTES, CALL_BYTES // max(1, len(found)))
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        inspected = list(pool.map(engine.inspect, (item.id for item in found)))
        secrets = pool.map(lambda id: secret_env.values(engine.inspect(id) or {}, partial(engine.read, id)), secret)
        hide = secret_env.Redactor(value for each in secrets for value in each.values())

        def ask(item: Listed, inspect: Optional[Mapping[str, Any]]) -> Union[Read, str, None]:
            if inspect is None:
                return None  # removed meanwhile
            try:
                return read_log(engine, item, bool(inspect["Config"].get("Tty")), wanted, budget, now_ns, hide)
            except EngineError as error:
                return str(error)

        answers = list(zip(found, pool.map(ask, found, inspected)))
    done = {item.id: answer for item, answer in answers if isinstance(answer, Read)}
    return {
        "replicas": [item.name for item in found],
        "alive": sum(item.state in _ALIVE for item in found),
        "lines": [[*vars(line).values()] for answer in done.values() for line in answer.lines],
        "places": {name: [answer.place.t_ns, answer.place.taken] for name, answer in done.items()},
        "all_until": min((answer.all_until_ns for answer in done.values()), default=now_ns - LATE_NS),
        "more": any(answer.more for answer in done.values()),
        "unread": {item.name: answer for item, answer in answers if isinstance(answer, str)},
    }


def read_log(
    engine: LogEngine,
    item: Listed,
    tty: bool,
    wanted: Wanted,
    budget: int,
    now_ns: int,
    hide: secret_env.Redactor,
) -> Read:
    """Up to *budget* bytes of one log. Raises EngineError, as for a log driver that cannot be read."""
    start = wanted.places.get(item.id)
    decoder, taking = LogDecoder(tty), _Taking(item.name, start or Place(wanted.since_ns), wanted, hide)
    size = 0
    for data in engine.log(item.id, query(start, wanted)):
        taking.take(decoder.feed(data))
        size += len(data)
        if taking.past_end:
            break
        if size >= budget and taking.moved:
            return Read(tuple(taking.lines), taking.place, taking.place.t_ns, more=True)
    else:
        taking.take(decoder.end())
    return Read(tuple(taking.lines), taking.place, min(now_ns - LATE_NS, wanted.until_ns or now_ns), more=False)


def query(start: Optional[Place], wanted: Wanted) -> dict[str, Any]:
    """What the engine is asked for of one log."""
    since = wanted.since_ns if start is None else start.t_ns
    asked: dict[str, Any] = {"stdout": 1, "stderr": 1, "timestamps": 1}
    if since:
        asked["since"] = f"{since // 1_000_000_000}.{since % 1_000_000_000:09d}"
    if start is None and wanted.tail is not None:
        asked["tail"] = wanted.tail
    return asked


class _Taking:
    """Takes lines in their order: none a second time, none after the end, and only those that are asked for."""

    def __init__(self, replica: str, start: Place, wanted: Wanted, hide: secret_env.Redactor) -> None:
        self.lines: list[Line] = []
        self.place = start
        self.past_end = False
        self._replica = replica
        self._wanted = wanted
        self._hide = hide
        self._start = start
        self._again = start.taken

    @property
    def moved(self) -> bool:
        """Whether the next call would begin at a later place."""
        return self.place.t_ns > self._start.t_ns or self.place.taken > self._start.taken

    def take(self, lines: Iterable[LogLine]) -> None:
        for line in lines:
            t_ns = self.place.t_ns if line.t_ns is None else line.t_ns
            if self._wanted.until_ns is not None and t_ns > self._wanted.until_ns:
                self.past_end = True
            if self.past_end:
                return
            if t_ns == self._start.t_ns and self._again:
                self._again -= 1  # the engine begins with the lines that are already there
                continue
            if t_ns >= self.place.t_ns:
                self.place = Place(t_ns, self.place.taken + 1 if t_ns == self.place.t_ns else 1)
            text = self._hide.text(line.text, cut=bool(line.cut))
            if self._wanted.pattern is None or self._wanted.pattern.search(text):
                self.lines.append(Line(t_ns, self._replica, line.stream, text, line.cut))


def pattern_of(grep: Optional[str]) -> Optional[re.Pattern[str]]:
    """The regular expression that lines must match. Raises ProfileError."""
    if not grep:
        return None
    try:
        return re.compile(grep)
    except re.error as error:
        raise ProfileError(f"{grep} is no regular expression: {error}", field="grep") from None
