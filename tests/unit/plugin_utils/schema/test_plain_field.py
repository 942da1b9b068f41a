# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A field that is an option of docker_container is its declaration, and nothing else.

A copy of the collection is given the declaration of one more field; all else in it stays as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.schema import fields

TABLE = "CONTAINER_FIELDS: tuple[Field, ...] = (\n"
DECLARATION = """
    Field(
        "slice",
        docker_options.type_of("cgroup_parent"),
        "Its control group.",
        "slice: retail.slice",
        options=("cgroup_parent",),
        plain=True,
        group="hardware",
    ),
"""
FILES = {
    "native/profile.yml": "containers: [{name: a, image: i, slice: '{{ replica.host }}.slice'}, {name: b, image: i}]",
    "passed/profile.yml": "containers:\n  - name: a\n    image: i\n    docker:\n      cgroup_parent: x.slice\n",
    "wrong/profile.yml": "containers:\n  - name: a\n    image: i\n    slice: [1]\n",
    "compose/compose.yaml": "services: {a: {image: i, cgroup_parent: c.slice, init: true}}",
    "upstream/x.yaml": "Containers: [{Name: a, DockerImage: i, HostConfig: {CgroupParent: u.slice, Init: true}}]",
}
SCRIPT = """
import json, runpy, sys
from pathlib import Path
from world import World, assert_equal_plan, write_files
from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

root, world = Path(sys.argv[1]), World(Path(sys.argv[2]), {"all": ["h1"]})
def task(file, container="a"):
    try:
        return world.plan_foreign(world.root / file)["replicas"][f"d-{container}-1"]["task"]
    except ProfileError as error:
        return str(error)
made = {file: task(file) for file in json.load(sys.stdin)}
made["without"] = task("native/profile.yml", "b")
for file in ("compose/compose.yaml", "upstream/x.yaml"):
    assert_equal_plan(world, world.root / file)
docs = runpy.run_path(str(root / ".ci" / "docs.py"))
made["schema"] = docs["schema"]()["$defs"]["container"]["properties"]
made["reference"] = docs["tables"]()["container hardware"]
json.dump(made, sys.stdout)
"""


@pytest.fixture(scope="module")
def made(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What each of the files comes to where the field is declared, the JSON Schema, and the reference."""
    root = tmp_path_factory.mktemp("copy")
    for folder in ("plugins", ".ci"):
        shutil.copytree(checkout / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    collections = root / ".collections" / "ansible_collections" / "retail"
    collections.mkdir(parents=True)
    (collections / "profiles").symlink_to(root)
    declared = root / "plugins" / "plugin_utils" / "schema" / "fields.py"
    text = declared.read_text(encoding="utf-8")
    assert text.count(TABLE) == 1
    declared.write_text(text.replace(TABLE, TABLE + DECLARATION), encoding="utf-8")
    for name, content in FILES.items():
        file = root / "profiles" / name
        file.parent.mkdir(parents=True)
        file.write_text(content, encoding="utf-8")
    path = os.pathsep.join([str(root / ".collections"), str(checkout / "tests" / "unit" / "plugin_utils")])
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(root), str(root / "profiles")],
        input=json.dumps(list(FILES)),
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_the_field_is_not_there_already() -> None:
    assert "slice" not in {field.name for field in fields.CONTAINER_FIELDS}
    assert "cgroup_parent" not in fields.RESERVED


def test_a_profile_gives_it_and_the_task_has_it(made: dict[str, Any]) -> None:
    assert made["native/profile.yml"]["cgroup_parent"] == "h1.slice"
    assert "cgroup_parent" not in made["without"]


def test_its_value_is_checked_as_the_option_s(made: dict[str, Any]) -> None:
    assert "profile.yml:4, container a, field slice: [1] is not a string" in made["wrong/profile.yml"]


def test_the_option_is_reserved_for_it(made: dict[str, Any]) -> None:
    assert "docker.cgroup_parent cannot be given: use the field 'slice'" in made["passed/profile.yml"]
    passed = json.dumps(made["schema"]["docker"])
    assert '"pids_limit"' in passed
    assert '"cgroup_parent"' not in passed


@pytest.mark.parametrize("file,value", [("compose/compose.yaml", "c.slice"), ("upstream/x.yaml", "u.slice")])
def test_the_translators_use_it(made: dict[str, Any], file: str, value: str) -> None:
    assert (made[file]["cgroup_parent"], made[file]["init"]) == (value, True)


def test_schema_and_reference_show_it(made: dict[str, Any]) -> None:
    assert made["schema"]["slice"]["type"] == "string"
    assert "| `slice` |  | Its control group. | `slice: retail.slice` | `cgroup_parent` |" in made["reference"]
