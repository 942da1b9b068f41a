# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One service of a Compose file in native fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats import base
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Container
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import (
    build,
    deploy,
    environment,
    mounted_files,
    options,
    volumes,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import networks as compose_networks
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.forms import scalar
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import ComposeFile, Service
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service_options import (
    docker_options,
    refuse,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.text import command_line, shell_words
from ansible_collections.retail.profiles.plugins.plugin_utils.text.command_line import Server

_READY_TIMEOUT = "110s"
_LONGEST_RUN = "1h"
# Where each field comes from, if not from a key of its own name.
_FROM = {
    "args": "command",
    "env": "environment",
    "docker": "",
    "replicas": "deploy",
    "replicas_per_host": "deploy",
    "max_per_host": "deploy",
    "hosts": "deploy",
    "ready": "healthcheck",
}


def translate(file: ComposeFile, name: str) -> Container:
    """A service as a container. ProfileError, with the key, for a value that is not as Compose takes it."""
    service = Service(file, name)
    refuse(service)
    image = service.read("image", lambda: _image(service))
    command, entrypoint = _words(service, "command"), _words(service, "entrypoint")
    env_files, env, variables = service.read("environment", lambda: environment.environment(service))
    found = [
        *service.read("ports", lambda: compose_networks.ports(service.value.get("ports", ()))),
        *service.read("expose", lambda: compose_networks.exposed(service.value.get("expose", ()))),
    ]
    server = command_line.server(image, entrypoint, command)
    known = _ovms_ports(server) if server is not None else {}
    networks = service.read("networks", lambda: _networks(service))
    ports = compose_networks.named(found, known)
    docker = docker_options(service, found, networks)
    labels = {**environment.labels(service), **docker.get("labels", {})}
    docker = {**docker, "labels": labels} if labels else docker
    given = file.source.given
    fields: dict[str, Any] = {
        "name": file.names[name],
        "image": image,
        **service.read("build", lambda: build.build(service)),
        "entrypoint": [*map(base.in_image, entrypoint[:1]), *entrypoint[1:]],
        "args": command,
        "env_file": env_files,
        "env": env,
        "volumes": service.read("volumes", lambda: _volumes(service)),
        "networks": networks,
        "ports": ports,
        **mounted_files.secrets(service),
        **build.pull(service),
        **service.read("deploy", lambda: deploy.placement(service)),
        **service.read("deploy", lambda: deploy.limits(service)),
        **base.hardware({**variables, **given.env, **({} if given.env_wins else env)}),
        "depends_on": service.read("depends_on", lambda: _depends_on(service)),
        **service.read("healthcheck", lambda: _ready(service, server is not None, ports)),
    }
    return Container.of(fields, docker, lambda field: service.at(_FROM.get(field, field)))


def _words(service: Service, key: str) -> list[str]:
    """A command: a list, or a text that is split as Compose splits it."""
    value = service.value.get(key, [])
    if not isinstance(value, str):
        return list(value)
    words, left_out = service.read(key, lambda: shell_words.split(value))
    if left_out.strip():
        shown = left_out.strip().splitlines()[0]
        service.source.warn(
            f"{service.label}.{key}: everything from {shown!r} on is not run, as with Compose: there is no shell; "
            f'write {key}: ["sh", "-c", "…"]',
            service.at(key),
        )
    return words


def _image(service: Service) -> str:
    written = scalar(service.value.get("image", ""))
    if service.source.unset(service.at("image")) and (not written or written.endswith((":", "/"))):
        raise service.source.error(f"{written!r} is no image", service.at("image"))
    if not written and "build" in service.value:
        written = f"{base.container_name(service.file.project, ())}-{service.file.names[service.name]}"
    return service.source.image(written, service.file.names[service.name], service.name, service.at("image"))


def _volumes(service: Service) -> list[Any]:
    made = volumes.mounts(service.source, service.name, service.value.get("volumes", ()), service.at("volumes"))
    made = [_real_volume(service, item) for item in made]
    return [*made, *(mounted_files.configs(service) if "configs" in service.value else ())]


def _real_volume(service: Service, item: Any) -> Any:
    """A named volume under the name that it has in the profile."""
    if not isinstance(item, str) or item.startswith((".", "/")):
        return item
    name, colon, rest = item.partition(":")
    declared = service.file.top["volumes"]
    if name not in declared:
        service.file.anonymous.append(name)
        return item
    own = declared[name] or {}
    return f"{volumes.real_name(name, own) if own.get('external') else name}{colon}{rest}"


def _networks(service: Service) -> list[Any]:
    aliases = [service.name] if service.name != service.file.names[service.name] else []
    if "container_name" in service.value:
        aliases.append(scalar(service.value["container_name"]))
        service.warn("container_name", why="replicas are called <deployment>-<service>-<n>; it is an alias")
    value = {**service.value, **{key: service.joined(key) for key in ("network_mode",) if key in service.value}}
    return compose_networks.attachments(service.source, service.name, value, service.file.top["networks"], aliases)


def _depends_on(service: Service) -> list[str]:
    needed: dict[str, Any] = dict(service.value.get("depends_on", {}))
    for name, how in needed.items():
        if how.get("restart") is True:
            service.warn(f"depends_on.{name}.restart", (*service.at("depends_on"), name, "restart"))
    for link in service.value.get("links", ()):
        name, _colon, alias = link.partition(":")
        needed.setdefault(name, {})
        if alias not in ("", name):
            service.warn(f"links {link}", why="another name than the service's own")
    for key in ("network_mode", "ipc", "pid", "uts", "cgroup"):
        kind, _colon, name = str(service.value.get(key, "")).partition(":")
        if kind == "service":
            needed.setdefault(name, {})
    for written in service.value.get("volumes_from", ()):
        if not written.startswith("container:"):
            needed.setdefault(written.partition(":")[0], {})
    made = []
    for other in needed:
        if other in service.file.names:
            made.append(service.file.names[other])
        else:
            service.source.warn(f"{service.label}.depends_on: {other} is not started", service.at("depends_on"))
    return made


def _ready(service: Service, serves_ovms: bool, ports: Mapping[str, int]) -> dict[str, Any]:
    """What those that depend on it wait for."""
    conditions = {_condition(service, other) for other in service.file.services.values()}
    if "service_completed_successfully" in conditions:
        return {"ready": {"exited": True, "timeout": _LONGEST_RUN}}
    if "service_healthy" in conditions:
        timeout = options.patience(service.value.get("healthcheck", {}))
        return {"ready": {"healthy": True, "timeout": f"{timeout:g}s"}}
    if serves_ovms and "grpc" in ports:
        return {"ready": {"grpc": "grpc", "timeout": _READY_TIMEOUT}}
    if serves_ovms and "rest" in ports:
        return {"ready": {"http": {"path": "/v2/health/ready", "port": "rest"}, "timeout": _READY_TIMEOUT}}
    return {}


def _condition(service: Service, other: Mapping[str, Any]) -> str | None:
    """The condition under which another service depends on this one."""
    item = (other.get("depends_on") or {}).get(service.name) or {}
    return item.get("condition")


def _ovms_ports(server: Server) -> dict[int, str]:
    """The names of the ports that its command line gives to the OpenVINO Model Server."""
    given = ((server.port(option), name) for option, name in (("port", "grpc"), ("rest_port", "rest")))
    return {port: name for port, name in given if 0 < port < 65536 and server.words}
