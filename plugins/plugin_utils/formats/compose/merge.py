# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Compose file, as it is written, over another, by Compose's rules: what comes of it is checked then."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose import forms
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node
from ansible_collections.retail.profiles.plugins.plugin_utils.text.yaml_document import Path

#: mappings of names, of which one without a value says that it has none
_PAIRS = {
    *("annotations", "environment", "labels", "sysctls", "deploy.labels"),
    *("build.additional_contexts", "build.args", "build.labels"),
}
#: what two files say of these is a list to Compose
_LISTS = {*_PAIRS, "extra_hosts", "build.extra_hosts"}
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
    if key in _LISTS and isinstance(over.value, dict):
        base, over = _reset(base, over)
    if key == "depends_on" and isinstance(base.value, list) and isinstance(over.value, dict):
        over = _without_tags(over, path)  # of a list as it is written nothing is taken away by its name
    if key in _FORMS:
        base, over = _FORMS[key](base), _FORMS[key](over)
    if key == "depends_on":
        base = forms.depends_below(base)
    if over.value is None and key != "logging":
        return base
    if not isinstance(base.value, (dict, list)):
        return _without_tags(over, path)
    if type(base.value) is not type(over.value):
        raise over.error(f"{'.'.join(map(str, path))} is of another kind in the file below: it cannot be laid over it")
    if isinstance(over.value, dict):
        if key == "logging" and _other_driver(base, over):
            return over
        made = _mappings(base, over, path)
        return replace(made, mapped=False) if key in _LISTS else made
    if path[:1] == ("networks",) and path[2:] == ("ipam", "config"):
        return over.with_value(_pools(base, over))
    items = [*base.value, *(item for item in over.value if item.tag != "!reset")]
    if key in _LISTS:
        items = list({item.value: item for item in items}.values()) if _are_texts(items) else items
        return replace(over, value=items, mapped=False)
    return over.with_value(items)


def _are_texts(items: list[Node]) -> bool:
    return all(isinstance(item.value, str) for item in items)


def _reset(base: Node, over: Node) -> tuple[Node, Node]:
    """Both without what ``over`` resets: of a list, which names are not the keys of, nothing is taken away."""
    names = [name for name, item in over.value.items() if item.tag == "!reset"]
    if names and base.mapped and isinstance(base.value, dict):
        base = base.with_value({name: item for name, item in base.value.items() if name not in names})
    elif names and base.mapped and isinstance(base.value, list):
        kept = (item for item in base.value if str(item.value).partition("=")[0] not in names)
        base = base.with_value(list(kept))
    return base, over.with_value({name: item for name, item in over.value.items() if name not in names})


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
