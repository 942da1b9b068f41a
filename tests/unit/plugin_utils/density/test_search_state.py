# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search import Outcome, Settings, Step, Window
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import (
    Searches,
    SearchState,
    StepState,
    Told,
    searches_of,
)

NUMBERS = st.floats(-1e6, 1e6)
WINDOWS = st.builds(Window, NUMBERS, NUMBERS, st.none() | NUMBERS)
OUTCOMES = st.builds(Outcome, st.booleans(), st.text(max_size=9), st.booleans(), st.just(""), st.none())
STEPS = st.builds(
    Step,
    st.integers(1, 4096),
    st.booleans(),
    st.lists(WINDOWS, max_size=3).map(tuple),
    st.none() | OUTCOMES,
    st.floats(0, 1e6),
)
FIGURES = st.builds(
    Told, st.text(), st.just("fps"), NUMBERS, NUMBERS, NUMBERS, st.text(max_size=5), st.text(max_size=5)
)
STATES = st.builds(
    StepState, STEPS, st.text(), NUMBERS, st.none() | NUMBERS, told=st.lists(FIGURES, max_size=2).map(tuple)
)
SEARCHES = st.builds(
    SearchState, st.text(max_size=5), st.lists(STATES, max_size=3).map(tuple), st.none() | st.just("found"), st.text()
)


@given(st.lists(SEARCHES, min_size=1, max_size=3))
def test_what_was_written_is_read_again(searches: list[SearchState]) -> None:
    state = Searches(("client",), None, Settings(least=2), tuple(searches))
    assert searches_of(json.loads(json.dumps(state.as_dict())), "search.json") == state


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"schema": "other"}, "its schema is not retail.profiles/search/1"),
        ({"settings": {"lest": 1}}, "unexpected keyword argument 'lest'"),
        ({"searches": [{}]}, "'host'"),
        ({"searches": 3}, "not iterable"),
    ],
)
def test_what_is_no_state_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(ProfileError) as caught:
        searches_of({**Searches(("client",)).as_dict(), **change}, "/r/search.json")
    assert str(caught.value).startswith("/r/search.json: this is not the state of a search: ")
    assert says in str(caught.value)


def test_it_knows_its_interval() -> None:
    steps = [StepState(Step(streams, outcome=Outcome(streams < 7, "so")), "why", 1.0) for streams in (1, 4, 8, 6, 7)]
    search = SearchState(steps=tuple(steps))
    assert search.interval == (6, 7)
    assert SearchState().interval == (0, None)
    assert not Searches(("client",), searches=(search, replace(search, ending="found"))).ended
