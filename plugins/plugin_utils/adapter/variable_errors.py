# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Ansible says of an argument that is not of its type, said of the variable that gave it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import kind

_NOT_OF_TYPE = re.compile(r"argument '(\w+)' is of type .* unable to convert to (\w+)")
_NO_CHOICE = re.compile(r"value of (\w+) must be one of: (.*?), got: ")
_NO_TEXT = (bool, Mapping, list, tuple)
_TYPES = {
    "bool": "true or false",
    "dict": 'a mapping, as of -e \'{{"{variable}": {{"NAME": …}}}}\'',
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "path": "a path",
    "str": "a text",
}


def not_a_text(
    args: Mapping[str, Any], options: Mapping[str, Mapping[str, Any]], variables: Mapping[str, str]
) -> str | None:
    """The message for the first text that is none: Ansible would take a list as ``[1]``, and true as ``True``."""
    for name, variable in variables.items():
        wanted = options[name].get("type")
        if wanted in ("str", "path") and "choices" not in options[name] and isinstance(args.get(name), _NO_TEXT):
            return f"{variable}: expected {_TYPES[wanted]}, not {kind(args[name])}"
    return None


def by_variable(message: str, args: Mapping[str, Any], variables: Mapping[str, str]) -> str:
    """The message with the variable's own name. ``variables``: the variable of each option that has one."""
    if (found := _NOT_OF_TYPE.search(message)) and found[1] in variables:
        variable = variables[found[1]]
        return f"{variable}: expected {_TYPES[found[2]].format(variable=variable)}, not {kind(args[found[1]])}"
    if (found := _NO_CHOICE.search(message)) and found[1] in variables:
        return f"{variables[found[1]]}: {kind(args[found[1]])} is not one of {found[2]}"
    return message
