# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of a Compose file as they are seen from another folder."""

from __future__ import annotations

import posixpath
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.tree import Node


def of_file(document: Node, base: str) -> Node:
    """A file in canonical form with its relative paths as they are seen from where ``base`` is its folder."""
    if base == ".":
        return document
    made = dict(document.value)
    for section in ("configs", "secrets"):
        if section in made:
            items = {name: _moved(item, base, "file") for name, item in made[section].value.items()}
            made[section] = made[section].with_value(items)
    if "services" in made:
        services = {name: of_service(item, base) for name, item in made["services"].value.items()}
        made["services"] = made["services"].with_value(services)
    return document.with_value(made)


def of_service(service: Node, base: str) -> Node:
    """The same of one service."""
    if base == "." or not isinstance(service.value, dict):
        return service
    made = dict(service.value)
    for key, inner in (("build", "context"), ("extends", "file")):
        if key in made:
            made[key] = _moved(made[key], base, inner)
    if "build" in made and isinstance(made["build"].value, dict) and "context" not in made["build"].value:
        made["build"] = made["build"].with_value({**made["build"].value, "context": made["build"].of(base)})
    for key, inner in (("env_file", "path"), ("label_file", "")):
        if key in made and isinstance(made[key].value, list):
            made[key] = made[key].with_value([_moved(item, base, inner) for item in made[key].value])
    if "volumes" in made and isinstance(made["volumes"].value, list):
        made["volumes"] = made["volumes"].with_value([_moved_mount(item, base) for item in made["volumes"].value])
    return service.with_value(made)


def _moved_mount(mount: Node, base: str) -> Node:
    return _moved(mount, base, "source") if mount.get("type") == "bind" else mount


def _moved(node: Node, base: str, key: str) -> Node:
    """A path, or the path under a key."""
    if key:
        if not isinstance(node.value, dict) or key not in node.value:
            return node
        return node.with_value({**node.value, key: _moved(node.value[key], base, "")})
    path: Any = node.value
    if not isinstance(path, str) or path.startswith(("/", "~")) or "://" in path or path.startswith("git@"):
        return node
    return node.with_value(f"./{posixpath.normpath(posixpath.join(base, path))}")
