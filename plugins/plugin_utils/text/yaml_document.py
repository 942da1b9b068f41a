# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML with the line of every value kept, so that an error can say where it is; never endless, whatever is written.

Hand-written (on PyYAML's nodes) because its loaders drop the lines, and follow aliases of aliases for ever. Only what
JSON has comes out of it: mappings, lists, texts, finite numbers, true, false and null.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Container
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import yaml
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

Path = tuple[Any, ...]

#: so deep are values in others at most
DEEPEST = 50
#: characters that all values have at most when aliases are followed, each with what it takes itself
LARGEST = 2 * 1024 * 1024
_OWN_SIZE = 64
_IN_QUOTES = 'a template must be in quotes: "{{ … }}"'
#: characters of the longest number
LONGEST_NUMBER = 100
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_NUMBERS = (f"{_TAG}int", f"{_TAG}float")
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TOO_DEEP = f"this YAML is nested too deeply, more than {DEEPEST} values in each other, or holds itself"

_Pairs = dict[str, tuple[yaml.Node, yaml.Node]]


class Vaulted(str):
    """A value with the tag ``!vault``: the text that Ansible Vault has made of it."""


try:
    from yaml._yaml import CParser

    class _Base(Composer, CParser, SafeConstructor, Resolver):
        """PyYAML's safe loader with the parser of libyaml, which is eight times as fast."""

        def __init__(self, text: str) -> None:
            CParser.__init__(self, text)
            Composer.__init__(self)
            SafeConstructor.__init__(self)
            Resolver.__init__(self)

except ImportError:
    if not TYPE_CHECKING:
        _Base = yaml.SafeLoader


def _but_times(pattern: re.Pattern[str]) -> re.Pattern[str]:
    """A pattern of YAML 1.1 without its numbers to the base of 60: ``22:22`` and ``12:30:45`` are none here."""
    return re.compile(f"(?!.*:){pattern.pattern}", pattern.flags)


class _Loader(_Base):
    """YAML's plain types but for dates and times, which are text as they are written, and ``!vault``."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # types-PyYAML: of the instance
        first: [(tag, _but_times(pattern)) for tag, pattern in known if tag not in (f"{_TAG}timestamp", f"{_TAG}value")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    #: tags that say something of a value beside what it is
    own_tags: ClassVar[tuple[str, ...]] = ()
    #: the only tags of a scalar that count, where others leave the text that is written; without them others are errors
    scalar_tags: ClassVar[tuple[str, ...]] = ()
    #: whether numbers are those of JSON
    finite: ClassVar[bool] = True
    #: whether a mapping has ``<<`` once
    merges_once: ClassVar[bool] = False

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self._depth += 1
        if self._depth > DEEPEST:
            event: Any = self.peek_event()
            raise yaml.MarkedYAMLError(problem=_TOO_DEEP, problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _vaulted(loader: Any, node: yaml.ScalarNode) -> Vaulted:
    return Vaulted(loader.construct_scalar(node))


_Loader.add_constructor("!vault", _vaulted)


@dataclass(frozen=True)
class Document:
    """A parsed YAML file: plain values, and the 1-based line of each by its path of keys and indexes.

    ``tags``: the tags of Compose, ``!reset`` and ``!override``, by the path of what bears them.
    """

    file: str
    value: Any
    lines: dict[Path, int]
    tags: dict[Path, str] = field(default_factory=dict)

    def line(self, path: Path) -> int | None:
        """The line of the value at ``path``, or of the nearest value that contains it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def place(self, path: Path) -> tuple[str, int | None]:
        """The file and the line of the value at ``path``."""
        return self.file, self.line(path)

    def error(
        self, message: str, path: Path = (), container: str | None = None, field: str | None = None
    ) -> ProfileError:
        """An error that points at ``path``."""
        file, line = self.place(path)
        return ProfileError(message, file=file, line=line, container=container, field=field)


def parse(text: str, file: str, plain_scalars: bool = False) -> Document:
    """Parse one YAML document.

    With ``plain_scalars`` only true, false, null and decimal numbers are more than text.
    Raises ProfileError for what does not parse, for duplicate keys and for keys that are not strings, for numbers that
    JSON does not have, and for what is too large or too deep.
    """
    return _parsed(PlainLoader if plain_scalars else _Loader, text, file, all_of_them=False)[0]


def parse_all(text: str, file: str, loader: type[_Loader]) -> list[Document]:
    """Parse all documents of a file, at least one. Raises ProfileError as :func:`parse`."""
    return _parsed(loader, text, file, all_of_them=True)


def _parsed(kind: type[_Loader], text: str, file: str, all_of_them: bool) -> list[Document]:
    if found := _NOT_YAML.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise ProfileError(f"this is not valid YAML: the character U+{ord(found[0]):04X}", file=file, line=line)
    loader = kind(text)
    documents = []
    try:
        while all_of_them and loader.check_node():
            documents.append(_document(loader, loader.get_node(), file))
        if not all_of_them:
            documents.append(_document(loader, loader.get_single_node(), file))
        return documents or [Document(file, None, {})]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        # What ends too early ends on its last line, not below it.
        at = min(mark.line, text.rstrip().count("\n")) if mark else None
        raise ProfileError(_not_valid(error, text, at), file=file, line=None if at is None else at + 1) from error
    except yaml.YAMLError as error:
        raise ProfileError(f"this is not valid YAML: {error}", file=file) from error
    finally:
        loader.dispose()


def _document(loader: _Loader, node: yaml.Node | None, file: str) -> Document:
    builder = _Builder(loader, file)
    value = None if node is None else builder.value(node, ())
    return Document(file, value, builder.lines, builder.tags)


# A value that begins with a template, without quotes around it.
_BARE_TEMPLATE = re.compile(r"(?:^|[\s:,\[{-])\{\{")


def _not_valid(error: yaml.MarkedYAMLError, text: str, line: int | None) -> str:
    """What a parser's error means, for the mistakes that are made most."""
    if error.problem == _TOO_DEEP:
        return _TOO_DEEP
    if error.context == "expected a single document in the stream":
        return "this is a second document: a file holds one profile, so remove the line --- before it"
    if error.problem == "mapping values are not allowed in this context":
        return "this is not valid YAML: a second ': ' stands in this value: quote a text that holds one"
    lines = text.splitlines()
    if line is not None and line < len(lines) and lines[line].lstrip(" ").startswith("\t"):
        return "this is not valid YAML: a tab stands before this line: indent it with blanks"
    if line is not None and line < len(lines) and _BARE_TEMPLATE.search(re.sub(r"([\"']).*?\1", "", lines[line])):
        return f'this is not valid YAML: {error.problem or error.context}; put the template in quotes: "{{{{ … }}}}"'
    return f"this is not valid YAML: {error.problem or error.context}"


class PlainLoader(_Loader):
    """Takes ``22:22``, ``on``, ``012`` and ``1.10`` as text, and the tags of Compose as said of what bears them.

    Tags that are not known say nothing, and anchors stay, as in Go, in which the programs are written that read such
    files.
    """

    own_tags = ("!reset", "!override")
    scalar_tags = ("!vault", *(f"{_TAG}{name}" for name in ("null", "bool", "int", "float", "timestamp", "binary")))
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]  # types-PyYAML: of the instance

    def compose_document(self) -> yaml.Node | None:
        known = self.anchors
        node = super().compose_document()
        self.anchors = known  # Those of a document are known in the documents after it,
        return node

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if not self.check_event(yaml.AliasEvent):
            event: Any = self.peek_event()
            self.anchors.pop(event.anchor, None)  # and may be given anew.
        return super().compose_node(parent, index)


