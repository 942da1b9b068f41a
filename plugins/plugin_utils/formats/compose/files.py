# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The files of a Compose project as one: those laid over each other, ``include`` and ``extends``."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import schema
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.canonical import canonical, settled
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.merge import merge
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node, of_document
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.variables import Variables, expand
from ansible_collections.retail.profiles.plugins.plugin_utils.text import go_yaml

#: keys that have a meaning without a value: that of the image is taken
_SAYS_NOTHING = ("command", "entrypoint")
_SECTIONS = ("services", "networks", "volumes", "configs", "secrets", "models")


@dataclass(frozen=True)
class _Place:
    """Where a file is read: its paths are relative to ``base``; ``above``: the files that led to it.

    ``extended``: the documents of files that services extend, by file and base: they are read once.
    """

    variables: Variables
    base: str
    above: tuple[str, ...] = ()
    extended: dict[tuple[str, str], list[Node]] = field(default_factory=dict)


def load(source: Source, variables: Variables, files: Sequence[str]) -> Node:
    """The project of some files under the root, each laid over those before it. ProfileError for what is none."""
    return _laid(source, files, _Place(variables, source.folder))


def _laid(source: Source, files: Sequence[str], place: _Place) -> Node:
    made: Node | None = None
    for file in files:
        for written in _documents(source, file, place):
            document = _canonical(source, _without_nothing(written, made), place)
            extended = _with_bases(source, document, file, place)
            included = _with_included(source, extended, file, place)
            made = settled(merge(made, included) or included)
    if made is None:
        raise source.error("the Compose file is empty", ())
    return made


def _documents(source: Source, file: str, place: _Place) -> Iterator[Node]:
    """The documents of a file, with their variables replaced."""
    own = posixpath.normpath(file) == posixpath.normpath(posixpath.join(source.folder, source.file))
    name, text = (source.document.file, source.written) if own else (str(source.root / file), source.text(file, ()))
    for document in go_yaml.documents(text.removeprefix("\ufeff"), name):
        if document.value is None and not document.lines:
            continue  # a file without any document
        if document.value is None:
            raise document.error("this document is empty, which Compose refuses: remove it, with the line --- of it")
        if not isinstance(document.value, dict):
            raise document.error("a Compose file is a mapping with the key 'services'")
        yield expand(place.variables, of_document(document))


def _canonical(source: Source, document: Node, place: _Place) -> Node:
    """A document in canonical form, its paths relative to the folder of the profile."""
    schema.check(document)
    made = canonical(document, lambda message, at: source.warn_at(message, at.file, at.line))
    return _rebased(made, posixpath.relpath(place.base, source.folder))


def _without_nothing(document: Node, below: Node | None) -> Node:
    """A document without services, and keys of them, that have no value, where the document below has one, or may."""
    services = document.value.get("services")
    if services is None or not isinstance(services.value, dict):
        return document
    made = {}
    for name, service in services.value.items():
        known = None if below is None else below.get("services", name)
        if service.value is None and not service.tag and known is not None:
            continue
        if isinstance(service.value, dict):
            said = {
                key: item
                for key, item in service.value.items()
                if key in _SAYS_NOTHING
                or item.value is not None
                or item.tag
                or ("extends" not in service.value and key not in (known or {}))
            }
            service = service.with_value(said)
        made[name] = service
    return document.with_value({**document.value, "services": services.with_value(made)})


# -- extends


def _with_bases(source: Source, document: Node, file: str, place: _Place) -> Node:
    services = document.value.get("services")
    if services is None:
        return document
    made = {name: _extended(source, services, name, (file,), place) for name in services.value}
    return document.with_value({**document.value, "services": services.with_value(made)})


def _extended(source: Source, services: Node, name: str, trail: tuple[str, ...], place: _Place) -> Node:
    """A service on the one that it extends. ``trail``: the file, and the services that led here."""
    service: Node = services.value[name]
    if not isinstance(service.value, dict) or "extends" not in service.value:
        return service
    extends = service.value["extends"]
    base_name, other = str(extends.get("service")), extends.get("file")
    file = trail[0]
    step = f"{file}: {name}"
    if step in trail[1:]:
        raise extends.error(f"services.{name}.extends: the services extend each other in a circle")
    if other is not None:
        file = _inside(source, str(other), source.folder, extends)
        folder = posixpath.dirname(file) or "."
        inner = replace(place, base=folder, variables=place.variables.read_in(folder))
        key = (file, inner.base)
        if key not in place.extended:
            written = (_without_nothing(each, None) for each in _documents(source, file, inner))
            place.extended[key] = [settled(_canonical(source, each, inner)) for each in written]
        documents = reversed(place.extended[key])
        found = next((each.value["services"] for each in documents if "services" in each.value), None)
        services = extends.of({}) if found is None else found
    if base_name not in services.value:
        raise extends.error(f"services.{name}.extends: there is no service {base_name!r} in {file.removeprefix('./')}")
    base = _extended(source, services, base_name, (file, *trail[1:], step), place)
    own = service.with_value({key: item for key, item in service.value.items() if key != "extends"})
    if not isinstance(base.value, dict):
        return own
    return merge(base, own, ("services", name)) or own


