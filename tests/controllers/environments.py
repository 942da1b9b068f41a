# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection is tested with, and virtual environments that have it: made once, kept in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "retail-profiles" / "controllers"
#: the Pythons of a controller by the ansible-core that is to run on them
CONTROLLERS = {
    "2.19.14": ("3.11", "3.12", "3.13"),
    "2.20.10": ("3.12", "3.13", "3.14"),
    "2.21.5": ("3.12", "3.13", "3.14"),
    "2.22.0rc1": ("3.13", "3.14"),
}
#: those that are refused
TOO_OLD = {"2.17.14": ("3.12",), "2.18.19": ("3.13",)}
#: the Pythons of a host
HOSTS = ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")
#: what a host needs beside Python
ON_HOSTS = ("docker==7.1.0",)
#: what the unit tests need beside what a run needs
TESTS = ("hypothesis", "iniconfig", "pluggy", "Pygments", "pytest", "sortedcontainers")


@dataclass(frozen=True)
class Controller:
    """An ansible-core on a Python."""

    core: str
    python: str

    def __str__(self) -> str:
        return f"{self.core}-on-{self.python}"

    @property
    def packages(self) -> list[str]:
        """Those that are pinned for a run and its tests, but for ansible-core."""
        run, tests = pins("requirements.txt"), pins("requirements-dev.txt")
        others = {**run, **{name: tests[name] for name in TESTS}, "ansible-core": self.core}
        if self.core in TOO_OLD:
            del others["resolvelib"]  # they want an older one
        return [f"{name}=={version}" for name, version in sorted(others.items())]


def controllers(cores: Mapping[str, Sequence[str]]) -> Iterator[Controller]:
    for core, pythons in cores.items():
        for python in pythons:
            yield Controller(core, python)


def pins(file: str) -> dict[str, str]:
    lines = (CHECKOUT / file).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if "==" in line)


@lru_cache
def interpreter(version: str) -> str | None:
    """A Python of this version that makes virtual environments, on the path or of pyenv; None where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    code = "import ensurepip, sys, venv; print(*sys.version_info[:2], sep='.'); print(sys._base_executable)"
    for found in (shutil.which(f"python{version}"), *sorted(pyenv.glob(f"versions/{version}.*/bin/python"))):
        if found is not None:
            asked = subprocess.run([found, "-c", code], capture_output=True, text=True, check=False)
            if asked.returncode == 0 and asked.stdout.split()[0] == version:
                return asked.stdout.split()[1]
    return None


def environment(version: str, packages: Sequence[str]) -> Path:
    """The folder of programs of a virtual environment with these packages, which is made where there is none."""
    python = interpreter(version)
    assert python is not None
    told = subprocess.run([python, "-VV"], capture_output=True, text=True, check=True).stdout
    key = hashlib.sha256("\n".join([python, told, *packages]).encode()).hexdigest()[:16]
    home = CACHE / f"{version}-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{home.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            subprocess.run([python, "-m", "venv", str(home)], check=True)
            pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
            subprocess.run([*pip, *packages], check=True)
            (home / "complete").touch()
    return home / "bin"
