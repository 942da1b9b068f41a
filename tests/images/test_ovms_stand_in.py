# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OVMS stand-in, in a container: interfaces, models, metrics, log lines, exit codes."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from containers import Run, Started, archive
from prometheus_client.parser import text_string_to_metric_families

CHECKS = Path(__file__).parent / "checks"
REST, GRPC = 8000, 9000
CONFIG = {
    "model_config_list": [
        {"config": {"name": "face-detection", "base_path": "/models/face-detection"}},
        {"config": {"name": "classifier", "base_path": "../models/classifier", "layout": "NHWC:NCHW", "nireq": 2}},
        {"config": {"name": "batched", "base_path": "/models/dummy", "batch_size": "auto", "target_device": "AUTO"}},
        {"config": {"name": "reshaped", "base_path": "/models/dummy", "shape": "(3,10)"}},
        {"config": {"name": "on-gpu", "base_path": "/models/dummy", "target_device": "GPU"}},
        {"config": {"name": "nowhere", "base_path": "/models/nowhere"}},
    ]
}
LOADED = ["batched", "classifier", "face-detection", "reshaped"]
FLAGS = ("--config_path", "/config/config.json", "--port", GRPC, "--rest_port", REST)


@pytest.fixture(scope="module")
def server(run: Run, place: Started, models: Any) -> Started:
    """A server with good models and bad ones."""
    started = run(
        "ovms-stand-in",
        *FLAGS,
        *("--metrics_enable", "--metrics_list", "ovms_requests_success,ovms_requests_fail,ovms_request_time_us,"
          "ovms_inference_time_us,ovms_wait_for_infer_req_time_us,ovms_streams,ovms_infer_req_queue_size"),
        files={"/config/config.json": json.dumps(CONFIG)},
        volumes={models.name: {"bind": "/models", "mode": "ro"}},
        network_mode=f"container:{place.container.id}",
    )  # fmt: skip
    started.wait_for("ServableManagerModule started")
    return started


def get(place: Started, path: str, port: int = REST) -> tuple[int, str]:
    """GET by REST from this machine: status and body."""
    try:
        with urllib.request.urlopen(f"http://{place.address}:{port}{path}", timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_what_the_image_is(client: Any, image: Any) -> None:
    config = client.images.get(image("ovms-stand-in")).attrs["Config"]
    assert config["Entrypoint"] == ["/ovms/bin/ovms"]
    assert config["Labels"]["retail.profiles.stand_in"] == "openvino/model_server"
    assert not config.get("ExposedPorts") and not config.get("Healthcheck")


def test_the_user_is_5000(run: Run) -> None:
    code, log = run("ovms-stand-in", "-c", "id -u; id -un", entrypoint=["sh"]).end()
    assert (code, log.split()) == (0, ["5000", "ovms"])


def test_no_telemetry_in_the_image(run: Run) -> None:
    code, _log = run("ovms-stand-in", "-c", "import openvino_telemetry", entrypoint=["python3"]).end()
    assert code == 1


def test_log_lines_in_their_order(server: Started) -> None:
    log = server.container.logs().decode()
    positions = [
        log.index(text)
        for text in (
            f"Started gRPC server on port {GRPC}",
            f"Started REST server at 0.0.0.0:{REST}",
            'STATUS CHANGE: Version 1 of model face-detection status change. New status: ( "state": "AVAILABLE"',
            "ServableManagerModule started",
        )
    ]
    assert positions == sorted(positions)


def test_health_and_readiness(server: Started, place: Started) -> None:
    assert get(place, "/v2/health/live")[0] == 200
    assert get(place, "/v2/health/ready")[0] == 200
    for name in LOADED:
        assert get(place, f"/v2/models/{name}/ready")[0] == 200, name


def test_models_that_cannot_be_loaded_leave_it_running(server: Started, place: Started) -> None:
    assert get(place, "/v2/models/on-gpu/ready")[0] == 404
    assert get(place, "/v2/models/on-gpu/versions/1/ready")[0] == 404
    assert get(place, "/v2/models/nowhere/ready")[0] == 404
    states = json.loads(get(place, "/v1/config")[1])
    assert sorted(states) == sorted([*LOADED, "on-gpu", "nowhere"])
    (version,) = states["on-gpu"]["model_version_status"]
    assert (version["state"], version["status"]["error_code"]) == ("LOADING", "UNKNOWN")
    assert states["nowhere"] == {"model_version_status": []}
    for name in LOADED:
        assert [version["state"] for version in states[name]["model_version_status"]] == ["AVAILABLE"]


@pytest.mark.parametrize("check", sorted(CHECKS.glob("grpc_*.py")), ids=lambda path: path.stem)
def test_grpc(run: Run, server: Started, place: Started, check: Path) -> None:
    """The checks run in the image, which has grpc and the decoder of images."""
    checker = run(
        "ovms-stand-in",
        f"/checks/{check.name}",
        entrypoint=["python3"],
        files={f"/checks/{path.name}": path.read_text() for path in CHECKS.glob("*.py")},
        network_mode=f"container:{place.container.id}",
    )
    code, log = checker.end()
    assert code == 0, log
    assert log.rstrip().endswith("checked"), log


def test_metrics_tell_of_requests(run: Run, server: Started, place: Started) -> None:
    def counts() -> dict[str, float]:
        families = text_string_to_metric_families(get(place, "/metrics")[1])
        return {
            sample.name: sample.value
            for family in families
            for sample in family.samples
            if sample.labels.get("name") == "face-detection"
            and sample.labels.get("method", "ModelInfer") == "ModelInfer"
            and sample.labels.get("interface", "REST") == "REST"
        }

    before = counts()
    body = {"inputs": [{"name": "data", "shape": [1, 3, 300, 300], "datatype": "FP32", "data": [0.5] * 270000}]}
    url = f"http://{place.address}:{REST}/v2/models/face-detection/infer"
    with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=60) as answer:
        (output,) = json.loads(answer.read())["outputs"]
    assert output["shape"] == [1, 1, 200, 7]
    after = counts()
    # prometheus_client adds the _total that OVMS leaves out.
    for name in ("ovms_requests_success_total", "ovms_inference_time_us_count", "ovms_request_time_us_count"):
        plain = name if name in after else name.removesuffix("_total")
        assert after[plain] - before[plain] == 1, name
    assert after["ovms_inference_time_us_sum"] > before["ovms_inference_time_us_sum"]
    # Only what --metrics_list names is there.
    assert (after["ovms_streams"], after["ovms_infer_req_queue_size"]) == (1, 1)
    assert "ovms_current_requests" not in get(place, "/metrics")[1]


