# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The short forms of a Compose file as the long ones, so that all that follows knows one form of each key."""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import forms, schema
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.distinct import distinct
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.shapes import RESET
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node
from ansible_collections.retail.profiles.plugins.plugin_utils.schema.volumes import PROPAGATIONS

Warn = Callable[[str, Node], None]


class _Wrong(ValueError):
    """What is wrong with a value, and the value."""

    def __init__(self, node: Node, message: str) -> None:
        super().__init__(message)
        self.node = node


_RANGE = re.compile(r"(\d+)(?:-(\d+))?")
#: ports of a container that one line may publish
_MOST_PORTS = 1000
_NOTHING = ("null", "~")
_IGNORED_BY_DESIGN = ("cached", "delegated", "consistent")


def of_file(file: Node, warn: Warn) -> Node:
    """A whole file, checked by its schema, in the long forms. ProfileError for a text that is none of a short form."""
    made = dict(file.value)
    for key in ("networks", "volumes", "secrets", "configs"):
        if key in made:
            made[key] = _each(made[key], _resource)
    if "services" in made:
        services = made["services"]
        made["services"] = services.with_value(
            {name: of_service(name, service, warn) for name, service in services.value.items()}
        )
    return file.with_value(made)


def _each(node: Node, make: Callable[[Node], Node]) -> Node:
    """A mapping, or a list, with each of its values made anew."""
    if isinstance(node.value, dict):
        return node.with_value({key: item if item.tag == "!reset" else make(item) for key, item in node.value.items()})
    return node.with_value([make(item) for item in node.value]) if isinstance(node.value, list) else node


def of_service(name: str, service: Node, warn: Warn) -> Node:
    """One service in the long forms."""
    if not isinstance(service.value, dict):
        return service
    made: dict[str, Node] = {}
    for key, item in service.value.items():
        try:
            made[key] = item if item.tag == "!reset" else distinct(key, _of_key(key, item, warn))
            if item.tag == "!override" and item.value in _NOTHING:
                warn(f"services.{name}.{key} is the text {item.value!r}, as with Compose: {RESET}", item)
        except _Wrong as error:
            raise error.node.error(f"services.{name}.{key}: {error}") from error
    return service.with_value(made)


def of_base(name: str, service: Node, warn: Warn) -> Node:
    """A service that is extended, in the long forms as far as it is right: what is wrong in it may be replaced.

    But not an item of a list that Compose makes a long form of, or looks at to find what stands there twice.
    """
    right = {key: item for key, item in service.value.items() if schema.is_right(key, item)}
    for key, item in service.value.items():
        parts = [(key, item)]
        if key == "build" and isinstance(item.value, dict):
            parts = [(f"build.{part}", inner) for part, inner in item.value.items()]
        for path, part in parts if key not in right else ():
            schema.check_items(path, part, f"services.{name}.{path}")
    made = of_service(name, service.with_value(right), warn)
    return service.with_value({**service.value, **made.value})


def _of_key(key: str, item: Node, warn: Warn) -> Node:
    if key == "volumes":
        return _each(item, lambda volume: _volume(volume, warn))
    return _OF_SERVICE[key](item) if key in _OF_SERVICE else item


def _resource(node: Node) -> Node:
    """A network, volume, secret or config: ``external: {name: x}`` is ``external`` and ``name``."""
    if not isinstance(node.value, dict):
        return node
    made = {**node.value, **({"labels": forms.pairs(node.value["labels"])} if "labels" in node.value else {})}
    external = made.get("external")
    if external is not None and isinstance(external.value, dict):
        name = external.value.get("name")
        if name is not None and "name" in made and made["name"].plain() != name.plain():
            raise external.error("name and external.name say different names: give name alone")
        made["external"] = external.with_value(True)
        made.update({"name": name} if name is not None and "name" not in made else {})
    return node.with_value(made)


def _dns(node: Node) -> Node:
    listed = _list(node)
    return listed.with_value([item for item in listed.value if item.value != ""])


def _list(node: Node) -> Node:
    return node.with_value([node]) if isinstance(node.value, (str, int, float)) else node


