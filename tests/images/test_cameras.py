# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated cameras, and GStreamer that reads and decodes their streams."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from containers import Run, Started

from ansible_collections.retail.profiles.plugins.module_utils.engine.client import connect
from ansible_collections.retail.profiles.plugins.module_utils.readiness.probes import NotReady, Probe
from ansible_collections.retail.profiles.plugins.module_utils.readiness.waiter import Waiter

(CONTAINER,) = yaml.safe_load(
    (Path(__file__).resolve().parents[2] / "profiles" / "gstreamer" / "profile.yml").read_text(encoding="utf-8")
)["containers"]
PORT, FPS, CLIP_SECONDS = 8554, 30, 1

Ask = Callable[..., None]


@pytest.fixture(scope="module")
def ask(place: Started) -> Ask:
    """Waits for RTSP DESCRIBE of a path, as the readiness probe does."""
    waiter = Waiter(connect())

    def describe(path: str, **options: Any) -> None:
        waiter.wait(Probe("rtsp", address=place.address, path=path, **{"port": PORT, **options}))

    return describe


@pytest.fixture(scope="module")
def camera(run: Run, place: Started, ask: Ask) -> Started:
    """Two streams that repeat every second."""
    started = run(
        *("camera-simulator", "--streams", 2, "--fps", FPS, "--clip-seconds", CLIP_SECONDS),
        environment={"WIDTH": "320", "HEIGHT": "240"},
        network_mode=f"container:{place.container.id}",
    )
    ask("/camera2")
    return started


@pytest.fixture
def read(run: Run, place: Started) -> Callable[[str], Started]:
    def start(path: str, port: int = PORT) -> Started:
        return run(
            "gstreamer",
            entrypoint=["decode-rtsp"],
            environment={"CAMERA_URL": f"rtsp://127.0.0.1:{port}{path}"},
            network_mode=f"container:{place.container.id}",
        )

    return start


def frames(started: Started, least: int) -> int:
    """Frames that the reader has decoded, as soon as they are more than ``least``."""
    seen = 0
    for line in started.lines():
        if match := re.search(CONTAINER["metrics"]["frames"]["regex"], line):
            seen = int(match[1])
            if seen > least:
                return seen
    pytest.fail(f"ended after {seen} frames:\n{started.end()[1][-2000:]}")


def test_a_stream_is_decoded_for_longer_than_its_clip(camera: Started, read: Callable[[str], Started]) -> None:
    reader = read("/camera1")
    assert frames(reader, 3 * FPS * CLIP_SECONDS)
    code, log = reader.end("SIGINT")
    assert code == 0, log
    caps = r"Openh264Dec.*src: caps = video/x-raw.*width=\(int\)320, height=\(int\)240.*framerate=\(fraction\)30/1"
    assert re.search(caps, log)


def test_readers_share_a_stream_and_others_have_their_own(camera: Started, read: Callable[[str], Started]) -> None:
    readers = [read("/camera1"), read("/camera1"), read("/camera2")]
    assert all(frames(reader, FPS) for reader in readers)
    with_all = (report for report in camera.reports() if report["clients"] == 3)
    *_begun, report = itertools.islice(with_all, 3)
    assert report["streams"] == 2
    # Three readers of two streams: what is sent is two streams.
    assert 1.5 * FPS < report["fps"] < 2.5 * FPS
    for reader in readers:
        assert reader.end("SIGTERM")[0] == 0


def test_the_process_is_not_root(camera: Started) -> None:
    code, output = camera.container.exec_run(["id", "-un"])
    assert (code, output.decode().strip()) == (0, "camera")


def test_a_stream_that_is_not_there(camera: Started, ask: Ask, read: Callable[[str], Started]) -> None:
    with pytest.raises(NotReady, match="answered 404 Not Found"):
        ask("/camera3", timeout=0.3)
    code, log = read("/camera3").end()
    assert code != 0
    assert "Not Found" in log


def test_a_reader_ends_when_there_is_no_camera(place: Started, read: Callable[[str, int], Started]) -> None:
    code, log = read("/camera1", 1).end()
    assert code != 0, log


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [("sleep 1000 &\ntrap 'kill $!; exit 1' INT", "wait", 1), ("", "exec sleep 1000", 130)],
    ids=["when it has an answer to SIGINT", "before it has"],
)
def test_an_error_that_gst_launch_forgets_ends_it_all_the_same(run: Run, before: str, after: str, status: int) -> None:
    error = "ERROR: pipeline doesn't want to preroll."
    files = {"/usr/local/bin/gst-launch-1.0": f'#!/bin/sh\n{before}\necho "{error}" >&2\n{after}\n'}
    code, log = run("gstreamer", entrypoint=["run-pipeline"], files=files).end()
    assert (code, log) == (status, f"{error}\n")


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGINT"])
def test_it_stops_and_its_readers_see_it(run: Run, place: Started, ask: Ask, read: Any, signal: str) -> None:
    camera = run("camera-simulator", "--port", 8600, network_mode=f"container:{place.container.id}")
    ask("/camera1", port=8600)
    reader = read("/camera1", 8600)
    assert frames(reader, 1)
    code, log = camera.end(signal)
    assert (code, "Traceback" in log) == (0, False), log
    _code, log = reader.end()
    assert "The server closed the connection" in log or "EOS received" in log


@pytest.mark.parametrize(
    ("args", "status", "text"),
    [
        (["--streams", "0"], 2, "argument --streams: invalid at_least_one value: '0'"),
        (["--fps", "fast"], 2, "argument --fps"),
        (["--width", "1", "--height", "1"], 1, "camera-simulator: the clip cannot be encoded"),
    ],
)
def test_what_cannot_be(run: Run, args: list[str], status: int, text: str) -> None:
    code, log = run("camera-simulator", *args).end()
    assert (code, text in log, "Traceback" in log) == (status, True, False), log


def test_a_port_that_is_taken(run: Run, place: Started, camera: Started) -> None:
    code, log = run("camera-simulator", network_mode=f"container:{place.container.id}").end()
    assert (code, f"cannot listen on port {PORT}" in log) == (1, True), log


@pytest.mark.parametrize(
    ("environment", "text"),
    [({}, "CAMERA_URL is rtsp://"), ({"CAMERA_URL": "http://x/"}, "http://x/"), ({"LATENCY": "x"}, "CAMERA_URL")],
)
def test_a_reader_refuses_wrong_settings(run: Run, environment: dict[str, str], text: str) -> None:
    code, log = run("gstreamer", entrypoint=["decode-rtsp"], environment=environment).end()
    assert (code, text in log) == (2, True), log
