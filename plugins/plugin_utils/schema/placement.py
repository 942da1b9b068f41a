# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a container may run: ``require``, ``exclusive``, ``cpuset`` and ``cpus``, declared field by field."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.container import option_values
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.field_types import (
    Field,
    choice,
    list_of,
    positive,
    record,
    text,
    typed,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.text import cpu_list

# Names of one architecture, as people write them and as the kernel does.
_ARCHES = {"amd64": "x86_64", "x86-64": "x86_64", "arm64": "aarch64"}


def arch(name: str) -> str:
    """An architecture under the kernel's name."""
    return _ARCHES.get(name.lower(), name.lower())


def version_numbers(text: str) -> tuple[int, ...]:
    """The numbers that a version begins with: ``20.10.24+dfsg1`` is (20, 10, 24). ValueError when it has none."""
    match = re.match(r"v?(\d+(?:\.\d+)*)", text)
    if match is None:
        raise ValueError(f"{text!r} is not a version such as 20.10")
    return tuple(map(int, match.group(1).split(".")))


@typed(type="string", minLength=1)
def _architecture(value: Any) -> str:
    return arch(text(value))


@typed(
    anyOf=[
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": "^\\s*\\d+(\\.\\d*)?\\s*[KMGTkmgt]?(i?[Bb])?\\s*$"},
    ]
)
def _size(value: Any) -> int:
    size = option_values.size(value)
    if size < 1:
        raise ValueError(f"expected a size such as 8g, not {value!r}")
    return size


@typed(anyOf=[{"type": "boolean"}, {"type": "integer", "minimum": 1}])
def _device_count(value: Any) -> int:
    """At least so many; true is one, and false that there is none."""
    return int(value) if isinstance(value, bool) else int(positive(value))


@typed(type="string", pattern="^v?\\d")
def _version(value: Any) -> str:
    if isinstance(value, float):
        raise ValueError(f"write the version in quotes: YAML takes {value!r} for a number, in which 20.10 is 20.1")
    version: str = text(str(value) if isinstance(value, int) and not isinstance(value, bool) else value)
    version_numbers(version)
    return version


REQUIRE_FIELDS: tuple[Field, ...] = (
    Field("arch", list_of(_architecture), "Its architecture, or several that will do.", "arch: [x86_64, aarch64]"),
    Field("memory", _size, "At least so much memory, as its kernel shows it.", "memory: 8g"),
    Field("cpus", positive, "At least so many CPUs.", "cpus: 8"),
    Field(
        "gpu",
        _device_count,
        "A GPU (render node); a number: at least so many; `false`: none at all.",
        "gpu: true",
    ),
    Field("npu", _device_count, "The same of NPUs (accelerator nodes).", "npu: true"),
    Field("engine", _version, "At least this version of Docker Engine.", 'engine: "24.0"'),
)


def _check_require(spec: dict[str, Any]) -> None:
    if not spec:
        raise ValueError(f"expected at least one of {', '.join(field.name for field in REQUIRE_FIELDS)}")


REQUIRE = record(REQUIRE_FIELDS, _check_require, minProperties=1)

EXCLUSIVE_KINDS = ("host", "devices", "host_ports")


@typed(anyOf=[{"type": "boolean"}, *list_of(choice(*EXCLUSIVE_KINDS)).schema["anyOf"]])
def exclusive(value: Any) -> list[str]:
    """What the container does not share; true is the host."""
    if isinstance(value, bool):
        return ["host"] if value else []
    written = list_of(choice(*EXCLUSIVE_KINDS))(value)
    return [kind for kind in EXCLUSIVE_KINDS if kind in written]


CPUSET_FIELDS: tuple[Field, ...] = (Field("cpus", positive, "How many CPUs the set has.", "cpus: 2", required=True),)
_OWN_CPUS = record(CPUSET_FIELDS)


@typed(anyOf=[{"const": "auto"}, {"type": "string", "pattern": "^\\d+(-\\d+)?(,\\d+(-\\d+)?)*$"}, _OWN_CPUS.schema])
def cpuset(value: Any) -> dict[str, Any]:
    """``{}`` for auto, ``{"cpus": number}``, or ``{"fixed": [numbers]}``."""
    if value == "auto":
        return {}
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return {"fixed": cpu_list.numbers(str(value))}
    own: dict[str, Any] = _OWN_CPUS(value)
    return own


@typed(type="number", exclusiveMinimum=0)
def cpus(value: Any) -> float:
    number = option_values.nano_cpus(value) / 1e9
    if number <= 0:
        raise ValueError(f"expected a number of CPUs, not {value!r}")
    return int(number) if number == int(number) else number
