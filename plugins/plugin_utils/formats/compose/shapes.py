# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may stand under a key of a Compose file, and whether it does: shapes of values, and their check.

A shape is a text of letters for scalars (text, integer, number, boolean, 0 for nothing), or one of the classes below.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node
from ansible_collections.retail.profiles.plugins.plugin_utils.text.go_yaml import Timestamp
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

Shape = Any
_WORDS = {"t": "a text", "i": "a whole number", "n": "a number", "b": "true or false", "0": "nothing"}
#: how a key is taken away that a file below gives
RESET = "'!reset null' takes a key away"
_NAME = re.compile(r"[a-zA-Z0-9._-]+")


@dataclass(frozen=True)
class Keys:
    """A mapping with these keys and no others but ``x-…``."""

    known: Mapping[str, Shape]
    required: tuple[str, ...] = ()


@dataclass(frozen=True)
class Map:
    """A mapping with any keys, or with names of services and the like."""

    shape: Shape
    named: bool = False


@dataclass(frozen=True)
class Seq:
    """A list. ``distinct``: no item stands in it twice."""

    shape: Shape
    distinct: bool = False


@dataclass(frozen=True)
class Within:
    """Scalars of these letters, of which a number lies between two."""

    shapes: str
    least: int
    most: float = math.inf


@dataclass(frozen=True)
class Either:
    """One of several: at most one mapping, one list, and scalars."""

    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Words:
    """One of a few texts, or a text of a pattern."""

    words: tuple[str, ...] = ()
    pattern: str = ""
    more: str = field(default="")


def check(node: Node, shape: Shape, path: Path = ()) -> None:
    """Raise ProfileError for what Compose would not take, with the nearest key for one that it does not know."""
    if node.tag == "!reset":
        return
    chosen = _chosen(node, shape, path)
    if isinstance(chosen, Keys):
        _check_keys(node, chosen, path)
    elif isinstance(chosen, Map):
        for key, item in node.value.items():
            if not key:
                raise item.error(f"{_label(path)}: a name is missing")
            if chosen.named and not key.startswith("x-") and not _NAME.fullmatch(key):
                raise item.error(f"{_label(path)}: {key!r} is no name: letters, digits, '.', '_' and '-' only")
            check(item, chosen.shape, (*path, key))
    elif isinstance(chosen, Seq):
        for index, item in enumerate(node.value):
            check(item, chosen.shape, (*path, index))
        if chosen.distinct:
            _check_distinct(node, path)
    elif isinstance(chosen, Words):
        _check_words(node, chosen, path)
    elif isinstance(chosen, Within) and not isinstance(node.value, str):
        _check_within(node, chosen, path)


def check_kind(node: Node, shape: Shape, path: Path) -> None:
    """Raise ProfileError for a value that is of another kind, whatever is in it."""
    _chosen(node, shape, path)


def _chosen(node: Node, shape: Shape, path: Path) -> Shape:
    """The one of the alternatives that a value is of. ProfileError where it is of none."""
    shapes = _flat(shape)
    for one in shapes:
        if _fits(node.value, one):
            return one
    wanted = " or ".join(dict.fromkeys(word for one in shapes for word in _words_for(one)))
    hint = _hint(node.value, shapes) if node.tag != "!override" else f": {RESET}"
    raise node.error(f"{_label(path)}: expected {wanted}, not {_shown(node.value)}{hint}")


def _flat(shape: Shape) -> list[Shape]:
    if isinstance(shape, Either):
        return [flat for one in shape.shapes for flat in _flat(one)]
    return list(shape) if isinstance(shape, str) else [shape]


def _fits(value: Any, shape: Shape) -> bool:
    if isinstance(shape, (Keys, Map)):
        return isinstance(value, dict)
    if isinstance(shape, Seq):
        return isinstance(value, list)
    if isinstance(shape, Within):
        return any(_fits(value, one) for one in shape.shapes)
    if isinstance(shape, Words) or shape == "t":
        return isinstance(value, str) and not isinstance(value, Timestamp)
    if shape == "0":
        return value is None
    if shape == "b":
        return isinstance(value, bool)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return shape == "n" or value == int(value)


def _words_for(shape: Shape) -> Iterable[str]:
    if isinstance(shape, (Keys, Map)):
        return ("a mapping",)
    if isinstance(shape, Seq):
        return ("a list",)
    if isinstance(shape, Within):
        return tuple(_WORDS[one] for one in shape.shapes)
    return (_WORDS[shape] if isinstance(shape, str) else "a text",)


def _hint(value: Any, shapes: Iterable[Shape]) -> str:
    if isinstance(value, (bool, int, float, Timestamp)) and any(one == "t" or isinstance(one, Words) for one in shapes):
        return ": write it in quotes"
    return ": leave the key out, or give it a value" if value is None else ""


def _shown(value: Any) -> str:
    if isinstance(value, Timestamp):
        return f"the date {value}"
    names: tuple[tuple[type, str], ...] = ((dict, "a mapping"), (list, "a list"), (type(None), "nothing"))
    return next((name for kind, name in names if isinstance(value, kind)), repr(value))


def _check_keys(node: Node, shape: Keys, path: Path) -> None:
    for key, item in node.value.items():
        if key in shape.known:
            check(item, shape.known[key], (*path, key))
        elif not key.startswith("x-"):
            near = difflib.get_close_matches(key, list(shape.known), n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(shape.known))}"
            where = f"{_label(path)}: " if path else ""
            raise item.error(f"{where}Compose has no key {key!r} here: {hint}")
    missing = [key for key in shape.required if key not in node.value]
    if missing:
        raise node.error(f"{_label(path)}: {missing[0]!r} is missing")


def _check_distinct(node: Node, path: Path) -> None:
    seen: list[Any] = []
    for item in node.value:
        plain = item.plain()
        if plain in seen and not isinstance(plain, dict):
            raise item.error(f"{_label(path)}: {plain!r} stands here twice")
        seen.append(plain)


def _check_within(node: Node, shape: Within, path: Path) -> None:
    if not shape.least <= node.value <= shape.most:
        bounds = f"from {shape.least} to {shape.most}" if shape.most < math.inf else f"{shape.least} or more"
        raise node.error(f"{_label(path)}: {node.value} is not {bounds}")


def _check_words(node: Node, shape: Words, path: Path) -> None:
    if shape.words and node.value not in shape.words:
        raise node.error(f"{_label(path)}: {node.value!r} is not one of {', '.join(shape.words)}")
    if shape.pattern and not re.search(shape.pattern, node.value):
        raise node.error(f"{_label(path)}: {node.value!r} is not {shape.more or f'of the form {shape.pattern}'}")


def _label(path: Path) -> str:
    return ".".join(map(str, path)) or "the file"
