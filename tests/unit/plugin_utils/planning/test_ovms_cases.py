# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Model servers as people describe them: what of it plans, with which readiness, and what is refused by version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError

from ..world import World
from .server import Server

GPUS = {"h1": {"devices": {"render": ["/dev/dri/renderD128"]}}}
GRAPH = 'node { name: "LLM" node_options: { [type.googleapis.com/mediapipe.LLMCalculatorOptions]: { device: "GPU" } } }'


# -- graphs


def test_graphs_are_served_names_too(server: Server) -> None:
    server.config(mediapipe_config_list=[{"name": "org/small-llm", "base_path": "org/small-llm"}])
    server.file("org/small-llm/graph.pbtxt", "")
    found = server.probe(
        "--config_path", "/models/config.json", "--rest_port", 9001, ports={"rest": 9001}, image="openvino/model_server"
    )
    assert found == {"kind": "ovms_models", "port": 9001, "protocol": "rest", "models": ["org/small-llm"]}


def test_a_graph_among_models_has_no_versions_and_base_paths_default(server: Server) -> None:
    server.config({"name": "g", "graph_path": "graphs/g.pbtxt"}, "resnet", "folder")
    server.file("resnet/1/m.xml")
    server.file("folder/graph.pbtxt")
    made = server.plan()
    assert made["replicas"]["p-s-1"]["ready"][0]["models"] == ["folder", "g", "resnet"]
    assert made["warnings"] == ["p-s-1: graph g: its file /models/g/graphs/g.pbtxt is not in m"]


def test_graphs_among_models_need_2025_1(server: Server) -> None:
    server.config({"name": "g", "base_path": "/models/g", "graph_path": "g.pbtxt"})
    with pytest.raises(ProfileError) as caught:
        server.plan(image="openvino/model_server:2024.5")
    assert "m/config.json:7: model_config_list[0].config.graph_path: it is there since 2025.1" in str(caught.value)
    assert "put it into mediapipe_config_list" in str(caught.value)


def test_a_pipeline_is_a_served_name(server: Server) -> None:
    server.config(pipeline_config_list=[{"name": "p", "nodes": [], "inputs": [], "outputs": []}])
    assert server.probe()["models"] == ["p"]


def test_the_device_that_a_graph_names_is_given_and_stays(server: Server) -> None:
    server.config(
        {"name": "det", "base_path": "/srv/det"},
        mediapipe_config_list=[{"name": "llm", "base_path": "llm"}],
    )
    server.file("llm/graph.pbtxt", f'# device: "NPU"\n{GRAPH}')
    with pytest.raises(
        ProfileError,
        match=r"yml:\d+, host h1, container s, field target_device: the host has no GPU .*: it has none; "
        r"llm is put on GPU by /models/llm/graph.pbtxt$",
    ):
        server.plan()
    server.world.snapshot = GPUS
    found = server.replica()
    assert [item.partition(":")[0] for item in found["task"]["devices"]] == ["/dev/dri/renderD128"]
    assert found["models"] == {"det": None, "llm": "GPU"}
    made = server.plan(target_device="CPU")
    assert made["replicas"]["p-s-1"]["models"] == {"det": "CPU", "llm": "GPU"}
    assert [item.partition(":")[0] for item in made["replicas"]["p-s-1"]["task"]["devices"]] == ["/dev/dri/renderD128"]
    assert made["warnings"] == ["p-s-1: graph llm stays on GPU: /models/llm/graph.pbtxt names it, not CPU"]
    server.config({"name": "llm"})  # among the models: no target_device is written into it
    made = server.plan(target_device="CPU")
    assert [mount for mount in made["replicas"]["p-s-1"]["task"]["volumes"] if "config.json" in mount] == []


