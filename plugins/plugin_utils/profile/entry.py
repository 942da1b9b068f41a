# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A profile as it is written, entry by entry: where each value stands, and how it is rendered and checked."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.module_utils.common.names import is_secret_file
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.search import inside as inside_of
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import field_types, fields
from ansible_collections.retail.profiles.plugins.plugin_utils.text import templates, text_file, yaml_document

Render = templates.Render
#: the fields of a container by name
CONTAINER = {field.name: field for field in fields.CONTAINER_FIELDS}
SECRETS = "secret_env"
SECRET_FILES = "secret_files"


@dataclass(frozen=True)
class Origin:
    """Where the value of a field was written.

    ``variables``: what its profile's templates mean where the inventory and the caller say nothing. ``literal``: in a
    format without templates. ``generated``: files under the root that were made of it.
    """

    document: yaml_document.Document
    path: yaml_document.Path
    root: Path
    variables: Mapping[str, Any] = field(default_factory=dict)
    literal: bool = False
    generated: Mapping[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class Entry:
    """One container of a profile as written: values may still hold templates.

    ``used``: the entry of another profile that it starts from. ``own_env``: its ``env`` stands above ``profile_env``.
    """

    name: str
    raw: Mapping[str, Any]
    origins: Mapping[str, Origin]
    warnings: tuple[str, ...] = ()
    used: Entry | None = None
    own_env: bool = False
    _fixed: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _contents: dict[Path, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)

    def error(
        self, message: str, field: str | None = None, inside: yaml_document.Path = (), host: str | None = None
    ) -> ProfileError:
        """An error that points at a field of this entry, or at what is ``inside`` of it, by file and line."""
        origin = self.origins.get(field or "name") or self.origins["name"]
        file, line = origin.document.place((*origin.path, *inside))
        return ProfileError(message, file=file, line=line, host=host, container=self.name, field=field)

    def secret_field(self, name: str) -> str:
        """The field that holds a secret: files are known by their paths."""
        return SECRET_FILES if is_secret_file(name) else SECRETS

    def parse(self, field: str, value: Any) -> Any:
        """The canonical value of a rendered field; ProfileError when it is not valid."""
        try:
            return CONTAINER[field].type(value)
        except ValueError as error:
            raise self.error(str(error), field, getattr(error, "path", ())) from error

    @cached_property
    def templated(self) -> frozenset[str]:
        """The fields that hold a template, so that their values may differ from replica to replica."""
        return frozenset(
            name for name, raw in self.raw.items() if CONTAINER[name].rendered and self._holds_template(name, raw)
        )

    def _holds_template(self, field: str, raw: Any) -> bool:
        return templates.holds_template(raw) if self.is_foreign(field) else field_types.is_template(raw)

    def is_foreign(self, field: str) -> bool:
        """Whether a field was written in another format."""
        return field in self.origins and self.origins[field].literal

    @cached_property
    def templates_of(self) -> Mapping[str, str]:
        """The text of each field that is rendered."""
        literal = self.is_foreign
        return {
            f: repr(templates.templates(self.raw[f]) if literal(f) else self.raw[f]) for f in sorted(self.templated)
        }

    @cached_property
    def templates(self) -> str:
        """All text of this entry that is rendered."""
        return " ".join(self.templates_of.values())

    def value(self, field: str, render: Render, variables: Mapping[str, Any]) -> Any:
        """The canonical value of a field; its default when it is not given.

        What holds no template is parsed once and is the same object for all replicas: not to be changed.
        """
        if field in self._fixed:
            return self._fixed[field]
        raw = self.raw.get(field)
        if field in self.templated:
            try:
                rendered = templates.rendered if self.is_foreign(field) else _rendered
                return self.parse(field, rendered(raw, render, self.known(field, variables)))
            except ValueError as error:
                raise self.error(str(error), field) from error
        self._fixed[field] = CONTAINER[field].absent() if raw is None else self.parse(field, raw)
        return self._fixed[field]

    def known(self, field: str, variables: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the templates of a field know: these variables, above those of the profile that it was written in."""
        own = self.origins[field].variables
        return {**own, **variables} if own else variables

    @property
    def origin(self) -> tuple[str, str]:
        """The profile in which it is written, and its name there: those of the entry that it uses, if it does."""
        entry = self.used or self
        return entry.origins["name"].root.name, entry.name

    @property
    def home(self) -> Path:
        """The folder of the entry's own profile; a field that came with ``use`` has another."""
        return self.origins.get("use", self.origins["name"]).root

    def has_file(self, field: str, relative: str) -> bool:
        """Whether there is what this field names."""
        return os.path.exists(self.origins[field].root / relative)

    def generated(self, field: str, relative: str) -> bytes | None:
        """The content of a file that was made when the profile was read; None for one on disk."""
        return self.origins[field].generated.get(relative.removeprefix("./"))

    def content(self, field: str, file: Path) -> bytes:
        """What is in a file that this field names, read once. ProfileError where it cannot be read, or is too large."""
        if file not in self._contents:
            try:
                self._contents[file] = text_file.content(file)
            except ProfileError as error:
                raise self.error(str(error), field) from error
        return self._contents[file]

    def file(self, field: str, relative: str) -> Path:
        """A file of the profile that this field names."""
        try:
            return inside_of(self.origins[field].root, relative)
        except ValueError as error:
            raise self.error(str(error), field) from error


@dataclass(frozen=True)
class Profile:
    """A profile as written. ``root`` is its folder. ``over``: the further files that were named for it.

    ``folder``: the one that was named for them all.
    """

    name: str
    file: str
    root: Path
    description: str
    entries: tuple[Entry, ...]
    builds: Mapping[str, Mapping[str, Any]]
    models: Mapping[str, Any] | None
    volumes: Mapping[str, Any] | None = None
    networks: Mapping[str, Any] | None = None
    objectives: Sequence[Mapping[str, Any]] = ()
    density: Mapping[str, Any] | None = None
    notes: Sequence[str] = ()
    over: Sequence[Path] = ()
    folder: Path | None = None

    @property
    def warnings(self) -> list[str]:
        """What a person should know: the profile's own, and of how others were read, in the order of the file."""
        return list(dict.fromkeys([*self.notes, *(text for entry in self.entries for text in entry.warnings)]))

    @cached_property
    def _by_name(self) -> Mapping[str, Entry]:
        return {entry.name: entry for entry in self.entries}

    def entry(self, name: str) -> Entry:
        return self._by_name[name]


def _rendered(raw: Any, render: Render, variables: Mapping[str, Any]) -> Any:
    return render(raw, variables)
