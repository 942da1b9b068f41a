# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make ``.collections/``: this checkout as ``retail.profiles``, and community.docker without Galaxy.

community.docker and what it needs are taken out of the PyPI package ``ansible``, of which they are 2 MB of 50;
they are kept in the user's cache directory, so that the package is fetched once.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ANSIBLE = "12.3.0"
WANTED = ("community/docker", "community/library_inventory_filtering_v1")
ROOT = Path(__file__).resolve().parent.parent


def cache_dir() -> Path:
    """The folder of this project under the user's cache directory."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "retail-profiles"


def fetch(target: Path) -> None:
    """Unpack the wanted collections of the PyPI package ``ansible`` below *target*, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as name:
        work = Path(name)
        print(f"==> fetching community.docker (in ansible {ANSIBLE} on the package index)", flush=True)
        pip = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--no-deps"]
        if subprocess.run([*pip, "--dest", str(work), f"ansible=={ANSIBLE}"], check=False).returncode:
            sys.exit(f"setup: pip could not download ansible=={ANSIBLE} (see above). Is a package index reachable?")
        (wheel,) = work.glob("ansible-*.whl")
        tree = work / "tree"
        with zipfile.ZipFile(wheel) as archive:
            prefixes = tuple(f"ansible_collections/{name}/" for name in WANTED)
            archive.extractall(tree, [name for name in archive.namelist() if name.startswith(prefixes)])
        try:
            (tree / "ansible_collections").rename(target)
        except OSError:
            # Somebody else was quicker: theirs is as good.
            if not target.is_dir():
                raise


def same(one: Path, other: Path) -> bool:
    """Whether two installed collections are the same release."""
    try:
        return (one / "MANIFEST.json").read_bytes() == (other / "MANIFEST.json").read_bytes()
    except OSError:
        return False


def main() -> None:
    """Bring ``.collections/`` into its state; nothing happens when it is in it."""
    cached = cache_dir() / f"collections-{ANSIBLE}"
    here = ROOT / ".collections" / "ansible_collections"
    if not all((cached / name / "MANIFEST.json").is_file() for name in WANTED):
        shutil.rmtree(cached, ignore_errors=True)
        fetch(cached)
    for name in WANTED:
        if not same(cached / name, here / name):
            shutil.rmtree(here / name, ignore_errors=True)
            shutil.copytree(cached / name, here / name)
    link = here / "retail" / "profiles"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not link.is_symlink() or link.resolve() != ROOT:
        link.unlink(missing_ok=True)
        link.symlink_to(os.path.relpath(ROOT, link.parent))


if __name__ == "__main__":
    main()
