# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables in a Compose file: of the caller, and of the file ``.env`` beside it."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source, how_to_give
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import casts, project
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node
from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file, interpolation
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import LARGEST, Path

_PATHS = ("volumes", "env_file", "label_file", "build", "configs", "secrets", "include", "extends")


@dataclass
class _Budget:
    """How many characters texts with variables may have together from here on."""

    left: int = LARGEST


@dataclass(frozen=True)
class Variables:
    """The variables of a file: the caller's, else those of its ``.env``.

    ``project``: the folder of the project, as it is seen from where the file is read.
    """

    source: Source
    of_file: Mapping[str, str]
    budget: _Budget = field(default_factory=_Budget)
    project: str = "."

    def count(self, text: str) -> None:
        """Take a text that was made of variables into account. ValueError where there are too many."""
        self.budget.left -= len(text)
        if self.budget.left < 0:
            raise ValueError("this file is too large with what its variables stand for")

    def get(self, name: str) -> str | None:
        """The caller's, else that of ``.env``."""
        given = self.source.variable(name)
        return self.of_file.get(name) if given is None else given

    def in_path(self, name: str) -> str | None:
        """The same where a path is written: there are the folder of the project and the home of its user, too."""
        given = self.get(name)
        return {"PWD": self.project, "HOME": "~"}.get(name) if given is None else given

    def read_in(self, folder: str) -> Variables:
        """These for a file whose paths are relative to a folder (under the root)."""
        return replace(self, project=posixpath.relpath(self.source.folder, folder))

    def expanded(self, text: str) -> str:
        """A text with its variables replaced, where that can be done."""
        try:
            return interpolation.expand(text, self.get)
        except ValueError:
            return text  # which is told where the file is read

    def with_below(self, more: Mapping[str, str]) -> Variables:
        """These, and below them some more."""
        return replace(self, of_file={**more, **self.of_file})

    def with_env_of(self, folder: str) -> Variables:
        """These, and below them those of ``.env`` in a folder (under the root), where it is there."""
        file = self.source.inside(project.ENV_FILE, folder, ())
        return self.with_files([file] if self.source.is_file(file) else [])

    def with_files(self, files: Sequence[str]) -> Variables:
        """These, and below them those of further files (under the root)."""
        found: dict[str, str] = {}
        for file in files:
            text, place = self.source.text(file, ()), str(self.source.root / file)
            unset = partial(self.source.blank_at, place)
            lines = env_file.compose_lines(text, place, self.get, unset, below=found.get)
            found.update({line.name: line.value for line in lines})
        return self.with_below(found)


def of(source: Source) -> Variables:
    """The variables of a project: those of the folder that was named stand above those of the folder of its file."""
    named = source.folder if source.given.folder is None else source.of_caller(source.given.folder)
    none = Variables(source, {})
    if files := source.variable(project.ENV_FILES):
        return none.with_files([_env_file(source, file, named) for file in files.split(",")])
    made = none.with_env_of(named)
    switch = made.get(project.NO_ENV_FILE)
    try:
        if switch is not None and project.is_on(switch):
            # Of the first one Compose has taken its own variables already.
            own = {name: value for name, value in made.of_file.items() if name.startswith(project.OWN)}
            return none.with_below(own)
    except ValueError as error:
        raise source.error(f"{project.NO_ENV_FILE}: {error}", ()) from error
    return made.with_env_of(source.folder)


def _env_file(source: Source, file: str, folder: str) -> str:
    inside = source.inside(file, folder, ())
    if not source.is_file(inside):
        raise source.error(f"{project.ENV_FILES} names {file!r}, which is not there", ())
    return inside


def expand(variables: Variables, node: Node, path: Path = ()) -> Node:
    """A value with its variables replaced; those that are not set stand for nothing, and are noted there.

    A text is what Compose makes of it where it stands: a number or a boolean. ProfileError for what cannot be that.
    """
    if isinstance(node.value, dict):
        return node.with_value({key: expand(variables, item, (*path, key)) for key, item in node.value.items()})
    if isinstance(node.value, list):
        return node.with_value([expand(variables, item, (*path, at)) for at, item in enumerate(node.value)])
    if not isinstance(node.value, str) or node.tag == "!reset":
        return node
    missing: list[str] = []

    def unset(name: str) -> str:
        missing.append(name)
        return ""

    lookup = variables.in_path if set(_PATHS) & {*path[:1], *path[2:3]} else variables.get
    try:
        text = interpolation.expand(node.value, lookup, unset) if "$" in node.value else node.value
        variables.count(text if "$" in node.value else "")
        return replace(node, value=casts.typed(text, path), unset=missing[0] if missing else "")
    except interpolation.Missing as error:
        raise node.error(how_to_give(error.name, str(error))) from error
    except ValueError as error:
        said = f"{'.'.join(map(str, path))}: {error}"
        raise node.error(how_to_give(missing[0]) if missing else said) from error
