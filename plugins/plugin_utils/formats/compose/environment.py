# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a Compose service: its env files, and its variables; and the files of its labels."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import Service
from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file


def environment(service: Service) -> tuple[list[Any], dict[str, str], dict[str, str]]:
    """Env files as the profile can read them, the variables above them, and all variables together.

    A file that takes more to be expanded than itself, and those after it, are written out as variables.
    """
    files: list[Any] = []
    written_out: dict[str, str] = {}
    values: dict[str, str] = {}
    own, nothing = _own_variables(service)
    for item in service.value.get("env_file", ()):
        inside = service.source.inside(item["path"], service.source.folder, service.at("env_file"))
        if not service.source.is_file(inside):
            if item.get("required") in (False, "false"):
                continue
            raise service.error("env_file", f"{item['path']!r} is not there")
        if item.get("format") not in (None, "", "raw"):
            raise service.error("env_file", f"the format {item['format']!r} is none: write raw, or leave it out")
        found, needs_more, blanks = _variables_of(service, inside, item.get("format") == "raw", own, values)
        made = {name: value for name, value in found.items() if name not in nothing}
        needs_more = needs_more or len(made) < len(found)
        values.update(made)
        if written_out or needs_more:
            if not written_out:
                service.source.warn(
                    f"{item['path']}: its variables are written out as they are here", service.at("env_file")
                )
            written_out.update(made)
            for variable, line in blanks:  # of a file that stays one they are told where it is read
                service.source.blank_at(str(service.source.root / inside), variable, line)
        else:
            files.append(inside if item.get("format") == "raw" else {"path": inside, "format": "compose"})
    above = {**written_out, **own}
    return files, above, {**values, **above}


def _variables_of(
    service: Service, inside: str, raw: bool, above: Mapping[str, str], below: Mapping[str, str]
) -> tuple[dict[str, str], bool, list[tuple[str, int]]]:
    """What a file sets, whether that takes more than the profile's own reading of it, and which variables in it, of
    which lines, nothing sets.

    Variables in it are the caller's, else those of the service (``above``), else those of the lines before, else those
    of the files before it (``below``).
    """
    text = service.source.text(inside, service.at("env_file"))
    name = str(service.source.root / inside)
    if raw:
        named = {line.name: line.value for line in env_file.lines(text, name, service.file.variables.get)}
        return named, named != env_file.parse(text, name), []
    blanks: list[tuple[str, int]] = []

    def lookup(variable: str) -> str | None:
        found = service.file.variables.get(variable)
        return above.get(variable) if found is None else found

    def unset(variable: str, line: int) -> str:
        blanks.append((variable, line))
        return ""

    lines = env_file.compose_lines(text, name, lookup, unset, service.file.variables.get, below.get)
    made = {line.name: line.value for line in env_file.named(lines, name)}
    given = service.source.given
    alone = {**given.env, **given.variables}
    own = {line.name: line.value for line in env_file.compose_lines(text, name, alone.get)}
    return made, made != own, blanks


def _own_variables(service: Service) -> tuple[dict[str, str], set[str]]:
    """``environment``; and what it names, and has no value anywhere: that is not set, whatever a file says."""
    written: Mapping[str, str | None] = service.value.get("environment", {})
    taken = {name: service.file.variables.get(name) if value is None else value for name, value in written.items()}
    if "" in taken:
        raise ValueError(f"'={taken['']}' has no name")
    own = {name: value for name, value in taken.items() if value is not None}
    return own, taken.keys() - own.keys()


def labels(service: Service) -> dict[str, str]:
    """The labels of ``label_file``: later files stand above earlier ones."""
    made: dict[str, str] = {}
    for path in service.value.get("label_file", ()):
        inside = service.source.inside(path, service.source.folder, service.at("label_file"))
        if not service.source.is_file(inside):
            raise service.error("label_file", f"{path!r} is not there")
        text = service.source.text(inside, service.at("label_file"))
        # Unlike those of an env file, its own lines stand below the files before it.
        file = str(service.source.root / inside)
        lines = env_file.compose_lines(text, file, made.get, partial(service.source.blank_at, file))
        made.update({line.name: line.value for line in lines})
    return made
