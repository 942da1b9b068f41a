# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Load a profile in the collection's own format: YAML in, validated entries out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils import fields, locate, parsers, positions

Render = Callable[[Any, Mapping[str, Any]], Any]
_CONTAINER = {field.name: field for field in fields.CONTAINER_FIELDS}
_PROFILE = {field.name: field for field in fields.PROFILE_FIELDS}


@dataclass(frozen=True)
class Origin:
    """Where the value of a field was written."""

    document: positions.Document
    path: positions.Path
    root: Path


@dataclass(frozen=True)
class Entry:
    """One container of a profile as written: values may still hold templates."""

    name: str
    raw: Mapping[str, Any]
    origins: Mapping[str, Origin]
    _fixed: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def error(self, message: str, field: str | None = None, inside: positions.Path = ()) -> ProfileError:
        """An error that points at a field of this entry, or at what is ``inside`` of it, by file and line."""
        origin = self.origins.get(field or "name") or self.origins["name"]
        return origin.document.error(message, (*origin.path, *inside), container=self.name, field=field)

    def parse(self, field: str, value: Any) -> Any:
        """The canonical value of a rendered field; ProfileError when it is not valid."""
        try:
            return _CONTAINER[field].type(value)
        except ValueError as error:
            raise self.error(str(error), field, getattr(error, "path", ())) from error

    @cached_property
    def templated(self) -> frozenset[str]:
        """The fields that hold a template, so that their values may differ from replica to replica."""
        return frozenset(name for name, raw in self.raw.items() if parsers.is_template(raw))

    def value(self, field: str, render: Render, variables: Mapping[str, Any]) -> Any:
        """The canonical value of a field; its default when it is not given.

        What holds no template is parsed once and is the same object for all replicas: not to be changed.
        """
        if field in self._fixed:
            return self._fixed[field]
        raw = self.raw.get(field)
        if field in self.templated:
            try:
                return self.parse(field, render(raw, variables))
            except ValueError as error:
                raise self.error(str(error), field) from error
        self._fixed[field] = _CONTAINER[field].absent() if raw is None else self.parse(field, raw)
        return self._fixed[field]

    @property
    def home(self) -> Path:
        """The folder of the entry's own profile; a field that came with ``use`` has another."""
        return self.origins.get("use", self.origins["name"]).root

    def has_file(self, field: str, relative: str) -> bool:
        """Whether there is what this field names."""
        return (self.origins[field].root / relative).exists()

    def file(self, field: str, relative: str) -> Path:
        """A file of the profile that this field names."""
        try:
            return locate.inside(self.origins[field].root, relative)
        except ValueError as error:
            raise self.error(str(error), field) from error


@dataclass(frozen=True)
class Profile:
    """A profile as written. ``root`` is its folder."""

    name: str
    file: str
    root: Path
    description: str
    entries: tuple[Entry, ...]
    builds: Mapping[str, Path]
    models: Mapping[str, Any] | None
    volumes: Mapping[str, Any] | None = None
    networks: Mapping[str, Any] | None = None

    @cached_property
    def _by_name(self) -> Mapping[str, Entry]:
        return {entry.name: entry for entry in self.entries}

    def entry(self, name: str) -> Entry:
        return self._by_name[name]


def load(file: Path, search: Sequence[Path], render: Render, variables: Mapping[str, Any]) -> Profile:
    """Read and validate a profile.

    ``render`` renders templates of the fields that shape the plan, with the variables of the play.
    Raises ProfileError that names file and line.
    """
    document = _read(file)
    value = document.value
    for key in value:
        if key not in _PROFILE:
            raise document.error(parsers.unknown(key, list(_PROFILE)), (key,), field=key)
    parsed = {key: _parse_top(document, key, render, variables) for key in value if key != "containers"}
    items = _containers(document)
    root = file.parent
    entries = tuple(_entry(document, index, root, search, render, variables) for index in range(len(items)))
    _check_names(entries)
    return Profile(
        name=root.name,
        file=document.file,
        root=root,
        description=parsed.get("description", ""),
        entries=entries,
        builds=_builds(document, root, parsed.get("builds", {}), entries),
        models=parsed.get("models"),
        volumes=parsed.get("volumes"),
        networks=parsed.get("networks"),
    )


