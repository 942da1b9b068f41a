# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the report that tells of a search: its charts, its table, and what a page shows of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import measured_plan
from ansible_collections.retail.profiles.plugins.plugin_utils.density.search_state import Searches, SearchState
from ansible_collections.retail.profiles.plugins.plugin_utils.results import (
    density_chart,
    density_record,
    html_report,
    report_tables,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.results.density_chart import Axis, LogAxis

from ..density.test_search_state import SEARCHES
from ..synthetic import Play, make_plan
from . import searching
from .chromium import Tab, browsing, program
from .test_html_report import EVIL, Page

PLACE = re.compile(r"-?\d+\.\d\d%")


def record(state: SearchState) -> dict[str, Any]:
    """A search as run.json tells of it."""
    plan = measured_plan.of_plan({**make_plan(), "objectives": [searching.FPS, searching.LATENCY]})
    found: dict[str, Any] = density_record.as_dict(Searches(("client",), searches=(state,)), plan)["searches"][0]
    return found


def html_of(play: Play, *states: SearchState, **more: Any) -> str:
    run = searching.run_of(play, searching.searches(*states, **more))
    return html_report.html(searching.record_of(run), run)


def share(place: str) -> float:
    assert PLACE.fullmatch(place), place
    return float(place.rstrip("%"))


def test_there_is_a_chart_for_each_objective_and_one_of_throughput() -> None:
    fps, latency, throughput = density_chart.charts(record(searching.found()))
    assert (fps.title, fps.unit) == ("Mean fps over each replica of client: at least 14.95", "fps")
    assert (latency.unit, throughput.unit) == ("seconds", "streams' worth")
    assert (fps.has_worst, latency.has_worst) == (True, False)
    assert [(mark.state, mark.hold, mark.beyond) for mark in fps.marks if not mark.small] == [
        ("passed", False, "above"),
        ("passed", False, "above"),
        ("passed", False, ""),
        ("passed", True, ""),
        ("failed", False, ""),
    ]
    assert dict(throughput.lines)["carried"] == "throughput at its limit, which carries 12"
    assert throughput.states == ("passed", "failed")


def test_passes_lie_above_a_lower_bound_and_failures_below() -> None:
    fps = density_chart.charts(record(searching.found()))[0]
    (limit,) = (share(link.y1) for link in fps.links if link.style == "limit")
    for mark in fps.marks:
        if not mark.small:
            assert (share(mark.y) < limit) == (mark.state == "passed")
    assert fps.band is not None
    left, width = map(share, fps.band)
    by_text = {mark.text.partition(":")[0]: share(mark.x) for mark in fps.marks}
    assert by_text["12, held for long, hold"] == pytest.approx(left)
    assert by_text["13 do not hold"] == pytest.approx(left + width, abs=0.02)


def test_latencies_that_differ_by_far_are_all_on_a_logarithmic_axis() -> None:
    one = record(searching.found())
    waits = [0.06, 0.09, 0.05, 3.8, 5.9]
    told = [figures for step in one["steps"] for figures in step["figures"] if figures["metric"] == "latency_seconds"]
    for figures, wait in zip(told, waits, strict=True):
        figures.update(limit=0.3, mean=wait, worst=wait, replica="")
    latency = density_chart.charts(one)[1]
    assert latency.unit == "seconds, logarithmic"
    assert [mark.beyond for mark in latency.marks] == [""] * 5
    (limit,) = (share(link.y1) for link in latency.links if link.style == "limit")
    places = sorted(share(mark.y) for mark in latency.marks)
    assert places[1] < limit < places[2] and places[-1] - places[0] > 80.0
    assert [tick.text for tick in latency.y_ticks] == ["0.1", "0.3", "1", "3"]


@given(st.floats(1e-9, 1e9), st.floats(5.0, 1e12))
def test_logarithmic_ticks_are_few_and_within_the_axis(low: float, times: float) -> None:
    axis = LogAxis(low, low * times)
    found = density_chart.log_ticks(axis)
    assert len(found) <= density_chart.TICKS and found == sorted(found)
    assert found and all(axis.low <= value <= axis.high for value in found)


def test_a_chart_says_its_figures_to_who_does_not_see_it() -> None:
    fps, _latency, throughput = density_chart.charts(record(searching.found()))
    assert fps.text.startswith(f"{searching.FPS_WORDS}, over the number of streams. 12 hold, 13 do not. ")
    assert "13 do not hold: 14.26 fps, worst 14.12; 12, held for long, hold: 15.45 fps" in fps.text
    assert "13 do not hold throughput of 12.4" in throughput.text


@given(SEARCHES)
def test_every_mark_is_on_its_chart_whatever_a_search_holds(state: SearchState) -> None:
    one = record(state)
    for chart in density_chart.charts(one):
        for mark in chart.marks:
            assert 0.0 <= share(mark.x) <= 100.0 and 0.0 <= share(mark.y) <= 100.0
        for tick in (*chart.x_ticks, *chart.y_ticks):
            assert -0.01 <= share(tick.at) <= 100.01
        assert len(chart.y_ticks) <= density_chart.TICKS + 1
    assert len(report_tables.search_steps(one).rows) == len(one["steps"])


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e9), st.booleans())
def test_ticks_are_few_and_within_the_axis(low: float, wide: float, whole: bool) -> None:
    axis = Axis(low, low + wide)
    found = density_chart.ticks(axis, whole=whole)
    assert len(found) <= density_chart.TICKS + 1
    assert all(low - 1e-6 * wide <= value <= axis.high + 1e-6 * wide for value in found)
    assert not whole or all(value == int(value) for value in found)


