# Copyright: (c) 2026, the retail.profiles authors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# This is private to the collection: it may change at any time.
"""Where a Compose service runs, how often, and how much of a host's CPUs it may use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.retail.profiles.plugins.plugin_utils.formats.base import Source
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.options import scalar
from ansible_collections.retail.profiles.plugins.plugin_utils.formats.compose.service import Service


def placement(service: Service) -> dict[str, Any]:
    """The fields of placement."""
    deploy = service.value.get("deploy", {})
    wanted = deploy.get("placement") or {}
    count = replicas(service.source, service.name, service.value)
    made: dict[str, Any] = {}
    if deploy.get("mode") in ("global", "global-job"):
        made["replicas_per_host"] = 1
    elif count is not None:
        made["replicas"] = count
    if wanted.get("max_replicas_per_node"):
        made["max_per_host"] = wanted["max_replicas_per_node"]
    for constraint in wanted.get("constraints") or []:
        key, equals, host = (part.strip() for part in str(constraint).partition("=="))
        if equals and key == "node.hostname":
            made["hosts"] = host
        else:
            service.warn(f"deploy.placement.constraints {constraint}", service.at("deploy"))
    if "preferences" in wanted:
        service.warn("deploy.placement.preferences")
    return made


def limits(service: Service) -> dict[str, Any]:
    """CPU time and CPUs, which have fields of their own."""
    limits = ((service.value.get("deploy", {}).get("resources") or {}).get("limits")) or {}
    cpus = limits.get("cpus", service.value.get("cpus"))
    made: dict[str, Any] = {}
    if cpus is not None:
        try:
            made["cpus"] = float(cpus)
        except ValueError as error:
            raise service.source.error(
                f"{service.label}: {cpus!r} is not a number of CPUs", service.at("deploy")
            ) from error
    if "cpuset" in service.value:
        made["cpuset"] = scalar(service.value["cpuset"])
    return made


def replicas(source: Source, service: str, value: Mapping[str, Any]) -> int | None:
    """How many replicas a service has; None where it does not say. ProfileError for what is no number."""
    path = ("services", service)
    deploy = value.get("deploy") or {}
    if not isinstance(deploy, Mapping):
        raise source.error(f"services.{service}.deploy is a mapping, not {deploy!r}", (*path, "deploy"))
    for key, written, at in (
        ("deploy.replicas", deploy.get("replicas"), "deploy"),
        ("scale", value.get("scale"), "scale"),
    ):
        if written is not None:
            if not re.fullmatch(r"\d{1,18}", str(written)):
                raise source.error(f"services.{service}.{key}: {written!r} is not a number of replicas", (*path, at))
            return int(written)
    return None
