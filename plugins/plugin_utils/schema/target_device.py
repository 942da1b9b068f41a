# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Target devices as OpenVINO names them, and the least that a container needs of its host to use them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

FORMS = "CPU, GPU, GPU.n (n counts from 0), NPU, AUTO, AUTO:a,b, MULTI:a,b or HETERO:a,b"
_ONE = r"(CPU|NPU|GPU(\.(0|[1-9][0-9]?))?)"
PATTERN = rf"^({_ONE}|AUTO|(AUTO|MULTI|HETERO):{_ONE}(,{_ONE})*)$"
"""The forms as a regular expression of JSON Schema."""
_SINGLE = re.compile(_ONE)
_COMBINED = ("AUTO", "MULTI", "HETERO")
_FIRST_RENDER = 128
_RENDER = "/dev/dri/renderD"


@dataclass(frozen=True)
class Target:
    """A target device: one of ``parts`` alone, or those that ``plugin`` (AUTO, MULTI, HETERO) combines."""

    plugin: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        return ":".join(part for part in (self.plugin, ",".join(self.parts)) if part)

    @property
    def takes_all(self) -> bool:
        """AUTO alone: whatever the host has."""
        return not self.parts


@dataclass(frozen=True)
class HostDevices:
    """The devices of a host, from its snapshot. ``gids``: the group of each node."""

    render: Sequence[str] = ()
    npu: Sequence[str] = ()
    video: Sequence[str] = ()
    realsense: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    displays: Sequence[str] = ()
    gids: Mapping[str, int | None] = field(default_factory=dict)

    def groups(self, nodes: Iterable[str]) -> list[int]:
        """The groups by which the nodes may be used, in order."""
        return sorted({gid for node in nodes if (gid := self.gids.get(node)) is not None})


def of_snapshot(snapshot: Mapping[str, Any]) -> HostDevices:
    """The devices in one host's snapshot; none where it says nothing of them."""
    found = snapshot.get("devices") or {}
    known = HostDevices.__dataclass_fields__
    return HostDevices(**{name: value for name, value in found.items() if name in known and value is not None})


def parse(value: Any) -> Target:
    """``GPU.1``, ``MULTI:GPU,CPU``, in upper case or not. ValueError that lists the valid forms."""
    text = value.strip().upper() if isinstance(value, str) else ""
    plugin, colon, rest = text.rpartition(":")
    if not colon and text == "AUTO":
        return Target("AUTO", ())
    parts = tuple(part.strip() for part in rest.split(","))
    valid = all(_SINGLE.fullmatch(part) for part in parts) and len(set(parts)) == len(parts)
    if not valid or (colon and plugin not in _COMBINED) or (not colon and len(parts) > 1):
        raise ValueError(f"{value!r} is not a target device: valid are {FORMS}")
    return Target(plugin, parts)


def name(value: Any) -> str:
    """A target device in its canonical form, as a field takes it."""
    return str(parse(value))


def nodes(target: Target, host: HostDevices) -> tuple[str, ...]:
    """The device nodes that the target needs, and no others: none for CPU, all there are for AUTO.

    ValueError, which says what the host has instead, where one of them is not there.
    """
    if target.takes_all:
        return (*host.render, *host.npu)
    found = {node for part in target.parts for node in _node(part, host)}
    return tuple(sorted(found, key=_order))


def nodes_by_name(targets: Iterable[Target], host: HostDevices) -> tuple[str, ...]:
    """The nodes that several targets need, so that ``GPU.n`` is the same GPU in the container as on the host."""
    found = {node for target in targets for node in nodes(target, host)}
    last = max((_number(node) for node in found if node.startswith(_RENDER)), default=-1)
    return tuple(sorted({*found, *(node for node in host.render if _number(node) <= last)}, key=_order))


def inside(target: Target, host: HostDevices) -> Target:
    """The target as OpenVINO names it in a container that has the target's nodes only: it counts the GPUs it sees."""
    seen = [node for node in nodes(target, host) if node.startswith(_RENDER)]

    def renamed(part: str) -> str:
        if not part.startswith("GPU") or len(seen) == 1:
            return part.partition(".")[0]
        return f"GPU.{seen.index(_node(part, host)[0])}"

    return Target(target.plugin, tuple(dict.fromkeys(map(renamed, target.parts))))


def _node(part: str, host: HostDevices) -> tuple[str, ...]:
    if part == "CPU":
        return ()
    if part == "NPU":
        return (_there(part, host.npu[0] if host.npu else None, "/dev/accel/accelN", host.npu),)
    index = part.partition(".")[2]
    if not index:
        return (_there(part, host.render[0] if host.render else None, f"{_RENDER}N", host.render),)
    wanted = f"{_RENDER}{_FIRST_RENDER + int(index)}"
    return (_there(part, wanted if wanted in host.render else None, wanted, host.render),)


def _there(part: str, node: str | None, wanted: str, there: Sequence[str]) -> str:
    if node is None:
        raise ValueError(f"the host has no {part} ({wanted}): it has {', '.join(there) or 'none'}")
    return node


def _order(node: str) -> tuple[str, int]:
    return node.rstrip("0123456789"), _number(node)


def _number(node: str) -> int:
    return int(re.sub(r".*?(\d+)$", r"\1", node))
