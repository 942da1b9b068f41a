# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The runs of a study with their figures, from their directories beside ``study.json``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import figures, runs
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.figures import Figure, Told
from ansible_collections.retail.profiles.plugins.plugin_utils.study.progress import Progress, StudyRun


@dataclass(frozen=True)
class Outcome:
    """A run that has figures. ``held``: whether all its objectives were met; None where it has none."""

    run: StudyRun
    figures: Mapping[Figure, Told]
    held: bool | None = None


@dataclass(frozen=True)
class Outcomes:
    """All runs of a study that have figures, in the order of time, and the objectives that they have in common."""

    runs: tuple[Outcome, ...]
    objectives: tuple[Mapping[str, Any], ...] = ()

    def of(self, combination: int) -> list[Outcome]:
        return [one for one in self.runs if one.run.combination == combination]

    @property
    def known(self) -> list[Figure]:
        """The figures that some run has."""
        return sorted({figure for one in self.runs for figure in one.figures}, key=lambda figure: figure.order)

    def unit(self, figure: Figure) -> str:
        return next((one.figures[figure].unit for one in self.runs if figure in one.figures), "")


def values(outcomes: Iterable[Outcome], figure: Figure) -> list[float]:
    """One value a run, of those that have it."""
    return [one.figures[figure].value for one in outcomes if figure in one.figures]


def read(progress: Progress, folder: Path) -> Outcomes:
    """The runs of a study that have figures. Raises ProfileError where one is not there any more."""
    done = [run for run in progress.runs if run.ending == "done"]
    found = [(run, runs.read(folder / run.run_id)) for run in done]
    return Outcomes(
        tuple(Outcome(run, figures.of_record(one.record), _held(one.record)) for run, one in found),
        tuple(found[0][1].record.get("objectives") or ()) if found else (),
    )


def _held(record: Mapping[str, Any]) -> bool | None:
    states: Sequence[str] = [one["state"] for one in record.get("objectives") or ()]
    return all(state == "met" for state in states) if states else None
