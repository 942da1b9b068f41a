# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of upstream's second launcher: ``Containers``, an array of container configurations.

All of them ran on the network and the IPC namespace of the host; servers are to be ready before their clients.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats import host_volumes
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import (
    Container,
    Node,
    Source,
    Translation,
    container_name,
    hardware,
    in_image,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.upstream import (
    host_config,
    model_config,
    results_folder,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

TOP = ("Containers", "InputSrc", "TargetDevice")
CONTAINER = ("Name", "DockerImage", "EnvironmentVariableFiles", "Envs", "Volumes", "Entrypoint", "HostConfig")
_SERVER_NAME = re.compile(r"server(?!.*client)")
_SERVER_IMAGE = re.compile(r"(?:ovms[-_]|model[-_])?server(?:[-_](?:cpu|gpu|npu))?")
_OVMS = re.compile(r"ovms|model[-_]?server")
_TIMEOUT = "110s"
CONFIG = "/models/config.json"


def translate(source: Source) -> Translation:
    """The containers in their order; those that are no servers depend on those that are."""
    top = Node(source, (), source.document.value, TOP)
    items = top.value("Containers")
    if not isinstance(items, list) or not items:
        raise source.error("Containers must be a list of at least one container", top.at("Containers"))
    nodes = [Node(source, (*top.at("Containers"), index), item, CONTAINER) for index, item in enumerate(items)]
    names: list[str] = []
    for index, node in enumerate(nodes, start=1):
        names.append(container_name(node.text("Name") or f"container{index}", names))
    servers = [name for name, node in zip(names, nodes, strict=True) if _is_server(node)]
    if len(servers) == len(names):
        servers = []
    everywhere = {
        variable: top.text(key) for key, variable in (("TargetDevice", "TARGET_DEVICE"), ("InputSrc", "INPUTSRC"))
    }
    environments = [_environment(source, node, everywhere) for node in nodes]
    port = _grpc_port([variables for _files, _own, variables in environments])
    containers = []
    for name, node, (files, own, variables) in zip(names, nodes, environments, strict=True):
        volumes = _volumes(source, node)
        fields: dict[str, Any] = {
            "name": name,
            "image": source.image(node.text("DockerImage"), name, node.text("Name"), node.at("DockerImage")),
            "entrypoint": _entrypoint(node),
            "env_file": files,
            "env": own,
            "volumes": volumes,
            **({} if name in servers else results_folder.metrics(volumes)),
            "networks": ["host"],
            **({"target_device": hardware(variables)["target_device"]} if name in servers else hardware(variables)),
            "depends_on": [] if name in servers else servers,
            **(_served(source, node, port) if name in servers else {}),
        }
        options = host_config.options(source, node.value("HostConfig"), node.at("HostConfig"))
        containers.append(Container.of(fields, {**options, "ipc_mode": "host"}, _places(node)))
    return Translation(tuple(containers), tuple(source.warnings))


_KEYS = {
    "name": "Name",
    "image": "DockerImage",
    "entrypoint": "Entrypoint",
    "env_file": "EnvironmentVariableFiles",
    "env": "Envs",
    "volumes": "Volumes",
    "docker": "HostConfig",
}


def _places(node: Node) -> Callable[[str], Path]:
    """Where each field of a container was written."""
    return lambda field: node.at(_KEYS.get(field, ""))


def _is_server(node: Node) -> bool:
    """Whether others wait for it: a server by its name, or else by the name of its image."""
    image = re.split("[:@]", node.text("DockerImage").rpartition("/")[2])[0]
    return bool(_SERVER_NAME.search(node.text("Name").lower()) or _SERVER_IMAGE.fullmatch(image))


def _environment(
    source: Source, node: Node, everywhere: Mapping[str, str]
) -> tuple[list[str], dict[str, str], dict[str, str]]:
    """The env files that are there, the variables beside them, and all variables together."""
    path = node.at("EnvironmentVariableFiles")
    files = []
    for name in node.texts("EnvironmentVariableFiles"):
        file = source.inside(name, source.folder, path)
        if source.is_file(file):
            files.append(file)
        else:
            source.warn(f"the env file {name} is not there: skipped, as upstream did", path)
    own = {name: value for name, value in everywhere.items() if value}
    own.update({name: value for name, value in node.pairs("Envs").items() if value is not None})
    return files, own, {**source.variables(files, path), **own, **source.given.env}


def _entrypoint(node: Node) -> list[str]:
    """Split on single spaces, as upstream did."""
    value = node.value("Entrypoint")
    words = node.texts("Entrypoint") if isinstance(value, list) else node.text("Entrypoint").strip().split(" ")
    return [in_image(words[0]), *words[1:]] if words and words[0] else []


def _volumes(source: Source, node: Node) -> list[Any]:
    volumes: list[Any] = []
    for index, written in enumerate(node.texts("Volumes")):
        path = (*node.at("Volumes"), index)
        first, *rest = written.split(":")
        if not rest:
            source.warn(f"{written} names no target: it is bound to itself", path)
            rest = [posixpath.join("/", first)]
        if "$" in first or first.startswith("~"):
            source.warn(f"{first} is taken as it is: this format has no variables", path)
        if first.startswith("/"):
            volumes.append(host_volumes.mount(source, first, rest[0], ",".join(rest[1:]), path))
        else:
            volumes += host_volumes.relative_mounts(source, first, rest, path)
    return volumes


def _grpc_port(environments: Sequence[Mapping[str, str]]) -> int | None:
    """The port on which the containers agree in ``GRPC_PORT``."""
    ports = [variables["GRPC_PORT"].strip() for variables in environments if "GRPC_PORT" in variables]
    numbers = (int(port) for port in ports if re.fullmatch(r"\d{1,9}", port))
    return next((number for number in numbers if 0 < number < 65536), None)


def _served(source: Source, node: Node, port: int | None) -> dict[str, Any]:
    """Port and readiness of a server. Of one that is no OVMS only the port is known, if that."""
    is_ovms = bool(_OVMS.search(f"{node.text('Name')} {node.text('DockerImage')}".lower()))
    if port is None and not is_ovms:
        return {}
    found = model_config.find(source, CONFIG, node.path) if is_ovms else None
    if found and found.models:
        probe: dict[str, Any] = {"ovms_models": list(found.models)}
    else:
        probe = {"grpc": "grpc"} if is_ovms else {"tcp": "grpc"}
    return {"ports": {"grpc": port or 9001}, "ready": {**probe, "timeout": _TIMEOUT}}
