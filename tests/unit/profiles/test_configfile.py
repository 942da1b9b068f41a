# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in's configuration: the file's schema, and the settings of a model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ovms_stand_in import configfile, metrics
from ovms_stand_in.faults import RequestError, StartError
from ovms_stand_in.modelconfig import (
    AUTO,
    Layout,
    VersionPolicy,
    parse_batch_size,
    parse_layout,
    parse_shape,
    parse_version_policy,
)

PATH = Path("/config/config.json")
SHIPPED = Path(__file__).resolve().parents[3] / "profiles" / "ovms" / "config.json"


def model(**settings: Any) -> dict[str, Any]:
    return {"config": {"name": "a", "base_path": "/models/a", **settings}}


def parse(content: Any) -> configfile.ConfigFile:
    return configfile.parse(json.dumps(content), PATH)


def test_the_file_that_the_profile_ships() -> None:
    (only,) = configfile.read(SHIPPED).models
    assert (only.name, only.base_path) == ("face-detection", Path("/models/face-detection"))
    assert (only.target_device, only.nireq, only.version_policy) == ("CPU", 0, VersionPolicy(latest=1))


def test_every_setting_of_a_model() -> None:
    settings = {
        "batch_size": "1:8",
        "shape": {"data": "(1,3,300,300)"},
        "layout": "NHWC:NCHW",
        "nireq": 4,
        "target_device": "AUTO",
        "plugin_config": {"NUM_STREAMS": "2", "ENABLE_CPU_PINNING": False},
        "model_version_policy": {"specific": {"versions": [1, 3]}},
    }
    (only,) = parse({"model_config_list": [model(**settings)]}).models
    assert only.batch_size == (1, 8)
    assert only.shapes == {"data": (1, 3, 300, 300)}
    assert only.layouts == {"": Layout("NHWC", "NCHW")}
    assert (only.nireq, only.target_device) == (4, "AUTO")
    assert only.plugin_config == {"NUM_STREAMS": "2", "ENABLE_CPU_PINNING": False}
    assert only.version_policy == VersionPolicy(specific=(1, 3))


def test_a_relative_base_path_starts_at_the_file() -> None:
    (only,) = parse({"model_config_list": [model(base_path="../models/a")]}).models
    assert only.base_path == Path("/config/../models/a")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "Keyword: type Key: #$"),
        ({}, "Keyword: required Key: #/model_config_list"),
        ({"model_config_list": [], "extra": 1}, "Keyword: additionalProperties Key: #/extra"),
        ({"model_config_list": [{}]}, "Keyword: required Key: #/model_config_list/0/config"),
        # What retail configuration files for 2023.x have.
        ({"model_config_list": [{**model(), "latest": {"num_versions": 1}}]}, "#/model_config_list/0/latest"),
        ({"model_config_list": [model(colour="red")]}, "#/model_config_list/0/config/colour"),
        ({"model_config_list": [{"config": {"base_path": "/a"}}]}, "required Key: #/model_config_list/0/config/name"),
        ({"model_config_list": [model(nireq="2")]}, "Keyword: type Key: #/model_config_list/0/config/nireq"),
        ({"model_config_list": [model(nireq=-1)]}, "#/model_config_list/0/config/nireq"),
        ({"model_config_list": [model(batch_size=True)]}, "#/model_config_list/0/config/batch_size"),
        ({"model_config_list": [model(plugin_config={"a": {}})]}, "#/model_config_list/0/config/plugin_config"),
        ({"model_config_list": [], "monitoring": {}}, "required Key: #/monitoring/metrics"),
        ({"model_config_list": [], "monitoring": {"metrics": {}}}, "required Key: #/monitoring/metrics/enable"),
        (
            {"model_config_list": [], "monitoring": {"metrics": {"enable": True, "metrics_list": ["ovms_speed"]}}},
            "ovms_speed",
        ),
    ],
)
def test_what_the_schema_refuses(content: Any, message: str) -> None:
    with pytest.raises(StartError, match=message):
        parse(content)


OLD, NEW = (2025, 4), (2026, 4)


@pytest.mark.parametrize("key", ["stateful", "low_latency_transformation"])
def test_what_the_schema_of_2026_refuses_and_that_of_2025_does_not(key: str) -> None:
    text = json.dumps({"model_config_list": [model(**{key: True})]})
    assert [one.name for one in configfile.parse(text, PATH, version=OLD).models] == ["a"]
    with pytest.raises(StartError, match=f"additionalProperties Key: #/model_config_list/0/config/{key}"):
        configfile.parse(text, PATH, version=NEW)


