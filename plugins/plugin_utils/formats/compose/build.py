# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the image of a Compose service is built, and when it is pulled."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import Service

_DOCKERFILE = "Dockerfile"
_SAID = ("context", "dockerfile", "dockerfile_inline", "target", "args")
#: what the image would lack, were it built from its context alone
_NEEDED = ("additional_contexts", "secrets", "ssh")


def build(service: Service) -> dict[str, Any]:
    """The field ``build``: nothing, with a warning, for an image that is made of more than a folder under the root."""
    if "build" not in service.value:
        return {}
    written: Mapping[str, Any] = service.value["build"]
    context = written.get("context") or "."
    needed = next((key for key in _NEEDED if written.get(key)), None)
    if "://" in context or context.startswith("git@"):
        return _not_built(service, "its context is not a folder")
    if needed:
        return _not_built(service, f"no image is built with {needed} here")
    folder = service.source.inside(context, service.source.folder, service.at("build"))
    file = service.source.inside(written.get("dockerfile") or _DOCKERFILE, folder, service.at("build"))
    inline = written.get("dockerfile_inline")
    gone = f"{context} is not there" if not service.source.is_folder(folder) else ""
    if gone or (not inline and not service.source.is_file(file)):
        why = gone or f"{context} has no {posixpath.relpath(file, folder)}"
        if not service.value.get("image") and not service.source.given.image:
            raise service.error("build", f"{why}: where the hosts or a registry have the image, name it with 'image'")
        return _not_built(service, why)
    for key in written:
        if key not in _SAID and not key.startswith("x-"):
            service.warn(f"build.{key}")
    made = {
        **({"dockerfile_inline": inline} if inline else _dockerfile(service, folder, file)),
        "target": written.get("target"),
        "args": _arguments(service, written.get("args") or {}),
    }
    more = {key: value for key, value in made.items() if value}
    return {"build": {"context": folder, **more} if more else folder}


def _not_built(service: Service, why: str) -> dict[str, Any]:
    service.warn("build", why=f"{why}; the hosts or a registry must have the image")
    return {}


def _dockerfile(service: Service, folder: str, file: str) -> dict[str, str]:
    """By its path in the context; one outside of it is not sent along, and said by its text."""
    path = posixpath.relpath(file, folder)
    if path.startswith("../"):
        return {"dockerfile_inline": service.source.text(file, service.at("build"))}
    return {"dockerfile": path} if path != _DOCKERFILE else {}


def _arguments(service: Service, written: Mapping[str, str | None]) -> dict[str, str]:
    """Build arguments; one without a value has that of the variable, if there is one."""
    taken = {name: service.file.variables.get(name) if value is None else value for name, value in written.items()}
    return {name: value for name, value in taken.items() if value is not None}


def pull(service: Service) -> dict[str, Any]:
    """When the image is pulled. What is built is not pulled; a pull now and then is none at each start."""
    policy = service.value.get("pull_policy", "missing")
    if policy in ("always", "never"):
        return {"pull": policy}
    if policy not in ("missing", "if_not_present", "build"):
        service.warn("pull_policy", why=f"{policy}: an image is pulled always, never, or where it is missing")
    return {}
