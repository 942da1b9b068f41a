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
    with pytest.raises(ProfileError, match=r"x.yml: this YAML is nested too deeply"):
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
