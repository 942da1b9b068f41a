# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from random import Random

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.density import sequential_test
from ansible_collections.retail.profiles.plugins.plugin_utils.density.sequential_test import Noise

QUIET = Noise(0.01, 1.0)
margins = st.floats(-0.9, 5.0, allow_nan=False)


def decided(values: list[float], told_apart: float = 0.01, odd: bool = False) -> tuple[str, int]:
    """The decision, and after how many windows."""
    for count in range(1, len(values) + 1):
        said = sequential_test.decide(values[:count], QUIET, told_apart, odd)
        if said != "go on":
            return said, count
    return "go on", len(values)


@pytest.mark.parametrize(
    ("margin", "said"),
    [(3.0, ("pass", 1)), (0.05, ("pass", 2)), (-0.05, ("fail", 3)), (-0.2, ("fail", 2)), (-0.9, ("fail", 2))],
)
def test_what_is_clear_is_decided_at_once(margin: float, said: tuple[str, int]) -> None:
    assert decided([margin] * 15) == said


def test_doubt_ends_with_the_last_window_and_is_marginal() -> None:
    assert decided([0.0005, -0.0005] * 7 + [0.0005]) == ("pass", sequential_test.MOST)
    assert decided([-0.0005] * 15) == ("fail", sequential_test.MOST)
    assert sequential_test.is_marginal([-0.0005] * 15, QUIET, 0.01)
    assert not sequential_test.is_marginal([0.05] * 15, QUIET, 0.01)
    assert not sequential_test.is_marginal([0.0005] * 3, QUIET, 0.01)


def test_what_is_odd_is_watched_for_longer() -> None:
    assert decided([-0.05] * 15, odd=True) == ("fail", sequential_test.LEAST_WHEN_ODD)


def test_few_streams_need_no_fine_difference() -> None:
    assert [sequential_test.delta(streams) for streams in (1, 4, 16, 64, 1000)] == [0.02, 0.02, 0.015625, 0.01, 0.01]


def test_a_dip_is_left_out_and_a_slow_machine_is_not() -> None:
    assert sequential_test.undisturbed([0.01, -0.11, 0.02, 0.01]) == [0.01, 0.02, 0.01]
    slow = [-0.11, -0.12, 0.01, -0.1]
    assert sequential_test.undisturbed(slow) == slow
    assert sequential_test.undisturbed([0.01, -0.11]) == [0.01, -0.11]


def test_a_hold_is_as_long_as_asked_and_longer_in_doubt() -> None:
    def held(values: list[float], odd: bool = False) -> str:
        return sequential_test.decide_hold(values, QUIET, 0.01, 6, odd)

    assert held([0.1] * 5) == "go on"
    assert held([0.001] * 6) == "pass"
    assert held([-0.001] * 6) == "go on"
    assert held([-0.05] * 6) == "fail"
    assert held([-0.05] * 6, odd=True) == "go on"
    assert held([-0.001] * 15) == "fail"


def test_the_risk_is_what_it_is_meant_to_be() -> None:
    """Independent windows at +-1 %: at most about 2 % are decided wrongly, plus what the longest step cuts off."""
    random = Random(1)
    wrong = 0
    for _dummy in range(2000):
        values = [random.gauss(-0.01, 0.01) for _dummy in range(sequential_test.MOST)]
        wrong += decided(values)[0] == "pass"
    assert wrong / 2000 < 0.03


def test_noise_is_measured_from_all_steps() -> None:
    generator = numpy.random.default_rng(2)
    steps = [(0.3 * step + generator.normal(0.0, 0.03, 15)).tolist() for step in range(40)]
    found = sequential_test.noise(steps)
    assert found.deviation == pytest.approx(0.03, rel=0.1)
    assert found.inflation == pytest.approx(1.0, abs=0.15)


def test_windows_that_resemble_each_other_count_for_less() -> None:
    generator = numpy.random.default_rng(3)
    steps = []
    for _dummy in range(60):
        value, step = 0.0, []
        for shock in generator.normal(0.0, 0.02, 15):
            value = 0.5 * value + shock
            step.append(value)
        steps.append(step)
    assert sequential_test.noise(steps).inflation == pytest.approx(3.0, rel=0.35)


def test_few_windows_say_little_of_the_noise() -> None:
    assert sequential_test.noise([]).deviation == pytest.approx(sequential_test.PRIOR_DEVIATION)
    assert sequential_test.noise([[0.1, 0.1]]).deviation > 0.8 * sequential_test.PRIOR_DEVIATION


def test_a_step_is_steady_when_its_throughput_has_stopped_to_grow() -> None:
    assert sequential_test.steady_from([60.0, 95.0, 100.0], QUIET) is None
    assert sequential_test.steady_from([60.0, 95.0, 100.0, 101.0], QUIET) == 3
    assert sequential_test.steady_from([100.0, 90.0, 80.0], QUIET) == 2
    assert sequential_test.steady_from([], QUIET) is None


@given(values=st.lists(margins, min_size=sequential_test.MOST, max_size=40), odd=st.booleans())
def test_it_always_comes_to_a_decision(values: list[float], odd: bool) -> None:
    known = sequential_test.noise([values])
    assert sequential_test.decide(values, known, 0.01, odd) != "go on"
    assert sequential_test.decide_hold(values, known, 0.01, 6, odd) != "go on"