def test_a_device_that_is_not_named_is_the_cpu_and_since_2026_3_the_best() -> None:
    text = json.dumps({"model_config_list": [model()]})
    devices = [configfile.parse(text, PATH, version=version).models[0].target_device for version in (OLD, NEW)]
    assert devices == ["CPU", ""]


def test_a_base_path_is_the_name_beside_the_file_by_default() -> None:
    (only,) = parse({"model_config_list": [{"config": {"name": "org/a"}}]}).models
    assert only.base_path == Path("/config/org/a")


def test_a_graph_is_valid_and_not_served(tmp_path: Path) -> None:
    (tmp_path / "g").mkdir()
    (tmp_path / "g" / "graph.pbtxt").write_text("")
    listed = [{"config": {"name": "g"}}, {"config": {"name": "h", "graph_path": "h.pbtxt"}}, model()]
    found = configfile.parse(json.dumps({"model_config_list": listed}), tmp_path / "config.json")
    assert [one.name for one in found.models] == ["a"]
    assert {name: "graphs are not served" in why for name, why in found.problems.items()} == {"g": True, "h": True}


def test_what_is_no_json_or_no_file(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="not a valid JSON file"):
        configfile.parse("{", PATH)
    with pytest.raises(StartError, match="not found or cannot open"):
        configfile.read(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("monitoring", "expected"),
    [
        ({"metrics": {"enable": False}}, frozenset()),
        ({"metrics": {"enable": True}}, metrics.DEFAULT),
        ({"metrics": {"enable": True, "metrics_list": ["ovms_streams"]}}, {"ovms_streams"}),
    ],
)
def test_monitoring(monitoring: Any, expected: Any) -> None:
    assert parse({"model_config_list": [], "monitoring": monitoring}).metrics == expected


def test_without_monitoring_the_file_says_nothing_of_metrics() -> None:
    assert parse({"model_config_list": []}).metrics is None


def test_a_model_that_is_wrong_leaves_the_others() -> None:
    found = parse({"model_config_list": [model(shape="wide"), {"config": {"name": "b", "base_path": "b"}}]})
    assert [one.name for one in found.models] == ["b"]
    assert set(found.problems) == {"a"}


def test_of_two_models_with_one_name_the_first_counts() -> None:
    found = parse({"model_config_list": [model(nireq=1), model(nireq=2)]})
    assert [one.nireq for one in found.models] == [1]
    assert "Duplicated model names: a" in found.warnings[0]


def test_pipelines_are_valid_and_not_served() -> None:
    found = parse(
        {"model_config_list": [], "pipeline_config_list": [{"name": "p", "nodes": [], "inputs": [], "outputs": []}]}
    )
    assert "pipeline_config_list" in found.warnings[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(1,3,300,300)", (1, 3, 300, 300)),
        ("[1, 10]", (1, 10)),
        ("(1:4,3,-1,-1)", ((1, 4), 3, None, None)),
        ("(5,)", (5,)),
        ("AUTO", AUTO),
    ],
)
def test_shapes(text: str, expected: Any) -> None:
    assert parse_shape(text) == expected


@pytest.mark.parametrize("text", ["", "1,3", "(a)", "(0)", "(3:2)", "(1,,2)", "()"])
def test_what_is_no_shape(text: str) -> None:
    with pytest.raises(RequestError, match="shape is in wrong format"):
        parse_shape(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, None), (8, 8), ("8", 8), ("0", None), ("auto", AUTO), ("-1", AUTO), ("1:8", (1, 8))],
)
def test_batch_sizes(value: Any, expected: Any) -> None:
    assert parse_batch_size(value) == expected


def test_layouts() -> None:
    assert parse_layout("nhwc:nchw") == Layout("NHWC", "NCHW")
    assert parse_layout("NHWC") == Layout("NHWC", None)
    for text in ("", "N1", ":NCHW", "A:B:C"):
        with pytest.raises(RequestError, match="layout is in wrong format"):
            parse_layout(text)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"all": {}}, VersionPolicy()),
        ({"latest": {"num_versions": 2}}, VersionPolicy(latest=2)),
        ({"latest": {}}, VersionPolicy(latest=1)),
        ('{"specific": {"versions": [2]}}', VersionPolicy(specific=(2,))),
    ],
)
def test_version_policies(value: Any, expected: VersionPolicy) -> None:
    assert parse_version_policy(value) == expected


@pytest.mark.parametrize(
    "value",
    ["x", [], {}, {"all": {"x": 1}}, {"latest": {"num_versions": 0}}, {"specific": {"versions": [0]}}, {"a": 1}],
)
def test_what_is_no_version_policy(value: Any) -> None:
    with pytest.raises(RequestError, match="policy is in wrong format"):
        parse_version_policy(value)
