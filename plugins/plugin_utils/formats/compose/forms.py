# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that Compose takes in several forms, as the one that is laid over others. What is of no form says nothing."""

from __future__ import annotations

from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node
from ansible_collections.retail.profiles.plugins.plugin_utils.text.go_yaml import number

#: how ``depends_on`` is meant where it is a list
_STARTED = {"condition": "service_started", "required": True}


def scalar(value: Any) -> str:
    """A value as Go writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return number(value)
    if isinstance(value, str):
        return value
    raise ValueError(f"expected a text or a number, not {value!r}")


def pairs(node: Node) -> Node:
    """NAME=VALUE, or a mapping, as a mapping of texts; nothing for a name without a value."""
    if isinstance(node.value, dict):
        return node.with_value({key: _text(item) for key, item in node.value.items()})
    split = [(item, *_written(item).partition("=")) for item in _items(node) if item.tag != "!reset"]
    made = {name: item.with_value(text if sign else None) for item, name, sign, text in split}
    if "" in made and made[""].value is None:
        del made[""]  # an empty text
    return node.with_value(made)


def _written(item: Node) -> str:
    if not isinstance(item.value, str):
        raise item.error(f"this list has texts alone, not {item.plain()!r}: write it in quotes")
    return item.value


def _text(node: Node) -> Node:
    if node.value is None or node.tag or isinstance(node.value, (dict, list)):
        return node
    return node.with_value(scalar(node.value))


def names(node: Node) -> Node:
    """A list of names as a mapping without values."""
    if isinstance(node.value, dict):
        return node
    listed = node.value if isinstance(node.value, list) else []
    return node.with_value({_written(item): item.with_value(None) for item in listed})


def depends_on(node: Node) -> Node:
    """A list of names as a mapping of what is meant by it."""
    if isinstance(node.value, dict):
        return node
    return node.with_value({name: item.of(_STARTED) for name, item in names(node).value.items()})


def depends_below(node: Node) -> Node:
    """What lies below another ``depends_on``: what a service does not say is as it is meant in a list."""
    filled = {
        name: item.with_value({**item.of(_STARTED).value, **item.value}) if isinstance(item.value, dict) else item
        for name, item in depends_on(node).value.items()
    }
    return node.with_value(filled)


def texts(node: Node) -> Node:
    """A text, or a mapping, as a list."""
    if isinstance(node.value, dict):
        found = [
            (name, _text(one))
            for name, item in node.value.items()
            for one in (item.value if isinstance(item.value, list) else [item])
        ]
        return node.with_value([_assigned(name, one) for name, one in found])
    return node.with_value(_items(node))


def _assigned(name: str, node: Node) -> Node:
    if isinstance(node.value, (dict, list)):
        return node
    return node.with_value(name if node.value is None else f"{name}={node.value}")


def build(node: Node) -> Node:
    """A text as the context."""
    if isinstance(node.value, dict):
        return node
    return node.with_value({"context": node} if isinstance(node.value, str) else {})


def _items(node: Node) -> list[Node]:
    if isinstance(node.value, list):
        return node.value
    return [node] if isinstance(node.value, str) else []
