# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The KServe client against the stand-in: its lines, its rates, and servers that go away."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from containers import Run, Started

from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file

PROFILE = Path(__file__).resolve().parents[2] / "profiles" / "ovms"
PORT = 9000


@pytest.fixture(scope="module")
def server(run: Run, place: Started, models: Any) -> Started:
    """A server of the model face-detection."""
    started = run(
        "ovms-stand-in",
        *("--model_name", "face-detection", "--model_path", "/models/face-detection", "--port", PORT),
        volumes={models.name: {"bind": "/models", "mode": "ro"}},
        network_mode=f"container:{place.container.id}",
    )
    started.wait_for("ServableManagerModule started")
    return started


@pytest.fixture
def load(run: Run, place: Started, server: Started) -> Run:
    """Starts a client beside the server."""

    def start(*args: Any, **options: Any) -> Started:
        options.setdefault("network_mode", f"container:{place.container.id}")
        return run("kserve-client", "--model", "face-detection", *args, **options)

    return start


def summary(log: str) -> dict[str, Any]:
    """The last line's content."""
    last = [line for line in log.splitlines() if line.startswith("{")][-1]
    content: dict[str, Any] = json.loads(last)["summary"]
    return content


def test_a_closed_loop(load: Run) -> None:
    client = load("--concurrency", 2)
    lines = list(itertools.islice(client.reports(), 3))
    code, log = client.end("SIGTERM")
    assert code == 0, log
    for line in lines:
        assert line["asked"] is None
        assert set(line) == {"t", "fps", "asked", "requests", "errors", "late", "dropped", "latency"}
        latency = line["latency"]
        assert sum(latency["bins"].values()) + latency["zero_count"] == latency["count"]
    assert lines[-1]["fps"] > 0
    assert [line["requests"] for line in lines] == sorted(line["requests"] for line in lines)
    assert [line["t"] for line in lines] == sorted(line["t"] for line in lines)
    whole = summary(log)
    assert (whole["errors"], whole["late"], whole["dropped"]) == (0, 0, 0)
    assert whole["requests"] == whole["latency"]["count"] >= lines[-1]["requests"]


def test_a_fixed_rate(load: Run) -> None:
    """Frames that were sent, are late or were given up are all those that were due."""
    code, log = load("--streams", 2, "--fps", 5, "--duration", 4).end()
    assert code == 0, log
    whole = summary(log)
    assert whole["errors"] == 0
    due = 2 * 5 * whole["seconds"]
    assert 0 < whole["requests"] <= due + 2
    # A machine with other things to do may be late, but sends no more than was due.
    assert whole["latency"]["count"] == whole["requests"]


def test_address_and_port_come_from_the_environment(load: Run) -> None:
    client = load("--duration", 1, environment={"GRPC_ADDRESS": "127.0.0.1", "GRPC_PORT": str(PORT)})
    code, log = client.end()
    assert (code, summary(log)["errors"]) == (0, 0), log


def test_a_signal_ends_it_with_the_summary(load: Run) -> None:
    client = load()
    next(client.reports())
    code, log = client.end("SIGINT")
    assert (code, summary(log)["requests"] > 0, "Traceback" in log) == (0, True, False), log


def test_a_server_that_is_not_there_is_counted(run: Run) -> None:
    client = run("kserve-client", "--model", "m", "--port", 1, "--address", "127.0.0.1")
    lines = itertools.islice(client.reports(), 3)
    assert max(line["errors"] for line in lines) > 0
    code, log = client.end("SIGTERM")
    assert (code, "Traceback" in log) == (0, False), log
    assert "UNAVAILABLE" in log
    assert summary(log)["requests"] == summary(log)["errors"]


def test_a_model_that_is_not_there_is_counted(load: Run) -> None:
    client = load("--model", "unknown")
    assert next(line for line in client.reports() if line["errors"])["fps"] == 0
    code, log = client.end("SIGTERM")
    assert (code, "NOT_FOUND" in log, "Traceback" in log) == (0, True, False), log


@pytest.mark.parametrize("mode", [["--streams", "1", "--fps", "10"], ["--concurrency", "1"]])
def test_it_comes_back_with_the_server(load: Run, server: Started, mode: list[str]) -> None:
    client = load(*mode)
    lines = client.reports()
    assert any(line["fps"] > 0 for line in lines)
    server.container.kill("SIGKILL")
    server.container.wait()
    errors = next(line["errors"] for line in lines if line["errors"])
    assert errors > 0
    server.container.start()
    assert next(line for line in lines if line["fps"] > 0)["errors"] >= errors
    assert client.end("SIGTERM")[0] == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--streams", "2"], "--streams and --fps go together"),
        (["--concurrency", "1", "--streams", "2", "--fps", "15"], "use either --concurrency or --streams"),
        (["--fps", "0", "--streams", "1"], "--fps"),
        (["--port", "70000"], "--port"),
        (["--input", "/none.jpg"], "/none.jpg"),
        (["--speed", "9"], "--speed"),
    ],
)
def test_wrong_options_end_with_2(run: Run, args: list[str], message: str) -> None:
    code, log = run("kserve-client", "--model", "m", *args).end()
    assert (code, message in log, "Traceback" in log) == (2, True, False), log


def test_the_client_runs_as_nobody_special(run: Run) -> None:
    code, log = run("kserve-client", "-u", entrypoint=["id"]).end()
    assert (code, log.strip()) == (0, "5000")


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"STREAMS": "2", "FPS": "10"}, "--streams 2 --fps 10 --model m"),
        ({"STREAMS": "0", "CONCURRENCY": "3"}, "--concurrency 3 --model m"),
        ({}, "--concurrency 1 --model m"),
    ],
)
def test_the_script_of_the_profile_sets_the_load(run: Run, environment: dict[str, str], expected: str) -> None:
    """What the profile's entrypoint script makes of its environment; here ``python3`` only says what it is given."""
    script = (PROFILE / "client.sh").read_text()
    client = run(
        "kserve-client",
        *("/profile/client.sh", "--model", "m"),
        entrypoint=["/bin/sh"],
        files={"/profile/client.sh": script.replace("exec python3", "exec echo python3")},
        environment=environment,
    )
    assert client.end() == (0, f"python3 -m kserve_client {expected}\n")


def test_the_script_of_the_profile_runs_the_client(load: Run) -> None:
    script, load_of_one = ((PROFILE / name).read_text() for name in ("client.sh", "client.env"))
    client = load(
        *("--duration", "2"),
        entrypoint=["/bin/sh", "/profile/client.sh"],
        files={"/profile/client.sh": script},
        environment={line.name: line.value for line in env_file.compose_lines(load_of_one, "client.env", {}.get)},
    )
    code, log = client.end()
    assert (code, summary(log)["requests"] > 0) == (0, True), log
