# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The OVMS configuration that goes with a profile of upstream: where it lies, what it serves, and additions to it."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.text import json_text
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path


@dataclass(frozen=True)
class Found:
    """A configuration under the profile's root. ``models``: the names that it serves, in order."""

    path: str
    value: Mapping[str, Any]
    models: Sequence[str]


def find(source: Source, config: str, path: Path) -> Found | None:
    """The configuration that a container has at ``config``; None where it is only on the host, or in the image.

    It is looked for where upstream's users keep it: under the same path in the root, beside the profile, and in the
    folder of upstream's model server.
    """
    name = posixpath.basename(config)
    for candidate in (config.lstrip("/"), posixpath.join(source.folder, name), f"ovms_server/{name}"):
        inside = source.inside(candidate, "", path)
        if name and source.exists(inside):
            value = parse(source, source.text(inside, path), inside, path)
            return Found(inside, value, _models(source, value, inside, path))
    return None


def parse(source: Source, text: str, name: str, path: Path) -> dict[str, Any]:
    """A JSON object. ProfileError for anything else."""
    try:
        value = json_text.parse(text)
    except json.JSONDecodeError as error:
        raise source.error(f"{name}:{error.lineno} is not JSON: {error.msg}", path) from error
    except ValueError as error:
        raise source.error(f"{name} is not JSON: {error}", path) from error
    if not isinstance(value, dict):
        raise source.error(f"{name} is not a JSON object", path)
    return value


def merged(base: Mapping[str, Any], addition: Mapping[str, Any]) -> bytes:
    """The configuration with another merged into it: lists grow, mappings are merged, other values replaced."""
    return (json.dumps(_merge(base, addition), indent=2) + "\n").encode()


def _merge(base: Any, addition: Any) -> Any:
    if isinstance(base, dict) and isinstance(addition, dict):
        return {**base, **{key: _merge(base[key], item) if key in base else item for key, item in addition.items()}}
    if isinstance(base, list) and isinstance(addition, list):
        return base + [item for item in addition if item not in base]
    return addition


def _models(source: Source, value: Mapping[str, Any], name: str, path: Path) -> list[str]:
    try:
        models = [str(item["config"]["name"]) for item in value.get("model_config_list", [])]
        return models + [str(item["name"]) for item in value.get("mediapipe_config_list", [])]
    except (KeyError, TypeError) as error:
        raise source.error(
            f"{name} is not an OVMS configuration: each of model_config_list needs config.name", path
        ) from error
