# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one model is configured: values of ``config.json`` or of the command line, parsed into a plain dataclass."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard, Union

from ovms_stand_in import contract
from ovms_stand_in.faults import Fault, RequestError

# A dimension: fixed, or a range (lowest, highest), or None for any size.
Dimension = Union[int, tuple[int, int], None]
Shape = tuple[Dimension, ...]
# What is taken where no device is named and the best is wanted: the stand-in's runtime has no other.
BEST_DEVICE = "CPU"
# A setting that names inputs, or one for the only input under "".
AUTO = "auto"


@dataclass(frozen=True)
class VersionPolicy:
    """Which versions are served: the newest ``latest``, or the ``specific`` ones, or all (both empty)."""

    latest: int = 0
    specific: tuple[int, ...] = ()


@dataclass(frozen=True)
class Layout:
    """``tensor`` is what clients send, ``model`` is what the network takes (the same when None)."""

    tensor: str
    model: str | None = None


@dataclass(frozen=True)
class ModelConfig:
    """One model. ``shapes`` and ``layouts`` are by input name; the key "" stands for the model's only input.

    batch_size: a dimension, or "auto", or None to leave the model's. nireq 0 is OpenVINO's own choice; an empty
    target_device is the best that there is.
    """

    name: str
    base_path: Path
    batch_size: Dimension | str = None
    shapes: Mapping[str, Shape | str] = field(default_factory=dict)
    layouts: Mapping[str, Layout] = field(default_factory=dict)
    nireq: int = 0
    target_device: str = ""
    plugin_config: Mapping[str, Any] = field(default_factory=dict)
    version_policy: VersionPolicy = VersionPolicy(latest=1)
    cache_dir: str = ""


def is_integer(value: Any) -> TypeGuard[int]:
    """Whether ``value`` is an integer; True and False are none."""
    return isinstance(value, int) and not isinstance(value, bool)


def parse_dimension(text: str) -> Dimension:
    """``5``, ``1:8``, or ``-1``. RequestError (shape in wrong format) for anything else."""
    text = text.strip()
    if text == "-1":
        return None
    match = re.fullmatch(r"(\d+)(?::(\d+))?", text)
    if not match or int(match[1]) < 1 or (match[2] and int(match[2]) < int(match[1])):
        raise RequestError(Fault.SHAPE_WRONG_FORMAT, text)
    return (int(match[1]), int(match[2])) if match[2] else int(match[1])


def parse_batch_size(value: Any) -> Dimension | str:
    """An integer (0 leaves the model's own), ``"auto"``, ``"8"``, ``"1:8"`` or ``"-1"``."""
    if isinstance(value, int):
        return value or None
    return AUTO if value.strip().lower() == AUTO else _zero_is_none(value)


def _zero_is_none(text: str) -> Dimension | str:
    if text.strip() == "0":
        return None
    dimension = parse_dimension(text)
    return AUTO if dimension is None else dimension


def parse_shape(text: str) -> Shape | str:
    """``(1,3,224,224)`` with dimensions as in `parse_dimension`, or ``auto``."""
    text = text.strip()
    if text.lower() == AUTO:
        return AUTO
    match = re.fullmatch(r"[(\[](.*?),?[)\]]", text)
    if not match:
        raise RequestError(Fault.SHAPE_WRONG_FORMAT, text)
    return tuple(parse_dimension(part) for part in match[1].split(","))


def parse_layout(text: str) -> Layout:
    """``NHWC:NCHW`` (what clients send, what the model takes), or one of them for both."""
    if not re.fullmatch(r"[A-Z?.]+(:[A-Z?.]+)?", text.strip().upper()):
        raise RequestError(Fault.LAYOUT_WRONG_FORMAT, text)
    tensor, _separator, model = text.strip().upper().partition(":")
    return Layout(tensor, model or None)


def _by_input(value: Any, fault: Fault) -> Mapping[str, str]:
    """A string for the only input, or a mapping (or its JSON text) from input names to strings."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            raise RequestError(fault, value) from None
    if isinstance(value, str):
        return {"": value}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise RequestError(fault, str(value))
    return value


def parse_version_policy(value: Any) -> VersionPolicy:
    """``{"latest": {"num_versions": 2}}``, ``{"all": {}}``, ``{"specific": {"versions": [1]}}``, or its JSON text."""
    fault = Fault.MODEL_VERSION_POLICY_WRONG_FORMAT
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise RequestError(fault, value) from None
    if not isinstance(value, dict) or len(value) != 1:
        raise RequestError(fault, str(value))
    ((kind, given),) = value.items()
    if kind == "all" and given == {}:
        return VersionPolicy()
    if kind == "latest" and isinstance(given, dict) and set(given) <= {"num_versions"}:
        number = given.get("num_versions", 1)
        if is_integer(number) and number >= 1:
            return VersionPolicy(latest=number)
    if kind == "specific" and isinstance(given, dict) and set(given) == {"versions"}:
        versions = given["versions"]
        if isinstance(versions, list) and all(is_integer(v) and v >= 1 for v in versions):
            return VersionPolicy(specific=tuple(versions))
    raise RequestError(fault, json.dumps(value))


def model_config(
    given: Mapping[str, Any], folder: Path, cache_dir: str = "", version: contract.Version = contract.NEWEST
) -> ModelConfig:
    """A model's settings from the (schema-checked) mapping ``given``.

    folder: what a relative base_path starts from: the folder of the configuration file. Without a base_path it is the
    name; without a target_device, which that is depends on the version.
    Raises RequestError when a value cannot be understood.
    """
    plugin_config = given.get("plugin_config", {})
    if isinstance(plugin_config, str):
        try:
            plugin_config = json.loads(plugin_config)
        except ValueError:
            raise RequestError(Fault.PLUGIN_CONFIG_WRONG_FORMAT, plugin_config) from None
        if not isinstance(plugin_config, dict):
            raise RequestError(Fault.PLUGIN_CONFIG_WRONG_FORMAT, str(plugin_config))
    shapes = _by_input(given.get("shape", {}), Fault.SHAPE_WRONG_FORMAT)
    layouts = _by_input(given.get("layout", {}), Fault.LAYOUT_WRONG_FORMAT)
    policy = given.get("model_version_policy")
    return ModelConfig(
        name=given["name"],
        base_path=folder / given.get("base_path", given["name"]),
        batch_size=parse_batch_size(given.get("batch_size", 0)),
        shapes={name: parse_shape(text) for name, text in shapes.items()},
        layouts={name: parse_layout(text) for name, text in layouts.items()},
        nireq=int(given.get("nireq", 0)),
        target_device=given.get("target_device") or ("" if version >= contract.BEST_DEVICE_BY_DEFAULT else "CPU"),
        plugin_config=plugin_config,
        version_policy=VersionPolicy(latest=1) if policy in (None, "") else parse_version_policy(policy),
        cache_dir=cache_dir,
    )