def test_a_graph_given_by_options_gets_no_target_device(server: Server) -> None:
    server.file("llm/graph.pbtxt", GRAPH)
    server.world.snapshot = GPUS
    single = ("--model_name", "llm", "--model_path", "/models/llm", "--rest_port", 8000)
    found = server.replica(*single, target_device="GPU", ports={"rest": 8000})
    assert found["task"]["command"] == [str(word) for word in single]
    assert found["models"] == {"llm": "GPU"}
    found = server.replica(*single, "--task", "text_generation", target_device="GPU", ports={"rest": 8000})
    assert found["task"]["command"][-2:] == ["--target_device", "GPU"]


# -- "all" of nothing


def test_all_of_nothing_waits_for_the_server(server: Server) -> None:
    server.config()
    assert server.probe() == {"kind": "grpc", "port": 9000}
    rest = server.probe("--config_path", "/models/config.json", "--rest_port", 8000, ports={"rest": 8000})
    assert rest == {"kind": "http", "port": 8000, "path": "/v2/health/ready", "status": 200}


def test_the_servers_options_name_its_ports_where_the_profile_does_not(server: Server) -> None:
    server.config("a")
    server.file("a/1/m.xml")
    words = ("--config_path", "/models/config.json", "--rest_port", 8000)
    found = server.probe(*words, ports={"web": 8000})
    assert found == {"kind": "ovms_models", "port": 8000, "protocol": "rest", "models": ["a"]}
    assert server.probe(*words, ports={}, ready={"generates": ["a"]})["port"] == 8000
    with pytest.raises(ProfileError, match="name its port 'grpc' or 'rest' in 'ports'"):
        server.plan("--port", 9000, ports={}, ready={"ovms_models": ["a"]}, image="example/other:1")


# -- folders of models


def test_version_folders_are_optional_since_2026_3(server: Server) -> None:
    server.config({"name": "det", "base_path": "/models/det"})
    server.file("det/det.xml")
    server.file("det/det.bin")
    with pytest.raises(ProfileError) as caught:
        server.plan(image="openvino/model_server:2026.2")
    said = "model det: m/det has no version folder (such as m/det/1), which it needs not from 2026.3 on"
    assert str(caught.value).endswith(said)
    assert server.probe(image="openvino/model_server:2026.3")["models"] == ["det"]
    assert server.probe(image="openvino/model_server:latest")["models"] == ["det"]


def test_a_base_path_may_be_the_models_file_since_2026_3(server: Server) -> None:
    server.config({"name": "det", "base_path": "det/det.xml"})
    server.file("det/det.xml")
    assert server.probe(image="openvino/model_server:2026.4")["models"] == ["det"]
    with pytest.raises(ProfileError, match=r"m/det/det.xml has no version folder .* which it needs not from 2026.3 on"):
        server.plan()


def test_a_folder_without_any_model_is_refused_by_every_version(server: Server) -> None:
    server.config("det")
    server.file("det/notes.txt")
    with pytest.raises(ProfileError, match=r"model det: m/det has neither a version folder nor a model"):
        server.plan(image="openvino/model_server:2026.4")


def test_host_paths_need_a_version_folder_where_the_version_does(server: Server) -> None:
    server.config({"name": "a", "base_path": "/srv/a"}, mediapipe_config_list=[{"name": "g", "base_path": "/srv/g"}])
    volumes = ["./m:/models:ro", "/srv:/srv:ro"]

    def looked_for(image: str) -> dict[str, str | None]:
        found = server.plan(volumes=volumes, image=image)["hosts"]["h1"]["paths"]
        return {item["path"]: item["model"] for item in found}

    assert looked_for("openvino/model_server:2025.4") == {"/srv": None, "/srv/a": "a", "/srv/g": None}
    assert looked_for("openvino/model_server:2026.3") == {"/srv": None, "/srv/a": None, "/srv/g": None}


@pytest.mark.parametrize("scheme", ["s3", "gs", "az", "azfs"])
def test_a_model_in_a_cloud_is_no_path(server: Server, scheme: str) -> None:
    server.config({"name": "a", "base_path": f"{scheme}://bucket/models/a"})
    made = server.plan()
    assert made["replicas"]["p-s-1"]["ready"][0]["models"] == ["a"]
    assert [item["path"] for item in made["hosts"]["h1"]["paths"]] == []
    single = ("--model_name", "b", "--model_path", f"{scheme}://bucket/b", "--port", 9000, "--rest_port", 8000)
    assert server.probe(*single, volumes=["/:/host:ro"])["models"] == ["b"]


