# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter plugin: which images are not what their build contexts would make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any


def images_to_build(
    contexts: Iterable[Mapping[str, Any]], there: Mapping[str, Mapping[str, Any]], label: str
) -> list[str]:
    """The images whose label *label* is not the digest of their context, in the order of *contexts*.

    *contexts*: what ``image_context`` returns. *there*: images by name, as ``image_facts`` has them.
    """
    built = {name: image["labels"].get(label) for name, image in there.items()}
    return [context["image"] for context in contexts if built.get(context["image"]) != context["digest"]]


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"images_to_build": images_to_build}
