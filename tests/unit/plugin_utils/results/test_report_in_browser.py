# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report in a browser: drawn, zoomed, opened, switched and printed, with no complaint on its console."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.results import page

from ..synthetic import Play
from . import large_run
from .chromium import Tab, browsing, program

pytestmark = pytest.mark.skipif(program() is None, reason="no chromium: make setup-dev installs Debian's, as root")

PAGE_OF_200_SERIES = 5_000_000
WIDTHS = (390, 1280, 1920)
CLIENTS = [f"ovms-client-{number}" for number in range(1, 5)]


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browsing(tmp_path_factory.mktemp("chromium")) as one:
        yield one


@pytest.fixture
def opened(tab: Tab, ready_run: Play) -> Callable[[int], Tab]:
    """The report of a run on a screen of a width."""

    def at(width: int) -> Tab:
        tab.complaints.clear()
        tab.open(ready_run.path / "report.html", width)
        return tab

    return at


def drawn(tab: Tab, metric: str) -> list[str]:
    """The names of the lines that are seen on the first chart of a metric, those of a band among them."""
    found: list[str] = tab.evaluate(
        f"""[...document.querySelector('[data-metric="{metric}"]').querySelectorAll('path[data-name], .band')]
            .filter(path => path.getClientRects().length).map(path => path.dataset.name)"""
    )
    return found


def shown_times(tab: Tab) -> list[list[int]]:
    """The different ranges of time that charts near the screen show, in their units."""
    found = tab.evaluate(
        """[...new Set([...document.querySelectorAll('.chart')]
            .filter(chart => chart.querySelector('.labels span'))
            .map(chart => chart.querySelector('.lines').getAttribute('viewBox').split(' '))
            .map(box => box[0] + ' ' + box[2]))]"""
    )
    return [[int(number) for number in text.split()] for text in found]


def click(tab: Tab, selector: str) -> None:
    tab.evaluate(f"document.querySelector({selector!r}).click()")
    tab.settle()


@pytest.mark.parametrize("width", WIDTHS)
def test_every_series_is_drawn_and_nothing_is_wider_than_the_screen(opened: Callable[[int], Tab], width: int) -> None:
    tab = opened(width)
    assert drawn(tab, "fps") == ["client"]
    assert sorted(drawn(tab, "cpu_cores")) == ["client1", "client2", "client3", "server"]
    assert tab.evaluate("document.querySelectorAll('.chart').length") > 15
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    narrow = tab.evaluate("Math.min(...[...document.querySelectorAll('.plot')].map(plot => plot.clientWidth || 999))")
    assert narrow >= 250
    # Each chart in view has its axes, and the windows are named.
    tab.evaluate("document.querySelector('.chart').scrollIntoView()")
    tab.settle()
    labels = tab.evaluate("[...document.querySelectorAll('.chart .labels')][0].innerText")
    assert re.search(r"\d\d:\d\d:\d\d", labels)
    assert {"warm-up", "measure"} <= set(labels.split("\n"))
    assert tab.complaints == []


def test_a_band_opens_into_its_replicas_and_closes_again(opened: Callable[[int], Tab]) -> None:
    tab = opened(1280)
    tab.evaluate("document.querySelector('[data-metric=fps] .open').focus()")
    tab.press("Enter")
    tab.settle()
    assert drawn(tab, "fps") == CLIENTS
    assert tab.evaluate("document.querySelector('[data-metric=fps] .open').ariaExpanded") == "true"
    tab.press("Space")
    tab.settle()
    assert drawn(tab, "fps") == ["client"]
    assert tab.complaints == []


def test_a_name_is_switched_off_in_all_charts_of_its_part(opened: Callable[[int], Tab]) -> None:
    tab = opened(1280)
    button = "section[aria-labelledby=hosts] .legend [data-name=client2]"
    click(tab, button)
    assert sorted(drawn(tab, "cpu_cores")) == ["client1", "client3", "server"]
    assert sorted(drawn(tab, "memory_used_bytes")) == ["client1", "client3", "server"]
    assert tab.evaluate(f"document.querySelector('{button}').ariaPressed") == "false"
    click(tab, "[data-show]")
    assert len(drawn(tab, "cpu_cores")) == 4
    tab.evaluate(
        f"document.querySelector('{button}').dispatchEvent(new MouseEvent('click', {{bubbles: true, detail: 2}}))"
    )
    assert drawn(tab, "cpu_cores") == ["client2"]
    click(tab, "[data-show]")
    tab.evaluate(f"document.querySelector('{button}').focus()")
    tab.press("Enter", shift=True)
    tab.settle()
    assert drawn(tab, "cpu_cores") == ["client2"]
    assert tab.complaints == []


def test_all_charts_are_zoomed_together(opened: Callable[[int], Tab]) -> None:
    tab = opened(1280)
    (whole,) = shown_times(tab)
    click(tab, "[data-range=measure]")
    windows = tab.evaluate("JSON.parse(document.getElementById('time').textContent).windows")
    measured = next(window for window in windows if window["phase"] == "measure")
    assert shown_times(tab) == [[measured["from"], measured["to"] - measured["from"]]]
    assert tab.evaluate("document.querySelector('[data-range=measure]').ariaPressed") == "true"
    # By mouse: the middle half of what is seen.
    tab.evaluate("document.querySelector('.cursor').scrollIntoView({block: 'center'})")
    tab.settle()
    box = tab.evaluate(
        "(box => [box.left, box.top, box.width])(document.querySelector('.cursor').getBoundingClientRect())"
    )
    tab.drag((box[0] + box[2] * 0.25, box[1] + 20), (box[0] + box[2] * 0.75, box[1] + 20))
    tab.settle()
    ((begin, length),) = shown_times(tab)
    assert length == pytest.approx((measured["to"] - measured["from"]) / 2, rel=0.05)
    assert begin == pytest.approx(measured["from"] + length / 2, rel=0.05)
    # By keyboard: in, and out to the whole run.
    tab.evaluate("document.querySelector('.cursor').focus()")
    tab.press("+")
    tab.settle()
    assert shown_times(tab)[0][1] == pytest.approx(length / 2, rel=0.05)
    tab.press("Escape")
    tab.settle()
    assert shown_times(tab) == [whole]
    assert tab.complaints == []


