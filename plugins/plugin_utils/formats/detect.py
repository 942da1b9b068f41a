# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Which format a profile is written in: told by its content, whatever the name of the file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.text import text_file, yaml_document

NATIVE, LAUNCHER, CONTAINERS, COMPOSE = "native", "launcher", "containers", "compose"
# The usual names, in the order in which they are preferred; any other YAML file comes after them.
COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
#: what Compose lays over a file of these names where none is named
OVERRIDE_NAMES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
NAMES = (
    "profile.yml",
    "profile.yaml",
    "profile_config.yaml",
    "profile_config.yml",
    "configuration.yaml",
    "configuration.yml",
    *COMPOSE_NAMES,
)
_LAUNCHER_KEYS = {"ovmsclient", "ovmsserver", "ovmssinglecontainer"}


def format_of(value: Any) -> str | None:
    """The format of a parsed file; None for what is no profile."""
    if not isinstance(value, Mapping):
        return None
    keys = {key.lower(): key for key in value}
    if keys.keys() & _LAUNCHER_KEYS:
        return LAUNCHER
    if "containers" in keys:
        items = value[keys["containers"]]
        written = {
            key.lower() for item in (items if isinstance(items, list) else []) if isinstance(item, dict) for key in item
        }
        return CONTAINERS if keys["containers"] != "containers" or "dockerimage" in written else NATIVE
    if "services" in value or isinstance(value.get("include"), list):
        return COMPOSE
    return None


def profiles_in(folder: Path) -> list[Path]:
    """The profile of a folder: the first of the usual names, else every YAML file that is one."""
    for name in NAMES:
        file = folder / name
        if os.path.isfile(file) and (name in NAMES[:2] or _may_be_profile(file)):
            return [file]
    others = (file for pattern in ("*.yaml", "*.yml") for file in folder.glob(pattern) if os.path.isfile(file))
    return sorted(file for file in others if _may_be_profile(file, broken=False))


def _may_be_profile(file: Path, broken: bool = True) -> bool:
    """Whether a file is a profile by its content; ``broken`` is the answer for one that does not parse."""
    try:
        return format_of(yaml_document.parse(text_file.text(file), str(file), plain_scalars=True).value) is not None
    except ProfileError:
        return broken
