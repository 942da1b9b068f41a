# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run ``ansible-test sanity`` on a copy of what git knows of the checkout; arguments go on to it.

ansible-test wants a real directory ``…/ansible_collections/retail/profiles``. Here it gets a home of its own, because:

- it makes virtual environments whose pip it downloads from a place that is not a package index. A script in its cache,
  under the name it looks for, takes the pip that Python itself brings along (ensurepip) instead;
- it runs pip without the caller's ``PIP_*`` variables (index, certificates). A ``pip.conf`` in that home hands them on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from fetch_collections import ROOT, cache_dir

BOOTSTRAP = '''\
"""Stands in for get-pip.py: installs the pip that ensurepip holds."""
import ensurepip

ensurepip.bootstrap(upgrade=True, default_pip=True)
'''


def copy_checkout(target: Path) -> None:
    """Make *target* a copy of the files that git tracks or would track, as they are now."""
    listing = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    wanted = {name for name in listing.stdout.split("\0") if name and os.path.lexists(ROOT / name)}
    shutil.rmtree(target, ignore_errors=True)
    for name in sorted(wanted):
        to = target / name
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, to, follow_symlinks=False)


def bootstrap_name() -> str:
    """The file name under which ansible-test looks for its pip bootstrap script."""
    import ansible_test

    package = Path(ansible_test.__file__).parent
    text = (package / "_internal" / "python_requirements.py").read_text()
    version = re.search(r"\bpip='([0-9.]+)'", text)
    if version is None:
        sys.exit("sanity: this ansible-test does not say which pip it wants")
    return f"get_pip_{version[1].replace('.', '_')}.py"


def pip_settings() -> str:
    """The pip settings in force for the caller (files and environment), as the text of one pip.conf."""
    listing = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    ).stdout
    settings: dict[str, str] = {}
    # Later lines win: pip lists files first, then the environment.
    for line in listing.splitlines():
        match = re.fullmatch(r"(?:global|install|:env:)\.([\w-]+)='(.*)'", line)
        if match:
            settings[match[1].replace("_", "-")] = match[2].replace("\\n", "\n    ")
    return "[global]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items())


def prepare_home(home: Path) -> None:
    """Lay out the home directory that ansible-test gets."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / bootstrap_name()).write_text(BOOTSTRAP)
    conf = home / ".config" / "pip" / "pip.conf"
    conf.parent.mkdir(parents=True, exist_ok=True)
    conf.touch(mode=0o600)
    conf.write_text(pip_settings())


def main() -> int:
    """Copy, prepare, run."""
    base = cache_dir() / "sanity"
    collection = base / "ansible_collections" / "retail" / "profiles"
    copy_checkout(collection)
    if any(collection.glob("tests/sanity/ignore*")):
        print("sanity: ignore entries are not allowed; found tests/sanity/ignore*", file=sys.stderr)
        return 1
    prepare_home(base / "home")
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    command = ["ansible-test", "sanity", "--python", python, "--color", "no", *sys.argv[1:]]
    environment = {**os.environ, "HOME": str(base / "home")}
    environment.pop("ANSIBLE_CONFIG", None)
    environment.pop("XDG_CONFIG_HOME", None)
    return subprocess.run(command, cwd=collection, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
