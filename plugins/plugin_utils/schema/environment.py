# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``env_file`` and ``secret_env``: files of variables, and the names of secrets."""

from __future__ import annotations

import posixpath
import re
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    Type,
    boolean,
    choice,
    is_template,
    mapping_of,
    record,
    short,
    text,
    typed,
    variable,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Vaulted

ENV_FILE_FIELDS: tuple[Field, ...] = (
    Field("path", text, "The file, under the profile's folder.", "path: client.env", required=True),
    Field(
        "format",
        choice("docker", "compose"),
        "`docker`: nothing is expanded, quotes belong to the value; `compose`: quotes and `${NAME:-default}` as there.",
        "format: compose",
        default="docker",
    ),
    Field(
        "required",
        boolean,
        "Whether it is an error that the file is not there; else it is a warning in the plan.",
        "required: false",
        default=True,
    ),
)


ENV_FILE = short("path", text, record(ENV_FILE_FIELDS))


def _secret(value: Any) -> Any:
    if value is None or isinstance(value, Vaulted):
        return value
    if not isinstance(value, str) or not is_template(value):
        raise ValueError(
            "a secret in plain text is none: write a template such as '{{ vaulted_variable }}', a value with !vault, "
            "or nothing and give it in profile_secrets"
        )
    return value


@typed(type="string", pattern=r"^/[^\s*?\[]+$")
def _place(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"/[^\s*?\[]+", value) or posixpath.normpath(value) != value:
        raise ValueError(f"{value!r} is not an absolute path in the container, without white space, '*', '?' and '['")
    return value


_SECRET = Type(_secret, {"type": ["string", "null"]})
#: values stay as they are written: what they stand for is rendered where a host is applied
SECRET_ENV = mapping_of(_SECRET, variable)
SECRET_FILES = mapping_of(_SECRET, _place)
