# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""One service of a Compose file in native fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats import base
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Container
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import deploy, options, volumes
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import networks as compose_networks
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.environment import environment
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.networks import Port
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import ComposeFile, Service
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service_options import docker_options
from ansible_collections.retail.profiles.plugins.plugin_utils.text import command_line
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
    value = service.value
    image = service.read("image", lambda: _image(service))
    command = service.read("command", lambda: options.command(value.get("command", [])))
    entrypoint = service.read("entrypoint", lambda: options.command(value.get("entrypoint", [])))
    env_files, env, variables = service.read("environment", lambda: environment(service))
    found = service.read("ports", lambda: _ports(service))
    server = command_line.server(image, entrypoint, command)
    known = _ovms_ports(server) if server is not None else {}
    networks = service.read("networks", lambda: _networks(service))
    ports = compose_networks.named(found, known)
    docker = docker_options(service, found, networks)
    given = file.source.given
    fields: dict[str, Any] = {
        "name": file.names[name],
        "image": image,
        **service.read("build", lambda: _build(service)),
        "entrypoint": [*map(base.in_image, entrypoint[:1]), *entrypoint[1:]],
        "args": command,
        "env_file": env_files,
        "env": env,
        "volumes": service.read("volumes", lambda: _volumes(service)),
        "networks": networks,
        "ports": ports,
        **service.read("deploy", lambda: deploy.placement(service)),
        **service.read("deploy", lambda: deploy.limits(service)),
        **base.hardware({**variables, **given.env, **({} if given.env_wins else env)}),
        "depends_on": service.read("depends_on", lambda: _depends_on(service)),
        **service.read("healthcheck", lambda: _ready(service, server is not None, ports)),
    }
    return Container.of(fields, docker, lambda field: service.at(_FROM.get(field, field)))


def _image(service: Service) -> str:
    written = options.scalar(service.value.get("image", ""))
    if service.source.unset(service.at("image")) and (not written or written.endswith((":", "/"))):
        raise service.source.error(f"{written!r} is no image", service.at("image"))
    if not written and "build" in service.value:
        written = f"{base.container_name(service.file.project, ())}-{service.file.names[service.name]}"
    return service.source.image(written, service.file.names[service.name], service.name, service.at("image"))


def _build(service: Service) -> dict[str, Any]:
    build = service.value.get("build")
    if build is None:
        return {}
    written = build if isinstance(build, Mapping) else {"context": build}
    for key, item in written.items():
        if key not in ("context",) and not (key == "dockerfile" and item == "Dockerfile"):
            service.warn(f"build.{key}")
    context = options.scalar(written.get("context") or ".")
    if "://" in context or context.startswith("git@"):
        service.warn("build", why="its context is not a folder; the hosts or a registry must have the image")
        return {}
    inside = service.source.inside(context, service.source.folder, service.at("build"))
    if not (service.source.root / inside / "Dockerfile").is_file():
        service.warn("build", why=f"{context} has no Dockerfile; the hosts or a registry must have the image")
        return {}
    return {"build": inside}


def _volumes(service: Service) -> list[Any]:
    made = volumes.mounts(service.source, service.name, service.value.get("volumes", []), service.at("volumes"))
    made = [_real_volume(service, item) for item in made]
    if "configs" in service.value:
        value, declared = service.value["configs"], service.file.top["configs"]
        made += volumes.configs(
            service.source, service.name, value, declared, service.file.generated, service.at("configs")
        )
    return made


def _real_volume(service: Service, item: Any) -> Any:
    """A named volume under the name that it has in the profile."""
    if not isinstance(item, str) or item.startswith((".", "/")):
        return item
    name, colon, rest = item.partition(":")
    declared = service.file.top["volumes"]
    if name not in declared:
        if name != volumes.anonymous_name(service.name, rest.partition(":")[0]):
            raise service.error("volumes", f"there is no volume {name!r}")
        service.file.anonymous.append(name)
        return item
    own = declared[name] or {}
    is_external = own.get("external") not in (None, False, "false")
    return f"{volumes.real_name(name, own) if is_external else name}{colon}{rest}"


def _networks(service: Service) -> list[Any]:
    aliases = [service.name] if service.name != service.file.names[service.name] else []
    if "container_name" in service.value:
        aliases.append(options.scalar(service.value["container_name"]))
        service.warn("container_name", why="replicas are called <deployment>-<service>-<n>; it is an alias")
    value = {**service.value, **{key: service.joined(key) for key in ("network_mode",) if key in service.value}}
    return compose_networks.attachments(service.source, service.name, value, service.file.top["networks"], aliases)


def _ports(service: Service) -> list[Port]:
    made = compose_networks.ports(service.source, service.label, service.value.get("ports", []), service.at("ports"))
    return [
        *made,
        *compose_networks.exposed(service.source, service.label, service.value.get("expose", []), service.at("expose")),
    ]


def _depends_on(service: Service) -> list[str]:
    value = service.value.get("depends_on", [])
    needed = dict(value) if isinstance(value, Mapping) else dict.fromkeys(options.texts(value))
    for link in options.texts(service.value.get("links", [])):
        needed.setdefault(link.partition(":")[0], None)
        if ":" in link:
            service.warn(f"links {link}", why="another name than the service's own")
    if options.scalar(service.value.get("network_mode", "")).startswith("service:"):
        needed.setdefault(options.scalar(service.value["network_mode"]).partition(":")[2], None)
    made = []
    for other in needed:
        if other in service.file.names:
            made.append(service.file.names[other])
        elif other in service.source.document.value["services"] or _optional(needed[other]):
            service.source.warn(f"{service.label}.depends_on: {other} is not started", service.at("depends_on"))
        else:
            raise service.error("depends_on", f"there is no service {other!r}")
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
    needed = other.get("depends_on")
    item = needed.get(service.name) if isinstance(needed, Mapping) else None
    return str(item["condition"]) if isinstance(item, Mapping) and item.get("condition") else None


def _ovms_ports(server: Server) -> dict[int, str]:
    """The names of the ports that its command line gives to the OpenVINO Model Server."""
    given = ((server.port(option), name) for option, name in (("port", "grpc"), ("rest_port", "rest")))
    return {port: name for port, name in given if 0 < port < 65536 and server.words}


def _optional(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("required") in (False, "false")
