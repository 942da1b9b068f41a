# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``require``: what a host must have, checked against its snapshot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.schema.placement import arch, version_numbers


def unmet(require: Mapping[str, Any], facts: Mapping[str, Any]) -> str | None:
    """What of the field ``require`` a host with these facts does not meet; None when it meets all.

    A value that the snapshot does not have is not met.
    """
    lacking = [reason for kind, wanted in require.items() if (reason := _CHECKS[kind](wanted, facts))]
    return "; ".join(lacking) or None


def gibibytes(size: int) -> str:
    return f"{size / (1 << 30):.4g} GiB"


def _arch(wanted: Sequence[str], facts: Mapping[str, Any]) -> str | None:
    found = arch(str(facts.get("arch")))
    return None if found in wanted else f"require arch {' or '.join(wanted)}: it is {facts.get('arch')}"


def _memory(wanted: int, facts: Mapping[str, Any]) -> str | None:
    found = facts.get("memory_bytes") or 0
    return None if found >= wanted else f"require memory {gibibytes(wanted)}: it has {gibibytes(found)}"


def _cpus(wanted: int, facts: Mapping[str, Any]) -> str | None:
    found = facts.get("cpus") or 0
    return None if found >= wanted else f"require cpus {wanted}: it has {found}"


def _nodes(kind: str, nodes: str) -> Callable[[int, Mapping[str, Any]], str | None]:
    """A check of how many device nodes there are; 0 means that there must be none."""

    def check(wanted: int, facts: Mapping[str, Any]) -> str | None:
        found = len(facts.get("devices", {}).get(nodes) or ())
        if wanted == 0:
            return f"require no {kind}: it has {found}" if found else None
        return None if found >= wanted else f"require {kind} {wanted}: it has {found or 'none'}"

    return check


def _engine(wanted: str, facts: Mapping[str, Any]) -> str | None:
    found = (facts.get("engine") or {}).get("version")
    if found is None:
        return f"require engine {wanted}: it has none"
    enough = version_numbers(str(found)) >= version_numbers(wanted)
    return None if enough else f"require engine {wanted}: it has {found}"


_CHECKS: dict[str, Callable[[Any, Mapping[str, Any]], str | None]] = {
    "arch": _arch,
    "memory": _memory,
    "cpus": _cpus,
    "gpu": _nodes("gpu", "render"),
    "npu": _nodes("npu", "npu"),
    "engine": _engine,
}
