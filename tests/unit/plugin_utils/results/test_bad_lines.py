# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One bad line never costs more than itself: arbitrary lines through every reader, and through the recorder."""

from __future__ import annotations

import json
import tempfile
import zlib
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    ddsketch,
    host_metrics,
    measured_plan,
    metric_catalogue,
    metric_rules,
    observations,
    ovms_metrics,
    prometheus_text,
    run_events,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric_rules import Extractor
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.windows import WindowSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.results import recorder
from ansible_collections.retail.profiles.plugins.plugin_utils.results.live_progress import Live

from ..synthetic import T0, Fleet, Play, make_plan, pack

PlayOf = Callable[..., Play]
CLIENT, SERVER = "ovms-client-1", "ovms-ovms-server-1"
SHORT = WindowSettings(15.0, 10.0)
TINY = (
    '{"latency": {"relative_accuracy": %s, "count": %s, "sum": 1, "min": 1, "max": 1, "zero_count": 0, "bins": {%s}}}'
)
LONG = "9" * 400
BAD = [
    TINY % ("1e-300", 1, '"1": 1'),
    TINY % ("1e-16", 1, '"1": 1'),
    TINY % ("0.01", "Infinity", '"1": 1'),
    TINY % ("0.01", "NaN", '"1": 1'),
    TINY % ("0.01", LONG, f'"1": {LONG}'),
    TINY % ("0.01", 1, f'"{LONG}": 1'),
    TINY % (LONG, 1, '"1": 1'),
    TINY % ("0.5", 1, '"1": 1'),
    TINY.replace('"sum": 1', f'"sum": {LONG}') % ("0.01", 1, '"1": 1'),
    '{"latency": [1e308, 1e308, 1e308]}',
    f'{{"fps": {LONG}, "errors": {LONG}, "latency": {LONG}}}',
    '{"fps": 1e999, "errors": -1e999, "latency": [1e999]}',
    '{"fps": 1e308, "errors": 1e308}',
    "[" * 100_000,
    f'{{"fps": {"9" * 5000}}}',
    '{"fps": "\\ud800", "latency": "\\ud800"}',
]
NUMBERS = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([10**400, -(10**400), 2**53, 1e-300, 1e308, -1e308, True, 0, 1, 0.01]),
)
VALUES = st.recursive(
    st.one_of(st.none(), NUMBERS, st.text(max_size=8)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=4)),
    max_leaves=8,
)
SKETCHES = st.fixed_dictionaries(
    {
        "relative_accuracy": st.one_of(NUMBERS, st.just(0.01)),
        "count": NUMBERS,
        "sum": NUMBERS,
        "min": NUMBERS,
        "max": NUMBERS,
        "zero_count": NUMBERS,
        "bins": st.dictionaries(st.one_of(st.integers().map(str), st.text(max_size=4)), NUMBERS, max_size=3),
    }
)
TOLD = st.one_of(VALUES, SKETCHES)
LINES = st.one_of(
    st.sampled_from(BAD),
    st.text(max_size=40),
    st.fixed_dictionaries({}, optional=dict.fromkeys(("fps", "latency", "errors"), TOLD)).map(json.dumps),
)
FAMILIES = st.sampled_from(
    ["ovms_requests_success", "ovms_request_time_us_sum", "ovms_request_time_us_count", "fps", "# TYPE fps"]
)
ENDINGS = st.one_of(
    st.text(alphabet='{}=",\\ \t0123456789.e+-NaInf_#a', max_size=30),
    NUMBERS.map(lambda value: f" {value}"),
    NUMBERS.map(lambda value: f'{{a="b"}} 1 {value}'),
)
SCRAPES = st.lists(st.tuples(FAMILIES, ENDINGS).map("".join), max_size=4).map("\n".join)
FIELDS = {
    "t": st.one_of(NUMBERS, st.floats(T0, T0 + 30.0)),
    "type": st.one_of(
        st.sampled_from(["log", "prometheus", "file", "container", "host", "state", "absent", "observer"]), VALUES
    ),
    "replica": st.one_of(st.sampled_from([CLIENT, SERVER]), VALUES),
    "line": st.one_of(LINES, VALUES),
    "text": st.one_of(SCRAPES, LINES, VALUES),
    "path": st.one_of(st.just("/results/*"), VALUES),
    **dict.fromkeys(("stream", "event", "exit_code", "started_at", "id", "subject", "metric", "reason"), VALUES),
    **dict.fromkeys(("cpu_ns", "periods", "throttled", "mem_usage", "mem_inactive_file", "oom"), VALUES),
    **dict.fromkeys(("cpu", "mem", "net", "disk", "psi", "blk", "cpu_seconds", "host"), VALUES),
}
SAMPLES = st.fixed_dictionaries({}, optional=FIELDS)
RULES = {
    "fps": {"log": "fps", "kind": "gauge"},
    "latency_seconds": {"log": "latency", "kind": "sketch"},
    "errors": {"log": "errors", "kind": "counter"},
    "whole": {"log": "@", "kind": "sketch"},
    "average": {"log": "avg(latency)", "kind": "gauge"},
    "least": {"log": "min_by(latency, &fps)", "kind": "gauge"},
    "up": {"log": "ceil(to_number(fps))", "kind": "gauge"},
    "digits": {"regex": r"(\d+)", "kind": "counter"},
    "scraped": {"prometheus": "fps", "kind": "counter"},
    **{
        f"{key}_{kind}": {"file": "/results/*", key: what, "kind": kind, **more}
        for key, what, more in (
            ("json", "@", {}),
            ("json", "fps", {"scale": 1e99}),
            ("csv", "1", {"row": "fps"}),
            ("regex", r"(\d+)", {"scale": 1e-99}),
        )
        for kind in ("gauge", "sketch", "quantile")
    },
}
FILE_RULES = tuple(measured_plan.rule_of(name, rule) for name, rule in RULES.items() if "file" in rule)


