# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A variable of a run that is not of its type is told by its own name, as Ansible checks it."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.retail.profiles.plugins.action import (
    fleet_logs,
    profile_compare,
    profile_convert,
    profile_plan,
    profile_runs,
    profile_study,
)
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter import planner
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.planner import OPTIONS, VARIABLES
from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.variable_errors import by_variable, not_a_text

from ..world import World, write_files
from .test_planner import answer


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        (
            "replicas",
            "3",
            "profile_replicas: expected a mapping, as of -e '{\"profile_replicas\": {\"NAME\": …}}', not '3'",
        ),
        (
            "variables",
            [1],
            'profile_variables: expected a mapping, as of -e \'{"profile_variables": {"NAME": …}}\', not a list',
        ),
        ("render", "maybe", "profile_render: expected true or false, not 'maybe'"),
        ("search", {"a": 1}, "profile_path: expected a list, not a mapping"),
        ("pull", "no", "profile_pull: 'no' is not one of missing, always, never"),
    ],
)
def test_a_value_of_another_type_is_told_by_the_name_of_its_variable(option: str, value: Any, said: str) -> None:
    [message] = ArgumentSpecValidator(OPTIONS).validate({option: value}).error_messages
    assert by_variable(message, {option: value}, VARIABLES) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([1], "profile_results_dir: expected a path, not a list"),
        ({"a": 1}, "profile_results_dir: expected a path, not a mapping"),
        (True, "profile_results_dir: expected a path, not True"),
        ("results", None),
        (2026, None),
    ],
)
def test_a_text_that_is_none_is_told_by_the_name_of_its_variable(value: Any, said: str | None) -> None:
    assert not_a_text({"results_dir": value}, OPTIONS, VARIABLES) == said


@pytest.mark.parametrize(
    "action",
    [fleet_logs, profile_compare, profile_convert, profile_plan, profile_runs, profile_study],
    ids=lambda action: action.__name__.rpartition(".")[2],
)
def test_actions_name_variables_of_their_options(action: Any) -> None:
    assert action.ActionModule.variables.keys() <= action.ActionModule.options.keys()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"replicas": {"client": "x"}}, "profile_replicas.client: expected a whole number"),
        ({"env": {"A": {"b": 1}}}, "profile_env.A: expected a string or a number"),
        ({"variables": {"A": [1]}}, "profile_variables.A: expected a string or a number"),
        ({"images": {"i:1": "De:"}}, "profile_images.i:1: 'De:' is no reference of an image"),
        ({"target_device": "XPU"}, "profile_target_device: 'XPU' is not a target device"),
        ({"deployment": "A B"}, "profile_deployment: 'A B' may hold lower-case letters"),
        ({"state_dir": "x"}, "profile_state_dir: expected an absolute path on the hosts, not 'x'"),
        ({"models_dir": "/srv/../x"}, "models_dir: expected an absolute path on the hosts, not '/srv/../x'"),
        ({"density": {"container": "c", "steps": 1}}, "profile_density.steps: unknown field 'steps'"),
        ({"place": {"client": []}}, "profile_place.client: expected a pattern of hosts, not an empty list"),
        ({"image": {"a": "B:"}}, "profile_image.a: 'B:' is no reference of an image"),
    ],
)
def test_what_is_in_a_variable_is_told_by_the_same_name(world: World, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError) as refused:
        answer(world, **given)
    assert f"a variable of the run is not valid: {said}" in str(refused.value)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"measure_duration": "long"}, "measure_duration: expected a number of more than 0, not 'long'"),
        ({"measure_interval": 0}, "measure_interval: expected a number of more than 0, not 0"),
        ({"measure_warmup_max": -1}, "measure_warmup_max: expected a number of at least 0, not -1"),
        ({"measure_contention_max": [1]}, "measure_contention_max: expected a number of at least 0, not [1]"),
        ({"measure_duration": float("nan")}, "measure_duration: expected a number of more than 0, not nan"),
        ({"measure_duration": ".inf"}, "measure_duration: expected a number of more than 0, not '.inf'"),
        ({"measure_repeat": "inf"}, "measure_repeat: expected a number of more than 0, not 'inf'"),
        ({"measure_warmup_max": 10**400}, "measure_warmup_max: expected a number of at least 0, not 1000"),
    ],
)
def test_numbers_of_the_measurement_are_checked_before_anything_starts(
    world: World, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], said: str
) -> None:
    monkeypatch.setattr(planner, "require_callback", lambda: None)
    with pytest.raises(ProfileError, match=f"a variable of the run is not valid: {re.escape(said)}"):
        answer(world, given, stage="select", run=True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"profile_on_failure": "explode"}, "profile_on_failure: 'explode' is not one of rollback, keep, stop"),
        ({"profile_apply_with": "magic"}, "profile_apply_with: 'magic' is not one of batch, docker_container"),
        ({"profile_secrets": ["s3cret"]}, "profile_secrets: expected a mapping, {container: {NAME: value}}"),
        ({"profile_keep": "maybe"}, "profile_keep: expected true or false, not 'maybe'"),
        ({"profile_force": ["x"]}, "profile_force: expected true or false, not "),
        ({"profile_lock_wait": "long"}, "profile_lock_wait: expected a number of at least 0, not 'long'"),
        ({"profile_lock_wait": -1}, "profile_lock_wait: expected a number of at least 0, not -1"),
        ({"density_steps_max": "x"}, "density_steps_max: expected a number of at least 0, not 'x'"),
        ({"profile_engine_timeout": 0}, "profile_engine_timeout: expected a number of more than 0, not 0"),
    ],
)
def test_how_a_plan_is_applied_is_checked_at_once(world: World, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ProfileError, match=f"a variable of the run is not valid: {re.escape(said)}"):
        answer(world, given, stage="select")
    fine = {
        "profile_on_failure": "keep",
        "profile_keep": "yes",
        "profile_lock_wait": "0",
        "profile_engine_timeout": "5.5",
    }
    assert answer(world, {**fine, "profile_engine_timeout": "5.5"}, stage="select")["hosts"]


def test_a_plan_that_is_no_json_is_told_with_its_line(world: World) -> None:
    file = write_files(world.root, {"plan.json": '{\n  "schema": 1\n  "x": 2}\n'})
    with pytest.raises(ProfileError, match=r"plan\.json:3: this is not JSON: Expecting ',' delimiter"):
        answer(world, plan=str(file))


def test_a_plan_that_is_no_text_or_too_large_is_refused_before_it_is_read(world: World) -> None:
    file = write_files(world.root, {"plan.json": ""})
    file.write_bytes(b"{\n\xff}")
    with pytest.raises(ProfileError, match=r"plan\.json:2: this line is not UTF-8"):
        answer(world, plan=str(file))
    with file.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
    with pytest.raises(ProfileError, match=r"plan\.json: cannot be read: it has 104857600 bytes, and at most 67108864"):
        answer(world, plan=str(file))
    with pytest.raises(ProfileError, match=r"gone\.json: cannot be read: No such file or directory"):
        answer(world, plan=str(file.with_name("gone.json")))
