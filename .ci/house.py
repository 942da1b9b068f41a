# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Count packages, files, lines and imports of both trees of shared code, as they are or at a revision.

    python .ci/house.py [REVISION ...]

An edge is from one package to another (a file that stands in no package is one by itself), an arrow from file to file.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "ansible_collections.retail.profiles.plugins."
TREES = ("plugin_utils", "module_utils")


def git(*words: str) -> str:
    command = ["git", "-c", f"safe.directory={ROOT}", *words]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def sources(revision: str | None) -> dict[str, str]:
    """The text of each Python file of both trees, by its module's name below plugins."""
    folders = [f"plugins/{tree}" for tree in TREES]
    if revision is None:
        names = [file.relative_to(ROOT).as_posix() for folder in folders for file in (ROOT / folder).rglob("*.py")]
    else:
        names = git("ls-tree", "-r", "--name-only", revision, "--", *folders).split()
    texts = {}
    for name in sorted(names):
        path = PurePosixPath(name)
        if path.suffix == ".py" and path.name != "__init__.py":
            module = ".".join(path.with_suffix("").parts[1:])
            texts[module] = (ROOT / name).read_text() if revision is None else git("show", f"{revision}:{name}")
    return texts


def imports(text: str, modules: Mapping[str, str]) -> set[str]:
    """The modules of ours that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PREFIX):
            source = node.module.removeprefix(PREFIX)
            found |= {
                f"{source}.{alias.name}" if f"{source}.{alias.name}" in modules else source for alias in node.names
            }
    return found & set(modules)


def package(module: str) -> str:
    """``plugin_utils.text``; in a tree without packages, the module itself."""
    return ".".join(module.split(".")[:2])


def tree_of(name: str) -> str:
    return name.partition(".")[0]


def count(revision: str | None) -> None:
    """Print the counts of one revision."""
    modules = sources(revision)
    arrows = {(module, target) for module, text in modules.items() for target in imports(text, modules)}
    edges = {(package(one), package(other)) for one, other in arrows if package(one) != package(other)}
    print(f"{revision or 'the working tree'}:")
    for tree in TREES:
        own = [module for module in modules if tree_of(module) == tree]
        packages = {package(module) for module in own}
        lines = {module: modules[module].count("\n") for module in own}
        longest = max(own, key=lambda module: lines[module])
        print(f"  {tree}: {len(packages)} packages, {len(own)} files, {sum(lines.values())} lines")
        print(f"    {_within(tree, edges)} edges between packages, {_within(tree, arrows)} arrows between files")
        print(f"    the longest file: {longest}, {lines[longest]} lines")
    across = {edge for edge in edges if tree_of(edge[0]) != tree_of(edge[1])}
    back = {edge for edge in across if tree_of(edge[0]) == "module_utils"}
    print(f"  from plugin_utils to module_utils: {len(across) - len(back)} edges; back: {len(back)}")


def _within(tree: str, pairs: set[tuple[str, str]]) -> int:
    return sum(1 for one, other in pairs if tree_of(one) == tree_of(other) == tree)


if __name__ == "__main__":
    for wanted in sys.argv[1:] or [None]:
        count(wanted)
