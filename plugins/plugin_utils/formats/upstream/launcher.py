# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Profiles of upstream's first launchers: ``OvmsClient``, and ``OvmsServer`` unless the client has it in itself.

Upstream started a server and a client for each pipeline, both on the host's network, as root; the server listened on
a free port from 9001 up, which the client was told in ``GRPC_PORT``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats import host_volumes
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import (
    Container,
    Node,
    Source,
    Translation,
    container_name,
    go_duration,
    hardware,
)
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.upstream import model_config, results_folder
from ansible_collections.retail.profiles.plugins.plugin_utils.text import templates
from ansible_collections.retail.profiles.plugins.plugin_utils.text.templates import Template
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

TOP = ("OvmsSingleContainer", "OvmsServer", "OvmsClient", "OVMSCustomNodeJson")
SERVER = (
    "ServerDockerScript",
    "ServerDockerImage",
    "ServerContainerName",
    "ServerConfig",
    "StartupMessage",
    "InitWaitTime",
    "EnvironmentVariableFiles",
    "StartUpPolicy",
    "GrpcPort",
)
CLIENT = (
    "PipelineScript",
    "PipelineInputArgs",
    "PipelineStreamDensityRun",
    "EnvironmentVariableFiles",
    "DockerLauncher",
    "OVMSCustomNodeJson",
)
LAUNCHER = ("Script", "DockerImage", "ContainerName", "Volumes", "OVMSCustomNodeJson")
# The folders beside which upstream's launcher was started.
MARKERS = ("scripts", "envs")

_DEFAULT_WAIT = 10.0
# After InitWaitTime upstream asked a hundred times, once a second.
_TRIES = 100.0
_AS_ROOT = {"user": "root", "ipc_mode": "host"}
# ignore and exit need nothing: apply keeps a container that is as planned, and refuses a name that others hold.
_POLICIES: Mapping[str, Mapping[str, Any]] = {
    "remove-and-restart": {"restart_policy": "on-failure", "restart_retries": 3}
}
CONFIG = "/models/config.json"
MERGED = "merged/config.json"


def translate(source: Source) -> Translation:
    """The server, if there is one, and the client."""
    top = Node(source, (), source.document.value, TOP)
    server = _server(source, top)
    containers = [server] if server else []
    generated: dict[str, bytes] = {}
    if "OvmsClient" in top or not server:
        containers.append(_client(source, top, str(server.fields["name"]) if server else None, generated))
    message = top.node("OvmsServer", SERVER).text("StartupMessage") if server else ""
    return Translation(tuple(containers), tuple(source.warnings), description=message, generated=generated)


def _server(source: Source, top: Node) -> Container | None:
    single = top.flag("OvmsSingleContainer")
    if "OvmsServer" not in top:
        if "OvmsSingleContainer" in top and not single:
            source.warn("there is no OvmsServer to start", top.at("OvmsSingleContainer"))
        return None
    if single:
        source.warn("OvmsServer is not started: OvmsSingleContainer is true", top.at("OvmsServer"))
        return None
    node = top.node("OvmsServer", SERVER)
    _replaced(source, node, "ServerDockerScript", "start_ovms_server.sh")
    original = node.text("ServerContainerName") or "ovms-server"
    name = container_name(original, ())
    config = node.text("ServerConfig") or "/models/config.json"
    found = model_config.find(source, config, node.at("ServerConfig"))
    mounted = f"/config/{posixpath.basename(config)}" if found else config
    port = Template(f"{{{{ {_first_port(source, node) - 1} + replica.index }}}}")
    files = _env_files(source, node)
    device = hardware(source.variables(files, node.at("EnvironmentVariableFiles")))["target_device"]
    if device and not found:
        source.warn(f"{config} is not with the profile: its models stay on the devices that it names", node.path)
    probe = {"ovms_models": list(found.models)} if found and found.models else {"grpc": "grpc"}
    fields = {
        "name": name,
        "image": source.image(node.text("ServerDockerImage"), name, original, node.at("ServerDockerImage")),
        "args": ["--config_path", mounted, "--port", port],
        "env_file": files,
        "volumes": [
            *([f"{found.path}:{mounted}:ro"] if found else []),
            templates.joined((host_volumes.expand(source, "$MODEL_DIR", {}, node.path), ":/models")),
        ],
        "networks": ["host"],
        # Upstream put every model on one device, where it could.
        "target_device": (device or "CPU") if found else None,
        "ports": {"grpc": port},
        "ready": {**probe, "timeout": _timeout(source, node)},
    }
    options = {**_AS_ROOT, **_POLICIES.get(node.text("StartUpPolicy").strip(), {})}
    places = {"image": "ServerDockerImage", "args": "ServerConfig", "docker": "StartUpPolicy"}
    return _container(node, fields, options, places)


