# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The beginning of a run on the controller: its id and its directory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.results.run_directory import PLAN, RunDirectory, reserve


def begin(args: Mapping[str, Any], planned: Mapping[str, Any]) -> tuple[str, str]:
    """The id and the directory of the run that begins: a new one, or that of the search that goes on. ProfileError."""
    now = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    name = f"{planned['deployment']}-{now}-{planned['plan_id'][:8]}"
    if args["seek"] and args["resume"]:
        return name, str(resumable(Path(args["resume"]).absolute(), planned))
    path = reserve(Path(args["results_dir"]).expanduser().absolute(), name)
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
