# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""One service of a Compose file in native fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible_collections.retail.profiles.plugins.plugin_utils.formats import base
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Container, Source
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import networks as compose_networks
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import (
    options,
    volumes,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.networks import Port
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.variables import Variables
from ansible_collections.retail.profiles.plugins.plugin_utils.text import env_file, templates
from ansible_collections.retail.profiles.plugins.plugin_utils.text.command_line import is_ovms, option
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

Made = TypeVar("Made")
_READY_TIMEOUT = "110s"
_LONGEST_RUN = "1h"
# Keys that are looked at here; the others are in compose_options.TABLE, or cannot be said.
KEYS = (
    "image",
    "build",
    "entrypoint",
    "command",
    "environment",
    "env_file",
    "volumes",
    "configs",
    "networks",
    "network_mode",
    "ports",
    "expose",
    "depends_on",
    "links",
    "deploy",
    "scale",
    "profiles",
    "healthcheck",
    "restart",
    "logging",
    "gpus",
    "cpus",
    "cpuset",
    "container_name",
)
_DEPLOY = ("replicas", "mode", "resources", "restart_policy", "placement")
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


@dataclass
class File:
    """What a service needs of its file. ``names``: the containers' names by service."""

    source: Source
    variables: Variables
    services: Mapping[str, Mapping[str, Any]]
    names: Mapping[str, str]
    top: Mapping[str, Mapping[str, Any]]
    project: str
    generated: dict[str, bytes] = field(default_factory=dict)
    anonymous: list[str] = field(default_factory=list)


def translate(file: File, service: str) -> Container:
    """A service as a container."""
    return _Service(file, service).container()


class _Service:
    def __init__(self, file: File, service: str) -> None:
        self.file = file
        self.source = file.source
        self.service = service
        self.label = f"services.{service}"
        self.path: Path = ("services", service)
        self.value = {key: item for key, item in file.services[service].items() if not _is_nothing(item)}
        self.docker: dict[str, Any] = {}

    def at(self, key: str) -> Path:
        return (*self.path, key) if key in self.value else self.path

    def container(self) -> Container:
        """The container. ProfileError, with the key, for a value that is not as Compose takes it."""
        image = self._read("image", self._image)
        command = self._read("command", lambda: options.command(self.value.get("command", [])))
        entrypoint = self._read("entrypoint", lambda: options.command(self.value.get("entrypoint", [])))
        env_files, env, variables = self._read("environment", self._environment)
        found = self._read("ports", self._ports)
        known = _ovms_ports([*entrypoint, *command]) if is_ovms(image) else {}
        networks = self._read("networks", self._networks)
        ports = compose_networks.named(found, known)
        self._options(found, networks)
        fields: dict[str, Any] = {
            "name": self.file.names[self.service],
            "image": image,
            **self._read("build", self._build),
            "entrypoint": [*map(base.in_image, entrypoint[:1]), *entrypoint[1:]],
            "args": command,
            "env_file": env_files,
            "env": env,
            "volumes": self._read("volumes", self._volumes),
            "networks": networks,
            "ports": ports,
            **self._read("deploy", self._placement),
            **self._read("deploy", self._limits),
            **base.hardware({**variables, **self.source.given.env}),
            "depends_on": self._read("depends_on", self._depends_on),
            **self._read("healthcheck", lambda: self._ready(is_ovms(image), ports)),
        }
        return Container.of(fields, self.docker, lambda name: self.at(_FROM.get(name, name)))

    def _warn(self, key: str, path: Path | None = None, why: str = "a profile cannot say it") -> None:
        self.source.warn(f"{self.label}.{key} is ignored: {why}", path or self.at(key.partition(".")[0]))

    def _image(self) -> str:
        written = options.scalar(self.value.get("image", ""))
        if self.source.unset(self.at("image")) and (not written or written.endswith((":", "/"))):
            raise self.source.error(f"{written!r} is no image", self.at("image"))
        if not written and "build" in self.value:
            written = f"{base.container_name(self.file.project, ())}-{self.file.names[self.service]}"
        return self.source.image(written, self.file.names[self.service], self.service, self.at("image"))

    def _build(self) -> dict[str, Any]:
        build = self.value.get("build")
        if build is None:
            return {}
        written = build if isinstance(build, Mapping) else {"context": build}
        for key, item in written.items():
            if key not in ("context",) and not (key == "dockerfile" and item == "Dockerfile"):
                self._warn(f"build.{key}")
        context = options.scalar(written.get("context") or ".")
        if "://" in context or context.startswith("git@"):
            self._warn("build", why="its context is not a folder; the hosts or a registry must have the image")
            return {}
        inside = self.source.inside(context, self.source.folder, self.at("build"))
        if not (self.source.root / inside / "Dockerfile").is_file():
            self._warn("build", why=f"{context} has no Dockerfile; the hosts or a registry must have the image")
            return {}
        return {"build": inside}

    def _read(self, key: str, make: Callable[[], Made]) -> Made:
        """What is made of a key. ProfileError for a value that is not as Compose takes it."""
        try:
            return make()
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self.source.error(f"{self.label}.{key}: {error}", self.at(key)) from error

    # -- environment

    def _environment(self) -> tuple[list[Any], dict[str, str], dict[str, str]]:
        """Env files as the profile can read them, the variables above them, and all variables together.

        A file that ``.env`` or the inventory helps to expand, and those after it, are written out as variables.
        """
        files: list[Any] = []
        written_out: dict[str, str] = {}
        values: dict[str, str] = {}
        for item in self._env_files():
            inside = self.source.inside(item["path"], self.source.folder, self.at("env_file"))
            if not self.source.is_file(inside):
                if item.get("required") in (False, "false"):
                    continue
                raise self.source.error(f"{self.label}.env_file: {item['path']!r} is not there", self.at("env_file"))
            made, needs_more = self._variables_of(inside, item.get("format") == "raw", values)
            values.update(made)
            if written_out or needs_more:
                if not written_out:
                    self.source.warn(
                        f"{item['path']}: its variables are written out as they are here", self.at("env_file")
                    )
                written_out.update(made)
            else:
                files.append(inside if item.get("format") == "raw" else {"path": inside, "format": "compose"})
        own = {**written_out, **self._own_variables()}
        return files, own, {**values, **own}

    def _env_files(self) -> list[Mapping[str, Any]]:
        value = self.value.get("env_file", [])
        items = value if isinstance(value, list) else [value]
        return [item if isinstance(item, Mapping) else {"path": options.scalar(item)} for item in items]

    def _variables_of(self, inside: str, raw: bool, above: Mapping[str, str]) -> tuple[dict[str, str], bool]:
        """What a file sets, and whether that takes more than the profile's own reading of it."""
        text = self.source.text(inside, self.at("env_file"))
        name = str(self.source.root / inside)
        if raw:
            return env_file.parse(text, name), False
        made = {line.name: line.value for line in env_file.compose_lines(text, name, self.file.variables.get)}
        alone = {**above, **self.source.given.env}
        own = {line.name: line.value for line in env_file.compose_lines(text, name, alone.get)}
        return made, made != own

    def _own_variables(self) -> dict[str, str]:
        written = options.pairs(self.value.get("environment", {}))
        taken = {name: self.file.variables.get(name) if value is None else value for name, value in written.items()}
        return {name: value for name, value in taken.items() if value is not None}

    # -- volumes, networks, ports

    def _volumes(self) -> list[Any]:
        made = volumes.mounts(self.source, self.service, self.value.get("volumes", []), self.at("volumes"))
        made = [self._real_volume(item) for item in made]
        if "configs" in self.value:
            value, declared = self.value["configs"], self.file.top["configs"]
            made += volumes.configs(self.source, self.service, value, declared, self.file.generated, self.at("configs"))
        return made

    def _real_volume(self, item: Any) -> Any:
        """A named volume under the name that it has in the profile."""
        if not isinstance(item, str) or item.startswith((".", "/")):
            return item
        name, colon, rest = item.partition(":")
        declared = self.file.top["volumes"]
        if name not in declared:
            if name != volumes.anonymous_name(self.service, rest.partition(":")[0]):
                raise self.source.error(f"{self.label}.volumes: there is no volume {name!r}", self.at("volumes"))
            self.file.anonymous.append(name)
            return item
        own = declared[name] or {}
        is_external = own.get("external") not in (None, False, "false")
        return f"{volumes.real_name(name, own) if is_external else name}{colon}{rest}"

    def _networks(self) -> list[Any]:
        aliases = [self.service] if self.service != self.file.names[self.service] else []
        if "container_name" in self.value:
            aliases.append(options.scalar(self.value["container_name"]))
            self._warn("container_name", why="replicas are called <deployment>-<service>-<n>; it is an alias")
        value = {**self.value, **{key: self._joined(key) for key in ("network_mode",) if key in self.value}}
        return compose_networks.attachments(self.source, self.service, value, self.file.top["networks"], aliases)

    def _joined(self, key: str) -> Any:
        """``service:NAME`` with the name that the service has here."""
        written = options.scalar(self.value[key])
        kind, colon, other = written.partition(":")
        return f"{kind}:{self.file.names.get(other, other)}" if kind == "service" and colon else written

    def _ports(self) -> list[Port]:
        made = compose_networks.ports(self.source, self.label, self.value.get("ports", []), self.at("ports"))
        return [
            *made,
            *compose_networks.exposed(self.source, self.label, self.value.get("expose", []), self.at("expose")),
        ]

    # -- options of docker_container

    def _options(self, found: list[Port], networks: list[Any]) -> None:
        for key, item in self.value.items():
            if key in options.TABLE:
                self._option(key, item)
            elif key not in KEYS and not key.startswith("x-"):
                self._warn(key, why="give it as secret_env" if key == "secrets" else "a profile cannot say it")
        if "healthcheck" in self.value:
            self._special("healthcheck", lambda value: {"healthcheck": options.healthcheck(value)})
        if "restart" in self.value:
            self._special("restart", options.restart)
        if "logging" in self.value:
            self._special("logging", _logging)
        if "gpus" in self.value:
            gpus = self.value["gpus"]
            self._special(
                "gpus", lambda value: {"device_requests": options.device_requests(gpus if gpus != "all" else [{}])}
            )
        self._read("deploy", self._deploy)
        published = [port for port in found if port.published is not None]
        if published and networks[:1] in (["host"], ["none"]):
            self._warn("ports", why=f"it is on the network mode {networks[0]}")
        elif published:
            self.docker["published_ports"] = [port.as_option() for port in published]
            if any(port.as_option().startswith("127.0.0.1:") and port.address != "127.0.0.1" for port in published):
                self.source.warn(
                    f"{self.label}.ports are published on 127.0.0.1 of their host, not on every address; "
                    "containers that depend on it reach them from other hosts",
                    self.at("ports"),
                )

    def _option(self, key: str, item: Any) -> None:
        if key in ("ipc", "pid") and str(item).startswith("service:"):
            other = self._joined(key).partition(":")[2]
            name = options.TABLE[key][0]
            self.docker[name] = templates.joined(("container:", options.replica_of(other)))
            return
        self.docker.update(options.option(self.source, key, item, self.label, self.at(key)))

    def _special(self, key: str, make: Callable[[Any], dict[str, Any]]) -> None:
        self.docker.update(self._read(key, lambda: make(self.value[key])))

    def _deploy(self) -> None:
        deploy = self.value.get("deploy", {})
        for key, item in deploy.items():
            if key not in _DEPLOY and not key.startswith("x-") and not _is_nothing(item):
                self._warn(f"deploy.{key}")
        policy = deploy.get("restart_policy")
        if policy:
            for key in policy:
                if key not in ("condition", "max_attempts"):
                    self._warn(f"deploy.restart_policy.{key}")
            self._special("deploy", lambda _value: options.deploy_restart(policy))
        resources = deploy.get("resources") or {}
        self._resources(resources.get("limits") or {}, {"memory": "memory", "pids": "pids_limit"}, "limits")
        self._resources(resources.get("reservations") or {}, {"memory": "memory_reservation"}, "reservations")

    def _resources(self, given: Mapping[str, Any], names: Mapping[str, str], kind: str) -> None:
        for key, item in given.items():
            if key in names:
                self.docker[names[key]] = int(item) if key == "pids" else item
            elif key == "devices":
                self.docker["device_requests"] = options.device_requests(item)
            elif not (key == "cpus" and kind == "limits"):
                self._warn(f"deploy.resources.{kind}.{key}")

    def _limits(self) -> dict[str, Any]:
        """CPU time and CPUs, which have fields of their own."""
        limits = ((self.value.get("deploy", {}).get("resources") or {}).get("limits")) or {}
        cpus = limits.get("cpus", self.value.get("cpus"))
        made: dict[str, Any] = {}
        if cpus is not None:
            try:
                made["cpus"] = float(cpus)
            except ValueError as error:
                raise self.source.error(f"{self.label}: {cpus!r} is not a number of CPUs", self.at("deploy")) from error
        if "cpuset" in self.value:
            made["cpuset"] = options.scalar(self.value["cpuset"])
        return made

    # -- placement, order, readiness

    def _placement(self) -> dict[str, Any]:
        deploy = self.value.get("deploy", {})
        placement = deploy.get("placement") or {}
        count = replicas(self.source, self.service, self.value)
        made: dict[str, Any] = {}
        if deploy.get("mode") in ("global", "global-job"):
            made["replicas_per_host"] = 1
        elif count is not None:
            made["replicas"] = count
        if placement.get("max_replicas_per_node"):
            made["max_per_host"] = placement["max_replicas_per_node"]
        for constraint in placement.get("constraints") or []:
            key, equals, host = (part.strip() for part in str(constraint).partition("=="))
            if equals and key == "node.hostname":
                made["hosts"] = host
            else:
                self._warn(f"deploy.placement.constraints {constraint}", self.at("deploy"))
        if "preferences" in placement:
            self._warn("deploy.placement.preferences")
        return made

    def _depends_on(self) -> list[str]:
        value = self.value.get("depends_on", [])
        needed = dict(value) if isinstance(value, Mapping) else dict.fromkeys(options.texts(value))
        for link in options.texts(self.value.get("links", [])):
            needed.setdefault(link.partition(":")[0], None)
            if ":" in link:
                self._warn(f"links {link}", why="another name than the service's own")
        if options.scalar(self.value.get("network_mode", "")).startswith("service:"):
            needed.setdefault(options.scalar(self.value["network_mode"]).partition(":")[2], None)
        made = []
        for other in needed:
            if other in self.file.names:
                made.append(self.file.names[other])
            elif other in self.source.document.value["services"] or _optional(needed[other]):
                self.source.warn(f"{self.label}.depends_on: {other} is not started", self.at("depends_on"))
            else:
                raise self.source.error(
                    f"{self.label}.depends_on: there is no service {other!r}", self.at("depends_on")
                )
        return made

    def _ready(self, serves_ovms: bool, ports: Mapping[str, int]) -> dict[str, Any]:
        """What those that depend on it wait for."""
        asked = {self._condition(other) for other in self.file.services.values()}
        if "service_completed_successfully" in asked:
            return {"ready": {"exited": True, "timeout": _LONGEST_RUN}}
        if "service_healthy" in asked:
            timeout = options.patience(self.value.get("healthcheck", {}))
            return {"ready": {"healthy": True, "timeout": f"{timeout:g}s"}}
        return {"ready": {"grpc": "grpc", "timeout": _READY_TIMEOUT}} if serves_ovms and "grpc" in ports else {}

    def _condition(self, other: Mapping[str, Any]) -> str | None:
        """The condition under which another service depends on this one."""
        needed = other.get("depends_on")
        item = needed.get(self.service) if isinstance(needed, Mapping) else None
        return str(item["condition"]) if isinstance(item, Mapping) and item.get("condition") else None


def replicas(source: Source, service: str, value: Mapping[str, Any]) -> int | None:
    """How many replicas a service has; None where it does not say. ProfileError for what is no number."""
    path = ("services", service)
    deploy = value.get("deploy") or {}
    if not isinstance(deploy, Mapping):
        raise source.error(f"services.{service}.deploy is a mapping, not {deploy!r}", (*path, "deploy"))
    for key, written, at in (
        ("deploy.replicas", deploy.get("replicas"), "deploy"),
        ("scale", value.get("scale"), "scale"),
    ):
        if written is not None:
            if not str(written).isdigit():
                raise source.error(f"services.{service}.{key}: {written!r} is not a number of replicas", (*path, at))
            return int(written)
    return None


def _ovms_ports(words: Sequence[str]) -> dict[int, str]:
    """The names of the ports that a command line gives to the OpenVINO Model Server."""
    given = ((option(words, flag) or "", name) for flag, name in (("port", "grpc"), ("rest_port", "rest")))
    return {int(port): name for port, name in given if port.isdigit() and 0 < int(port) < 65536}


def _optional(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("required") in (False, "false")


def _is_nothing(item: Any) -> bool:
    return item is None or item == "" or item == [] or item == {}


def _logging(value: Mapping[str, Any]) -> dict[str, Any]:
    driver = {"log_driver": options.scalar(value["driver"])} if value.get("driver") else {}
    more = value.get("options")
    written = {"log_options": {name: options.scalar(item) for name, item in more.items()}} if more else {}
    return {**({"log_driver": "json-file"} if written and not driver else driver), **written}
