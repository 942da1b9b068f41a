# SPDX-License-Identifier: GPL-3.0-or-later
"""What a DRM driver tells of a client in ``/proc/<pid>/fdinfo/<fd>``: the kernel's drm-usage-stats.

i915 and amdgpu tell the busy time of an engine class in nanoseconds, xe in cycles of a clock that it tells along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Optional

#: engine class by the drivers' names: i915's own, xe's hardware classes, amdgpu's IP blocks
ENGINES = {
    "render": "render",
    "rcs": "render",
    "gfx": "render",
    "compute": "compute",
    "ccs": "compute",
    "copy": "copy",
    "bcs": "copy",
    "dma": "copy",
    "video": "video",
    "vcs": "video",
    "dec": "video",
    "enc": "video",
    "enc_1": "video",
    "jpeg": "video",
    "video-enhance": "video_enhance",
    "vecs": "video_enhance",
    "vpe": "video_enhance",
}
CLASSES = ("render", "compute", "video", "video_enhance", "copy")
_REGIONS = {
    "local": "local",
    "stolen-local": "local",
    "vram": "local",
    "system": "system",
    "stolen-system": "system",
    "gtt": "system",
    "cpu": "system",
}
_UNITS = {b"": 1, b"ns": 1, b"KiB": 1 << 10, b"MiB": 1 << 20, b"GiB": 1 << 30}
_LINE = re.compile(
    rb"^drm-(pdev|client-id|(?:engine|cycles|total-cycles|resident|memory)-[^:\s]+)[ \t]*:[ \t]*(\S+)[ \t]*(\S*)",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Client:
    """One reading of a client: who shares its descriptor shares its *id*, which is unique on its device (*pdev*).

    *busy*: by engine class, nanoseconds or cycles, divided by the number of engines that the class has.
    *clock*: where busy is in cycles, the device's cycle counter; None where it is in nanoseconds.
    *local* and *system*: resident bytes in the device's own memory and in the host's; None where it is not told.
    """

    pdev: str
    id: str
    busy: Mapping[str, float]
    clock: Optional[int] = None
    local: Optional[int] = None
    system: Optional[int] = None


def parse(data: bytes) -> Optional[Client]:
    """The client of a fdinfo; None where it is of no DRM device on PCI, or of a driver that tells no client."""
    told: dict[str, dict[str, int]] = {}
    words: dict[str, str] = {}
    for key, value, unit in _LINE.findall(data):
        what, name = _meaning(key)
        if what == "word":
            words[name] = value.decode("ascii", "replace")
        elif what and value.isdigit():
            group = told.setdefault(what, {})
            # Several hardware units or memory regions may be one of ours.
            group[name] = group.get(name, 0) + int(value) * _UNITS.get(unit, 1)
    pdev, client = words.get("pdev"), words.get("client-id")
    if not pdev or not client:
        return None
    clocks, engines = told.get("total-cycles"), told.get("engine-capacity", {})
    busy = told.get("engine" if clocks is None else "cycles", {})
    memory = told.get("resident") or told.get("memory", {})
    return Client(
        pdev,
        client,
        {name: value / (engines.get(name) or 1) for name, value in busy.items()},
        None if clocks is None else max(clocks.values()),
        memory.get("local"),
        memory.get("system"),
    )


@lru_cache(maxsize=256)
def _meaning(key: bytes) -> tuple[str, str]:
    """What a key tells (nothing: it is not read), and of what: an engine class, a memory region."""
    text = key.decode("ascii", "replace")
    if text in ("pdev", "client-id"):
        return "word", text
    for what in ("engine-capacity", "engine", "total-cycles", "cycles"):
        if text.startswith(f"{what}-"):
            name = ENGINES.get(text[len(what) + 1 :])
            return (what, name) if name else ("", "")
    what, _dash, region = text.partition("-")
    if what in ("resident", "memory"):  # the latter in older drivers
        name = _REGIONS.get(region.rstrip("0123456789"))
        return (what, name) if name else ("", "")
    return "", ""
