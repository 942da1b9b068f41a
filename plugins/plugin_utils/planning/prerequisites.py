# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hosts of a profile need before it can run: images and models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.placement.wishes import PlanSettings
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.plan import Shape
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Profile, Render
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural


def needs(
    profile: Profile, shaped: Shape, settings: PlanSettings, variables: Mapping[str, Any], render: Render
) -> dict[str, Any]:
    """``{"images": [{"image", "build", "containers", "hosts"}], "models": {...} | None}``.

    ``variables``: each host's. ``build`` is the path of the build context, the whole field if it says more, or None.
    """
    images: dict[str, dict[str, Any]] = {}
    model_hosts = set()
    for slot in shaped.slots:
        entry = profile.entry(slot.container)
        own = {**variables[slot.host], "replica": {"name": slot.replica, "index": slot.index, "host": slot.host}}
        image = _mapped(settings, entry.value("image", render, own))
        item = images.setdefault(
            image, {"image": image, "build": _build(profile, image), "containers": [], "hosts": []}
        )
        item["containers"] = sorted({*item["containers"], slot.container})
        item["hosts"] = sorted({*item["hosts"], slot.host}, key=natural)
        if "models_dir" in repr(entry.raw.get("volumes", "")):
            model_hosts.add(slot.host)
    return {
        "images": [images[image] for image in sorted(images)],
        "models": _models(profile, settings, sorted(model_hosts, key=natural)),
    }


def _mapped(settings: PlanSettings, image: str) -> str:
    return settings.images.get(image, image)


def _build(profile: Profile, image: str) -> str | Mapping[str, Any] | None:
    build = profile.builds.get(image)
    return build["context"] if build is not None and set(build) == {"context"} else build


def _models(profile: Profile, settings: PlanSettings, hosts: list[str]) -> dict[str, Any] | None:
    if profile.models is None or not hosts:
        return None
    image = _mapped(settings, profile.models["image"])
    return {**profile.models, "image": image, "build": _build(profile, image), "hosts": hosts}
