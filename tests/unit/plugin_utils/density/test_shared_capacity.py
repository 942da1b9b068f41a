# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The search on a noisy machine, against upstream's climb: the bounds that ``make bench`` holds over more runs."""

from __future__ import annotations

from random import Random

import pytest

from . import shared_capacity


@pytest.mark.parametrize(("truth", "most_time"), [(4, 0.6), (16, 0.33), (64, 0.15), (256, 0.05)])
def test_the_search_is_right_and_faster_than_the_climb(truth: int, most_time: float) -> None:
    found = shared_capacity.compared(truth, runs=40, climbs=4)
    assert found.right >= 0.95
    assert found.over == 0.0
    assert found.time_vs_linear <= most_time


def test_the_model_does_what_it_says() -> None:
    machine = shared_capacity.Machine(10.0, Random(5))
    machine.go(10, 5)
    rates = [machine.second() for _dummy in range(3000)]
    assert rates[0] < 0.85 * shared_capacity.LIMIT
    steady = [rate for rate in rates[30:] if rate > 0.93 * shared_capacity.LIMIT]
    assert sum(steady) / len(steady) == pytest.approx(shared_capacity.LIMIT, rel=0.01)
    dipped = 1.0 - len(steady) / len(rates[30:])
    assert dipped == pytest.approx(shared_capacity.DIP_SECONDS / shared_capacity.DIP_EVERY, abs=0.01)
    machine.go(1, 5)
    assert max(machine.second() for _dummy in range(60)) == pytest.approx(shared_capacity.SOURCE)
