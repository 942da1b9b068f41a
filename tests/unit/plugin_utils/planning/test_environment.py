# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment: env files in both formats, precedence, and where each variable is from."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import plan_text
from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file

from ..world import World

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
        env_file.decode(b"A=1\nB=\xff\n", "e.env")


@given(st.dictionaries(names, values.filter(lambda value: not set(value) & {"\n", "\r"})))
def test_values_come_through_byte_for_byte(variables: dict[str, str]) -> None:
    text = "\n".join(f"{name}={value}" for name, value in variables.items())
    assert env_file.parse(env_file.decode(text.encode(), "e.env"), "e.env") == variables


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
        "a name alone": ("A\nB=1\nC", {"B": "1"}),
    }.values(),
)
def test_composes_format(text: str, expected: dict[str, str]) -> None:
    assert compose(text, GIVEN="run") == expected


@pytest.mark.parametrize(
    "text,message",
    [
        ("\nA=${B:?give one}\n", r"e.env:2: A: variable B is not set: give one"),
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


# -- the environment of a container


PROFILE = """
containers:
  - name: one
    image: i
    env_file: [a.env, ./b.env]
    env:
      C: field
      D: field
"""


def test_precedence_is_file_then_later_file_then_field_then_command_line(world: World) -> None:
    world.write("env", PROFILE, a__env="A=a\nB=a\nC=a\n", b__env="\nB=b\n")
    [replica] = world.plan("env", env={"D": "line"})["replicas"].values()
    assert replica["task"]["env"] == {"A": "a", "B": "b", "C": "field", "D": "line"}
    assert replica["env_from"] == {"A": "a.env:1", "B": "b.env:2", "C": "profile.yml:7", "D": "profile_env"}


def test_the_printed_plan_has_a_line_a_variable_with_its_source(world: World) -> None:
    world.write("env", PROFILE, a__env="A=a\tb\n", b__env=f"B={'x' * 100}\n")
    text = plan_text.text(world.plan("env", env={"D": "two\nlines"}))
    assert "      env      A=a\\tb  (a.env:1)\n" in text
    assert f"      env      B={'x' * 59}…  (b.env:1)\n" in text
    assert "      env      C=field  (profile.yml:7)\n" in text
    assert "      env      D=two\\nlines  (profile_env)" in text


def test_a_moved_line_is_another_source_and_the_same_plan(world: World) -> None:
    world.write("env", PROFILE, a__env="A=a\n", b__env="")
    first = world.plan("env")
    world.write("env", PROFILE, a__env="# a\nA=a\n")
    second = world.plan("env")
    assert first["replicas"]["env-one-1"]["env_from"] != second["replicas"]["env-one-1"]["env_from"]
    assert first["plan_id"] == second["plan_id"]


def test_an_entry_of_another_profile_names_that_profiles_files(world: World) -> None:
    world.write("env", PROFILE, a__env="A=a\n", b__env="B=b\n")
    world.write("other", "containers: [{use: env/one, env: {C: mine}}]\n")
    [replica] = world.plan("other")["replicas"].values()
    assert replica["env_from"] == {"A": "env/a.env:1", "B": "env/b.env:1", "C": "profile.yml:1"}


def test_composes_format_is_asked_for_and_sees_the_run_and_the_files_before(world: World) -> None:
    world.write(
        "env",
        "containers: [{name: one, image: i, env_file: [a.env, {path: b.env, format: compose}]}]\n",
        a__env='A="$B"\n',
        b__env='B="${A} ${LINE} ${NOWHERE}."\n',
    )
    made = world.plan("env", env={"LINE": "run"})
    assert made["replicas"]["env-one-1"]["task"]["env"]["B"] == '"$B" run .'
    assert made["warnings"] == ["b.env: variable NOWHERE is not set: it stands for nothing"]


def test_an_env_file_that_need_not_be_there_is_a_warning(world: World) -> None:
    world.write("env", "containers: [{name: one, image: i, env_file: {path: no.env, required: false}}]\n")
    made = world.plan("env")
    assert made["replicas"]["env-one-1"]["task"]["env"] == {}
    assert made["warnings"] == ["one: the env file no.env is not there"]


@pytest.mark.parametrize(
    "written,message",
    [
        ("{path: a.env, format: dotenv}", r"field env_file: format: 'dotenv' is not one of docker, compose"),
        ("[{format: compose}]", r"field env_file: the field 'path' is missing"),
        ("[{path: a.env, fromat: docker}]", r"unknown field 'fromat': did you mean 'format'"),
        ("{path: no.env}", r"field env_file: 'no.env' is not in the profile's folder"),
        ("bad.env", r"env/bad.env:2: 'x y=…' is not NAME=VALUE"),
    ],
)
def test_a_bad_env_file_gives_one_clear_error(world: World, written: str, message: str) -> None:
    world.write(
        "env", f"containers: [{{name: one, image: i, env_file: {written}}}]\n", a__env="", bad__env="A=1\nx y=z\n"
    )
    with pytest.raises(ProfileError, match=message):
        world.plan("env")


def test_env_files_are_not_templated_and_fields_are(world: World) -> None:
    world.write(
        "env",
        "containers: [{name: one, image: i, env_file: a.env, env: {B: '{{ replica.name }}'}}]\n",
        a__env="A={{ replica.name }}\n",
    )
    [replica] = world.plan("env")["replicas"].values()
    assert replica["task"]["env"] == {"A": "{{ replica.name }}", "B": "env-one-1"}
