# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``config.json``: parsed and checked as by OpenVINO Model Server's schema (v2025.4; unknown keys are refused)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ovms_stand_in import metrics
from ovms_stand_in.faults import RequestError, StartError
from ovms_stand_in.modelconfig import ModelConfig, is_integer, model_config

Check = Callable[[Any], bool]


def _is_unsigned(value: Any) -> bool:
    return is_integer(value) and value >= 0


def _is(kind: type) -> Check:
    return lambda value: isinstance(value, kind)


def _is_text_or_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and all(isinstance(v, str) for v in value.values()))


def _is_plugin_config(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(v, (str, bool, int, float)) for v in value.values())


_MODEL_KEYS: Mapping[str, Check] = {
    "name": _is(str),
    "base_path": _is(str),
    "batch_size": lambda value: isinstance(value, str) or _is_unsigned(value),
    "graph_path": _is(str),
    "subconfig": _is(str),
    "model_version_policy": _is(dict),
    "shape": _is_text_or_texts,
    "layout": _is_text_or_texts,
    "nireq": _is_unsigned,
    "target_device": _is(str),
    "allow_cache": _is(bool),
    "plugin_config": _is_plugin_config,
    "stateful": _is(bool),
    "idle_sequence_cleanup": _is(bool),
    "low_latency_transformation": _is(bool),
    "max_sequence_number": _is_unsigned,
    "custom_loader_options": _is(dict),
}
_TOP_KEYS: Mapping[str, Check] = {
    "model_config_list": _is(list),
    "pipeline_config_list": _is(list),
    "mediapipe_config_list": _is(list),
    "custom_node_library_config_list": _is(list),
    "custom_loader_config_list": _is(list),
    "monitoring": _is(dict),
}
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


def _refuse(path: Path, keyword: str, pointer: str) -> StartError:
    return StartError(f"Given config is invalid according to schema: {path}. Keyword: {keyword} Key: #{pointer}")


def _check(path: Path, value: Any, keys: Mapping[str, Check], required: str, pointer: str) -> None:
    """Raise StartError unless ``value`` is an object with ``required``, no keys but ``keys``, and values that pass."""
    if not isinstance(value, dict):
        raise _refuse(path, "type", pointer)
    for key, given in value.items():
        if key not in keys:
            raise _refuse(path, "additionalProperties", f"{pointer}/{key}")
        if not keys[key](given):
            raise _refuse(path, "type", f"{pointer}/{key}")
    if required not in value:
        raise _refuse(path, "required", f"{pointer}/{required}")


def _metrics(path: Path, monitoring: Any) -> frozenset[str]:
    _check(path, monitoring, {"metrics": _is(dict)}, "metrics", "/monitoring")
    given = monitoring["metrics"]
    keys: Mapping[str, Check] = {"enable": _is(bool), "metrics_list": _is(list)}
    _check(path, given, keys, "enable", "/monitoring/metrics")
    if not given["enable"]:
        return frozenset()
    if "metrics_list" not in given:
        return metrics.DEFAULT
    try:
        return metrics.check_names(map(str, given["metrics_list"]))
    except ValueError as error:
        raise StartError(f"Metrics family name not supported: {error}") from None


def parse(text: str, path: Path, cache_dir: str = "") -> ConfigFile:
    """The configuration in ``text``, read from ``path``. Raises StartError when OVMS would not start with it."""
    try:
        content = json.loads(text)
    except ValueError as error:
        raise StartError(f"Configuration file is not a valid JSON file: {path}. Error: {error}") from None
    _check(path, content, _TOP_KEYS, "model_config_list", "")
    models: dict[str, ModelConfig] = {}
    problems: dict[str, str] = {}
    warnings = [f"{key} is not served by the stand-in" for key in _NOT_SERVED if content.get(key)]
    for number, entry in enumerate(content["model_config_list"]):
        pointer = f"/model_config_list/{number}"
        # Files for 2023.x have "latest" beside "config"; since 2024.0 the schema refuses it, and so does this.
        _check(path, entry, {"config": _is(dict)}, "config", pointer)
        _check(path, entry["config"], _MODEL_KEYS, "name", f"{pointer}/config")
        name = entry["config"]["name"]
        if name in models or name in problems:
            warnings.append(
                f"Duplicated model names: {name} defined in config file. Only first definition will be loaded."
            )
            continue
        try:
            models[name] = model_config(entry["config"], path.parent, cache_dir)
        except RequestError as error:
            problems[name] = str(error)
    found = _metrics(path, content["monitoring"]) if "monitoring" in content else None
    return ConfigFile(tuple(models.values()), problems, found, tuple(warnings))


def read(path: Path, cache_dir: str = "") -> ConfigFile:
    """`parse` the file ``path``. Raises StartError also when it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"Configuration file not found or cannot open: {path}: {error}") from None
    return parse(text, path, cache_dir)
