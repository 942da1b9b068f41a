# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many numbered names in a few words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.text.name_ranges import ranges

from ..world import expanded


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ([], ""),
        (["server"], "server"),
        (["c-1", "c-2"], "c-1, c-2"),
        ([f"c-{n}" for n in range(200, 0, -1)], "c-1…200"),
        ([f"c-{n}" for n in range(1, 200, 2)], "c-1…199 by 2"),
        (["c-1", "c-2", "c-3", "c-7", "c-10", "c-20", "c-30", "c-40"], "c-1…3, 7, 10…40 by 10"),
        (["h8", "h9", "h10", "gpu1", "controller"], "controller, gpu1, h8…10"),
        ([f"h{n:03}" for n in range(9, 102)], "h009…101"),
        ([f"edge{n}.dc2.example.com" for n in (1, 2, 3, 5)], "edge1…3.dc2.example.com, edge5.dc2.example.com"),
        ([f"10.0.0.{n}" for n in range(2, 9)], "10.0.0.2…8"),
        (["c-1", "12", "13"], "12, 13, c-1"),
    ],
)
def test_names_in_a_row_are_written_by_their_ends(names: list[str], text: str) -> None:
    assert ranges(names) == text


def test_many_rows_are_cut_and_the_rest_counted() -> None:
    names = [f"c-{n}" for n in (1, 2, 3, 8, 20, 21, 22, 23, 40, 60)]
    assert ranges(names, most=3) == "c-1…3, 8 and 6 more"
    assert ranges(names, most=5) == ranges(names) == "c-1…3, 8, 20…23, 40, 60"


@given(st.sets(st.from_regex(r"[a-c0-2]{1,2}(-?[0-9]{1,3}){0,2}(\.[ab])?", fullmatch=True), max_size=40))
def test_the_ranges_hold_each_name_once_and_no_other(names: set[str]) -> None:
    found = expanded(ranges(names))
    assert len(found) == len(names)
    assert set(found) == names
