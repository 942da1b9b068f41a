# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection builds, holds what it should, and works where it is installed."""

from __future__ import annotations

import os
import subprocess
import tarfile
from pathlib import Path

import pytest

# What is in a checkout and must not be in a release.
STRAY = {".ansible", ".cache", ".collections", ".git", ".hypothesis", ".lab", ".mypy_cache", ".pytest_cache",
         ".ruff_cache", ".venv", "__pycache__"}  # fmt: skip
STRAY_AT_THE_TOP = {".ci", "bench", "results"}
NEEDED = {"galaxy.yml": False, "MANIFEST.json": True, "COPYING": True, "meta/runtime.yml": True}


def run(*command: str, cwd: Path, collections: str | None = None) -> str:
    """Run a command that must succeed, far from the checkout's configuration; return what it printed."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    if collections is not None:
        environment["ANSIBLE_COLLECTIONS_PATH"] = collections
    result = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert result.returncode == 0, f"{' '.join(command)}\n{result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def archive(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release that ``ansible-galaxy collection build`` makes of the checkout."""
    place = tmp_path_factory.mktemp("build")
    run("ansible-galaxy", "collection", "build", str(checkout), "--output-path", str(place), cwd=place)
    (built,) = place.glob("retail-profiles-*.tar.gz")
    return built


@pytest.fixture(scope="module")
def installed(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collections path on which the release is installed, without any Galaxy server."""
    place = tmp_path_factory.mktemp("installed")
    run("ansible-galaxy", "collection", "install", str(archive), "--offline", "--no-deps", "-p", str(place), cwd=place)
    return place


def test_release_holds_no_stray_files(archive: Path) -> None:
    with tarfile.open(archive) as release:
        names = release.getnames()
    stray = [name for name in names if STRAY & set(Path(name).parts) or name.endswith((".pyc", ".tar.gz"))]
    stray += [name for name in names if name.split("/")[0] in STRAY_AT_THE_TOP or name.startswith("tests/output")]
    assert stray == []


def test_release_holds_what_is_needed(archive: Path, checkout: Path) -> None:
    with tarfile.open(archive) as release:
        names = set(release.getnames())
    assert {name: name in names for name in NEEDED} == NEEDED
    tracked = run("git", "-c", f"safe.directory={checkout}", "ls-files", "plugins", "roles", "playbooks", "profiles",
                  cwd=checkout).split()  # fmt: skip
    assert [name for name in tracked if (checkout / name).exists() and name not in names] == []


def test_installed_playbook_passes_syntax_check(installed: Path, collections: Path, tmp_path: Path) -> None:
    for name in ("community",):
        (installed / "ansible_collections" / name).symlink_to(collections / "ansible_collections" / name)
    command = ["ansible-playbook", "-i", "localhost,", "retail.profiles.run_profile", "-e", "profile=ovms"]
    printed = run(*command, "--syntax-check", cwd=tmp_path, collections=str(installed))
    # Ansible names it as it was called, or by the file that it found, which is the installed one.
    assert "playbook: retail.profiles.run_profile" in printed or f"playbook: {installed}" in printed


def test_installed_documentation_is_found(installed: Path, tmp_path: Path, checkout: Path) -> None:
    printed = run("ansible-doc", "--list", "--type", "module", "retail.profiles", cwd=tmp_path,
                  collections=str(installed))  # fmt: skip
    listed = {line.split()[0].removeprefix("retail.profiles.") for line in printed.splitlines() if line.strip()}
    assert listed == {path.stem for path in (checkout / "plugins" / "modules").glob("*.py")}
