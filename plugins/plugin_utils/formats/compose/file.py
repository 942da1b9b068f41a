# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Compose files: each service that would be started is a container.

What Compose has and a profile cannot say is warned of, key by key.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source, Translation, container_name
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import (
    consistency,
    container,
    deploy,
    files,
    tree,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.networks import networks as top_networks
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import ComposeFile
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.variables import Variables
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.variables import of as variables_of
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.volumes import named as top_volumes
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

_PROJECT = "COMPOSE_PROJECT_NAME"
_TOP = ("networks", "volumes", "configs", "secrets")


def translate(source: Source) -> Translation:
    """The services in their order. ProfileError for what is no Compose file, or contradicts itself."""
    variables = variables_of(source)
    variables = variables.with_below({_PROJECT: _project(source, variables)})
    named = [posixpath.join(source.folder, source.file), *map(source.of_caller, source.given.over)]
    document = tree.to_document(files.load(source, variables, named), source.document.file)
    source.document = document
    source.unset = document.missing
    value = document.value
    services = value.get("services")
    if not isinstance(services, Mapping) or not services:
        raise source.error("'services' must be a mapping with at least one service", ("services",))
    _warn_of_unset(source, document)
    _other_files(source)
    project = source.variable(_PROJECT) or value.get("name")
    started = _started(source, services, variables)
    consistency.check(source, started)
    started = {name: item for name, item in started.items() if not _has_none(source, name, item)}
    if not started:
        raise source.error("no service is started: name one of their profiles in COMPOSE_PROFILES", ("services",))
    names: dict[str, str] = {}
    for service in started:
        names[service] = container_name(service, names.values())
    top = {key: value.get(key) or {} for key in _TOP}
    file = ComposeFile(source, variables, started, names, top, project or variables.get(_PROJECT) or "")
    containers = tuple(container.translate(file, service) for service in started)
    networks = top_networks(source, top["networks"])
    volumes = top_volumes(source, top["volumes"], file.anonymous)
    return Translation(
        containers,
        tuple(source.warnings),
        name=str(project) if project else None,
        networks=networks,
        volumes=volumes,
        generated=file.generated,
        own_env=True,
    )


def _warn_of_unset(source: Source, document: tree.Merged) -> None:
    first: dict[str, Path] = {}
    for path, name in document.unset.items():
        first.setdefault(name, path)
    for name, path in first.items():
        source.blank(name, path)


def _project(source: Source, variables: Variables) -> str:
    """The name of the project: what a file says of itself, else its folder's."""
    first = source.document.value
    own = first.get("name") if isinstance(first, Mapping) else None
    if isinstance(own, str):
        return variables.expanded(own)
    folder = source.folder.rpartition("/")[2] if source.folder != "." else source.root.absolute().name
    return re.sub(r"[^a-z0-9_-]", "", folder.lower()).lstrip("_-")


def _other_files(source: Source) -> None:
    """Compose reads an override beside its own file where no file is named."""
    stem, _dot, suffix = source.file.rpartition(".")
    override = source.inside(f"{stem}.override.{suffix}", source.folder, ())
    if source.is_file(override) and not source.given.over:
        name = override.rpartition("/")[2]
        source.warn(
            f"{name} beside it is not read, as the file is named: name the folder, or both: "
            f'-e \'{{"profile": ["{source.file}", "{name}"]}}\''
        )


def _started(source: Source, services: Mapping[str, Any], variables: Variables) -> dict[str, Mapping[str, Any]]:
    """The services that are active, those without replicas included."""
    active = [name.strip() for name in (variables.get("COMPOSE_PROFILES") or "").split(",")]
    started: dict[str, Mapping[str, Any]] = {}
    for service, item in services.items():
        if service.startswith("x-"):
            continue
        path = ("services", service)
        wanted: Sequence[Any] = item.get("profiles") or []
        if wanted and "*" not in active and not set(wanted) & set(active):
            named = ", ".join(map(str, wanted))
            source.warn(f"services.{service} is not started: COMPOSE_PROFILES has none of {named}", (*path, "profiles"))
        else:
            started[service] = item
    return started


def _has_none(source: Source, service: str, item: Mapping[str, Any]) -> bool:
    none = deploy.replicas(item) == 0
    if none:
        source.warn(f"services.{service} is not started: it has no replicas", ("services", service))
    return none
