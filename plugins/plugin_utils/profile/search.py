# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a profile is, and which files may belong to it."""

from __future__ import annotations

import contextlib
import difflib
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats import detect
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import project
from ansible_collections.retail.profiles.plugins.plugin_utils.text import json_text

PROFILE_FILE = "profile.yml"
_SYSTEM = ("/bin", "/boot", "/dev", "/etc", "/lib", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr")


def find_profile(profile: str, search: Sequence[Path]) -> Path:
    """The file of a profile given by name, or by the path of its folder or of itself.

    Raises ProfileError with the names that exist when there is none.
    """
    by_path = _is_path(profile)
    for place in _places(profile, search):
        if by_path and _is_file(place):
            return place
        if by_path and not os.path.isdir(place):
            there = "is no YAML or JSON file" if os.path.exists(place) else "is not there"
            raise ProfileError(f"{profile!r} {there}: profile is a name, or the path of a folder or of a file")
        found = detect.profiles_in(place) if os.path.isdir(place) else []
        if found or by_path:
            return _only(found, profile if by_path else str(place))
    names = known_profiles(search)
    near = difflib.get_close_matches(profile, names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ProfileError(f"there is no profile {profile!r}: {hint}{_known(search)}")


def _places(profile: str, search: Sequence[Path]) -> list[Path]:
    """Where a profile may be, in this order: where its path leads, else in each of the folders.

    ProfileError for what can be no profile.
    """
    _check(profile, search)
    if not _is_path(profile):
        return [folder / profile for folder in search]
    path = Path(os.path.expanduser(profile))
    _check_place(path, profile)
    return [path]


def _is_path(profile: str) -> bool:
    """Whether a profile is named by a path, which a file of the working directory is, too."""
    return "/" in profile or _is_file(Path(profile))


def named(
    profile: Any, search: Sequence[Path], given: Given, variable: Callable[[str], str | None]
) -> tuple[Path, Given]:
    """The file of a profile; and what the caller says of it, with the further files that belong to it.

    ``variable`` gives a variable of the play: those of Docker Compose itself choose among the files of a folder.
    """
    profile = _listed(profile)
    for folder in _places(profile, search) if isinstance(profile, str) else ():
        if not os.path.isdir(folder):
            continue
        other = any(os.path.isfile(folder / name) for name in detect.OTHER_NAMES)
        if not other and (chosen := project.files_of(folder, lambda name: given.variable(name, variable))):
            return chosen[0], replace(given, over=chosen[1:], folder=folder)
        if detect.profiles_in(folder):
            break
    file, *over = find_files(profile, search)
    return file, replace(given, over=tuple(over), folder=None)


def _listed(profile: Any) -> Any:
    """The list that a text in JSON stands for; all else as it is."""
    if isinstance(profile, str) and profile.startswith("["):
        with contextlib.suppress(ValueError):  # what is no list in JSON is a name, which is not found
            return json_text.parse(profile)
    return profile


def _check(profile: str, search: Sequence[Path]) -> None:
    """Raise ProfileError for what can be no profile."""
    if not profile or not profile.strip():
        raise ProfileError(f"no profile is named: give one with -e profile=NAME; {_known(search)}")
    if "\0" in profile:
        raise ProfileError(f"the profile {profile!r} must not contain the character NUL")
    if ".." in Path(profile).parts:
        raise ProfileError(
            f"the profile {profile!r} must not contain '..': give a name, or the path of its folder without it"
        )


def find_files(profile: Any, search: Sequence[Path]) -> tuple[Path, ...]:
    """The file of a profile; of a Compose project all its files, each laid over those before it.

    They are named in a list, which may be a text in JSON; or a folder is, in which an override stands beside the
    Compose file.
    """
    profile = _listed(profile)
    if isinstance(profile, list) and profile and all(isinstance(name, str) for name in profile):
        return tuple(find_profile(name, search) for name in profile)
    if isinstance(profile, list):
        raise ProfileError("profile is a list of files: it must hold names or paths, at least one")
    if not isinstance(profile, str):
        raise ProfileError(f"profile is a name, a path, or a list of files, not of type {type(profile).__name__}")
    file = find_profile(profile, search)
    if os.path.realpath(os.path.expanduser(profile)) == os.path.realpath(file) or file.name not in detect.COMPOSE_NAMES:
        return (file,)
    overrides = (file.parent / name for name in detect.OVERRIDE_NAMES)
    return (file, *[override for override in overrides if os.path.isfile(override)][:1])


def _is_file(path: Path) -> bool:
    return path.suffix in (".yml", ".yaml", ".json") and os.path.isfile(path)


def _check_place(path: Path, profile: str) -> None:
    real = Path(os.path.realpath(path))
    if str(real) == "/" or any(real == Path(system) or Path(system) in real.parents for system in _SYSTEM):
        raise ProfileError(f"the profile {profile!r} lies in a folder of the operating system: keep profiles elsewhere")


def _only(found: Sequence[Path], profile: str) -> Path:
    if not found:
        raise ProfileError(
            f"there is no profile in the folder {profile!r}: {PROFILE_FILE} is missing, "
            "and so is a profile or Compose file of another format"
        )
    if len(found) > 1:
        raise ProfileError(
            f"the folder {profile!r} holds several profiles: name the file of one ({', '.join(map(str, found))})"
        )
    return found[0]


def known_profiles(search: Sequence[Path]) -> list[str]:
    """Names of the profiles in the given folders, sorted."""
    folders = (
        folder for parent in search if os.path.isdir(parent) for folder in parent.iterdir() if os.path.isdir(folder)
    )
    return sorted({folder.name for folder in folders if detect.profiles_in(folder)})


def _known(search: Sequence[Path]) -> str:
    names = known_profiles(search)
    if not names:
        return f"no profile exists in {', '.join(map(str, search))}"
    return f"profiles that exist: {', '.join(names)}"


def inside(root: Path, relative: str) -> Path:
    """The file ``relative`` names under ``root``; ValueError when it leads out or is not there."""
    if "\0" in relative:
        raise ValueError(f"{relative!r}: a path cannot hold the character NUL")
    top, real = Path(os.path.realpath(root)), Path(os.path.realpath(root / relative))
    if real != top and top not in real.parents:
        raise ValueError(f"{relative!r} leads out of the profile's folder")
    if not os.path.exists(real):
        raise ValueError(f"{relative!r} is not in the profile's folder")
    if not (os.path.isfile(real) or os.path.isdir(real)):
        raise ValueError(f"{relative!r} is neither a file nor a folder")
    return real