def plan() -> dict[str, Any]:
    made = make_plan(hosts=2, clients=1)
    made["replicas"][CLIENT]["metrics"] = RULES
    return made


PLAN = measured_plan.of_plan(plan())


@given(TOLD)
def test_no_value_breaks_the_reader_of_sketches(value: object) -> None:
    sketch = metric_rules.sketch_of(value)
    if sketch is not None:
        merged = ddsketch.merge([sketch] * 40)
        figures = (merged.mean, merged.quantile(0.0), merged.quantile(0.5), merged.quantile(1.0))
        assert all(figure is None or abs(figure) <= 1e101 for figure in figures)
        assert merged.summary("s").n == merged.count


@given(SCRAPES)
def test_no_scrape_breaks_its_reader(text: str) -> None:
    found = prometheus_text.scrape(text, ovms_metrics.SCRAPED_NAMES)
    assert all(abs(value) <= 1e100 for samples in found.values() for _dummy, value in samples)


@given(SAMPLES)
def test_no_sample_breaks_the_readers_of_fields(sample: dict[str, Any]) -> None:
    for metric in (*host_metrics.HOST_METRICS, *metric_catalogue.built_in(ovms=False)):
        for read in (metric.value, metric.per):
            value = read(sample) if read is not None else None
            assert value is None or abs(value) <= 1e110


@given(st.one_of(st.binary(max_size=400), LINES.map(lambda line: line.encode("utf-8", "surrogatepass"))))
def test_no_file_breaks_its_readers(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for _rule, told in Extractor(FILE_RULES).read_file({"path": "/results/*", "file": "/results/a", "text": text}):
        assert isinstance(told, str) or told


@given(st.lists(SAMPLES, max_size=6))
def test_no_sample_breaks_the_rules_the_observer_or_the_live_figures(samples: list[dict[str, Any]]) -> None:
    extractor, live, observer = Extractor(PLAN.measured[0].rules), Live(PLAN), observations.Observer(PLAN)
    for sample in samples:
        assert all(value is not None for _dummy, value in extractor.read(sample))
        live.feed(sample)
        observer.feed({**sample, "host": "client1"})
    figures = live.figures()
    assert all(abs(stream.fps) < float("inf") for stream in figures.streams)
    assert set(observer.finish().replicas) == {CLIENT, SERVER}


@given(st.dictionaries(st.sampled_from(["clock", "pid", "data", "msg", "stderr"]), VALUES, max_size=5))
def test_no_answer_of_a_sampler_breaks_the_reader_of_events(result: dict[str, Any]) -> None:
    event = {"t": 2.0, "start": 1.0, "host": "client1", "action": "profile_measure", "state": "started"}
    status = run_events.status_of("profile_measure", "started", result, "ok")
    events = [{**event, "status": status, "result": result}]
    assert set(run_events.offsets(events)) <= {"client1"}
    assert (run_events.measure_problems(events) == []) == (status == "ok")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.one_of(SAMPLES.map(json.dumps), LINES), max_size=6))
