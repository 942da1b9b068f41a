# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volumes as a profile declares them: what a container mounts, and the named volumes of the profile."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.container import option_values
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    Invalid,
    Type,
    boolean,
    choice,
    mapping_of,
    maybe_empty,
    record,
    scalar,
    text,
    typed,
)

_VOLUME_NAME = r"[a-zA-Z0-9][a-zA-Z0-9_.-]*"
PROPAGATIONS = ("private", "rprivate", "shared", "rshared", "slave", "rslave")
#: the keys of the long form that only one type takes
_ONLY = {
    "create": "bind",
    "selinux": "bind",
    "propagation": "bind",
    "no_copy": "volume",
    "size": "tmpfs",
    "mode": "tmpfs",
}


@typed(type="string", pattern=f"^{_VOLUME_NAME}$")
def volume_name(value: Any) -> str:
    """The name of a volume, as Docker takes it."""
    if not isinstance(value, str) or not re.fullmatch(_VOLUME_NAME, value):
        raise ValueError(f"{value!r} is no name of a volume: letters, digits, '.', '_' and '-' only")
    return value


@typed(type="string", pattern="^/")
def _inside(value: Any) -> str:
    path: str = text(value)
    if not path.startswith("/") or ":" in path:
        raise ValueError(f"{path!r} is not an absolute path in the container")
    return path


@typed(type="string", pattern="^(0o?)?[0-7]{3,4}$")
def _permissions(value: Any) -> str:
    written = re.fullmatch("(?:0o|0(?=[0-7]{4}$))?([0-7]{3,4})", value) if isinstance(value, str) else None
    if written is None:
        raise ValueError(f"expected a mode in octal and in quotes, such as '1777', not {value!r}")
    return written[1]


@typed(anyOf=[{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^\\d+(\\.\\d+)?[kKmMgGtTpP]?i?[bB]?$"}])
def size(value: Any) -> int:
    """Bytes, from a number or a string such as ``64m``."""
    return option_values.size(value)


VOLUME_FIELDS: tuple[Field, ...] = (
    Field(
        "type",
        choice("bind", "volume", "tmpfs"),
        "What is mounted.",
        "type: tmpfs",
        unset="`bind` for a source with `./` or `/`, else `volume`",
    ),
    Field("source", text, "As SOURCE above; `tmpfs` has none.", "source: ./config.json"),
    Field("target", _inside, "Where it is mounted in the container.", "target: /config.json", required=True),
    Field("read_only", boolean, "Whether the container may only read.", "read_only: true", default=False),
    Field(
        "create", boolean, "Make the path of a `bind` on a host that has none, as an empty directory.", "create: true"
    ),
    Field("selinux", choice("z", "Z"), "Relabel a `bind` for all containers, or for this alone.", "selinux: z"),
    Field("propagation", choice(*PROPAGATIONS), "Mount propagation of a `bind`.", "propagation: rslave"),
    Field("no_copy", boolean, "Leave an empty `volume` without what the image has at its target.", "no_copy: true"),
    Field("size", size, "Most that a `tmpfs` holds.", "size: 64m", unset="half of the memory"),
    Field("mode", _permissions, "Permissions of a `tmpfs`.", 'mode: "1777"', unset="`1777`"),
)
_LONG = record(VOLUME_FIELDS)


def _short(written: str) -> dict[str, Any]:
    """The canonical form of ``SOURCE:TARGET[:MODE]``."""
    source, *rest = written.split(":")
    if not source or len(rest) not in (1, 2) or not rest[0].startswith("/"):
        raise ValueError(f"{written!r} is not SOURCE:TARGET or SOURCE:TARGET:MODE with an absolute TARGET")
    mode = rest[1] if len(rest) == 2 else ""
    if mode and not option_values.is_volume_mode(mode):
        raise ValueError(f"{written!r}: {mode!r} is not a mode such as ro, rw, z or Z")
    return _checked({"type": _kind_of(source), "source": source, "target": rest[0], "mode": mode})


def _long(value: Any) -> dict[str, Any]:
    """The canonical form of the long form."""
    written = _LONG(value)
    source = written.get("source")
    kind = written.get("type") or _kind_of(source or "")
    for key, only in _ONLY.items():
        if key in written and kind != only:
            raise Invalid(f"{key} is for the type {only}, not {kind}", (key,))
    if kind == "tmpfs":
        if source is not None:
            raise Invalid("a tmpfs has no source", ("source",))
        return {key: written[key] for key in ("target", "read_only", "size", "mode") if key in written} | {"type": kind}
    if source is None:
        raise ValueError("the source is missing; only the type tmpfs has none")
    flags = (
        "ro" if written["read_only"] else "",
        written.get("selinux", ""),
        written.get("propagation", ""),
        "nocopy" if written.get("no_copy") else "",
    )
    mode = ",".join(flag for flag in flags if flag)
    create = {"create": True} if written.get("create") else {}
    return _checked({"type": kind, "source": source, "target": written["target"], "mode": mode, **create})


def _kind_of(source: str) -> str:
    return "bind" if source.startswith(("/", ".", "~")) else "volume"


def _checked(mount: dict[str, Any]) -> dict[str, Any]:
    source = mount["source"]
    if mount["type"] == "volume":
        volume_name(source)
    elif not source.startswith(("/", "./")):
        raise ValueError(f"{source!r}: a source is ./FILE of the profile, an absolute path, or a volume's name")
    if source.startswith("./") and "rw" in mount["mode"].split(","):
        raise ValueError(f"{source!r}: a file of the profile is mounted read-only")
    if source.startswith("./") and "create" in mount:
        raise Invalid(f"{source!r} is a file of the profile: it is there", ("create",))
    return mount


def _mount(value: Any) -> dict[str, Any]:
    """``{type, source, target, mode}`` with the mode of the short form; of a tmpfs ``{type, target, read_only, …}``."""
    return _short(value) if isinstance(value, str) else _long(value)


#: what a container mounts
VOLUME = Type(_mount, {"anyOf": [{"type": "string", "pattern": "^[^:]+:/[^:]*(:[^:]+)?$"}, _LONG.schema]})

NAMED_VOLUME_FIELDS: tuple[Field, ...] = (
    Field("driver", text, "Volume driver.", "driver: local", default="local"),
    Field(
        "driver_options",
        mapping_of(scalar),
        "Options of the driver.",
        "driver_options: {type: nfs, o: addr=10.0.0.9, device: ':/models'}",
    ),
    Field(
        "external",
        boolean,
        "Whether the volume is on the hosts already, under this very name; it is not removed then.",
        "external: true",
        default=False,
    ),
)


def _check_named(volume: dict[str, Any]) -> None:
    if volume["external"] and (volume["driver"] != "local" or "driver_options" in volume):
        raise ValueError("an external volume takes no driver and no options: it is there already")


NAMED_VOLUMES = mapping_of(maybe_empty(record(NAMED_VOLUME_FIELDS, _check_named)), volume_name)
