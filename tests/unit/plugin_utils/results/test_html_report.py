# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: what stands in it, that it loads nothing, and that a browser draws it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import html_report
from ansible_collections.retail.profiles.plugins.plugin_utils.results.charts import MOST_POINTS, broken, thinned

from ..synthetic import GPUS, STAND_IN, Fleet, Play, make_plan

PlayOf = Callable[..., Play]
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self._inside: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in ("script", "style"):
            self._inside = tag
            self.scripts += [""] if tag == "script" else []

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside is None:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def page_of(play: Play) -> Page:
    return Page((play.path / "report.html").read_text())


def data_of(page: Page) -> Any:
    return json.loads(page.scripts[1])


def test_the_head_says_what_counts(ready_run: Play) -> None:
    page, record = page_of(ready_run), ready_run.record()
    words = page.words
    for text in (
        "ok",
        ready_run.run_id,
        "Made with stand-ins.",
        STAND_IN,
        "What ran where",
        "ovms-ovms-server-1",
        "9000 (grpc), 8000 (rest)",
        "Intel(R) Xeon(R) Processor",
        "not known: no cpufreq on this machine",
        f"{record['totals']['fps']['mean']:.1f}",
        "the kernel counts no block I/O",
    ):
        assert text in words
    assert words.index("What ran where") < words.index("Containers over time")
    assert words.index("Hosts' systems") < words.index("Containers over time")


def test_every_host_and_container_has_its_series(ready_run: Play) -> None:
    sections = {section["title"]: section["charts"] for section in data_of(page_of(ready_run))["sections"]}
    cpu = {
        title: next(chart for chart in sections[title] if chart["metric"] == "cpu_cores")
        for title in ("Containers", "Hosts")
    }
    assert {trace["name"] for trace in cpu["Containers"]["traces"]} == set(ready_run.plan["replicas"])
    assert {trace["name"] for trace in cpu["Hosts"]["traces"]} == set(ready_run.plan["hosts"])
    assert {"Frames per second", "Latency, median", "Latency, 99th percentile", "Errors", "Requests served"} <= {
        chart["title"] for chart in sections["Containers"]
    }
    power = next(chart for chart in sections["Devices"] if chart["metric"] == "package_power_watts")
    assert power["unit"] == "W"
    packages = {f"{host} package-0" for host in ready_run.plan["hosts"]} | {"server package-1"}
    assert {trace["name"] for trace in power["traces"]} == packages
    render = {
        chart["title"]: [trace["name"] for trace in chart["traces"]]
        for chart in sections["Devices"]
        if chart["metric"] == "gpu_render_busy_percent"
    }
    assert render == {
        "GPU render busy": [f"server {gpu}" for gpu in GPUS],
        "GPU render busy, of containers": [f"ovms-ovms-server-1 {GPUS[0]}"],
    }
    for charts in sections.values():
        for chart in charts:
            for trace in chart["traces"]:
                assert len(trace["x"]) == len(trace["y"]) > 30
    assert [window["phase"] for window in data_of(page_of(ready_run))["windows"]] == ["warmup", "measure"]


def test_the_page_loads_nothing(ready_run: Play) -> None:
    html = (ready_run.path / "report.html").read_text()
    page = Page(html)
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not attributes.get("src")
        assert not (attributes.get("href") or "#").startswith(("http", "//", "javascript"))
    policy = next(a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "connect-src" not in policy
    # Plotly's own button that sends the data of a chart to a server is off.
    assert "showSendToCloud: false" in page.scripts[2]
    assert "@import" not in html.split("<script>")[0]


class Evil(Fleet):
    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = super().replica(name, replica, t, second)
        found.append({"t": t, "type": "absent", "subject": name, "metric": EVIL, "reason": EVIL})
        found.append({"t": t, "type": "log", "replica": name, "stream": "stdout", "line": EVIL})
        return found


def test_text_from_containers_is_text(play_of: PlayOf) -> None:
    plan = make_plan(hosts=3, clients=2)
    plan["stand_ins"] = [EVIL]
    plan["warnings"] = [EVIL]
    plan["snapshot"]["server"]["system"][EVIL] = {EVIL: EVIL}
    plan["replicas"]["ovms-client-1"]["image"] = EVIL
    unit = {"log": "fps", "kind": "gauge", "unit": EVIL, "required": True}
    plan["replicas"]["ovms-client-1"]["metrics"] = {**plan["replicas"]["ovms-client-1"]["metrics"], EVIL: unit}
    play = play_of(Evil, plan)
    play.begin()
    play.apply(failing={"ovms-client-2": EVIL})
    play.start()
    play.measure(WindowSettings(15.0, 10.0))
    play.verdict()
    page = page_of(play)
    assert [tag for tag, _dummy in page.tags if tag in ("script", "img")] == ["script"] * 3
    assert page.words.count("<script>alert(1)</script>") >= 8
    assert any(chart["title"] == EVIL for chart in data_of(page)["sections"][0]["charts"])


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6))
def test_embedded_data_cannot_leave_its_element(data: object) -> None:
    text = html_report.embedded(data)
    assert not re.search(r"[<>&\u2028\u2029]", text)
    assert json.loads(text) == data


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


