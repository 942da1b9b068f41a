# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of other formats: one translator each, chosen by content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.retail.profiles.plugins.module_utils.common.errors import ProfileError
from ansible_collections.retail.profiles.plugins.plugin_utils.formats import base, detect
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Given, Source, Translation
from ansible_collections.retail.profiles.plugins.plugin_utils.text import interpolation, yaml_document
from ansible_collections.retail.profiles.plugins.plugin_utils.text.ordering import natural


@dataclass(frozen=True)
class _Format:
    translate: Callable[[Source], Translation]
    markers: tuple[str, ...]


#: the formats of which several files may be named
_LAYERED = (detect.COMPOSE, detect.LANE)
# Names that say nothing of the profile: it is called as the folder is.
_GENERAL = tuple(Path(name).stem for name in detect.NAMES)


@dataclass(frozen=True)
class Foreign:
    """A profile of another format in native fields, and where it was read."""

    name: str
    document: yaml_document.Document
    root: Path
    translation: Translation
    over: tuple[Path, ...] = ()
    folder: Path | None = None


def read(text: str, file: Path, given: Given, play: Callable[[str], str | None]) -> Foreign | None:
    """A profile of another format; None for one that is not.

    ``play`` gives the variables of the play. ProfileError for what cannot be translated, with file and line.
    """
    # A Compose file may hold several documents; of any other format this is an error.
    is_json = file.suffix.lower() == ".json"
    form = yaml_document.FormLoader
    documents = [detect.parsed(text, str(file))] if is_json else yaml_document.parse_all(text, str(file), form)
    found_in = (detect.format_of(document.value) for document in documents)
    name = next(filter(None, found_in), detect.COMPOSE if file.name in detect.COMPOSE_NAMES else None)
    found = _format(name)
    if given.over and name not in _LAYERED:
        keys = f"{detect.LANE_CAMERAS} or {detect.LANE_PIPELINES}"
        raise ProfileError(
            f"several files are named, but this is no Compose file and no file of a lane, with {keys}", file=str(file)
        )
    if found is None:
        return None
    document = documents[0] if name in _LAYERED else yaml_document.parse(text, str(file), plain_scalars=True)
    root = base.root_of(file, given, found.markers)
    made = _translated(found, given, lambda of: Source(document, root, of, play, text))
    in_order = sorted(
        dict.fromkeys(made.warnings), key=lambda text: natural(text.partition(": ")[0])
    )  # by file and line
    made = replace(made, warnings=tuple(in_order))
    return Foreign(base.container_name(made.name or _name(file), ()), document, root, made, given.over, given.folder)


def _translated(found: _Format, given: Given, source_of: Callable[[Given], Source]) -> Translation:
    """What a format makes of a document. All variables that are missing are told in one error, at the first of them."""
    first: ProfileError | None = None
    reasons: dict[str, str] = {}
    while True:
        # What is missing is taken for a number: it is right for a port, a tag and a path alike.
        assumed = replace(given, variables={**given.variables, **dict.fromkeys(reasons, "1")})
        source = source_of(assumed)
        try:
            made = found.translate(source)
        except ProfileError as error:
            first = first or error
            new = error.message.reasons if isinstance(error.message, interpolation.NotSet) else {}
            if new.keys() - reasons.keys():
                reasons |= new
                continue
        if first is None:
            return made
        reasons |= {name: f"variable {name} is not set" for name in source.blanks if reasons and name not in reasons}
        if len(reasons) < 2:
            raise first
        where = str(first).removesuffix(first.message)
        raise ProfileError(f"{where}{interpolation.NotSet.of(reasons)}") from first


def _format(name: str | None) -> _Format | None:
    """What translates a format, imported when it is met: most profiles are native, and each import costs every run."""
    if name == detect.LAUNCHER:
        from ansible_collections.retail.profiles.plugins.plugin_utils.formats.upstream import launcher

        return _Format(launcher.translate, launcher.MARKERS)
    if name == detect.CONTAINERS:
        from ansible_collections.retail.profiles.plugins.plugin_utils.formats.upstream import containers

        return _Format(containers.translate, ())
    if name == detect.COMPOSE:
        from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import file as compose

        return _Format(compose.translate, ())
    if name == detect.LANE:
        from ansible_collections.retail.profiles.plugins.plugin_utils.formats.lane import lane

        return _Format(lane.translate, lane.MARKERS)
    return None


def _name(file: Path) -> str:
    """The file's own name where it says something, else its folder's; ``res`` is a folder of upstream's layout."""
    stem = file.stem.removesuffix("_conf")
    if stem not in _GENERAL:
        return stem
    folder = file.absolute().parent
    return folder.parent.name if folder.name == "res" else folder.name
