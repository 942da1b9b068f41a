# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: which images a host has to be given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

# Of the configuration, what decides how a container of the image behaves. Engines differ in how they show the rest.
CONFIG = ("Cmd", "Entrypoint", "Env", "Labels", "User", "WorkingDir")


def images_to_seed(here: Iterable[Mapping[str, Any]], there: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of images that *there* has, and *here* lacks or has with other content.

    Both are the results of ``docker_image_info`` in a loop over ``images_name``.
    """
    present = {result["images_name"]: _first(result) for result in here}
    seeds = []
    for result in there:
        image = _first(result)
        name = result["images_name"]
        if name in present and image is not None and not _same(present[name], image):
            seeds.append(name)
    return seeds


def _first(result: Mapping[str, Any]) -> Mapping[str, Any] | None:
    images = result.get("images") or [None]
    return images[0]


def _same(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    """Equal ids; or, as an engine with the containerd image store gives other ids, equal content."""
    if one is None:
        return False
    return one["Id"] == other["Id"] or _content(one) == _content(other)


def _content(image: Mapping[str, Any]) -> tuple[Any, ...]:
    config = image.get("Config") or {}
    layers = (image.get("RootFS") or {}).get("Layers")
    return (image.get("Created"), layers, *(config.get(key) or None for key in CONFIG))


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"images_to_seed": images_to_seed}
