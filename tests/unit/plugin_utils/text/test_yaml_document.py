# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML that knows its lines: keys given twice, merged keys, plain scalars, and what has no end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text import yaml_document


def test_merged_keys_stand_below_a_mappings_own() -> None:
    text = "a: &a {x: 1, y: 2}\nb: &b\n  <<: *a\n  x: 3\nc: {<<: [*b, *a], z: 4}\n"
    value = yaml_document.parse(text, "x.yml").value
    assert (value["b"], value["c"]) == ({"x": 3, "y": 2}, {"x": 3, "y": 2, "z": 4})
    with pytest.raises(ProfileError, match=r"x.yml:1: the key 'x' stands here twice"):
        yaml_document.parse("{<<: {x: 1}, x: 2, x: 3}", "x.yml")


@pytest.mark.parametrize("text", ["a: &a [*a]", "[" * 5000])
def test_yaml_without_an_end_is_one_error(text: str) -> None:
    with pytest.raises(ProfileError, match=r"x.yml:1: this YAML is nested too deeply"):
        yaml_document.parse(text, "x.yml")


def test_plain_scalars_are_text_but_for_json_s_own() -> None:
    text = "[on, 22:22, 012, 1.10, 2024-01-01, 0x1f, ~, true, -7]"
    value = yaml_document.parse(text, "x.yml", plain_scalars=True).value
    assert value == ["on", "22:22", "012", "1.10", "2024-01-01", "0x1f", None, True, -7]


@given(st.text(alphabet="ab:-[]{}\n \"'#&*!|>%@`,?", max_size=40))
def test_any_text_parses_or_gives_a_profile_error(text: str) -> None:
    try:
        document = yaml_document.parse(text, "x.yml")
    except ProfileError as error:
        assert str(error).startswith("x.yml")
    else:
        assert document.line(()) is None or document.lines[()] >= 1


def test_dates_are_text_as_they_are_written() -> None:
    value = yaml_document.parse("[2024-01-01, 2024-13-45, =, 2001-12-14t21:59:43.10-05:00]", "x.yml").value
    assert value == ["2024-01-01", "2024-13-45", "=", "2001-12-14t21:59:43.10-05:00"]


LAUGHS = "l0: &l0 [x]\n" + "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 9))
MERGES = "l0: &l0 {k: x}\n" + "".join(
    f"l{n}: &l{n} {{<<: [{', '.join([f'*l{n - 1}'] * 10)}]}}\n" for n in range(1, 4000)
)
BAD = {
    "a tag that does not fit": ("a: !!bool x", r"x.yml:1: 'x' is not what its tag !!bool says"),
    "no int": ("\na: !!int x", r"x.yml:2: 'x' is not what its tag !!int says"),
    "no number at all": ("a: !!int ''", r"x.yml:1: '' is not what its tag !!int says"),
    "no float": ("a: !!float x", r"x.yml:1: 'x' is not what its tag !!float says"),
    "no timestamp": ("a: !!timestamp x", r"x.yml:1: 'x' is not what its tag !!timestamp says"),
    "a timestamp": ("a: !!timestamp 2024-01-01", r"x.yml:1: the tag !!timestamp is not known here"),
    "bytes": ("a: !!binary AAAA", r"x.yml:1: the tag !!binary is not known here"),
    "a long number": ("a: " + "9" * 5000, r"x.yml:1: a number of 5000 characters: quote it where it is text"),
    "a long number in hex": ("a: 0x" + "f" * 5000, r"x.yml:1: a number of 5002 characters"),
    "infinity": ("a:\n  - -.inf", r"x.yml:2: -.inf is no number that can be told on: quote it"),
    "no number": ("a: .nan", r"x.yml:1: .nan is no number"),
    "too large a number": ("a: 1.0e+999", r"x.yml:1: 1.0e\+999 is no number"),
    "NUL": ("a: 1\nb: \0", r"x.yml:2: this is not valid YAML: the character U\+0000"),
    "an escape sequence": ("a: \x1b[2J", r"x.yml:1: this is not valid YAML: the character U\+001B"),
    "half a character": ('a: "\\ud800"', r"x.yml:1: this is not valid YAML"),
    "a list as a key": ("a: 1\n? [b]\n: 2", r"x.yml:2: a key must be a string, not a list or a mapping"),
    "a tab": ("a:\n\tb: 1\n", r"x.yml:2: .*a tab stands before this line: indent it with blanks"),
    "a second colon": ("\na: b: c\n", r"x.yml:2: .*a second ': ' stands in this value: quote a text that holds one"),
    "a number as a key": ("1: 2", r"x.yml:1: the key 1 must be a string: quote it"),
    "a merge of nothing": ("a: 1\n<<: 3", r"x.yml:2: << takes a mapping, or a list of mappings"),
    "aliases of aliases": (LAUGHS, r"x.yml:\d: this YAML is too large with what its aliases stand for"),
    "a merge of itself": ("&a {<<: *a}", r"x.yml:1: this YAML is nested too deeply"),
    "mappings in mappings": ("{a: " * 60 + "}" * 60, r"x.yml:1: this YAML is nested too deeply"),
    "what ends too early": ("a: [1,\n  2\n\n\n", r"x.yml:2: this is not valid YAML"),
}


