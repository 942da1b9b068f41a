# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of a results directory: listed, and pruned. What is not the directory of a run is never touched."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.container_metrics import CPU, FPS, LATENCY
from ansible_collections.retail.profiles.plugins.plugin_utils.results.report_tables import figure, moment
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import RECORD, RunDirectory
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import SCHEMA
from ansible_collections.retail.profiles.plugins.plugin_utils.text.aligned import aligned

HEADINGS = ("RUN", "PROFILE", "STARTED", "VERDICT", "OBJECTIVES", "HEADLINE", "NOTES")
LONGEST_NOTES = 60
_UNDER_WAY = 3600.0
"""Seconds since its last change, up to which a run that has no end may still be going on."""


@dataclass(frozen=True)
class ListedRun:
    """A run in a line."""

    path: Path
    record: Mapping[str, Any]

    @property
    def started(self) -> str:
        return str(self.record.get("started") or "")

    @property
    def objectives(self) -> str:
        """How many of its objectives it met."""
        states = [objective["state"] for objective in self.record.get("objectives") or ()]
        return f"{states.count('met')} of {len(states)} met" if states else "-"

    @property
    def headline(self) -> str:
        """The figures that people look for first."""
        totals = self.record.get("totals") or {}
        fps = (totals.get(FPS.name) or {}).get("mean")
        latency = totals.get(LATENCY.name) or {}
        told = [f"{figure(fps)} fps"] if fps is not None else []
        for statistic in ("p99", "p50"):
            if latency.get(statistic) is not None:
                return ", ".join([*told, f"{statistic} {figure(1000.0 * latency[statistic])} ms"])
        return ", ".join(told or self._cpu()) or "-"

    def _cpu(self) -> list[str]:
        figures = [metrics.get(CPU.name) or {} for metrics in (self.record.get("metrics") or {}).values()]
        cores = [one["mean"] for one in figures if one.get("mean") is not None]
        return [f"{figure(sum(cores))} cores"] if cores else []

    @property
    def under_way(self) -> bool:
        """Whether it may be going on: it has no end, and something of it was written lately."""
        if self.record.get("finished") is not None:
            return False
        return any(time.time() - path.stat().st_mtime < _UNDER_WAY for path in self.path.iterdir())

    def as_dict(self) -> dict[str, Any]:
        return {
            "run_id": self.record["run_id"],
            "run_dir": str(self.path),
            "profile": self.record["profile"],
            "started": self.started,
            "verdict": self.record["verdict"],
            "objectives": self.objectives,
            "headline": self.headline,
            "notes": str(self.record.get("notes") or ""),
        }


def runs_in(folder: Path) -> list[ListedRun]:
    """The runs of a results directory, the newest first. Raises ProfileError where it is none."""
    try:
        paths = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()]
    except OSError as error:
        raise ProfileError(f"cannot be read: {error.strerror or error}", file=str(folder)) from error
    found = [ListedRun(path, record) for path in paths if (record := _record(path)) is not None]
    return sorted(found, key=lambda run: (run.started, run.path.name), reverse=True)


def _record(path: Path) -> dict[str, Any] | None:
    """The record of a run's directory; None where it is not the directory of a run."""
    try:
        record = json.loads((path / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    whole = isinstance(record, dict) and record.get("schema") == SCHEMA and "run_id" in record
    return record if whole else None


def table(runs: Sequence[ListedRun]) -> str:
    """The runs as a table for a terminal."""
    return "\n".join(aligned([HEADINGS, *(_row(run.as_dict()) for run in runs)]))


def _row(run: Mapping[str, Any]) -> tuple[str, ...]:
    notes = " ".join(run["notes"].split())
    short = notes if len(notes) <= LONGEST_NOTES else f"{notes[: LONGEST_NOTES - 1]}…"
    when = moment(run["started"])
    return run["run_id"], run["profile"], when, run["verdict"], run["objectives"], run["headline"], short


def surplus(runs: Sequence[ListedRun], keep: int) -> list[ListedRun]:
    """The runs beyond the newest ``keep``; one that may be going on is kept besides."""
    return [run for run in runs[keep:] if not run.under_way]


def prune(folder: Path, runs: Sequence[ListedRun]) -> None:
    """Remove these runs of a results directory; ``latest`` then points to the newest that is left. ProfileError."""
    for run in runs:
        try:
            _remove(run.path)
        except OSError as error:
            raise ProfileError(f"cannot be removed: {error.strerror or error}", file=str(run.path)) from error
    link = folder / "latest"
    left = runs_in(folder)
    if link.is_symlink() and not link.exists():
        if left:
            RunDirectory(left[0].path).link_latest()
        else:
            link.unlink()


def _remove(path: Path) -> None:
    """The record goes last: until then an interruption leaves what is still known as a run."""
    for inner in _inner(path):
        if inner.is_dir() and not inner.is_symlink():
            shutil.rmtree(inner)
        else:
            inner.unlink()
    shutil.rmtree(path)


def _inner(path: Path) -> Iterator[Path]:
    return (inner for inner in list(path.iterdir()) if inner.name != RECORD)
