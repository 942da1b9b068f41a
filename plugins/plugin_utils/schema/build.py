# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``build``: what an image is built from."""

from __future__ import annotations

import posixpath
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    mapping_of,
    record,
    scalar,
    short,
    text,
    typed,
)


@typed(**text.schema)
def _dockerfile(value: Any) -> str:
    path: str = posixpath.normpath(text(value))
    if path.startswith(("/", "../")):
        raise ValueError(f"{value!r} is not a file in the build context: give its path from there")
    return path


BUILD_FIELDS: tuple[Field, ...] = (
    Field("context", text, "The folder, under the profile's.", "context: ./images/app", required=True),
    Field(
        "dockerfile",
        _dockerfile,
        "The file in it that says how the image is built.",
        "dockerfile: docker/Dockerfile.gpu",
        unset="`Dockerfile`",
    ),
    Field(
        "dockerfile_inline",
        text,
        "That file's text, where it is not in the folder.",
        'dockerfile_inline: "FROM debian:12"',
        unset="`dockerfile` counts",
    ),
    Field("target", text, "The stage to build; the last one where none is given.", "target: runtime"),
    Field(
        "args",
        mapping_of(scalar),
        "Build arguments, for `ARG`. They stay in the image's history: no place for secrets.",
        "args: {BASE: debian:bookworm-slim}",
    ),
)


def _check(value: dict[str, Any]) -> None:
    if "dockerfile" in value and "dockerfile_inline" in value:
        raise ValueError("dockerfile and dockerfile_inline exclude each other: give one")


BUILD = short("context", text, record(BUILD_FIELDS, _check))
