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
from ansible_collections.retail.profiles.plugins.plugin_utils.study.design import Design
from ansible_collections.retail.profiles.plugins.plugin_utils.study.progress import Progress, StudyRun
from ansible_collections.retail.profiles.plugins.plugin_utils.study.questions import Questions

VARIABLES = ("profile_env", "profile_streams", "profile_images", "measure_duration", "cpus")


def parsed(study: dict[str, Any]) -> Design:
    return design.parse(study, VARIABLES)[0]


STUDY: dict[str, Any] = {"profile": "ovms", "factors": {"profile_env.STREAMS": [1, 2, 4], "cpus": [1, 2]}, "repeats": 3}


def test_all_combinations_unless_they_are_listed() -> None:
    found = parsed(STUDY)
    assert len(found.combinations) == 6
    assert found.combinations[0] == {"profile_env.STREAMS": 1, "cpus": 1}
    assert design.title(found.combinations[0]) == "profile_env.STREAMS=1, cpus=1"
    listed = [{"profile_env.STREAMS": 4, "cpus": 2}, {"cpus": 1, "profile_env.STREAMS": 1}]
    assert list(parsed({**STUDY, "combinations": listed}).combinations) == listed


def test_a_key_is_set_and_the_others_are_as_they_are_without_the_study() -> None:
    found = parsed({**STUDY, "variables": {"measure_duration": 20}})
    given = {"profile_env": {"STREAMS": 9, "MODEL": "face"}}
    assert found.run_variables(0, given) == {
        "measure_duration": 20,
        "profile_env": {"STREAMS": 1, "MODEL": "face"},
        "cpus": 1,
    }
    own = parsed({**STUDY, "variables": {"profile_env": {"A": "b"}}})
    assert own.run_variables(0, given)["profile_env"] == {"A": "b", "STREAMS": 1}
    image = parsed({"profile": "p", "factors": {"profile_images.a/b:1.2": ["c:1", "c:2"]}})
    assert image.run_variables(1, {}) == {"profile_images": {"a/b:1.2": "c:2"}}
    with pytest.raises(ProfileError, match="profile_env is 'x', which has no keys"):
        found.run_variables(0, {"profile_env": "x"})


def test_what_is_deployed_stays_where_only_the_load_differs() -> None:
    found = parsed(STUDY)
    at = {tuple(one.values()): number for number, one in enumerate(found.combinations)}
    assert found.stays(at[1, 1], at[4, 1])
    assert found.stays(at[1, 1], at[1, 1])
    assert not found.stays(at[1, 1], at[1, 2])
    assert found.stays(at[1, 1], at[4, 2], load="cpus")


@pytest.mark.parametrize(
    "load", ["profile_variables.FPS", "profile_replicas.client", "profile_streams", "profile_env.N"]
)
def test_the_load_is_how_much_is_asked_of_what_is_deployed(load: str) -> None:
    known = (*VARIABLES, "profile_variables", "profile_replicas")
    found, _questions = design.parse({"profile": "p", "factors": {load: [1, 2]}}, known)
    assert found.stays(0, 1)


