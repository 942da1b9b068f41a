# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of upstream's second launcher load as they are."""

from __future__ import annotations

import json
import re
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given

from ...world import World, write_files

ARRAY = """
TargetDevice: CPU
InputSrc: rtsp://cameras:8554/one
Containers:
  - Name: Reader
    DockerImage: shelf/reader:dev
    EnvironmentVariableFiles: reader.env
    Envs:
      - A="quoted" = x
      - LONELY
      - BRACES={{ not jinja }}
    Entrypoint: /app/run.sh --mode  wide
    Volumes:
      - ./results:/tmp/results
      - /data/in:/in:ro
      - ./notes.txt:/notes.txt
    HostConfig:
      Privileged: false
      ShmSize: 1073741824
      NetworkMode: bridge
      devices: [{PathOnHost: /dev/dri/renderD128}]
      Annotations: {a: b}
  - Name: ovms_server
    DockerImage: ovms-server:dev
    EnvironmentVariableFiles: ../../ovms_server/res/ovms_server.env
    Entrypoint: ./serve.sh
    Volumes: ["./models:/models"]
    Speed: fast
"""


CONFIG = {"model_config_list": [{"config": {"name": n, "base_path": f"/models/{n}"}} for n in ("faces", "shelves")]}


def task(made: dict[str, Any], container: str) -> dict[str, Any]:
    found: dict[str, Any] = made["replicas"][f"d-{container}-1"]["task"]
    return found


def test_an_array_is_started_servers_first(world: World) -> None:
    file = write_files(
        world.root / "shop",
        {
            "reader/res/profile_config.yaml": ARRAY,
            "reader/res/reader.env": "GRPC_PORT=9077\nB=$A\n",
            "ovms_server/res/ovms_server.env": "TARGET_DEVICE=CPU",
            "ovms_server/config.json": json.dumps(CONFIG),
            "notes.txt": "n",
        },
    )
    made = world.plan_foreign(file)
    assert made["waves"] == [["d-ovms_server-1"], ["d-reader-1"]]
    server, reader = made["replicas"]["d-ovms_server-1"], made["replicas"]["d-reader-1"]
    assert (server["ready"][0]["models"], server["ready"][0]["port"]) == (["faces", "shelves"], 9077)
    # Not a script of the profile: relative to the working directory of the image.
    assert server["task"]["entrypoint"] == ["/proc/self/cwd/serve.sh"]
    assert reader["task"]["entrypoint"] == ["/app/run.sh", "--mode", "", "wide"]
    assert reader["task"]["env"] == {
        "GRPC_PORT": "9077",
        "B": "$A",
        "TARGET_DEVICE": "CPU",
        "INPUTSRC": "rtsp://cameras:8554/one",
        "A": '"quoted" = x',
        "BRACES": "{{ not jinja }}",
    }
    assert reader["task"]["volumes"][:2] == ["/var/lib/retail-profiles/work/results:/tmp/results", "/data/in:/in:ro"]
    assert reader["task"]["volumes"][2].endswith("/notes.txt:/notes.txt:ro")
    assert (reader["task"]["network_mode"], reader["task"]["ipc_mode"]) == ("host", "host")
    assert (reader["task"]["shm_size"], reader["task"]["privileged"]) == (1073741824, False)
    assert reader["task"]["devices"] == ["/dev/dri/renderD128:/dev/dri/renderD128:rwm"]
    assert [re.sub(r"^profile_config.yaml:\d+: ", "", warning) for warning in made["warnings"]] == [
        "./notes.txt is shipped with the profile: it is mounted read-only",
        "HostConfig.NetworkMode 'bridge' is ignored: upstream forced 'host'",
        "HostConfig.Annotations is ignored: a profile cannot say it",
        "Speed is ignored: it is not known here",
        "d-ovms_server-1 is on the host network of h1: it binds its ports on every address it likes",
    ]


def test_a_client_that_writes_results_is_measured_by_them_and_a_server_is_not(world: World) -> None:
    text = ARRAY.replace('["./models:/models"]', '["./models:/models", "./results:/tmp/results"]')
    made = world.plan_foreign(write_files(world.root / "shop", {"reader/res/profile_config.yaml": text}))
    assert made["replicas"]["d-reader-1"]["metrics"]["fps"] == {
        "file": "/tmp/results/pipeline*.log",
        "regex": r"^\s*(\d+(?:\.\d+)?)\s*$",
        "kind": "gauge",
        "unit": "fps",
        "required": False,
    }
    assert made["replicas"]["d-ovms_server-1"]["metrics"] == {}


def test_overrides_match_whole_names(world: World) -> None:
    text = "Containers: [{Name: a, DockerImage: i, Envs: {OCR_DEVICE: CPU, DEVICE: CPU}}]"
    made = world.plan_foreign(write_files(world.root, {"p/x.yaml": text}), Given(env={"DEVICE": "G=P $U"}))
    assert task(made, "a")["env"] == {"OCR_DEVICE": "CPU", "DEVICE": "G=P $U"}
