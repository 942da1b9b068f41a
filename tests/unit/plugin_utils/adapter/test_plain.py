# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's values without its tags, as the planner takes them and as they are sent and recorded."""

from __future__ import annotations

import datetime
import json
import math
from typing import Any

import pytest
from ansible.template import trust_as_template
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.adapter.plain import plain, untagged

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def types(value: Any) -> set[type]:
    """The types of all that is in a value."""
    inner = [*value, *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    return {type(value)}.union(*map(types, inner))


@given(values)
def test_plain_values_stay_as_they_are(value: Any) -> None:
    assert json.dumps(untagged(value)) == json.dumps(value)


@given(values)
def test_what_is_sent_and_recorded_is_strict_json(value: Any) -> None:
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == plain(value)


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan])
def test_the_planner_sees_a_number_that_json_cannot_hold(number: float) -> None:
    assert str(untagged({"cpus": [number]})["cpus"][0]) == str(number)
    assert plain({"cpus": [number]}) == {"cpus": [None]}


@pytest.mark.parametrize("copied", [plain, untagged])
def test_tags_are_left_behind(copied: Any) -> None:
    tagged = {trust_as_template("k"): [trust_as_template("{{ v }}"), 1, (True, 2.5)]}
    assert types(tagged) != {dict, list, str, int, bool, float}
    result = copied(tagged)
    assert result == {"k": ["{{ v }}", 1, [True, 2.5]]}
    assert types(result) == {dict, list, str, int, bool, float}


@pytest.mark.parametrize("copied", [plain, untagged])
def test_what_json_does_not_know_becomes_its_text_or_a_list(copied: Any) -> None:
    assert copied({1: datetime.date(2026, 1, 2), "s": {3}}) == {"1": "2026-01-02", "s": [3]}
