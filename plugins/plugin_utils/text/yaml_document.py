# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""YAML with the line of every value kept, so that an error can say where it is.

Hand-written (on PyYAML's nodes) because its loaders drop the lines.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

Path = tuple[Any, ...]


class Vaulted(str):
    """A value with the tag ``!vault``: the text that Ansible Vault has made of it."""


class _Loader(yaml.SafeLoader):
    """YAML's plain types, and ``!vault``."""


def _vaulted(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> Vaulted:
    return Vaulted(loader.construct_scalar(node))


def _as_written(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    """A date: processes, labels and options take text."""
    return str(loader.construct_scalar(node))


_Loader.add_constructor("!vault", _vaulted)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", _as_written)


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


def parse(text: str, file: str, plain_scalars: bool = False) -> Document:
    """Parse one YAML document.

    With ``plain_scalars`` only true, false, null and decimal numbers are more than text, as Compose and Go read YAML.
    Raises ProfileError for what does not parse, for duplicate keys and for keys that are not strings.
    """
    loader = (_PlainLoader if plain_scalars else _Loader)(text)
    try:
        node = loader.get_single_node()
        lines: dict[Path, int] = {}
        value = _build(loader, node, (), lines, file) if node is not None else None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else None
        raise ProfileError(_not_valid(error, text, line), file=file, line=None if line is None else line + 1) from error
    except yaml.YAMLError as error:
        raise ProfileError(f"this is not valid YAML: {error}", file=file) from error
    except RecursionError as error:
        raise ProfileError("this YAML is nested too deeply, or holds itself", file=file) from error
    finally:
        loader.dispose()
    return Document(file=file, value=value, lines=lines)


# A value that begins with a template, without quotes around it.
_BARE_TEMPLATE = re.compile(r"(?:^|[\s:,\[{-])\s*\{\{")


def _not_valid(error: yaml.MarkedYAMLError, text: str, line: int | None) -> str:
    """What a parser's error means, for the mistakes that are made most."""
    if error.context == "expected a single document in the stream":
        return "this is a second document: a file holds one profile, so remove the line --- before it"
    lines = text.splitlines()
    if line is not None and line < len(lines) and _BARE_TEMPLATE.search(re.sub(r"([\"']).*?\1", "", lines[line])):
        return f'this is not valid YAML: {error.problem or error.context}; put the template in quotes: "{{{{ … }}}}"'
    return f"this is not valid YAML: {error.problem or error.context}"


class _PlainLoader(_Loader):
    """Takes ``22:22``, ``on``, ``012`` and ``1.10`` as text."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]  # types-PyYAML: of the instance


_PLAIN = {
    "null": (r"(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
    "bool": (r"(?:true|True|TRUE|false|False|FALSE)\Z", list("tTfF")),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)\Z", list("-+0123456789")),
    "merge": (r"<<\Z", ["<"]),
}
for _tag, (_pattern, _first) in _PLAIN.items():
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), _first)


def _build(loader: yaml.SafeLoader, node: yaml.Node, path: Path, lines: dict[Path, int], file: str) -> Any:
    lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key, (key_node, value_node) in _pairs(loader, node, file).items():
            result[key] = _build(loader, value_node, (*path, key), lines, file)
            lines[(*path, key)] = key_node.start_mark.line + 1
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_build(loader, item, (*path, index), lines, file) for index, item in enumerate(node.value)]
    return loader.construct_object(node, deep=True)


def _pairs(loader: yaml.SafeLoader, node: yaml.MappingNode, file: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    """The entries of a mapping by their keys; its own stand above those that ``<<`` merges into it."""
    own: set[str] = set()
    for key_node, _value in node.value:
        if key_node.tag != "tag:yaml.org,2002:merge":
            own.add(_key(loader, key_node, file, own))
    loader.flatten_mapping(node)
    pairs = {_key(loader, key_node, file): (key_node, value_node) for key_node, value_node in node.value}
    # An alias of this mapping is then free of what is overridden here.
    node.value = list(pairs.values())
    return pairs


def _key(loader: yaml.SafeLoader, node: yaml.Node, file: str, taken: Container[str] = ()) -> str:
    key = loader.construct_object(node, deep=True)
    line = node.start_mark.line + 1
    if isinstance(key, Mapping):
        raise ProfileError('a template must be in quotes: "{{ … }}"', file=file, line=line)
    if not isinstance(key, str):
        raise ProfileError(f"the key {key!r} must be a string: quote it", file=file, line=line)
    if key in taken:
        raise ProfileError(f"the key {key!r} stands here twice", file=file, line=line)
    return key
