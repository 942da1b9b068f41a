# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All variables that the templates of a profile want and nobody gives, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry, Render
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import field_types
from ansible_collections.retail.profiles.plugins.plugin_utils.text.templates import Template, UndefinedError
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path


def is_undefined(error: ProfileError) -> bool:
    """Whether it is that a template wants a variable that there is not."""
    return isinstance(error.__cause__, UndefinedError)


def told(entries: Iterable[tuple[Entry, Mapping[str, Any]]], render: Render) -> ProfileError | None:
    """One error for all of them, each entry with the variables of one of its replicas; None for fewer than two."""
    found = [str(error) for entry, variables in entries for error in _of_entry(entry, variables, render)]
    missing = list(dict.fromkeys(found))
    if len(missing) < 2:
        return None
    return ProfileError(f"variables are undefined: give them in the inventory or with -e: {'; '.join(missing)}")


def _of_entry(entry: Entry, variables: Mapping[str, Any], render: Render) -> Iterator[ProfileError]:
    for field in entry.raw:
        if field in entry.templated:
            known = entry.known(field, variables)
            for path, text in _texts(entry.raw[field], (), entry.is_foreign(field)):
                for name in _missing(text, known, render):
                    yield entry.error(f"'{name}'", field, path)


def _texts(value: Any, path: Path, only_marked: bool) -> Iterator[tuple[Path, str]]:
    """Every text that is rendered, and where in the field it is."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _texts(item, (*path, key), only_marked)
    elif isinstance(value, (list, tuple)):
        for number, item in enumerate(value):
            yield from _texts(item, (*path, number), only_marked)
    elif isinstance(value, Template) or (not only_marked and field_types.is_template(value)):
        yield path, str(value)


def _missing(text: str, variables: Mapping[str, Any], render: Render) -> list[str]:
    """The variables that a text wants and that are not there. Jinja tells the first: it is given, and asked again."""
    names: dict[str, str] = {}
    with suppress(ValueError):  # whatever else is wrong is told when all variables are there
        while True:
            try:
                render(text, {**variables, **names})
                break
            except UndefinedError as error:
                if error.name in names:
                    break
                names[error.name] = ""
    return list(names)
