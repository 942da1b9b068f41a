# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Model servers of generative models: under which name they serve, and what they are asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from .server import Server


def test_a_model_that_is_downloaded_is_served_by_its_name(server: Server) -> None:
    words = ("--source_model", "OpenVINO/Qwen3-8B-int4-ov", "--model_repository_path", "/models", "--rest_port", 8000)
    entry: dict[str, Any] = {"volumes": ["models:/models"], "ports": {"rest": 8000}}
    assert server.probe(*words, image="openvino/model_server", **entry)["models"] == ["OpenVINO/Qwen3-8B-int4-ov"]
    with pytest.raises(ProfileError, match="--source_model should be used combined with --task: add --task, one of"):
        server.plan(*words, **entry)


def test_a_model_folder_with_a_task_needs_no_name_from_2026_2_on(server: Server) -> None:
    words = ("--model_path", "/models/qwen", "--task", "text_generation", "--rest_port", 8000)
    entry: dict[str, Any] = {"volumes": ["models:/models"], "ports": {"rest": 8000}, "ready": {"tcp": "rest"}}
    server.plan(*words, image="openvino/model_server:2026.2", **entry)
    with pytest.raises(ProfileError, match="Use config_path or model_path with model_name: say what is served"):
        server.plan(*words, image="openvino/model_server:2026.1", **entry)


def test_a_server_that_only_pulls_is_waited_for_until_it_has_exited(server: Server) -> None:
    words = ("--pull", "--source_model", "o/m", "--model_repository_path", "/models", "--task", "text_generation")
    entry: dict[str, Any] = {"volumes": ["models:/models"], "image": "openvino/model_server:2026.4"}
    for ready in ({"ovms_models": "all"}, {"log": "done"}):
        with pytest.raises(ProfileError, match="with --pull the server ends when that is done: write 'exited: true'"):
            server.plan(*words, ready=ready, **entry)
    assert [probe["kind"] for probe in server.replica(*words, ready={"exited": True}, **entry)["ready"]] == ["exited"]
    with pytest.raises(ProfileError, match="port and rest_port cannot both be unset"):
        server.plan("--pull=false", *words[1:], **entry)


def test_one_request_of_one_token(server: Server) -> None:
    server.config("det", mediapipe_config_list=[{"name": "org/llm", "base_path": "llm"}, {"name": "b"}])
    server.file("det/1/m.xml")
    ready = {"ovms_models": "all", "generates": "all", "timeout": "5m"}
    models, *asked = server.replica(ready=ready)["ready"]
    assert models["models"] == ["b", "det", "org/llm"]
    assert [(probe["kind"], probe["models"], probe["timeout"]) for probe in asked] == [
        ("generates", ["b"], 300.0),
        ("generates", ["org/llm"], 300.0),
    ]
    assert {(probe["port"], probe["path"]) for probe in asked} == {(8000, "/v3/chat/completions")}
    assert json.loads(asked[1]["body"]) == {
        "model": "org/llm",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 1,
    }


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        ("/v3/completions", {"prompt": "Hi", "max_tokens": 1}),
        ("/v3/embeddings", {"input": "Hi"}),
        ("/v3/rerank", {"query": "Hi", "documents": ["Hi"]}),
    ],
)
def test_what_is_asked_of_other_tasks(server: Server, path: str, request_: Any) -> None:
    server.config(mediapipe_config_list=[{"name": "m"}])
    probe = server.probe(ready={"generates": {"models": ["m"], "path": path}})
    assert json.loads(probe["body"]) == {"model": "m", **request_}


def test_consumers_do_not_ask_for_tokens(server: Server) -> None:
    server.config(mediapipe_config_list=[{"name": "m"}])
    client = {"name": "c", "image": "example/c:1", "depends_on": ["s"], "hosts": "h2", "networks": ["host"]}
    client["args"] = ["--grpc", "s:9000", "--rest", "s:8000"]
    entry = {**server.entry, "networks": ["host"], "ready": {"generates": ["m"]}}
    server.world.write("p", yaml.safe_dump({"containers": [entry, client]}))
    server.world.groups = {"all": ["h1", "h2"]}
    reach = server.world.plan("p")["replicas"]["p-c-1"]["reach"]
    assert sorted((probe["kind"], probe["port"]) for probe in reach) == [("tcp", 8000), ("tcp", 9000)]


def test_a_key_in_the_open_is_a_warning(server: Server) -> None:
    server.config()
    warning = "p-s-1: API_KEY is a key, and stands in the plan: give it in secret_env"
    assert server.plan(env={"API_KEY": "k"})["warnings"] == [warning]
    assert server.plan(secret_env={"API_KEY": "{{ k }}"})["warnings"] == []