@pytest.mark.parametrize("text,message", BAD.values(), ids=BAD)
@pytest.mark.parametrize("plain", [False, True])
def test_what_cannot_be_told_on_is_refused_with_its_line(text: str, message: str, plain: bool) -> None:
    if plain and message.startswith(("x.yml:1: .nan", "x.yml:2: -.inf", "x.yml:1: 1.0e", "x.yml:1: a number of 5002")):
        value = yaml_document.parse(text, "x.yml", plain_scalars=True).value
        assert isinstance(value["a"] if isinstance(value["a"], str) else value["a"][0], str)
        return
    if plain and "!!binary" in message:
        assert yaml_document.parse(text, "x.yml", plain_scalars=True).value == {"a": "\0\0\0"}
        return
    with pytest.raises(ProfileError, match=message):
        yaml_document.parse(text, "x.yml", plain_scalars=plain)


def test_a_tag_that_is_not_known_is_an_error_and_says_nothing_where_scalars_are_plain() -> None:
    text = "a: !x {b: !y 012, c: !<z> true}\n!key d: !!foo [!!binary aMO8, !!binary /w==]\n"
    with pytest.raises(ProfileError, match=r"x.yml:2: .*could not determine a constructor for the tag '!key'"):
        yaml_document.parse(text, "x.yml")
    value = yaml_document.parse(text, "x.yml", plain_scalars=True).value
    assert value == {"a": {"b": "012", "c": "true"}, "d": ["h\xfc", "\ufffd"]}
    with pytest.raises(ProfileError, match=r"x.yml:1: '%' is not what its tag !!binary says"):
        yaml_document.parse("a: !!binary '%'", "x.yml", plain_scalars=True)


def test_an_anchor_is_known_in_later_documents_and_may_be_given_anew_where_scalars_are_plain() -> None:
    text = "a: &x 1\nb: &x two\nc: *x\n---\nd: *x\n"
    first, second = yaml_document.parse_all(text, "x.yml", yaml_document.PlainLoader)
    assert (first.value, second.value) == ({"a": 1, "b": "two", "c": "two"}, {"d": "two"})
    with pytest.raises(ProfileError, match=r"x.yml:2: this is not valid YAML: second occurrence"):
        yaml_document.parse(text, "x.yml")


def test_a_word_for_true_as_a_key_is_told_as_it_is_written() -> None:
    with pytest.raises(ProfileError, match=r"x.yml:1: the key on must be a string: quote it"):
        yaml_document.parse("on: 2", "x.yml")


def test_merges_of_merges_take_no_longer_than_they_are() -> None:
    value = yaml_document.parse(
        "l0: &l0 {k: x}\nl1: {<<: [&l1 {<<: [&l2 {<<: *l0}, *l2, *l2]}, *l1, *l1]}", "x.yml"
    ).value
    assert value["l1"] == {"k": "x"}
    with pytest.raises(ProfileError, match=r"x.yml:\d+: this YAML is too large"):
        yaml_document.parse(MERGES, "x.yml")
