# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of Docker Compose itself: what a project is called, its files, and what its variables are."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file, text_file

#: the name of the project; and its files, with what stands between them
NAME, FILE, SEPARATOR = "COMPOSE_PROJECT_NAME", "COMPOSE_FILE", "COMPOSE_PATH_SEPARATOR"
#: files of variables in the place of ``.env``, which the caller alone names; and whether ``.env`` is not read
ENV_FILES, NO_ENV_FILE = "COMPOSE_ENV_FILES", "COMPOSE_DISABLE_ENV_FILE"
ENV_FILE = ".env"
#: what Compose takes of its own variables where ``.env`` is not read otherwise
OWN = "COMPOSE_"
_TRUE, _FALSE = ("1", "t", "T", "TRUE", "true", "True"), ("0", "f", "F", "FALSE", "false", "False")


def files_of(folder: Path, variable: Callable[[str], str | None]) -> tuple[Path, ...]:
    """The files that COMPOSE_FILE names, of the caller's variables, else of ``.env`` in the folder; none where none is.

    ProfileError for one that is not there.
    """
    env = folder / ENV_FILE
    text = text_file.text(env) if os.path.isfile(env) else ""
    own = {line.name: line for line in env_file.compose_lines(text, str(env), variable)} if FILE in text else {}

    def value(name: str) -> str | None:
        given = variable(name)
        return own[name].value if given is None and name in own else given

    named = value(FILE)
    if named is None:
        return ()
    files = [Path(os.path.normpath(folder / part)) for part in named.split(value(SEPARATOR) or os.pathsep)]
    for file in files:
        if not os.path.isfile(file):
            written = own[FILE] if variable(FILE) is None else None
            raise ProfileError(
                f"{FILE} is {named!r}: {str(file)!r} is not a file",
                file=str(env) if written else None,
                line=written.number if written else None,
            )
    return tuple(files)


def name(own: str) -> str:
    """The name of a project, as Compose makes it of what a file or a folder is called."""
    return re.sub(r"[^a-z0-9_-]", "", own.lower()).lstrip("_-")


def is_on(value: str) -> bool:
    """Whether a switch is on. ValueError for what is neither on nor off."""
    if value not in (*_TRUE, *_FALSE):
        raise ValueError(f"{value!r} is not true or false")
    return value in _TRUE
