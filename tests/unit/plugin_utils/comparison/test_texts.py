# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A comparison on the terminal, as CSV, as JSON and as a page."""

from __future__ import annotations

import csv
import html
import io
import json
import re

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.comparison import compare, comparison_page, texts
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.compare import Comparison
from ansible_collections.retail.profiles.plugins.plugin_utils.comparison.runs import ComparedRun, read

from ..synthetic import Play
from .simulated import run_with


@pytest.fixture(scope="module")
def found(ready_run: Play) -> Comparison:
    """Two sides of 5 runs with 10 % fewer frames on one of them, and another image."""
    base = read(ready_run.path)
    containers = {name: {**known, "image_id": "sha256:<new>"} for name, known in base.record["containers"].items()}
    other = ComparedRun(base.path, {**base.record, "containers": containers}, base.plan)
    a = [run_with(base, number, {"fps": 100.0 + number}) for number in range(5)]
    b = [run_with(other, 10 + number, {"fps": 90.0 + number}) for number in range(5)]
    return compare.compare(a, b, metrics=["fps", "errors"])


def test_the_terminal_tells_what_differs_first(found: Comparison) -> None:
    lines = texts.table(found).splitlines()
    assert lines[:2] == ["a: ovms-0, ovms-1, ovms-2, ovms-3, ovms-4", "b: ovms-10, ovms-11, ovms-12, ovms-13, ovms-14"]
    assert lines[3] == "What differs between the set-ups (a → b):"
    assert lines[4].startswith("  images  ") and lines[4].endswith(" → sha256:<new>")
    fps = next(line for line in lines if line.startswith("fps "))
    assert re.search(r"-9\.8 % +-11\.9 % … -7\.6 % +2\.0 % +< 0\.001 +0\.008 +changed, worse$", fps)
    assert next(line for line in lines if line.startswith("errors ")).endswith("equivalent")
    assert lines[-1] == "changed, worse: fps -9.8 %; equivalent: errors"


def test_csv_and_json_have_every_figure(found: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(texts.csv_text(found))))
    assert len(rows) == len(found.rows) > 30
    assert (rows[0]["metric"], rows[0]["verdict"], rows[0]["direction"]) == ("fps", "changed", "worse")
    data = json.loads(texts.json_text(found))
    assert data["schema"] == "retail.profiles/comparison/1"
    fps = data["figures"][0]
    assert fps["a"] == [100.0, 101.0, 102.0, 103.0, 104.0]
    assert float(rows[0]["ratio"]) == fps["ratio"] == pytest.approx(0.902, abs=1e-3)
    assert [one["key"] for one in data["figures"] if one["declared"]] == ["fps", "errors"]
    assert data["differences"][0]["b"] == ["sha256:<new>"]


def test_the_page_loads_nothing_and_escapes_all(found: Comparison) -> None:
    page = comparison_page.html(found)
    assert "default-src 'none'; style-src 'sha256-" in html.unescape(page)
    assert not re.search(r"<script|https?://|@import|url\(", page)
    assert "sha256:&lt;new&gt;" in page and "sha256:<new>" not in page
    assert "<strong>changed, worse</strong>" in page
    assert 'class="verdict is-failed"' in page
    assert page.count('class="strip"') == len(found.rows)


def test_percents_are_as_people_write_them() -> None:
    told = [texts.percent(part) for part in (0.0, -0.0001, 0.0512, -0.5, 11.0, None)]
    assert told == ["+0.0 %", "+0.0 %", "+5.1 %", "-50.0 %", "> 10 times", "–"]
    assert [texts.probability(p) for p in (1.0, 0.0123, 0.0001, None)] == ["1.000", "0.012", "< 0.001", "–"]