def test_a_name_that_is_there_twice_is_a_warning(server: Server) -> None:
    server.config("a", "a")
    server.file("a/1/m.xml")
    assert server.plan()["warnings"] == ["p-s-1: a is there twice: the server loads the first of them"]


# -- what a version refuses


def test_a_configuration_is_checked_with_line_and_key(server: Server) -> None:
    server.config(
        {"name": "a", "base_path": "/models/a", "layouts": "NHWC", "target_device": ["GPU"]},
        monitoring={"metrics": {}},
    )
    with pytest.raises(ProfileError) as caught:
        server.plan()
    words = str(caught.value)
    assert "profile.yml:" in words and ", container s, field volumes: m/config.json is not an OVMS" in words
    assert words.partition("configuration of 2025.4: ")[2].split("; m/") == [
        "m/config.json:7: model_config_list[0].config.layouts: OVMS 2025.4 has no such key here; did you mean layout?",
        "config.json:8: model_config_list[0].config.target_device: "
        "it takes a text, such as GPU or AUTO:GPU,CPU, not a list",
        "config.json:15: monitoring.metrics.enable: enable is missing",
    ]


def test_what_is_no_json_is_told_with_its_line(server: Server) -> None:
    server.file("config.json", '{"model_config_list": [\n],\n}')
    with pytest.raises(
        ProfileError,
        match=r"m/config.json is not an OVMS configuration of 2025.4: m/config.json:3: this is not valid JSON",
    ):
        server.plan()


def test_a_key_that_stands_twice_and_a_byte_order_mark_are_told_with_their_line(server: Server) -> None:
    server.file("config.json", '{"model_config_list": [\n{"config": {"name": "a",\n"name": "b"}}]}')
    with pytest.raises(
        ProfileError, match=r"m/config.json:3: this is not valid JSON: the key 'name' stands here twice"
    ):
        server.plan()
    server.file("config.json", '\ufeff{"model_config_list": []}')
    with pytest.raises(
        ProfileError, match=r"m/config.json:1: it begins with a byte order mark, which OVMS does not read"
    ):
        server.plan()


def test_a_model_that_only_a_pipeline_names_is_told(server: Server) -> None:
    node = {"name": "n", "model_name": "b", "type": "DL model", "inputs": [], "outputs": []}
    pipelines = [{"name": "p", "nodes": [node], "inputs": [], "outputs": []}]
    server.config({"name": "a", "base_path": "/models/a"}, pipeline_config_list=pipelines)
    server.file("a/1/m.xml")
    assert "p-s-1: pipeline p: node n names the model b, which is not there" in server.plan()["warnings"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--port", 9001), "grpc is 9000 here, but --port is 9001: write the same in both"),
        (("--rest_port", 8000), "grpc is 9000 here, but --port is not given, which switches it off"),
    ],
)
def test_a_port_at_which_the_server_does_not_listen_is_refused(
    server: Server, words: tuple[Any, ...], said: str
) -> None:
    server.config({"name": "a", "base_path": "/models/a"})
    server.file("a/1/m.xml")
    with pytest.raises(ProfileError, match=f"yml:.*, container s, field ports: {said}"):
        server.plan("--config_path", "/models/config.json", *words)
    unknown = server.plan("--config_path", "/models/config.json", "--port", "$PORT", "--rest_port", 8000)
    assert unknown["replicas"]


def test_options_with_one_dash_are_told(server: Server) -> None:
    server.config()
    with pytest.raises(ProfileError, match="field args: -model_name: it belongs to no option"):
        server.plan("-model_name", "m", "-model_path", "/m")