@pytest.mark.parametrize("verdict", ["failed", "aborted"])
def test_a_run_without_samples_has_a_report(play_of: PlayOf, verdict: str) -> None:
    play = play_of()
    play.begin()
    if verdict == "failed":
        play.verdict()
    play.recorder.close()
    page = page_of(play)
    assert verdict in page.words
    assert data_of(page)["sections"][0]["charts"] == []
    assert play.record()["reasons"][0] in page.words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (True, "yes"),
        ({"absent": "why"}, "not known: why"),
        ({"a": 1, "b": [1, 2]}, "a: 1, b: 1, 2"),
        ([], "–"),
        (3, "3"),
    ],
)
def test_system_values_as_text(value: object, text: str) -> None:
    assert html_report.plain(value) == text


PROBE = """
<script>
const wait = async () => {
  await new Promise(done => setTimeout(done, 700));
  while (moving) await new Promise(done => setTimeout(done, 50));
};
const first = charts.filter(c => c.section === 0);
const visible = () => first.map(c => c.div.data.filter(t => t.visible !== "legendonly").map(t => t.name));
const press = (div, times) => {
  const toggle = div.querySelector(".legendtoggle");
  for (let i = 0; i < times; i++)
    for (const kind of ["mousedown", "mouseup"]) toggle.dispatchEvent(new MouseEvent(kind, {bubbles: true}));
};
const ranges = () => [...new Set(charts.map(c => c.div._fullLayout.xaxis.range.map(String).join(" to ")))];
(async () => {
  const said = {drawn: charts.filter(c => c.div.querySelector(".cartesianlayer .trace path")).length};
  await wait();
  said.begin = ranges();
  press(first[0].div, 1);
  await wait();
  said.off = visible();
  document.querySelector("[data-show]").click();
  await wait();
  said.all = visible();
  await Plotly.relayout(first[0].div, {"xaxis.range[0]": data.windows[1].start, "xaxis.range[1]": data.windows[1].end});
  await wait();
  said.zoomed = ranges();
  document.querySelector("[data-range=all]").click();
  await wait();
  said.again = ranges();
  document.title = JSON.stringify(said);
})().catch(error => { document.title = String(error); });
</script>
"""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_in_a_browser_charts_are_drawn_zoomed_and_switched(ready_run: Play, tmp_path: Path) -> None:
    html = (ready_run.path / "report.html").read_text()
    page = tmp_path / "report.html"
    page.write_text(html.replace("</body>", f"{PROBE}</body>"))
    command = [
        "chromium",
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        f"--user-data-dir={tmp_path / 'user'}",
        "--window-size=1400,2000",
        "--virtual-time-budget=60000",
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title is not None
    said = json.loads(unescape(title[1]))
    charts = [chart for section in data_of(page_of(ready_run))["sections"] for chart in section["charts"]]
    assert said["drawn"] == len(charts) > 15
    containers = data_of(page_of(ready_run))["sections"][0]["charts"]
    everything = [[trace["name"] for trace in chart["traces"]] for chart in containers]
    assert said["all"] == everything
    # The first name of the first chart is off in every chart, the others are on.
    assert said["off"] == [[name for name in names if name != everything[0][0]] for names in everything]
    # All charts are zoomed together, and back to where they were.
    assert len(said["begin"]) == len(said["zoomed"]) == 1
    assert said["zoomed"] != said["begin"] == said["again"]