def _build(node: Node) -> Node:
    made = _paired(forms.build(node), "args", "labels", "additional_contexts")
    for key, may_be_bare in (("additional_contexts", ()), ("ssh", ("default",))):
        listed = node.value.get(key) if isinstance(node.value, dict) else None
        for item in listed.value if listed is not None and isinstance(listed.value, list) else ():
            if "=" not in item.value and item.value not in may_be_bare:
                raise _Wrong(item, f"{key}: {item.value!r} is not NAME=VALUE")
    return made


def _paired(node: Node, *keys: str) -> Node:
    """The mapping with those of its keys as pairs that it has."""
    return node.with_value({key: forms.pairs(item) if key in keys else item for key, item in node.value.items()})


def _deploy(node: Node) -> Node:
    made = _paired(node.with_value(node.value or {}), "labels")
    resources = made.value.get("resources")
    reservations = None if resources is None else resources.value.get("reservations")
    if reservations is None or "devices" not in reservations.value:
        return made
    devices = {**reservations.value, "devices": _requests(reservations.value["devices"])}
    wanted = resources.with_value({**resources.value, "reservations": reservations.with_value(devices)})
    return made.with_value({**made.value, "resources": wanted})


def _requests(node: Node) -> Node:
    return _each(node, lambda item: _paired(item, "options"))


def _named_by(key: str) -> Callable[[Node], Node]:
    """A list whose texts are values of one key."""

    def make(node: Node) -> Node:
        return _each(_list(node), lambda item: item.with_value({key: item}) if isinstance(item.value, str) else item)

    return make


def _hosts(node: Node) -> Node:
    """``extra_hosts``: a list of NAME=ADDRESS."""
    return _each(forms.texts(node), _host)


def _host(node: Node) -> Node:
    written = str(node.value)
    sign = "=" if "=" in written else ":"
    name, found, address = written.partition(sign)
    return node.with_value(f"{name}={_address(address)}" if found and name else written)


def _address(written: str) -> str:
    return written[1:-1] if written.startswith("[") and written.endswith("]") else written


def _whole_or_text(node: Node) -> Node:
    if isinstance(node.value, float):
        raise _Wrong(node, f"{forms.scalar(node.value)} is written with a fraction or an exponent: write it in quotes")
    return node.with_value(forms.scalar(node.value))


def extends(node: Node) -> Node:
    """``extends``: a text is the service."""
    return node.with_value({"service": node}) if isinstance(node.value, str) else node


def _device(node: Node) -> Node:
    if not isinstance(node.value, str):
        if "target" not in node.value:
            raise _Wrong(node, "the target of a device in the long form is missing")
        return node
    parts = node.value.split(":")
    if len(parts) > 3:
        raise _Wrong(node, f"{node.value!r} has too many colons: write source, target and permissions")
    made = {"source": parts[0], "target": (parts[1:2] or [""])[0] or parts[0]}
    return node.of({**made, **({"permissions": parts[2]} if len(parts) == 3 else {})})


def _gpus(node: Node) -> Node:
    return node.of([{"count": "all"}]) if isinstance(node.value, str) else _requests(node)


def _healthcheck(node: Node) -> Node:
    test = node.value.get("test")
    if test is None or not isinstance(test.value, str):
        return node
    return node.with_value({**node.value, "test": test.of(["CMD-SHELL", test.value])})


# -- ports


def _ports(node: Node) -> Node:
    return node.with_value([made for item in node.value for made in _port(item)])


def _port(node: Node) -> list[Node]:
    if isinstance(node.value, float):
        raise _Wrong(node, f"{forms.scalar(node.value)} is not a port or a range of ports: write it in quotes")
    if not isinstance(node.value, dict):
        try:
            return [node.of(port) for port in port_specs(forms.scalar(node.value))]
        except ValueError as error:
            raise _Wrong(node, str(error)) from error
    if "target" not in node.value:
        raise _Wrong(node, "the target of a port is missing")
    made = dict(node.value)
    if "published" in made:
        if isinstance(made["published"].value, float):
            raise _Wrong(node, f"published {forms.scalar(made['published'].value)} is not a port: write it in quotes")
        made["published"] = made["published"].with_value(forms.scalar(made["published"].value))
    try:
        if "host_ip" in made:
            ip_address(made["host_ip"].value)
    except ValueError as error:
        raise _Wrong(node, str(error)) from error
    return [node.with_value(made)]


