# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of a study: its parts, nothing of others unescaped, and how it looks in a browser."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.study import charts, study_page

from ..results.chromium import Tab, browsing, program
from .made_up import answered
from .test_answers import LOAD, ab, queue

STUDY: dict[str, Any] = {**LOAD, "variables": {"measure_duration": 20}}
WIDTHS = (390, 1280)


def fails_once(levels: Mapping[str, Any], turn: int) -> Any:
    return None if turn == 4 else queue(levels, turn, noise=0.03)


def test_every_part_is_there_and_asks_nothing_of_the_network() -> None:
    page = study_page.html(answered(STUDY, fails_once))
    for part in ("outcome", "combinations", "effects", "curve", "pareto", "heat", "runs"):
        assert f'href="#{part}"' in page and f'id="{part}"' in page
    assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//|style=", page)
    assert "default-src 'none'; style-src " in page
    assert 'href="ovms-0/report.html"' in page
    assert "there is no &lt;image&gt;" in page and "<image>" not in page


def test_what_is_not_asked_is_left_out() -> None:
    page = study_page.html(answered({"factors": {"image": ["old", "slow"]}}, ab))
    assert not re.search(r'id="(?:curve|pareto|heat)"', page)
    empty = study_page.html(answered(STUDY, lambda levels, turn: None))
    assert not re.search(r'id="(?:curve|pareto|heat|effects)"', empty)


def test_a_point_is_in_its_chart_and_the_knee_has_a_ring() -> None:
    chart = charts.curve_chart(answered(STUDY, queue))
    assert chart is not None
    assert sum(mark.hold for mark in chart.marks) == 2
    assert {mark.state for mark in chart.marks} == {"passed", "failed"}
    places = [float(place.rstrip("%")) for mark in chart.marks for place in (mark.x, mark.y)]
    assert min(places) >= 0.0 and max(places) <= 100.0


def test_a_strip_goes_through_zero() -> None:
    one, none, other = charts.strips([(0.5, (0.4, 0.6)), None, (-0.2, None)], zero=0.0)
    assert none is None and one is not None and other is not None
    assert (other.low, other.middle, other.zero, one.high) == (0, 0, 250, 1000)
    assert charts.strips([None]) == [None]
    (flat,) = charts.strips([(3.0, None)])
    assert flat is not None and flat.low == flat.high


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browsing(tmp_path_factory.mktemp("chromium")) as one:
        yield one


@pytest.mark.skipif(program() is None, reason="no chromium: make setup-dev installs Debian's, as root")
@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_screen_and_the_console_is_quiet(tab: Tab, tmp_path: Path, width: int) -> None:
    file = tmp_path / "study.html"
    file.write_text(study_page.html(answered(STUDY, fails_once)), encoding="utf-8")
    tab.complaints.clear()
    tab.open(file, width)
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate("document.querySelectorAll('.place').length") == 20
    assert tab.evaluate("document.querySelectorAll('.heat rect').length") == 10
    assert tab.complaints == []
