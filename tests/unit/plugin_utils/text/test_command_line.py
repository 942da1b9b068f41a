# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which containers run the model server: by what is said of them, by their command, by their image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.retail.profiles.plugins.plugin_utils.text.command_line import server, without
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ovms_contract import NEWEST

OPTIONS = ["--config_path", "/c.json", "--rest_port", "8000"]
SINGLE = ["--model_name", "m", "--model_path", "/m", "--port", "9000"]


@pytest.mark.parametrize(
    ("image", "entrypoint", "args", "version"),
    [
        ("openvino/model_server:2025.4", [], OPTIONS, (2025, 4)),
        ("openvino/model_server:2026.3-gpu", [], [], (2026, 3)),
        ("openvino/model_server@sha256:0123", [], OPTIONS, NEWEST),
        ("registry.example:5000/mirror/openvino/model_server:2025.4.1", [], OPTIONS, (2025, 4)),
        ("intel/openvino-model-server:2025.2", [], OPTIONS, (2025, 2)),
        ("registry.connect.redhat.com/intel/openvino-model-server:latest", [], OPTIONS, NEWEST),
        ("registry.example/ovms:1", [], OPTIONS, NEWEST),
        ("registry.example/ovms-2025.3:7", [], OPTIONS, (2025, 3)),
        # Of another name: by its program, or by options that only it has.
        ("registry.example/inference:3", ["/ovms/bin/ovms"], OPTIONS, NEWEST),
        ("registry.example/inference:3", ["ovms", *SINGLE], [], NEWEST),
        ("registry.example/inference:3", [], ["/ovms/bin/ovms", *SINGLE], NEWEST),
        ("registry.example/inference:3", ["tini", "--", "ovms"], SINGLE, NEWEST),
        ("registry.example/inference:2025.3", [], OPTIONS, (2025, 3)),
        ("registry.example/inference:3", [], SINGLE, NEWEST),
        # A script that hands its options on.
        ("openvino/model_server:2025.4", ["./start.sh"], OPTIONS, (2025, 4)),
    ],
)
def test_a_server(image: str, entrypoint: Sequence[str], args: Sequence[str], version: Any) -> None:
    found = server(image, entrypoint, args)
    assert found is not None
    assert found.version == version
    assert list(found.words) == [word for word in [*entrypoint, *args] if word in (*OPTIONS, *SINGLE)]
    assert not found.by_shell


@pytest.mark.parametrize(
    ("image", "entrypoint", "args"),
    [
        ("openvino/model_server-capi-gst-ovms-2023.1:latest", [], []),
        ("openvino/model_server-capi-gst:2024.5", ["./run.sh"], ["--input", "rtsp://camera"]),
        ("registry.example/ovms-client:1", [], ["--model_name", "m", "--grpc_port", "9000"]),
        ("registry.example/ovmsclient:1", [], []),
        ("registry.example/model_server_benchmark:1", [], []),
        ("openvino/model_server:2025.4", ["python3", "client.py"], ["--grpc_address", "ovms"]),
        ("openvino/model_server:2025.4", ["sh", "-c", "curl http://ovms:8000/v2"], []),
        ("debian:bookworm", ["ping"], ["ovms"]),
        ("tensorflow/serving:2.19", [], ["--port=8500", "--rest_api_port=8501", "--model_name=m"]),
        ("example/app:1", [], ["--config_path", "/etc/app.yml", "--port", "80"]),
    ],
)
def test_no_server(image: str, entrypoint: Sequence[str], args: Sequence[str]) -> None:
    assert server(image, entrypoint, args) is None


def test_what_a_shell_starts() -> None:
    text = "set -e\nexport A=1\nexec /ovms/bin/ovms --model_name m \\\n --model_path /m --port $PORT && echo done"
    found = server("registry.example/x:2025.4", ["/bin/bash", "-ec", text], [])
    assert found is not None and found.by_shell
    assert found.options == {"model_name": "m", "model_path": "/m", "port": "$PORT"}
    assert (found.problems, found.port("port")) == ([], 0)
    assert server("registry.example/x:1", ["sh", "-c"], ["it's no command"]) is None


def test_the_profile_has_the_last_word() -> None:
    found = server("registry.example/x:1", ["./run.sh"], OPTIONS, "ovms:2025.4")
    assert found is not None and found.version == (2025, 4)
    assert server("registry.example/x:2025.3", ["./run.sh"], OPTIONS, "ovms").version == (2025, 3)  # type: ignore[union-attr]
    assert server("openvino/model_server:2025.4", [], OPTIONS, "none") is None


def test_ports() -> None:
    found = server("openvino/model_server:2025.4", [], ["--rest_port=8000", "--port", "0"])
    assert found is not None and (found.port("port"), found.port("rest_port")) == (0, 8000)


def test_without_an_option() -> None:
    assert without(["--a", "1", "--b=2", "--c", "--a=3"], "a") == ["--b=2", "--c"]
    assert without(["--a", "--b", "--a"], "a") == ["--b"]
