# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule that reads GStreamer's lines, and the script that writes them."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

PROFILE = Path(__file__).resolve().parents[3] / "profiles" / "gstreamer"
LINE = (
    "/GstPipeline:pipeline0/GstFPSDisplaySink:fpsdisplaysink0: last-message = "
    "rendered: 47, dropped: 2, current: 15.01, average: 15.24"
)


@pytest.mark.parametrize(("metric", "expected"), [("fps", 15.01), ("frames", 47), ("dropped", 2)])
def test_rules_read_the_line(metric: str, expected: float) -> None:
    (container,) = yaml.safe_load((PROFILE / "profile.yml").read_text())["containers"]
    match = re.search(container["metrics"][metric]["regex"], LINE)
    assert match is not None
    assert float(match[1]) == expected


def test_the_pipeline_encodes_and_decodes() -> None:
    text = (PROFILE / "images" / "gstreamer" / "encode-decode").read_text()
    assert re.search(r"! x264enc .*! h264parse .*! openh264dec .*! fpsdisplaysink ", text, re.DOTALL)
    assert "fakesrc" not in text


@pytest.mark.parametrize("setting", ["WIDTH=wide", "FPS=0", "HEIGHT=-1", "LIVE=yes", "BITRATE=1.5"])
def test_wrong_settings_are_named(setting: str) -> None:
    name, _separator, value = setting.partition("=")
    script = PROFILE / "images" / "gstreamer" / "encode-decode"
    done = subprocess.run(
        ["/bin/sh", script], env={name: value, "PATH": "/nonexistent"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert name in done.stderr and value in done.stderr
