# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each ansible-core on each Python of a controller: nothing fails, and nothing is warned of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from . import environments
from .environments import CHECKOUT, Controller
from .main_job import User, main_job

#: of the unit tests, those of what knows Ansible
UNIT = (
    "collection/test_controller_vars.py",
    "collection/test_imports.py",
    "collection/test_no_hosts.py",
    "collection/test_payload.py",
    "collection/test_workers.py",
    "filter",
    "module_utils/calls",
    "plugin_utils/adapter",
    "roles",
)
IMPORTS = """
import importlib, pathlib, sys
for file in sorted(pathlib.Path(sys.argv[1], "plugins").rglob("*.py")):
    name = ".".join(file.relative_to(sys.argv[1]).with_suffix("").parts).removesuffix(".__init__")
    importlib.import_module(f"ansible_collections.retail.profiles.{name}")
    print(name)
"""


def parameters(cores: Mapping[str, Sequence[str]]) -> Iterator[object]:
    """What this machine has not is skipped, and told."""
    for one in environments.controllers(cores):
        missing = f"this machine has no Python {one.python} that makes virtual environments"
        marks = [] if environments.interpreter(one.python) else [pytest.mark.skip(missing)]
        yield pytest.param(one, marks=marks, id=str(one))


@pytest.fixture(scope="session", params=list(parameters(environments.CONTROLLERS)))
def controller(request: pytest.FixtureRequest) -> Controller:
    chosen: Controller = request.param
    return chosen


@pytest.fixture(scope="session")
def programs(controller: Controller) -> Path:
    return environments.environment(controller.python, controller.packages)


@pytest.fixture
def user(programs: Path, tmp_path: Path) -> User:
    return User(programs, tmp_path)


@pytest.fixture
def fleet(programs: Path, tmp_path: Path, lab: Path) -> User:
    """A user with one host."""
    return User(programs, tmp_path, {"ANSIBLE_INVENTORY": str(lab)}, ["--limit", "h1"])


def test_every_plugin_is_imported(user: User, controller: Controller) -> None:
    assert controller.core in user.run("ansible", "--version")
    imported = user.run("python", "-c", IMPORTS, str(CHECKOUT)).split()
    assert "plugins.action.profile_apply" in imported


@pytest.mark.parametrize("kind", ["module", "callback", "filter", "lookup"])
def test_every_plugin_has_its_documentation(user: User, kind: str) -> None:
    folder = CHECKOUT / "plugins" / ("modules" if kind == "module" else kind)
    names = {f"retail.profiles.{file.stem}" for file in folder.glob("*.py")}
    quiet = replace(user, settings={"PYTHONWARNINGS": ""})  # ansible-core's own deprecations would stand in the JSON
    told = json.loads(quiet.run("ansible-doc", "--json", "--type", kind, *sorted(names)))
    assert set(told) == names
    assert all(plugin["doc"]["short_description"] for plugin in told.values())


def test_unit_tests(user: User) -> None:
    user.run("pytest", "-q", *(f"tests/unit/{part}" for part in UNIT), folder=CHECKOUT)


def test_main_job(fleet: User, took: Callable[[str, float], None]) -> None:
    fleet.play("prepare_hosts")
    assert "tellers-first-1 on h1" in fleet.play("plan_profile")
    main_job(fleet, took)


def test_a_shipped_profile_is_planned(user: User, lab: Path) -> None:
    whole = replace(user, settings={"ANSIBLE_INVENTORY": str(lab)})
    assert "ovms-ovms-server-1" in whole.play("plan_profile", profile="ovms")


@pytest.mark.parametrize("old", list(parameters(environments.TOO_OLD)))
@pytest.mark.parametrize("playbook", ["plan_profile", "run_profile", "status_profile", "prepare_hosts"])
def test_one_that_is_too_old_is_refused_in_one_message(old: Controller, playbook: str, tmp_path: Path) -> None:
    user = User(environments.environment(old.python, old.packages), tmp_path)
    command = [
        "ansible-playbook",
        str(CHECKOUT / "playbooks" / f"{playbook}.yml"),
        "-i",
        "localhost,",
        "-e",
        "profile=ovms",
    ]
    ended = user.start(command)
    assert ended.returncode != 0
    assert f"needs ansible-core 2.19 or newer, and this is {old.core}: install one" in " ".join(ended.stdout.split())
    assert "Traceback" not in ended.stdout and "this is probably a bug" not in ended.stdout
