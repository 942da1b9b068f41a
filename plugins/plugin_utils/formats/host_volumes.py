# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths on the hosts that upstream's profiles know by a variable, and the volumes that are written with them."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.host_paths import DEFAULTS
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.volumes import PROPAGATIONS
from ansible_collections.retail.profiles.plugins.plugin_utils.text import interpolation, templates, yaml_document
from ansible_collections.retail.profiles.plugins.plugin_utils.text.templates import Template

# Written, or prepared, on the hosts: never shipped with the profile.
_OF_THE_HOSTS = re.compile(r"models|results|\.?cl-cache")
_MARK = "\0"
# Folders may have such suffixes, too.
_NO_FILE = re.compile(r"\.(?:app|bak|cache|com|d|data|git|io|local|net|old|org|tmp)\Z")
_FILE = re.compile(
    r".*\.(?:[a-z][a-z0-9]{0,4}|service|socket|sqlite3?|properties|template)"
    r"|(?:docker|caddy|core|make|proc)file|\.(?:env|netrc|npmrc|htpasswd|gitconfig|bashrc)"
    r"|passwd|g?shadow|hosts|hostname|localtime|timezone|machine-id|os-release|id_rsa|id_ed25519|known_hosts|authorized_keys",
    re.IGNORECASE,
)
_MOST_FILES = 100
LARGEST_FILE = 1024 * 1024


def expand(source: Source, text: str, env_files: Mapping[str, str], path: yaml_document.Path) -> str:
    """A text with upstream's variables: those of DEFAULTS and of the inventory are rendered for each host.

    ``env_files``: what the container's env files set. ProfileError for a variable that nothing sets.
    """

    def lookup(name: str) -> str | None:
        if (given := source.given.value(name)) is not None:
            return given
        if name in DEFAULTS:
            return f"{_MARK}host_paths.{name}{_MARK}"
        if source.variable(name) is not None:
            return f"{_MARK}{name}{_MARK}"
        return env_files.get(name)

    def unset(name: str) -> str:
        raise source.not_set(name, path)

    text = re.sub(r"\A~(?=/|\Z)", "$HOME", text)
    if source.variable("RUN_PATH") is None:
        # What prepare_hosts puts in models_dir is what upstream had in its working directory.
        text = re.sub(r"\A\$(?:RUN_PATH|\{RUN_PATH\})/models(?=/|\Z)", "$MODEL_DIR", text)
    try:
        parts = interpolation.expand(text, lookup, unset).split(_MARK)
    except ValueError as error:
        raise source.error(str(error), path) from error
    return templates.joined(
        Template(f"{{{{ {part} }}}}") if index % 2 else part for index, part in enumerate(parts) if part
    )


def volume(source: Source, written: str, env_files: Mapping[str, str], path: yaml_document.Path) -> list[Any]:
    """A volume as upstream's shells took it, SOURCE:TARGET[:MODE] or a bare path, as native ones."""
    first, *rest = split(written)
    if not rest:
        target = expand(source, first, env_files, path)
        source.warn(f"{written} names no target: upstream made an anonymous volume, here it is bound to itself", path)
        return [mount(source, target, target, "", path)]
    if first.startswith("."):
        return relative_mounts(source, first, rest, path)
    target, *mode = (expand(source, part, env_files, path) for part in rest)
    return [mount(source, expand(source, first, env_files, path), target, ",".join(mode), path)]


def relative_mounts(
    source: Source, written: str, rest: Sequence[str], path: yaml_document.Path, base: str = "", create: bool = True
) -> list[Any]:
    """The volumes of a relative source; ``rest``: target and modes. Of a folder that is shipped, each of its files."""
    inside = source.inside(written, base, path)
    files = _shipped(source, written, inside, path)
    if not files:
        below = inside.removeprefix("./")
        if _is_file(written, rest[0]) and not source.exists(inside):
            source.warn(
                f"{written} is not among the profile's files: the host must have it in its working directory", path
            )
        on_host = "$RUN_PATH" if below == "." else f"$RUN_PATH/{below.replace('$', '$$')}"
        return [mount(source, expand(source, on_host, {}, path), rest[0], ",".join(rest[1:]), path, create)]
    flags = {flag for mode in rest[1:] for flag in mode.split(",")}
    if "ro" not in flags:
        source.warn(f"{written} is shipped with the profile: it is mounted read-only", path)
    modes = ",".join(sorted(flags & {"ro", "z", "Z"}))
    return [
        ":".join(part for part in (f"./{file}", posixpath.join(rest[0], within) if within else rest[0], modes) if part)
        for file, within in files
    ]


def _shipped(source: Source, written: str, inside: str, path: yaml_document.Path) -> list[tuple[str, str]]:
    """The files to ship, each with its path in the folder; [] where the source is on the host.

    What lies under the root is shipped, but for what containers write, and for folders that are too large.
    """
    below = inside.removeprefix("./")
    place = source.root / below
    if not os.path.exists(place) or _OF_THE_HOSTS.fullmatch(posixpath.basename(below)):
        return []
    if os.path.isfile(place):
        return [(below, "")]
    found = (file for file in place.rglob("*") if file.is_file()) if below != "." else iter(())
    files = sorted(islice(found, _MOST_FILES + 1))
    if not files or len(files) > _MOST_FILES or any(file.stat().st_size > LARGEST_FILE for file in files):
        source.warn(f"{written} is not shipped: the folder is taken from the working directory of the host", path)
        return []
    within = [file.relative_to(place).as_posix() for file in files]
    return [(source.inside(name, below, path).removeprefix("./"), name) for name in within]


def mount(
    source: Source, place: str, target: str, mode: str, path: yaml_document.Path, create: bool = True
) -> str | dict[str, Any]:
    """A named volume, or a path of the host.

    Docker makes a folder where such a path is missing, so this does, too: but not in the place of a file.
    """
    if not (place.startswith("/") or isinstance(place, Template)):
        return templates.joined(part for part in (place, ":", target, ":" if mode else "", mode) if part)
    made: dict[str, Any] = {"type": "bind", "source": place, "target": target}
    if create and not _is_file(place, target):
        made["create"] = True
    for flag in filter(None, mode.split(",")):
        if flag == "ro":
            made["read_only"] = True
        elif flag in ("z", "Z"):
            made["selinux"] = flag
        elif flag in PROPAGATIONS:
            made["propagation"] = flag
        elif flag != "rw":
            source.warn(f"the mode {flag} of {target} is ignored: it is not for a path of the host", path)
    return made


def _is_file(place: str, target: str) -> bool:
    """Whether a path of the host is a file, by its own name or by that of its target."""
    names = (posixpath.basename(place), posixpath.basename(target))
    return any(_FILE.fullmatch(name) and not _NO_FILE.search(name) for name in names)


def split(written: str) -> list[str]:
    """The parts of a volume between colons; those in braces belong to a variable."""
    parts, depth = [""], 0
    for character in written:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == ":" and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts
