# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Environment files: in Docker's own format, as ``docker run --env-file`` reads them, and in Compose's.

Hand-written because python-dotenv reads a third format, of quotes and escapes that are in neither.
In both a name without a value would take the value of the caller's environment. There is no such caller of ``docker
run`` here: it sets nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text import interpolation

# What Go's unicode.IsSpace says is white space, and no more (Python counts U+001C to U+001F).
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
_BLANK = re.compile(r"(?:\s|#[^\n]*)*")
_KEY = re.compile(r"(?:export[^\S\n]+)?(?P<name>[\w.\-\[\]]+)[^\S\n]*(?:(?P<assign>[=:])[^\S\n]*|(?=\n|\Z))")
_QUOTED = {quote: re.compile(rf"{quote}((?:\\.|[^\\{quote}])*){quote}", re.DOTALL) for quote in "'\""}
_AFTER_QUOTED = re.compile(r"[^\S\n]*(?:#[^\n]*)?(?:\n|\Z)")
_ESCAPE = re.compile(r"\\(0[0-7]{0,3}|.)", re.DOTALL)
_ESCAPED = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


#: characters of all values of a file with their variables replaced
LARGEST = 2 * 1024 * 1024


@dataclass(frozen=True)
class Line:
    """One variable of an env file, and the number of the line that sets it."""

    name: str
    value: str
    number: int


def parse(text: str, file: str) -> dict[str, str]:
    """The variables of :func:`lines`; the last of one given twice wins."""
    return {line.name: line.value for line in lines(text, file)}


def named(found: list[Line], file: str) -> list[Line]:
    """The same lines. ProfileError for a value without a name, which an engine does not take."""
    for line in found:
        if not line.name:
            raise ProfileError(
                f"{line.value!r} has no name: Compose takes a last line for a value where nothing ends it: end it, or "
                f"write {line.value}=",
                file=file,
                line=line.number,
            )
    return found


def lines(text: str, file: str, bare: interpolation.Lookup = lambda name: None) -> list[Line]:
    """The variables of a file in Docker's own format.

    Quotes, ``$`` and everything after the first ``=`` belong to the value, white space included; nothing is
    expanded. A line that starts with ``#`` is a comment. A name alone has the value that ``bare`` gives, and sets
    nothing without one. Raises ProfileError for a name with white space or no name.
    """
    found = []
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        line = raw.removesuffix("\r").lstrip(_SPACE)
        if not line or line.startswith("#"):
            continue
        name, separator, value = line.partition("=")
        if not name or any(character in " \t" for character in name):
            raise ProfileError(
                f"{_shown(line)} is not NAME=VALUE: the name must not be empty or hold white space",
                file=file,
                line=number,
            )
        if "\0" in line:
            raise ProfileError("a process cannot be given the character NUL", file=file, line=number)
        given = value if separator else bare(name)
        if given is not None:
            found.append(Line(name, given, number))
    return found


def compose_lines(
    text: str,
    file: str,
    lookup: interpolation.Lookup,
    unset: Callable[[str, int], str] = lambda name, line: "",
    bare: interpolation.Lookup = lambda name: None,
    below: interpolation.Lookup = lambda name: None,
) -> list[Line]:
    """The variables of a file in Compose's format.

    Values without quotes end at `` #`` or the end of the line, those in quotes may go over several; ``$V`` and the
    like are expanded outside of single quotes, from ``lookup`` first, then from the lines above, then from ``below``. A
    name alone has the value that ``bare`` gives, and sets nothing without one; where the text ends behind it, Compose
    takes it for a value without a name. ``unset`` gives what stands for a
    variable that nothing sets, of a line. Raises ProfileError for what is not such a file, and for all variables that
    must be there and are not, at the first of them.
    """
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    found: dict[str, str] = {}
    result = []

    missing: dict[str, str] = {}
    first = 0

    def known(name: str) -> str | None:
        values = (look(name) for look in (lookup, found.get, below))
        # What is missing is taken for a text, so that the others are found, too.
        return "1" if name in missing else next((value for value in values if value is not None), None)

    position, number, counted, size = _after_blanks(text, 0), 1, 0, 0
    while position < len(text):
        number, counted = number + text.count("\n", counted, position), position
        key = _KEY.match(text, position)
        if key is None:
            line = _rest(text, position)
            raise ProfileError(f"{_shown(line)} is not NAME=VALUE", file=file, line=number)

        def blank(name: str, line: int = number) -> str:
            return unset(name, line)

        try:
            value, position = (
                _compose_value(text, key.end(), known, blank)
                if key["assign"]
                else (bare(key["name"]) if key.end() < len(text) else None, key.end())
            )
        except interpolation.Missing as error:
            missing[error.name], first = str(error), first or number
            continue
        except ValueError as error:
            raise ProfileError(f"{key['name']}: {error}", file=file, line=number) from error
        if value is not None:
            if "\0" in value:
                raise ProfileError("a process cannot be given the character NUL", file=file, line=number)
            size += len(value)
            if size > LARGEST:
                raise ProfileError("this file is too large with what its variables stand for", file=file, line=number)
            found[key["name"]] = value
            result.append(Line(key["name"], value, number))
        elif not key["assign"] and key.end() == len(text):
            result.append(Line("", key["name"], number))
        position = _after_blanks(text, position)
    if missing:
        raise ProfileError(interpolation.NotSet.of(missing), file=file, line=first)
    return result


def _compose_value(text: str, start: int, lookup: interpolation.Lookup, unset: interpolation.Unset) -> tuple[str, int]:
    """The value that begins at ``start``, and where it ends."""
    quote = text[start : start + 1]
    if quote not in _QUOTED:
        line = _rest(text, start)
        # " #" begins a comment, also where the blank stands before the value.
        written = (text[start - 1] + line).partition(" #")[0][1:].rstrip(_SPACE)
        return interpolation.expand(written, lookup, unset), start + len(line)
    match = _QUOTED[quote].match(text, start)
    if match is None:
        raise ValueError("the quote is not closed")
    after = _AFTER_QUOTED.match(text, match.end())
    if after is None:
        raise ValueError("something stands behind the closing quote")
    if quote == "'":
        return match[1].replace("\\'", "'"), after.end()
    return interpolation.expand(_ESCAPE.sub(_unescaped, match[1]), lookup, unset), after.end()


def _rest(text: str, start: int) -> str:
    """The rest of a line."""
    end = text.find("\n", start)
    return text[start:] if end < 0 else text[start:end]


def _unescaped(match: re.Match[str]) -> str:
    """One escape of a double-quoted value; an escaped ``$`` is none that expands."""
    escape = match[1]
    if escape.startswith("0"):
        return chr(int(escape, 8) & 0xFF)
    if escape == "$":
        return "$$"
    return _ESCAPED.get(escape, escape if escape in '\\"' else match[0])


def _after_blanks(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _shown(line: str) -> str:
    """The beginning of a line, for an error: what follows an ``=`` may be nobody's business."""
    return repr(line.partition("=")[0][:60] + ("=…" if "=" in line else ""))
