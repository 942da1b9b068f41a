# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The design of a study: its factors, their combinations, and the order of its runs, as ``study.json`` has them."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.study import questions
from ansible_collections.retail.profiles.plugins.plugin_utils.study.questions import Questions

FIELDS = ("profile", "factors", "combinations", "repeats", "seed", "variables", *questions.FIELDS)
ALL = "all"
MOST_RUNS = 10_000
OWN = (
    *("profile", "plan", "from_run", "resume", "study"),
    *("profile_keep", "profile_left_on", "profile_notes", "profile_results_dir"),
)
"""Variables that a study sets itself, for all its runs alike."""
LOADS = ("profile_variables", "profile_replicas", "profile_streams", "profile_env")
"""Variables that say how much is asked of what is deployed."""
_DEFAULT_REPEATS = 5
"""As many runs of each show a change of 5 % where runs vary by less than 2 %."""

Combination = Mapping[str, Any]
"""By factor, its level."""


@dataclass(frozen=True)
class Design:
    """What a study is to run. A factor is a variable of the run, or a key of one: ``profile_env.STREAMS``.

    ``variables``: those that all its runs have.
    """

    profile: str
    factors: Mapping[str, Sequence[Any]]
    combinations: tuple[Combination, ...]
    repeats: int
    seed: int
    variables: Mapping[str, Any] = field(default_factory=dict)

    @property
    def runs(self) -> int:
        return self.repeats * len(self.combinations)

    def order(self) -> list[tuple[int, int]]:
        """Block and number of the combination of each run, in turn.

        A block has every combination once, in a random order of its own: what drifts over time falls on all levels.
        """
        turns = []
        for block in range(self.repeats):
            numbers = list(range(len(self.combinations)))
            random.Random(f"{self.seed}:{block}").shuffle(numbers)
            turns += [(block, number) for number in numbers]
        return turns

    def stays(self, one: int, other: int, load: str = "") -> bool:
        """Whether what is deployed for one combination can stay for another, as only the load differs.

        ``load``: the factor that the study names as its load; those of LOADS are load, too.
        """
        before, after = self.combinations[one], self.combinations[other]
        differing = [name for name in self.factors if not same(before[name], after[name])]
        return all(name == load or name.partition(".")[0] in LOADS for name in differing)

    def run_variables(self, number: int, given: Mapping[str, Any]) -> dict[str, Any]:
        """The variables of a run of a combination. Of a factor that is a key, the other keys are as the study's own
        variables have them, or as they are ``given`` without it."""
        found = dict(self.variables)
        for name, level in self.combinations[number].items():
            variable, _dot, key = name.partition(".")
            if not key:
                found[variable] = level
                continue
            whole = found.get(variable, given.get(variable)) or {}
            if not isinstance(whole, Mapping):
                raise ProfileError(f"{variable} is {whole!r}, which has no keys", field=f"factors.{name}")
            found[variable] = {**whole, key: level}
        return found


def parse(data: Any, variables: Collection[str]) -> tuple[Design, Questions]:
    """What a study's file says; ``variables`` are those that a run may have. Raises ProfileError."""
    if not isinstance(data, Mapping):
        raise ProfileError("a study is a mapping: profile, factors, and what else it says")
    for name in data:
        if name not in FIELDS:
            raise ProfileError(f"a study has no field {name!r}; it has {', '.join(FIELDS)}", field=str(name))
    profile = data.get("profile")
    if not isinstance(profile, str) or not profile:
        raise ProfileError("name the profile that is run", field="profile")
    factors = _factors(data.get("factors"), variables)
    design = Design(
        profile,
        factors,
        _combinations(data.get("combinations", ALL), factors),
        _number(data, "repeats", _DEFAULT_REPEATS, least=1),
        _number(data, "seed", 0, least=0),
        _variables(data.get("variables", {}), factors, variables),
    )
    if design.runs > MOST_RUNS:
        raise ProfileError(f"that would be {design.runs} runs: take fewer levels, or list the combinations")
    return design, questions.parse(data, factors)


def _factors(given: Any, variables: Collection[str]) -> dict[str, list[Any]]:
    if not isinstance(given, Mapping) or not given:
        raise ProfileError(
            "a study has at least one factor, with its levels: profile_streams: [1, 2, 4]", field="factors"
        )
    for name, levels in given.items():
        where = f"factors.{name}"
        variable, dot, key = str(name).partition(".")
        _check_variable(variable, where, variables)
        if dot and (variable in given or not key):
            raise ProfileError(f"a factor is {variable}, or keys of it, and not both", field=where)
        if not isinstance(levels, Sequence) or isinstance(levels, str) or not levels:
            raise ProfileError(f"expected a list of levels, not {levels!r}", field=where)
        if any(level is None or level == "" for level in levels):
            raise ProfileError("a level is empty: give it a value, or leave it out", field=where)
        if len({_key(level) for level in levels}) != len(levels):
            raise ProfileError("a level stands there twice", field=where)
    return {str(name): list(levels) for name, levels in given.items()}


def _check_variable(name: str, where: str, variables: Collection[str]) -> None:
    if name in OWN:
        raise ProfileError("a study sets it itself, for all its runs alike", field=where)
    if name not in variables:
        raise ProfileError("is no variable of the run, nor of the inventory", field=where)


def _variables(given: Any, factors: Collection[str], variables: Collection[str]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ProfileError(f"expected a mapping of variables that all runs have, not {given!r}", field="variables")
    for name in given:
        where = f"variables.{name}"
        _check_variable(str(name), where, variables)
        if name in factors:
            raise ProfileError("is a factor: its levels say what it is", field=where)
    return {str(name): value for name, value in given.items()}


def _combinations(given: Any, factors: Mapping[str, Sequence[Any]]) -> tuple[Combination, ...]:
    if given == ALL:
        return tuple(dict(zip(factors, levels, strict=True)) for levels in itertools.product(*factors.values()))
    if not isinstance(given, Sequence) or isinstance(given, str) or not given:
        raise ProfileError(f"expected {ALL}, or a list of combinations", field="combinations")
    for number, one in enumerate(given):
        where = f"combinations.{number}"
        if not isinstance(one, Mapping) or set(one) != set(factors):
            raise ProfileError(f"a combination has a level of each factor: {', '.join(factors)}", field=where)
        for name, level in one.items():
            if _key(level) not in {_key(known) for known in factors[name]}:
                raise ProfileError(f"{level!r} is no level of {name}", field=where)
    if len({_key(one) for one in given}) != len(given):
        raise ProfileError("a combination stands there twice", field="combinations")
    return tuple({name: one[name] for name in factors} for one in given)


def _number(data: Mapping[str, Any], name: str, default: int, least: int) -> int:
    value = data.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ProfileError(f"expected a whole number from {least} on, not {value!r}", field=name)
    return value


def same(one: Any, other: Any) -> bool:
    """Whether two levels are one: 1 and 1.0 are two, as they are two texts for a container."""
    return _key(one) == _key(other)


def _key(level: Any) -> str:
    return json.dumps(level, sort_keys=True, default=str)


def level_text(level: Any) -> str:
    """A level as people write it."""
    return level if isinstance(level, str) else json.dumps(level, ensure_ascii=False, default=str)


def title(combination: Combination) -> str:
    """A combination in a line: ``profile_env.STREAMS=2, cpus=4``."""
    return ", ".join(f"{name}={level_text(level)}" for name, level in combination.items())
