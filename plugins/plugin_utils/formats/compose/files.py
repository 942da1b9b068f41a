# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a Compose project as one: those laid over each other, ``include`` and ``extends``."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import canonical, paths, schema
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.merge import merge
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node, of_document
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.variables import Variables, expand
from ansible_collections.retail.profiles.plugins.plugin_utils.text import go_yaml

_SECTIONS = ("services", "networks", "volumes", "configs", "secrets", "models")


@dataclass(frozen=True)
class _Place:
    """Where a file is read: its paths are relative to ``base``; ``above``: the files that led to it.

    ``extended``: the files that services extend, by file: they are read once.
    """

    variables: Variables
    base: str
    above: tuple[str, ...] = ()
    extended: dict[str, Node] = field(default_factory=dict)


def load(source: Source, variables: Variables, files: Sequence[str]) -> Node:
    """The project of some files under the root, each laid over those before it. ProfileError for what is none."""
    return _laid(source, files, _Place(variables, source.folder))


def _laid(source: Source, files: Sequence[str], place: _Place) -> Node:
    made: Node | None = None
    for file in files:
        for written in _documents(source, file, place):
            extended = _with_bases(source, written, file, place)
            included = _with_included(source, extended, file, place)
            laid = _laid_over(made, included)
            schema.check(laid)
            made = canonical.of_file(laid, _warn(source))
    if made is None:
        raise source.error("the Compose file is empty", ())
    return made


def _laid_over(below: Node | None, document: Node) -> Node:
    try:
        return merge(below, document) or document
    except ProfileError:
        schema.check(document)  # What is wrong in it by itself tells more than that it does not fit.
        raise


def _warn(source: Source) -> canonical.Warn:
    return lambda message, at: source.warn_at(message, at.file, at.line)


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


# -- extends


@dataclass(frozen=True)
class _Services:
    """The services of a file, as they are written. ``folder``: that of another file than the one which is read."""

    node: Node
    file: str
    folder: str | None = None

    def get(self, source: Source, name: str, place: _Place) -> Node:
        """One of them; of another file in canonical form, its paths as this file sees them."""
        service: Node = self.node.value[name]
        if self.folder is None or not isinstance(service.value, dict):
            return service
        made = canonical.of_base(name, service, _warn(source))
        return paths.of_service(made, posixpath.relpath(self.folder, place.base))


def _with_bases(source: Source, document: Node, file: str, place: _Place) -> Node:
    node = document.value.get("services")
    if node is None or not isinstance(node.value, dict):
        return document
    services = _Services(node, file)
    made = {name: _extended(source, services, name, (), place) for name in node.value}
    return document.with_value({**document.value, "services": node.with_value(made)})


def _extended(source: Source, services: _Services, name: str, trail: tuple[str, ...], place: _Place) -> Node:
    """A service on the one that it extends. ``trail``: the services that led here."""
    service = services.get(source, name, place)
    if not isinstance(service.value, dict) or "extends" not in service.value:
        return service
    path = ("services", name)
    schema.check_extends(name, service.value["extends"])
    extends = canonical.extends(service.value["extends"])
    step = f"{services.file}: {name}"
    if step in trail:
        raise extends.error(f"services.{name}.extends: the services extend each other in a circle")
    if extends.get("file") is not None:
        services = _services_of(source, extends, place)
    other = str(extends.get("service"))
    if other not in services.node.value:
        file = services.file.removeprefix("./")
        raise extends.error(f"services.{name}.extends: there is no service {other!r} in {file}")
    base = _extended(source, services, other, (*trail, step), place)
    own = service.with_value({key: item for key, item in service.value.items() if key != "extends"})
    below = merge(None, base, path)
    return own if below is None or not isinstance(below.value, dict) else merge(below, own, path) or own


def _services_of(source: Source, extends: Node, place: _Place) -> _Services:
    """Those of another file, all its documents laid over each other."""
    file = _inside(source, str(extends.get("file")), place.base, extends)
    folder = posixpath.dirname(file) or "."
    if file not in place.extended:
        inner = replace(place, base=folder, variables=place.variables.read_in(folder))
        made: Node | None = None
        for document in _documents(source, file, inner):
            made = merge(made, document)
        found = None if made is None else made.value.get("services")
        place.extended[file] = found if found is not None and isinstance(found.value, dict) else extends.of({})
    return _Services(place.extended[file], file, folder)


# -- include


def _with_included(source: Source, document: Node, file: str, place: _Place) -> Node:
    """The document over the projects that it includes."""
    if "include" not in document.value:
        return document
    above = (*place.above, file)
    made = document.with_value({key: item for key, item in document.value.items() if key != "include"})
    if document.value["include"].value is None:
        return made
    schema.check_key("include", document.value["include"])
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
        for name, item in part.value.items() if own is not None and isinstance(own.value, dict) else ():
            if name in own.value and own.value[name].plain() != item.plain():
                raise own.value[name].error(
                    f"{section}.{name}: {posixpath.basename(item.file)}, which is included, has another of this name"
                )


def _included(source: Source, item: Node, place: _Place) -> Node:
    written = item.value if isinstance(item.value, dict) else {"path": item}
    files = [_inside(source, path, place.base, item) for path in _texts(written.get("path"))]
    if not files:
        raise item.error("include: the path of a file is missing")
    for file in files:
        if file in place.above:
            raise item.error(f"include: {file.removeprefix('./')} includes itself")
    folder = _texts(written.get("project_directory"))
    base = _inside(source, folder[0], place.base, item).removeprefix("./") if folder else posixpath.dirname(files[0])
    base = posixpath.normpath(base or ".")
    named = _texts(written.get("env_file"))
    env_files = [_inside(source, path, place.base, item) for path in named if path != "/dev/null"]
    variables = place.variables.read_in(base)
    variables = variables.with_files(env_files) if named else variables.with_env_of(base)
    made = _laid(source, files, _Place(variables, base, place.above))
    return paths.of_file(made, posixpath.relpath(base, place.base))


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
