# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis import (
    ddsketch,
    metric_rules,
    prometheus_text,
    result_files,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.measured_plan import Rule, rule_of
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.metric_rules import Extractor
from ansible_collections.retail.profiles.plugins.plugin_utils.analysis.prometheus_text import Selector
from ansible_collections.retail.profiles.plugins.plugin_utils.text import metric_sources, yaml_document
from ansible_collections.retail.profiles.plugins.plugin_utils.text.metric_sources import MetricSource

from ..synthetic import as_logged


def rule(source: str, expression: str, kind: str = "gauge") -> Rule:
    return Rule("m", source, expression, kind, "1")


def logged(line: str) -> dict[str, str]:
    return {"type": "log", "line": line}


def found(one: Rule, line: str) -> list[object]:
    return [value for _dummy, value in Extractor([one]).read(logged(line))]


@pytest.mark.parametrize(
    ("expression", "line", "expected"),
    [
        ("fps", '{"fps": 29.5}', [29.5]),
        ("stats.fps", ' {"stats": {"fps": 3}} ', [3.0]),
        ("streams[?id==`2`].fps | [0]", '{"streams": [{"id": 1, "fps": 1}, {"id": 2, "fps": 7}]}', [7.0]),
        ("sum(streams[*].fps)", '{"streams": [{"fps": 1}, {"fps": 2.5}]}', [3.5]),
        ("[0].fps", '[{"fps": 2}]', [2.0]),
        ("fps", '{"fps": 0}', [0.0]),
        ("fps", '{"fps": null}', []),
        ("fps", '{"fps": true}', []),
        ("fps", '{"fps": NaN}', []),
        ("fps", '{"other": 1}', []),
        ("fps", "fps: 12", []),
        ("fps", '{"fps": 12', []),
        ("sum(fps)", '{"fps": 12}', []),
    ],
)
def test_jmespath_over_json_lines(expression: str, line: str, expected: list[float]) -> None:
    assert found(rule("log", expression), line) == expected


@pytest.mark.parametrize(
    ("expression", "line", "expected"),
    [
        (r"FPS: (\d+\.\d+)", "… FPS: 14.97 …", [14.97]),
        (r"latency=(\d+)", "latency=12 latency=99", [12.0]),
        (r"FPS: (\S+)", "FPS: n/a", []),
        (r"(a)?b", "b", []),
    ],
)
def test_the_first_group_of_a_regex(expression: str, line: str, expected: list[float]) -> None:
    assert found(rule("regex", expression), line) == expected


def test_a_sketch_is_read_from_bins_values_and_lists() -> None:
    sketch = ddsketch.of_values([0.1, 0.3])
    one = rule("log", "latency", "sketch")
    assert found(one, json.dumps({"latency": as_logged(sketch)})) == [sketch]
    assert found(one, '{"latency": [0.1, 0.3]}') == [sketch]
    assert found(one, '{"latency": 0.1}') == [ddsketch.of_values([0.1])]
    assert found(one, '{"latency": {"count": 3}}') == []
    assert found(one, '{"latency": [0.1, "x"]}') == []
    assert found(one, '{"latency": -1}') == []


TEXT = """\
# HELP ovms_requests_success Number of requests
# TYPE ovms_requests_success counter
ovms_requests_success{interface="gRPC",method="ModelInfer",name="a"} 10
ovms_requests_success{interface="REST",method="ModelInfer",name="a"} 5
ovms_requests_success{interface="gRPC",method="ModelReady",name="a"} 99
ovms_requests_success_other 7
ovms_broken{ 3
ovms_nan NaN
ovms_streams 4
"""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('ovms_requests_success{method="ModelInfer"}', [15.0]),
        ('ovms_requests_success{method="ModelInfer", interface="REST"}', [5.0]),
        ("ovms_requests_success", [114.0]),
        ("ovms_streams", [4.0]),
        ("ovms_absent", []),
        ("ovms_nan", []),
        ("ovms_broken", []),
        ('ovms_streams{method="x"}', []),
    ],
)
def test_prometheus_texts(expression: str, expected: list[float]) -> None:
    told = Extractor([rule("prometheus", expression)]).read({"type": "prometheus", "text": TEXT})
    assert [value for _dummy, value in told] == expected


def test_labels_may_hold_what_separates_them() -> None:
    assert prometheus_text.selector(r'm{a="x,y}",b="\"q\""}') == Selector("m", {"a": "x,y}", "b": '"q"'})


@pytest.mark.parametrize(
    ("source", "expression", "kind"),
    [
        ("log", "fps[", "gauge"),
        ("regex", "(", "gauge"),
        ("regex", "fps", "gauge"),
        ("prometheus", "1abc", "gauge"),
        ("prometheus", "m{a=b}", "gauge"),
    ],
)
def test_a_rule_that_does_not_compile_is_named(source: str, expression: str, kind: str) -> None:
    with pytest.raises(ProfileError, match=rf"container client, field metrics\.m\.{source}"):
        Extractor([rule(source, expression, kind)], "client")


@given(st.text())
def test_no_line_is_an_error(line: str) -> None:
    rules = [rule("log", "fps"), rule("log", "latency", "sketch"), rule("regex", r"(\d+)")]
    assert all(value is not None for _dummy, value in Extractor(rules).read(logged(line)))


@given(st.text())
def test_no_scrape_is_an_error(text: str) -> None:
    assert Selector("absent")(prometheus_text.scrape(f"m{text}\n{text}", ["m"])) is None


def test_units_of_known_metrics_are_known() -> None:
    assert rule_of("fps", {"log": "fps", "unit": "1"}).unit == "fps"
    assert rule_of("latency_seconds", {"log": "l", "kind": "sketch"}).unit == "seconds"
    assert rule_of("depth", {"log": "d"}).unit == "1"
    assert rule_of("depth", {"log": "d", "unit": "frames", "required": False}).required is False


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"log": "a", "regex": "(b)"},
        {"log": "a", "kind": "histogram"},
        {"prometheus": "m", "kind": "sketch"},
        {"regex": "(b)", "kind": "sketch"},
    ],
)
def test_a_rule_that_is_none_is_named(data: dict[str, str]) -> None:
    with pytest.raises(ProfileError, match=r"container client, field metrics\.fps"):
        rule_of("fps", data, "client")


@pytest.mark.parametrize("source", metric_sources.SOURCES, ids=lambda source: source.name)
def test_every_source_has_a_reader_of_its_samples(source: MetricSource) -> None:
    written = yaml_document.parse(source.example, "example").value
    one = rule_of("fps", {**written, "file": "/results/a"} if source.in_file else written)
    readers = {*metric_rules.READERS, *result_files.MAKERS}
    assert (one.source, readers) == (source.name, set(metric_sources.SOURCE_NAMES))
    assert Extractor([one]).read({"type": "riddle", "line": "{}", "text": ""}) == []


def test_a_sample_is_read_for_the_rules_of_its_type_only() -> None:
    rules = [rule("log", "fps"), rule("regex", r"(\d+)"), rule("prometheus", "ovms_streams")]
    told = Extractor(rules).read({"type": "log", "line": '{"fps": 7}', "text": TEXT})
    assert [(one.source, value) for one, value in told] == [("log", 7.0), ("regex", 7.0)]
