# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.clock_offset import TimedCall, intersect

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
