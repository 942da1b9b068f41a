# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report: what stands in it and in which order, that it loads nothing, and that text stays text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import charts, html_report, run_record, summary

from ..synthetic import GPUS, STAND_IN, Fleet, Play, make_plan
from . import large_run

PlayOf = Callable[..., Play]
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"


@dataclass
class Figure:
    """A chart of the page: the section that it is in, its metric, and the points of each of its lines."""

    section: str
    metric: str
    lines: dict[str, int] = field(default_factory=dict)


class Page(HTMLParser):
    """Tags with their attributes, the text outside of scripts and styles, and the charts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.style = ""
        self.figures: list[Figure] = []
        self._inside: str | None = None
        self._section = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append((tag, known))
        if tag in ("script", "style"):
            self._inside = tag
            self.scripts += [""] if tag == "script" else []
        elif tag == "section":
            self._section = known.get("aria-labelledby") or ""
        elif tag == "figure":
            self.figures.append(Figure(self._section, str(known["data-metric"])))
        elif tag == "path" and known.get("data-name"):
            path = str(known["d"])
            points = len(re.findall(r"-?\d+", path)) // 2 - path.count("l0 0")
            self.figures[-1].lines[str(known["data-name"])] = points

    def handle_endtag(self, tag: str) -> None:
        if tag == self._inside:
            self._inside = None

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts[-1] += data
        elif self._inside == "style":
            self.style += data
        else:
            self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(play: Play) -> Page:
    return Page((play.path / "report.html").read_text(encoding="utf-8"))


def page_with(play: Play, **told: Any) -> Page:
    """The page of a run whose record says something else, too."""
    run = run_record.load(play.plan, play.directory.events(), play.directory.samples())
    return Page(html_report.html({**play.record(), **told}, run))


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


def test_what_people_ask_first_stands_first(ready_run: Play) -> None:
    bottleneck = {
        "conclusion": "limited by: the CPU of the server",
        "confidence": "likely",
        "caveats": ["other load on h1"],
        "evidence": [
            {
                "metric": "cpu_cores",
                "host": "server",
                "replica": "ovms-ovms-server-1",
                "value": 0.95,
                "unit": "cores",
                "limit": 1.0,
                "says": "used 95 % of its CPUs",
            }
        ],
        "others": [{"what": "disk of the server", "confidence": "weak", "evidence": [{"says": "busy for 60 %"}]}],
    }
    objective = {
        "metric": "fps",
        "container": "client",
        "statistic": "mean",
        "over": "all",
        "tolerance": 0.0,
        "at_least": 100.0,
        "state": "met",
        "value": 120.0,
        "unit": "fps",
        "worst": None,
        "margin": 0.2,
        "why": None,
    }
    said = {**bottleneck, "conclusion": "not clear: other load on h1, which may explain the rest"}
    assert "Besides:" not in page_with(ready_run, bottleneck=said).words  # the conclusion says it
    assert "besides:" not in summary.table({**ready_run.record(), "bottleneck": said})
    assert "  besides: other load on h1" in summary.table({**ready_run.record(), "bottleneck": bottleneck})
    page = page_with(ready_run, bottleneck=bottleneck, objectives=[objective], warnings=["a warning of the plan"])
    words = page.words[page.words.index("Verdict:") :]
    parts = (
        "Verdict:",
        "Objectives",
        "✓ met",
        "Limited by: the CPU of the server",
        "used 95 % of its CPUs",
        "disk of the server (weak): busy for 60 %",
        "Means over the measure windows, the worst stream first",
        "Means over the measure windows; what stayed at zero",
        "Where the time of a request goes",
        "Devices Means over the measure windows",
        "What differs between hosts",
        "What ran where",
        "a warning of the plan",
        "What is absent, and why",
    )
    places = [words.index(part) for part in parts]
    assert places == sorted(places)


def test_what_a_record_does_not_say_is_said_to_be_absent(ready_run: Play) -> None:
    record = ready_run.record()
    record.pop("bottleneck", None)
    run = run_record.load(ready_run.plan, ready_run.directory.events(), ready_run.directory.samples())
    assert "The record of this run does not say it." in Page(html_report.html(record, run)).words
    assert "Nothing was measured that could say it." in page_with(ready_run, bottleneck=None).words


def test_every_host_and_container_has_its_series(ready_run: Play) -> None:
    page = page_of(ready_run)
    clients = {name for name in ready_run.plan["replicas"] if "client" in name}
    found = {(figure.section, figure.metric): set(figure.lines) for figure in page.figures}
    assert found["containers", "cpu_cores"] == set(ready_run.plan["replicas"])
    assert found["hosts", "cpu_cores"] == set(ready_run.plan["hosts"])
    assert found["devices", "block_write_bytes_per_second"] == set(ready_run.plan["hosts"])
    packages = {f"{host} package-0" for host in ready_run.plan["hosts"]} | {"server package-1"}
    assert found["devices", "package_power_watts"] == packages
    render = [figure.lines for figure in page.figures if figure.metric == "gpu_render_busy_percent"]
    assert [set(lines) for lines in render] == [
        {f"server {gpu}" for gpu in GPUS},
        {f"ovms-ovms-server-1 {GPUS[0]}"},
    ]
    assert found["streams", "fps"] == found["streams", "errors"] == clients
    assert found["server", "requests_per_second"] == {"ovms-ovms-server-1"}
    # The median and the 99th percentile: each of its points is of 662 frames, of which there are three times as many.
    median, highest = (figure for figure in page.figures if figure.metric == "latency_seconds")
    assert set(median.lines) == set(highest.lines) == clients
    assert all(points <= 3 for points in highest.lines.values())
    for figure in page.figures:
        assert figure is highest or all(points > 30 for points in figure.lines.values()), figure
    windows = json.loads(page.scripts[0])["windows"]
    assert [(window["phase"], window["from"] < window["to"]) for window in windows] == [
        ("warmup", True),
        ("measure", True),
    ]


def test_charts_that_stay_at_zero_are_folded_away(ready_run: Play) -> None:
    words = page_of(ready_run).words
    assert "1 chart that stayed at zero: Errors" in words
    assert "1 chart that stayed at zero: Pressure: waiting for memory" in words


def test_starts_are_told_to_the_second(ready_run: Play) -> None:
    record = ready_run.record()
    for container in record["containers"].values():
        container["started_at"] = "2026-02-02T02:39:40.123456789Z"
    words = page_with(ready_run, containers=record["containers"]).words
    assert "02:39:40" in words
    assert not re.search(r"\d\d:\d\d:\d\d\.\d\d", words)


def test_the_page_is_made_for_keyboards_and_readers(ready_run: Play) -> None:
    page = page_of(ready_run)
    assert page.attributes("html") == [{"lang": "en"}]
    ids = [attributes["id"] for _tag, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for _tag, attributes in page.tags:
        for name in ("aria-labelledby", "aria-controls"):
            assert attributes.get(name) in (None, *ids)
        assert (attributes.get("href") or "#content").removeprefix("#") in ids
    levels = [int(tag[1]) for tag, _attributes in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    assert len(page.attributes("caption")) == len(page.attributes("table")) >= 6
    assert all(attributes.get("scope") for attributes in page.attributes("th"))
    for attributes in page.attributes("div"):
        if attributes.get("role") in ("region", "slider"):
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]
    charts = [attributes for attributes in page.attributes("svg") if attributes.get("class") == "lines"]
    assert len(charts) == len(page.figures) > 15
    for chart in charts:
        assert chart["role"] == "img"
        assert re.search(r"over time\. .*\d", str(chart["aria-label"]))
    for button in page.attributes("button"):
        assert button.get("aria-pressed") or button.get("aria-expanded") or button.get("data-show")


def test_the_page_loads_nothing_and_runs_nothing_else(ready_run: Play) -> None:
    page = page_of(ready_run)
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        assert not attributes.get("src")
        assert not attributes.get("style")
        assert not (attributes.get("href") or "#").startswith(("http", "//", "javascript"))
        assert not [name for name in attributes if name.startswith("on")]
    policy = next(a["content"] for a in page.attributes("meta") if a.get("http-equiv"))
    hashes = [
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (page.scripts[1], page.style)
    ]
    assert policy == f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'"
    assert "@import" not in page.style
    assert "url(" not in page.style


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
    assert [tag for tag, _dummy in page.tags if tag in ("script", "img")] == ["script"] * 2
    assert page.words.count("<script>alert(1)</script>") >= 8
    assert any(figure.metric == EVIL for figure in page.figures)


@given(st.recursive(st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6))
def test_embedded_data_cannot_leave_its_element(data: object) -> None:
    text = html_report.embedded(data)
    assert not re.search(r"[<>&\u2028\u2029]", text)
    assert json.loads(text) == data


@pytest.mark.parametrize("verdict", ["failed", "aborted"])
def test_a_run_without_samples_has_a_report(play_of: PlayOf, verdict: str) -> None:
    play = play_of()
    play.begin()
    if verdict == "failed":
        play.verdict()
    play.recorder.close()
    page = page_of(play)
    assert verdict in page.words
    assert page.figures == []
    assert play.record()["reasons"][0] in page.words


def test_the_more_lines_there_are_the_fewer_points_each_has(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line for figure in Page(large_run.report(20, 600)).figures for line in figure.lines.values()]
    assert (len(lines), min(lines)) == (40, 600)
    monkeypatch.setattr(charts, "PAGE_POINTS", 8_000)
    lines = [line for figure in Page(large_run.report(20, 600)).figures for line in figure.lines.values()]
    assert len(lines) == 40
    assert 7_000 < sum(lines) <= 8_400
