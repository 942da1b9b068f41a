# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``exclusive``: what a replica shares with no other replica of the plan on its host."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True)
class Uses:
    """What a replica of a container takes on a host: device nodes (or folders of them), and ports of the host."""

    devices: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Occupant:
    """A container that has replicas on a host; ``exclusive`` as the field gives it."""

    container: str
    exclusive: Sequence[str]
    uses: Uses


def alone(exclusive: Sequence[str], uses: Uses) -> str | None:
    """The filter that lets a host carry one replica of the container at most; None where no filter does."""
    if "host" in exclusive:
        return "exclusive"
    if "devices" in exclusive and uses.devices:
        return "exclusive devices"
    if "host_ports" in exclusive and uses.ports:
        return "exclusive host_ports"
    return None


def conflict(exclusive: Sequence[str], uses: Uses, there: Occupant) -> str | None:
    """Why a container cannot join the one that is there; None where it can. Either's ``exclusive`` holds for both."""
    if "host" in there.exclusive:
        return f"exclusive: {there.container} has the host for itself"
    if "host" in exclusive:
        return f"exclusive: {there.container} is there"
    kinds = {*exclusive, *there.exclusive}
    if "devices" in kinds and (devices := shared_devices(uses.devices, there.uses.devices)):
        return f"exclusive devices: {there.container} uses {', '.join(devices)}"
    if "host_ports" in kinds and (ports := uses.ports & there.uses.ports):
        return f"exclusive host_ports: {there.container} uses {', '.join(map(str, sorted(ports)))}"
    return None


def shared_devices(some: Iterable[str], others: Iterable[str]) -> list[str]:
    """The devices that both name; a folder such as /dev/dri stands for all that is in it."""
    taken = [PurePosixPath(other) for other in others]
    shared = {
        str(max(path, other, key=lambda item: len(item.parts)))
        for path in map(PurePosixPath, some)
        for other in taken
        if path.is_relative_to(other) or other.is_relative_to(path)
    }
    return sorted(shared)
