# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of OVMS's options and configuration: what each version takes, and what it says of the rest."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.text import ovms_contract
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ovms_contract import (
    NEWEST,
    OPTIONS,
    configuration_problems,
    contradictions,
    default_families,
    given,
    managed,
    port,
    unknown_families,
    version_of,
)

MODEL = {"name": "a", "base_path": "/models/a"}


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("model_server:2025.4", (2025, 4)),
        ("model_server:2025.4.1-gpu", (2025, 4)),
        ("v2026.3-py", (2026, 3)),
        ("model_server:latest", NEWEST),
        ("weekly", NEWEST),
        ("1", NEWEST),
        ("20250401", NEWEST),
        ("2023.1", (2023, 1)),
    ],
)
def test_versions(text: str, version: Any) -> None:
    assert version_of(text) == version


def problems(document: Any, version: Any = (2025, 4)) -> list[tuple[str, str, str]]:
    return [(one.key, one.keyword, one.words) for one in configuration_problems(document, version)]


def models(*configs: Any, **more: Any) -> dict[str, Any]:
    return {"model_config_list": [{"config": config} for config in configs], **more}


def test_a_configuration_that_has_every_key_is_taken() -> None:
    document = models(
        {
            **MODEL,
            "batch_size": "auto",
            "graph_path": "g",
            "subconfig": "s",
            "model_version_policy": {"specific": {"versions": [1, 2]}},
            "shape": {"x": "auto"},
            "layout": "NHWC:NCHW",
            "nireq": 0,
            "target_device": "GPU",
            "allow_cache": True,
            "plugin_config": {"NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY", "ENABLE_MMAP": False},
            "custom_loader_options": {"loader_name": "l", "anything": 7},
        },
        mediapipe_config_list=[{"name": "g", "base_path": "g", "graph_path": "g.pbtxt", "subconfig": "s.json"}],
        pipeline_config_list=[
            {
                "name": "p",
                "inputs": ["i"],
                "nodes": [
                    {
                        "name": "n",
                        "model_name": "a",
                        "type": "DL model",
                        "version": 1,
                        "inputs": [{"x": {"node_name": "request", "data_item": "i"}}],
                        "outputs": [{"data_item": "y", "alias": "z"}],
                        "demultiply_count": -1,
                    }
                ],
                "outputs": [{"o": {"node_name": "n", "data_item": "z"}}],
            }
        ],
        custom_node_library_config_list=[{"name": "l", "base_path": "/l.so"}],
        custom_loader_config_list=[{"config": {"loader_name": "l", "library_path": "/l.so"}}],
        monitoring={"metrics": {"enable": True, "metrics_list": ["ovms_streams", "ovms_graph_error"]}},
    )
    for version in ((2025, 1), (2025, 4), (2026, 0), (2026, 4)):
        assert problems(document, version) == []


