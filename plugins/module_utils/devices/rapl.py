# SPDX-License-Identifier: GPL-3.0-or-later
"""Energy of processor packages and their memory, by RAPL (Intel, and AMD from family 17h on), in microjoules.

A counter of the kernel begins again at 0 after some minutes of load. Only who reads it each second sees that, so the
wraps are added up here: a sample's counter never falls while the sampler lives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import (
    Counters,
    Instances,
    Reader,
    Roots,
    names_in,
    number_in,
    text_of,
    why,
)

FOLDER = "class/powercap"
# Of both vendors. Not intel-rapl-mmio:*, which counts the same package a second time.
_ZONE = re.compile(r"intel-rapl:[0-9a-f]+(:[0-9a-f]+)?")
_PACKAGE = re.compile(r"(package-\d+)(-die-\d+)?")
PLATFORM = "psys"
"""All that the platform draws, packages included: a device of its own, never added to them."""
_INNER = {"dram": "dram_uj"}  # core and uncore (graphics) are part of the package, and not of use without it


@dataclass
class Zone:
    """An energy counter: of which device, called what there; *grown* is what it has counted beyond its own range."""

    device: str
    counter: str
    descriptor: int
    range: int
    last: Optional[int] = field(default=None)
    grown: int = 0

    def read(self) -> int:
        """Microjoules, wraps included. Raises OSError, ValueError."""
        now = number_in(self.descriptor)
        if self.last is not None and now < self.last:
            self.grown += self.range
        self.last = now
        return self.grown + now


class Rapl(Reader):
    """Reads ``package_uj`` and ``dram_uj`` of each package, ``psys_uj`` of the platform."""

    def __init__(self, roots: Roots) -> None:
        super().__init__(roots)
        self._zones: list[Zone] = []
        folder = f"{roots.sys}/{FOLDER}"
        names = [name for name in names_in(folder) if _ZONE.fullmatch(name)]
        if not names:
            self.absent["rapl"] = f"the kernel has no intel-rapl in {folder}"
        devices = {name: text_of(f"{folder}/{name}/name") for name in names}
        for name in names:
            outer = devices[":".join(name.split(":")[:2])]
            device, counter = device_of(outer, devices[name])
            if device is not None:
                self._open_zone(f"{folder}/{name}", device, counter)

    def _open_zone(self, path: str, device: str, counter: str) -> None:
        try:
            descriptor = self.open(f"{path}/energy_uj")
            self._zones.append(Zone(device, counter, descriptor, int(text_of(f"{path}/max_energy_range_uj"))))
        except OSError as error:
            self.absent["rapl"] = why(error, f"{path}/energy_uj")

    def read(self) -> Instances:
        """Dies of a package count together, so a zone that cannot be read now would make its sum fall: then nothing."""
        found: dict[str, Counters] = {}
        for zone in self._zones:
            counters = found.setdefault(zone.device, {})
            try:
                counters[zone.counter] = counters.get(zone.counter, 0) + zone.read()
            except OSError as error:
                self.absent["rapl"] = why(error, f"the energy of {zone.device}")
                return {}
        return found


def device_of(outer: str, name: str) -> tuple[Optional[str], str]:
    """Device and counter of a zone, by the names of its outermost zone and of itself; no device: it is not read."""
    package = _PACKAGE.fullmatch(outer)
    if name == PLATFORM:
        return PLATFORM, "psys_uj"
    if package is None:
        return None, ""
    if name == outer:
        return package.group(1), "package_uj"
    return (package.group(1), _INNER[name]) if name in _INNER else (None, "")
