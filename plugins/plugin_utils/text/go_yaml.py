# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML as programs in Go read it: which plain words are numbers, and how a number is written out again.

Hand-written because PyYAML reads YAML 1.1, where ``012`` is ten and ``on`` is true, but ``1e3`` and ``0o17`` are texts.
"""

from __future__ import annotations

import contextlib
import math
import re
from decimal import Decimal
from typing import Any, ClassVar

import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import (
    LONGEST_NUMBER,
    Document,
    PlainLoader,
    parse_all,
)

_TAG = "tag:yaml.org,2002:"
_INTEGER = re.compile(r"([-+]?)(?:0([xXoObB]?))?([0-9a-fA-F]+)")
_OTHER_VERSION = re.compile(r"^%YAML[ \t]+(?!1\.1(?!\S))\S*", re.MULTILINE)
_BASES = {"": 8, "x": 16, "o": 8, "b": 2}


class Timestamp(str):
    """A date, as it is written: Go makes a time of it, which is neither a text nor a number."""


class _GoLoader(PlainLoader):
    """The plain types of Go's YAML."""

    finite = False
    merges_once = True
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}  # type: ignore[misc]  # types-PyYAML: of the instance

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """The tag of a value. A number that Go cannot hold as what it is written is the next best: at last a text."""
        tag = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]  # types-PyYAML has none
        if tag == f"{_TAG}int" and implicit[0] and len(value) <= LONGEST_NUMBER and not _is_word(integer(value)):
            tag = f"{_TAG}float"
        if tag == f"{_TAG}float" and implicit[0] and value[-1].isdigit() and math.isinf(float(value.replace("_", ""))):
            tag = f"{_TAG}str"
        return tag


_PLAIN = {
    "null": (r"(?:~|null|Null|NULL|)\Z", ["~", "n", "N", ""]),
    "bool": (r"(?:true|True|TRUE|false|False|FALSE)\Z", list("tTfF")),
    "int": (
        r"[-+]?(?:0[xX][0-9a-fA-F][0-9a-fA-F_]*|0[oO]?[0-7][0-7_]*|0_[0-7_]+|0[bB][01][01_]*|0|[1-9][0-9_]*)\Z",
        list("-+0123456789"),
    ),
    "float": (
        r"[-+]?(?:\.[0-9][0-9_]*|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?\Z"
        r"|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z",
        list("-+0123456789."),
    ),
    "timestamp": (
        r"\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::?\d\d)?))?)?\Z",
        list("0123456789"),
    ),
    "merge": (r"<<\Z", ["<"]),
}
for _tag, (_pattern, _first) in _PLAIN.items():
    _GoLoader.add_implicit_resolver(f"{_TAG}{_tag}", re.compile(_pattern), _first)


def _integer(loader: Any, node: yaml.ScalarNode) -> int:
    found = integer(node.value)
    if not _is_word(found):
        raise ValueError
    return found


def _is_word(value: int) -> bool:
    """Whether an integer of Go holds it, with a sign or without."""
    return -(1 << 63) <= value < 1 << 64


def _float(loader: Any, node: yaml.ScalarNode) -> float:
    with contextlib.suppress(ValueError):
        return float(integer(node.value))
    written = node.value.replace("_", "").lower()
    found = float(re.sub(r"\.(inf|nan)", r"\1", written))
    if math.isinf(found) and not written.endswith("inf"):
        raise ValueError
    return found


def _timestamp(loader: Any, node: yaml.ScalarNode) -> Timestamp:
    return Timestamp(node.value)


def _null(loader: Any, node: yaml.ScalarNode) -> None:
    if not re.match(_PLAIN["null"][0], node.value):
        raise ValueError


def _bool(loader: Any, node: yaml.ScalarNode) -> bool:
    if not re.match(_PLAIN["bool"][0], node.value):
        raise ValueError
    return str(node.value).lower() == "true"


_GoLoader.add_constructor(f"{_TAG}null", _null)
_GoLoader.add_constructor(f"{_TAG}bool", _bool)
_GoLoader.add_constructor(f"{_TAG}int", _integer)
_GoLoader.add_constructor(f"{_TAG}float", _float)
_GoLoader.add_constructor(f"{_TAG}timestamp", _timestamp)


def documents(text: str, file: str) -> list[Document]:
    """All documents of a file. Raises ProfileError for what does not parse."""
    if version := _OTHER_VERSION.search(text):
        line = text.count("\n", 0, version.start()) + 1
        raise ProfileError(
            f"{version[0]!r}: programs in Go read YAML 1.1 alone: leave the line out", file=file, line=line
        )
    return parse_all(text, file, _GoLoader)


def integer(written: str) -> int:
    """``12``, ``0x1f``, ``0o17``, ``0b11``, and ``017``, which is octal, too. ValueError for anything else."""
    plain = written.replace("_", "")
    match = _INTEGER.fullmatch(plain)
    if match is None:
        raise ValueError(f"{written!r} is not a whole number")
    sign, marked = match[1], match[2] is not None
    return int(sign + match[3], _BASES[match[2].lower()] if marked else 10)


def number(value: float) -> str:
    """A number as Go writes it: no fraction where there is none, and an exponent where it is large or small."""
    if isinstance(value, int):
        return str(value)
    if not math.isfinite(value):
        return {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}[str(value)]
    negative, digits, power = Decimal(repr(value)).normalize().as_tuple()
    sign, shown = "-" if negative else "", "".join(map(str, digits))
    exponent = len(digits) + int(power) - 1
    if value and not -5 < exponent < 6:
        return f"{sign}{shown[0]}{'.' if shown[1:] else ''}{shown[1:]}e{exponent:+03d}"
    return f"{sign}{format(abs(Decimal(repr(value)).normalize()), 'f')}"