@pytest.mark.parametrize(
    ("document", "key", "keyword", "words"),
    [
        ([], "", "type", "it takes a mapping, not a list"),
        ({}, "model_config_list", "required", "model_config_list is missing"),
        (models(extra=1), "extra", "additionalProperties", "OVMS 2025.4 has no such key here"),
        (
            models(metrics={}),
            "metrics",
            "additionalProperties",
            "OVMS 2025.4 has no such key here; write it into monitoring",
        ),
        (
            {"model_config_list": [{"config": MODEL, "latest": {}}]},
            "model_config_list[0].latest",
            "additionalProperties",
            "OVMS 2025.4 has no such key here; since 2024.0 it is model_version_policy in config",
        ),
        (
            models(MODEL, {**MODEL, "layouts": "NHWC"}),
            "model_config_list[1].config.layouts",
            "additionalProperties",
            "OVMS 2025.4 has no such key here; did you mean layout?",
        ),
        (models({"base_path": "x"}), "model_config_list[0].config.name", "required", "name is missing"),
        (
            models({**MODEL, "target_device": ["GPU"]}),
            "model_config_list[0].config.target_device",
            "type",
            "it takes a text, such as GPU or AUTO:GPU,CPU, not a list",
        ),
        (
            models({**MODEL, "nireq": True}),
            "model_config_list[0].config.nireq",
            "type",
            "it takes a whole number from 0 on, not true",
        ),
        (
            models({**MODEL, "batch_size": -1}),
            "model_config_list[0].config.batch_size",
            "type",
            "it takes a text or a whole number from 0 on, not -1",
        ),
        (
            models({**MODEL, "shape": {"x": [1, 3]}}),
            "model_config_list[0].config.shape",
            "oneOf",
            'it takes a text, or a mapping such as {"input": "text"}, not a mapping',
        ),
        (
            models({**MODEL, "model_version_policy": {"latest": {"num_versions": 0}}}),
            "model_config_list[0].config.model_version_policy",
            "oneOf",
            'it takes {"all": {}}, {"latest": {"num_versions": 1}} or {"specific": {"versions": [1]}}, not a mapping',
        ),
        (
            models({**MODEL, "plugin_config": {"a": {}}}),
            "model_config_list[0].config.plugin_config.a",
            "type",
            "it takes a text, a number, true or false, not a mapping",
        ),
        (
            models(mediapipe_config_list=[{"name": "g", "target_device": "GPU"}]),
            "mediapipe_config_list[0].target_device",
            "additionalProperties",
            "OVMS 2025.4 has no such key here; a graph names its device itself, in its graph.pbtxt",
        ),
        (models(monitoring={}), "monitoring.metrics", "required", "metrics is missing"),
        (
            models(monitoring={"metrics": {"enable": "yes"}}),
            "monitoring.metrics.enable",
            "type",
            "it takes true or false, not 'yes'",
        ),
        (
            models(monitoring={"metrics": {"enable": True, "metrics_list": ["ovms_streams", "ovms_stream"]}}),
            "monitoring.metrics.metrics_list[1]",
            "family",
            "OVMS 2025.4 has no metric 'ovms_stream'; did you mean ovms_streams?",
        ),
        (
            models(pipeline_config_list=[{"name": "p", "nodes": [], "inputs": [], "outputs": [{}]}]),
            "pipeline_config_list[0].outputs[0]",
            "type",
            'it takes a mapping of one key, such as {"input": {"node_name": "request", "data_item": "image"}}, '
            "not a mapping",
        ),
    ],
)
def test_what_a_configuration_may_not_hold(document: Any, key: str, keyword: str, words: str) -> None:
    assert problems(document) == [(key, keyword, words)]


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"type": "custom", "model_name": "a"}, "of its type it has library_name, and no model_name"),
        ({"type": "DL model", "library_name": "l"}, "of its type it has model_name, and no library_name"),
        ({"type": "custom", "library_name": "l"}, None),
        ({"type": "DL model", "model_name": "a"}, None),
    ],
)
def test_a_node_of_a_pipeline_has_what_its_type_needs(node: dict[str, Any], words: str | None) -> None:
    nodes = [{"name": "n", "inputs": [], "outputs": [], **node}]
    found = problems(models(pipeline_config_list=[{"name": "p", "nodes": nodes, "inputs": [], "outputs": []}]))
    assert found == ([("pipeline_config_list[0].nodes[0]", "oneOf", words)] if words else [])


def test_what_a_custom_loader_takes_is_its_own_business() -> None:
    options = {"loader_name": "l", "fast": True, "depth": {"a": []}}
    assert problems(models({**MODEL, "custom_loader_options": options})) == []


def test_a_model_without_config_around_it_is_told_so() -> None:
    found = problems({"model_config_list": [{"name": "a"}]})
    assert found[-1] == ("model_config_list[0].config", "required", "it is missing: write the model's keys into it")


def test_a_graph_with_config_around_it_is_told_so() -> None:
    (first, _missing) = problems(models(mediapipe_config_list=[{"config": {"name": "g"}}]))
    assert first[2] == 'OVMS 2025.4 has no such key here; write its keys without "config" around them'


