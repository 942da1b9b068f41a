# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables in text as Compose writes them: `$V`, `${V}`, `${V:-default}`, `${V:?error}`, `${V:+other}`, `$$`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

Lookup = Callable[[str], "str | None"]
Unset = Callable[[str], str]

#: characters of a text with its variables replaced, and braces in braces
LONGEST = 1024 * 1024
_DEEPEST = 20
_BRACE = re.compile("[{}]")
_REFERENCE = re.compile(r"\$(?:(?P<escaped>\$)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<braced>\{))")
_BRACED = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<operator>:?[-?+])(?P<word>.*))?\Z", re.DOTALL)


class Missing(ValueError):
    """A variable that is needed and not there."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"variable {name} {reason}")
        self.name = name


class NotSet(str):
    """The message of an error of variables that nothing sets: ``reasons`` by name."""

    reasons: dict[str, str]

    @classmethod
    def of(cls, reasons: Mapping[str, str]) -> NotSet:
        values = ", ".join(f'"{name}": "VALUE"' for name in reasons)
        it, names = ("it", next(iter(reasons))) if len(reasons) == 1 else ("them", "variables of these names")
        message = cls(
            f"{'; '.join(reasons.values())}: give {it} with -e '{{\"profile_variables\": {{{values}}}}}', "
            f"or as {names} in the inventory"
        )
        message.reasons = dict(reasons)
        return message


def blank(name: str) -> str:
    """What Compose puts where a variable is not set: nothing."""
    return ""


def not_set(name: str) -> str:
    """Refuse a variable that is not set: Missing that names it."""
    raise Missing(name, "is not set")


def expand(text: str, lookup: Lookup, unset: Unset = blank, depth: int = 0) -> str:
    """``text`` with its variables replaced.

    ``lookup`` gives the value of a variable, None where it is not set; values are taken as they are. ``unset`` gives
    what stands for a variable that is neither set nor has a default; it may raise, or note the name. Defaults may hold
    variables in turn; what must be given in one that is not used must be given, too, as Compose has it. A ``$`` before
    anything else is text. Raises
    Missing for ``${V:?error}``, and ValueError for braces that hold no variable or are not closed.
    """
    if depth > _DEEPEST:
        raise ValueError(f"variables stand in more than {_DEEPEST} others")
    result = []
    position = size = 0
    while match := _REFERENCE.search(text, position):
        result.append(text[position : match.start()])
        position = match.end()
        if match["escaped"]:
            result.append("$")
        elif match["name"]:
            result.append(_value(match["name"], lookup, unset))
        else:
            end = _closing(text, match.end())
            result.append(_braced(text[match.end() : end], lookup, unset, depth + 1))
            position = end + 1
        size += len(result[-1])
        if size > LONGEST:
            raise ValueError(f"with its variables it has more than {LONGEST} characters")
    return "".join([*result, text[position:]])


def _value(name: str, lookup: Lookup, unset: Unset) -> str:
    value = lookup(name)
    return unset(name) if value is None else value


def _closing(text: str, start: int) -> int:
    """Where the brace that was opened before ``start`` is closed."""
    depth = 1
    for brace in _BRACE.finditer(text, start):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    raise ValueError(f"the brace of {text[start - 2 :]!r} is not closed (write $$ for a dollar sign)")


def _braced(inner: str, lookup: Lookup, unset: Unset, depth: int) -> str:
    match = _BRACED.match(inner)
    if match is None:
        raise ValueError(f"{'${' + inner + '}'!r} does not name a variable (write $$ for a dollar sign)")
    name, operator, word = match["name"], match["operator"], match["word"]
    if operator is None:
        return _value(name, lookup, unset)
    value = lookup(name)
    # With a colon an empty value is as good as none.
    given = value is not None and (bool(value) or not operator.startswith(":"))
    if given != operator.endswith("+"):
        expand(word, lookup)
    if operator.endswith("+"):
        return expand(word, lookup, unset, depth) if given else ""
    if given:
        return value or ""
    if operator.endswith("?"):
        reason = expand(word, lookup, unset, depth)
        state = "is not set" if value is None else "is empty"
        raise Missing(name, f"{state}: {reason}" if reason else state)
    return expand(word, lookup, unset, depth)
