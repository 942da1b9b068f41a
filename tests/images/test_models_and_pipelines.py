# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The models' recipe, local inference, and GStreamer, each in its container."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from containers import Run, Started

PROFILES = Path(__file__).resolve().parents[2] / "profiles"


def made(maker: Started) -> dict[str, str]:
    """What is in /models of a container that has ended: path → sha256."""
    code, log = maker.end()
    assert code == 0, log
    chunks, _stat = maker.container.get_archive("/models")
    files = {}
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
        for member in tar.getmembers():
            if member.isfile():
                assert member.mode & 0o444 == 0o444, f"{member.name} is not for everybody to read"
                content = tar.extractfile(member)
                assert content is not None
                files[member.name] = hashlib.sha256(content.read()).hexdigest()
    return files


def test_models_are_the_same_each_time_and_from_both_images(run: Run) -> None:
    first = made(run("models", user="0:0"))
    assert sorted(first) == sorted(
        f"models/{name}/1/model.{suffix}"
        for name in ("face-detection", "classifier", "dummy")
        for suffix in ("bin", "xml")
    )
    assert made(run("models", user="0:0")) == first
    one = made(run("local-inference", "make-models", "face-detection", user="0:0"))
    assert one == {path: digest for path, digest in first.items() if "face-detection" in path}


def test_a_model_that_is_unknown_is_named(run: Run) -> None:
    code, log = run("models", "mind-reading", user="0:0").end()
    assert (code, "mind-reading" in log, "Traceback" in log) == (2, True, False), log


def test_models_that_cannot_be_written(run: Run) -> None:
    code, log = run("models", "dummy", user="12345:12345").end()
    assert (code, "cannot be written" in log, "Traceback" in log) == (1, True, False), log


@pytest.fixture
def infer(run: Run, models: Any) -> Run:
    """Starts local inference of the model face-detection."""

    def start(*args: Any) -> Started:
        volumes = {models.name: {"bind": "/models", "mode": "ro"}}
        return run("local-inference", "--model", "/models/face-detection", "--threads", 1, *args, volumes=volumes)

    return start


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGINT"])
def test_local_inference_as_fast_as_it_goes(infer: Run, signal: str) -> None:
    started = infer()
    lines = list(itertools.islice(started.reports(), 2))
    assert set(lines[0]) == {"t", "fps", "asked", "requests", "errors", "late", "dropped", "latency"}
    assert lines[-1]["fps"] > 0
    assert lines[-1]["latency"]["count"] > 0
    code, log = started.end(signal)
    whole = json.loads(log.splitlines()[-1])["summary"]
    assert (code, whole["errors"], "Traceback" in log) == (0, 0, False), log
    assert whole["requests"] == whole["latency"]["count"] >= lines[-1]["requests"]


def test_local_inference_at_a_rate(infer: Run) -> None:
    code, log = infer("--fps", 5, "--duration", 3).end()
    whole = json.loads(log.splitlines()[-1])["summary"]
    assert code == 0, log
    assert 0 < whole["requests"] <= 5 * whole["seconds"] + 1


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (["--model", "/none"], 1),
        (["--model", "/models/dummy", "--device", "GPU"], 1),
        (["--model", "/etc/hostname"], 1),
        (["--speed", "9"], 2),
    ],
)
def test_local_inference_that_cannot_be(run: Run, models: Any, args: list[str], code: int) -> None:
    got, log = run("local-inference", *args, volumes={models.name: {"bind": "/models", "mode": "ro"}}).end()
    assert (got, "Traceback" in log) == (code, False), log
    assert "local_inference: " in log


def rule(metric: str) -> str:
    """The regular expression by which the profile reads a metric."""
    (container,) = yaml.safe_load((PROFILES / "gstreamer" / "profile.yml").read_text())["containers"]
    return str(container["metrics"][metric]["regex"])


@pytest.mark.parametrize("signal", ["SIGINT", "SIGTERM"])
def test_gstreamer_shows_frames_until_it_is_stopped(run: Run, signal: str) -> None:
    started = run("gstreamer", environment={"WIDTH": "320", "HEIGHT": "240"})
    assert float(started.wait_for(rule("fps"))[1]) > 0
    code, log = started.end(signal)
    assert code == 0, log
    assert "EOS received" in log
    frames = [int(match[1]) for match in re.finditer(rule("frames"), log)]
    assert frames == sorted(frames) and frames[-1] > 0


def test_gstreamer_really_decodes_what_it_encoded(run: Run) -> None:
    """Frames come out at the end, not more than went in; between the ends they were H.264."""
    started = run("gstreamer", environment={"FRAMES": "600", "LIVE": "false", "WIDTH": "1280", "HEIGHT": "720"})
    code, log = started.end()
    assert code == 0, log
    assert re.search(r"Openh264Dec.*sink: caps = video/x-h264.*width=\(int\)1280, height=\(int\)720", log)
    assert re.search(r"Openh264Dec.*src: caps = video/x-raw.*width=\(int\)1280, height=\(int\)720", log)
    frames = [int(match[1]) for match in re.finditer(r"rendered: (\d+)", log)]
    assert 0 < max(frames) <= 600


def test_gstreamer_takes_the_pipeline_of_a_lane(run: Run) -> None:
    """A video in a file is decoded and counted; the elements that infer hand each frame on."""
    made = "videotestsrc num-buffers=60 ! x264enc ! video/x-h264,profile=baseline ! mp4mux ! filesink location=/tmp/a"
    paced = "filesrc location=/tmp/a ! decodebin3 ! 'video/x-raw(ANY)' ! identity sync=true"
    infers = "gvadetect model=x device=CPU ! gvatrack ! queue ! gvafpscounter name=c"
    ends = "fpsdisplaysink name=door text-overlay=false video-sink=fakesink sync=false fps-update-interval=500"
    script = f"gst-launch-1.0 -q {made} && exec stdbuf -oL gst-launch-1.0 --verbose {paced} ! {infers} ! {ends}"

    code, log = run("gstreamer", "-c", script, entrypoint=["sh"]).end()

    assert code == 0, log
    assert [
        name for name in ("gvadetect", "gvatrack", "gvafpscounter") if f"stand-in: {name} is not here" not in log
    ] == []
    assert re.search(r"door: last-message = .*current: ([0-9.]+)", log), log
    assert "Openh264Dec" in log


def test_gstreamer_has_the_default_stop_signal(client: Any, image: Any) -> None:
    assert client.images.get(image("gstreamer")).attrs["Config"]["StopSignal"] == "SIGINT"


def test_gstreamer_refuses_wrong_settings(run: Run) -> None:
    code, log = run("gstreamer", environment={"FPS": "fast"}).end()
    assert (code, "FPS=fast is not a number above zero" in log) == (2, True), log
