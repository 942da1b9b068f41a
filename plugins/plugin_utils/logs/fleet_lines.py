# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log lines of all hosts, put in order of time: a database on the controller that all hosts' workers write to.

Lines are taken out in order once no host can give an earlier one; a host that keeps all others waiting is not waited
for longer than PATIENCE.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: seconds by which a line may be shown late for the order's sake
PATIENCE = 5.0
_LOCK_SECONDS = 60.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS hosts (
    name TEXT PRIMARY KEY, all_until INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL DEFAULT 0, silent TEXT
);
CREATE TABLE IF NOT EXISTS replicas (host TEXT, name TEXT, unread TEXT, PRIMARY KEY (host, name));
CREATE TABLE IF NOT EXISTS lines (
    number INTEGER PRIMARY KEY, t_ns INTEGER, host TEXT, replica TEXT, stream TEXT, text TEXT, cut INTEGER
);
CREATE INDEX IF NOT EXISTS in_order ON lines (t_ns, number);
"""


@dataclass(frozen=True)
class FleetLine:
    """A line of a replica; *t_ns* is in the controller's time where the host's clock is known to be another."""

    t_ns: int
    host: str
    replica: str
    stream: str
    text: str
    cut: int = 0


@dataclass(frozen=True)
class HostEnd:
    """How it ended with a host: *silent* says why it could not be asked (any more)."""

    name: str
    silent: str | None
    replicas: int


class FleetLines:
    """The database in a file; each process opens it for itself."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction of its own, alone among those that write."""
        with closing(sqlite3.connect(self._file, timeout=_LOCK_SECONDS, isolation_level=None)) as database:
            database.execute("PRAGMA synchronous = OFF")  # nothing of it outlives the playbook
            with database:  # commits, or rolls back
                database.execute("BEGIN IMMEDIATE")
                yield database

    def expect(self, hosts: Iterable[str]) -> None:
        """Know the hosts whose lines will come."""
        with self._open() as database:
            for statement in _SCHEMA.split(";"):
                database.execute(statement)
            database.executemany("INSERT OR IGNORE INTO hosts (name) VALUES (?)", [(host,) for host in hosts])

    def add(self, host: str, answer: Mapping[str, Any], lines: Iterable[FleetLine], all_until_ns: int) -> None:
        """Take the lines of one call, and that the host gives none before *all_until_ns* any more."""
        with self._open() as database:
            database.executemany(
                "INSERT INTO lines (t_ns, host, replica, stream, text, cut) VALUES (?, ?, ?, ?, ?, ?)",
                [(line.t_ns, line.host, line.replica, line.stream, line.text, line.cut) for line in lines],
            )
            database.executemany(
                "INSERT OR REPLACE INTO replicas VALUES (?, ?, ?)",
                [(host, name, answer["unread"].get(name)) for name in answer["replicas"]],
            )
            database.execute("UPDATE hosts SET all_until = ? WHERE name = ?", (all_until_ns, host))

    def end(self, host: str, silent: str | None = None) -> None:
        """No more lines come from a host; *silent*: it could not be asked, for this reason."""
        with self._open() as database:
            database.execute("UPDATE hosts SET ended = 1, silent = ? WHERE name = ?", (silent, host))

    def take(self, now: float | None) -> Iterator[FleetLine]:
        """Take out the lines that are due, in order: at *now* (the controller's clock), or all where that is None.

        Whoever takes has the database to itself until it has taken all.
        """
        with self._open() as database:
            due = "" if now is None else f"WHERE t_ns < {self._bound(database, now)}"
            columns = "t_ns, host, replica, stream, text, cut"
            for row in database.execute(f"SELECT {columns} FROM lines {due} ORDER BY t_ns, number"):
                yield FleetLine(*row)
            database.execute(f"DELETE FROM lines {due}")

    @staticmethod
    def _bound(database: sqlite3.Connection, now: float) -> int:
        """The time before which no line is waited for."""
        (least,) = database.execute("SELECT MIN(all_until) FROM hosts WHERE NOT ended").fetchone()
        patient = int((now - PATIENCE) * 1e9)
        return int(now * 1e9) if least is None else max(int(least), patient)

    def replicas(self) -> list[tuple[str, str]]:
        """Host and name of all replicas whose logs were asked for."""
        with self._open() as database:
            return list(database.execute("SELECT host, name FROM replicas ORDER BY host, name"))

    def unread(self) -> list[tuple[str, str, str]]:
        """Host, name and reason of the replicas whose logs cannot be read."""
        with self._open() as database:
            return list(database.execute("SELECT host, name, unread FROM replicas WHERE unread IS NOT NULL"))

    def hosts(self) -> list[HostEnd]:
        with self._open() as database:
            rows = database.execute(
                "SELECT name, silent, (SELECT COUNT(*) FROM replicas WHERE host = hosts.name) FROM hosts"
            )
            return [HostEnd(*row) for row in rows]
