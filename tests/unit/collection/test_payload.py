# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What travels to hosts: it needs nothing but the standard library and ``docker``, and it is small."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "plugins" / "module_utils"
MODULE_UTILS = sorted(FOLDER.rglob("*.py"))
MODULES = sorted((ROOT / "plugins" / "modules").glob("*.py"))
# Documentation of actions that do all themselves: they never travel.
ACTIONS = {path.stem for path in (ROOT / "plugins" / "action").glob("*.py") if "DirectAction" not in path.read_text()}
PREFIX = "ansible_collections.retail.profiles.plugins.module_utils"
# Of what we add to the archive that a module call is. Ansible sends it in base64, which adds a third; the archive of
# ansible-core's own module ping is 126 kB.
PAYLOAD_LIMIT = 100 * 1024
# docker, and what docker itself needs.
ALLOWED = ("docker", "requests", "urllib3", "idna", "certifi", "charset_normalizer")

# Payloads are built in a process of their own: ansible sets up process-wide state (the collection loader).
BUILD_PAYLOAD = """
import sys
from pathlib import Path
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([sys.argv[1]])
from ansible.executor.module_common import modify_module
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
import ansible.modules.ping
for path in [ansible.modules.ping.__file__, *sys.argv[2:]]:
    ours = "ansible_collections.retail.profiles.plugins.modules."
    built = modify_module(
        module_name=("ansible.modules." if path == ansible.modules.ping.__file__ else ours) + Path(path).stem,
        module_path=path,
        module_args={},
        templar=Templar(loader=DataLoader()),
        task_vars={"ansible_python_interpreter": "/usr/bin/python3"},
        module_compression="ZIP_DEFLATED",
    )
    print(Path(path).stem, len(built.b_module_data))
"""


def run_python(code: str, *arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter that finds the standard library and *path* only."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "HOME": os.environ.get("HOME", "/")}
    command = [sys.executable, "-S", "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)


@pytest.fixture(scope="session")
def only_docker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the ``docker`` package, its own requirements, and nothing else."""
    here = tmp_path_factory.mktemp("only-docker")
    for scheme in ("purelib", "platlib"):
        for name in ALLOWED:
            package = Path(sysconfig.get_path(scheme)) / name
            if package.is_dir() and not (here / name).exists():
                (here / name).symlink_to(package)
    assert (here / "docker").exists()
    return here


def dotted(path: Path) -> str:
    """The name of a file of module_utils below it, as ``container.options``."""
    return ".".join(path.relative_to(FOLDER).with_suffix("").parts)


def test_there_is_something_to_test() -> None:
    assert "common.errors" in {dotted(path) for path in MODULE_UTILS}


@pytest.mark.parametrize("name", [dotted(path) for path in MODULE_UTILS])
def test_module_util_imports_where_there_is_only_docker(name: str, only_docker: Path, collections: Path) -> None:
    result = run_python(f"import {PREFIX}.{name}", path=f"{only_docker}:{collections}")
    assert result.returncode == 0, result.stderr


def test_the_environment_has_nothing_else(only_docker: Path, collections: Path) -> None:
    for name in ("ansible", "yaml", "jmespath", "jinja2"):
        result = run_python(f"import {name}", path=f"{only_docker}:{collections}")
        assert "ModuleNotFoundError" in result.stderr, name


def imported_modules(path: Path) -> set[str]:
    """The top-level names of all absolute imports in a file, wherever in it they stand; ours by their full name."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            found.add(node.module or "")
    return found


@pytest.mark.parametrize("path", MODULE_UTILS, ids=dotted)
def test_module_util_imports_nothing_else_later(path: Path) -> None:
    for name in imported_modules(path):
        top = name.split(".")[0]
        ours = name.startswith(PREFIX)
        assert ours or top in sys.stdlib_module_names or top in ("docker", "requests"), f"{path.name} imports {name}"


@pytest.mark.skipif(not MODULES, reason="there are no modules yet")
def test_payload_of_every_module_is_small(collections: Path) -> None:
    travelling = [str(path) for path in MODULES if path.stem not in ACTIONS]
    command = [sys.executable, "-c", BUILD_PAYLOAD, str(collections), *travelling]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stderr
    sizes = {line.split()[0]: int(line.split()[1]) for line in result.stdout.splitlines()}
    assert set(sizes) == {"ping", *(Path(path).stem for path in travelling)}
    added = {name: (size - sizes["ping"]) * 3 // 4 for name, size in sizes.items()}
    assert {name: size for name, size in added.items() if size > PAYLOAD_LIMIT} == {}
