# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages of the house use no others than docs/architecture.md says, in the rows of its two tables.

The tables are in the order of the layers, and an import goes only upwards, so there is no circle between packages.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PLUGINS = ROOT / "plugins"
PREFIX = "ansible_collections.retail.profiles.plugins."
#: what may import ansible: the adapter, and the version in a run's record
KNOW_ANSIBLE = {"adapter": "", "results": "provenance"}
#: how the tables name a package of a tree
TREES = {"module_utils": "M.", "plugin_utils": ""}


@dataclass(frozen=True)
class Import:
    """A line in which a file names a module of ours, or one of Ansible's."""

    file: Path
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.target}"


@lru_cache
def tables() -> dict[str, dict[str, frozenset[str]]]:
    """By tree and package, what the package may import, as docs/architecture.md has it: ``M.`` is module_utils."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    found: dict[str, dict[str, frozenset[str]]] = {}
    for tree, rows in re.findall(r"\*\*plugins/(\w+)\*\*.*?\n\n\|.*\n\|.*\n((?:\|.*\n)+)", text):
        cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]
        found[tree] = {package: frozenset(re.findall(r"[\w.]+", allowed)) for package, _what, allowed in cells}
    return found


def files() -> list[Path]:
    return [file for tree in TREES for file in sorted((PLUGINS / tree).rglob("*.py"))]


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(PLUGINS).with_suffix("").parts)


def package_of(module: str) -> str:
    """``M.container`` of ``module_utils.container.options``, ``text`` of ``plugin_utils.text.env_file``."""
    tree, package, *_rest = module.split(".")
    return TREES[tree] + package


def is_module(name: str) -> bool:
    return (PLUGINS / f"{name.replace('.', '/')}.py").is_file()


@lru_cache
def imports_of(file: Path) -> tuple[Import, ...]:
    """Every import of a file, wherever in it: ours by the module's name below plugins, others as they are written."""
    return tuple(_imports(file))


def _imports(file: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(file, node.lineno, alias.name.removeprefix(PREFIX))
        elif isinstance(node, ast.ImportFrom):
            source = (node.module or "").removeprefix(PREFIX)
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield Import(file, node.lineno, inner if is_module(inner) else source)


def ours(file: Path) -> list[Import]:
    return [found for found in imports_of(file) if found.target.startswith(tuple(TREES))]


def test_the_tables_are_the_folders() -> None:
    assert set(tables()) == set(TREES)
    for tree, table in tables().items():
        folders = {path.name for path in (PLUGINS / tree).iterdir() if path.is_dir() and path.name != "__pycache__"}
        assert folders == set(table), tree
        assert not list((PLUGINS / tree).glob("*.py")), f"{tree}: a file stands in a package"


@pytest.mark.parametrize("tree", TREES)
def test_a_package_imports_what_its_row_names_and_nothing_else(tree: str) -> None:
    wrong = []
    for file in sorted((PLUGINS / tree).rglob("*.py")):
        own = package_of(module_of(file))
        allowed = {own, *tables()[tree][own.removeprefix(TREES[tree])]}
        wrong += [
            f"{found}: {own} may not use {to}"
            for found in ours(file)
            if (to := package_of(found.target)) not in allowed
        ]
    assert wrong == []


def test_an_import_goes_upwards_in_its_table() -> None:
    for tree, table in tables().items():
        above: set[str] = set()
        for package, allowed in table.items():
            within = {name for name in allowed if name.startswith("M.") == bool(TREES[tree])}
            assert within <= above, f"{TREES[tree]}{package} uses what stands below it: {sorted(within - above)}"
            assert all(name.startswith("M.") for name in allowed - within), (
                "nothing goes back from a host to the controller"
            )
            above.add(TREES[tree] + package)


def test_only_the_adapter_knows_ansible() -> None:
    for file in files():
        tree, package, *rest = module_of(file).split(".")
        allowed = tree == "plugin_utils" and KNOW_ANSIBLE.get(package, "nothing") in ("", ".".join(rest))
        for found in imports_of(file):
            assert allowed or not re.match(r"ansible\b", found.target), str(found)


def test_there_is_no_circle_of_files() -> None:
    graph = {module_of(file): {found.target for found in ours(file)} for file in files()}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, f"a circle: {' → '.join([*path[path.index(module) :], module])}"
        if module not in done:
            for target in sorted(graph.get(module, ())):
                visit(target, (*path, module))
            done.add(module)

    for module in graph:
        visit(module, ())


def test_no_file_is_longer_than_500_lines() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for file in PLUGINS.rglob("*.py")
        if (lines := file.read_text().count("\n")) > 500
    }
    assert long == {}