def test_a_chart_is_read_with_the_keyboard(opened: Callable[[int], Tab]) -> None:
    tab = opened(1280)
    tab.evaluate("document.querySelector('[data-metric=fps] .cursor').focus()")
    for _dummy in range(80):
        tab.press("ArrowRight")
    told = tab.evaluate("document.activeElement.getAttribute('aria-valuetext')")
    found = re.fullmatch(r"(\d\d:\d\d:\d\d) UTC · fps; client: median ([\d.]+), ([\d.]+) to ([\d.]+)", told)
    assert found is not None, told
    middle, low, high = (float(number) for number in found.groups()[1:])
    assert 26.0 < low <= middle <= high < 34.0
    assert tab.evaluate("document.getElementById('readout').innerText").split("\n")[0] == told.split("; ")[0]
    assert tab.complaints == []


def test_the_first_tab_stop_leads_to_the_content(opened: Callable[[int], Tab]) -> None:
    tab = opened(1280)
    tab.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    assert tab.evaluate("document.activeElement.getBoundingClientRect().left >= 0")


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_texts_and_lines_stand_out_from_what_is_behind_them() -> None:
    style = (page.FOLDER / "style.css").read_text(encoding="utf-8")
    texts = re.findall(r"--(?:ink|soft|link|ok|degraded|missed|failed|aborted): (#\w{6})", style)
    lines = re.findall(r"\.c\d \{ color: (#\w{6})", style)
    assert (len(texts), len(lines)) == (8, 8)
    for colours, behind, least in ((texts, "#f5f7f9", 4.5), (lines, "#f4e3c3", 3.0)):
        for colour in colours:
            assert (luminance(behind) + 0.05) / (luminance(colour) + 0.05) >= least, colour


@pytest.mark.parametrize("width", [390, 1920])
def test_paper_holds_the_same_whatever_screen_it_was_printed_from(
    opened: Callable[[int], Tab], tmp_path: Path, width: int
) -> None:
    tab = opened(width)
    # What the page looks like on A4 paper between margins of 12 mm: 186 mm at 96 dots an inch.
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    tab.call("Emulation.setEmulatedMedia", media="print")
    tab.resize(703)
    tab.settle()
    try:
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert tab.evaluate(
            "[...document.querySelectorAll('table, .plot')].filter(e => e.checkVisibility())"
            ".every(e => e.getBoundingClientRect().right <= innerWidth + 1)"
        )
        assert tab.evaluate(
            "[...document.querySelectorAll('.scroll')].filter(e => e.checkVisibility())"
            ".every(e => e.scrollHeight <= e.clientHeight + 1)"
        )
        rows = tab.evaluate("[...document.querySelectorAll('tbody tr')].filter(row => row.checkVisibility()).length")
        assert rows == tab.evaluate("document.querySelectorAll('tbody tr').length")
        assert tab.evaluate(
            "[...document.querySelectorAll('.chart')].filter(e => e.checkVisibility())"
            ".every(e => e.querySelector('.labels .moment'))"
        )
    finally:
        tab.call("Emulation.setEmulatedMedia", media="")
        tab.evaluate("dispatchEvent(new Event('afterprint'))")
    tab.print_to(tmp_path / "report.pdf")
    assert pages(tmp_path / "report.pdf") >= 3
    assert tab.complaints == []


def pages(pdf: Path) -> int:
    """The pages of a PDF file, plain or in compressed object streams."""
    data = pdf.read_bytes()
    inside = [data]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        inside.append(zlib.decompressobj().decompress(stream) if stream[:1] == b"\x78" else b"")
    return sum(len(re.findall(rb"/Type\s*/Page\b", part)) for part in inside)


def test_200_series_of_600_seconds_stay_small_and_open_at_once(tmp_path: Path) -> None:
    page = tmp_path / "large.html"
    page.write_text(large_run.report(100, 600), encoding="utf-8")
    assert page.stat().st_size < PAGE_OF_200_SERIES
    with browsing(tmp_path / "user") as tab:
        tab.call("Performance.enable", timeDomain="threadTicks")
        tab.open(page)
        assert tab.evaluate("document.querySelectorAll('.singles > path').length") == 200
        assert drawn(tab, "fps") == ["client"]
        click(tab, "[data-metric=fps] .open")
        assert len(drawn(tab, "fps")) == 100
        click(tab, "[data-range=all]")
        spent = {entry["name"]: entry["value"] for entry in tab.call("Performance.getMetrics")["metrics"]}
        # Of the processor's time, whatever else the machine does: opened, drawn, unfolded and drawn again.
        assert 0.0 < spent["TaskDuration"] < 2.0
        assert 0.0 < spent["ScriptDuration"] < 0.5
        assert tab.complaints == []
