# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Series become traces and bands, and these become paths from which the values can be read back."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import ddsketch
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric import Chart
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.statistics import samples_needed
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.time_series import Point, Series, Span
from ansible_collections.retail.profiles.plugins.plugin_utils.results import chart_drawing
from ansible_collections.retail.profiles.plugins.plugin_utils.results.chart_drawing import HEIGHT, UNITS_A_SECOND, Scale
from ansible_collections.retail.profiles.plugins.plugin_utils.results.charts import (
    BAND_CELLS,
    MOST_POINTS,
    Group,
    Points,
    TimeChart,
    Trace,
    band,
    broken,
    pooled,
    thinned,
    values_of,
)

TIME = Span(1000.0, 1600.0)


def test_long_series_are_thinned_and_keep_their_peaks() -> None:
    told = [(float(t), 1.0) for t in range(100_000)]
    told[54_321] = (54_321.0, 99.0)
    told[12_345] = (12_345.0, -5.0)
    kept = thinned(told)
    assert len(kept) <= MOST_POINTS * 1.1
    assert {(54_321.0, 99.0), (12_345.0, -5.0)} <= set(kept)
    assert kept == sorted(kept)


def test_a_line_is_broken_where_data_is_missing() -> None:
    told = [(float(t), 1.0) for t in (0, 1, 2, 3, 20, 21)]
    assert broken(told)[4] == (11.5, None)
    assert len(broken(told)) == 7


@pytest.mark.parametrize("quantile", [0.5, 0.99])
def test_a_percentile_over_time_is_of_as_many_values_as_carry_it(quantile: float) -> None:
    sketches = [(float(t), ddsketch.of_values([0.02] * 30)) for t in range(1, 101)]
    told = pooled(sketches, quantile)
    lines = -(-samples_needed(quantile) // 30)
    assert [t for t, _value in told] == [float(t) for t in range(lines, 101, lines)]
    assert all(value == pytest.approx(0.02, rel=0.01) for _t, value in told)
    # What is left over is too small to say anything.
    assert pooled(sketches[: lines - 1], quantile) == []


def test_a_percentile_is_not_of_values_from_before_and_after_a_gap() -> None:
    sketches = [(float(t), ddsketch.of_values([0.02] * 30)) for t in (*range(1, 21), *range(120, 140))]
    assert pooled(sketches, 0.99) == []


def test_a_percentile_is_not_of_values_from_before_and_after_the_edge_of_a_window() -> None:
    sketches = [(float(t), ddsketch.of_values([0.9 if t <= 30 else 0.02] * 30)) for t in range(1, 101)]
    told = pooled(sketches, 0.99, edges=[30.0])
    assert [t for t, _value in told] == [23.0, 53.0, 76.0, 99.0]
    assert [value for _t, value in told] == pytest.approx([0.9, 0.02, 0.02, 0.02], rel=0.01)


def test_a_band_has_the_lowest_the_median_and_the_highest() -> None:
    levels = (10.0, 20.0, 30.0, 40.0, 90.0)
    told = [[(t + level / 1000.0, level) for t in range(100)] for level in levels]
    found = band(told)
    assert {value for _t, value in found.low} == {10.0}
    assert {value for _t, value in found.median} == {30.0}
    assert {value for _t, value in found.high} == {90.0}
    assert len(found.low) == 50


def test_a_band_keeps_a_peak_and_a_break_and_stays_small() -> None:
    told = [[(float(t), 1.0) for t in (*range(3000), *range(3500, 6000))] for _dummy in range(4)]
    told[2][777] = (777.0, 50.0)
    found = band(told)
    assert max(value for _t, value in found.high if value is not None) == 50.0
    assert sum(value is None for _t, value in found.low) == 1
    assert len(found.low) <= BAND_CELLS + 2


def read_back(path: str, scale: Scale) -> Points:
    """The points of a path, as the page's script reads them."""
    found: Points = []
    for part in path.split("M")[1:]:
        numbers = [int(number) for number in re.findall(r"-?\d+", part)]
        x, y = numbers[:2]
        points = [(x, y)]
        for i in range(2, len(numbers), 2):
            x, y = x + numbers[i], y + numbers[i + 1]
            points.append((x, y))
        found += [] if not found else [(0.0, None)]
        found += [
            (scale.time.start + x / UNITS_A_SECOND, scale.high - y / HEIGHT * (scale.high - scale.low))
            for x, y in points
        ]
    return found


@given(st.lists(st.floats(-50.0, 1000.0), min_size=3, max_size=40))
def test_a_path_says_the_values_it_was_made_from(values: list[float]) -> None:
    points: Points = [(TIME.start + t, value) for t, value in enumerate(values)]
    scale = Scale(TIME, -50.0, 1000.0)
    told = read_back(chart_drawing.line(points, scale), scale)
    assert [t for t, _value in told] == pytest.approx([t for t, _value in points], abs=0.5 / UNITS_A_SECOND)
    assert [value for _t, value in told] == pytest.approx(values, abs=1050.0 / HEIGHT)


def test_a_value_without_a_place_on_an_axis_costs_nothing_but_itself() -> None:
    values = [1.0, 1.7e308, -1.7e308, float("inf"), float("nan"), 2.0]
    points = tuple(Point(TIME.start + t, TIME.start + t, value) for t, value in enumerate(values))
    series = Series("fps", "fps", "gauge", points=points)
    told = values_of(series, Chart("Frames per second", "fps", 1e3))
    assert told == [(1000.0, 1000.0), (1005.0, 2000.0)]


def test_breaks_and_lone_points_are_kept() -> None:
    points: Points = [(1000.0, 1.0), (1001.0, 2.0), (1010.0, None), (1020.0, 3.0)]
    scale = Scale(TIME, 0.0, 4.0)
    assert chart_drawing.line(points, scale) == "M0 7500l10-2500M200 2500l0 0"
    # Two points are no line: each is a dot.
    assert chart_drawing.line(points[:2], scale) == "M0 7500l0 0M10 5000l0 0"


def chart_of(*levels: float) -> TimeChart:
    traces = tuple(
        Trace(f"client-{number}", [(TIME.start + t, level) for t in range(60)])
        for number, level in enumerate(levels, start=1)
    )
    folded = band([[(t, value or 0.0) for t, value in trace.points] for trace in traces]) if len(levels) > 2 else None
    return TimeChart("Frames per second", "fps", "fps", (Group("client", traces, folded),))


def test_a_chart_is_said_in_words_with_its_figures() -> None:
    window = [Span(1010.0, 1030.0)]
    said = chart_drawing.text(chart_of(10.0, 30.0), window)
    assert said == "Frames per second in fps over time. client-1: mean 10, 10 to 10; client-2: mean 30, 30 to 30"
    assert chart_drawing.text(chart_of(10.0, 20.0, 30.0), window).endswith(
        "client, 3 of them: 10 to 30, the middle one 20"
    )


def test_every_name_has_one_style_and_many_names_differ() -> None:
    chart = chart_of(*(float(level) for level in range(1, 31)))
    numbers = chart_drawing.numbered([chart])
    drawn = chart_drawing.drawn(chart, TIME, [], numbers)
    styles = [drawn.groups[0].style, *(line.style for line in drawn.groups[0].lines)]
    assert len(set(styles)) == len(styles) == 31


def test_a_chart_that_stays_at_zero_is_known_and_has_a_scale() -> None:
    chart = chart_of(0.0, 0.0)
    assert chart.stays_zero
    assert not chart_of(0.0, 1.0).stays_zero
    drawn = chart_drawing.drawn(chart, TIME, [], chart_drawing.numbered([chart]))
    assert drawn.high > drawn.low
