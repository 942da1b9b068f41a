# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shop with lanes, in the layout of upstream's repository."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given

from ...world import World, write_files

DETECT = {"type": "gvadetect", "model": "shelf-net", "device": "CPU", "precision": "INT8"}
CLASSIFY = {"type": "gvaclassify", "model": "labels-net", "device": "CPU", "precision": "FP16-INT8"}
STREAM = "rtsp://10.9.8.7:8554/door"
GIVEN = Given(image="shop/pipelines:1")
HARDWARE = {"devices": {"render": ["/dev/dri/renderD128", "/dev/dri/renderD129"], "npu": ["/dev/accel/accel0"]}}


def camera(name: str = "door", *workloads: str, **keys: Any) -> dict[str, Any]:
    """A camera with a stream, and what else it is to have; a key that is None is left out."""
    made = {"camera_id": name, "streamUri": STREAM, "workloads": list(workloads or ["count"]), **keys}
    return {key: value for key, value in made.items() if value is not None}


def cameras(*made: Any, **keys: Any) -> str:
    return json.dumps({"lane_config": {"cameras": list(made)}, **keys}, indent=2)


def workloads(**steps: Any) -> str:
    return json.dumps({"workload_pipeline_map": steps or {"count": [DETECT]}}, indent=2)


def write(world: World, lane: str, pipelines: str | None = None, files: Mapping[str, str] | None = None) -> Path:
    """The two files of a lane, and others by their paths in the repository; gives that of the cameras."""
    both = {"shop/configs/camera_to_workload.json": lane}
    both["shop/configs/workload_to_pipeline.json"] = workloads() if pipelines is None else pipelines
    return write_files(world.root, {**both, **{f"shop/{name}": text for name, text in (files or {}).items()}})


def plan(world: World, file: Path, *over: Path, given: Given = GIVEN, **settings: Any) -> dict[str, Any]:
    """The plan of a lane on hosts that have GPUs and an NPU."""
    world.snapshot.update({host: HARDWARE for host in world.hosts if host not in world.snapshot})
    return world.plan_foreign(file, replace(given, over=over), **settings)


def task(made: Mapping[str, Any], container: str = "door") -> dict[str, Any]:
    found: dict[str, Any] = made["replicas"][f"d-{container}-1"]["task"]
    return found


def elements(made: Mapping[str, Any], container: str = "door") -> list[list[str]]:
    """The words of the pipeline, element by element."""
    found: list[list[str]] = [[]]
    for word in task(made, container)["command"]:
        if word == "!":
            found.append([])
        else:
            found[-1].append(word)
    return found


def element(made: Mapping[str, Any], kind: str, container: str = "door") -> list[str]:
    return next(words for words in elements(made, container) if words[0] == kind)
