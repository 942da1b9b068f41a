# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Readiness of the profile turned into probes: from the replica's own host, and from its consumers' hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.planning import dialling
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.endpoints import Peer
from ansible_collections.retail.profiles.plugins.plugin_utils.planning.model_server import Models
from ansible_collections.retail.profiles.plugins.plugin_utils.profile.entry import Entry
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.readiness import PROBES, ProbeField


def own(
    entry: Entry, ready: Mapping[str, Any] | None, replica: str, ports: Mapping[str, int], served: Models | None
) -> list[dict[str, Any]]:
    """Probes that the replica's own host runs; ports are the container's own."""
    if ready is None:
        return []
    probes = []
    for kind, spec in ready.items():
        if kind != "timeout":
            probe = _becomes(entry, PROBES[kind], spec, ports, served)
            probes.append({"kind": kind, "timeout": ready["timeout"], "replica": replica, **probe})
    return probes


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
    """
    network = [probe for probe in server_probes if "port" in probe]
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


def _becomes(
    entry: Entry, kind: ProbeField, spec: Any, ports: Mapping[str, int], served: Models | None
) -> dict[str, Any]:
    """What the host is told of a probe, beside what it is told of each."""
    if kind.name == "ovms_models":
        return _ovms_models(entry, spec, ports, served)
    told = spec if isinstance(spec, Mapping) else {kind.becomes: spec} if kind.becomes else {}
    if kind.port:
        told = {"port": _only_port(ports, kind.port), **told}
    return {**told, "port": _port(entry, told["port"], ports)} if "port" in told else dict(told)


def _ovms_models(entry: Entry, spec: Any, ports: Mapping[str, int], served: Models | None) -> dict[str, Any]:
    protocol = "grpc" if "grpc" in ports else "rest"
    if protocol not in ports:
        raise entry.error(
            "ovms_models asks the server over gRPC or REST: name its port 'grpc' or 'rest' in 'ports'", "ready"
        )
    if spec != "all":
        return {"port": ports[protocol], "protocol": protocol, "models": list(spec)}
    if served is None:
        raise entry.error(
            "ovms_models: all needs the names of the models: ship the file of --config_path with the profile, "
            "give --model_name and --model_path, or list the models here",
            "ready",
        )
    return {"port": ports[protocol], "protocol": protocol, "models": sorted(served.paths)}


def _only_port(ports: Mapping[str, int], preferred: str) -> int | str:
    return preferred if preferred in ports or len(ports) != 1 else next(iter(ports.values()))


def _port(entry: Entry, reference: int | str, ports: Mapping[str, int]) -> int:
    if isinstance(reference, int):
        return reference
    if reference not in ports:
        known = f"'ports' names {', '.join(ports)}" if ports else "'ports' is empty"
        raise entry.error(f"there is no port named {reference!r}: {known}", "ready")
    return ports[reference]