def _read(file: Path) -> positions.Document:
    try:
        content = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileError(f"cannot be read: {error}", file=str(file)) from error
    document = positions.parse(content, str(file))
    if not isinstance(document.value, dict):
        raise document.error("a profile is a mapping with the key 'containers'")
    return document


def _containers(document: positions.Document) -> list[Any]:
    items = document.value.get("containers")
    if not isinstance(items, list) or not items:
        raise document.error("'containers' must be a list of at least one container", ("containers",))
    return items


def _parse_top(document: positions.Document, key: str, render: Render, variables: Mapping[str, Any]) -> Any:
    value = document.value[key]
    try:
        return _PROFILE[key].type(render(value, variables) if parsers.is_template(value) else value)
    except ValueError as error:
        raise document.error(str(error), (key, *getattr(error, "path", ())), field=key) from error


def _entry(
    document: positions.Document,
    index: int,
    root: Path,
    search: Sequence[Path],
    render: Render,
    variables: Mapping[str, Any],
) -> Entry:
    raw, origins = _written(document, index, root)
    if "use" in raw:
        base_raw, base_origins = _used(document, ("containers", index, "use"), raw["use"], search)
        raw = {**base_raw, **raw}
        origins = {**base_origins, **origins}
    label = str(raw.get("name", f"number {index + 1}"))
    origins.setdefault("name", Origin(document, ("containers", index), root))
    entry = Entry(label, raw, origins)
    for name, known in _CONTAINER.items():
        if known.required and raw.get(name) is None:
            raise document.error(f"the field {name!r} is missing", ("containers", index), container=label)
        if raw.get(name) is not None and name not in entry.templated:
            entry.parse(name, raw[name])
    return Entry(str(entry.value("name", render, variables)), raw, origins)


def _written(document: positions.Document, index: int, root: Path) -> tuple[dict[str, Any], dict[str, Origin]]:
    path = ("containers", index)
    raw = document.value["containers"][index]
    if not isinstance(raw, dict):
        raise document.error("a container is a mapping with at least 'name' and 'image'", path)
    for key in raw:
        if key not in _CONTAINER:
            label = str(raw.get("name", f"number {index + 1}"))
            raise document.error(parsers.unknown(key, list(_CONTAINER)), (*path, key), container=label)
    return dict(raw), {key: Origin(document, (*path, key), root) for key in raw}


def _used(
    document: positions.Document, path: positions.Path, use: Any, search: Sequence[Path]
) -> tuple[dict[str, Any], dict[str, Origin]]:
    profile, separator, name = str(use).rpartition("/")
    if not separator or not profile:
        raise document.error(f"expected PROFILE/NAME, not {use!r}", path, field="use")
    try:
        other = _read(locate.find_profile(profile, search))
    except ProfileError as error:
        raise document.error(str(error), path, field="use") from error
    root = Path(other.file).parent
    items = _containers(other)
    names = [str(item.get("name")) for item in items if isinstance(item, dict)]
    if name not in names:
        raise document.error(
            f"profile {profile!r} has no container {name!r}; it has {', '.join(names)}", path, field="use"
        )
    raw, origins = _written(other, names.index(name), root)
    if "use" in raw:
        raise document.error(f"{use!r} itself uses another entry: name that one instead", path, field="use")
    return raw, origins


def _check_names(entries: Sequence[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.name in seen:
            raise entry.error("another container of this profile has the same name", "name")
        seen.add(entry.name)


def _builds(
    document: positions.Document, root: Path, builds: Mapping[str, str], entries: Sequence[Entry]
) -> dict[str, Path]:
    result = {}
    for image, context in builds.items():
        try:
            result[image] = locate.inside(root, context)
        except ValueError as error:
            raise document.error(str(error), ("builds", image), field="builds") from error
    for entry in entries:
        if entry.raw.get("build") is not None:
            result.setdefault(str(entry.raw["image"]), entry.file("build", str(entry.raw["build"])))
    return result
