# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""What a container's arguments and ``config.json`` say about the OpenVINO Model Server in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.file_tree import FILE
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.mounts import Mount, at
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.shipped_files import ShippedFile
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.text.command_line import is_ovms, option

DEFAULT_FAMILIES = frozenset(
    (
        "ovms_current_requests",
        "ovms_requests_success",
        "ovms_requests_fail",
        "ovms_request_time_us",
        "ovms_streams",
        "ovms_inference_time_us",
        "ovms_wait_for_infer_req_time_us",
        "ovms_current_graphs",
        "ovms_requests_accepted",
        "ovms_requests_rejected",
        "ovms_graph_error",
        "ovms_graph_processing_time_us",
        "ovms_responses",
    )
)
"""The families of metrics that OVMS shows without a ``metrics_list``."""


@dataclass(frozen=True)
class Models:
    """The models that a server is told to serve: name to base path inside its container, and to target device."""

    paths: Mapping[str, str]
    source: str
    devices: Mapping[str, str] = field(default_factory=dict)


def on_device(
    entry: Entry, args: Sequence[str], binds: Sequence[Mount], device: str | None
) -> tuple[list[str], list[Mount]]:
    """Arguments and mounts of a server whose models are on *device* (None: each on its own).

    A shipped ``config.json`` is rewritten for it, and to what OVMS accepts today (see :func:`rewritten`).
    Raises ProfileError where a device is given and the configuration is not the profile's to rewrite.
    """
    args, binds = list(args), list(binds)
    if option(args, "model_name") is not None:
        return (_with_option(args, "target_device", device) if device else args), binds
    config_path = option(args, "config_path")
    mount = _config(binds, config_path)
    if config_path is None or mount is None:
        if config_path is not None and device:
            raise entry.error(
                f"its models cannot be put on {device}: {config_path} is not a file of the profile: "
                f"ship it, as ./config.json:{config_path}:ro, or set the devices there and leave the server out",
                "args",
            )
        return args, binds
    data = rewritten(entry, mount.name, mount.data, device)
    if data != mount.data:
        new = mount.shipped.containing(data, mount.inside)
        binds = [bind for bind in binds if bind.target != config_path]
        binds.append(Mount(new.dest, config_path, "ro", new))
    return args, binds


def rewritten(entry: Entry, name: str, data: bytes, device: str | None) -> bytes:
    """A ``config.json`` with every model on *device*, if one is given.

    ``latest`` beside a model's ``config``, which OVMS takes no more, becomes its ``model_version_policy``. What needs
    no change stays as it is, to the byte.
    """
    document = _document(entry, name, data)
    for item in document["model_config_list"]:
        if "latest" in item:
            item["config"].setdefault("model_version_policy", {"latest": item["latest"]})
            del item["latest"]
        if device:
            item["config"]["target_device"] = device
    if document == _document(entry, name, data):
        return data
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def models(entry: Entry, args: Sequence[str], binds: Sequence[Mount]) -> Models | None:
    """The models named by ``--config_path`` (a shipped file) or ``--model_name``; None when they cannot be known."""
    model_name, model_path = option(args, "model_name"), option(args, "model_path")
    if model_name and model_path:
        device = option(args, "target_device")
        return Models({model_name: model_path}, "args", {model_name: device} if device else {})
    config_path = option(args, "config_path")
    config = _config(binds, config_path)
    if config_path is None or config is None:
        return None
    configs = [item["config"] for item in _document(entry, config.name, config.data)["model_config_list"]]
    base = PurePosixPath(config_path).parent
    return Models(
        {str(config["name"]): str(base / config["base_path"]) for config in configs},
        config.name,
        {str(config["name"]): str(config["target_device"]) for config in configs if config.get("target_device")},
    )


@dataclass(frozen=True)
class _Config:
    """A configuration file that the profile ships: by itself, or at the path ``inside`` of a folder."""

    shipped: ShippedFile
    inside: str
    name: str
    data: bytes


def _config(binds: Sequence[Mount], config_path: str | None) -> _Config | None:
    """The configuration file of the server, where the profile ships it."""
    mount = at(binds, config_path) if config_path else None
    if mount is None or mount.shipped is None or config_path is None:
        return None
    shipped, inside = mount.shipped, mount.below(config_path) or "."
    if shipped.kind == FILE:
        return _Config(shipped, inside, shipped.path, shipped.read()) if inside == "." else None
    return (
        _Config(shipped, inside, f"{shipped.path}/{inside}", shipped.read(inside)) if inside in shipped.holds else None
    )


