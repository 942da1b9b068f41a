# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists of a Compose service, of which the last item counts where two are of the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node


def distinct(key: str, value: Node) -> Node:
    """The value of a key of a service, in canonical form, without what a later item stands in the place of."""
    of = _INDEXES.get(key)
    if of is None or not isinstance(value.value, list):
        return value
    return value.with_value(list({of(item): item for item in value.value}.values()))


def _by(*keys: str) -> Callable[[Node], Any]:
    return lambda node: tuple(str(node.get(key)) for key in keys)


def _text(node: Node) -> str:
    return str(node.value).partition("=")[0]


def _port(node: Node) -> Any:
    address = node.get("host_ip") or "0.0.0.0"
    return address, node.get("published"), str(node.get("target")), node.get("protocol") or "tcp"


def _mounted_at(folder: str) -> Callable[[Node], str]:
    return lambda node: str(node.get("target") or f"{folder}/{node.get('source')}")


_INDEXES: Mapping[str, Callable[[Node], Any]] = {
    **dict.fromkeys(("cap_add", "cap_drop", "dns", "dns_opt", "dns_search", "links", "profiles", "tmpfs"), _text),
    "configs": _mounted_at(""),
    "devices": _by("target"),
    "env_file": _by("path"),
    "expose": _text,
    "extra_hosts": lambda node: node.value,
    "ports": _port,
    "secrets": _mounted_at("/run/secrets"),
    "volumes": _by("target"),
}
