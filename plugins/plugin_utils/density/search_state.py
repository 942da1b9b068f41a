# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a search for stream density, ``search.json``: all that is needed to go on from it, and to tell of it.

A search is over the whole fleet, or one of each host; all searches of a run go on at the same time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.density.guard import Left
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import (
    Ending,
    Outcome,
    Settings,
    Step,
    Window,
    bracket,
)

SCHEMA = "retail.profiles/search/1"


@dataclass(frozen=True)
class Told:
    """What an objective's metric was in a step: the mean over streams, and the worst stream, in the metric's unit.

    ``replica`` and ``host`` of the worst; empty where one figure is of all together. ``objective`` in words.
    """

    objective: str
    metric: str
    limit: float
    mean: float
    worst: float
    replica: str = ""
    host: str = ""


@dataclass(frozen=True)
class StepState:
    """A step of a search, and when it was what. Times are unix seconds, None before.

    ``why``: why so many streams were tried. ``asked``: when that was decided; ``began``: when they had all been
    started; ``steady``: when they were; ``end``: of its last window. ``position``: where in the file of samples its
    own begin. ``left``: what was left on hosts.
    """

    step: Step
    why: str
    asked: float
    began: float | None = None
    steady: float | None = None
    end: float | None = None
    position: int = 0
    told: tuple[Told, ...] = ()
    left: tuple[Left, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class SearchState:
    """A search: its steps, and how it ended. ``host``: of which host alone, empty for the whole fleet."""

    host: str = ""
    steps: tuple[StepState, ...] = ()
    ending: Ending | None = None
    reason: str = ""

    @property
    def current(self) -> StepState | None:
        return self.steps[-1] if self.steps else None

    @property
    def starting(self) -> StepState | None:
        """The step whose streams are being started or stopped."""
        return self._on_its_way if self._on_its_way is not None and self._on_its_way.began is None else None

    @property
    def running(self) -> StepState | None:
        """The step that is watched: all of its streams run."""
        return self._on_its_way if self._on_its_way is not None and self._on_its_way.began is not None else None

    @property
    def _on_its_way(self) -> StepState | None:
        current = self.current
        return current if self.ending is None and current is not None and current.step.outcome is None else None

    @property
    def ended_steps(self) -> tuple[StepState, ...]:
        return tuple(one for one in self.steps if one.step.outcome is not None)

    @property
    def plain(self) -> tuple[Step, ...]:
        """The steps as the search itself knows them."""
        return tuple(one.step for one in self.steps)

    @property
    def interval(self) -> tuple[int, int | None]:
        """The most streams that passed, and the fewest above that failed; None where none did."""
        seen = bracket(self.plain)
        return seen.passed, seen.failed

    def with_current(self, **changes: Any) -> SearchState:
        """With changes of the step on its way."""
        return replace(self, steps=(*self.steps[:-1], replace(self.steps[-1], **changes)))

    def as_dict(self) -> dict[str, Any]:
        least, first_fail = self.interval
        return {
            "host": self.host,
            "ending": self.ending,
            "reason": self.reason,
            "streams": least,
            "first_fail": first_fail,
            "steps": [one.as_dict() for one in self.steps],
        }


@dataclass(frozen=True)
class Searches:
    """All searches of a run. ``containers``: whose streams are counted; ``env``: the variable that says how many."""

    containers: tuple[str, ...]
    env: str | None = None
    settings: Settings = field(default_factory=Settings)
    searches: tuple[SearchState, ...] = (SearchState(),)

    @property
    def ended(self) -> bool:
        return all(search.ending is not None for search in self.searches)

    @property
    def last_step(self) -> StepState | None:
        """The step that began last and has windows; else the one that began last. The run's figures are of it."""
        begun = [step for search in self.searches for step in search.steps if step.began is not None]
        told = [step for step in begun if step.step.windows]
        return max(told or begun, key=lambda step: step.asked, default=None)

    def as_dict(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "containers": list(self.containers),
            "env": self.env,
            "settings": asdict(self.settings),
            "searches": [search.as_dict() for search in self.searches],
        }


def searches_of(data: Mapping[str, Any], file: str) -> Searches:
    """The searches that a mapping holds. Raises ProfileError with ``file`` for one that holds none."""
    try:
        if data["schema"] != SCHEMA:
            raise ValueError(f"its schema is not {SCHEMA}")
        return Searches(
            containers=tuple(data["containers"]),
            env=data["env"],
            settings=Settings(**data["settings"]),
            searches=tuple(search_of(one) for one in data["searches"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ProfileError(f"this is not the state of a search: {error}", file=file) from error


def search_of(data: Mapping[str, Any]) -> SearchState:
    """The search that `SearchState.as_dict` gave. Raises KeyError, TypeError or ValueError on what is none."""
    return SearchState(data["host"], tuple(_step(one) for one in data["steps"]), data["ending"], data["reason"])


def _step(data: Mapping[str, Any]) -> StepState:
    step = data["step"]
    outcome = None if step["outcome"] is None else Outcome(**step["outcome"])
    windows = tuple(Window(**window) for window in step["windows"])
    plain = Step(int(step["streams"]), bool(step["hold"]), windows, outcome, float(step["seconds"]))
    told = tuple(Told(**one) for one in data["told"])
    left = tuple(Left(**one) for one in data["left"])
    return StepState(**{**data, "step": plain, "told": told, "left": left})
