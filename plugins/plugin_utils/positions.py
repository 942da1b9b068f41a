# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""YAML with the line of every value kept, so that an error can say where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from ansible_collections.retail.profiles.plugins.module_utils.errors import ProfileError

Path = tuple[Any, ...]


@dataclass(frozen=True)
class Document:
    """A parsed YAML file: plain values, and the 1-based line of each by its path of keys and indexes."""

    file: str
    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int | None:
        """The line of the value at ``path``, or of the nearest value that contains it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def error(
        self, message: str, path: Path = (), container: str | None = None, field: str | None = None
    ) -> ProfileError:
        """An error that points at ``path``."""
        return ProfileError(message, file=self.file, line=self.line(path), container=container, field=field)


def parse(text: str, file: str) -> Document:
    """Parse one YAML document.

    Raises ProfileError for what does not parse, for duplicate keys and for keys that are not strings.
    """
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Path, int] = {}
        value = _build(loader, node, (), lines, file) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ProfileError(
            f"this is not valid YAML: {error.problem or error.context}", file=file, line=mark.line + 1 if mark else None
        ) from error
    except yaml.YAMLError as error:
        raise ProfileError(f"this is not valid YAML: {error}", file=file) from error
    finally:
        loader.dispose()
    return Document(file=file, value=value, lines=lines)


def _build(loader: yaml.SafeLoader, node: yaml.Node, path: Path, lines: dict[Path, int], file: str) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        loader.flatten_mapping(node)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise ProfileError(f"the key {key!r} must be a string: quote it", file=file, line=line)
            if key in result:
                raise ProfileError(f"the key {key!r} stands here twice", file=file, line=line)
            result[key] = _build(loader, value_node, (*path, key), lines, file)
            lines[(*path, key)] = line
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*path, index), lines, file) for index, item in enumerate(node.value)]
    return loader.construct_object(node, deep=True)