def _document(entry: Entry, name: str, data: bytes) -> dict[str, Any]:
    """An OVMS configuration, with what is needed of it checked."""
    try:
        document = json.loads(data)
        document.setdefault("model_config_list", [])
        for item in document["model_config_list"]:
            PurePosixPath(item["config"]["base_path"], str(item["config"]["name"]))
        _check_monitoring(document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise entry.error(
            f"{name} is not an OVMS configuration (model_config_list[].config with name and base_path): {error!r}",
            "volumes",
        ) from error
    return dict(document)


def _check_monitoring(document: Mapping[str, Any]) -> None:
    """Raises AttributeError or TypeError for a section of metrics that is none."""
    metrics = (document.get("monitoring") or {}).get("metrics") or {}
    iter(metrics.get("metrics_list") or ())


def _with_option(args: Sequence[str], name: str, value: str) -> list[str]:
    """The arguments with ``--name VALUE`` in place of what they say of it."""
    kept: list[str] = []
    skip = False
    for index, arg in enumerate(args):
        if skip:
            skip = False
        elif arg == f"--{name}":
            skip = index + 1 < len(args) and not args[index + 1].startswith("--")
        elif not arg.startswith(f"--{name}="):
            kept.append(arg)
    return [*kept, f"--{name}", value]


def model_checks(entry: Entry, served: Models | None, binds: Sequence[Mount]) -> list[dict[str, Any]]:
    """The model directories that must be on the host, each with a version folder.

    Those that the profile ships are checked at once: ProfileError where one of them has none.
    """
    checks = []
    for model, inside in (served.paths if served else {}).items():
        mount = at(binds, inside)
        relative = mount.below(inside) if mount else None
        source = served.source if served else ""
        if mount is None or relative is None or not mount.source.startswith("/"):
            continue  # in the image, or in a volume
        if mount.shipped is not None:
            _check_shipped(entry, model, mount.shipped, relative)
        else:
            path = str(PurePosixPath(mount.source) / relative)
            checks.append(
                {"kind": "path", "path": path, "container": entry.name, "field": f"{source} {model}", "model": model}
            )
    return checks


def _check_shipped(entry: Entry, model: str, shipped: ShippedFile, inside: str) -> None:
    versions = {
        parts[0]
        for path in shipped.holds
        if (parts := _parts_below(path, inside)) and parts[0].isdigit() and int(parts[0]) > 0
    }
    if not versions:
        where = shipped.path if inside == "." else f"{shipped.path}/{inside}"
        raise entry.error(f"model {model}: {where} has no version folder (such as {where}/1)", "volumes")


def _parts_below(path: str, folder: str) -> tuple[str, ...]:
    try:
        return PurePosixPath(path).relative_to(folder).parts
    except ValueError:
        return ()


def scrape_target(
    entry: Entry, image: str, args: Sequence[str], binds: Sequence[Mount], ports: Mapping[str, int]
) -> dict[str, Any] | None:
    """Where the container shows Prometheus metrics: port ``metrics``, or OVMS's REST port where its metrics are on.

    Of OVMS with the families that it shows.
    """
    families = _families(entry, args, binds) if is_ovms(image) else None
    shown = {} if families is None else {"families": sorted(families)}
    if "metrics" in ports:
        return {"port": ports["metrics"], "path": "/metrics", **shown}
    rest = option(args, "rest_port")
    if families is not None and rest and rest.isdigit() and int(rest):
        return {"port": int(rest), "path": "/metrics", **shown}
    return None


def _families(entry: Entry, args: Sequence[str], binds: Sequence[Mount]) -> frozenset[str] | None:
    """The families of metrics that OVMS shows; None where they are off, or where nothing is known of it.

    The command line switches them on, or the configuration file; one that has both ends OVMS at its start.
    """
    if option(args, "metrics_enable") is not None:
        listed = option(args, "metrics_list") or ""
        return frozenset(name.strip() for name in listed.split(",") if name.strip()) or DEFAULT_FAMILIES
    config = _config(binds, option(args, "config_path"))
    if config is None:
        return None
    metrics = (_document(entry, config.name, config.data).get("monitoring") or {}).get("metrics") or {}
    if not metrics.get("enable"):
        return None
    listed_there = metrics.get("metrics_list")
    return DEFAULT_FAMILIES if listed_there is None else frozenset(map(str, listed_there))
