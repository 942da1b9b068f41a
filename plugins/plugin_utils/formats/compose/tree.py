# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of Compose files that know where they stand, so that those of several files can be laid over each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import how_to_give
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Document, Path


@dataclass(frozen=True)
class Node:
    """A value: a dict of nodes, a list of nodes, or a scalar; and the file and line of it.

    ``unset``: a variable in it that nothing sets. ``mapped``: it was written as a mapping, in one file.
    """

    value: Any
    file: str
    line: int | None
    tag: str = ""
    unset: str = ""
    mapped: bool = False

    def with_value(self, value: Any) -> Node:
        """Another value at the same place."""
        return replace(self, value=value)

    def of(self, value: Any) -> Node:
        """A plain value as nodes, all of them at this place."""
        if isinstance(value, Node):
            return value
        if isinstance(value, dict):
            value = {key: self.of(item) for key, item in value.items()}
        elif isinstance(value, list):
            value = [self.of(item) for item in value]
        return Node(value, self.file, self.line, unset=self.unset)

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        return [item.plain() for item in self.value] if isinstance(self.value, list) else self.value

    def error(self, message: str) -> ProfileError:
        """An error that points at this value: a variable in it that is not set is the reason for whatever is wrong."""
        missing = next((node.unset for _path, node in _walk(self, ()) if node.unset), "")
        return ProfileError(how_to_give(missing) if missing else message, file=self.file, line=self.line)

    def get(self, *keys: str) -> Any:
        """The plain value below these keys; None where there is none."""
        node: Node | None = self
        for key in keys:
            node = node.value.get(key) if node is not None and isinstance(node.value, dict) else None
        return None if node is None else node.plain()


def of_document(document: Document) -> Node:
    """A parsed file as a tree."""
    return _node(document, document.value, ())


def _node(document: Document, value: Any, path: Path) -> Node:
    file, line = document.place(path)
    if isinstance(value, dict):
        value = {key: _node(document, item, (*path, key)) for key, item in value.items()}
    elif isinstance(value, list):
        value = [_node(document, item, (*path, index)) for index, item in enumerate(value)]
    return Node(value, file, line, document.tags.get(path, ""), mapped=isinstance(value, dict))


@dataclass(frozen=True)
class Merged(Document):
    """A document that was made of several files. ``files``: the file of each value that is not of the first."""

    files: dict[Path, str] = field(default_factory=dict)
    unset: dict[Path, str] = field(default_factory=dict)

    def missing(self, path: Path) -> str | None:
        """A variable that is not set, and used at ``path`` or below."""
        return next((name for where, name in self.unset.items() if where[: len(path)] == path), None)

    def place(self, path: Path) -> tuple[str, int | None]:
        while path and path not in self.lines:
            path = path[:-1]
        return self.files.get(path, self.file), self.lines.get(path)


def to_document(node: Node, file: str) -> Merged:
    """A tree as a document that is called ``file``."""
    made = Merged(file, node.plain(), {})
    for path, item in _walk(node, ()):
        if item.line is not None:
            made.lines[path] = item.line
        if item.file != file:
            made.files[path] = item.file
        if item.unset:
            made.unset[path] = item.unset
    return made


def _walk(node: Node, path: Path) -> Iterator[tuple[Path, Node]]:
    yield path, node
    value = node.value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from _walk(item, (*path, key))
