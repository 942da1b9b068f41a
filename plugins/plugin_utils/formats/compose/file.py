# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compose files: each service that would be started is a container.

What Compose has and a profile cannot say is warned of, key by key.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source, Translation, container_name
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import (
    consistency,
    container,
    decoded,
    deploy,
    files,
    project,
    references,
    tree,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.networks import networks as top_networks
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.networks import of_the_hosts
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import ComposeFile
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.variables import Variables
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.variables import of as variables_of
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.volumes import named as top_volumes
from ansible_collections.retail.profiles.plugins.plugin_utils.text import go_yaml
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

_TOP = ("networks", "volumes", "configs", "secrets")


def translate(source: Source) -> Translation:
    """The services in their order. ProfileError for what is no Compose file, or contradicts itself."""
    given = variables_of(source)
    named = [posixpath.join(source.folder, source.file), *map(source.of_caller, source.given.over)]
    name = _project(source, given, named)
    called = name or _folder(source)
    variables = given.with_below({project.NAME: called})
    document = tree.to_document(files.load(source, variables, named), source.document.file)
    source.document = document
    source.unset = document.missing
    value = document.value
    services = value.get("services")
    if not isinstance(services, Mapping) or not services:
        raise source.error("'services' must be a mapping with at least one service", ("services",))
    _warn_of_unset(source, document)
    _other_files(source, given)
    started = references.by_service(source, called, services, _started(source, services, variables))
    consistency.check(source, started)
    decoded.check(source, services)
    started = {name: item for name, item in started.items() if not _has_none(source, name, item)}
    if not started:
        raise source.error("no service is started: name one of their profiles in COMPOSE_PROFILES", ("services",))
    names: dict[str, str] = {}
    for service in started:
        names[service] = container_name(service, names.values())
    top = {key: value.get(key) or {} for key in _TOP}
    file = ComposeFile(source, variables, started, names, top, called)
    containers = tuple(container.translate(file, service) for service in started)
    networks = top_networks(source, {**top["networks"], **of_the_hosts(started)})
    volumes = top_volumes(source, top["volumes"], file.anonymous)
    return Translation(
        containers,
        tuple(source.warnings),
        name=name or None,
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


def _project(source: Source, variables: Variables, files: Sequence[str]) -> str:
    """The name of the project: that of its variable, else what the last of the files says that says one; else ''."""
    given = variables.get(project.NAME)
    if given:
        if project.name(given) != given:
            raise source.error(
                f"{project.NAME} is {given!r}: a project's name has lower-case letters, digits, '-' and '_', "
                "and begins with a letter or a digit",
                (),
            )
        return given
    said = [source.document.value]
    said += [go_yaml.documents(source.text(file, ()), str(source.root / file))[0].value for file in files[1:]]
    names = [item["name"] for item in said if isinstance(item, Mapping) and isinstance(item.get("name"), str)]
    if not names or not names[-1]:
        return ""
    written = variables.expanded(names[-1])
    name = project.name(written)
    if not name:
        raise source.error(f"name: {names[-1]!r} is no name of a project, or stands for nothing", ("name",))
    called = container_name(name, ())
    if called != written:
        why = "a project's name has lower-case letters, digits, '-' and '_' alone"
        source.warn(f"name: {written!r} is {called!r} here, as with Compose: {why}", ("name",))
    return name


def _folder(source: Source) -> str:
    """The name of a project that has none: its folder's."""
    return project.name(source.folder.rpartition("/")[2] if source.folder != "." else source.root.absolute().name)


def _other_files(source: Source, variables: Variables) -> None:
    """Compose reads an override beside its own file, or the files that its variables name, where no file is named."""
    if source.given.over or source.given.folder:
        return
    chosen = variables.get(project.FILE)
    if chosen and chosen != source.file:
        source.warn(f"{project.FILE} ({chosen}) is not read, as the file is named: name the folder to have its files")
    stem, _dot, suffix = source.file.rpartition(".")
    override = source.inside(f"{stem}.override.{suffix}", source.folder, ())
    if source.is_file(override):
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