def ends(run: Run, *args: Any, **options: Any) -> tuple[int, str]:
    return run("ovms-stand-in", *args, **options).end()


def test_help_and_version_end_with_0(run: Run) -> None:
    code, log = ends(run, "--help")
    assert code == 0 and "--config_path" in log
    code, log = ends(run, "--version")
    assert code == 0 and "OpenVINO Model Server" in log


@pytest.mark.parametrize("flags", [["--nonsense"], ["--port", "9000"], [*FLAGS, "--nireq", "1"]])
def test_usage_errors_end_with_64(run: Run, flags: list[Any]) -> None:
    assert ends(run, *flags)[0] == 64


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (None, "Configuration file not found or cannot open"),
        ("{", "not a valid JSON file"),
        (json.dumps({"model_config_list": [{**CONFIG["model_config_list"][0], "latest": {}}]}), "additionalProperties"),
        (json.dumps({"model_config_list": [], "monitoring": {"metrics": {"enable": True}}}), "duplicated"),
    ],
)
def test_bad_configurations_end_with_1(run: Run, config: str | None, message: str) -> None:
    files = {"/config/config.json": config} if config is not None else None
    code, log = ends(run, *FLAGS, "--metrics_enable", files=files)
    assert (code, message in log, "Traceback" in log) == (1, True, False), log


def test_metrics_of_the_file_without_rest_port_end_with_1(run: Run) -> None:
    config = json.dumps({"model_config_list": [], "monitoring": {"metrics": {"enable": True}}})
    code, log = ends(run, *FLAGS[:4], files={"/config/config.json": config})
    assert (code, "rest_port is not defined" in log) == (1, True), log