def _client(source: Source, top: Node, server: str | None, generated: dict[str, bytes]) -> Container:
    node = top.node("OvmsClient", CLIENT)
    launcher = node.node("DockerLauncher", LAUNCHER)
    _replaced(source, launcher, "Script", "docker-launcher.sh")
    original = launcher.text("ContainerName") or "ovms-client"
    name = container_name(original, [server] if server else [])
    files = _env_files(source, node)
    variables = source.variables(files, node.at("EnvironmentVariableFiles"))
    if variables.get("TARGET_GPU_DEVICE", "").strip() == "--privileged":
        source.warn(
            "TARGET_GPU_DEVICE=--privileged makes no container privileged: profile_target_device gives what is needed",
            node.at("EnvironmentVariableFiles"),
        )
    volumes = [*_volumes(source, launcher, variables), *_custom_nodes(source, top, node, launcher, generated)]
    fields = {
        "name": name,
        "image": source.image(launcher.text("DockerImage"), name, original, launcher.at("DockerImage")),
        **_command(source, node, "DockerLauncher" in node, variables),
        "env_file": files,
        "env": {"GRPC_PORT": Template(f"{{{{ peers['{server}'].ports.grpc }}}}")} if server else {},
        "volumes": volumes,
        **results_folder.metrics(volumes),
        "networks": ["host"],
        **hardware({**variables, **source.given.env}),
        "depends_on": [server] if server else [],
    }
    return _container(node, fields, _AS_ROOT, {"args": "PipelineScript", "entrypoint": "PipelineScript"})


def _container(
    node: Node, fields: Mapping[str, Any], options: Mapping[str, Any], places: Mapping[str, str]
) -> Container:
    """The container, each field with the place of the key that it comes from."""
    places = {"env_file": "EnvironmentVariableFiles", "ready": "InitWaitTime", "volumes": "DockerLauncher", **places}
    return Container.of(fields, options, lambda field: node.at(places.get(field, "")))


def _replaced(source: Source, node: Node, key: str, usual: str) -> None:
    """Upstream's scripts that called Docker are not needed; one of the user's own may have done more."""
    script = node.text(key)
    if script and posixpath.basename(script) != usual:
        source.warn(f"{key} {script} is not run: the plan starts the image itself", node.at(key))


def _env_files(source: Source, node: Node) -> list[str]:
    """The env files that are there, looked for as upstream's users keep them; for the others a warning."""
    path = node.at("EnvironmentVariableFiles")
    found = []
    for name in node.texts("EnvironmentVariableFiles"):
        file = _first(source, name, ("envs", posixpath.join(source.folder, "envs"), source.folder), path)
        if file is None and "/" not in name:
            others = sorted(other.relative_to(source.root).as_posix() for other in source.root.glob(f"*/res/{name}"))
            file = source.inside(others[0], "", path) if others else None
        if file is None:
            source.warn(f"the env file {name} is not there: skipped, as upstream did", path)
        else:
            found.append(file)
    return found


