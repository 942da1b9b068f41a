# Copyright: (c) 2026, the retail.profiles authors
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to the collection.
"""The engine's list of containers, as little of it as we need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Published:
    """A port of the host that a container holds; *target* is the container's own, where that is known."""

    address: str
    port: int
    protocol: str
    target: int = 0


@dataclass(frozen=True)
class Listed:
    """One container in the engine's list."""

    name: str
    id: str
    labels: Mapping[str, str]
    image: str
    state: str
    published: tuple[Published, ...]


def listed(containers: Iterable[Mapping[str, Any]]) -> dict[str, Listed]:
    """Containers by name (a container's other names are links to it from others)."""
    result = {}
    for item in containers:
        names = [name.lstrip("/") for name in item.get("Names") or () if name.count("/") == 1]
        if not names:
            continue  # being removed
        published = sorted(
            {
                (
                    port.get("IP") or "0.0.0.0",
                    int(port["PublicPort"]),
                    port.get("Type") or "tcp",
                    int(port["PrivatePort"]),
                )
                for port in item.get("Ports") or ()
                if port.get("PublicPort")
            }
        )
        result[names[0]] = Listed(
            name=names[0],
            id=item["Id"],
            labels=item.get("Labels") or {},
            image=item.get("Image") or "",
            state=item.get("State") or "",
            published=tuple(Published(*port) for port in published),
        )
    return result
