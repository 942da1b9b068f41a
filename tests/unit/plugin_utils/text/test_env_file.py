# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Env files, in Docker's own format and in Compose's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file, text_file

names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]*", fullmatch=True)


values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


# -- Docker's own format


@pytest.mark.parametrize(
    "text,expected",
    {
        "a byte order mark": ("\ufeffA=1\n", {"A": "1"}),
        "comments and blank lines": ("# A=0\n\n  \t\n  # B=1\nA=1 # no comment\n", {"A": "1 # no comment"}),
        "carriage returns": ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        "no newline at the end": ("A=1\nB=2", {"A": "1", "B": "2"}),
        "quotes belong to the value": ('A="1"\nB=\'2\'\nC="\n', {"A": '"1"', "B": "'2'", "C": '"'}),
        "nothing is expanded": ("A=$HOME ${B} $$ `c`\\n\n", {"A": "$HOME ${B} $$ `c`\\n"}),
        "the last wins": ("A=1\nA=2\n", {"A": "2"}),
        "empty values": ("A=\nB= \n", {"A": "", "B": " "}),
        "more equal signs": ("A==b=c=\n", {"A": "=b=c="}),
        "white space before the name only": (" \t A= b \t\n", {"A": " b \t"}),
        "a name alone": ("A\nB=1\n", {"B": "1"}),
        "odd names": ("a.b-c=1\n1x=2\né=3\n", {"a.b-c": "1", "1x": "2", "é": "3"}),
        "separators that are no ends of lines": ("A=\u2028x\x1cy\x0bz\n", {"A": "\u2028x\x1cy\x0bz"}),
        "templates are text": ("A={{ nothing }}{% if %}\n", {"A": "{{ nothing }}{% if %}"}),
    }.values(),
)
def test_dockers_own_format(text: str, expected: dict[str, str]) -> None:
    assert env_file.parse(text, "e.env") == expected


@pytest.mark.parametrize(
    "text,message",
    [
        (
            "A=1\nB = not trimmed\n",
            r"e.env:2: 'B =…' is not NAME=VALUE: the name must not be empty or hold white space",
        ),
        ("export A=1\n", r"e.env:1: 'export A=…' is not NAME=VALUE"),
        ("=x\n", r"e.env:1: '=…' is not NAME=VALUE"),
        ("A=\0\n", r"e.env:1: a process cannot be given the character NUL"),
    ],
)
def test_what_docker_refuses_is_refused_with_its_line_and_without_its_value(text: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message) as caught:
        env_file.parse(text, "e.env")
    assert "not trimmed" not in str(caught.value)


def test_a_line_that_is_not_utf8_is_named() -> None:
    with pytest.raises(ProfileError, match=r"e.env:2: this line is not UTF-8"):
        text_file.decoded(b"A=1\nB=\xff\n", "e.env")


@given(st.dictionaries(names, values.filter(lambda value: not set(value) & {"\n", "\r"})))
def test_values_come_through_byte_for_byte(variables: dict[str, str]) -> None:
    text = "\n".join(f"{name}={value}" for name, value in variables.items())
    assert env_file.parse(text_file.decoded(text.encode(), "e.env"), "e.env") == variables


# -- Compose's format


def compose(text: str, **known: str) -> dict[str, str]:
    return {line.name: line.value for line in env_file.compose_lines(text, "e.env", known.get)}


