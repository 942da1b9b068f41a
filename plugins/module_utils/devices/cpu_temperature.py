# SPDX-License-Identifier: GPL-3.0-or-later
"""Temperatures of processor packages: the sensors of their drivers (coretemp, k10temp), else thermal zones."""

from __future__ import annotations

import contextlib
import os
import re
from typing import Optional

from ansible_collections.retail.profiles.plugins.module_utils.devices import cpus
from ansible_collections.retail.profiles.plugins.module_utils.devices.reader import (
    Instances,
    Reader,
    Roots,
    names_in,
    number_in,
    text_of,
    why,
)

_SENSORS = "class/hwmon"
_ZONES = "class/thermal"
_ZONE_TYPES = ("x86_pkg_temp", "cpu-thermal", "cpu_thermal")
_INTEL = "coretemp"
_PACKAGE = re.compile(r"Package id (\d+)")
_AMD = ("k10temp", "zenpower")
_AMD_LABELS = ("Tdie", "Tctl")  # the second may be above the true temperature, for the fans


class CpuTemperature(Reader):
    """Reads ``celsius`` of each package."""

    def __init__(self, roots: Roots) -> None:
        super().__init__(roots)
        self._files: dict[str, int] = {}
        paths = intel(roots) or amd(roots) or zones(roots)
        for device, path in paths.items():
            try:
                self._files[device] = self.open(path)
            except OSError as error:
                self.absent["thermal"] = why(error, path)
        if not paths:
            self.absent["thermal"] = (
                f"neither {roots.sys}/{_SENSORS} nor {roots.sys}/{_ZONES} has the temperature of a processor"
            )

    def read(self) -> Instances:
        """A sensor that cannot be read now is left out."""
        found: Instances = {}
        for device, descriptor in self._files.items():
            with contextlib.suppress(OSError, ValueError):
                found[device] = {"celsius": number_in(descriptor) / 1000}
        return found


def intel(roots: Roots) -> dict[str, str]:
    """The file of each package, by the labels of coretemp."""
    found = {}
    for folder in _sensors(roots, (_INTEL,)):
        for label, path in _labels(folder).items():
            package = _PACKAGE.fullmatch(label)
            if package is not None:
                found[f"package-{package.group(1)}"] = path
    return found


def amd(roots: Roots) -> dict[str, str]:
    """The file of each package, in the order of the PCI addresses; where a package has several, of each of these."""
    folders = sorted(_sensors(roots, _AMD), key=_address)
    packages = {cpus.package_of(roots, cpu) for cpu in cpus.present(roots)}
    found = {}
    for number, folder in enumerate(folders):
        labels = _labels(folder)
        path = next((labels[label] for label in _AMD_LABELS if label in labels), f"{folder}/temp1_input")
        found[f"package-{number}" if len(folders) == len(packages) else _address(folder)] = path
    return found


def zones(roots: Roots) -> dict[str, str]:
    """The file of each thermal zone of a package, in their order."""
    folder = f"{roots.sys}/{_ZONES}"
    names = [name for name in names_in(folder) if re.fullmatch(r"thermal_zone\d+", name)]
    of_cpus = [name for name in sorted(names, key=len) if _text(f"{folder}/{name}/type") in _ZONE_TYPES]
    return {f"package-{number}": f"{folder}/{name}/temp" for number, name in enumerate(of_cpus)}


def _sensors(roots: Roots, drivers: tuple[str, ...]) -> list[str]:
    folders = (f"{roots.sys}/{_SENSORS}/{name}" for name in names_in(f"{roots.sys}/{_SENSORS}"))
    return [folder for folder in folders if _text(f"{folder}/name") in drivers]


def _labels(folder: str) -> dict[str, str]:
    """The values of a sensor by their labels."""
    found = {}
    for name in names_in(folder):
        if re.fullmatch(r"temp\d+_label", name):
            label = _text(f"{folder}/{name}")
            if label is not None:
                found[label] = f"{folder}/{name[:-5]}input"
    return found


def _address(folder: str) -> str:
    return os.path.basename(os.path.realpath(f"{folder}/device"))


def _text(path: str) -> Optional[str]:
    with contextlib.suppress(OSError):
        return text_of(path)
    return None
