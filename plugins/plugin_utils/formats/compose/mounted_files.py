# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``configs`` of a Compose service, which are files of the profile, and its ``secrets``, which are in no plan."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import Service
from ansible_collections.retail.profiles.plugins.plugin_utils.text.templates import quoted


def configs(service: Service) -> list[str]:
    """The volumes that they become. ProfileError for one that has no content here."""
    return [_config(service, item, service.file.top["configs"][item["source"]]) for item in service.value["configs"]]


def _config(service: Service, item: Mapping[str, Any], declared: Mapping[str, Any]) -> str:
    name = item["source"]
    target = posixpath.join("/", item.get("target") or name)
    for key in item:
        if key not in ("source", "target") and not key.startswith("x-"):
            service.warn(f"configs.{key}")
    if declared.get("external"):
        raise service.error("configs", f"{name!r} is external: give it as a file, content or environment")
    if "file" in declared:
        inside = service.source.inside(declared["file"], service.source.folder, ("configs", name))
        return f"{inside}:{target}:ro"
    service.file.generated[f"configs/{name}"] = _content(service, name, declared).encode()
    return f"./configs/{name}:{target}:ro"


def secrets(service: Service) -> dict[str, Any]:
    """The field ``secret_files``: templates that stand for the values, which are in memory only.

    ProfileError for a secret that is not there, or is another machine's.
    """
    found = [(item, service.file.top["secrets"][item["source"]]) for item in service.value.get("secrets", ())]
    made = {_place(service, item): quoted(_secret(service, item["source"], declared)) for item, declared in found}
    return {"secret_files": made} if made else {}


def _place(service: Service, item: Mapping[str, Any]) -> str:
    for key in ("uid", "gid", "mode"):
        if key in item:
            service.warn(f"secrets.{key}", why="every user of the container may read it")
    return posixpath.join("/run/secrets", item.get("target") or item["source"])


def _secret(service: Service, name: str, declared: Mapping[str, Any]) -> str:
    path = ("secrets", name)
    if "file" in declared:
        inside = service.source.inside(declared["file"], service.source.folder, path)
        if not service.source.is_file(inside):
            raise service.source.error(f"secrets.{name}: {declared['file']!r} is not there", path)
        return service.source.text(inside, path)
    if "environment" not in declared:
        raise service.source.error(f"secrets.{name} is external: give it as a file or environment", path)
    value = service.file.variables.get(declared["environment"])
    if value is None:
        raise service.source.not_set(declared["environment"], path)
    return value


def _content(service: Service, name: str, declared: Mapping[str, Any]) -> str:
    if "content" in declared:
        return str(declared["content"])
    if "environment" not in declared:
        raise service.error("configs", f"{name!r} is neither a file nor content nor environment")
    found = service.file.variables.get(declared["environment"])
    if found is None:
        raise service.source.not_set(declared["environment"], ("configs", name))
    return found
