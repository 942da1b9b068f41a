# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readiness of the profile turned into probes: from the replica's own host, and from its consumers' hosts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.module_utils.container import option_values
from ansible_collections.retail.profiles.plugins.plugin_utils.planning import dialling
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.endpoints import Peer
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.model_server import Served
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.schema import field_types
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.readiness import PROBES, ProbeField


def own(
    entry: Entry, ready: Mapping[str, Any] | None, replica: str, ports: Mapping[str, int], served: Served | None
) -> list[dict[str, Any]]:
    """Probes that the replica's own host runs; ports are the container's own, of a server as it names them."""
    if ready is None:
        return []
    return [
        {"kind": kind, "timeout": ready["timeout"], "replica": replica, **probe}
        for kind, spec in ready.items()
        if kind != "timeout"
        for probe in _become(entry, PROBES[kind], spec, ports, served)
    ]


def reach(
    server_probes: list[dict[str, Any]],
    server_ports: Mapping[str, int],
    peer: Peer,
    shares_network: bool,
    texts: Sequence[str],
) -> list[dict[str, Any]]:
    """Probes that a consumer's host runs before the consumer starts.

    Those of the server that go over the network, dialled as the consumer will; where it has none, TCP to each port that
    the consumer names in its ``texts``.
    What a model generates is seen on the server's own host, which knows its key.
    """
    network = [probe for probe in server_probes if "port" in probe and "body" not in probe]
    if not network:
        dialled_ports = {port: {port, peer.ports.get(name, port)} for name, port in server_ports.items()}
        named = [port for port in server_ports.values() if dialling.names_port(texts, dialled_ports[port])]
        network = [{"kind": "tcp", "timeout": 60.0, "port": port} for port in named]
    if shares_network:
        return [{**probe, "replica": peer.replica} for probe in network]
    dialled = {own_port: peer.ports[name] for name, own_port in server_ports.items() if name in peer.ports}
    return [_at(probe, peer.address, dialled[probe["port"]]) for probe in network if probe["port"] in dialled]


def _at(probe: Mapping[str, Any], address: str, port: int) -> dict[str, Any]:
    """A probe of the server's own host as another host runs it."""
    found = {**probe, "address": address, "port": port}
    found.pop("replica", None)
    return found


def _become(
    entry: Entry, kind: ProbeField, spec: Any, ports: Mapping[str, int], served: Served | None
) -> list[dict[str, Any]]:
    """What the host is told of a probe, beside what it is told of each; of several models there may be several."""
    if kind.name in ("ovms_models", "generates") and served is not None:
        ports = {**served.ports, **ports}
    if kind.name == "ovms_models":
        return [_ovms_models(entry, spec, ports, served)]
    if kind.name == "healthy" and _is_unchecked(entry):
        raise entry.error(
            "healthy: its health check is switched off, so it is never healthy: give it one, or leave this out", "ready"
        )
    told = spec if isinstance(spec, Mapping) else {kind.becomes: spec} if kind.becomes else {}
    if kind.port:
        told = {"port": _only_port(ports, kind.port), **told}
    if "port" in told:
        told = {**told, "port": _port(entry, told["port"], ports)}
    if kind.name == "generates":
        models = _models(entry, kind.name, told["models"], served, (served and served.generative) or None)
        return [{**told, "models": [model], "body": _request(model, told["path"])} for model in models]
    return [dict(told)]


def _is_unchecked(entry: Entry) -> bool:
    """Whether the profile switches the health check of a container off."""
    docker = entry.raw.get("docker")
    written = docker.get("healthcheck") if isinstance(docker, Mapping) else None
    known = isinstance(written, Mapping) and not field_types.is_template(written)
    return known and option_values.healthcheck(written).get("Test") == ["NONE"]


def _request(model: str, path: str) -> str:
    """The least that a generative model can be asked for at a path, as JSON."""
    given: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 1}
    if path.endswith("/embeddings"):
        given = {"input": "Hi"}
    elif path.endswith("/rerank"):
        given = {"query": "Hi", "documents": ["Hi"]}
    elif not path.endswith("/chat/completions"):
        given = {"prompt": "Hi", "max_tokens": 1}
    return json.dumps({"model": model, **given})


def _ovms_models(entry: Entry, spec: Any, ports: Mapping[str, int], served: Served | None) -> dict[str, Any]:
    protocol = "grpc" if "grpc" in ports else "rest"
    if protocol not in ports:
        raise entry.error(
            "ovms_models asks the server over gRPC or REST: name its port 'grpc' or 'rest' in 'ports'", "ready"
        )
    models = _models(entry, "ovms_models", spec, served)
    if models:
        return {"port": ports[protocol], "protocol": protocol, "models": models}
    # A server that serves nothing yet is asked for itself: for no model at all the answer would always be yes.
    if protocol == "grpc":
        return {"kind": "grpc", "port": ports[protocol]}
    return {"kind": "http", "port": ports[protocol], "path": "/v2/health/ready", "status": 200}


def _models(entry: Entry, kind: str, spec: Any, served: Served | None, known: Sequence[str] | None = None) -> list[str]:
    """The models that a probe asks for: those that are listed, or all that are known."""
    if spec != "all":
        if served is not None and (unknown := [name for name in spec if name not in served.names]):
            raise entry.error(
                f"{kind}: {', '.join(unknown)} is not served: {served.source} has {_all_of(served)}", "ready"
            )
        return list(spec)
    if served is None:
        raise entry.error(
            f"{kind}: all needs the names of the models: ship the file of --config_path with the profile, "
            "give --model_name and --model_path, or list the models here",
            "ready",
        )
    return list(known or served.names)


def _all_of(served: Served) -> str:
    return ", ".join(served.names) or "nothing"


def _only_port(ports: Mapping[str, int], preferred: str) -> int | str:
    return preferred if preferred in ports or len(ports) != 1 else next(iter(ports.values()))


def _port(entry: Entry, reference: int | str, ports: Mapping[str, int]) -> int:
    if isinstance(reference, int):
        return reference
    if reference not in ports:
        known = f"'ports' names {', '.join(ports)}" if ports else "'ports' is empty"
        raise entry.error(f"there is no port named {reference!r}: {known}", "ready")
    return ports[reference]
