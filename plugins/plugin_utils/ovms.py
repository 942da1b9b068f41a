# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What a container's arguments and ``config.json`` say about the OpenVINO Model Server in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.mounts import Mount
from ansible_collections.retail.profiles.plugins.plugin_utils.profile import Entry


@dataclass(frozen=True)
class Models:
    """The models that a server is told to serve: name to base path inside its container."""

    paths: Mapping[str, str]
    source: str


def is_ovms(image: str) -> bool:
    """Whether an image, as the profile names it, is the OpenVINO Model Server."""
    return "model_server" in image.rpartition("/")[2]


def option(args: Sequence[str], name: str) -> str | None:
    """The value of ``--name VALUE`` or ``--name=VALUE``; '' for a flag without a value; None when it is not there."""
    for index, arg in enumerate(args):
        if arg == f"--{name}":
            following = args[index + 1] if index + 1 < len(args) else ""
            return "" if following.startswith("--") else following
        if arg.startswith(f"--{name}="):
            return arg.partition("=")[2]
    return None


def models(entry: Entry, args: Sequence[str], binds: Sequence[Mount]) -> Models | None:
    """The models named by ``--config_path`` (a shipped file) or ``--model_name``; None when they cannot be known."""
    model_name, model_path = option(args, "model_name"), option(args, "model_path")
    if model_name and model_path:
        return Models({model_name: model_path}, "args")
    config_path = option(args, "config_path")
    shipped = next((mount.shipped for mount in binds if mount.target == config_path and mount.shipped), None)
    if config_path is None or shipped is None:
        return None
    return Models(_from_config(entry, shipped.path, shipped.data, config_path), shipped.path)


def _from_config(entry: Entry, name: str, data: bytes, config_path: str) -> dict[str, str]:
    try:
        document = json.loads(data)
        configs = [item["config"] for item in document.get("model_config_list", [])]
        base = PurePosixPath(config_path).parent
        return {str(config["name"]): str(base / config["base_path"]) for config in configs}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise entry.error(
            f"{name} is not an OVMS configuration (model_config_list[].config with name and base_path): {error!r}",
            "volumes",
        ) from error


def model_checks(container: str, served: Models | None, binds: Sequence[Mount]) -> list[dict[str, Any]]:
    """The model directories that must be on the host, each with a version folder."""
    checks = []
    for model, inside in (served.paths if served else {}).items():
        path = next((found for mount in binds if (found := mount.host_path(inside)) is not None), None)
        if path is not None:
            checks.append(
                {
                    "path": path,
                    "container": container,
                    "field": f"{served.source if served else ''} {model}",
                    "model": model,
                }
            )
    return checks


def scrape_target(image: str, args: Sequence[str], ports: Mapping[str, int]) -> dict[str, Any] | None:
    """Where the container shows Prometheus metrics: port ``metrics``, or OVMS's REST port with ``--metrics_enable``."""
    if "metrics" in ports:
        return {"port": ports["metrics"], "path": "/metrics"}
    rest = option(args, "rest_port")
    if is_ovms(image) and option(args, "metrics_enable") is not None and rest and rest.isdigit() and int(rest):
        return {"port": int(rest), "path": "/metrics"}
    return None
