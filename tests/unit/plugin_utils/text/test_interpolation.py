# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables in text, as Compose writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.text import interpolation

SET = {"A": "a", "EMPTY": "", "ODD": "${A} $A $$ }", "_x1": "low"}
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
WORDS = st.text(st.characters(exclude_characters="${}", exclude_categories=("Cs",)), max_size=12)


@pytest.mark.parametrize(
    "text,expected",
    [
        ("plain", "plain"),
        ("$A-$_x1.${A}b$Ab", "a-low.ab"),
        ("$$A $$$A $${A}", "$A $a ${A}"),
        ("$ 5$ $5 $-", "$ 5$ $5 $-"),
        ("${A:-d}${EMPTY:-d}${NO:-d}", "add"),
        ("${A-d}${EMPTY-d}${NO-d}", "ad"),
        ("${A:+x}${EMPTY:+x}${NO:+x}", "x"),
        ("${A+x}${EMPTY+x}${NO+x}", "xx"),
        ("${A:?e}${A?e}[${EMPTY?e}]", "aa[]"),
        ("${NO:-${NO:-${A}/$A/$$}}", "a/a/$"),
        ("${NO-}", ""),
        ("${NO:--1}${NO:-a:-b}", "-1a:-b"),
        ('${NO:-{"k": {"n": 1}}}', '{"k": {"n": 1}}'),
        ("${NO:-two\nlines}", "two\nlines"),
        ("$ODD", "${A} $A $$ }"),
        ("[$NO${NO}]", "[]"),
    ],
)
def test_the_forms_of_compose(text: str, expected: str) -> None:
    assert interpolation.expand(text, SET.get) == expected


@pytest.mark.parametrize(
    "text,message",
    [
        ("${NO:?give it}", r"^variable NO is not set: give it$"),
        ("${NO?}", r"^variable NO is not set$"),
        ("${EMPTY:?}", r"^variable EMPTY is empty$"),
        ("${NO:?say $A}", r"^variable NO is not set: say a$"),
        ("x${A", r"the brace of '\$\{A' is not closed"),
        ("${NO:-${A}", r"is not closed"),
        ("${}", r"'\$\{\}' does not name a variable"),
        ("${1A}", r"'\$\{1A\}' does not name a variable"),
        ("${A B}", r"does not name a variable"),
        ("${A:x}", r"does not name a variable"),
    ],
)
def test_what_cannot_be_expanded_says_why(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        interpolation.expand(text, SET.get)


def test_a_variable_that_is_not_set_is_refused_or_noted_only_where_it_is_used() -> None:
    with pytest.raises(ValueError, match=r"^variable NO is not set$"):
        interpolation.expand("$NO", SET.get, interpolation.not_set)
    assert interpolation.expand("${A:-$NO}${NO:+$NO}", SET.get, interpolation.not_set) == "a"
    noted: list[str] = []

    def note(name: str) -> str:
        noted.append(name)
        return "?"

    assert interpolation.expand("$NO ${ALSO} ${A}", SET.get, note) == "? ? a"
    assert noted == ["NO", "ALSO"]


@given(st.text(max_size=60))
def test_doubled_dollars_give_any_text_back(text: str) -> None:
    assert interpolation.expand(text.replace("$", "$$"), SET.get, interpolation.not_set) == text


@given(NAMES, st.text(max_size=20), WORDS)
def test_a_value_is_taken_as_it_is_and_a_default_only_without_one(name: str, value: str, default: str) -> None:
    lookup = {name: value}.get
    for text in (f"${name}", f"${{{name}}}", f"${{{name}-{default}}}", f"${{{name}?{default}}}"):
        assert interpolation.expand(text, lookup) == value
    assert interpolation.expand(f"${{{name}:-{default}}}", lookup) == (value or default)
    assert interpolation.expand(f"${{{name}:+{default}}}", lookup) == (default if value else "")
    assert interpolation.expand(f"${{{name}:-{default}}}", {}.get) == default


@given(st.text(alphabet="$${}AB:-+? ", max_size=40))
def test_any_text_expands_or_gives_one_error(text: str) -> None:
    try:
        result = interpolation.expand(text, {"A": "", "B": "b"}.get)
    except ValueError as error:
        assert "variable" in str(error) or "brace" in str(error)
    else:
        assert "$" in text or result == text


def test_variables_of_variables_have_an_end() -> None:
    with pytest.raises(ValueError, match="more than 1048576 characters"):
        interpolation.expand("$A" * 3000, {"A": "x" * 1000}.get)
    with pytest.raises(ValueError, match="variables stand in more than 20 others"):
        interpolation.expand("${A:-" * 1000 + "}" * 1000, {}.get)
    assert interpolation.expand("${A:-" * 20 + "x" + "}" * 20, {}.get) == "x"
