# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Compose files: each service that would be started is a container.

What Compose has and a profile cannot say is warned of, key by key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source, Translation, container_name
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import container, deploy
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.networks import networks as top_networks
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import ComposeFile
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.variables import Variables, expand
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.variables import of as variables_of
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.volumes import named as top_volumes

_TOP = ("name", "version", "services", "networks", "volumes", "configs")
_HINT = "docker compose config writes one file with all in it: use that"


def translate(source: Source) -> Translation:
    """The services in their order. ProfileError for what is no Compose file, or needs another file to be one."""
    variables = variables_of(source)
    source.document = expand(variables)
    source.unset = variables.missing
    value = source.document.value
    services = value.get("services")
    if not isinstance(services, Mapping) or not services:
        raise source.error("'services' must be a mapping with at least one service", ("services",))
    if "include" in value:
        raise source.error(f"include is not read: {_HINT}", ("include",))
    for key in value:
        if key not in _TOP:
            source.warn(f"{key} is ignored: a profile cannot say it", (key,))
    _other_files(source)
    project = str(value.get("name") or variables.get("COMPOSE_PROJECT_NAME") or "")
    started = _started(source, services, variables)
    names: dict[str, str] = {}
    for service in started:
        names[service] = container_name(service, names.values())
    top = {key: _mapping(source, value, key) for key in ("networks", "volumes", "configs")}
    file = ComposeFile(source, variables, started, names, top, project or _folder(source))
    containers = tuple(container.translate(file, service) for service in started)
    networks = top_networks(source, top["networks"])
    volumes = top_volumes(source, top["volumes"], file.anonymous)
    return Translation(
        containers,
        tuple(source.warnings),
        name=project or None,
        networks=networks,
        volumes=volumes,
        generated=file.generated,
        own_env=True,
    )


def _mapping(source: Source, value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key) or {}
    if not isinstance(found, Mapping):
        raise source.error(f"{key} is a mapping, not {found!r}", (key,))
    for name, item in found.items():
        if item is not None and not isinstance(item, Mapping):
            raise source.error(f"{key}.{name} is a mapping, not {item!r}", (key, name))
    return found


def _folder(source: Source) -> str:
    return source.folder.rpartition("/")[2] if source.folder != "." else source.root.absolute().name


def _other_files(source: Source) -> None:
    """Compose would read an override beside its own file."""
    stem, _dot, suffix = source.file.rpartition(".")
    override = source.inside(f"{stem}.override.{suffix}", source.folder, ())
    if source.is_file(override):
        source.warn(f"{override.rpartition('/')[2]} beside it is not read: {_HINT}")


def _started(source: Source, services: Mapping[str, Any], variables: Variables) -> dict[str, Mapping[str, Any]]:
    """The services that ``docker compose up`` would start."""
    active = [name.strip() for name in (variables.get("COMPOSE_PROFILES") or "").split(",")]
    started: dict[str, Mapping[str, Any]] = {}
    for service, item in services.items():
        path = ("services", service)
        if not isinstance(item, Mapping):
            raise source.error(f"services.{service} is a mapping with at least 'image', not {item!r}", path)
        if "extends" in item:
            raise source.error(f"services.{service}.extends is not read: {_HINT}", (*path, "extends"))
        wanted: Sequence[Any] = item.get("profiles") or []
        if wanted and not {"*", *map(str, wanted)} & set(active):
            named = ", ".join(map(str, wanted))
            source.warn(f"services.{service} is not started: COMPOSE_PROFILES has none of {named}", (*path, "profiles"))
        elif deploy.replicas(source, service, item) == 0:
            source.warn(f"services.{service} is not started: it has no replicas", path)
        else:
            started[service] = item
    if not started:
        raise source.error("no service is started: name one of their profiles in COMPOSE_PROFILES", ("services",))
    return started