def test_through_the_recorder_all_that_came_is_stored(lines: list[str]) -> None:
    with tempfile.TemporaryDirectory() as root:
        play = Play(Path(root), plan())
        play.begin()
        play.start()
        sent = 0
        for second in (3, 6):
            play.now = T0 + second
            bad = "".join(f"{line}\n" for line in lines if line and "\n" not in line)
            raw = play.new_samples("client1") + bad.encode("utf-8", "replace")
            play.call("client1", "collected", raw)
            sent += raw.count(b"\n")
        assert sum(1 for _dummy in play.directory.samples()) == sent
        play.verdict()
        assert play.screen.warnings == []
        assert "nothing was measured: no window was reached" in play.record()["reasons"]


class BadLines(Fleet):
    """The first client logs every bad line once, beside its own."""

    def replica(self, name: str, replica: dict[str, Any], t: float, second: float) -> list[dict[str, Any]]:
        found = super().replica(name, replica, t, second)
        if name == CLIENT and second == 20:
            found += [{"t": t, "type": "log", "replica": name, "stream": "stdout", "line": line} for line in BAD]
        return found


def test_bad_lines_change_nothing_of_a_run(play_of: PlayOf, tmp_path: Path) -> None:
    good = Play(tmp_path / "good", make_plan(hosts=3, clients=2)).whole(SHORT)
    play = play_of(BadLines)
    record = play.whole(SHORT)
    assert (record["verdict"], record["reasons"], play.screen.warnings) == ("ok", [], [])
    assert record["metrics"][CLIENT] == good["metrics"][CLIENT]
    kept = [sample["line"] for sample in play.directory.samples(["log"]) if sample["replica"] == CLIENT]
    assert set(BAD) <= set(kept)


def test_what_cannot_be_looked_at_is_stored_before(play_of: PlayOf, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Live, sample: dict[str, Any]) -> None:
        raise ArithmeticError("boom")

    monkeypatch.setattr(Live, "feed", broken)
    play = play_of()
    play.begin()
    with pytest.raises(ArithmeticError):
        play.call("server", "collected", b'{"t": 1, "type": "host"}\n')
    assert [sample["type"] for sample in play.directory.samples()] == ["host"]


def test_samples_that_could_not_be_stored_are_not_counted_as_had(
    play_of: PlayOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    play = play_of()
    play.begin()
    raw = b'{"t": 1, "type": "host"}\n'
    with monkeypatch.context() as full:
        full.setattr("gzip.compress", Mock(side_effect=OSError("no space left")))
        with pytest.raises(OSError, match="no space left"):
            play.task("profile_measure", "server", {"data": pack(raw), "offset": len(raw)}, state="collected")
    play.task("profile_measure", "server", {"data": pack(raw), "offset": len(raw)}, state="collected")
    assert len(list(play.directory.samples())) == 1


def test_what_is_unpacked_has_a_bound(play_of: PlayOf) -> None:
    play = play_of()
    play.begin()
    bomb = b64encode(zlib.compress(b" " * (recorder.MOST_UNPACKED + 1), 1)).decode()
    with pytest.raises(ProfileError, match=r"host server: .* cannot be unpacked: they are more than 64 MiB"):
        play.task("profile_measure", "server", {"data": bomb, "offset": 1, "clock": 1.0}, state="collected")
