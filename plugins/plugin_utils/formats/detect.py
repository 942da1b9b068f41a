# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which format a profile is written in: told by its content, whatever the name of the file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text import json_lines, text_file, yaml_document

NATIVE, LAUNCHER, CONTAINERS, COMPOSE, LANE = "native", "launcher", "containers", "compose", "lane"
#: the keys of the two files of a lane, cameras and the pipelines of their workloads
LANE_CAMERAS, LANE_PIPELINES = "lane_config", "workload_pipeline_map"
# The file of a folder in which there is nothing else, of several of this kind.
_LANE_FILE = "camera_to_workload.json"
# The usual names, in the order in which they are preferred; any other YAML file comes after them.
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
#: what Compose lays over a file of these names where none is named
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
OTHER_NAMES = (
    "profile.yml",
    "profile.yaml",
    "profile_config.yaml",
    "profile_config.yml",
    "configuration.yaml",
    "configuration.yml",
)
NAMES = (*OTHER_NAMES, *COMPOSE_NAMES)
_LAUNCHER_KEYS = {"ovmsclient", "ovmsserver", "ovmssinglecontainer"}


def format_of(value: Any) -> str | None:
    """The format of a parsed file; None for what is no profile."""
    if not isinstance(value, Mapping):
        return None
    keys = {key.lower(): key for key in value}
    if keys.keys() & _LAUNCHER_KEYS:
        return LAUNCHER
    if keys.keys() & {LANE_CAMERAS, LANE_PIPELINES}:
        return LANE
    if "containers" in keys:
        items = value[keys["containers"]]
        written = {
            key.lower() for item in (items if isinstance(items, list) else []) if isinstance(item, dict) for key in item
        }
        return CONTAINERS if keys["containers"] != "containers" or "dockerimage" in written else NATIVE
    return COMPOSE if "services" in value or "include" in value else None


def parsed(text: str, file: str) -> yaml_document.Document:
    """A file of another format, YAML or JSON. ProfileError, with the line, for what does not parse."""
    if not file.lower().endswith(".json"):
        return yaml_document.parse(text, file, plain_scalars=True)
    try:
        value, lines = json_lines.parse(text, unique=True)
    except json.JSONDecodeError as error:
        raise ProfileError(f"this is not valid JSON: {error.msg}", file=file, line=error.lineno) from error
    except ValueError as error:
        raise ProfileError(f"this is not valid JSON: {error}", file=file) from error
    return yaml_document.Document(file, value, dict(lines))


def profiles_in(folder: Path) -> list[Path]:
    """The profile of a folder: the first of the usual names, else every YAML file that is one, else the cameras."""
    for name in NAMES:
        file = folder / name
        if os.path.isfile(file) and (name in (*NAMES[:2], *COMPOSE_NAMES) or _may_be_profile(file)):
            return [file]
    others = (file for pattern in ("*.yaml", "*.yml") for file in folder.glob(pattern) if os.path.isfile(file))
    found = sorted(file for file in others if _may_be_profile(file, broken=False))
    return found or _lanes(folder)


def _lanes(folder: Path) -> list[Path]:
    """The cameras of the lanes in a folder: those of the usual name alone, where it is there."""
    if os.path.isfile(folder / _LANE_FILE):
        return [folder / _LANE_FILE]
    return sorted(file for file in folder.glob("camera_to_workload*.json") if _may_be_profile(file))


def _may_be_profile(file: Path, broken: bool = True) -> bool:
    """Whether a file is a profile by its content; ``broken`` is the answer for one that does not parse."""
    try:
        return format_of(parsed(text_file.text(file), str(file)).value) is not None
    except ProfileError:
        return broken
