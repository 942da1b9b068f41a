# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.clock_offset import TimedCall, intersect, wrong

call = st.tuples(st.floats(0, 1e6), st.floats(0.001, 5.0), st.floats(0.0, 1.0))


@given(st.floats(-1000, 1000), st.lists(call, min_size=1, max_size=10))
def test_the_true_offset_is_always_within_the_bounds(offset: float, calls: list[tuple[float, float, float]]) -> None:
    known = intersect(TimedCall(start, start + length, start + length * part + offset) for start, length, part in calls)
    assert known is not None
    assert known.low - 1e-6 <= offset <= known.high + 1e-6


def test_calls_narrow_the_bounds() -> None:
    known = intersect([TimedCall(10.0, 12.0, 13.0), TimedCall(20.0, 21.0, 22.8)])
    assert known is not None
    assert (known.low, known.high) == (pytest.approx(1.8), pytest.approx(2.8))
    assert known.correction == pytest.approx(2.3)
    assert known.spread == pytest.approx(1.0)


def test_nothing_is_corrected_while_zero_is_possible() -> None:
    known = intersect([TimedCall(10.0, 12.0, 11.9)])
    assert known is not None
    assert known.correction == 0.0


def test_a_clock_that_was_set_is_noticed_and_not_corrected() -> None:
    known = intersect([TimedCall(10.0, 11.0, 10.5), TimedCall(20.0, 21.0, 50.5)])
    assert known is not None
    assert (known.consistent, known.correction) == (False, 0.0)


def test_no_call_no_offset() -> None:
    assert intersect([]) is None


@pytest.mark.parametrize("offset", [-30, 0, 29.9])
def test_a_clock_that_is_good_enough(offset: float) -> None:
    assert wrong(TimedCall(1000, 1000, 1000 + offset)) is None


@pytest.mark.parametrize(("offset", "told"), [(31, "31 s ahead of"), (-90, "90 s behind")])
def test_a_clock_that_is_wrong(offset: float, told: str) -> None:
    found = wrong(TimedCall(1000, 1000, 1000 + offset))
    assert found is not None
    assert f"its clock is {told} the controller's" in found


@pytest.mark.parametrize(("read", "told"), [(86, None), (200 + 31, "31 s ahead of"), (-90, "90 s behind")])
def test_a_host_that_is_slow_to_answer_has_no_wrong_clock(read: float, told: str | None) -> None:
    """The clock was read at any time from the call's start to its end, 200 s later."""
    found = wrong(TimedCall(1000, 1200, 1000 + read))
    assert (found is None) if told is None else (found is not None and told in found)