@pytest.mark.parametrize(
    "text,expected",
    {
        "plain, exported, with a colon": ("A=1\nexport B=2\nC: 3\n", {"A": "1", "B": "2", "C": "3"}),
        "comments": ("# x\nA=1 # y\nB=2#z\nC= # nothing\nD=#d\n", {"A": "1", "B": "2#z", "C": "", "D": "#d"}),
        "white space around": ("  A = b c \t\r\nB=\n", {"A": "b c", "B": ""}),
        "quotes": ("A=\"b # c\" # d\nB='$A ${x'\nC=''\n", {"A": "b # c", "B": "$A ${x", "C": ""}),
        "escapes": (r'A="a\tb\nc\\d\"e\$A\x"', {"A": 'a\tb\nc\\d"e$A\\x'}),
        "an escaped quote": (r"A='Let\'s go\n'", {"A": "Let's go\\n"}),
        "several lines": ("A='x\ny'\nB=\"u\nv\"\n", {"A": "x\ny", "B": "u\nv"}),
        "lines above": ("A=1\nB=${A}2\nC=$B$$\n", {"A": "1", "B": "12", "C": "12$"}),
        "what the run gives comes first": ("GIVEN=x\nB=$GIVEN\n", {"GIVEN": "x", "B": "run"}),
        "defaults": ("A=${NO:-d}${NO-e}${GIVEN:+f}\n", {"A": "def"}),
        "a name alone": ("A\nB=1\nC\n", {"B": "1"}),
    }.values(),
)
def test_composes_format(text: str, expected: dict[str, str]) -> None:
    assert compose(text, GIVEN="run") == expected


@pytest.mark.parametrize(
    "text,message",
    [
        ("\nA=${B:?give one}\n", r"e.env:2: variable B is not set: give one: give it with"),
        ("A=${B:?}\nC=${B:?}${D:?say}\n", "e.env:1: variable B is not set; variable D is not set: say: give them with"),
        ("A='x\n\n", r"e.env:1: A: the quote is not closed"),
        ('A="x" y\n', r"e.env:1: A: something stands behind the closing quote"),
        ("A=1\nB C=2\n", r"e.env:2: 'B C=…' is not NAME=VALUE"),
        ("A=1\nB=${C\n", r"e.env:2: B: the brace of .* is not closed"),
    ],
)
def test_what_compose_refuses_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        compose(text)


@given(st.dictionaries(names, values.filter(lambda value: "\r" not in value)))
def test_any_value_can_be_written_in_double_quotes(variables: dict[str, str]) -> None:
    def quoted(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")

    text = "\n".join(f'{name}="{quoted(value)}"' for name, value in variables.items())
    assert compose(text) == variables


@given(st.text(alphabet="AB=:\"'\\$ {}#\n\t.-?", max_size=30))
def test_any_text_is_read_or_refused_with_a_line(text: str) -> None:
    for read in (env_file.lines, lambda text, file: env_file.compose_lines(text, file, {}.get)):
        try:
            read(text, "e.env")
        except ProfileError as error:
            assert str(error).startswith("e.env:")


def test_variables_of_variables_cannot_fill_the_memory() -> None:
    text = "A0=0123456789\n" + "".join(f"A{n}={f'$A{n - 1}' * 10}\n" for n in range(1, 12))
    with pytest.raises(ProfileError, match=r"e.env:[67]: .*(1048576 characters|too large)"):
        compose(text)


def test_a_name_that_nothing_ends_is_a_value_without_a_name_to_compose() -> None:
    found = env_file.compose_lines("A=1\nNAME", "x.env", lambda name: None, bare=lambda name: "set")
    assert found == [env_file.Line("A", "1", 1), env_file.Line("", "NAME", 2)]
    with pytest.raises(ProfileError, match=r"x.env:2: 'NAME' has no name: .* end it, or write NAME="):
        env_file.named(found, "x.env")
    ended = env_file.compose_lines("A=1\nNAME\n", "x.env", lambda name: None, bare=lambda name: "set")
    assert env_file.named(ended, "x.env")[1] == env_file.Line("NAME", "set", 2)


def test_a_name_alone_in_dockers_format_has_the_value_that_the_caller_gives_it() -> None:
    assert env_file.lines("A=1\nB\nC", "x.env", {"B": "2"}.get) == [
        env_file.Line("A", "1", 1),
        env_file.Line("B", "2", 2),
    ]
    assert env_file.lines("B", "x.env") == []
