# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration file of a model server, where the profile ships it: found, checked, put on a device, and read."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.file_tree import FILE
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.mounts import Mount, at
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.shipped_files import ShippedFile
from ansible_collections.retail.profiles.plugins.plugin_utils.text import json_lines, ovms_contract
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ovms_contract import Version

_DEVICE = re.compile(r'\b(?:target_)?device\s*:\s*[\'"]([^\'"]+)[\'"]')


@dataclass(frozen=True)
class Servable:
    """A model, a graph or a pipeline: its base path in the container (a pipeline has none), and the device that is
    named for it, if one is. ``graph_path`` is the file of a graph.
    """

    name: str
    base: str
    device: str | None = None
    is_graph: bool = False
    graph_path: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether it lies in the container's files, and not in a cloud."""
        return bool(self.base) and not self.base.startswith(ovms_contract.CLOUD)


@dataclass(frozen=True)
class Config:
    """A configuration file that the profile ships: by itself, or at the path ``inside`` of a folder."""

    shipped: ShippedFile
    inside: str
    name: str
    data: bytes


def find(binds: Sequence[Mount], config_path: str | None) -> Config | None:
    """The configuration file of a server, where the profile ships it."""
    mount = at(binds, config_path) if config_path else None
    if mount is None or mount.shipped is None or config_path is None:
        return None
    shipped, inside = mount.shipped, mount.below(config_path) or "."
    if shipped.kind == FILE:
        return Config(shipped, inside, shipped.path, shipped.read()) if inside == "." else None
    return (
        Config(shipped, inside, f"{shipped.path}/{inside}", shipped.read(inside)) if inside in shipped.holds else None
    )


def problems(config: Config, version: Version) -> list[str]:
    """What a version does not take in a configuration, each with file, line and key."""
    try:
        document, lines = json_lines.parse(config.data.decode("utf-8"), unique=True)
    except json.JSONDecodeError as error:
        if config.data.startswith(codecs.BOM_UTF8):
            return [f"{config.name}:1: it begins with a byte order mark, which OVMS does not read: save it without"]
        return [f"{config.name}:{error.lineno}: this is not valid JSON: {error.msg}"]
    except ValueError as error:
        return [f"{config.name}: {error}"]
    _move_latest(document)
    return [
        f"{config.name}:{json_lines.line(lines, problem.path)}: {problem.key or 'the file'}: {problem.words}"
        for problem in ovms_contract.configuration_problems(document, version)
    ]


def read(config: Config) -> dict[str, Any]:
    """The document of a configuration that has no problems.

    ``latest`` beside a model's ``config``, which OVMS takes no more, becomes its ``model_version_policy``.
    """
    document = json.loads(config.data)
    _move_latest(document)
    return dict(document)


def _move_latest(document: Any) -> None:
    listed = document.get("model_config_list") if isinstance(document, dict) else None
    for item in listed if isinstance(listed, list) else ():
        if isinstance(item, dict) and isinstance(item.get("config"), dict) and "latest" in item:
            item["config"].setdefault("model_version_policy", {"latest": item["latest"]})
            del item["latest"]


def rewritten(config: Config, binds: Sequence[Mount], config_path: str, device: str | None) -> bytes:
    """A configuration with every model on *device*, if one is given. What needs no change stays, to the byte."""
    document = read(config)
    graphs = {one.name for one in servables(document, config_path, binds) if one.is_graph}
    for item in document["model_config_list"]:
        if device and item["config"]["name"] not in graphs:
            item["config"]["target_device"] = device
    if document == json.loads(config.data):
        return config.data
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def servables(document: Mapping[str, Any], config_path: str, binds: Sequence[Mount]) -> list[Servable]:
    """What a configuration serves, in order: models, graphs of either list, and pipelines."""
    folder = PurePosixPath(config_path).parent
    found = [_servable(item["config"], folder, binds, False) for item in document["model_config_list"]]
    found += [_servable(item, folder, binds, True) for item in document.get("mediapipe_config_list", ())]
    return [*found, *(Servable(str(item["name"]), "") for item in document.get("pipeline_config_list", ()))]


def _servable(item: Mapping[str, Any], folder: PurePosixPath, binds: Sequence[Mount], is_graph: bool) -> Servable:
    name, written = str(item["name"]), str(item.get("base_path") or item["name"])
    base = written if written.startswith(ovms_contract.CLOUD) else str(folder / written)
    return servable(name, base, binds, item.get("target_device"), is_graph, item.get("graph_path"))


def servable(
    name: str,
    base: str,
    binds: Sequence[Mount],
    device: str | None = None,
    is_graph: bool = False,
    graph_path: str | None = None,
) -> Servable:
    """A model or graph at a base path; a graph also where the profile ships a graph's file there.

    The device of a graph is that which its file names.
    """
    if base.startswith(ovms_contract.CLOUD):
        return Servable(name, base, device, is_graph)
    file = graph_path or ovms_contract.GRAPH_FILE
    for path in (PurePosixPath(base) / file, PurePosixPath(base) / "1" / file):
        graph = _shipped(binds, str(path))
        if graph is not None:
            named = _DEVICE.search(re.sub(r"#.*", "", graph.decode("utf-8", "replace")))
            return Servable(name, base, named[1] if named else None, True, str(path))
    if is_graph or graph_path:
        return Servable(name, base, None, True, str(PurePosixPath(base) / file))
    return Servable(name, base, device)


def _shipped(binds: Sequence[Mount], path: str) -> bytes | None:
    """The content of a file in the container, where the profile ships it."""
    mount = at(binds, path)
    inside = mount.below(path) if mount else None
    if mount is None or mount.shipped is None or inside is None:
        return None
    if mount.shipped.kind == FILE:
        return mount.shipped.read() if inside == "." else None
    return mount.shipped.read(inside) if inside in mount.shipped.holds else None


def families(document: Mapping[str, Any], version: Version) -> frozenset[str] | None:
    """The families of metrics that a configuration switches on; None where it switches none on."""
    metrics = document.get("monitoring", {}).get("metrics", {})
    if not metrics.get("enable"):
        return None
    return frozenset(metrics["metrics_list"]) if "metrics_list" in metrics else ovms_contract.default_families(version)


def unknown_models(document: Mapping[str, Any]) -> Iterator[str]:
    """A warning for each model that a node of a pipeline names, and that is not there."""
    known = {item["config"]["name"] for item in document["model_config_list"]}
    for pipeline in document.get("pipeline_config_list", ()):
        for node in pipeline["nodes"]:
            if (model := node.get("model_name")) and model not in known:
                yield f"pipeline {pipeline['name']}: node {node['name']} names the model {model}, which is not there"


def duplicates(found: Sequence[Servable]) -> Iterator[str]:
    """A warning for each name that is given twice: the server keeps the first."""
    names = [one.name for one in found]
    yield from (
        f"{name} is there twice: the server loads the first of them"
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    )
