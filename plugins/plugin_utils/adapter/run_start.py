# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The beginning of a run on the controller: its id and directory, and the run that it makes again."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import DEFAULTS
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import repeat, runs
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.runs import ComparedRun
from ansible_collections.retail.profiles.plugins.plugin_utils.results import provenance, run_record
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import (
    PLAN,
    RunDirectory,
    reserve,
    stamp,
)


def begin(args: Mapping[str, Any], planned: Mapping[str, Any]) -> tuple[str, str]:
    """The id and the directory of the run that begins: a new one, or that of the search that goes on. ProfileError."""
    name = f"{planned['deployment']}-{stamp()}-{planned['plan_id'][:8]}"
    if args["seek"] and args["resume"]:
        return name, str(resumable(Path(args["resume"]).absolute(), planned))
    path = reserve(Path(os.path.expanduser(args["results_dir"])).absolute(), name)
    # The playbook may be ended before the callback is told of the plan.
    begun, made_by = time.time(), provenance.describe()
    record = run_record.unfinished(planned, run_id=path.name, started=begun, now=begun, controller=made_by)
    RunDirectory(path).write_record(record)
    return path.name, str(path)


def resumable(path: Path, planned: Mapping[str, Any]) -> Path:
    """The directory of a run whose search can go on with a plan. Raises ProfileError where it cannot."""
    directory = RunDirectory(path)
    searches = directory.searches()
    if searches is None:
        raise ProfileError("there is no search to go on with: it has no search.json", file=str(path))
    if searches.ended:
        raise ProfileError("its search has come to its end: begin a new one, without resume", file=str(path))
    before = directory.read_json(PLAN)
    for key in ("profile", "deployment", "objectives"):
        if before.get(key) != planned[key]:
            raise ProfileError(
                f"a search goes on with what it began with: {key} {before.get(key)}, and not {planned[key]}",
                file=str(path),
            )
    streams = planned["streams"]
    if (searches.containers, searches.env) != (tuple(streams["containers"]), streams["env"]):
        raise ProfileError("a search goes on with what it began with: its streams were something else", file=str(path))
    return path


def repeated(args: Mapping[str, Any]) -> ComparedRun | None:
    """The run that is to be made again, where one is named. Raises ProfileError."""
    if not args["from_run"]:
        return None
    if args["plan"]:
        raise ProfileError("give plan or from_run, not both: a run that is made again has its own plan")
    return runs.read(Path(os.path.expanduser(args["from_run"])))


def measured_as(run: ComparedRun, name: str, given: float) -> float:
    """A variable of measuring as a run that is made again had it. Raises ProfileError where another is asked for."""
    before = repeat.measuring(run).get(name, given)
    if given not in (before, DEFAULTS[name]):
        raise ProfileError(
            f"{name} is {given:g}, and run {run.run_id} was measured with {before:g}: a run that is made again is "
            "measured as it was, so leave it out"
        )
    return before


def check_image(run: ComparedRun, replica: str, image: str, now: str | None, *, host: str, container: str) -> None:
    """Raise ProfileError where the image of a replica is not the one with which it ran."""
    before = repeat.image_ids(run).get(replica)
    if before is None or now == before:
        return
    state = f"is {now} now" if now else "is not there"
    raise ProfileError(
        f"image {image} {state}, but {replica} of run {run.run_id} ran with {before}: "
        "put that image back on the host, or run the profile anew",
        host=host,
        container=container,
    )


def against_record(run: ComparedRun, snapshots: Mapping[str, Any]) -> str:
    """What differs of the hosts from the record of a run, in words."""
    found = repeat.system_differences(run, snapshots)
    if not found:
        return f"The hosts are as they were in run {run.run_id}."
    lines = [f"  ! {one}" for one in found]
    return "\n".join([f"The hosts are not as they were in run {run.run_id} (then → now):", *lines])
