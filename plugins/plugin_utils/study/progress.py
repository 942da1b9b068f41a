# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""How far a study is: the runs that were made, what became of them, and which one is next. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.study.design import Design

SCHEMA = "retail.profiles/study/1"
Ending = Literal["done", "failed"]


@dataclass(frozen=True)
class StudyRun:
    """A run of a study that came to an end. ``run_id``: empty where none began; ``reason``: why it failed."""

    block: int
    combination: int
    ending: Ending
    run_id: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Progress:
    """A design, and the runs of it that have ended, in the order of time."""

    design: Design
    runs: tuple[StudyRun, ...] = ()

    def with_run(self, run: StudyRun) -> Progress:
        return Progress(self.design, (*self.runs, run))

    @property
    def next(self) -> tuple[int, int] | None:
        """Block and combination of the next run: a run that was broken off is made again, one that failed is not."""
        ended = {(run.block, run.combination) for run in self.runs}
        return next((turn for turn in self.design.order() if turn not in ended), None)

    def groups(self) -> dict[int, tuple[str, ...]]:
        """By combination, the ids of its runs that can be compared."""
        return {
            number: tuple(run.run_id for run in self.runs if run.combination == number and run.ending == "done")
            for number in range(len(self.design.combinations))
        }

    def as_dict(self) -> dict[str, Any]:
        """The content of ``study.json``."""
        design = self.design
        return {
            "schema": SCHEMA,
            "profile": design.profile,
            "factors": {name: list(levels) for name, levels in design.factors.items()},
            "combinations": [dict(one) for one in design.combinations],
            "repeats": design.repeats,
            "seed": design.seed,
            "runs": [vars(run) for run in self.runs],
        }


def of_dict(data: Mapping[str, Any], path: str) -> Progress:
    """What `Progress.as_dict` gave. Raises ProfileError where it is no study."""
    if data.get("schema") != SCHEMA:
        raise ProfileError(f"is no study: its schema is {data.get('schema')!r}, not {SCHEMA!r}", file=path)
    combinations: Iterable[Mapping[str, Any]] = data["combinations"]
    design = Design(data["profile"], data["factors"], tuple(combinations), data["repeats"], data["seed"])
    return Progress(design, tuple(StudyRun(**run) for run in data["runs"]))


def check_same(stored: Progress, design: Design, path: str) -> None:
    """Raise ProfileError where a study that goes on is not the one that began."""
    if stored.design != design:
        raise ProfileError("this study began with another design: begin a new one in another folder", file=path)