@pytest.mark.parametrize("ports", [("--port", GRPC), ("--rest_port", REST), ("--port", REST), ("--rest_port", GRPC)])
def test_a_busy_port_ends_with_1(run: Run, server: Started, place: Started, ports: tuple[Any, ...]) -> None:
    code, log = ends(
        run,
        *("--config_path", "/config/config.json", *ports),
        files={"/config/config.json": '{"model_config_list": []}'},
        network_mode=f"container:{place.container.id}",
    )
    assert (code, f":{ports[1]}" in log, "Traceback" in log) == (1, True, False), log


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGINT"])
def test_signals_end_it_with_0(run: Run, models: Any, signal: str) -> None:
    started = run(
        "ovms-stand-in",
        *("--model_name", "d", "--model_path", "/models/dummy", "--port", GRPC),
        volumes={models.name: {"bind": "/models", "mode": "ro"}},
    )
    started.wait_for("ServableManagerModule started")
    code, log = started.end(signal)
    assert (code, "Traceback" in log) == (0, False), log
    assert "Version 1 of model d" in log


def test_it_binds_where_it_is_told(run: Run, place: Started, models: Any) -> None:
    started = run(
        "ovms-stand-in",
        *("--model_name", "d", "--model_path", "/models/dummy", "--port", 9100, "--rest_port", 8100),
        *("--rest_bind_address", "127.0.0.1", "--grpc_bind_address", "127.0.0.1,127.0.0.2"),
        volumes={models.name: {"bind": "/models", "mode": "ro"}},
        network_mode=f"container:{place.container.id}",
    )
    started.wait_for("ServableManagerModule started")
    with pytest.raises(urllib.error.URLError, match="refused"):
        get(place, "/v2/health/live", port=8100)
    inside = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8100/v2/health/live').status)"
    assert started.container.exec_run(["python3", "-c", inside]).output.split() == [b"200"]


def test_it_follows_its_files(run: Run, models: Any) -> None:
    """A new version is served, the old one retired; a model taken out of the file goes; a bad file changes nothing."""
    path = "/config/config.json"
    started = run(
        "ovms-stand-in",
        *("--config_path", path, "--port", GRPC, "--file_system_poll_wait_seconds", 1),
        files={
            path: json.dumps({"model_config_list": [{"config": {"name": "d", "base_path": "/repository/d"}}]}),
            "/repository/README": "",
        },
        volumes={models.name: {"bind": "/models", "mode": "ro"}},
    )

    def shell(command: str) -> None:
        code, output = started.container.exec_run(["sh", "-ec", command], user="0:0")
        assert code == 0, output

    started.wait_for("ServableManagerModule started")
    # Made aside and moved: a version that is half there would be tried, and fail.
    shell("mkdir /repository/d && cp -r /models/dummy/1 /repository/new && mv /repository/new /repository/d/1")
    started.wait_for('Version 1 of model d .*"AVAILABLE"')
    shell("cp -r /models/dummy/1 /repository/new && mv /repository/new /repository/d/2")
    started.wait_for('Version 2 of model d .*"AVAILABLE"')
    started.wait_for('Version 1 of model d .*"END"')
    assert started.container.put_archive("/", archive({path: "{"}))
    started.wait_for("Couldn't apply the changed configuration")
    assert started.container.put_archive("/", archive({path: '{"model_config_list": []}'}))
    started.wait_for('Version 2 of model d .*"END"')
    assert started.end("SIGTERM")[0] == 0


@pytest.mark.parametrize(("version", "is_served"), [("2025.4", False), ("2026.4", True)])
def test_it_keeps_the_rules_of_either_version(run: Run, models: Any, version: str, is_served: bool) -> None:
    """A model without a version folder, and one that is stateful."""
    options = {
        "volumes": {models.name: {"bind": "/models", "mode": "ro"}},
        "environment": {"OVMS_STAND_IN_AS": version},
    }
    single = ("--model_name", "d", "--model_path", "/models/dummy/1", "--port", GRPC)
    started = run("ovms-stand-in", *single, **options)
    started.wait_for("ServableManagerModule started")
    code, log = started.end("SIGTERM")
    chosen = "No target device specified for model: d; version: 1; using recommended device: CPU"
    assert (code, "Version 1 of model d" in log, chosen in log) == (0, is_served, is_served), log
    config = {"model_config_list": [{"config": {"name": "d", "base_path": "/models/dummy", "stateful": True}}]}
    files = {"/config/config.json": json.dumps(config)}
    if is_served:
        code, log = ends(run, "--as", version, *FLAGS, files=files)
        assert (code, "Key: #/model_config_list/0/config/stateful" in log) == (1, True), log