@pytest.mark.parametrize("other", ["profile_images.a:1", "measure_duration", "cpus"])
def test_another_factor_is_no_load(other: str) -> None:
    assert not parsed({"profile": "p", "factors": {other: [1, 2]}}).stays(0, 1)


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
        ({"factors": {"profile": ["a", "b"]}}, "factors.profile: a study sets it itself, for all its runs alike"),
        ({"variables": {"profile_left_on": ["h1"]}}, "variables.profile_left_on: a study sets it itself"),
        (
            {"factors": {"profile_env.A": [1], "profile_env": [{}]}},
            "a factor is profile_env, or keys of it, and not both",
        ),
        ({"factors": {"profile_env.": [1]}}, "a factor is profile_env, or keys of it, and not both"),
        ({"variables": {"cpus": 2}}, "variables.cpus: is a factor: its levels say what it is"),
        ({"variables": {"cpu": 2}}, "variables.cpu: is no variable of the run, nor of the inventory"),
        ({"variables": ["cpus"]}, "expected a mapping of variables that all runs have"),
        ({"load": "streams"}, "load: streams is no factor of the study: profile_env.STREAMS, cpus"),
        ({"heat_map": ["cpus", "x"]}, "heat_map: x is no factor of the study"),
        ({"heat_map": ["cpus"]}, r"heat_map: expected two factors, not \['cpus'\]"),
        ({"pareto": ["fps", "fps"]}, "pareto: expected two figures"),
        ({"metrics": "fps"}, "metrics: expected a list of figures, not 'fps'"),
        ({"response": ["fps"]}, r"response: expected a name, not \['fps'\]"),
        ({"latency": "latency_seconds"}, "the curve goes over the levels of a factor: name it as load"),
        ({"load": "cpus", "response": "density"}, "a search for density finds the load itself"),
        ({"factors": {"cpus": ["few", "many"]}, "load": "cpus"}, "the levels of the load are numbers"),
    ],
)
def test_a_study_that_is_wrong_says_where(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        design.parse({**STUDY, **changes}, VARIABLES)


@given(st.integers(1, 5), st.integers(1, 6), st.integers(0, 1000))
def test_each_block_has_every_combination_once(levels: int, repeats: int, seed: int) -> None:
    made = parsed({"profile": "p", "factors": {"cpus": list(range(levels))}, "repeats": repeats, "seed": seed})
    order = made.order()
    assert order == made.order()
    assert [block for block, _number in order] == sorted(block for block, _number in order)
    assert Counter(order) == Counter((block, number) for block in range(repeats) for number in range(levels))


def test_blocks_differ_in_their_order_and_seeds_too() -> None:
    made = parsed({**STUDY, "repeats": 8})
    blocks = {tuple(number for at, number in made.order() if at == block) for block in range(8)}
    assert len(blocks) > 4
    assert made.order() != parsed({**STUDY, "repeats": 8, "seed": 1}).order()


@given(st.integers(0, 18), st.integers(0, 2**18))
def test_a_study_goes_on_where_it_stopped(ended: int, failures: int) -> None:
    """Whatever had failed by then: each run is made once, in the order of the design."""
    state = Progress(*design.parse({**STUDY, "pareto": ["fps", "errors"]}, VARIABLES))
    order = state.design.order()
    for index in range(ended):
        assert state.next == order[index]
        failed = bool(failures >> index & 1)
        run = StudyRun(
            *order[index], "failed" if failed else "done", "" if failed else f"run-{index}", reason="no" * failed
        )
        state = state.with_run(run)
        stored = progress.of_dict(json.loads(json.dumps(state.as_dict())), "study.json")
        assert stored == state
        state = stored
    assert state.next == (order[ended] if ended < len(order) else None)
    done = [run_id for ids in state.groups().values() for run_id in ids]
    assert len(done) == sum(run.ending == "done" for run in state.runs)
    assert progress.resumed(state, parsed(STUDY), Questions(), "study.json").runs == state.runs


def test_a_study_goes_on_with_its_own_design_alone_and_other_questions() -> None:
    state = Progress(parsed(STUDY))
    with pytest.raises(ProfileError, match="began with another design"):
        progress.resumed(state, parsed({**STUDY, "seed": 3}), Questions(), "study.json")
    with pytest.raises(ProfileError, match="began with another design"):
        progress.resumed(state, parsed(STUDY), Questions(response="density"), "study.json")
    asked = Questions(pareto=("fps", "errors"))
    assert progress.resumed(state, parsed(STUDY), asked, "study.json").questions == asked
    with pytest.raises(ProfileError, match="is no study"):
        progress.of_dict({"schema": "x"}, "study.json")


def test_groups_by_their_number_and_by_levels() -> None:
    state = Progress(parsed(STUDY))
    for block, number in state.design.order():
        ending: progress.Ending = "failed" if number == 5 else "done"
        state = state.with_run(StudyRun(block, number, ending, f"run-{block}-{number}"))
    assert set(state.group("1")) == {"run-0-0", "run-1-0", "run-2-0"}
    assert state.group("profile_env.STREAMS=1&cpus=1") == state.group("1")
    assert len(state.group("cpus=1")) == 9
    for said, why in (
        ("0", "there is no combination 0: the study has 6"),
        ("7", "there is no combination 7"),
        ("cpus=3", "no run of the study has cpus=3: the levels of cpus are 1, 2"),
        ("cpu=1", "no run of the study has cpu=1: profile_env.STREAMS, cpus"),
        ("6", "no run of 6 has figures yet"),
    ):
        with pytest.raises(ProfileError, match=why):
            state.group(said)


def alarms(sequential: bool) -> float:
    """The share of studies of two equal levels that are called different, while each run is 1 % slower than before."""
    rng = numpy.random.default_rng(4)
    found = 0
    for seed in range(200):
        study = {"profile": "p", "factors": {"cpus": [1, 2]}, "repeats": 5, "seed": seed}
        turns = parsed(study).order()
        numbers = sorted(number for _block, number in turns) if sequential else [number for _block, number in turns]
        values = [math.exp(-0.01 * at + rng.normal(0.0, 0.01)) for at in range(len(numbers))]
        a, b = ([value for number, value in zip(numbers, values, strict=True) if number == side] for side in (0, 1))
        found += effects.effect(a, b).p_value < effects.ALPHA
    return found / 200


def test_drift_becomes_no_effect_in_the_order_of_a_study() -> None:
    assert alarms(sequential=True) > 0.9
    assert alarms(sequential=False) <= 0.05