def _first(source: Source, name: str, folders: Sequence[str], path: Path) -> str | None:
    """The first of the files of that name in the folders; what climbs is taken from the profile's folder alone."""
    if ".." in name.split("/"):
        folders = (source.folder,)
    candidates = (source.inside(name, folder, path) for folder in folders)
    return next((candidate for candidate in candidates if source.is_file(candidate)), None)


def _command(source: Source, node: Node, in_image: bool, variables: Mapping[str, str]) -> dict[str, Any]:
    """Entrypoint or arguments: a script of the profile, or what the image has under that name."""

    def switched_on(name: str) -> bool:
        return (source.variable(name) or variables.get(name, "")).strip() == "1"

    density = node.text("PipelineStreamDensityRun").strip() if switched_on("STREAM_DENSITY_MODE") else ""
    script, _space, more = (density or node.text("PipelineScript").strip()).partition(" ")
    inputs = f"{more} {' '.join(node.texts('PipelineInputArgs'))}".strip()
    path = node.at("PipelineStreamDensityRun" if density else "PipelineScript")
    if not script:
        return {"args": inputs.split()}
    if not in_image:
        shipped = _first(source, script, ("scripts", posixpath.join(source.folder, "scripts"), source.folder), path)
        if shipped is not None:
            return {"entrypoint": [shipped], "args": inputs.split()}
        source.warn(f"the script {script} is not with the profile: the image must have it", path)
        script = script if "/" in script else f"./scripts/{script}"
    if switched_on("NO_BASH_C"):
        return {"args": [script, *inputs.split()]}
    return {"args": ["bash", "-c", f"{script} {inputs}".strip()]}


def _volumes(source: Source, launcher: Node, variables: Mapping[str, str]) -> list[Any]:
    return [
        volume
        for index, written in enumerate(launcher.texts("Volumes"))
        for volume in host_volumes.volume(source, written, variables, (*launcher.at("Volumes"), index))
    ]


def _custom_nodes(source: Source, top: Node, node: Node, launcher: Node, generated: dict[str, bytes]) -> list[str]:
    """The volume of the configuration into which ``OVMSCustomNodeJson`` (a file, or JSON) is merged."""
    key = "OVMSCustomNodeJson"
    holder = next((holder for holder in (launcher, node, top) if key in holder), None)
    written = holder.text(key).strip() if holder else ""
    if holder is None or not written:
        return []
    path = holder.at(key)
    if not top.flag("OvmsSingleContainer"):
        source.warn(f"{key} is ignored: it is for a single container", path)
        return []
    name = "the value" if written.startswith("{") else written
    if not written.startswith("{"):
        file = _first(source, written, (source.folder, "", "configs"), path)
        if file is None:
            raise source.error(f"{key}: the file {written!r} is not there", path)
        written = source.text(file, path)
    addition = model_config.parse(source, written, f"{key}: {name}", path)
    base = model_config.find(source, CONFIG, path)
    if base is None:
        source.warn(f"{key} is merged into nothing: there is no OVMS configuration with the profile", path)
    generated[MERGED] = model_config.merged(base.value if base else {}, addition)
    return [f"./{MERGED}:{CONFIG}:ro"]


def _first_port(source: Source, node: Node) -> int:
    written = node.text("GrpcPort")
    if written and not (re.fullmatch(r"\d{1,9}", written) and 0 < int(written) < 65536):
        raise source.error(f"GrpcPort: {written!r} is not a port", node.at("GrpcPort"))
    return int(written or 9001)


def _timeout(source: Source, node: Node) -> str:
    """As long as upstream waited in all: InitWaitTime is no sleep here, but the readiness may take as long."""
    written = node.text("InitWaitTime").strip()
    wait = go_duration(written) if written else _DEFAULT_WAIT
    if wait is None:
        source.warn(f"InitWaitTime {written!r} is not a duration: 10s, as upstream took it", node.at("InitWaitTime"))
        wait = _DEFAULT_WAIT
    return f"{wait + _TRIES:g}s"
