# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""One Compose file, as it is written, over another, by Compose's rules: what comes of it is checked then."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import forms
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

#: mappings of names, of which one without a value says that it has none
_PAIRS = {
    *("annotations", "environment", "labels", "sysctls", "deploy.labels"),
    *("build.additional_contexts", "build.args", "build.labels"),
}
_REPLACED = {"command", "entrypoint", "healthcheck.test", "ulimits.*"}
#: the one form of what has several, by the key of a service
_FORMS: Mapping[str, Callable[[Node], Node]] = {
    **dict.fromkeys(_PAIRS, forms.pairs),
    **dict.fromkeys(("networks", "models"), forms.names),
    **dict.fromkeys(("dns", "dns_opt", "dns_search", "env_file", "label_file", "tmpfs"), forms.texts),
    **dict.fromkeys(("extra_hosts", "build.extra_hosts"), forms.texts),
    "build": forms.build,
    "depends_on": forms.depends_on,
}


def merge(base: Node | None, over: Node, path: Path = ()) -> Node | None:
    """``over`` on ``base``. None where ``!reset`` leaves nothing. ProfileError where the two are of different kinds."""
    if over.tag == "!reset":
        return None
    key = _key(path)
    if base is None or over.tag == "!override" or key in _REPLACED:
        return _without_tags(over, path)
    if over.value is None and _key(path[:-1]) in _PAIRS:
        return over
    if key in _FORMS:
        base, over = _FORMS[key](base), _FORMS[key](over)
    if over.value is None and key != "logging":
        return base
    if not isinstance(base.value, (dict, list)):
        return _without_tags(over, path)
    if type(base.value) is not type(over.value):
        raise over.error(f"{'.'.join(map(str, path))} is of another kind in the file below: it cannot be laid over it")
    if isinstance(over.value, dict):
        if key == "logging" and _other_driver(base, over):
            return over
        return _mappings(base, over, path)
    if path[:1] == ("networks",) and path[2:] == ("ipam", "config"):
        return over.with_value(_pools(base, over))
    return over.with_value([*base.value, *(item for item in over.value if item.tag != "!reset")])


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
    if not all(isinstance(pool.value, dict) for pool in (*base.value, *over.value)):
        return [*base.value, *over.value]
    for below in base.value:
        for above in over.value:
            subnet = str(above.get("subnet"))
            if subnet != str(below.get("subnet")) and subnet not in made:
                made[subnet] = above
            else:
                made[subnet] = below = _mappings(below, above, ())
    return list(made.values())


def _without_tags(node: Node, path: Path) -> Node:
    """What a file says by itself: what it resets is not there."""
    if isinstance(node.value, dict):
        return _mappings(node.with_value({}), node, path)
    if isinstance(node.value, list):
        return node.with_value([item for item in node.value if item.tag != "!reset"])
    return node


def _other_driver(base: Node, over: Node) -> bool:
    one, other = base.get("driver"), over.get("driver")
    return one is not None and other is not None and one != other


def _key(path: Path) -> str:
    """The place of a value within its service, or of the labels of a network, volume, secret or config; else ''."""
    if len(path) < 3 or path[0] != "services":
        return "labels" if path[2:] == ("labels",) else ""
    return "ulimits.*" if path[2] == "ulimits" and len(path) == 4 else ".".join(map(str, path[2:]))