def test_the_steps_stand_in_a_table() -> None:
    table = report_tables.search_steps(record(searching.found()))
    assert table.headings == (
        "streams",
        "decision",
        "why so many",
        "worst stream",
        "mean fps",
        "mean fps, worst",
        "p95 latency_seconds",
        "margin",
        "worst margin",
        "throughput, streams",
        "warm-up, s",
        "seconds",
    )
    *_before, failed, held = table.rows
    assert failed[:5] == (
        "13",
        "✗ fails: margin -4.6% in 2 windows",
        "throughput is at its limit and carries 12",
        "ovms-client-13 on client1",
        "14.26",
    )
    assert held[:2] == ("12, held", "✓ passes: margin +3.3% in 6 windows")
    bare = report_tables.search_steps(record(searching.ended("no data", "why", 0)))
    assert (bare.headings[:2], bare.rows[0][1]) == (("streams", "decision"), "✗ fails: why")


def test_the_answer_follows_the_verdict(ready_run: Play) -> None:
    page = Page(html_of(ready_run))
    words = page.words
    places = [
        words.index(text)
        for text in (
            "Verdict: ok",
            "12 streams hold mean fps >= 14.95 each and p95 latency_seconds <= 0.1 each; 13 do not",
            "A stream is a replica of client.",
            "Throughput of all streams",
            "The steps of the search",
            "What limited the run",
        )
    ]
    assert places == sorted(places)
    assert {"#density"} <= {one.get("href") for one in page.attributes("a")}
    images = [one for one in page.attributes("svg") if one.get("class") == "places"]
    assert len(images) == 3 and all(one["role"] == "img" and one["aria-label"] for one in images)
    assert "density" not in {one.get("id") for _tag, one in Page((ready_run.path / "report.html").read_text()).tags}


def test_by_variable_and_of_each_host_it_says_so(ready_run: Play) -> None:
    nothing = searching.ended("not even one", "why", 0, host="client2")
    words = Page(html_of(ready_run, searching.found(host="client1"), nothing, env="STREAMS")).words
    assert "A stream is one of those that STREAMS asks for in each replica of client." in words
    assert "client1: 12 streams hold" in words and "client2: not even one stream holds" in words
    assert "Stream density of client1: 5 steps" in words and "Stream density of client2: 1 step" in words


def test_what_hosts_and_containers_say_stays_text(ready_run: Play) -> None:
    page = Page(html_of(ready_run, searching.ended("failed", EVIL, 2)))
    assert EVIL in page.words
    assert len(page.scripts) == 2


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    if program() is None:
        pytest.skip("no chromium: make setup-dev installs Debian's, as root")
    with browsing(tmp_path_factory.mktemp("chromium")) as one:
        yield one


@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser_every_mark_is_seen_and_nothing_is_wider_than_the_screen(
    tab: Tab, ready_run: Play, tmp_path: Path, width: int
) -> None:
    file = tmp_path / "report.html"
    file.write_text(html_of(ready_run, searching.found(), searching.found(3.2, host="client2")), encoding="utf-8")
    tab.complaints.clear()
    tab.open(file, width)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    # Each sign is within its figure; a pass and a failure differ in their shape.
    outside = """[...document.querySelectorAll('details[open] .steps')].flatMap(figure => {
        const box = figure.getBoundingClientRect();
        return [...figure.querySelectorAll('.place > .sign')].map(sign => sign.getBoundingClientRect())
            .filter(one => !one.width || one.left < box.left || one.right > box.right || one.top < box.top);
    }).length"""
    assert tab.evaluate(outside) == 0
    shapes = "[...new Set([...document.querySelectorAll('.place > .sign')].map(s => s.tagName + ' ' + s.classList[1]))]"
    assert sorted(tab.evaluate(shapes)) == ["circle passed", "path failed"]
    assert (
        tab.evaluate("Math.min(...[...document.querySelectorAll('.steps .plot')].map(p => p.clientWidth || 999))") > 250
    )
    assert tab.complaints == []
