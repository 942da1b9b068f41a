# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of one run: created, appended to, read. Nothing that was written is ever lost.

Whole files are replaced atomically; samples are appended as gzip members of their own, events as lines, so that an
interruption costs at most what was being written.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import math
import re
import secrets
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.disk import replace_file
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import Searches, searches_of

RECORD = "run.json"
PLAN = "plan.json"
SAMPLES = "samples.jsonl.gz"
EVENTS = "events.jsonl"
SUMMARY = "summary.csv"
TIDY = "metrics.csv"
OPENMETRICS = "metrics.prom"
LINE_PROTOCOL = "metrics.lp"
PARQUET = "metrics.parquet"
REPORT = "report.html"
SEARCH = "search.json"
DENSITY = "density.csv"
UPSTREAM_DENSITY = "stream_density.json"
_READ_SIZE = 4096
_MEMBER_START = b"\x1f\x8b\x08"


def safe_name(text: str) -> str:
    """A name as a file name: no separators, no leading dot, never empty."""
    return re.sub(r"[^A-Za-z0-9._-]", "_", text).lstrip(".") or "_"


def dumps(data: object) -> str:
    """One line of strict JSON. Raises ValueError on a number that JSON cannot hold."""
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def pretty(data: object) -> str:
    """Strict JSON that a person can read. Raises ValueError on a number that JSON cannot hold."""
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def dumps_finite(data: object) -> str:
    """One line of strict JSON for what others wrote: a number that JSON cannot hold becomes null."""
    try:
        return dumps(data)
    except ValueError:
        return dumps(_finite(data))