@pytest.mark.parametrize("key", ["stateful", "idle_sequence_cleanup", "low_latency_transformation"])
def test_stateful_models_are_gone_since_2026_3(key: str) -> None:
    document = models({**MODEL, key: True})
    assert problems(document, (2026, 2)) == []
    gone = "leave it out; stateful models are served by images up to 2026.2"
    for version in ((2026, 3), (2026, 4), (2027, 0)):
        shown = ovms_contract.shown(version)
        assert problems(document, version) == [
            (
                f"model_config_list[0].config.{key}",
                "additionalProperties",
                f"it is gone since 2026.3, and this is {shown}: {gone}",
            )
        ]


def test_a_base_path_may_be_missing_and_graphs_stand_among_models_since_2025_1() -> None:
    assert problems(models({"name": "g", "graph_path": "g.pbtxt"}), (2025, 1)) == []
    assert problems(models({"name": "g", "graph_path": "g.pbtxt"}), (2025, 0)) == [
        (
            "model_config_list[0].config.graph_path",
            "additionalProperties",
            "it is there since 2025.1, and this is 2025.0: put it into mediapipe_config_list",
        ),
        ("model_config_list[0].config.base_path", "required", "base_path is missing"),
    ]
    assert problems(models(mediapipe_config_list=[{"name": "g"}]), (2024, 0)) == []


def test_families_of_metrics_have_their_versions() -> None:
    assert "ovms_current_graphs" not in default_families((2024, 4))
    assert "ovms_current_graphs" in default_families((2024, 5))
    assert "ovms_graph_error" in default_families((2025, 0))
    assert default_families((2025, 0)) > default_families((2024, 5))
    assert "ovms_infer_req_active" not in default_families(NEWEST)
    assert unknown_families(["ovms_infer_req_active", "ovms_speed"], NEWEST) == ["ovms_speed"]


# -- the command line

SERVE = ["--config_path", "/c.json", "--port", "9000", "--rest_port", "8000"]


def test_options_and_their_values() -> None:
    words = ["--port=9000", "--metrics_enable", "--rest_port", "8000", "--allow_credentials", "false", "--layout", "-1"]
    assert given(words, NEWEST) == (
        {"port": "9000", "metrics_enable": "true", "rest_port": "8000", "allow_credentials": "false", "layout": "-1"},
        [],
    )


@pytest.mark.parametrize(
    ("words", "version", "path", "said"),
    [
        (["--rest_prot", "1"], NEWEST, "--rest_prot", "OVMS 2026.4 has no such option; did you mean --rest_port?"),
        (["stray"], NEWEST, "stray", "it belongs to no option"),
        (["--port", "many"], NEWEST, "--port", "it takes a whole number from 0 on, not 'many'"),
        (["--port", "-1"], NEWEST, "--port", "it takes a whole number from 0 on, not '-1'"),
        (["--port"], NEWEST, "--port", "it takes a whole number from 0 on, not ''"),
        (["--metrics_enable=yes"], NEWEST, "--metrics_enable", "it takes true or false, not 'yes'"),
        (["--guidance_scale", "big"], NEWEST, "--guidance_scale", "it takes a number, not 'big'"),
        (["--config_path", "--port", "1"], NEWEST, "--config_path", "it takes a value, not ''"),
        (
            ["--stateful"],
            (2026, 3),
            "--stateful",
            "it is gone since 2026.3, and this is 2026.3: leave it out; stateful models are served by images up to "
            "2026.2",
        ),
        (["--task", "rerank"], (2025, 1), "--task", "it is there since 2025.2, and this is 2025.1"),
        (["--api_key_file", "/k"], (2025, 3), "--api_key_file", "it is there since 2025.4, and this is 2025.3"),
        (
            ["--mean_pooling", "x"],
            (2025, 3),
            "--mean_pooling",
            "it is gone since 2025.3, and this is 2025.3: write --pooling",
        ),
    ],
)
def test_what_is_no_option(words: list[str], version: Any, path: str, said: str) -> None:
    (problem,) = given(words, version)[1]
    assert (problem.path, problem.words) == ((path,), said)


