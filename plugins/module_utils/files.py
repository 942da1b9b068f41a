# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Ship the files of a profile to their content-addressed places on the host."""

from __future__ import annotations

import base64
import hashlib
import os
import stat
import zlib
from collections.abc import Iterable

from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.state import StateDir, make_directories, write_atomically
from ansible_collections.retail.profiles.plugins.module_utils.tasks import ShippedFile


def stale(files: Iterable[ShippedFile]) -> list[ShippedFile]:
    """The files that are missing on the host, or are not what they should be."""
    return [item for item in files if not _as_wanted(item)]


def _as_wanted(item: ShippedFile) -> bool:
    try:
        with open(item.dest, "rb") as stream:
            mode = stat.S_IMODE(os.fstat(stream.fileno()).st_mode)
            return mode == item.mode and hashlib.sha256(stream.read()).hexdigest() == item.sha256
    except OSError:
        return False


def content_of(item: ShippedFile) -> bytes:
    """The verified content of a shipped file. Raises ProfileError where it is not what its address says."""
    try:
        content = zlib.decompress(base64.b64decode(item.content, validate=True))
    except (ValueError, zlib.error) as error:
        raise ProfileError(f"arrived damaged: {error}", file=item.path) from None
    found = hashlib.sha256(content).hexdigest()
    if found != item.sha256:
        raise ProfileError(f"arrived with sha256 {found}, not {item.sha256}", file=item.path)
    return content


def ship(files: Iterable[ShippedFile], state: StateDir, deployment: str) -> None:
    """Write *files*. One that would land outside of the deployment's own folder is refused."""
    home = state.files(deployment)
    for item in files:
        folder = os.path.dirname(item.dest)
        if os.path.normpath(item.dest) != item.dest or os.path.dirname(folder) != home:
            raise ProfileError(f"its place on the host, {item.dest}, is not in a folder of {home}", file=item.path)
        content = content_of(item)
        make_directories(state.root, folder)
        write_atomically(item.dest, content, item.mode)
