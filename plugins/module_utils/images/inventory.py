# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine has of images: their ids, what they are made of, and which layers are there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Optional

from ansible_collections.retail.profiles.plugins.module_utils.common.disk import free_bytes
from ansible_collections.retail.profiles.plugins.module_utils.common.names import digest
from ansible_collections.retail.profiles.plugins.module_utils.engine.client import Engine

#: of the configuration, what decides how a container of the image behaves; engines differ in how they show the rest
_CONFIG = ("Cmd", "Entrypoint", "Env", "Labels", "User", "WorkingDir")
#: characters of a chain id: enough to tell layers apart, and few enough to be sent for every layer of a host
_CHAIN = 16


def describe(engine: Engine, names: Iterable[str], with_chains: bool = True) -> dict[str, Any]:
    """The engine, those of the images *names* that it has, and with *with_chains* the layers that it has."""
    info = engine.info()
    root = str(info.get("DockerRootDir") or "")
    found = {name: engine.image(name) for name in names}
    return {
        "images": {name: described(image) for name, image in found.items() if image is not None},
        "chains": sorted({chain for layers in _all_layers(engine) for chain in chains(layers)}) if with_chains else [],
        "arch": info.get("Architecture"),
        "containerd_store": uses_containerd(info),
        "root_dir": root,
        "free_bytes": free_bytes(root),
    }


def described(image: Mapping[str, Any]) -> dict[str, Any]:
    """One image."""
    config = image.get("Config") or {}
    return {
        "id": image["Id"],
        "layers": layers_of(image),
        "size": image.get("Size") or 0,
        "arch": image.get("Architecture"),
        "labels": {key: value for key, value in (config.get("Labels") or {}).items() if key.startswith("retail.")},
        "content": content(image),
    }


def layers_of(image: Mapping[str, Any]) -> list[str]:
    """The layers (sha256:... of each, uncompressed), the lowest first."""
    return list((image.get("RootFS") or {}).get("Layers") or ())


def content(image: Mapping[str, Any]) -> str:
    """A hash of what is in an image: the same where engines give the same image other ids."""
    config = image.get("Config") or {}
    parts = [image.get("Created"), layers_of(image), *(config.get(key) or None for key in _CONFIG)]
    return digest(parts)


def same(one: Optional[Mapping[str, Any]], other: Mapping[str, Any]) -> bool:
    """Whether two described images are the same: by id or, as containerd's image store has other ids, by content."""
    return one is not None and (one["id"] == other["id"] or one["content"] == other["content"])


def chains(layers: Sequence[str]) -> list[str]:
    """The (shortened) chain id of each layer: what Docker knows a layer on top of those below it by."""
    result: list[str] = []
    chain = ""
    for layer in layers:
        chain = f"sha256:{hashlib.sha256(f'{chain} {layer}'.encode()).hexdigest()}" if chain else layer
        result.append(chain.partition(":")[2][:_CHAIN])
    return result


def uses_containerd(info: Mapping[str, Any]) -> bool:
    """Whether the engine keeps images in containerd's store, where ids and layers are other things."""
    return any("io.containerd.snapshotter" in str(pair) for pair in info.get("DriverStatus") or ())


def _all_layers(engine: Engine) -> list[list[str]]:
    images = (engine.image(item["Id"]) for item in engine.images())
    return [layers_of(image) for image in images if image is not None]
