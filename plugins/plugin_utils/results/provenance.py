# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ran on the controller: versions, and the state of the checkout that the collection came from."""

from __future__ import annotations

import json
import platform
import subprocess
from pathlib import Path
from typing import Any

COLLECTION = Path(__file__).resolve().parents[3]
_GIT_SECONDS = 10


def describe(root: Path = COLLECTION) -> dict[str, Any]:
    """Versions of ansible-core, Python and the collection, git commit and dirtiness; what is not known has a reason."""
    return {
        "ansible_core": _ansible_core(),
        "python": platform.python_version(),
        "collection": _collection_version(root),
        **_git(root),
    }


def _ansible_core() -> str:
    from ansible.release import __version__

    return str(__version__)


def _collection_version(root: Path) -> str | dict[str, str]:
    import yaml

    try:
        manifest = root / "MANIFEST.json"
        if manifest.exists():
            return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
        return str(yaml.safe_load((root / "galaxy.yml").read_text(encoding="utf-8"))["version"])
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError) as error:
        return {"absent": f"the collection's metadata cannot be read: {error}"}


def _run(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=_GIT_SECONDS).stdout.strip()


def _git(root: Path) -> dict[str, Any]:
    absent = {"git_commit": {"absent": "the collection is not in a git checkout of its own"}, "git_dirty": None}
    try:
        # An installed collection may lie somewhere in another project's checkout: that commit is not ours.
        if Path(_run(root, "rev-parse", "--show-toplevel")).resolve() != root:
            return absent
        dirty = bool(_run(root, "status", "--porcelain", "--untracked-files=no"))
        return {"git_commit": _run(root, "rev-parse", "HEAD"), "git_dirty": dirty}
    except (OSError, subprocess.SubprocessError):
        return absent
