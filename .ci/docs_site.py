# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the site of the documentation to ``.docs-site/``: the pages of ``docs/``, and those of the plugins."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / ".docs-site"
BIN = Path(sys.executable).parent
# The pages stand where they stand in the checkout, so that their links hold.
PAGES = ("README.md", "CONTRIBUTING.md", "docs", "roles/*/README.md", "run_profile.yml", "playbooks", "meta")
CONF = """
project = "retail.profiles"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
root_doc = "docs/index"
html_title = "retail.profiles"
html_theme = "alabaster"
html_theme_options = {"page_width": "75em"}
myst_heading_anchors = 4
# Plugins refer to pages of Ansible's own manual, which are not here.
suppress_warnings = ["misc.highlighting_failure", "ref.ref"]
"""
CONTENTS = """
```{toctree}
:hidden:
:glob:

guides/*
*
../README
../CONTRIBUTING
../roles/*/README
../plugins/index
```

## Reference

- [Modules and plugins](../plugins/index.rst)
- Roles: %s
"""


def run(*command: str) -> None:
    """Run a tool of this environment; end with its words where it fails."""
    environment = {
        **os.environ,
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".collections"),
    }
    environment.pop("ANSIBLE_CONFIG", None)  # the checkout's own is for running
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    # antsibull-docs puts its errors into the page that has them, and ends well.
    if ended.returncode or "ERROR" in ended.stderr:
        sys.exit(f"{command[0]} failed:\n{ended.stdout}\n{ended.stderr}")


def copy_pages(source: Path) -> None:
    for pattern in PAGES:
        for path in sorted(ROOT.glob(pattern)):
            target = source / path.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy2)(path, target)
    roles = ", ".join(
        f"[{path.parent.name}](../{path.relative_to(ROOT)})" for path in sorted(ROOT.glob("roles/*/README.md"))
    )
    with (source / "docs/index.md").open("a", encoding="utf-8") as index:
        index.write(CONTENTS % roles)


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        source = Path(name)
        copy_pages(source)
        (source / "conf.py").write_text(CONF, encoding="utf-8")
        plugins = source / "plugins"
        plugins.mkdir(mode=0o755)
        run(
            "antsibull-docs",
            "collection",
            "--use-current",
            "--squash-hierarchy",
            "--dest-dir",
            str(plugins),
            "retail.profiles",
        )
        shutil.rmtree(SITE, ignore_errors=True)
        run("sphinx-build", "-q", "-W", "--keep-going", "-b", "html", str(source), str(SITE))
    print(f"The site is in {SITE}: open {SITE / 'docs/index.html'}")


if __name__ == "__main__":
    main()
