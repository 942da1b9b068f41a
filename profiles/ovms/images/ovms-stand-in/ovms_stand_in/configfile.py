# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``config.json``: parsed and checked as by the schema of the version that is stood in for (see `contract`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ovms_stand_in import contract, metrics
from ovms_stand_in.faults import Fault, RequestError, StartError
from ovms_stand_in.modelconfig import ModelConfig, model_config

# Valid in OpenVINO Model Server, but nothing that the stand-in can serve.
_NOT_SERVED = ("pipeline_config_list", "mediapipe_config_list", "custom_loader_config_list")


@dataclass(frozen=True)
class ConfigFile:
    """A configuration file.

    models: those that could be parsed; problems: model name → why not (the server runs on without them);
    metrics: families that ``monitoring`` switches on, None when the file says nothing; warnings: for the log.
    """

    models: tuple[ModelConfig, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)
    metrics: frozenset[str] | None = None
    warnings: tuple[str, ...] = ()


def _check(content: Any, path: Path, version: contract.Version) -> None:
    """Raise StartError for what the version's schema refuses; the metrics are looked at by `_metrics`."""
    for problem in contract.configuration_problems(content, version):
        if problem.keyword != "family":
            keyed = f"Keyword: {problem.keyword} Key: #{problem.pointer}"
            raise StartError(f"Given config is invalid according to schema: {path}. {keyed}")


def _metrics(given: Mapping[str, Any]) -> frozenset[str]:
    if not given["enable"]:
        return frozenset()
    if "metrics_list" not in given:
        return metrics.DEFAULT
    try:
        return metrics.check_names(map(str, given["metrics_list"]))
    except ValueError as error:
        raise StartError(f"Metrics family name not supported: {error}") from None


def _is_graph(given: Mapping[str, Any], folder: Path) -> bool:
    """Whether an entry of the models is a graph: it says so, or its folder has one."""
    return "graph_path" in given or (folder / given.get("base_path", given["name"]) / contract.GRAPH_FILE).is_file()


def parse(text: str, path: Path, cache_dir: str = "", version: contract.Version = contract.NEWEST) -> ConfigFile:
    """The configuration in ``text``, read from ``path``. Raises StartError when OVMS would not start with it."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise StartError(f"Configuration file is not a valid JSON file: {path}. Error: {error}") from None
    _check(content, path, version)
    models: dict[str, ModelConfig] = {}
    problems: dict[str, str] = {}
    warnings = [f"{key} is not served by the stand-in" for key in _NOT_SERVED if content.get(key)]
    for entry in content["model_config_list"]:
        name = entry["config"]["name"]
        if name in models or name in problems:
            warnings.append(
                f"Duplicated model names: {name} defined in config file. Only first definition will be loaded."
            )
            continue
        try:
            if _is_graph(entry["config"], path.parent):
                raise RequestError(Fault.MODEL_NOT_LOADED, "graphs are not served by the stand-in")
            models[name] = model_config(entry["config"], path.parent, cache_dir, version)
        except RequestError as error:
            problems[name] = str(error)
    found = _metrics(content["monitoring"]["metrics"]) if "monitoring" in content else None
    return ConfigFile(tuple(models.values()), problems, found, tuple(warnings))


def read(path: Path, cache_dir: str = "", version: contract.Version = contract.NEWEST) -> ConfigFile:
    """`parse` the file ``path``. Raises StartError also when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"Configuration file not found or cannot open: {path}: {error}") from None
    return parse(text, path, cache_dir, version)
