# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The design of studies, how far they are, and that their order keeps drift from becoming an effect."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import effects
from ansible_collections.retail.profiles.plugins.plugin_utils.study import design, progress
from ansible_collections.retail.profiles.plugins.plugin_utils.study.progress import Progress, StudyRun

VARIABLES = ("profile_env", "profile_streams", "measure_duration", "cpus")
STUDY: dict[str, Any] = {"profile": "ovms", "factors": {"profile_env.STREAMS": [1, 2, 4], "cpus": [1, 2]}, "repeats": 3}


def test_all_combinations_unless_they_are_listed() -> None:
    found = design.parse(STUDY, VARIABLES)
    assert len(found.combinations) == 6
    assert found.combinations[0] == {"profile_env.STREAMS": 1, "cpus": 1}
    assert design.variables_of(found.combinations[0]) == {"profile_env": {"STREAMS": 1}, "cpus": 1}
    listed = [{"profile_env.STREAMS": 4, "cpus": 2}, {"profile_env.STREAMS": 1, "cpus": 1}]
    assert list(design.parse({**STUDY, "combinations": listed}, VARIABLES).combinations) == listed


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"factors": {"stream": [1]}}, "factors.stream: is no variable of the run, nor of the inventory"),
        ({"factors": {"cpus": [1, ""]}}, "factors.cpus: a level is empty"),
        ({"factors": {"cpus": []}}, r"factors.cpus: expected a list of levels, not \[\]"),
        ({"factors": {"cpus": "12"}}, "factors.cpus: expected a list of levels, not '12'"),
        ({"factors": {"cpus": [1, 1]}}, "factors.cpus: a level stands there twice"),
        ({"factors": {}}, "a study has at least one factor"),
        ({"profile": ""}, "name the profile that is run"),
        ({"repeats": 0}, "repeats: expected a whole number from 1 on, not 0"),
        ({"seed": True}, "seed: expected a whole number from 0 on, not True"),
        ({"factor": {}}, "a study has no field 'factor'"),
        ({"combinations": [{"cpus": 1}]}, "combinations.0: a combination has a level of each factor"),
        ({"combinations": [{"profile_env.STREAMS": 3, "cpus": 1}]}, "3 is no level of profile_env.STREAMS"),
        ({"repeats": 2000}, "that would be 12000 runs"),
    ],
)
def test_a_study_that_is_wrong_says_where(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        design.parse({**STUDY, **changes}, VARIABLES)


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 1000))
def test_each_block_has_every_combination_once(levels: int, repeats: int, seed: int) -> None:
    made = design.parse(
        {"profile": "p", "factors": {"cpus": list(range(levels))}, "repeats": repeats, "seed": seed}, VARIABLES
    )
    order = made.order()
    assert order == made.order()
    assert [block for block, _number in order] == sorted(block for block, _number in order)
    assert Counter(order) == Counter((block, number) for block in range(repeats) for number in range(levels))


def test_blocks_differ_in_their_order_and_seeds_too() -> None:
    made = design.parse({**STUDY, "repeats": 8}, VARIABLES)
    blocks = {tuple(number for at, number in made.order() if at == block) for block in range(8)}
    assert len(blocks) > 4
    assert made.order() != design.parse({**STUDY, "repeats": 8, "seed": 1}, VARIABLES).order()


@given(st.integers(0, 18), st.integers(0, 2**18))
def test_a_study_goes_on_where_it_stopped(ended: int, failures: int) -> None:
    """Whatever had failed by then: each run is made once, in the order of the design."""
    state = Progress(design.parse(STUDY, VARIABLES))
    order = state.design.order()
    for index in range(ended):
        assert state.next == order[index]
        failed = bool(failures >> index & 1)
        run = StudyRun(*order[index], "failed" if failed else "done", "" if failed else f"run-{index}", "no" * failed)
        state = state.with_run(run)
        state = progress.of_dict(json.loads(json.dumps(state.as_dict())), "study.json")
    assert state.next == (order[ended] if ended < len(order) else None)
    done = [run_id for ids in state.groups().values() for run_id in ids]
    assert len(done) == sum(run.ending == "done" for run in state.runs)
    progress.check_same(state, design.parse(STUDY, VARIABLES), "study.json")


def test_a_study_goes_on_with_its_own_design_alone() -> None:
    state = Progress(design.parse(STUDY, VARIABLES))
    with pytest.raises(ProfileError, match="began with another design"):
        progress.check_same(state, design.parse({**STUDY, "seed": 3}, VARIABLES), "study.json")
    with pytest.raises(ProfileError, match="is no study"):
        progress.of_dict({"schema": "x"}, "study.json")


def alarms(sequential: bool) -> float:
    """The share of studies of two equal levels that are called different, while each run is 1 % slower than before."""
    rng = numpy.random.default_rng(4)
    found = 0
    for seed in range(200):
        study = {"profile": "p", "factors": {"cpus": [1, 2]}, "repeats": 5, "seed": seed}
        turns = design.parse(study, VARIABLES).order()
        numbers = sorted(number for _block, number in turns) if sequential else [number for _block, number in turns]
        values = [math.exp(-0.01 * at + rng.normal(0.0, 0.01)) for at in range(len(numbers))]
        a, b = ([value for number, value in zip(numbers, values, strict=True) if number == side] for side in (0, 1))
        found += effects.effect(a, b).p_value < effects.ALPHA
    return found / 200


def test_drift_becomes_no_effect_in_the_order_of_a_study() -> None:
    assert alarms(sequential=True) > 0.9
    assert alarms(sequential=False) <= 0.05
