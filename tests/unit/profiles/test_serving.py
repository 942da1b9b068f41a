# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which versions the stand-in serves, what changes of files do, and requests by REST to a model of ours."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ovms_stand_in import repository
from ovms_stand_in.configfile import ConfigFile
from ovms_stand_in.faults import Fault, RequestError, StartError
from ovms_stand_in.inference import Inference
from ovms_stand_in.log import MANAGER, SERVING
from ovms_stand_in.manager import ModelManager, Watcher
from ovms_stand_in.metrics import KNOWN, Metrics
from ovms_stand_in.model import Array, TensorInfo, Timing
from ovms_stand_in.modelconfig import ModelConfig, VersionPolicy
from ovms_stand_in.rest_service import Routes


class PlusOne:
    """A model: 1×4 numbers, each plus one."""

    inputs: Mapping[str, TensorInfo] = {"b": TensorInfo("b", "FP32", (1, 4), ((1, 1), (4, 4)))}
    outputs: Mapping[str, TensorInfo] = {"a": TensorInfo("a", "FP32", (1, 4), ((1, 1), (4, 4)))}
    nireq = 1
    streams = 1

    def infer(self, inputs: Mapping[str, Array]) -> tuple[dict[str, Array], Timing]:
        return {"a": inputs["b"] + 1}, Timing(0.0, 0.001)


def load(config: ModelConfig, file: Path) -> PlusOne:
    if "bad" in file.read_text():
        raise RequestError(Fault.MODEL_NOT_LOADED, "bad")
    return PlusOne()


def write_version(base: Path, version: str, content: str = "fine") -> None:
    folder = base / version
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.xml").write_text(content)
    (folder / "model.bin").write_bytes(b"")


def model(base: Path, **settings: Any) -> ModelConfig:
    return ModelConfig(base.name, base, **settings)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    write_version(tmp_path / "m", "1")
    return tmp_path / "m"


@pytest.fixture
def manager() -> ModelManager:
    return ModelManager(load, Metrics(KNOWN))


def states(manager: ModelManager) -> dict[int, tuple[str, str]]:
    return {served.version: (served.state, served.error) for served in manager.states()["m"]}


def test_versions_are_folders_with_numbers(tmp_path: Path) -> None:
    for name in ("1", "10", "2", "x", "0", "-3", "1.5"):
        (tmp_path / name).mkdir()
    (tmp_path / "4").write_text("no folder")
    assert repository.versions(tmp_path) == (1, 2, 10)


def test_a_repository_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="Directory does not exist"):
        repository.versions(tmp_path / "none")
    with pytest.raises(RequestError, match="Not a single model version directory"):
        repository.versions(tmp_path)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (VersionPolicy(latest=1), (10,)),
        (VersionPolicy(latest=2), (2, 10)),
        (VersionPolicy(), (1, 2, 10)),
        (VersionPolicy(specific=(1, 7)), (1,)),
    ],
)
def test_policies_choose(policy: VersionPolicy, expected: tuple[int, ...]) -> None:
    assert repository.choose((10, 1, 2), policy) == expected


def test_version_folders_are_optional_since_2026_3(tmp_path: Path) -> None:
    write_version(tmp_path, "det")
    folder, file = tmp_path / "det", tmp_path / "det" / "model.xml"
    for path in (folder, file):
        for old in (ModelManager(load, Metrics(KNOWN), (2025, 4)), ModelManager(load, Metrics(KNOWN), (2026, 2))):
            old.apply(ConfigFile((ModelConfig("m", path),)))
            assert old.states() == {"m": []}
        new = ModelManager(load, Metrics(KNOWN), (2026, 4))
        new.apply(ConfigFile((ModelConfig("m", path),)))
        assert states(new) == {1: ("AVAILABLE", "OK")}
        assert not new.update_versions()
    with pytest.raises(RequestError, match="Could not find file"):
        repository.model_file(folder / "model.bin")


@pytest.mark.parametrize(("device", "chosen"), [("AUTO", False), ("", True)])
def test_the_log_says_on_which_device_a_model_is(
    manager: ModelManager,
    base: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    device: str,
    chosen: bool,
) -> None:
    for logger in (SERVING, MANAGER):
        monkeypatch.setattr(logger, "propagate", True)
    with caplog.at_level(logging.INFO):
        manager.apply(ConfigFile((model(base, target_device=device),)))
    said = [record.getMessage() for record in caplog.records]
    assert f"Loading model: m, version: 1, from path: {base}/1, with target device: {device} ..." in said
    line = "No target device specified for model: m; version: 1; using recommended device: CPU"
    assert (line in said) == chosen