class FormLoader(PlainLoader):
    """The same, where a value that a tag says to be a fraction, a date or the like is the text that is written: so a
    file is read whose format is not known yet."""

    scalar_tags = ("!vault", *(f"{_TAG}{name}" for name in ("null", "bool", "int")))


_PLAIN = {
    "null": (r"(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
    "bool": (r"(?:true|True|TRUE|false|False|FALSE)\Z", list("tTfF")),
    "int": (r"[-+]?(?:0|[1-9][0-9]*)\Z", list("-+0123456789")),
    "merge": (r"<<\Z", ["<"]),
}
for _name, (_pattern, _first) in _PLAIN.items():
    PlainLoader.add_implicit_resolver(f"{_TAG}{_name}", re.compile(_pattern), _first)


def _binary(loader: Any, node: yaml.ScalarNode) -> str:
    """The text that is meant; each byte that is none of UTF-8 is the character that stands for such."""
    text = base64.b64decode(re.sub("[\r\n]", "", node.value), validate=True).decode("utf-8", "surrogateescape")
    return re.sub("[\udc80-\udcff]", "\ufffd", text)


PlainLoader.add_constructor(f"{_TAG}binary", _binary)


class _Builder:
    """Makes plain values of nodes; ``lines`` has the line of each, ``tags`` those that say something beside."""

    def __init__(self, loader: _Loader, file: str) -> None:
        self.lines: dict[Path, int] = {}
        self.tags: dict[Path, str] = {}
        self._loader = loader
        self._file = file
        self._size = 0
        self._known: dict[int, _Pairs] = {}

    def value(self, node: yaml.Node, path: Path) -> Any:
        """The value of a node."""
        self.lines[path] = node.start_mark.line + 1
        self._count(node, len(node.value) if isinstance(node, yaml.ScalarNode) else 0)
        if len(path) > DEEPEST:
            raise self._error(_TOO_DEEP, node)
        if node.tag in self._loader.own_tags:
            self.tags[path] = node.tag
        if isinstance(node, yaml.MappingNode):
            result: dict[str, Any] = {}
            for key, (key_node, value_node) in self._pairs(node, len(path)).items():
                result[key] = self.value(value_node, (*path, key))
                self.lines[(*path, key)] = key_node.start_mark.line + 1
            return result
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return self._scalar(node)

    def _error(self, message: str, node: yaml.Node) -> ProfileError:
        return ProfileError(message, file=self._file, line=node.start_mark.line + 1)

    def _count(self, node: yaml.Node, size: int) -> None:
        self._size += _OWN_SIZE + size
        if self._size > LARGEST:
            raise self._error("this YAML is too large with what its aliases stand for: write less, or fewer", node)

    def _scalar(self, node: yaml.Node) -> Any:
        if self._loader.scalar_tags and node.tag not in self._loader.scalar_tags:
            return node.value
        if node.tag in _NUMBERS and len(node.value) > LONGEST_NUMBER:
            raise self._error(f"a number of {len(node.value)} characters: quote it where it is text", node)
        try:
            value = self._loader.construct_object(node, deep=True)
        except (ValueError, LookupError, AttributeError) as error:
            raise self._error(f"{node.value!r} is not what its tag {_shown(node.tag)} says", node) from error
        if isinstance(value, float) and self._loader.finite and not math.isfinite(value):
            raise self._error(f"{node.value} is no number that can be told on: quote it where it is text", node)
        if value is not None and not isinstance(value, (str, int, float)):
            raise self._error(f"the tag {_shown(node.tag)} is not known here", node)
        return value

    def _pairs(self, node: yaml.MappingNode, depth: int) -> _Pairs:
        """The entries of a mapping by their keys; its own stand above those that ``<<`` merges into it."""
        if id(node) not in self._known:
            merged: _Pairs = {}
            own: _Pairs = {}
            merges = [key_node for key_node, _value in node.value if _is_merge(key_node)]
            if len(merges) > 1 and self._loader.merges_once:
                raise self._error("the key '<<' stands here twice", merges[1])
            for key_node, value_node in node.value:
                if _is_merge(key_node):
                    merged.update(self._merged(value_node, depth + 1))
                else:
                    own[self._key(key_node, own)] = (key_node, value_node)
            self._known[id(node)] = {**merged, **own}
        return self._known[id(node)]

    def _merged(self, node: yaml.Node, depth: int) -> _Pairs:
        """What ``<<`` brings: a mapping, or a list of them, of which the first stands above the others."""
        if depth > DEEPEST:
            raise self._error(_TOO_DEEP, node)
        if isinstance(node, yaml.MappingNode):
            return self._pairs(node, depth)
        if not isinstance(node, yaml.SequenceNode) or not all(isinstance(n, yaml.MappingNode) for n in node.value):
            raise self._error("<< takes a mapping, or a list of mappings", node)
        result: _Pairs = {}
        for item in reversed(node.value):
            pairs = self._pairs(item, depth)
            self._count(item, _OWN_SIZE * len(pairs))
            result.update(pairs)
        return result

    def _key(self, node: yaml.Node, taken: Container[str]) -> str:
        if isinstance(node, yaml.MappingNode):
            raise self._error(_IN_QUOTES, node)
        if not isinstance(node, yaml.ScalarNode):
            raise self._error("a key must be a string, not a list or a mapping", node)
        key = self._scalar(node)
        if not isinstance(key, str):
            raise self._error(f"the key {node.value} must be a string: quote it", node)
        if key in taken:
            raise self._error(f"the key {key!r} stands here twice", node)
        return key


def _is_merge(key: yaml.Node) -> bool:
    return key.tag == _MERGE and key.value == "<<"


def _shown(tag: str) -> str:
    return tag.replace(_TAG, "!!")
