# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model repository: ``BASE_PATH/<integer version>/*.xml`` and its weights, and which versions a policy serves.

Where version folders are optional, a folder without them, and a model's file, hold version 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ovms_stand_in.faults import Fault, RequestError
from ovms_stand_in.modelconfig import VersionPolicy

# What tells one state of a version's files from another: name, size, time of change of each.
Fingerprint = tuple[tuple[str, int, int], ...]


def versions(base_path: Path, optional: bool = False) -> tuple[int, ...]:
    """The versions in ``base_path``, ascending; ``optional``: version folders are. RequestError when it has none."""
    if optional and base_path.is_file():
        return (1,)
    if not base_path.is_dir():
        raise RequestError(Fault.PATH_INVALID, f"Directory does not exist: {base_path}")
    try:
        names = [entry.name for entry in base_path.iterdir() if entry.is_dir()]
    except OSError as error:
        raise RequestError(Fault.PATH_INVALID, f"Couldn't list directories in path: {base_path}: {error}") from None
    found = sorted({int(name) for name in names if re.fullmatch(r"\d{1,18}", name) and int(name) > 0})
    if not found and optional and list(base_path.glob("*.xml")):
        return (1,)
    if not found:
        raise RequestError(Fault.NO_MODEL_VERSION_AVAILABLE, str(base_path))
    return tuple(found)


def choose(available: Iterable[int], policy: VersionPolicy) -> tuple[int, ...]:
    """The versions that ``policy`` serves, ascending."""
    ordered = sorted(available)
    if policy.specific:
        return tuple(version for version in ordered if version in policy.specific)
    return tuple(ordered[-policy.latest :] if policy.latest else ordered)


def version_folder(base_path: Path, version: int) -> Path:
    """The folder of ``version``, whose name may have leading zeros; without any, what holds the model itself."""
    for entry in base_path.iterdir() if base_path.is_dir() else ():
        if entry.is_dir() and re.fullmatch(r"\d{1,18}", entry.name) and int(entry.name) == version:
            return entry
    if base_path.is_file() or (version == 1 and list(base_path.glob("*.xml"))):
        return base_path
    raise RequestError(Fault.FILE_INVALID, f"{base_path}/{version}")


def model_file(path: Path) -> Path:
    """The IR file of a version, by its folder or its own path. Raises RequestError unless it is there with a .bin."""
    folder = path.parent if path.is_file() else path
    found = [path] if path.is_file() and path.suffix == ".xml" else sorted(folder.glob("*.xml"))
    if not found or (path.is_file() and path.suffix != ".xml"):
        raise RequestError(Fault.FILE_INVALID, f"Could not find file for model in path: {path} (reads IR only)")
    if not list(folder.glob("*.bin")):
        raise RequestError(Fault.FILE_INVALID, f"Could not find the weights (.bin) in path: {folder}")
    return found[0]


def fingerprint(path: Path) -> Fingerprint:
    """What the files of a version, by its folder or file, look like now; empty when they cannot be read."""
    try:
        files = path.iterdir() if path.is_dir() else (path, path.with_suffix(".bin"))
        stats = [(entry.name, entry.stat()) for entry in files if entry.is_file()]
    except OSError:
        return ()
    return tuple(sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats))
