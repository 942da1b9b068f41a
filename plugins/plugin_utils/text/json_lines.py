# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON with the lines in which its values stand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.text import json_text

Path = tuple[str | int, ...]
#: so deep are values in others at most
DEEPEST = 50
_SPACE = re.compile(r"[ \t\r\n]*")


def parse(text: str, unique: bool = False) -> tuple[Any, Mapping[Path, int]]:
    """The value of a JSON text, and by path the line of each value in it (of a mapping's, that of its key).

    ValueError, with the line, for a text that is no JSON; with ``unique`` also for a key that a mapping has twice.
    """
    value = json_text.parse(text)
    places: dict[Path, int] = {(): 0}
    twice: list[tuple[Path, int]] = []
    _locate(text, _after_space(text, 0), (), places, twice)
    if unique and twice:
        path, at = twice[0]
        raise json.JSONDecodeError(f"the key {path[-1]!r} stands here twice", text, at)
    lines: dict[Path, int] = {}
    number, counted = 1, 0
    for path, at in sorted(places.items(), key=lambda place: place[1]):
        number, counted = number + text.count("\n", counted, at), at
        lines[path] = number
    return value, lines


def line(lines: Mapping[Path, int], path: Path) -> int:
    """The line of a path, or of the innermost thing around it that is there."""
    while path not in lines:
        path = path[:-1]
    return lines[path]


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _locate(text: str, at: int, path: Path, places: dict[Path, int], twice: list[tuple[Path, int]]) -> int:
    """Note where the values below ``path`` begin, of a text that is valid JSON; where the value at ``at`` ends.

    ``twice``: the keys that a mapping has had before.
    """
    if len(path) > DEEPEST:
        raise ValueError(f"it is nested too deeply, more than {DEEPEST} values in each other")
    opening = text[at]
    if opening not in "{[":
        return json.JSONDecoder().raw_decode(text, at)[1]
    number, at = 0, _after_space(text, at + 1)
    while text[at] not in "}]":
        key: str | int = number
        start = at
        if opening == "{":
            key, at = json.JSONDecoder().raw_decode(text, at)
            at = _after_space(text, _after_space(text, at) + 1)
        inner = (*path, key)
        if inner in places:
            twice.append((inner, start))
        places[inner] = start
        at = _after_space(text, _locate(text, at, inner, places, twice))
        at = _after_space(text, at + 1) if text[at] == "," else at
        number += 1
    return at + 1
