# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load a profile, in the collection's own format or another: YAML in, validated entries out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats import read
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Container, Given
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import (
    CONTAINER,
    SECRET_FILES,
    SECRETS,
    Entry,
    Origin,
    Profile,
    Render,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.search import find_profile, inside, named
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import field_types, fields, other_words
from ansible_collections.retail.profiles.plugins.plugin_utils.text import text_file, yaml_document

#: containers that a profile may have
_MOST_CONTAINERS = 1000
_PROFILE = {field.name: field for field in fields.PROFILE_FIELDS}


@dataclass(frozen=True)
class LoadContext:
    """What loading needs beside the file: where other profiles are, the play's variables, what the caller says."""

    search: Sequence[Path]
    render: Render
    variables: Mapping[str, Any]
    given: Given

    def variable(self, name: str) -> str | None:
        """A variable of the play as text; None where there is none that is a text or a number."""
        if name not in self.variables:
            return None
        try:
            return str(field_types.scalar(self.render(f"{{{{ {name} }}}}", self.variables)))
        except ValueError:
            return None


def load(
    file: Path, search: Sequence[Path], render: Render, variables: Mapping[str, Any], given: Given | None = None
) -> Profile:
    """Read and validate a profile.

    ``render`` renders templates of the fields that shape the plan, with the variables of the play. ``given`` is what
    the caller says of a profile in another format. Raises ProfileError that names file and line.
    """
    context = LoadContext(search, render, variables, given or Given())
    foreign = read.read(text_file.text(file), file, context.given, context.variable)
    return _native(file, context) if foreign is None else of_foreign(foreign)


def find(
    profile: Any, search: Sequence[Path], render: Render, variables: Mapping[str, Any], given: Given
) -> tuple[Path, Given]:
    """The file of a profile that is named, or of several the first; and what the caller says, with the others.

    Raises ProfileError.
    """
    return named(profile, search, given, LoadContext(search, render, variables, given).variable)


def name_of(file: Path, render: Render, variables: Mapping[str, Any], given: Given) -> str:
    """The name of a profile, which its deployment has, too; of its own format, whatever else stands in it.

    Raises ProfileError that names file and line.
    """
    foreign = read.read(text_file.text(file), file, given, LoadContext((), render, variables, given).variable)
    return file.parent.name if foreign is None else foreign.name


def of_foreign(foreign: read.Foreign) -> Profile:
    """The profile of another format, validated. ProfileError that names file and line."""
    entries = tuple(_translated(foreign, container) for container in foreign.translation.containers)
    _check_names(entries)
    return Profile(
        name=foreign.name,
        file=foreign.document.file,
        root=foreign.root,
        description=foreign.translation.description,
        entries=entries,
        builds=_builds(entries),
        models=None,
        volumes=_valid_top(foreign.document, "volumes", foreign.translation.volumes),
        networks=_valid_top(foreign.document, "networks", foreign.translation.networks),
        objectives=_valid_top(foreign.document, "objectives", list(foreign.translation.objectives)),
        density=_valid_top(foreign.document, "density", foreign.translation.density),
        over=foreign.over,
        folder=foreign.folder,
    )


def _translated(foreign: read.Foreign, container: Container) -> Entry:
    made = foreign.translation
    origins = {
        name: Origin(foreign.document, path, foreign.root, literal=True, generated=made.generated)
        for name, path in container.paths.items()
    }
    entry = Entry(str(container.fields["name"]), container.fields, origins, made.warnings, own_env=made.own_env)
    _check(entry)
    return entry


def _native(file: Path, context: LoadContext) -> Profile:
    document = _read(file)
    value = document.value
    for key in value:
        if key not in _PROFILE:
            raise document.error(
                other_words.unknown_at_the_top(key, list(_PROFILE), list(CONTAINER)), (key,), field=key
            )
    parsed = {key: _parse_top(document, key, context) for key in value if key not in ("containers", "variables")}
    items = _containers(document)
    root = file.parent
    entries = tuple(_entry(document, index, root, context) for index in range(len(items)))
    _check_names(entries)
    return Profile(
        name=root.name,
        file=document.file,
        root=root,
        description=parsed.get("description") or "",
        entries=entries,
        builds={
            **_builds_of_used(entries, context),
            **_builds(entries, context.render),
            **_written_builds(document, root, context),
        },
        models=_models(document, parsed.get("models"), context),
        volumes=parsed.get("volumes"),
        networks=parsed.get("networks"),
        objectives=parsed.get("objectives") or (),
        density=parsed.get("density"),
        notes=parsed.get("warnings") or (),
    )


def _read(file: Path) -> yaml_document.Document:
    document = yaml_document.parse(text_file.text(file), str(file))
    if not isinstance(document.value, dict):
        raise document.error("a profile is a mapping with the key 'containers'")
    return document


def _containers(document: yaml_document.Document) -> list[Any]:
    items = document.value.get("containers")
    if not isinstance(items, list) or not items:
        raise document.error("'containers' must be a list of at least one container", ("containers",))
    return items


def _parse_top(document: yaml_document.Document, key: str, context: LoadContext) -> Any:
    value = document.value[key]
    own = _variables(document)
    try:
        known = {**own, **context.variables} if own else context.variables
        rendered = context.render(value, known) if field_types.is_template(value) else value
    except ValueError as error:
        raise document.error(str(error), (key,), field=key) from error
    return _valid_top(document, key, rendered)


def _variables(document: yaml_document.Document) -> Mapping[str, Any]:
    """The field ``variables``."""
    written = document.value.get("variables")
    if field_types.is_template(written) or _holds_vaulted(written):
        message = "no template and no !vault here: these are plain values, which templates are rendered with"
        raise document.error(message, ("variables",), field="variables")
    return _valid_top(document, "variables", written) or {}


def _models(document: yaml_document.Document, written: Any, context: LoadContext) -> Mapping[str, Any] | None:
    """The field ``models``: how they are made, or the profile that says it."""
    found: Mapping[str, Any] | str | None = written
    if isinstance(written, str):
        try:
            other = _read(find_profile(written, context.search))
            found = _parse_top(other, "models", context) if "models" in other.value else None
            if found is None or isinstance(found, str):
                raise ProfileError(f"profile {written!r} does not say itself how its models are made")
        except ProfileError as error:
            raise document.error(str(error), ("models",), field="models") from error
    return None if isinstance(found, str) else found


def _valid_top(document: yaml_document.Document, key: str, value: Any) -> Any:
    """The canonical value of a top-level field; None where it is not given."""
    try:
        return None if value is None else _PROFILE[key].type(value)
    except ValueError as error:
        raise document.error(str(error), (key, *getattr(error, "path", ())), field=key) from error


def _entry(document: yaml_document.Document, index: int, root: Path, context: LoadContext) -> Entry:
    entry = _written(document, index, root)
    if "use" in entry.raw:
        base = _used(document, ("containers", index, "use"), entry.raw["use"], context)
        name = entry.name if "name" in entry.raw else base.name
        entry = Entry(name, {**base.raw, **entry.raw}, {**base.origins, **entry.origins}, base.warnings, base)
    _check(entry)
    return replace(entry, name=str(entry.value("name", context.render, context.variables)))


def _check(entry: Entry) -> None:
    """Raise ProfileError for a field that is missing, or is not valid as it is written."""
    for name, known in CONTAINER.items():
        raw = entry.raw.get(name)
        if known.required and raw is None:
            raise entry.error(f"the field {name!r} is missing")
        if raw is not None and name not in entry.templated:
            entry.parse(name, raw)


def _written(document: yaml_document.Document, index: int, root: Path) -> Entry:
    """One entry as it is written, known by its name or its number."""
    path = ("containers", index)
    raw = document.value["containers"][index]
    if not isinstance(raw, dict):
        raise document.error("a container is a mapping with at least 'name' and 'image'", path)
    label = str(raw.get("name", f"number {index + 1}"))
    for key in raw:
        if key not in CONTAINER:
            raise document.error(other_words.unknown(key, list(CONTAINER)), (*path, key), container=label)
        if key not in (SECRETS, SECRET_FILES) and _holds_vaulted(raw[key]):
            raise document.error(
                f"a value with !vault may stand in {SECRETS} and {SECRET_FILES} only: elsewhere it would be written "
                "into the plan",
                (*path, key),
                container=label,
                field=key,
            )
    variables = _variables(document)
    origins = {key: Origin(document, (*path, key), root, variables) for key in raw}
    return Entry(label, dict(raw), {"name": Origin(document, path, root, variables), **origins})


def _holds_vaulted(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_holds_vaulted, value.values()))
    if isinstance(value, list):
        return any(map(_holds_vaulted, value))
    return isinstance(value, yaml_document.Vaulted)


