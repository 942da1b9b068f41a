# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""The environment of a Compose service: its env files, and its variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import options
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import Service
from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file


def environment(service: Service) -> tuple[list[Any], dict[str, str], dict[str, str]]:
    """Env files as the profile can read them, the variables above them, and all variables together.

    A file that ``.env`` or the inventory helps to expand, and those after it, are written out as variables.
    """
    files: list[Any] = []
    written_out: dict[str, str] = {}
    values: dict[str, str] = {}
    for item in _env_files(service):
        inside = service.source.inside(item["path"], service.source.folder, service.at("env_file"))
        if not service.source.is_file(inside):
            if item.get("required") in (False, "false"):
                continue
            raise service.source.error(
                f"{service.label}.env_file: {item['path']!r} is not there", service.at("env_file")
            )
        made, needs_more = _variables_of(service, inside, item.get("format") == "raw", values)
        values.update(made)
        if written_out or needs_more:
            if not written_out:
                service.source.warn(
                    f"{item['path']}: its variables are written out as they are here", service.at("env_file")
                )
            written_out.update(made)
        else:
            files.append(inside if item.get("format") == "raw" else {"path": inside, "format": "compose"})
    own = {**written_out, **_own_variables(service)}
    return files, own, {**values, **own}


def _env_files(service: Service) -> list[Mapping[str, Any]]:
    value = service.value.get("env_file", [])
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, Mapping) else {"path": options.scalar(item)} for item in items]


def _variables_of(service: Service, inside: str, raw: bool, above: Mapping[str, str]) -> tuple[dict[str, str], bool]:
    """What a file sets, and whether that takes more than the profile's own reading of it."""
    text = service.source.text(inside, service.at("env_file"))
    name = str(service.source.root / inside)
    if raw:
        return env_file.parse(text, name), False
    made = {line.name: line.value for line in env_file.compose_lines(text, name, service.file.variables.get)}
    alone = {**above, **service.source.given.env}
    own = {line.name: line.value for line in env_file.compose_lines(text, name, alone.get)}
    return made, made != own


def _own_variables(service: Service) -> dict[str, str]:
    written = options.pairs(service.value.get("environment", {}))
    taken = {name: service.file.variables.get(name) if value is None else value for name, value in written.items()}
    return {name: value for name, value in taken.items() if value is not None}