def _finite(data: object) -> object:
    if isinstance(data, Mapping):
        return {key: _finite(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_finite(value) for value in data]
    return None if isinstance(data, float) and not math.isfinite(data) else data


def gunzip_members(path: Path, begin: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes of each gzip member of a file; of a member that is cut off or damaged, what it still gives.

    After damage, reading goes on at the next member that can be found. ``begin``, ``end``: of a part of the file.
    """
    with path.open("rb") as file:
        file.seek(begin)
        whole = file.read(-1 if end is None else max(0, end - begin))
    data = memoryview(whole)
    position = 0
    while position < len(data):
        inflate = zlib.decompressobj(wbits=31)
        pieces: list[bytes] = []
        read = position
        with contextlib.suppress(zlib.error):
            while not inflate.eof and read < len(data):
                pieces.append(inflate.decompress(data[read : read + _READ_SIZE]))
                read += _READ_SIZE
        yield b"".join(pieces)
        if inflate.eof:
            position = min(read, len(data)) - len(inflate.unused_data)
        else:
            following = whole.find(_MEMBER_START, position + 1)
            position = following if following >= 0 else len(data)


def stamp() -> str:
    """Now, as names of directories have it: UTC to the second."""
    return datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def reserve(parent: Path, name: str) -> Path:
    """Make a folder of this name that was not there; where it is, one with a number from 2 on behind. ProfileError."""
    number, path = 1, parent / name
    while True:
        try:
            path.mkdir(parents=True)
            return path
        except FileExistsError:
            number += 1
            path = parent / f"{name}-{number}"
        except OSError as error:
            raise ProfileError(f"cannot be made: {error.strerror or error}", file=str(path)) from error
        except ValueError as error:  # a path that cannot be one
            raise ProfileError(f"cannot be made: {error}", file=str(path)) from error


@dataclass(frozen=True)
class RunDirectory:
    """A run's directory at ``path``; methods raise ProfileError with the file that could not be read or written."""

    path: Path

    def create(self, plan: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        """Make the directory with its plan and first record, and point ``latest`` beside it to it."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ProfileError(f"cannot be made: {error.strerror or error}", file=str(self.path)) from error
        self.write(PLAN, json.dumps(plan, indent=1, ensure_ascii=False) + "\n")
        self.write_record(record)
        self.link_latest()

    def lay_events_aside(self) -> None:
        """Begin the events anew where there are some: the run goes on after an interruption, and is judged by what is
        new. The old ones stay beside them."""
        events = self.path / EVENTS
        if events.exists():
            number = len(list(self.path.glob("events-*.jsonl"))) + 1
            try:
                events.rename(self.path / f"events-{number}.jsonl")
            except OSError as error:
                raise ProfileError(f"cannot be laid aside: {error.strerror or error}", file=str(events)) from error

    def link_latest(self) -> None:
        """Atomically make the symlink ``latest`` beside the directory point to it."""
        link = self.path.parent / "latest"
        temporary = self.path.parent / f".latest.{secrets.token_hex(4)}"
        try:
            temporary.symlink_to(self.path.name)
            temporary.replace(link)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise ProfileError(
                f"cannot be pointed to {self.path.name}: {error.strerror or error}", file=str(link)
            ) from error

    def write(self, name: str, content: str | bytes) -> None:
        """Replace one file by ``content``, atomically."""
        path = str(self.path / name)
        data = content.encode("utf-8", "replace") if isinstance(content, str) else content
        try:
            replace_file(path, data)
        except OSError as error:
            raise ProfileError(f"cannot be written: {error.strerror or error}", file=path) from error

    def remove(self, name: str) -> None:
        """Remove one file, if it is there."""
        try:
            (self.path / name).unlink(missing_ok=True)
        except OSError as error:
            message = f"cannot be removed: {error.strerror or error}"
            raise ProfileError(message, file=str(self.path / name)) from error

    def write_record(self, record: Mapping[str, Any]) -> None:
        """Replace ``run.json``."""
        self.write(RECORD, pretty(record))

    def _append(self, path: Path, data: bytes) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("ab", buffering=0) as handle:
                view = memoryview(data)
                while view:
                    view = view[handle.write(view) :]
        except OSError as error:
            raise ProfileError(f"cannot be appended to: {error.strerror or error}", file=str(path)) from error

    def append_samples(self, lines: Sequence[str]) -> None:
        """Append sample lines as one gzip member."""
        if lines:
            text = "\n".join(lines) + "\n"
            self._append(self.path / SAMPLES, gzip.compress(text.encode("utf-8", "replace"), compresslevel=6))

    def append_event(self, event: Mapping[str, Any]) -> None:
        """Append one event."""
        self._append(self.path / EVENTS, (dumps(event) + "\n").encode("utf-8", "replace"))

    def append_log(self, host: str, replica: str, lines: Iterable[str]) -> None:
        """Append lines to the log of a replica."""
        path = self.path / "logs" / safe_name(host) / f"{safe_name(replica)}.log"
        self._append(path, "".join(f"{line}\n" for line in lines).encode("utf-8", "replace"))

    def read_json(self, name: str) -> dict[str, Any]:
        """A JSON file of the run. Raises ProfileError where it is not there or no JSON mapping."""
        path = self.path / name
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            hint = "is the callback retail.profiles.profile_metrics enabled?"
            raise ProfileError(f"cannot be read: {error.strerror or error}; {hint}", file=str(path)) from error
        except ValueError as error:
            raise ProfileError(f"is no JSON: {error}", file=str(path)) from error
        if not isinstance(data, dict):
            raise ProfileError("is not a JSON mapping", file=str(path))
        return data

    def events(self) -> list[dict[str, Any]]:
        """All events in order; a line that was cut off by an interruption is left out."""
        path = self.path / EVENTS
        if not path.exists():
            return []
        result = []
        for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
            data = _mapping(line)
            if data is not None:
                result.append(data)
        return result

    def samples(self, types: Sequence[str] = (), begin: int = 0, end: int | None = None) -> Iterator[dict[str, Any]]:
        """All samples in the order of arrival; only those of ``types`` if given. Lines cut off are left out.

        ``begin``, ``end``: only those between two of the places that `samples_end` gave.
        """
        path = self.path / SAMPLES
        if not path.exists():
            return
        markers = tuple(f'"type":"{name}"' for name in types)
        for line in _lines(gunzip_members(path, begin, end)):
            if markers and not any(marker in line for marker in markers):
                continue
            data = _mapping(line)
            if data is not None:
                yield data

    def samples_end(self) -> int:
        """The place behind the samples that there are by now, in bytes of their file."""
        path = self.path / SAMPLES
        return path.stat().st_size if path.exists() else 0

    def searches(self) -> Searches | None:
        """The state of the run's search for stream density; None where it has none."""
        if not (self.path / SEARCH).exists():
            return None
        return searches_of(self.read_json(SEARCH), str(self.path / SEARCH))


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Lines of each member; a member always ends its last line, so that what a damaged one leaves open is dropped."""
    for piece in pieces:
        with io.TextIOWrapper(io.BytesIO(piece), encoding="utf-8", errors="replace", newline="\n") as text:
            for line in text:
                if line.endswith("\n"):
                    yield line


def _mapping(line: str) -> dict[str, Any] | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
