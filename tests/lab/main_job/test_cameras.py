# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated cameras on one host, read and decoded by others."""

from __future__ import annotations

import json

import pytest

from .conftest import SHORT, Fleet

pytestmark = pytest.mark.measures

CAMERA = "gstreamer-rtsp-camera-1"
DECODERS = {"gstreamer-rtsp-decode-1", "gstreamer-rtsp-decode-2"}
FPS = 15


@pytest.fixture(scope="module")
def cameras(prepared: Fleet) -> Fleet:
    prepared.well("prepare_hosts", profile="gstreamer-rtsp")
    return prepared


def test_streams_are_decoded_on_other_hosts_and_measured(cameras: Fleet, fleet: Fleet) -> None:
    fleet.well("run_profile", profile="gstreamer-rtsp", profile_keep=True, **SHORT)
    run = fleet.latest()
    assert run["verdict"] == "ok", run["reasons"]
    camera = run["containers"].pop(CAMERA)
    assert {c["host"] for c in run["containers"].values()}.isdisjoint({camera["host"]})
    assert set(run["containers"]) == DECODERS
    for name in DECODERS:
        assert run["metrics"][name]["fps"]["mean"] == pytest.approx(FPS, rel=0.15)
    assert "fps" not in run["metrics"][CAMERA], "it is not measured"

    shown = json.loads(fleet.shell(camera["host"], f"docker inspect {CAMERA}"))[0]
    bindings = shown["HostConfig"]["PortBindings"]
    assert bindings == {"8554/tcp": [{"HostIp": camera["address"], "HostPort": "8554"}]}
    assert shown["Config"]["User"] == "camera"


def test_the_same_profile_runs_on_one_host(cameras: Fleet, fleet: Fleet) -> None:
    place = {"camera": "cameras", "decode": "cameras"}
    fleet.well("run_profile", profile="gstreamer-rtsp", profile_place=place, **SHORT)
    run = fleet.latest()
    assert run["verdict"] == "ok", run["reasons"]
    assert len({c["host"] for c in run["containers"].values()}) == 1
    assert all(run["metrics"][name]["fps"]["mean"] == pytest.approx(FPS, rel=0.15) for name in DECODERS)