def port_specs(written: str) -> list[dict[str, Any]]:
    """``[[ADDRESS:]PUBLISHED:]TARGET[/PROTOCOL]``, with ranges, in the long form. ValueError for anything else."""
    front, _colon, rest = written.rpartition(":")
    inside, _slash, protocol = rest.partition("/")
    address, _colon, published = front.rpartition(":") if ":" in front else ("", "", front)
    protocol = protocol.lower() or "tcp"
    if protocol not in ("tcp", "udp", "sctp"):
        raise ValueError(f"{written!r}: {protocol!r} is not one of tcp, udp, sctp")
    common = {"protocol": protocol, **({"host_ip": ip_address(_address(address))} if address else {})}
    ports, outside = targets(inside), numbers(published, least=0) if published else []
    if len(outside) == len(ports):
        return [
            {**common, "target": target, "published": str(port)} for target, port in zip(ports, outside, strict=True)
        ]
    if published and len(ports) > 1:
        raise ValueError(f"{written!r}: {len(ports)} ports cannot be published as {published!r}")
    return [{**common, "target": target, **({"published": published} if published else {})} for target in ports]


def ip_address(written: str) -> str:
    """An IP address. ValueError for anything else."""
    try:
        ipaddress.ip_address(written)
    except ValueError:
        raise ValueError(f"{written!r} is not an IP address") from None
    return written


def targets(written: str) -> range:
    """Ports of a container: few enough to be listed. ValueError for anything else."""
    found = numbers(written)
    if len(found) > _MOST_PORTS:
        raise ValueError(f"{written!r} is not a port or a range of ports: it has more than {_MOST_PORTS}")
    return found


def numbers(written: str, least: int = 1) -> range:
    """A port, or the ports of a range. ValueError for anything else."""
    match = _RANGE.fullmatch(written)
    found = range(int(match[1]), int(match[2] or match[1]) + 1) if match else range(0)
    if not found or not least <= found[0] <= found[-1] < 65536:
        raise ValueError(f"{written!r} is not a port or a range of ports")
    return found


# -- volumes


def _volume(node: Node, warn: Warn) -> Node:
    if isinstance(node.value, dict):
        target = node.value.get("target")
        if target is None:
            raise _Wrong(node, "the target of a mount is missing")
        return node
    written = str(node.value)
    parts = written.split(":")
    if not all(parts) or len(parts) > 3:
        raise _Wrong(node, f"{written!r} is not SOURCE:TARGET[:OPTIONS]")
    if len(parts) == 1:
        return node.of({"type": "volume", "target": _clean(written)})
    source, target, *options = parts
    kind = "bind" if source.startswith((".", "/", "~")) else "volume"
    special: dict[str, Any] = {"create_host_path": True} if kind == "bind" else {}
    made: dict[str, Any] = {"type": kind, "source": source, "target": _clean(target), kind: special}
    unknown = []
    for option in options[0].split(",") if options else ():
        if option in ("ro", "rw"):
            made["read_only"] = option == "ro"
        elif option == "nocopy":
            special.update({"nocopy": True} if kind == "volume" else {})
        elif option in ("z", "Z") or option in PROPAGATIONS:
            made.setdefault("bind", special if kind == "bind" else {})[
                "selinux" if option in ("z", "Z") else "propagation"
            ] = option
        elif option not in _IGNORED_BY_DESIGN:
            unknown.append(option)
    if unknown:
        warn(f"{written}: {','.join(unknown)} is ignored, as Compose ignores it: it is no option of a mount", node)
    return node.of(made)


def _clean(target: str) -> str:
    return posixpath.normpath(target) if target else target


_OF_SERVICE: Mapping[str, Callable[[Node], Node]] = {
    "annotations": forms.pairs,
    "build": _build,
    "configs": _named_by("source"),
    "depends_on": forms.depends_on,
    "deploy": _deploy,
    "devices": lambda node: _each(node, _device),
    "dns": _dns,
    "dns_search": _list,
    "env_file": _named_by("path"),
    "environment": forms.pairs,
    "expose": lambda node: _each(node, _whole_or_text),
    "extends": extends,
    "extra_hosts": _hosts,
    "gpus": _gpus,
    "healthcheck": _healthcheck,
    "label_file": _list,
    "labels": forms.pairs,
    "models": forms.names,
    "networks": forms.names,
    "ports": _ports,
    "secrets": _named_by("source"),
    "sysctls": forms.pairs,
    "tmpfs": _list,
}
