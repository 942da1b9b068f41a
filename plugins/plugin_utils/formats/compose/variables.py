# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Variables in a Compose file: of the caller, and of the file ``.env`` beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file, interpolation, yaml_document

# What a shell has beside, where a path is written: the folder of the file, and the user's home on the host.
_OF_THE_SHELL = {"PWD": ".", "HOME": "~"}
_PATHS = ("volumes", "env_file", "build", "configs")


@dataclass
class Variables:
    """The variables of a file. ``unset``: those that nothing sets, by where they are used."""

    source: Source
    of_file: Mapping[str, str]
    unset: dict[yaml_document.Path, str] = field(default_factory=dict)
    size: int = 0

    def get(self, name: str) -> str | None:
        """The caller's, else that of ``.env``."""
        given = self.source.variable(name)
        return self.of_file.get(name) if given is None else given

    def in_path(self, name: str) -> str | None:
        """The same where a path is written: there are the folder of the file and the home of its user, too."""
        given = self.get(name)
        return _OF_THE_SHELL.get(name) if given is None else given

    def missing(self, path: yaml_document.Path) -> str | None:
        """A variable that is not set, and used at ``path`` or below."""
        return next((name for where, name in self.unset.items() if where[: len(path)] == path), None)


def of(source: Source) -> Variables:
    """The variables of a file."""
    file = source.inside(".env", source.folder, ())
    if not source.is_file(file):
        return Variables(source, {})
    lines = env_file.compose_lines(source.text(file, ()), str(source.root / file), source.variable)
    return Variables(source, {line.name: line.value for line in lines})


def expand(variables: Variables) -> yaml_document.Document:
    """The file with its variables replaced; those that are not set stand for nothing, with a warning."""
    document = variables.source.document
    value = {key: _expand(variables, item, (key,)) for key, item in document.value.items() if not key.startswith("x-")}
    first: dict[str, yaml_document.Path] = {}
    for path, name in variables.unset.items():
        first.setdefault(name, path)
    for name, path in first.items():
        variables.source.blank(name, path)
    return replace(document, value=value)


def _expand(variables: Variables, value: Any, path: yaml_document.Path) -> Any:
    if isinstance(value, Mapping):
        return {key: _expand(variables, item, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_expand(variables, item, (*path, index)) for index, item in enumerate(value)]
    if not isinstance(value, str) or "$" not in value:
        return value

    def unset(name: str) -> str:
        variables.unset[path] = name
        return ""

    try:
        lookup = variables.in_path if any(key in path for key in _PATHS) else variables.get
        expanded = interpolation.expand(value, lookup, unset)
    except interpolation.Missing as error:
        raise variables.source.not_set(error.name, path, str(error)) from error
    except ValueError as error:
        raise variables.source.error(str(error), path) from error
    variables.size += len(expanded)
    if variables.size > yaml_document.LARGEST:
        raise variables.source.error("this file is too large with what its variables stand for", path)
    return expanded
