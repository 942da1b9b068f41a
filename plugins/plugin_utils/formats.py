# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Profiles of other formats: one translator each, chosen by content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.retail.profiles.plugins.plugin_utils import positions, recognise, translation
from ansible_collections.retail.profiles.plugins.plugin_utils.translation import Given, Source, Translation


@dataclass(frozen=True)
class _Format:
    translate: Callable[[Source], Translation]
    markers: tuple[str, ...]


# Names that say nothing of the profile: it is called as the folder is.
_GENERAL = tuple(Path(name).stem for name in recognise.NAMES)


@dataclass(frozen=True)
class Foreign:
    """A profile of another format in native fields, and where it was read."""

    name: str
    document: positions.Document
    root: Path
    translation: Translation


def read(text: str, file: Path, given: Given, play: Callable[[str], str | None]) -> Foreign | None:
    """A profile of another format; None for one that is not.

    ``play`` gives the variables of the play. ProfileError for what cannot be translated, with file and line.
    """
    document = positions.parse(text, str(file), plain_scalars=True)
    found = _format(recognise.format_of(document.value))
    if found is None:
        return None
    root = translation.root_of(file, given, found.markers)
    made = found.translate(Source(document, root, given, play))
    return Foreign(translation.container_name(made.name or _name(file), ()), document, root, made)


def _format(name: str | None) -> _Format | None:
    """What translates a format, imported when it is met: most profiles are native, and each import costs every run."""
    if name == recognise.LAUNCHER:
        from ansible_collections.retail.profiles.plugins.plugin_utils import upstream_launcher

        return _Format(upstream_launcher.translate, upstream_launcher.MARKERS)
    if name == recognise.CONTAINERS:
        from ansible_collections.retail.profiles.plugins.plugin_utils import upstream_containers

        return _Format(upstream_containers.translate, ())
    if name == recognise.COMPOSE:
        from ansible_collections.retail.profiles.plugins.plugin_utils import compose

        return _Format(compose.translate, ())
    return None


def _name(file: Path) -> str:
    """The file's own name where it says something, else its folder's; ``res`` is a folder of upstream's layout."""
    stem = file.stem.removesuffix("_conf")
    if stem not in _GENERAL:
        return stem
    folder = file.absolute().parent
    return folder.parent.name if folder.name == "res" else folder.name
