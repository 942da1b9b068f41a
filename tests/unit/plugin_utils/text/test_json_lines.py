# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON with the lines in which its values stand."""

from __future__ import annotations

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.text import json_lines

TEXT = '{\n\t"a": [1,\n\t\t{"b\\"}": "x]"}],\n"c"\n:\n{},\n"d": null}'


def test_lines() -> None:
    value, lines = json_lines.parse(TEXT)
    assert value == {"a": [1, {'b"}': "x]"}], "c": {}, "d": None}
    assert lines == {(): 1, ("a",): 2, ("a", 0): 2, ("a", 1): 3, ("a", 1, 'b"}'): 3, ("c",): 4, ("d",): 7}
    assert json_lines.line(lines, ("a", 1, "missing", "deeper")) == 3
    assert json_lines.line(lines, ("missing",)) == 1


def test_of_a_key_that_stands_twice_the_line_is_the_last() -> None:
    value, lines = json_lines.parse('{"a": 1,\n"b": 2,\n"a": 3}')
    assert (value, lines["a",], lines["b",]) == ({"a": 3, "b": 2}, 3, 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "line 1"),
        ("[1,\n2,]", "line 2"),
        ("[NaN]", "NaN is no number of JSON"),
        ("[" * 60 + "]" * 60, "it is nested too deeply, more than 50 values in each other"),
        ("[" * 5000, "it is nested too deeply"),
    ],
)
def test_what_is_no_json(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        json_lines.parse(text)


def test_lines_of_many_values() -> None:
    _value, lines = json_lines.parse("[" + "0,\n" * 150_000 + "0]")
    assert [lines[at,] for at in (0, 1, 75_000, 150_000)] == [1, 2, 75_001, 150_001]


def test_a_key_that_stands_twice_is_told_where_it_is_asked_for() -> None:
    text = '{"a": {"b": 1,\n"b": 2}, "b": 3}'
    assert json_lines.parse(text)[0] == {"a": {"b": 2}, "b": 3}
    with pytest.raises(ValueError, match="'b' stands here twice: line 2"):
        json_lines.parse(text, unique=True)
