# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that is shown steers no terminal, and is not endless."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.text import shown


def test_the_first_line_is_one_that_says_something() -> None:
    assert shown.first_line("\n  no  space left\nTraceback") == "no  space left"
    assert shown.first_line(OSError("a\nb")) == "a"
    assert shown.first_line(" \n") == ""


def test_one_line_keeps_all_words() -> None:
    assert shown.one_line(" a\n b\tc ") == "a b c"


@given(st.text())
def test_text_cannot_steer_a_terminal(text: str) -> None:
    for made in (shown.neutral(text), shown.first_line(text), shown.one_line(text)):
        assert made.isprintable()
    assert all(line.isprintable() for line in shown.lines(text).split("\n"))
    assert all(line.isprintable() for line in shown.table(text).split("\n"))


@pytest.mark.parametrize(
    "text", ["x" * 295_957, "\x1b" * 295_957, "a b " * 100_000, "\n".join("x" * 900 for _line in range(900))]
)
def test_what_is_long_is_cut(text: str) -> None:
    assert len(shown.neutral(text)) <= shown.LONGEST_LINE
    assert len(shown.first_line(text)) <= shown.LONGEST_LINE
    assert len(shown.one_line(text)) <= shown.LONGEST_MESSAGE
    assert len(shown.lines(text)) <= (shown.LONGEST_LINE + 1) * (shown.MOST_LINES + 1)


def test_what_is_cut_says_so_and_control_characters_can_be_read() -> None:
    assert shown.neutral("12345", 4) == "123…"
    assert shown.neutral("12345", 5) == "12345"
    assert shown.neutral("red\x1b[31m\u202e\n") == "red\\x1b[31m\\u202e\\n"
    many = shown.lines("\n".join(map(str, range(100)))).split("\n")
    assert (many[0], many[29], many[30], many[31], many[-1]) == ("0", "29", "… 40 more lines …", "70", "99")
    assert shown.lines("its log ends:\n  a\tb") == "its log ends:\n  a b"
