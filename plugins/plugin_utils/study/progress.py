# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a study is: the runs that were made, what became of them, and which one is next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.study import design, questions
from ansible_collections.retail.profiles.plugins.plugin_utils.study.design import Design
from ansible_collections.retail.profiles.plugins.plugin_utils.study.questions import Questions

SCHEMA = "retail.profiles/study/1"
FILE = "study.json"
Ending = Literal["done", "failed"]
MEASURED = ("ok", "degraded", "missed")
"""Verdicts of runs that have figures: a load curve goes on where objectives are missed."""


@dataclass(frozen=True)
class StudyRun:
    """A run of a study that came to an end. ``run_id``: empty where none began; ``reason``: why it failed."""

    block: int
    combination: int
    ending: Ending
    run_id: str = ""
    verdict: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Progress:
    """A design and its questions, and the runs that have ended, in the order of time."""

    design: Design
    questions: Questions = field(default_factory=Questions)
    runs: tuple[StudyRun, ...] = ()

    def with_run(self, run: StudyRun) -> Progress:
        return replace(self, runs=(*self.runs, run))

    @property
    def left(self) -> list[tuple[int, int]]:
        """Block and combination of the runs to come: one that was broken off is made again, one that failed is not."""
        ended = {(run.block, run.combination) for run in self.runs}
        return [turn for turn in self.design.order() if turn not in ended]

    @property
    def next(self) -> tuple[int, int] | None:
        return next(iter(self.left), None)

    @property
    def failed(self) -> tuple[StudyRun, ...]:
        return tuple(run for run in self.runs if run.ending == "failed")

    def groups(self) -> dict[int, tuple[str, ...]]:
        """By combination, the ids of its runs that have figures."""
        return {
            number: tuple(run.run_id for run in self.runs if run.combination == number and run.ending == "done")
            for number in range(len(self.design.combinations))
        }

    def group(self, said: str) -> tuple[str, ...]:
        """The ids of the runs of a combination by its number from 1 on; or of those with levels: ``cpus=2&streams=4``.

        Raises ProfileError where there are none.
        """
        numbers = _chosen(self.design, said)
        found = tuple(run_id for number in numbers for run_id in self.groups()[number])
        if not found:
            raise ProfileError(f"no run of {said} has figures yet")
        return found

    def as_dict(self) -> dict[str, Any]:
        """The content of ``study.json``."""
        one = self.design
        return {
            "schema": SCHEMA,
            "profile": one.profile,
            "factors": {name: list(levels) for name, levels in one.factors.items()},
            "combinations": [dict(levels) for levels in one.combinations],
            "repeats": one.repeats,
            "seed": one.seed,
            "variables": dict(one.variables),
            "questions": self.questions.as_dict(),
            "runs": [vars(run) for run in self.runs],
        }


def _chosen(asked: Design, said: str) -> list[int]:
    if said.isdecimal():
        if not 1 <= int(said) <= len(asked.combinations):
            raise ProfileError(f"there is no combination {said}: the study has {len(asked.combinations)}")
        return [int(said) - 1]
    wanted = dict(part.partition("=")[::2] for part in said.split("&"))
    for name, level in wanted.items():
        levels = [design.level_text(known) for known in asked.factors.get(name, ())]
        if level not in levels:
            known = f"the levels of {name} are {', '.join(levels)}" if levels else ", ".join(asked.factors)
            raise ProfileError(f"no run of the study has {name}={level}: {known}")
    return [
        number
        for number, one in enumerate(asked.combinations)
        if all(design.level_text(one[name]) == level for name, level in wanted.items())
    ]


def of_dict(data: Mapping[str, Any], path: str) -> Progress:
    """What `Progress.as_dict` gave. Raises ProfileError where it is no study."""
    if data.get("schema") != SCHEMA:
        raise ProfileError(f"is no study: its schema is {data.get('schema')!r}, not {SCHEMA!r}", file=path)
    shape = {name: data[name] for name in ("profile", "factors", "repeats", "seed", "variables")}
    return Progress(
        Design(**shape, combinations=tuple(data["combinations"])),
        questions.of_dict(data["questions"]),
        tuple(StudyRun(**run) for run in data["runs"]),
    )


def resumed(stored: Progress, asked: Design, now: Questions, path: str) -> Progress:
    """A study that goes on, with today's questions. Raises ProfileError where it is not the one that began."""
    if stored.design != asked or stored.questions.seeks_density != now.seeks_density:
        raise ProfileError("this study began with another design: begin a new one, without resume", file=path)
    return replace(stored, questions=now)