def test_a_model_that_is_waited_for_and_not_served_is_refused(server: Server) -> None:
    server.config({"name": "a", "base_path": "/models/a"})
    server.file("a/1/m.xml")
    with pytest.raises(ProfileError, match=r"field ready: ovms_models: b is not served: m/config.json has a$"):
        server.plan(ready={"ovms_models": ["a", "b"]})


@pytest.mark.parametrize(
    ("monitoring", "said"),
    [
        ({}, "fails: prometheus: nothing shows its metrics: name its port 'metrics' in 'ports', or switch"),
        (
            {"monitoring": {"metrics": {"enable": True, "metrics_list": ["ovms_streams"]}}},
            "fails: prometheus: the server does not show ovms_requests_fail: add it to its list of metrics",
        ),
    ],
)
def test_a_metric_that_nothing_shows_is_refused(server: Server, monitoring: dict[str, Any], said: str) -> None:
    server.config({"name": "a", "base_path": "/models/a"}, **monitoring)
    server.file("a/1/m.xml")
    rule = {"prometheus": 'ovms_requests_fail{api="KServe"}'}
    with pytest.raises(ProfileError, match=f"field metrics: {said}"):
        server.plan(metrics={"fails": rule})
    assert server.plan(metrics={"fails": {**rule, "required": False}})["replicas"]
    server.config("a", monitoring={"metrics": {"enable": True}})
    assert server.plan(metrics={"fails": rule, "n": {"prometheus": "ovms_request_time_us_count"}})["replicas"]


def test_removed_options_are_refused_with_all_of_them(server: Server) -> None:
    server.config({"name": "a", "base_path": "/models/a", "stateful": True})
    server.file("a/1/m.xml")
    words = (
        "--config_path",
        "/models/config.json",
        "--port",
        9000,
        "--rest_port",
        8000,
        "--idle_sequence_cleanup",
        "false",
    )
    with pytest.raises(ProfileError) as caught:
        server.plan(*words, image="openvino/model_server:2026.3")
    assert "m/config.json:7: model_config_list[0].config.stateful: it is gone since 2026.3" in str(caught.value)
    assert "--idle_sequence_cleanup: it is gone since 2026.3" in str(caught.value)
    assert server.probe(*words, image="openvino/model_server:2026.2")["models"] == ["a"]


def test_an_option_is_told_with_its_line(server: Server) -> None:
    server.config()
    with pytest.raises(ProfileError) as caught:
        server.plan("--config_path", "/models/config.json", "--rest_prot", 8000)
    words = str(caught.value)
    assert words.endswith(
        "field args: --rest_prot: OVMS 2025.4 has no such option; did you mean --rest_port?; "
        "OVMS 2025.4 refuses its options: port and rest_port cannot both be unset: add --port or --rest_port"
    )
    file = Path(words.partition(".yml:")[0] + ".yml")
    number = int(words.partition(".yml:")[2].partition(",")[0])
    assert "--rest_prot" in file.read_text(encoding="utf-8").splitlines()[number - 1]


@pytest.mark.parametrize(
    ("args", "monitoring", "said"),
    [
        (("--metrics_enable", "--rest_port", 8000), {"enable": False}, "m/config.json has monitoring, too"),
        (("--port", 9000), {"enable": True}, "m/config.json switches metrics on, which needs --rest_port: add it"),
        (
            ("--metrics_enable", "--metrics_list", "ovms_speed", "--rest_port", 8000),
            None,
            "--metrics_list: OVMS 2025.4 has no metric 'ovms_speed'",
        ),
    ],
)
def test_metrics_that_end_the_server(server: Server, args: Any, monitoring: Any, said: str) -> None:
    server.config(**({"monitoring": {"metrics": monitoring}} if monitoring else {}))
    with pytest.raises(ProfileError, match=said):
        server.plan("--config_path", "/models/config.json", *args)


def test_a_configuration_that_is_not_shipped_with_its_folder_is_missed(server: Server) -> None:
    server.config()
    with pytest.raises(ProfileError, match=r"--config_path: m does not hold /models/conf\.json"):
        server.plan("--config_path", "/models/conf.json", "--port", 9000)


# -- metrics


