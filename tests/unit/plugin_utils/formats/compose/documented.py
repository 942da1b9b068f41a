# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where our reading of a Compose file is meant to differ from Docker Compose's; docs/upstream.md has each by its key.

A key that is warned of is no silent difference: the plan names it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Holds = Callable[[Any, Any], bool]


def _always(theirs: Any, ours: Any) -> bool:
    return True


def _is_left_out(theirs: Any, ours: Any) -> bool:
    return ours is None


@dataclass(frozen=True)
class Known:
    """A field (a pattern) that may differ where ``holds`` is true of Compose's value and ours."""

    field: str
    holds: Holds = _is_left_out

    def covers(self, field: str, theirs: Any, ours: Any) -> bool:
        return re.fullmatch(self.field, field) is not None and self.holds(theirs, ours)


@dataclass(frozen=True)
class Refusal:
    """What the message of Compose, or ours, is where only one of the two refuses."""

    theirs: str = r"(?!)"
    ours: str = ""


def _loopback(theirs: Any, ours: Any) -> bool:
    """The same ports, but for those of every address, which are on the loopback."""
    local = {re.sub(r"^(0\.0\.0\.0|::|)\|", "127.0.0.1|", port) for port in theirs or ()}
    return local == set(ours or ())


def _other_pools(theirs: Any, ours: Any) -> bool:
    kept = ("subnet", "gateway", "ip_range")
    pools = ({key: pool[key] for key in kept if key in pool} for pool in theirs or ())
    return [pool for pool in pools if pool] == (ours or [])


def _drive(theirs: Any, ours: Any) -> bool:
    """What Compose takes for a Windows drive, ``v:/target``, or what it is here: the volume ``v``."""
    if isinstance(theirs, str) or isinstance(ours, str):
        return False
    words = [str((theirs or {}).get("source", "")), str((theirs or {}).get("target", ""))]
    return any(re.match(r"(\./)?[A-Za-z]:/", word) for word in words) if ours is None else theirs is None


def _has_a_name_here(theirs: Any, ours: Any) -> bool:
    """A volume without a name; or the socket of X, which is bound to itself."""
    return not theirs and bool(ours)


def _is_an_alias(theirs: Any, ours: Any) -> bool:
    return ours is None if isinstance(theirs, str) else len(ours or ()) == len(theirs or ()) + 1


def _peers(theirs: Any, ours: Any) -> bool:
    """Containers that are on no network of this one, by the address at which it reaches them."""
    return theirs is None and all(
        address.startswith("10.0.0.") for address in (ours.values() if isinstance(ours, dict) else [ours])
    )


def _of_models_dir(theirs: Any, ours: Any) -> bool:
    return re.match(r"\./models(/|$)", str(theirs)) is not None and str(ours).startswith("/models-of-the-host")


def _now_and_then(theirs: Any, ours: Any) -> bool:
    return ours is None and theirs not in ("always", "never")


DIFFERENCES: Mapping[str, Known] = {
    "published ports": Known(r"services\..*\.published_ports", _loopback),
    "host network": Known(r"services\..*\.published_ports"),
    "one-letter volumes": Known(r"services\..*\.mount .*", _drive),
    "anonymous volumes": Known(r"services\..*\.mount .*\.(source|type)", _has_a_name_here),
    "keys without a word": Known(
        r"services\.[^.]+(\.[^.]+)?\.(annotations|isolation|external_links|post_start|pre_stop|credential_spec|develop|"
        r"links|cpu_count|cpu_percent|cpu_rt_period|cpu_rt_runtime|pull_refresh_after|blkio_config\.weight_device|"
        r"deploy\..*)"
    ),
    "bridge": Known(
        r"services\..*\.network_mode", lambda theirs, ours: theirs in ("bridge", "default") and ours is None
    ),
    "networks of a service": Known(
        r"services\..*\.networks\..*\.(driver_opts|gw_priority|interface_name|link_local_ips|priority)"
    ),
    "networks": Known(r"networks\..*\.(attachable|labels|enable_ipv4|ipam\.options)"),
    "aux_addresses": Known(r"networks\..*\.pools", _other_pools),
    "volumes": Known(r"volumes\..*\.labels"),
    "mounts": Known(r"services\..*\.mount .*\.(recursive|labels)"),
    "models": Known(r"services\..*\.mount .*\.source", _of_models_dir),
    "pull_policy": Known(r"services\..*\.pull", _now_and_then),
    "shipped files": Known(r"services\..*\.mount .*\.read_only", lambda theirs, ours: ours is True),
    "container_name": Known(r"services\..*\.(container_name|networks\..*\.aliases)", _is_an_alias),
    "names of peers": Known(r"services\..*\.etc_hosts(\..*)?", _peers),
    "several addresses": Known(r"services\..*\.etc_hosts\..*", lambda theirs, ours: ours in theirs),
    "builds": Known(r"services\..*\.build"),
    "global": Known(r"services\..*\.mode"),
}
REFUSALS: Mapping[str, Refusal] = {
    "engine": Refusal(
        ours=r"the source of a bind is missing|\.(expose: .*|ports: '[a-z]+') is not a port"
        r"|(ports|targets?): '[-0-9]+' is not a port or a range|a name is missing|has no name|is not a whole number"
        r"|'-[0-9]+' is not a size|is mounted twice|the (source|target) of a device is missing"
        r"|lacks (path|rate)|is not one of .*rprivate|expected a number of CPUs, not -"
        r"|gateway: '.*' is not an IP address"
        r"|is not an IPv[46] address|is not a subnet"
        r"|is not a MAC address|is not a list of CPUs|less than 1ms|is a network of the hosts"
        r"|is not one of no, on-failure|is not how many times to try|is no reference of an image"
    ),
    "one-letter volumes": Refusal(ours=r"there is no volume '[A-Za-z]'|'[A-Za-z]:.*' is not SOURCE:TARGET"),
    "names of containers": Refusal(
        ours="no container is called so|is not started: name one|depend on each other in a circle|there is nothing to "
        "share|is neither host, none, container:NAME"
    ),
    "quotes": Refusal(ours="something stands behind the closing quote|'=…' is not NAME=VALUE"),
    "platform": Refusal(ours="require arch|is not linux/ARCHITECTURE"),
    "placement": Refusal(ours="max_per_host allows"),
    "what only one can have": Refusal(ours="cannot both have|have the address"),
    "protocols": Refusal(ours="is not one of tcp, udp, sctp"),
    "no service": Refusal(
        ours="no service is started|must be a list of at least one container|with at least one service"
        "|there is no profile in the folder"
    ),
    "provider, models": Refusal(ours=r"\.(provider|models|use_api_socket): "),
    "mounts": Refusal(
        ours="a mount of the type|part of a volume|is not an absolute path (in the container|of the hosts)"
        "|the home of another user"
    ),
    "external configs and secrets": Refusal(ours="is external: give it as"),
    "files": Refusal(ours="is not there|is not in the profile's folder|leads out of|has no .*: where the hosts"),
    "secrets": Refusal(ours="shorter than 4 characters|takes no secret files|would lie under what is mounted"),
    "missing variables": Refusal(ours="variable .* is not set"),
    "include": Refusal(ours=r": include\.\d+: Compose has no key"),
    "values of an override": Refusal(
        ours=r"expected a text or a number or true or false or nothing, not (a list|a mapping|the date)"
    ),
    "networks": Refusal(ours="an IPv6 subnet needs enable_ipv6|is in no subnet of the network|needs a subnet: give"),
}
