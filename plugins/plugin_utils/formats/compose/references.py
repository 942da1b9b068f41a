# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers that a Compose service names by what Docker calls them, where they are services of the same file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source

Service = Mapping[str, Any]
_CONTAINER = "container"


def by_service(
    source: Source, project: str, services: Mapping[str, Service], started: Mapping[str, Service]
) -> dict[str, Service]:
    """The started services with ``service:NAME`` for ``container:NAME`` of a service of the file.

    Here no container bears its ``container_name``, and what shares something starts after it, on its host.
    ProfileError where a service is named as if it were a container.
    """
    owners: dict[str, str] = {}
    for name, service in services.items():
        owners[service.get("container_name") or f"{project}-{name}-1"] = name

    def of(service: str, key: str, written: str) -> str | None:
        kind, _colon, other = written.partition(":")
        other = other.partition(":")[0] if key == "volumes_from" else other
        if kind != _CONTAINER or (other not in owners and other not in services):
            return None
        if other in owners:
            return owners[other]
        form = other if key == "volumes_from" else f"service:{other}"
        raise source.error(
            f"services.{service}.{key}: {written!r}: no container is called so, but a service: write {form!r}",
            ("services", service, key),
        )

    made: dict[str, Service] = {}
    for name, service in started.items():
        changed: dict[str, Any] = {}
        for key in ("network_mode", "ipc", "pid"):
            owner = of(name, key, str(service.get(key) or ""))
            if owner is not None:
                changed[key] = f"service:{owner}"
        if service.get("volumes_from"):
            items = [(item, of(name, "volumes_from", item)) for item in service["volumes_from"]]
            named = (item if owner is None else _volumes(owner, item) for item, owner in items)
            changed["volumes_from"] = list(dict.fromkeys(named))
        made[name] = {**service, **changed}
    return made


def _volumes(owner: str, written: str) -> str:
    """``SERVICE[:MODE]`` for ``container:NAME[:MODE]``."""
    mode = written.split(":")[2:]
    return ":".join([owner, *mode])
