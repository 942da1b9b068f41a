# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A command in one text, split into words: as Compose splits it, and as a shell would.

Hand-written because ``shlex`` keeps a backslash in double quotes, and knows no operators.
"""

from __future__ import annotations

import re
import shlex

_OPERATORS = ";&|<>"
_SPACE = " \t\r\n"
_QUOTED = re.compile(r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.", re.DOTALL)
#: what stands alone between words, or begins one, and would be a shell's business
_FOR_A_SHELL = re.compile(r"(?<!\S)(?:[|&;]{1,2}(?!\S)|\d?[<>]{1,2}\S*)|;(?!\S)")


def split(text: str) -> tuple[list[str], str]:
    """The words of a command, and what Compose leaves out: all from the first operator (``;``, ``&``, ``|``, ``<``,
    ``>``) on, as there is no shell. ValueError where a quote, a bracket or a backslash is left open.
    """
    words: list[str] = []
    word: str | None = None
    escaped, left_out = False, ""
    # What is open: ' and " are dropped, `…` and $(…) stay as they are; quotes count within backticks, too.
    quotes: set[str] = set()
    for at, character in enumerate(text):
        if escaped:
            word, escaped = (word or "") + character, False
        elif character == "\\" and "'" not in quotes:
            escaped = True
        elif character in _SPACE and not quotes:
            words += [] if word is None else [word]
            word = None
        elif character in "'\"" and not quotes & {")", '"' if character == "'" else "'"}:
            quotes ^= {character}
            word = word or ""
        elif character in _OPERATORS and not quotes:
            # "2>" names a stream: it is no word.
            word = None if character == ">" and (word or "")[:1].isdigit() else word
            left_out = text[at:]
            break
        else:
            quotes ^= _bracket(character, quotes, word or "")
            word = (word or "") + character
    if escaped or quotes:
        raise ValueError(f"a quote, a bracket or a backslash is left open in {text!r}")
    return [*words, *([] if word is None else [word])], left_out


def _bracket(character: str, quotes: set[str], word: str) -> set[str]:
    """What a character opens or closes that is neither white space nor a quote."""
    if character == "`" and not quotes & {"'", '"', ")"}:
        return {"`"}
    if character == ")" and not quotes & {"'", '"', "`"}:
        return {")"}
    if character == "(" and not quotes & {"'", '"', "`"}:
        if ")" in quotes or not word.endswith("$"):
            raise ValueError("an opening bracket stands here without a '$' before it, or within another")
        return {")"}
    return set()


def as_shell(text: str) -> list[str]:
    """The words of a command as a shell would split it. ValueError where a quote is left open, or a shell is needed."""
    bare = _QUOTED.sub(lambda quoted: "q" * len(quoted[0]), text)
    if found := _FOR_A_SHELL.search(bare):
        rest = text[found.start() :].strip().splitlines()[0]
        raise ValueError(f'there is no shell for {rest!r}: write [sh, -c, "…"], or quote what is a word')
    try:
        return shlex.split(_QUOTED.sub(_as_in_a_shell, text))
    except ValueError as error:
        raise ValueError(f"{text!r} cannot be split into words: {error}") from error


def _as_in_a_shell(quoted: re.Match[str]) -> str:
    """A text in double quotes in which a backslash takes ``$`` and a backtick, too."""
    if not quoted[0].startswith('"'):
        return quoted[0]
    return re.sub(r"\\(.)", lambda escape: escape[1] if escape[1] in "$`" else escape[0], quoted[0], flags=re.DOTALL)
