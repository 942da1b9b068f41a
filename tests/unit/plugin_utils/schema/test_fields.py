# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One declaration a field: its example is valid, its options are compared with what runs, and the documents agree."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.container.options import OPTIONS
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import (
    environment,
    fields,
    metrics,
    networks,
    placement,
    readiness,
    volumes,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import Field
from ansible_collections.retail.profiles.plugins.plugin_utils.text import yaml_document

from ..world import World

TABLES: dict[str, tuple[Field, ...]] = {
    table: value
    for module in (environment, fields, metrics, networks, placement, readiness, volumes)
    for table, value in vars(module).items()
    if table.endswith("_FIELDS") and isinstance(value, tuple)
}
ALL = [pytest.param(field, id=f"{table}.{field.name}") for table, rows in TABLES.items() for field in rows]
#: compared by drift.differences itself, not by a field of the table of options
COMPARED_APART = {"name", "networks"}


@pytest.fixture(scope="module")
def docs(checkout: Path) -> dict[str, Any]:
    return runpy.run_path(str(checkout / ".ci" / "docs.py"))


@pytest.fixture(scope="module")
def validator(docs: dict[str, Any]) -> jsonschema.protocols.Validator:
    schema = docs["schema"]()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def errors(validator: jsonschema.protocols.Validator, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def test_the_tables_were_found() -> None:
    assert {"PROFILE_FIELDS", "CONTAINER_FIELDS", "METRIC_FIELDS", "READY_FIELDS"} <= set(TABLES)


def test_schema_and_reference_are_not_stale(docs: dict[str, Any]) -> None:
    for file, content in docs["written"]().items():
        assert file.read_text(encoding="utf-8") == content, f"{file.name} is stale: run make docs"


@pytest.mark.parametrize("field", ALL)
def test_every_example_is_valid(field: Field) -> None:
    written = yaml_document.parse(field.example, "example").value
    assert list(written) == [field.name]
    assert field.type(written[field.name]) is not None
    assert field.doc.endswith(".")


@pytest.mark.parametrize("field", ALL)
def test_every_default_is_canonical_once_parsed(field: Field) -> None:
    if field.default is not None:
        assert field.absent() == field.type(field.default)
    else:
        assert field.absent() is None


@pytest.mark.parametrize("field", fields.CONTAINER_FIELDS, ids=lambda field: field.name)
def test_the_schema_takes_every_example(validator: jsonschema.protocols.Validator, field: Field) -> None:
    entry = {"name": "one", "image": "debian", **yaml.safe_load(field.example)}
    assert errors(validator, {"containers": [entry]}) == []


@pytest.mark.parametrize("field", fields.CONTAINER_FIELDS, ids=lambda field: field.name)
def test_what_a_field_becomes_is_compared_with_what_runs(field: Field) -> None:
    for option in field.options:
        assert option in OPTIONS
        assert OPTIONS[option].fields or option in COMPARED_APART


def test_every_option_of_a_task_comes_from_a_field_or_from_the_plan(world: World) -> None:
    known = {option for field in fields.CONTAINER_FIELDS for option in field.options} | set(fields.PLANNED)
    for replica in world.plan("ovms")["replicas"].values():
        assert set(replica["task"]) <= known


def test_every_shipped_profile_is_valid(validator: jsonschema.protocols.Validator, checkout: Path) -> None:
    files = sorted((checkout / "profiles").glob("*/profile.yml"))
    assert files
    for file in files:
        assert errors(validator, yaml.safe_load(file.read_text(encoding="utf-8"))) == [], file


@pytest.mark.parametrize(
    "entry",
    [
        {"name": "a"},
        {"name": "A", "image": "i"},
        {"name": "a", "image": "i", "entrypiont": "x"},
        {"name": "a", "image": "i", "replicas": 0},
        {"name": "a", "image": "i", "ports": {"grpc": 70000}},
        {"name": "a", "image": "i", "ready": {"timeout": 1}},
        {"name": "a", "image": "i", "ready": {"tcp": 1, "timeout": "soon"}},
        {"name": "a", "image": "i", "metrics": {"fps": {"log": "a", "regex": "(b)"}}},
        {"name": "a", "image": "i", "metrics": {"fps": {"log": "a", "kind": "gage"}}},
        {"name": "a", "image": "i", "env": {"A=": "b"}},
        {"name": "a", "image": "i", "env": {"A": None}},
        {"name": "a", "image": "i", "docker": {"privileged": "perhaps"}},
    ],
    ids=repr,
)
def test_what_the_schema_refuses_the_planner_refuses(
    validator: jsonschema.protocols.Validator, world: World, entry: dict[str, Any]
) -> None:
    value = {"containers": [entry]}
    assert errors(validator, value)
    world.write("bad", yaml.safe_dump(value))
    with pytest.raises(ProfileError):
        world.plan("bad")


@pytest.mark.parametrize(
    "entry",
    [
        {"use": "ovms/client"},
        {"name": "{{ prefix }}-a", "image": "i"},
        {"name": "a", "image": "i", "replicas": "{{ count }}", "measured": "{{ yes }}", "args": "{{ args }}"},
        {
            "name": "a",
            "image": "i",
            "ports": {"grpc": "{{ 9000 + 1 }}"},
            "ready": {"tcp": "grpc", "timeout": "{{ t }}"},
        },
        {"name": "a", "image": "i", "ready": {"http": "{{ path }}"}, "env": "{{ variables }}"},
    ],
    ids=repr,
)
def test_the_schema_takes_templates(validator: jsonschema.protocols.Validator, entry: dict[str, Any]) -> None:
    assert errors(validator, {"containers": [entry]}) == []