def _used(document: yaml_document.Document, path: yaml_document.Path, use: Any, context: LoadContext) -> Entry:
    """The entry that ``use`` names, as it is written in its own profile."""
    profile, separator, name = str(use).rpartition("/")
    if not separator or not profile:
        raise document.error(f"expected PROFILE/NAME, not {use!r}", path, field="use")
    try:
        written = _all_written(find_profile(profile, context.search), context)
    except ProfileError as error:
        raise document.error(str(error), path, field="use") from error
    if name not in written:
        raise document.error(
            f"profile {profile!r} has no container {name!r}; it has {', '.join(written)}", path, field="use"
        )
    if "use" in written[name].raw:
        raise document.error(f"{use!r} itself uses another entry: name that one instead", path, field="use")
    return written[name]


def _all_written(file: Path, context: LoadContext) -> dict[str, Entry]:
    """The entries of another profile by name, not yet checked."""
    foreign = read.read(text_file.text(file), file, context.given, context.variable)
    if foreign is not None:
        return {entry.name: entry for entry in of_foreign(foreign).entries}
    document = _read(file)
    entries = [_written(document, index, file.parent) for index in range(len(_containers(document)))]
    return {entry.name: entry for entry in entries}


def _check_names(entries: Sequence[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if len(seen) == _MOST_CONTAINERS:
            raise entry.error(f"a profile has at most {_MOST_CONTAINERS} containers: write replicas instead")
        if entry.name in seen:
            raise entry.error("another container of this profile has the same name", "name")
        seen.add(entry.name)


Builds = dict[str, Mapping[str, Any]]
"""The field ``build`` by image, each with the absolute path of its context."""


def _builds_of_used(entries: Sequence[Entry], context: LoadContext) -> Builds:
    """What the profiles build whose entries are used: that which an image map puts in the place of their images."""
    found: Builds = {}
    for origin in (entry.used.origins["name"] for entry in entries if entry.used is not None):
        if not origin.literal:
            found = {**_written_builds(origin.document, origin.root, context), **found}
    return found


def _written_builds(document: yaml_document.Document, root: Path, context: LoadContext) -> Builds:
    """The field ``builds``: image to context, or to the profile that builds it."""
    written = _parse_top(document, "builds", context) if "builds" in document.value else None
    found: Builds = {}
    for image, build in (written or {}).items():
        try:
            found[image] = _build_of(image, build, root, context)
        except (ValueError, ProfileError) as error:
            raise document.error(str(error), ("builds", image), field="builds") from error
    return found


def _build_of(image: str, build: Mapping[str, Any], root: Path, context: LoadContext) -> Mapping[str, Any]:
    place = str(build["context"])
    if "/" in place or (root / place).exists():
        return _with_dockerfile({**build, "context": str(inside(root, place))})
    file = find_profile(place, context.search)
    other = _written_builds(_read(file), file.parent, replace(context, search=()))
    if image not in other:
        raise ValueError(f"profile {place!r} does not build {image}")
    return other[image]


def _builds(entries: Sequence[Entry], render: Render | None = None) -> Builds:
    """What entries build beside their images; of one image the first. Their templates have no variables."""
    found: Builds = {}
    for entry in entries:
        raw = entry.raw.get("build")
        if raw is not None:
            if render and not entry.origins["build"].literal and field_types.is_template(raw):
                try:
                    raw = render(raw, {})
                except ValueError as error:
                    message = "no template is rendered here: an image is built once, for all hosts"
                    raise entry.error(message, "build") from error
            build = entry.parse("build", raw)
            try:
                own = _with_dockerfile({**build, "context": str(entry.file("build", build["context"]))})
            except ValueError as error:
                raise entry.error(str(error), "build") from error
            found.setdefault(str(entry.raw["image"]), own)
    return found


def _with_dockerfile(build: Mapping[str, Any]) -> Mapping[str, Any]:
    """A build whose context is a folder that has its Dockerfile. ValueError for another."""
    context, dockerfile = Path(build["context"]), build.get("dockerfile", "Dockerfile")
    if not os.path.isdir(context):
        raise ValueError(f"{context.name!r} is not a folder: the context of a build is one, with a Dockerfile in it")
    if "dockerfile_inline" not in build and not os.path.isfile(context / dockerfile):
        raise ValueError(f"{context.name!r} has no {dockerfile}: an image is built from a folder that has one")
    return build