def test_a_name_with_a_slash_is_one_segment_of_a_path(manager: ModelManager, base: Path) -> None:
    manager.apply(ConfigFile((ModelConfig("org/m", base),)))
    routes = Routes(Inference(manager, manager._metrics, "2026.4-stand-in"), lambda: True, lambda: False)
    assert ask(routes, "GET", "/v2/models/org%2Fm/ready")[0] == 200
    assert ask(routes, "GET", "/v2/models/org/m/ready")[0] != 200
    assert ask(routes, "GET", "/v2")[1] == {"name": "OpenVINO Model Server", "version": "2026.4-stand-in"}


def test_a_version_needs_both_files(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="Could not find file"):
        repository.model_file(tmp_path)
    (tmp_path / "model.xml").write_text("")
    with pytest.raises(RequestError, match="weights"):
        repository.model_file(tmp_path)


def test_the_newest_version_is_served_and_logged(
    manager: ModelManager, base: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_version(base, "2")
    monkeypatch.setattr(SERVING, "propagate", True)
    with caplog.at_level(logging.INFO, "serving"):
        manager.apply(ConfigFile((model(base),)))
    assert manager.find("m", None).version == 2
    expected = (
        'STATUS CHANGE: Version 2 of model m status change. New status: ( "state": "AVAILABLE", "error_code": "OK" )'
    )
    assert expected in [record.getMessage() for record in caplog.records]
    with pytest.raises(RequestError) as caught:
        manager.find("m", 1)
    assert caught.value.fault is Fault.MODEL_VERSION_MISSING


def test_a_bad_model_leaves_the_others(manager: ModelManager, base: Path, tmp_path: Path) -> None:
    write_version(tmp_path / "broken", "1", "bad")
    changed = manager.apply(ConfigFile((model(tmp_path / "broken"), model(base), model(tmp_path / "none"))))
    assert changed
    assert manager.find("m", None).available()
    assert [(s.state, s.error) for s in manager.states()["broken"]] == [("LOADING", "UNKNOWN")]
    assert manager.states()["none"] == []
    with pytest.raises(RequestError, match="not loaded yet"):
        manager.find("broken", 1).available()


def test_a_new_version_replaces_the_old_one(manager: ModelManager, base: Path) -> None:
    manager.apply(ConfigFile((model(base),)))
    assert not manager.update_versions()
    write_version(base, "2")
    assert manager.update_versions()
    assert states(manager) == {1: ("END", "OK"), 2: ("AVAILABLE", "OK")}
    with pytest.raises(RequestError, match="retired"):
        manager.find("m", 1).available()


def test_a_version_that_failed_is_tried_again_when_its_files_change(manager: ModelManager, base: Path) -> None:
    write_version(base, "1", "bad")
    manager.apply(ConfigFile((model(base),)))
    assert not manager.update_versions()
    write_version(base, "1", "it is fine now")
    assert manager.update_versions()
    assert states(manager) == {1: ("AVAILABLE", "OK")}


def test_a_model_that_left_the_file_is_retired(manager: ModelManager, base: Path) -> None:
    manager.apply(ConfigFile((model(base),)))
    assert manager.apply(ConfigFile())
    assert states(manager) == {1: ("END", "OK")}
    assert manager.apply(ConfigFile((model(base),)))
    assert states(manager) == {1: ("AVAILABLE", "OK")}


def test_the_watcher_follows_the_file(manager: ModelManager, base: Path, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text("1")
    now = [ConfigFile((model(base),))]
    watcher = Watcher(manager, lambda: now[0], path)
    manager.apply(now[0])
    assert not watcher.reload()
    now[0] = ConfigFile((model(base, nireq=3),))
    path.write_text("2")
    assert watcher.reload()
    assert not watcher.reload()
    path.unlink()
    with pytest.raises(StartError, match="not found"):
        watcher.reload()


@pytest.fixture
def routes(manager: ModelManager, base: Path) -> Routes:
    manager.apply(ConfigFile((model(base),)))
    manager.ready = True
    return Routes(Inference(manager, manager._metrics), lambda: True, lambda: False)


def ask(routes: Routes, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, Any]:
    status, kind, content, _headers = routes.answer(
        method, path, {k.replace("_", "-"): v for k, v in headers.items()}, body
    )
    return status, json.loads(content) if content and "json" in kind else content


REQUEST = {"id": "7", "inputs": [{"name": "b", "shape": [1, 4], "datatype": "FP32", "data": [1, 2, 3, 4]}]}


def test_rest_infers(routes: Routes) -> None:
    status, answer = ask(routes, "POST", "/v2/models/m/infer", json.dumps(REQUEST).encode())
    assert status == 200
    assert answer == {
        "model_name": "m",
        "model_version": "1",
        "id": "7",
        "outputs": [{"name": "a", "shape": [1, 4], "datatype": "FP32", "data": [2, 3, 4, 5]}],
    }
    assert 'method="ModelInfer",name="m",version="1"} 1' in ask(routes, "GET", "/metrics")[1].decode()


def test_rest_infers_binary(routes: Routes) -> None:
    data = np.arange(4, dtype=np.float32).tobytes()
    head = json.dumps(
        {
            "inputs": [{"name": "b", "shape": [1, 4], "datatype": "FP32", "parameters": {"binary_data_size": 16}}],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    headers = {"inference-header-content-length": str(len(head))}
    status, _kind, body, more = routes.answer("POST", "/v2/models/m/versions/1/infer", headers, head + data)
    assert status == 200
    length = int(more["Inference-Header-Content-Length"])
    assert json.loads(body[:length])["outputs"][0]["parameters"] == {"binary_data_size": 16}
    assert np.frombuffer(body[length:], np.float32).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v2/health/live", 200),
        ("/v2/health/ready", 200),
        ("/v2/models/m/ready", 200),
        ("/v2/models/m/versions/1/ready", 200),
        ("/v2/models/m/versions/2/ready", 404),
        ("/v2/models/m/versions/x/ready", 400),
        ("/v2/models/none/ready", 404),
        ("/v2/models/m", 200),
        ("/v2/models/none", 404),
        ("/v2", 200),
        ("/v1/config", 200),
        ("/metrics", 200),
        ("/metrics?x=1", 200),
        ("/v2/models/m/infer", 400),
        ("/elsewhere", 400),
    ],
)
def test_rest_statuses(routes: Routes, path: str, status: int) -> None:
    assert ask(routes, "GET", path)[0] == status


def test_rest_metadata(routes: Routes) -> None:
    assert ask(routes, "GET", "/v2/models/m")[1] == {
        "name": "m",
        "versions": ["1"],
        "platform": "OpenVINO",
        "inputs": [{"name": "b", "datatype": "FP32", "shape": [1, 4]}],
        "outputs": [{"name": "a", "datatype": "FP32", "shape": [1, 4]}],
    }


def test_rest_config(routes: Routes) -> None:
    assert ask(routes, "GET", "/v1/config")[1] == {
        "m": {
            "model_version_status": [
                {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": "OK"}}
            ]
        }
    }
    assert ask(routes, "POST", "/v1/config/reload")[0] == 200


def test_rest_is_not_ready_before_the_models(routes: Routes, manager: ModelManager) -> None:
    manager.ready = False
    assert ask(routes, "GET", "/v2/health/ready")[0] == 500
    assert ask(routes, "GET", "/v2/health/live")[0] == 200


def changed(**changes: Any) -> bytes:
    (given,) = REQUEST["inputs"]
    return json.dumps({"inputs": [{**dict(given), **changes}]}).encode()  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b"{", 412, "not valid json"),
        (b"[]", 400, "should be JSON object"),
        (b"{}", 400, "missing inputs"),
        (changed(name="c"), 400, "Missing input with specific name - Required input: b"),
        (changed(datatype="FP64"), 400, "Invalid input precision - Expected: FP32; Actual: FP64"),
        (changed(shape=[4]), 400, "Invalid number of shape dimensions"),
        (changed(shape=[2, 4]), 400, "Invalid input batch size"),
        (changed(shape=[1, 5]), 400, "Invalid input shape"),
        (changed(shape=["1"]), 400, "name, datatype and shape"),
        (changed(data=[1, 2]), 400, "Invalid number of values"),
        (changed(data=["x", 2, 3, 4]), 400, "Not valid ndarray"),
        (changed(parameters={"binary_data_size": 16}), 400, "both in binary data and in content"),
        (changed(datatype="BYTES", shape=[1], data=["@"]), 400, "base64"),
        (changed(datatype="BYTES", shape=[1], data=[base64.b64encode(b"x").decode()]), 400, "NHWC layout"),
    ],
)
def test_rest_refuses(routes: Routes, body: bytes, status: int, message: str) -> None:
    got, answer = ask(routes, "POST", "/v2/models/m/infer", body)
    assert got == status
    assert message in answer["error"]


@pytest.mark.parametrize("length", ["-1", "x", "9999"])
def test_rest_refuses_a_wrong_length(routes: Routes, length: str) -> None:
    status, answer = ask(
        routes, "POST", "/v2/models/m/infer", json.dumps(REQUEST).encode(), inference_header_content_length=length
    )
    assert (status, "Inference-Header-Content-Length" in answer["error"]) == (400, True)


def test_failed_requests_are_counted(routes: Routes) -> None:
    ask(routes, "POST", "/v2/models/m/infer", changed(datatype="FP64"))
    text = ask(routes, "GET", "/metrics")[1].decode()
    assert 'ovms_requests_fail{api="KServe",interface="REST",method="ModelInfer",name="m",version="1"} 1' in text
    assert 'ovms_current_requests{name="m",version="1"} 0' in text
