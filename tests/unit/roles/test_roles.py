# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every role says what it takes: defaults and argument_specs name the same variables, each with the role's prefix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted((Path(__file__).resolve().parents[3] / "roles").iterdir())


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text()) if path.exists() else {}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_defaults_and_argument_specs_name_the_same_variables(role: Path) -> None:
    defaults = set(load(role / "defaults" / "main.yml") or {})
    specs = load(role / "meta" / "argument_specs.yml")["argument_specs"]
    options = {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}
    optional = {name for name, option in options.items() if not option.get("required")}
    assert defaults <= set(options), f"not in argument_specs: {sorted(defaults - set(options))}"
    assert {name for name in optional if name.startswith(f"{role.name}_")} <= defaults, "options without a default"


@pytest.mark.parametrize("role", [ROLES[0].parent / name for name in ("docker_host", "images")], ids=str)
def test_defaults_are_those_of_the_argument_specs(role: Path) -> None:
    defaults = load(role / "defaults" / "main.yml")
    spec = load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]
    # The cache's place is said in words there.
    told = {name: option["default"] for name, option in spec["options"].items() if name != "images_cache"}
    assert told == {name: value for name, value in defaults.items() if name != "images_cache"}
