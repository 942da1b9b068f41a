# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs as they are compared: read from their directories, and refused where a comparison would say nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import PLAN, RECORD, RunDirectory
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_record import SCHEMA


@dataclass(frozen=True)
class ComparedRun:
    """A run's record and plan."""

    path: Path
    record: Mapping[str, Any]
    plan: Mapping[str, Any]

    @property
    def run_id(self) -> str:
        return str(self.record["run_id"])


def read(path: Path) -> ComparedRun:
    """The run of a directory. Raises ProfileError where it is none."""
    where = path.resolve()
    if not (where / RECORD).is_file():
        why = f"has no {RECORD}" if where.is_dir() else "is not there, or no directory"
        raise ProfileError(f"this is not the directory of a run: it {why}", file=str(path))
    directory = RunDirectory(where)
    record = directory.read_json(RECORD)
    if record.get("schema") != SCHEMA:
        raise ProfileError(
            f"{RECORD} is not the record of a run: its schema is {record.get('schema')!r}, not {SCHEMA!r}",
            file=str(path),
        )
    return ComparedRun(where, record, directory.read_json(PLAN))


def read_group(name: str, paths: Sequence[str], include_failed: bool) -> list[ComparedRun]:
    """The runs of the variable ``name``. Raises ProfileError where there is none, or one that is not ok."""
    if not paths:
        raise ProfileError(f"{name} names no run: give the directories of runs, as {name}=[results/ID, …]")
    runs = [read(Path(path)) for path in paths]
    for run in runs:
        verdict = run.record["verdict"]
        if verdict != "ok" and not include_failed:
            raise ProfileError(
                f"{name}: the verdict of run {run.run_id} is {verdict}, so its figures may not be what they seem: "
                "leave it out, or take it all the same with -e include_failed=true"
            )
    return runs


def check_groups(groups: Mapping[str, Sequence[ComparedRun]]) -> None:
    """Raise ProfileError for runs of different profiles, and for a run that stands in more than one place."""
    first = next(run for runs in groups.values() for run in runs)
    seen: dict[Path, str] = {}
    for name, runs in groups.items():
        for run in runs:
            profile, other = run.record["profile"], first.record["profile"]
            if profile != other:
                raise ProfileError(
                    f"{name}: run {run.run_id} is of the profile {profile}, and {first.run_id} of {other}: "
                    "only runs of one profile can be compared"
                )
            if run.path in seen:
                where = f"twice in {name}" if seen[run.path] == name else f"in {seen[run.path]} and in {name}"
                raise ProfileError(f"run {run.run_id} stands {where}: a run counts once")
            seen[run.path] = name