def test_what_a_shell_makes_of_a_value_is_not_judged() -> None:
    assert given(["--port", "${PORT:-9000}"], NEWEST)[1] == []


@pytest.mark.parametrize(
    ("words", "said", "instead"),
    [
        ([*SERVE, "--model_name", "a"], "Use either config_path or model_path with model_name", "leave one"),
        (["--port", "9000"], "Use config_path or model_path with model_name", "say what is served"),
        (
            ["--model_name", "a", "--port", "9000"],
            "Use config_path or model_path with model_name",
            "say what is served",
        ),
        (
            [*SERVE, "--nireq", "2", "--target_device", "CPU"],
            "Model parameters in CLI are exclusive with the config file",
            "write nireq, target_device into the configuration file",
        ),
        (
            [*SERVE[:4], "--metrics_enable"],
            "rest_port setting is missing, metrics are enabled on rest port",
            "add --rest_port",
        ),
        (
            [*SERVE, "--metrics_list", "ovms_streams"],
            "metrics_enable setting is missing, required when metrics_list is provided",
            "add --metrics_enable",
        ),
        (SERVE[:2], "port and rest_port cannot both be unset", "add --port or --rest_port"),
        ([*SERVE[:4], "--rest_port", "9000"], "port and rest_port cannot have the same values", "give each"),
        ([*SERVE[:2], "--port", "70000"], "port number out of range from 0 to 65535", "write a port number"),
        ([*SERVE[:2], "--port", "9" * 5000], "port number out of range from 0 to 65535", "write a port number"),
        ([*SERVE, "--log_level", "LOUD"], "log_level should be one of: TRACE, DEBUG, INFO, WARNING, ERROR", "write"),
        ([*SERVE, "--rest_workers", "1"], "rest_workers count should be from 2 on", "raise it"),
        ([*SERVE[:4], "--rest_workers", "4"], "rest_workers is set but rest_port is not set", "add --rest_port"),
        ([*SERVE, "--grpc_workers", "0"], "grpc_workers count should be from 1 to CPU core count", "raise it"),
        ([*SERVE, "--mean", "1"], "--mean parameter requires --layout to be set", "add --layout"),
        (
            ["--source_model", "o/m", "--model_repository_path", "/m", "--task", "sing", "--rest_port", "8000"],
            "--task parameter unsupported value: sing",
            "write one of text_generation, embeddings, rerank, image_generation, text2speech, speech2text",
        ),
    ],
)
def test_what_options_say_against_each_other(words: list[str], said: str, instead: str) -> None:
    (found,) = contradictions(given(words, NEWEST)[0], NEWEST)
    assert found[0] == said
    assert found[1].startswith(instead)


def test_options_that_go_together() -> None:
    for words in (
        SERVE,
        ["--model_name", "a", "--model_path", "/a", "--rest_port", "8000", "--metrics_enable"],
        ["--source_model", "o/m", "--model_repository_path", "/m", "--rest_port", "8000"],
        ["--source_model", "o/m", "--model_repository_path", "/m", "--task", "embeddings", "--rest_port", "8000"],
        ["--pull", "--source_model", "o/m", "--model_repository_path", "/m"],
        ["--help"],
    ):
        assert list(contradictions(given(words, NEWEST)[0], NEWEST)) == []


def test_versions_differ_in_what_they_infer() -> None:
    words = ["--source_model", "o/m", "--model_repository_path", "/m", "--rest_port", "8000"]
    (found,) = contradictions(given(words, (2026, 2))[0], (2026, 2))
    assert found[0] == "--source_model should be used combined with --task"
    assert list(contradictions({"config_path": "/c"}, (2025, 0))) == []
    assert (port({}, "port", (2025, 0)), port({}, "port", (2025, 1)), port({}, "rest_port", (2025, 0))) == (9178, 0, 0)


def test_what_starts_no_server() -> None:
    assert managed({"config_path": "/c", "pull": "false"}) is None
    assert managed({"pull": "true", "source_model": "o/m"}) == "pull"


def test_every_option_is_declared_once() -> None:
    assert len({option.name for option in OPTIONS}) == len(OPTIONS)
