# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a container can only share with one of its own host: its network, its namespaces, its volumes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.networks import JOINED

_NAMESPACES = ("ipc_mode", "pid_mode")
_VOLUMES = "volumes_from"


def of(entry: Entry, containers: Collection[str]) -> tuple[str, ...]:
    """Those of the containers that an entry shares something with, as far as that is written and no template."""
    networks, docker = entry.raw.get("networks"), entry.raw.get("docker")
    found = [_joined(item) for item in (networks if isinstance(networks, list) else [networks])]
    if isinstance(docker, Mapping):
        found += [_joined(docker.get(key)) for key in _NAMESPACES]
        volumes = docker.get(_VOLUMES)
        found += [str(item).partition(":")[0] for item in (volumes if isinstance(volumes, list) else [])]
    return tuple(dict.fromkeys(name for name in found if name in containers))


def as_replicas(options: Mapping[str, Any], replica_of: Callable[[str], str]) -> dict[str, Any]:
    """Options of docker_container with Docker's names for those of containers. ``replica_of``: one as it is where it
    is not the profile's."""
    made = dict(options)
    for key in _NAMESPACES:
        if name := _joined(options.get(key)):
            made[key] = f"{JOINED}{replica_of(name)}"
    if options.get(_VOLUMES):
        split = (str(item).partition(":") for item in options[_VOLUMES])
        made[_VOLUMES] = [f"{replica_of(name)}{colon}{mode}" for name, colon, mode in split]
    return made


def _joined(written: Any) -> str:
    """The NAME of ``container:NAME``; '' for anything else."""
    return written[len(JOINED) :] if isinstance(written, str) and written.startswith(JOINED) else ""
