# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of docker_container as a profile writes them: their names, the check of a value, its JSON Schema.

What each is to the engine is declared in module_utils/container/options.py, the table that is read here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.container.options import ALIASES, HOST, OPTIONS
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import Type

_TYPES = {"str": "string", "int": "integer", "bool": "boolean", "float": "number", "list": "array", "dict": "object"}
#: every option that a task may carry
NAMES = tuple(OPTIONS)
#: the options that are written as the engine takes them, by its name for them in ``HostConfig``, in lower case
HOST_CONFIG: Mapping[str, str] = {
    field.path.removeprefix(HOST).lower(): option.name
    for option in OPTIONS.values()
    for field in option.fields
    if field.path.startswith(HOST) and option.type in ("str", "int", "bool", "list") and option.elements in ("", "str")
}


#: options that docker_container has beside them, for ``profile_apply_with: docker_container``
STOCK = (
    "cleanup",
    "command_handling",
    "comparisons",
    "container_default_behavior",
    "default_host_ip",
    "force_kill",
    "healthy_wait_timeout",
    "image_comparison",
    "image_label_mismatch",
    "image_name_mismatch",
    "keep_volumes",
    "kernel_memory",
    "kill_signal",
    "links",
    "mac_address",
    "networks_cli_compatible",
    "output_logs",
    "paused",
    "platform",
    "pull_check_mode_behavior",
    "recreate",
    "removal_wait_timeout",
)
#: options that the plan sets, or fields: they are refused with what to use instead
_SET_ELSEWHERE = ("env_file", "pull", "state")
#: what people write for an option that is called otherwise
_MEANT = {"restart": "restart_policy", "cap_add": "capabilities"}


def proper_name(option: str) -> str:
    """The name of an option that may be written under another."""
    return ALIASES.get(option, option)


def checked(option: str, value: Any) -> Any:
    """A value as it is. ValueError, TypeError or KeyError for one that the host would not take."""
    known = OPTIONS.get(proper_name(option))
    if known is None and option not in (*STOCK, *_SET_ELSEWHERE):
        near = [_MEANT[option]] if option in _MEANT else difflib.get_close_matches(option, [*NAMES, *ALIASES], n=1)
        raise ValueError(f"docker_container has no such option{f': did you mean {near[0]!r}?' if near else ''}")
    parsed = known.parse(value) if known is not None else None
    if known is not None and known.choices and parsed not in known.choices:
        raise ValueError(f"{value!r} is not one of {', '.join(known.choices)}")
    if option in _ONLY_AT_THE_START:
        _ONLY_AT_THE_START[option](parsed)
    return value


def _check_health(parsed: Any) -> None:
    test = parsed.get("Test") or ["NONE"]
    if test[0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise ValueError(f"test: the list begins with CMD, CMD-SHELL or NONE, not with {test[0]!r}")


_TMPFS_FLAG = re.compile("defaults|r[ow]|(no)?(exec|suid|dev|mand|atime|diratime|relatime|strictatime)|a?sync|dirsync")
_TMPFS_VALUES = {
    "size": re.compile("[0-9]+[kKmMgG%]?"),
    "mode": re.compile("[0-7]+"),
    **dict.fromkeys(("uid", "gid"), re.compile("[0-9]+")),
    **dict.fromkeys(("nr_inodes", "nr_blocks"), re.compile("[0-9]+[kKmMgG]?")),
    "mpol": re.compile(".+"),
}


def _check_tmpfs(parsed: Any) -> None:
    for target, options in parsed.items():
        for written in filter(None, options.split(",")):
            name, equals, value = written.partition("=")
            allowed = _TMPFS_VALUES.get(name) if equals else _TMPFS_FLAG
            if allowed is None or not allowed.fullmatch(value if equals else written):
                raise ValueError(
                    f"{target}: {written!r} is no option of a tmpfs, such as size=64m, mode=1777 or noexec"
                )


#: what is taken when a container is made, and refused, or not heeded, only when it starts
_ONLY_AT_THE_START = {"healthcheck": _check_health, "tmpfs": _check_tmpfs}


def from_text(option: str, value: Any) -> Any:
    """A value of a format in which all is text: as a boolean or a number where the option is one. Errors as above."""
    known = OPTIONS[option]
    if isinstance(value, str) and known.type == "bool":
        value = known.parse(value)
    if isinstance(value, str) and known.type == "int":
        value = int(value)
    known.parse(value)
    return value


def schema_of(option: str) -> dict[str, Any]:
    """The JSON Schema of an option's values."""
    known = OPTIONS[option]
    return {
        **({"type": _TYPES[known.type]} if known.type in _TYPES else {}),
        **({"enum": list(known.choices)} if known.choices else {}),
    }


def type_of(option: str) -> Type:
    """The values that an option takes, for a field that is this option."""

    def parse(value: Any) -> Any:
        try:
            return checked(option, value)
        except (TypeError, KeyError) as error:
            raise ValueError(str(error)) from error

    return Type(parse, schema_of(option))