def test_metrics_may_be_switched_on_in_the_file(server: Server) -> None:
    server.config("a", monitoring={"metrics": {"enable": True}})
    server.file("a/1/x.xml")
    target = server.replica()["prometheus"]
    assert (target["port"], target["path"]) == (8000, "/metrics")
    assert "ovms_requests_success" in target["families"]


# -- names, images, commands


def test_a_server_whose_options_stand_in_its_entrypoint(server: Server) -> None:
    words = ["--model_name", "m", "--model_path", "/models/m", "--port", 9000, "--rest_port", 8000, "--metrics_enable"]
    entry = {"entrypoint": ["/ovms/bin/ovms", *words], "args": [], "volumes": ["/srv/m:/models:ro"]}
    found = server.replica(**entry)
    assert found["ready"][0]["models"] == ["m"]
    assert (found["prometheus"]["port"], found["ovms"]) == (8000, True)
    server.world.snapshot = GPUS
    task = server.replica(**{**entry, "target_device": "GPU"})["task"]
    assert [*task["entrypoint"], *task["command"]] == ["/ovms/bin/ovms", *map(str, words), "--target_device", "GPU"]


@pytest.mark.parametrize("image", ["registry.example/ovms:1", "intel/openvino-model-server:2025.2"])
def test_a_server_by_another_name(server: Server, image: str) -> None:
    server.config("a", monitoring={"metrics": {"enable": True}})
    server.file("a/1/x.xml")
    found = server.replica(image=image)
    assert (found["ovms"], found["prometheus"]["port"], found["ready"][0]["models"]) == (True, 8000, ["a"])


def test_the_field_server_has_the_last_word(server: Server) -> None:
    server.config({"name": "a", "base_path": "/models/a", "stateful": True})
    server.file("a/1/x.xml")
    found = server.replica(image="registry.example/v7:1", server="ovms:2025.4", entrypoint=["/run.sh"])
    assert (found["ovms"], found["ready"][0]["models"]) == (True, ["a"])
    other = server.replica("--rest_prot", "1", server="none", ready={"tcp": "rest"})
    assert (other["ovms"], other["prometheus"]) == (False, None)
    with pytest.raises(ProfileError, match=r"field server: expected ovms, ovms:VERSION such as ovms:2025\.4, or none"):
        server.plan(server="triton")


def test_a_client_that_only_sounds_like_a_server(server: Server) -> None:
    image = "openvino/model_server-capi-gst-ovms:2024.5"
    server.file("config.json", "[]")
    found = server.replica("--input", "x", image=image, entrypoint=["/opt/run.sh"], ready={"tcp": "grpc"})
    assert (found["ovms"], found["models"]) == (False, {})


def test_a_command_in_a_shell_cannot_be_put_on_a_device(server: Server) -> None:
    text = "exec /ovms/bin/ovms --model_name m --model_path /srv/m --rest_port 8000"
    entry = {"entrypoint": ["sh", "-c", text], "args": [], "volumes": []}
    assert server.probe(**entry, ports={"rest": 8000})["models"] == ["m"]
    server.world.snapshot = GPUS
    with pytest.raises(ProfileError, match="its model cannot be put on GPU: a shell reads its options"):
        server.plan(**entry, ports={"rest": 8000}, target_device="GPU")


def test_a_compose_service_with_rest_only_is_waited_for(world: World) -> None:
    service = {
        "image": "openvino/model_server:2025.4",
        "command": "--model_name m --model_path /models/m --rest_port 8000",
        "volumes": ["/srv:/models"],
    }
    text = yaml.safe_dump({"services": {"s": service, "c": {"image": "debian", "depends_on": ["s"]}}})
    folder = world.root / "shop"
    folder.mkdir()
    (folder / "compose.yml").write_text(text, encoding="utf-8")
    (probe,) = world.plan_foreign(folder / "compose.yml")["replicas"]["d-s-1"]["ready"]
    assert (probe["kind"], probe["port"], probe["path"], probe["status"]) == ("http", 8000, "/v2/health/ready", 200)
