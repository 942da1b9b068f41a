# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""One Compose file over another, by Compose's rules, in their canonical form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

#: mappings of names, of which one without a value says that it has none
_PAIRS = {
    *("annotations", "environment", "labels", "sysctls", "deploy.labels"),
    *("build.additional_contexts", "build.args", "build.labels"),
}
_REPLACED = {"command", "entrypoint", "healthcheck.test", "ulimits.*"}


def merge(base: Node | None, over: Node, path: Path = ()) -> Node | None:
    """``over`` on ``base``. None where ``!reset`` leaves nothing. ProfileError where the two are of different kinds."""
    if over.tag == "!reset":
        return None
    if base is None or base.value is None or over.tag == "!override" or _key(path) in _REPLACED:
        return _without_tags(over, path)
    if over.value is None:
        return over if _key(path[:-1]) in _PAIRS else base
    if not isinstance(base.value, (dict, list)):
        return _without_tags(over, path)
    if type(base.value) is not type(over.value):
        raise over.error(f"{'.'.join(map(str, path))} is of another kind in the file below: it cannot be laid over it")
    if isinstance(over.value, dict):
        if _key(path) == "logging" and _other_driver(base, over):
            return over
        return _mappings(base, over, path)
    if path[:1] == ("networks",) and path[2:] == ("ipam", "config"):
        return over.with_value(_pools(base, over))
    return over.with_value(_unique([*base.value, *(item for item in over.value if item.tag != "!reset")], path))


def _mappings(base: Node, over: Node, path: Path) -> Node:
    made = dict(base.value)
    for key, item in over.value.items():
        merged = merge(made.get(key), item, (*path, key))
        if merged is None:
            made.pop(key, None)
        else:
            made[key] = merged
    return base.with_value(made)


def _pools(base: Node, over: Node) -> list[Node]:
    """The pools of a network, of which those with the same subnet are one; of each pair that is looked at, in turn."""
    made: dict[str, Node] = {}
    for below in base.value:
        for above in over.value:
            subnet = str(above.get("subnet"))
            if subnet != str(below.get("subnet")) and subnet not in made:
                made[subnet] = above
            else:
                made[subnet] = below = _mappings(below, above, ())
    return list(made.values())


def _without_tags(node: Node, path: Path) -> Node:
    """What a file says by itself: what it resets is not there, and no item of a list stands there twice."""
    if isinstance(node.value, dict):
        return _mappings(node.with_value({}), node, path)
    if isinstance(node.value, list):
        return node.with_value(_unique([item for item in node.value if item.tag != "!reset"], path))
    return node


def _other_driver(base: Node, over: Node) -> bool:
    one, other = base.get("driver"), over.get("driver")
    return one is not None and other is not None and one != other


def _key(path: Path) -> str:
    """The place of a value within its service; '' outside of services."""
    if len(path) < 3 or path[0] != "services":
        return ""
    return "ulimits.*" if path[2] == "ulimits" and len(path) == 4 else ".".join(map(str, path[2:]))


def _unique(items: list[Node], path: Path) -> list[Node]:
    """The items of a list, of which the last counts where two are of the same."""
    of = _INDEXES.get(_key(path))
    if of is None:
        return items
    found: dict[Any, Node] = {}
    for item in items:
        found[of(item)] = item
    return list(found.values())


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
