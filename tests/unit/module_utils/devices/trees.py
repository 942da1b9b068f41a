# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a machine as the kernel shows them, from listings in ``trees/``.

A line of a listing is ``PATH: CONTENT``, or ``PATH -> TARGET`` of a link, or ``PATH:`` with the content in lines below
that begin with a blank. A line that begins with ``#`` says what the listing follows.
"""

from __future__ import annotations

from pathlib import Path

from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import Roots

LISTINGS = Path(__file__).parent / "trees"


def planted(folder: Path, name: str) -> Roots:
    """The machine *name* below *folder*."""
    plant(folder, (LISTINGS / f"{name}.txt").read_text(encoding="utf-8"))
    return roots(folder)


def roots(folder: Path) -> Roots:
    return Roots(*(str(folder / name) for name in ("sys", "proc", "dev")))


def plant(folder: Path, listing: str) -> None:
    """Make the files of a listing."""
    file = folder
    for line in listing.splitlines():
        if line.startswith("#") or not line:
            continue
        if line.startswith((" ", "\t")):
            file.write_text(f"{file.read_text()}{line[1:]}\n")
            continue
        path, link, target = line.partition(" -> ")
        path, _colon, content = (path, "", "") if link else f"{line} ".partition(": ")
        file = folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        if link:
            file.symlink_to(target)
        else:
            file.write_text(f"{content.rstrip(' ')}\n" if content else "")


def put(folder: Path, path: str, content: object) -> None:
    """Change a file, as the kernel does."""
    (folder / path.lstrip("/")).write_text(f"{content}\n")
