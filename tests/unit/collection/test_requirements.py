# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""requirements.txt has all that a run imports on the controller, so that a set-up without the tests' packages works."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

CONTROLLER = ("action", "callback", "filter", "plugin_utils")
PACKAGES = {"ansible": "ansible-core", "jinja2": "Jinja2", "markupsafe": "MarkupSafe", "yaml": "PyYAML"}
# What a run makes more of where it is there.
OPTIONAL = {"pyarrow"}


def imported(file: Path) -> set[str]:
    """Top-level packages that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def test_what_the_controller_imports_is_pinned_for_a_run(checkout: Path) -> None:
    files = [file for folder in CONTROLLER for file in (checkout / "plugins" / folder).rglob("*.py")]
    ours = {*sys.stdlib_module_names, "ansible_collections"}
    needed = {name for file in files for name in imported(file)} - ours - OPTIONAL
    lines = (checkout / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {line.partition("==")[0] for line in lines if "==" in line}
    assert {"jmespath", "prometheus_client", "jinja2"} <= needed
    assert {PACKAGES.get(name, name) for name in needed} <= pinned
