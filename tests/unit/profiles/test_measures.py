# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sketches, JSON lines and the summary of the programs that measure."""

from __future__ import annotations

import io
import json
import random
import threading
from typing import Any

import pytest
from ddsketch import LogCollapsingLowestDenseDDSketch
from ddsketch.mapping import LogarithmicMapping
from hypothesis import given
from hypothesis import strategies as st
from kserve_client.measures import RELATIVE_ACCURACY, Recorder, Reporter, Sketch


class Clock:
    """Time that goes on only when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def sketch_of(values: list[float]) -> Sketch:
    sketch = Sketch()
    for value in values:
        sketch.add(value)
    return sketch


@given(st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=200), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_quantiles_are_within_the_relative_accuracy(values: list[float], q: float) -> None:
    exact = sorted(values)[int(q * (len(values) - 1))]
    found = sketch_of(values).quantile(q)
    assert found == pytest.approx(exact, rel=RELATIVE_ACCURACY * 1.0001)


@given(st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=100))
def test_bins_are_those_of_the_reference_implementation(values: list[float]) -> None:
    mapping = LogarithmicMapping(RELATIVE_ACCURACY)
    for value in values:
        (index,) = sketch_of([value]).bins
        assert index == mapping.key(value)


def test_quantiles_agree_with_the_reference_implementation() -> None:
    noise = random.Random(7)
    values = [noise.lognormvariate(-4, 1) for _time in range(5000)]
    reference = LogCollapsingLowestDenseDDSketch(RELATIVE_ACCURACY)
    for value in values:
        reference.add(value)
    ours = sketch_of(values)
    for q in (0.01, 0.5, 0.95, 0.99):
        assert ours.quantile(q) == pytest.approx(reference.get_quantile_value(q), rel=1e-9)


@given(st.lists(st.floats(0, 100), max_size=50), st.lists(st.floats(0, 100), max_size=50))
def test_merging_equals_counting_all(one: list[float], other: list[float]) -> None:
    merged = sketch_of(one)
    merged.merge(sketch_of(other))
    whole = sketch_of([*one, *other])
    assert (merged.bins, merged.zeros, merged.count) == (whole.bins, whole.zeros, whole.count)
    assert (merged.low, merged.high) == (whole.low, whole.high)


def test_zeros_have_no_bin() -> None:
    sketch = sketch_of([0.0, 0.0, 0.0, 1.0])
    assert (sketch.zeros, sum(sketch.bins.values())) == (3, 1)
    assert sketch.quantile(0.5) == 0.0


def test_an_empty_sketch_has_no_quantile_and_valid_json() -> None:
    assert Sketch().quantile(0.5) is None
    assert json.loads(json.dumps(Sketch().as_json(), allow_nan=False))["min"] is None


def test_a_line_tells_of_its_second_and_counts_from_the_start() -> None:
    clock = Clock()
    recorder = Recorder(clock, asked=16.0)
    for _time in range(30):
        recorder.finished(0.02)
    recorder.failed()
    recorder.late()
    recorder.dropped(4)
    clock.now += 2.0
    first = recorder.line(1000.0)
    assert {key: first[key] for key in ("t", "fps", "asked", "requests", "errors", "late", "dropped")} == {
        "t": 1000.0,
        "fps": 15.0,
        "asked": 16.0,
        "requests": 31,
        "errors": 1,
        "late": 1,
        "dropped": 4,
    }
    latency = first["latency"]
    assert (latency["relative_accuracy"], latency["count"], latency["zero_count"]) == (0.01, 30, 0)
    assert (latency["sum"], latency["min"], latency["max"]) == (pytest.approx(0.6), 0.02, 0.02)
    assert sum(latency["bins"].values()) == 30

    clock.now += 1.0
    second = recorder.line(1001.0)
    assert (second["fps"], second["requests"], second["errors"], second["latency"]["count"]) == (0.0, 31, 1, 0)


def test_the_summary_holds_everything_and_looks_like_no_line() -> None:
    clock = Clock()
    recorder = Recorder(clock)
    recorder.finished(0.01)
    clock.now += 1.0
    recorder.line(1.0)
    recorder.finished(0.03)
    clock.now += 1.0
    summary = recorder.summary(2.0)
    assert set(summary) == {"summary"}
    whole = summary["summary"]
    assert (whole["requests"], whole["seconds"], whole["fps"]) == (2, 2.0, 1.0)
    assert whole["latency"]["count"] == 2
    assert whole["p50"] == pytest.approx(0.01, rel=0.011)


class Lines(io.StringIO):
    """A stream that tells when so many lines were flushed."""

    def __init__(self, wanted: int) -> None:
        super().__init__()
        self.reached = threading.Event()
        self._wanted = wanted

    def flush(self) -> None:
        if self.getvalue().count("\n") >= self._wanted:
            self.reached.set()


def test_the_reporter_flushes_lines_and_ends_with_the_summary() -> None:
    out = Lines(wanted=3)
    recorder = Recorder()
    reporter = Reporter(recorder, out, interval=0.02)
    reporter.start()
    recorder.finished(0.5)
    assert out.reached.wait(30), "no lines were flushed"
    reporter.stop()
    lines: list[dict[str, Any]] = [json.loads(line) for line in out.getvalue().splitlines()]
    assert all("fps" in line for line in lines[:-1])
    assert sum(line["latency"]["count"] for line in lines[:-1]) == 1
    assert lines[-1]["summary"]["requests"] == 1