# -- include


def _with_included(source: Source, document: Node, file: str, place: _Place) -> Node:
    """The document over the projects that it includes."""
    if "include" not in document.value:
        return document
    above = (*place.above, file)
    made = document.with_value({key: item for key, item in document.value.items() if key != "include"})
    for item in document.value["include"].value:
        included = _included(source, item, replace(place, above=above))
        sections = {key: part for key, part in included.value.items() if key in _SECTIONS}
        _check_conflicts(sections, made)
        made = merge(included.with_value(sections), made) or made
    return made


def _check_conflicts(included: dict[str, Node], document: Node) -> None:
    """ProfileError where a document says of itself what a file that it includes says otherwise."""
    for section, part in included.items():
        own = document.value.get(section)
        for name, item in part.value.items() if own is not None else ():
            if name in own.value and own.value[name].plain() != item.plain():
                raise own.value[name].error(
                    f"{section}.{name}: {posixpath.basename(item.file)}, which is included, has another of this name"
                )


def _included(source: Source, item: Node, place: _Place) -> Node:
    written = item.value if isinstance(item.value, dict) else {"path": item}
    paths = [_inside(source, path, place.base, item) for path in _texts(written.get("path"))]
    if not paths:
        raise item.error("include: the path of a file is missing")
    for path in paths:
        if path in place.above:
            raise item.error(f"include: {path.removeprefix('./')} includes itself")
    folder = _texts(written.get("project_directory"))
    base = _inside(source, folder[0], place.base, item).removeprefix("./") if folder else posixpath.dirname(paths[0])
    base = posixpath.normpath(base or ".")
    named = _texts(written.get("env_file"))
    env_files = [_inside(source, path, place.base, item) for path in named if path != "/dev/null"]
    variables = place.variables.read_in(base)
    variables = variables.with_files(env_files) if named else variables.with_env_of(base)
    return _laid(source, paths, _Place(variables, base, place.above))


def _inside(source: Source, path: str, base: str, node: Node) -> str:
    """A file under the root. ProfileError where it is on another machine, or leads out."""
    if "://" in path or path.startswith(("git@", "oci:")):
        raise node.error(f"{path!r} is not a file beside the profile: fetch it, and name the file")
    try:
        inside = source.below_root(path, base)
    except ValueError as error:
        raise node.error(str(error)) from error
    if not source.exists(inside):
        raise node.error(f"{path!r} is not there")
    return inside


def _texts(node: Node | None) -> list[str]:
    if node is None:
        return []
    return [str(item.value) for item in node.value] if isinstance(node.value, list) else [str(node.value)]


# -- paths of a file in another folder


def _rebased(document: Node, base: str) -> Node:
    """The document with its relative paths seen from the folder of the profile."""
    if base == ".":
        return document
    made = dict(document.value)
    for section in ("configs", "secrets"):
        if section in made:
            items = {name: _moved(item, base, "file") for name, item in made[section].value.items()}
            made[section] = made[section].with_value(items)
    if "services" in made:
        services = {name: _moved_service(item, base) for name, item in made["services"].value.items()}
        made["services"] = made["services"].with_value(services)
    return document.with_value(made)


def _moved_service(service: Node, base: str) -> Node:
    if not isinstance(service.value, dict):
        return service
    made = dict(service.value)
    for key, inner in (("build", "context"), ("extends", "file")):
        if key in made:
            made[key] = _moved(made[key], base, inner)
    if "build" in made and isinstance(made["build"].value, dict) and "context" not in made["build"].value:
        made["build"] = made["build"].with_value({**made["build"].value, "context": made["build"].of(base)})
    for key, inner in (("env_file", "path"), ("label_file", "")):
        if key in made and isinstance(made[key].value, list):
            made[key] = made[key].with_value([_moved(item, base, inner) for item in made[key].value])
    if "volumes" in made and isinstance(made["volumes"].value, list):
        made["volumes"] = made["volumes"].with_value([_moved_mount(item, base) for item in made["volumes"].value])
    return service.with_value(made)


def _moved_mount(mount: Node, base: str) -> Node:
    return _moved(mount, base, "source") if mount.get("type") == "bind" else mount


def _moved(node: Node, base: str, key: str) -> Node:
    """A path, or the path under a key, from the folder of the profile."""
    if key:
        if not isinstance(node.value, dict) or key not in node.value:
            return node
        return node.with_value({**node.value, key: _moved(node.value[key], base, "")})
    path: Any = node.value
    if not isinstance(path, str) or path.startswith(("/", "~")) or "://" in path or path.startswith("git@"):
        return node
    return node.with_value(f"./{posixpath.normpath(posixpath.join(base, path))}")
